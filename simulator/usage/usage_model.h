// UsageModel says what pods and nodes use: from ResourceUsage and ClusterResourceUsage objects, of
// files and of the API, and the shipped default. It evaluates them when somebody asks, and keeps
// nothing but what has been counted (PodIndex).
//
// Who decides, for a container: the ResourceUsage of the pod's name, wholly; without one the first
// ClusterResourceUsage that selects the pod and has an entry for the container, those of the API by
// name, then those of files, then the shipped one. Upstream: kwok pkg/kwok/server/
// metrics_resource_usage.go. Unlike there, pods that do not run use nothing.
//
// Borrows: store and runtime, which must outlive it. Threads: any; rules change on the loop.
// Errors: an expression that fails counts as 0, and is logged once.
// Limits: expressions that ask for usage nest kUsageDepthMax deep, and a question leads to
//   kUsageNestedMax of them.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/runtime.h"
#include "simulator/stage/cel_environment.h"
#include "simulator/stage/config.h"
#include "simulator/usage/pod_index.h"
#include "simulator/usage/usage_rules.h"
#include "storage/store.h"

namespace kulisse::simulator {

// All rules and pages at one time. Immutable.
struct UsageRules {
  std::map<std::string, std::shared_ptr<const UsageRule>> pods;  // by "namespace/name"
  std::vector<std::shared_ptr<const UsageRule>> cluster;
  std::vector<std::shared_ptr<const MetricPage>> pages;

  // Null when nobody says anything.
  [[nodiscard]] const UsageEntry* Find(std::string_view ns, std::string_view pod,
                                       std::string_view container) const;
};
using UsageRulesPtr = std::shared_ptr<const UsageRules>;

// spec.containers of a pod.
[[nodiscard]] std::span<const json::Value> ContainersOf(const json::Value& pod);

class UsageModel final : public UsageFunctions {
 public:
  // One question and what is asked in its course: the rules stay the same, and nodes are read once.
  // Evaluations of expressions carry it as their host.
  class Scope {
   public:
    explicit Scope(UsageModel& model) : model_(model), rules_(model.rules()) {}

   private:
    friend class UsageModel;
    // Null when it is not there.
    std::shared_ptr<const json::Document> Node(std::string_view name);

    UsageModel& model_;
    const UsageRulesPtr rules_;
    std::string node_name_;
    std::shared_ptr<const json::Document> node_;
    size_t depth_ = 0;
    size_t nested_ = 0;  // evaluations below the outermost one
  };

  // Takes the objects of files, and the shipped ones. Those that are no good are logged and left
  // out.
  UsageModel(Runtime& runtime, storage::Store& store,
             const std::vector<UsageObjectSource>& objects);

  // The object of the API with this kind, namespace and name is this one from now on, or (null)
  // is gone. It counts instead of one of its name from elsewhere. Returns what is wrong with it:
  // then there is none of that name. REQUIRES: on the loop; IsUsageKind(kind).
  std::expected<void, std::string> SetObject(std::string_view kind, std::string_view ns,
                                             std::string_view name, const json::Value* object);

  [[nodiscard]] UsageRulesPtr rules() const;
  [[nodiscard]] PodIndex& pods() { return pods_; }
  [[nodiscard]] storage::Store& store() { return store_; }
  [[nodiscard]] Runtime& runtime() { return runtime_; }

  // What one container of the pod uses now, and all pods of a node.
  double ContainerUsage(Scope& scope, const json::Value& pod, const json::Value& container,
                        std::string_view resource);
  double NodeUsage(Scope& scope, std::string_view node, std::string_view resource);
  // Calls `look` for each running pod of a node.
  void ForEachRunningPod(std::string_view node,
                         const std::function<void(const json::Value& pod)>& look);
  // The same added up since it was first asked for.
  double ContainerCumulativeUsage(Scope& scope, const json::Value& pod,
                                  const json::Value& container, std::string_view resource);
  double NodeCumulativeUsage(Scope& scope, std::string_view node, std::string_view resource);

  // UsageFunctions.
  double PodUsage(const json::Value* pod, std::string_view resource,
                  std::optional<std::string_view> container, Mode mode,
                  openapi::cel::Evaluation& evaluation) override;
  double NodeUsage(const json::Value* node, std::string_view resource, Mode mode,
                   openapi::cel::Evaluation& evaluation) override;
  int64_t StartedContainers(std::string_view node) override;

 private:
  using RuleName = std::pair<std::string, std::string>;  // namespace and name
  struct Given {
    std::string kind;
    RuleName name;
    std::shared_ptr<const UsageRule> rule;   // or
    std::shared_ptr<const MetricPage> page;  // by its kind
  };

  [[nodiscard]] std::expected<Given, std::string> Compile(const json::Value& object) const;
  // Puts together what counts now.
  void Publish();
  // What an expression yields, or 0.
  double Evaluate(Scope& scope, const UsageValue& value, const json::Value& pod,
                  const json::Value& container);

  Runtime& runtime_;
  storage::Store& store_;
  const CelEnvironment cel_;
  PodIndex pods_;
  std::vector<Given> given_;                                   // of files, then the shipped ones
  std::map<std::pair<std::string, RuleName>, Given> objects_;  // of the API, by kind and name
  mutable std::mutex mutex_;                                   // guards rules_
  UsageRulesPtr rules_;
};

}  // namespace kulisse::simulator
