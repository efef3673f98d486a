#include "simulator/scale/scale_template.h"

#include <fmt/format.h>

#include <optional>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/embedded_file.h"
#include "openapi/yaml.h"
#include "simulator/jq/jq.h"
#include "simulator/stage/config.h"

namespace kulisse {
extern const EmbeddedFile kScaleResources[];
extern const size_t kScaleResourcesCount;
}  // namespace kulisse

namespace kulisse::simulator {

namespace {

using json::Value;

constexpr std::string_view kApiVersion = "config.kwok.x-k8s.io/v1alpha1";
constexpr std::string_view kKind = "KwokctlResource";

class ScaleEnvironment final : public TemplateEnvironment {
 public:
  ScaleEnvironment(const ScaledObject& object, Runtime& runtime)
      : object_(object), runtime_(runtime) {}

  [[nodiscard]] SystemTime Now() const override { return runtime_.Now(); }
  [[nodiscard]] SystemTime StartTime() const override { return runtime_.Now(); }
  uint64_t RandomBits() override { return runtime_.RandomBits(); }
  // Templates of this scope cannot ask for the rest.
  [[nodiscard]] std::string NodeIP() const override { return ""; }
  [[nodiscard]] std::string NodeName() const override { return ""; }
  [[nodiscard]] int64_t NodePort() const override { return 0; }
  std::vector<std::string> NodeIPsWith(std::string_view) override { return {}; }
  std::expected<std::vector<std::string>, std::string> PodIPsWith(const PodReference&) override {
    return std::vector<std::string>();
  }
  [[nodiscard]] ScaledObject Scaled() const override { return object_; }

 private:
  const ScaledObject& object_;
  Runtime& runtime_;
};

// The KwokctlResource of the name in the file's text, or null.
std::expected<std::optional<ScaleTemplate>, std::string> FindIn(std::string_view file,
                                                                std::string_view text,
                                                                std::string_view name) {
  const auto documents = openapi::ParseYamlDocuments(text);
  if (!documents) return std::unexpected(fmt::format("{}: {}", file, documents.error()));
  size_t number = 0;
  for (const json::Document& document : *documents) {
    ++number;
    if (document.root.FindString({"kind"}) != kKind ||
        document.root.FindString({"metadata", "name"}) != name) {
      continue;
    }
    auto parsed = ScaleTemplate::Parse(document.root);
    if (!parsed) {
      return std::unexpected(fmt::format("{}: document {}: {}", file, number, parsed.error()));
    }
    return std::optional(std::move(*parsed));
  }
  return std::nullopt;
}

}  // namespace

ScaleTemplate::ScaleTemplate(std::string name, json::Document parameters, Template body)
    : name_(std::move(name)), parameters_(std::move(parameters)), body_(std::move(body)) {}

std::expected<ScaleTemplate, std::string> ScaleTemplate::Parse(const Value& resource) {
  const std::string name(resource.FindString({"metadata", "name"}));
  const auto refuse = [&](std::string_view what) {
    return std::unexpected(fmt::format("{} \"{}\": {}", kKind, name, what));
  };
  if (resource.FindString({"kind"}) != kKind ||
      resource.FindString({"apiVersion"}) != kApiVersion) {
    return refuse(fmt::format("is not of {}", kApiVersion));
  }
  const Value* text = resource.Find("template");
  if (text == nullptr || !text->IsString()) return refuse("template: is needed");
  auto body = Template::Compile(text->AsString(), TemplateScope::kScale);
  if (!body) return refuse("template: " + body.error());
  json::Document parameters;
  const Value* given = resource.Find("parameters");
  parameters.root = given == nullptr ? Value::Object() : given->Clone(parameters.arena);
  return ScaleTemplate(name, std::move(parameters), std::move(*body));
}

std::expected<ScaleTemplate, std::string> ScaleTemplate::Find(
    std::string_view name, std::span<const std::string> config_paths) {
  for (const std::string& path : config_paths) {
    const auto files = ReadConfigFiles(path);
    if (!files) return std::unexpected(files.error());
    for (const ConfigFile& file : *files) {
      auto found = FindIn(file.name, file.text, name);
      if (!found) return std::unexpected(found.error());
      if (*found) return std::move(**found);
    }
  }
  for (size_t i = 0; i < kScaleResourcesCount; ++i) {
    auto found = FindIn(kScaleResources[i].name, kScaleResources[i].bytes(), name);
    KULISSE_ASSERT(found.has_value());
    if (*found) return std::move(**found);
  }
  return std::unexpected(fmt::format(
      "resource \"{}\" is not known: there are node, pod, and each {} of --config", name, kKind));
}

std::expected<void, std::string> ScaleTemplate::SetParameters(
    std::span<const std::string> expressions, SystemTime now) {
  for (const std::string& expression : expressions) {
    const auto refuse = [&](std::string_view what) {
      return std::unexpected(fmt::format("--param '{}': {}", expression, what));
    };
    const auto jq = Jq::Compile(expression);
    if (!jq) return refuse(jq.error());
    json::Arena arena;
    std::vector<const Value*> results;
    if (auto done = jq->Evaluate(parameters_.root, arena, &results, now); !done) {
      return refuse(done.error());
    }
    std::erase_if(results, [](const Value* result) { return result->IsNull(); });
    if (results.size() != 1) {
      return refuse(fmt::format("gives {} results, and the parameters are one", results.size()));
    }
    json::Document changed;
    changed.root = results[0]->Clone(changed.arena);
    parameters_ = std::move(changed);
  }
  return {};
}

std::expected<json::Document, std::string> ScaleTemplate::Render(const ScaledObject& object,
                                                                 Runtime& runtime) const {
  ScaleEnvironment environment(object, runtime);
  json::Document made;
  auto value = body_.RenderValue(parameters_.root, environment, made.arena);
  if (!value) return std::unexpected(fmt::format("{} \"{}\": {}", kKind, name_, value.error()));
  if (!value->IsObject()) {
    return std::unexpected(fmt::format("{} \"{}\": its template makes no object", kKind, name_));
  }
  made.root = std::move(*value);
  return made;
}

}  // namespace kulisse::simulator
