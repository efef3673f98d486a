#include "simulator/stage/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/assert.h"
#include "base/embedded_file.h"
#include "base/text.h"
#include "openapi/yaml.h"
#include "simulator/stage/field_reader.h"

namespace kulisse {
extern const EmbeddedFile kDefaultStages[];
extern const size_t kDefaultStagesCount;
extern const EmbeddedFile kShippedUsage[];
extern const size_t kShippedUsageCount;
}  // namespace kulisse

namespace kulisse::simulator {

namespace {

using json::Value;

// "a=b,c=d"
void ParsePairs(FieldReader& reader, std::string_view name,
                std::vector<std::pair<std::string, std::string>>* pairs) {
  const auto text = reader.TakeString(name);
  if (!text || text->empty()) return;
  for (const std::string_view term : Split(*text, ',')) {
    const size_t equal = term.find('=');
    if (equal == term.npos || equal == 0 || term[equal - 1] == '!') {
      return reader.Fail(name, "must be of the form key=value,key=value");
    }
    std::string_view value = term.substr(equal + 1);
    if (value.starts_with('=')) value.remove_prefix(1);
    pairs->emplace_back(TrimSpace(term.substr(0, equal)), TrimSpace(value));
  }
}

std::expected<void, std::string> ParseOptions(const Value& object, SimulatorOptions* options) {
  std::string error;
  FieldReader top(&object, "", &error);
  top.Skip({"apiVersion", "kind", "metadata"});
  const Value* fields = top.TakeObject("options");
  top.Finish();
  FieldReader reader(fields, "options", &error);
  options->cidr = reader.TakeStringOr("cidr", options->cidr);
  options->node_ip = reader.TakeStringOr("nodeIP", options->node_ip);
  options->node_name = reader.TakeStringOr("nodeName", options->node_name);
  options->node_port = reader.TakeCount("nodePort").value_or(options->node_port);
  options->node_lease_duration_seconds =
      reader.TakeCount("nodeLeaseDurationSeconds").value_or(options->node_lease_duration_seconds);
  ParsePairs(reader, "manageNodesWithLabelSelector", &options->manage_labels);
  ParsePairs(reader, "manageNodesWithAnnotationSelector", &options->manage_annotations);
  options->manage_single_node =
      reader.TakeStringOr("manageSingleNode", options->manage_single_node);
  // All nodes are managed unless one of the selectors says otherwise. The rest tunes KWOK's workers
  // and connections, of which there are none here.
  reader.Skip({"manageAllNodes", "podPlayStageParallelism", "nodePlayStageParallelism",
               "nodeLeaseParallelism", "podsOnNodeSyncParallelism", "enablePodsOnNodeSyncListPager",
               "enablePodsOnNodeSyncStreamWatch"});
  reader.Finish();
  if (!error.empty()) return std::unexpected("KwokConfiguration: " + error);
  return {};
}

// "" or why the document is passed over.
std::string AddStage(std::string origin, const Value& document, SimulatorConfig* config) {
  StageSource source{std::move(origin), {}};
  source.object.root = document.Clone(source.object.arena);
  if (source.name().empty()) return "a Stage needs metadata.name";
  const auto same = [&](const StageSource& other) {
    return other.name() == source.name() && other.kind() == source.kind() &&
           other.api_group() == source.api_group();
  };
  const auto earlier = std::ranges::find_if(config->stages, same);
  if (earlier != config->stages.end()) {
    return fmt::format("Stage \"{}\" is in {} already", source.name(), earlier->origin);
  }
  config->stages.push_back(std::move(source));
  return "";
}

// The same.
std::string AddUsage(std::string origin, const Value& document, SimulatorConfig* config) {
  const std::string_view kind = document.FindString({"kind"});
  const std::string_view name = document.FindString({"metadata", "name"});
  const std::string_view ns = document.FindString({"metadata", "namespace"});
  if (name.empty()) return fmt::format("a {} needs metadata.name", kind);
  for (const UsageObjectSource& earlier : config->usage) {
    const Value& object = earlier.object.root;
    if (object.FindString({"kind"}) == kind && object.FindString({"metadata", "name"}) == name &&
        object.FindString({"metadata", "namespace"}) == ns) {
      return fmt::format("{} \"{}\" is in {} already", kind, name, earlier.origin);
    }
  }
  UsageObjectSource& source = config->usage.emplace_back(std::move(origin));
  source.object.root = document.Clone(source.object.arena);
  return "";
}

// What a set is made of: folders of simulator/stages.
struct StageSet {
  std::string_view name;
  std::array<std::string_view, 2> folders;
};
constexpr std::string_view kKubeletSet = "kubelet";
constexpr auto kStageSets = std::to_array<StageSet>({
    {"none", {}},
    {"fast", {"common", "fast"}},
    {"general", {"common", "general"}},
    {kKubeletSet, {"common", "kubelet"}},
    {"chaos", {"chaos"}},
    {"volume", {"volume"}},
    {"containers", {"containers"}},
    {"nodes", {"nodes"}},
});

// "stages/fast/pod-ready.yaml" is in "fast".
bool IsIn(std::string_view file, std::string_view folder) {
  const size_t slash = file.rfind('/');
  if (folder.empty() || slash == file.npos) return false;
  const std::string_view path = file.substr(0, slash);
  return path.substr(path.rfind('/') + 1) == folder;
}

}  // namespace

bool IsUsageKind(std::string_view kind) {
  return kind == "ResourceUsage" || kind == "ClusterResourceUsage" || kind == "Metric";
}

std::string_view StageSource::api_group() const {
  const std::string_view group = object.root.FindString({"spec", "resourceRef", "apiGroup"});
  return group.empty() ? "v1" : group;
}

std::expected<void, std::string> AddConfig(std::string_view file_name, std::string_view text,
                                           SimulatorConfig* config) {
  const auto documents = openapi::ParseYamlDocuments(text);
  if (!documents) return std::unexpected(fmt::format("{}: {}", file_name, documents.error()));
  size_t number = 0;
  for (const json::Document& document : *documents) {
    std::string origin = fmt::format("{}: document {}", file_name, ++number);
    const std::string_view kind = document.root.FindString({"kind"});
    if (kind == "KwokConfiguration") {
      const auto parsed = ParseOptions(document.root, &config->options);
      if (!parsed) return std::unexpected(fmt::format("{}: {}", origin, parsed.error()));
      continue;
    }
    const std::string problem =
        kind == "Stage"     ? AddStage(origin, document.root, config)
        : IsUsageKind(kind) ? AddUsage(origin, document.root, config)
                            : fmt::format(
                                  "kind \"{}\" has no effect (Stage, ResourceUsage, "
                                  "ClusterResourceUsage, Metric and KwokConfiguration have)",
                                  kind);
    if (!problem.empty()) config->problems.push_back(fmt::format("{}: {}", origin, problem));
  }
  return {};
}

std::expected<std::vector<ConfigFile>, std::string> ReadConfigFiles(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code error;
  std::vector<std::string> names = {path};
  if (path != "-" && fs::is_directory(path, error)) {
    names.clear();
    for (const fs::directory_entry& entry : fs::directory_iterator(path, error)) {
      const std::string extension = entry.path().extension();
      if (extension == ".yaml" || extension == ".yml" || extension == ".json") {
        names.push_back(entry.path());
      }
    }
    if (error) return std::unexpected(fmt::format("cannot read {}: {}", path, error.message()));
    std::ranges::sort(names);
  }
  std::vector<ConfigFile> files;
  for (const std::string& name : names) {
    std::ifstream file(name == "-" ? "/dev/stdin" : name, std::ios::binary);
    if (!file) return std::unexpected("cannot read " + name);
    std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    if (file.bad()) return std::unexpected("cannot read " + name);
    files.push_back({name, std::move(text)});
  }
  return files;
}

std::expected<void, std::string> AddConfigPath(const std::string& path, SimulatorConfig* config) {
  const auto files = ReadConfigFiles(path);
  if (!files) return std::unexpected(files.error());
  for (const ConfigFile& file : *files) {
    if (auto added = AddConfig(file.name, file.text, config); !added) return added;
  }
  return {};
}

std::vector<std::string> StageSetNames() {
  std::vector<std::string> names;
  for (const StageSet& set : kStageSets) names.emplace_back(set.name);
  return names;
}

std::expected<void, std::string> AddShippedStages(SimulatorConfig* config) {
  const bool by_default = config->stage_sets.empty();
  if (by_default) config->stage_sets.emplace_back(kDefaultStageSet);
  std::vector<std::string_view> folders;
  for (const std::string& name : config->stage_sets) {
    const auto* set = std::ranges::find(kStageSets, std::string_view(name), &StageSet::name);
    if (set == kStageSets.end()) {
      return std::unexpected(fmt::format("no stages are called \"{}\" (there are {})", name,
                                         fmt::join(StageSetNames(), ", ")));
    }
    folders.insert(folders.end(), set->folders.begin(), set->folders.end());
    if (set->name == kKubeletSet) config->options.kubelet_rules = true;
  }
  SimulatorConfig shipped;
  for (size_t i = 0; i < kDefaultStagesCount; ++i) {
    const EmbeddedFile& file = kDefaultStages[i];
    const auto is_wanted = [&](std::string_view folder) { return IsIn(file.name, folder); };
    if (std::ranges::none_of(folders, is_wanted)) continue;
    const auto added = AddConfig(file.name, file.bytes(), &shipped);
    KULISSE_ASSERT(added.has_value() && shipped.problems.empty());
  }
  const std::string_view unwanted = config->options.node_lease_duration_seconds > 0
                                        ? "node-heartbeat"
                                        : "node-heartbeat-with-lease";
  std::erase_if(shipped.stages, [&](const StageSource& stage) {
    const auto replaces = [&](const StageSource& own) {
      return own.kind() == stage.kind() && own.api_group() == stage.api_group() &&
             (by_default || own.name() == stage.name());
    };
    return stage.name() == unwanted || std::ranges::any_of(config->stages, replaces);
  });
  std::ranges::move(shipped.stages, std::back_inserter(config->stages));
  return {};
}

void AddShippedUsage(SimulatorConfig* config) {
  SimulatorConfig shipped;
  for (size_t i = 0; i < kShippedUsageCount; ++i) {
    const EmbeddedFile& file = kShippedUsage[i];
    const auto added = AddConfig(file.name, file.bytes(), &shipped);
    KULISSE_ASSERT(added.has_value() && shipped.problems.empty());
  }
  for (UsageObjectSource& source : shipped.usage) {
    // One of the user's own of that name counts.
    (void)AddUsage(std::move(source.origin), source.object.root, config);
  }
}

}  // namespace kulisse::simulator
