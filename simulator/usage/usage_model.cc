#include "simulator/usage/usage_model.h"

#include <fmt/format.h>

#include <algorithm>

#include "apiserver/registry/object_encoding.h"
#include "base/log.h"
#include "openapi/cel/evaluation.h"
#include "simulator/limits.h"

namespace kulisse::simulator {

namespace {

namespace cel = openapi::cel;
using json::Value;

// Steps of an expression's budget that the usage of a pod costs.
constexpr size_t kStepsPerPod = 20;

std::string_view NameOf(const Value& object) { return object.FindString({"metadata", "name"}); }
std::string_view NamespaceOf(const Value& object) {
  return object.FindString({"metadata", "namespace"});
}

bool IsRunning(const Value& pod) { return pod.FindString({"status", "phase"}) == "Running"; }

// The scope of the evaluation, or one for it alone.
UsageModel::Scope& ScopeOf(UsageModel& model, cel::Evaluation& evaluation,
                           std::optional<UsageModel::Scope>* own) {
  if (evaluation.host() != nullptr) return *static_cast<UsageModel::Scope*>(evaluation.host());
  return own->emplace(model);
}

}  // namespace

std::span<const Value> ContainersOf(const Value& pod) {
  const Value* containers = pod.Find({"spec", "containers"});
  return containers ? containers->elements() : std::span<const Value>();
}

const UsageEntry* UsageRules::Find(std::string_view ns, std::string_view pod,
                                   std::string_view container) const {
  if (!pods.empty()) {
    const auto own = pods.find(fmt::format("{}/{}", ns, pod));
    if (own != pods.end()) return own->second->Find(container);
  }
  for (const auto& rule : cluster) {
    if (!rule->Selects(ns, pod)) continue;
    if (const UsageEntry* entry = rule->Find(container)) return entry;
  }
  return nullptr;
}

std::shared_ptr<const json::Document> UsageModel::Scope::Node(std::string_view name) {
  if (node_name_ != name || !node_) {
    node_name_ = name;
    const auto record = model_.store_.Get({"nodes", "", node_name_});
    node_ =
        record ? std::make_shared<const json::Document>(apiserver::DecodeObject(*record)) : nullptr;
  }
  return node_;
}

UsageModel::UsageModel(Runtime& runtime, storage::Store& store,
                       const std::vector<UsageObjectSource>& objects)
    : runtime_(runtime), store_(store), cel_(runtime, this), pods_(store) {
  for (const UsageObjectSource& source : objects) {
    auto given = Compile(source.object.root);
    if (given) {
      given_.push_back(std::move(*given));
    } else {
      log::Warning("simulator", "an object about usage is left out",
                   {{"where", source.origin}, {"error", given.error()}});
    }
  }
  Publish();
}

std::expected<UsageModel::Given, std::string> UsageModel::Compile(const Value& object) const {
  Given given;
  given.kind = object.FindString({"kind"});
  given.name = {std::string(NamespaceOf(object)), std::string(NameOf(object))};
  const bool is_default = given.kind == "ResourceUsage" && given.name.first.empty();
  if (is_default) given.name.first = "default";
  if (given.kind == "Metric") {
    auto page = MetricPage::Parse(object, cel_);
    if (!page) return std::unexpected(page.error());
    given.page = std::move(*page);
    return given;
  }
  auto rule = UsageRule::Parse(object, cel_);
  if (!rule) return std::unexpected(rule.error());
  given.rule = std::move(*rule);
  return given;
}

std::expected<void, std::string> UsageModel::SetObject(std::string_view kind, std::string_view ns,
                                                       std::string_view name, const Value* object) {
  const std::pair key{std::string(kind), RuleName{ns, name}};
  objects_.erase(key);
  std::expected<void, std::string> result;
  if (object) {
    json::Document named;  // objects of the store do not say their kind
    named.root = object->Clone(named.arena);
    named.root.Set("kind", Value::StringRef(key.first), named.arena);
    auto given = Compile(named.root);
    if (given) {
      objects_.emplace(key, std::move(*given));
    } else {
      result = std::unexpected(std::move(given).error());
    }
  }
  Publish();
  return result;
}

void UsageModel::Publish() {
  auto rules = std::make_shared<UsageRules>();
  const auto add = [&](const Given& given) {
    if (given.kind == "ResourceUsage") {
      rules->pods.try_emplace(fmt::format("{}/{}", given.name.first, given.name.second),
                              given.rule);
    } else if (given.page) {
      rules->pages.push_back(given.page);
    } else {
      rules->cluster.push_back(given.rule);
    }
  };
  for (const auto& [key, given] : objects_) add(given);
  for (const Given& given : given_) {
    if (!objects_.contains({given.kind, given.name})) add(given);
  }
  const std::lock_guard lock(mutex_);
  rules_ = std::move(rules);
}

UsageRulesPtr UsageModel::rules() const {
  const std::lock_guard lock(mutex_);
  return rules_;
}

// --- evaluation

double UsageModel::Evaluate(Scope& scope, const UsageValue& value, const Value& pod,
                            const Value& container) {
  std::expected<double, std::string> result = std::unexpected("it asks for itself too often");
  if (scope.depth_ == 0) scope.nested_ = 0;
  if (scope.depth_ < kUsageDepthMax && scope.nested_++ < kUsageNestedMax) {
    ++scope.depth_;
    // Shared, as the scope may turn to another one while the expression asks for other pods.
    std::shared_ptr<const json::Document> node;
    if (value.expression->mentions_node()) node = scope.Node(pod.FindString({"spec", "nodeName"}));
    cel::Evaluation evaluation(&scope);
    result =
        value.expression->AsFloat64({node ? &node->root : nullptr, &pod, &container}, evaluation);
    --scope.depth_;
  }
  if (result) return *result;
  if (!value.warned.exchange(true)) {
    log::Warning("simulator", "a usage counts as 0",
                 {{"pod", fmt::format("{}/{}", NamespaceOf(pod), NameOf(pod))},
                  {"container", std::string(container.FindString({"name"}))},
                  {"error", result.error()}});
  }
  return 0;
}

double UsageModel::ContainerUsage(Scope& scope, const Value& pod, const Value& container,
                                  std::string_view resource) {
  if (!IsRunning(pod)) return 0;
  const UsageEntry* entry =
      scope.rules_->Find(NamespaceOf(pod), NameOf(pod), container.FindString({"name"}));
  if (!entry) return 0;
  const auto value = entry->resources.find(resource);
  if (value == entry->resources.end()) return 0;
  return value->second.expression ? Evaluate(scope, value->second, pod, container)
                                  : value->second.value;
}

double UsageModel::ContainerCumulativeUsage(Scope& scope, const Value& pod, const Value& container,
                                            std::string_view resource) {
  const double usage = ContainerUsage(scope, pod, container, resource);
  return pods_.AddPodUsage({"pods", std::string(NamespaceOf(pod)), std::string(NameOf(pod))},
                           pod.FindString({"metadata", "uid"}),
                           fmt::format("{}/{}", container.FindString({"name"}), resource), usage,
                           runtime_.MonotonicNow());
}

void UsageModel::ForEachRunningPod(std::string_view node,
                                   const std::function<void(const Value& pod)>& look) {
  for (const storage::Key& key : pods_.PodsOf(node)) {
    const storage::RecordPtr record = store_.Get(key);
    if (record && record->Field("status.phase") == "Running") {
      look(apiserver::DecodeObject(*record).root);
    }
  }
}

double UsageModel::NodeUsage(Scope& scope, std::string_view node, std::string_view resource) {
  double sum = 0;
  ForEachRunningPod(node, [&](const Value& pod) {
    for (const Value& container : ContainersOf(pod)) {
      sum += ContainerUsage(scope, pod, container, resource);
    }
  });
  return sum;
}

double UsageModel::NodeCumulativeUsage(Scope& scope, std::string_view node,
                                       std::string_view resource) {
  const double usage = NodeUsage(scope, node, resource);
  return pods_.AddNodeUsage(node, std::string(resource), usage, runtime_.MonotonicNow());
}

double UsageModel::PodUsage(const Value* pod, std::string_view resource,
                            std::optional<std::string_view> container, Mode mode,
                            cel::Evaluation& evaluation) {
  if (!pod || !evaluation.Spend(kStepsPerPod)) return 0;
  std::optional<Scope> own;
  Scope& scope = ScopeOf(*this, evaluation, &own);
  double sum = 0;
  for (const Value& one : ContainersOf(*pod)) {
    if (container && one.FindString({"name"}) != *container) continue;
    sum += mode == Mode::kNow ? ContainerUsage(scope, *pod, one, resource)
                              : ContainerCumulativeUsage(scope, *pod, one, resource);
  }
  return sum;
}

double UsageModel::NodeUsage(const Value* node, std::string_view resource, Mode mode,
                             cel::Evaluation& evaluation) {
  if (!node) return 0;
  const std::string_view name = NameOf(*node);
  if (!evaluation.Spend(kStepsPerPod * pods_.PodsOf(name).size())) return 0;
  std::optional<Scope> own;
  Scope& scope = ScopeOf(*this, evaluation, &own);
  return mode == Mode::kNow ? NodeUsage(scope, name, resource)
                            : NodeCumulativeUsage(scope, name, resource);
}

int64_t UsageModel::StartedContainers(std::string_view node) {
  return pods_.StartedContainers(node);
}

}  // namespace kulisse::simulator
