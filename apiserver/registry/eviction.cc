#include "apiserver/registry/eviction.h"

#include <fmt/format.h>

#include <vector>

#include "apiserver/registry/deletion.h"
#include "base/assert.h"
#include "base/limits.h"
#include "openapi/selector.h"

namespace kulisse::apiserver {

namespace {

using openapi::ResourceInfo;
using storage::RecordPtr;

constexpr std::string_view kRefusal =
    "Cannot evict pod as it would violate the pod's disruption budget.";
constexpr int kRetrySeconds = 10;
// Upstream: MaxDisruptedPodSize.
constexpr size_t kDisruptedPodsMax = 2000;

const ResourceInfo& ResourceOf(const ResourceStore& store, std::string_view group,
                               std::string_view resource) {
  const ResourceInfo* found = store.catalog().Find(group, "v1", resource);
  KULISSE_ASSERT(found != nullptr);
  return *found->storage;
}

int64_t IntAt(const json::Value& object, std::initializer_list<std::string_view> path) {
  const json::Value* value = object.Find(path);
  return value != nullptr && value->IsInt() ? value->AsInt() : 0;
}

Status Refusal(std::string message, int retry_seconds) {
  Status status = Status::TooManyRequests(std::string(kRefusal), retry_seconds);
  if (!status.details) status.details.emplace();
  status.details->causes.push_back({"DisruptionBudget", std::move(message), ""});
  return status;
}

Status StillProcessed(std::string_view budget) {
  return Refusal(
      fmt::format("The disruption budget {} is still being processed by the server.", budget),
      kRetrySeconds);
}

bool IsTerminal(const json::Value& pod) {
  const std::string_view phase = pod.FindString({"status", "phase"});
  return phase == "Succeeded" || phase == "Failed" ||
         pod.Find({"metadata", "deletionTimestamp"}) != nullptr;
}

// Pods that do no work yet, or no more, are covered by no budget.
bool IgnoresBudgets(const json::Value& pod) {
  return IsTerminal(pod) || pod.FindString({"status", "phase"}) == "Pending";
}

const json::Value* FindCondition(const json::Value& object, std::string_view type) {
  const json::Value* conditions = object.Find({"status", "conditions"});
  if (conditions == nullptr) return nullptr;
  for (const json::Value& condition : conditions->elements()) {
    if (condition.FindString({"type"}) == type) return &condition;
  }
  return nullptr;
}

bool IsReady(const json::Value& pod) {
  const json::Value* condition = FindCondition(pod, "Ready");
  return condition != nullptr && condition->FindString({"status"}) == "True";
}

// The condition of the type, replaced or appended; unchanged when its status is the same.
void SetCondition(json::Document& object, std::string_view type, std::string_view status,
                  json::Value condition, SystemTime now) {
  json::Arena& arena = object.arena;
  json::Value& parent = object.root.SetDefaultObject("status", arena);
  json::Value* conditions = parent.Find("conditions");
  if (conditions == nullptr || !conditions->IsArray()) {
    conditions = &parent.Set("conditions", json::Value::Array(), arena);
  }
  condition.Set("type", json::Value::StringRef(type), arena);
  condition.Set("status", json::Value::StringRef(status), arena);
  for (json::Value& existing : conditions->elements()) {
    if (existing.FindString({"type"}) != type) continue;
    const bool same = existing.FindString({"status"}) == status;
    const json::Value* since = existing.Find("lastTransitionTime");
    condition.Set("lastTransitionTime",
                  same && since != nullptr ? since->Clone(arena)
                                           : json::Value::String(FormatTime(now), arena),
                  arena);
    existing = std::move(condition);
    return;
  }
  condition.Set("lastTransitionTime", json::Value::String(FormatTime(now), arena), arena);
  conditions->PushBack(std::move(condition), arena);
}

// Why a budget that allows none allows none.
std::string WhyNone(const json::Value& budget) {
  const std::string_view name = budget.FindString({"metadata", "name"});
  const json::Value* condition = FindCondition(budget, "DisruptionAllowed");
  const bool denied = condition != nullptr && condition->FindString({"status"}) == "False" &&
                      !condition->FindString({"message"}).empty();
  const int64_t desired = IntAt(budget, {"status", "desiredHealthy"});
  const int64_t current = IntAt(budget, {"status", "currentHealthy"});
  if (denied && condition->FindString({"reason"}) == "SyncFailed") {
    return fmt::format(
        "The disruption budget {} does not allow evicting pods currently because it failed sync: "
        "{}",
        name, condition->FindString({"message"}));
  }
  if (current <= desired) {
    return fmt::format("The disruption budget {} needs {} healthy pods and has {} currently", name,
                       desired, current);
  }
  if (denied) {
    return fmt::format("The disruption budget {} does not allow evicting pods currently ({}): {}",
                       name, condition->FindString({"reason"}), condition->FindString({"message"}));
  }
  return fmt::format("The disruption budget {} does not allow evicting pods currently", name);
}

// Counts the disruption in the budget's status, or says why it may not be.
Result<void> CountDisruption(json::Document& budget, std::string_view pod, SystemTime now) {
  const std::string_view name = budget.root.FindString({"metadata", "name"});
  const GroupResource resource{"policy", "poddisruptionbudget"};
  if (IntAt(budget.root, {"status", "observedGeneration"}) <
      IntAt(budget.root, {"metadata", "generation"})) {
    return std::unexpected(StillProcessed(name));
  }
  const int64_t allowed = IntAt(budget.root, {"status", "disruptionsAllowed"});
  if (allowed < 0) {
    return std::unexpected(
        Status::Forbidden(resource, name, "pdb disruptions allowed is negative"));
  }
  const json::Value* disrupted = budget.root.Find({"status", "disruptedPods"});
  if (disrupted != nullptr && disrupted->size() > kDisruptedPodsMax) {
    return std::unexpected(Status::Forbidden(
        resource, name,
        "DisruptedPods map too big - too many evictions not confirmed by PDB controller"));
  }
  if (allowed == 0) return std::unexpected(Refusal(WhyNone(budget.root), 0));
  json::Arena& arena = budget.arena;
  json::Value& status = budget.root.SetDefaultObject("status", arena);
  status.Set("disruptionsAllowed", json::Value::Int(allowed - 1), arena);
  status.SetDefaultObject("disruptedPods", arena)
      .Set(pod, json::Value::String(FormatTime(now), arena), arena);
  if (allowed == 1) {
    json::Value condition = json::Value::Object();
    condition.Set("reason", json::Value::StringRef("InsufficientPods"), arena);
    condition.Set("message", json::Value::StringRef(""), arena);
    condition.Set("observedGeneration",
                  json::Value::Int(IntAt(budget.root, {"status", "observedGeneration"})), arena);
    SetCondition(budget, "DisruptionAllowed", "False", std::move(condition), now);
  }
  return {};
}

// The budgets of the namespace that select the pod.
std::vector<json::Document> BudgetsOf(ResourceStore& store, const json::Value& pod) {
  std::vector<json::Document> budgets;
  const json::Value* labels = pod.Find({"metadata", "labels"});
  const auto label = [labels](std::string_view name) -> std::optional<std::string_view> {
    const json::Value* value = labels == nullptr ? nullptr : labels->Find(name);
    if (value == nullptr || !value->IsString()) return std::nullopt;
    return value->AsString();
  };
  const ResourceInfo& resource = ResourceOf(store, "policy", "poddisruptionbudgets");
  const storage::SnapshotPtr snapshot = store.store().Latest();
  const auto cursor =
      snapshot->Scan(resource.storage_name, pod.FindString({"metadata", "namespace"}), "");
  while (const RecordPtr record = cursor->Next()) {
    json::Document budget = ResourceStore::Decode(*record);
    const json::Value* selector = budget.root.Find({"spec", "selector"});
    if (selector == nullptr || selector->IsNull()) continue;
    const auto parsed = openapi::LabelSelector::FromObject(*selector);
    if (parsed && parsed->Matches(label)) budgets.push_back(std::move(budget));
  }
  return budgets;
}

// Whether a pod that is not ready may go without being counted.
bool MayGoUnhealthy(const json::Value& budget) {
  if (budget.FindString({"spec", "unhealthyPodEvictionPolicy"}) == "AlwaysAllow") return true;
  const int64_t desired = IntAt(budget, {"status", "desiredHealthy"});
  return desired > 0 && IntAt(budget, {"status", "currentHealthy"}) >= desired;
}

// What the pod's status says of its end, then the delete.
Result<WriteResult> MarkAndDelete(ResourceStore& store, const RequestContext& context,
                                  const ObjectName& name, DeleteOptions options) {
  const ResourceInfo& pods = ResourceOf(store, "", "pods");
  if (!context.dry_run) {
    const SystemTime now = store.runtime().Now();
    KULISSE_ASSIGN(
        const WriteResult marked,
        store.Update(context, pods, name, "eviction", [&](json::Document& pod) -> Result<void> {
          KULISSE_TRY(CheckPreconditions(options.preconditions, pod.root, pods));
          json::Value condition = json::Value::Object();
          condition.Set("lastProbeTime", json::Value(), pod.arena);
          condition.Set("reason", json::Value::StringRef("EvictionByEvictionAPI"), pod.arena);
          condition.Set("message", json::Value::StringRef("Eviction API: evicting"), pod.arena);
          SetCondition(pod, "DisruptionTarget", "True", std::move(condition), now);
          return {};
        }));
    if (options.preconditions.resource_version) {
      options.preconditions.resource_version = std::to_string(marked.record->revision().value);
    }
  }
  return store.Delete(context, pods, name, options);
}

}  // namespace

Result<WriteResult> EvictPod(ResourceStore& store, const RequestContext& context,
                             const ObjectName& name, const DeleteOptions& options) {
  const ResourceInfo& pods = ResourceOf(store, "", "pods");
  DeleteOptions with_revision = options;
  json::Document pod;
  for (int tries = 0;; ++tries) {
    KULISSE_ASSIGN(const RecordPtr record, store.Get(pods, name));
    pod = ResourceStore::Decode(*record);
    with_revision.preconditions.resource_version = std::to_string(record->revision().value);
    if (!IgnoresBudgets(pod.root)) break;
    const bool own_revision = options.preconditions.resource_version || IsTerminal(pod.root);
    auto deleted = MarkAndDelete(store, context, name, own_revision ? options : with_revision);
    const bool retry = !deleted && deleted.error().IsConflict() &&
                       !options.preconditions.resource_version && tries < kUpdateRetriesMax;
    if (!retry) return deleted;
  }

  const std::vector<json::Document> budgets = BudgetsOf(store, pod.root);
  if (budgets.size() > 1) {
    return std::unexpected(
        Status::Plain(500,
                      "This pod has more than one PodDisruptionBudget, which the eviction "
                      "subresource does not support."));
  }
  if (budgets.empty()) return MarkAndDelete(store, context, name, options);
  const json::Value& budget = budgets[0].root;
  const std::string budget_name(budget.FindString({"metadata", "name"}));
  if (!IsReady(pod.root) && MayGoUnhealthy(budget)) {
    // The pod must be the one that was found unhealthy.
    auto deleted = MarkAndDelete(store, context, name, with_revision);
    if (!deleted && deleted.error().IsConflict() && !options.preconditions.resource_version) {
      return std::unexpected(StillProcessed(budget_name));
    }
    return deleted;
  }
  // The server counts, whoever evicts.
  RequestContext counter = RequestContext::Internal("kube-apiserver");
  counter.dry_run = context.dry_run;
  const auto counted =
      store.Update(counter, ResourceOf(store, "policy", "poddisruptionbudgets"),
                   {name.ns, budget_name}, "status", [&](json::Document& object) {
                     return CountDisruption(object, name.name, store.runtime().Now());
                   });
  if (!counted) return std::unexpected(counted.error());
  return MarkAndDelete(store, context, name, options);
}

}  // namespace kulisse::apiserver
