#include "simulator/stage/config.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/assert.h"
#include "base/embedded_file.h"
#include "base/text.h"
#include "openapi/yaml.h"
#include "simulator/stage/field_reader.h"

namespace kulisse {
extern const EmbeddedFile kDefaultStages[];
extern const size_t kDefaultStagesCount;
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

std::expected<void, std::string> AddDocument(const Value& document, SimulatorConfig* config) {
  const std::string_view kind = document.FindString({"kind"});
  const std::string_view api_version = document.FindString({"apiVersion"});
  if (kind == "KwokConfiguration") return ParseOptions(document, &config->options);
  if (kind != "Stage") {
    return std::unexpected(fmt::format(
        "kind \"{}\" is not supported (supported are Stage and KwokConfiguration)", kind));
  }
  if (api_version != "kwok.x-k8s.io/v1alpha1") {
    return std::unexpected(
        fmt::format("Stage: apiVersion must be kwok.x-k8s.io/v1alpha1, not \"{}\"", api_version));
  }
  auto stage = Stage::Parse(document);
  if (!stage) return std::unexpected(std::move(stage).error());
  const auto same = [&](const Stage& other) {
    return other.name == stage->name && other.kind == stage->kind && other.group == stage->group;
  };
  if (std::ranges::any_of(config->stages, same)) {
    return std::unexpected(fmt::format("Stage \"{}\" is there twice", stage->name));
  }
  config->stages.push_back(std::move(*stage));
  return {};
}

}  // namespace

std::expected<void, std::string> AddConfig(std::string_view file_name, std::string_view text,
                                           SimulatorConfig* config) {
  const auto documents = openapi::ParseYamlDocuments(text);
  if (!documents) return std::unexpected(fmt::format("{}: {}", file_name, documents.error()));
  size_t number = 0;
  for (const json::Document& document : *documents) {
    ++number;
    const auto added = AddDocument(document.root, config);
    if (!added) {
      return std::unexpected(fmt::format("{}: document {}: {}", file_name, number, added.error()));
    }
  }
  return {};
}

std::vector<Stage> WithDefaultStages(std::vector<Stage> own, const SimulatorOptions& options) {
  SimulatorConfig defaults;
  const std::string_view unwanted =
      options.node_lease_duration_seconds > 0 ? "node-heartbeat" : "node-heartbeat-with-lease";
  for (size_t i = 0; i < kDefaultStagesCount; ++i) {
    const auto added = AddConfig(kDefaultStages[i].name, kDefaultStages[i].bytes(), &defaults);
    KULISSE_ASSERT(added.has_value());
  }
  std::erase_if(defaults.stages, [&](const Stage& stage) {
    return stage.name == unwanted || std::ranges::any_of(own, [&](const Stage& other) {
             return other.group == stage.group && other.kind == stage.kind;
           });
  });
  std::ranges::move(defaults.stages, std::back_inserter(own));
  return own;
}

}  // namespace kulisse::simulator
