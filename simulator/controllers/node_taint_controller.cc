#include "simulator/controllers/node_taint_controller.h"

#include <algorithm>
#include <vector>

#include "base/log.h"

namespace kulisse::simulator {

namespace {

constexpr Duration kRetryDelay = std::chrono::seconds(1);

constexpr std::string_view kUnschedulable = "node.kubernetes.io/unschedulable";
constexpr std::string_view kNoSchedule = "NoSchedule";

// Upstream: nodeConditionToTaintKeyStatusMap.
struct ConditionTaint {
  std::string_view condition;
  std::string_view status;
  std::string_view taint;
};
constexpr ConditionTaint kConditionTaints[] = {
    {"Ready", "False", "node.kubernetes.io/not-ready"},
    {"Ready", "Unknown", "node.kubernetes.io/unreachable"},
    {"MemoryPressure", "True", "node.kubernetes.io/memory-pressure"},
    {"DiskPressure", "True", "node.kubernetes.io/disk-pressure"},
    {"NetworkUnavailable", "True", "node.kubernetes.io/network-unavailable"},
    {"PIDPressure", "True", "node.kubernetes.io/pid-pressure"},
};

using Keys = std::vector<std::string_view>;

bool Contains(const Keys& keys, std::string_view key) {
  return std::ranges::find(keys, key) != keys.end();
}

// The keys of the taints that a node should have. Nothing for one that has not said whether it is
// ready.
std::optional<Keys> WantedTaints(const json::Value& node) {
  const json::Value* conditions = node.Find({"status", "conditions"});
  if (conditions == nullptr) return std::nullopt;
  Keys wanted;
  bool knows_ready = false;
  for (const json::Value& condition : conditions->elements()) {
    const std::string_view type = condition.FindString({"type"});
    const std::string_view status = condition.FindString({"status"});
    knows_ready |= type == "Ready";
    for (const ConditionTaint& row : kConditionTaints) {
      if (row.condition == type && row.status == status) wanted.push_back(row.taint);
    }
  }
  if (!knows_ready) return std::nullopt;
  const json::Value* unschedulable = node.Find({"spec", "unschedulable"});
  if (unschedulable != nullptr && unschedulable->IsBool() && unschedulable->AsBool()) {
    wanted.push_back(kUnschedulable);
  }
  return wanted;
}

// Whether the taint is one that follows from conditions.
bool IsOurs(const json::Value& taint) {
  if (taint.FindString({"effect"}) != kNoSchedule) return false;
  const std::string_view key = taint.FindString({"key"});
  return key == kUnschedulable ||
         std::ranges::find(kConditionTaints, key, &ConditionTaint::taint) !=
             std::end(kConditionTaints);
}

Keys OurTaints(const json::Value& node) {
  Keys keys;
  const json::Value* taints = node.Find({"spec", "taints"});
  if (taints == nullptr) return keys;
  for (const json::Value& taint : taints->elements()) {
    if (IsOurs(taint)) keys.push_back(taint.FindString({"key"}));
  }
  return keys;
}

void SetTaints(json::Document& node, const Keys& wanted, SystemTime now) {
  json::Arena& arena = node.arena;
  json::Value& spec = node.root.SetDefaultObject("spec", arena);
  const Keys there = OurTaints(node.root);
  json::Value taints = json::Value::Array();
  if (const json::Value* old = spec.Find("taints")) {
    for (const json::Value& taint : old->elements()) {
      if (IsOurs(taint) && !Contains(wanted, taint.FindString({"key"}))) continue;
      taints.PushBack(taint.Clone(arena), arena);
    }
  }
  for (const std::string_view key : wanted) {
    if (Contains(there, key)) continue;
    json::Value taint = json::Value::Object();
    taint.Set("key", json::Value::StringRef(key), arena);
    taint.Set("effect", json::Value::StringRef(kNoSchedule), arena);
    taint.Set("timeAdded", json::Value::String(FormatTime(now), arena), arena);
    taints.PushBack(std::move(taint), arena);
  }
  if (taints.size() == 0) {
    spec.Remove("taints");
  } else {
    spec.Set("taints", std::move(taints), arena);
  }
}

bool SameKeys(Keys a, Keys b) {
  std::ranges::sort(a);
  std::ranges::sort(b);
  return a == b;
}

}  // namespace

NodeTaintController::NodeTaintController(Client& client, Runtime& runtime)
    : client_(client),
      runtime_(runtime),
      nodes_(client.Resource("", "v1", "nodes")),
      informer_(client.store(), nodes_, runtime,
                {[this](const storage::Key& key, const storage::RecordPtr& record) {
                  if (record != nullptr) Reconcile(key.name, *record);
                }}) {}

void NodeTaintController::Reconcile(const std::string& name, const storage::Record& record) {
  const json::Document seen = apiserver::ResourceStore::Decode(record);
  const std::optional<Keys> wanted = WantedTaints(seen.root);
  if (!wanted || SameKeys(*wanted, OurTaints(seen.root))) return;
  // The node may have changed meanwhile: look again at the one that is written.
  const auto result = client_.Update(nodes_, {"", name}, "", [this](json::Document& node) {
    const json::Document before = node.Clone();
    if (const auto now_wanted = WantedTaints(before.root)) {
      SetTaints(node, *now_wanted, runtime_.Now());
    }
    return Result<void>();
  });
  if (result || result.error().IsNotFound()) return;
  log::Warning("node_taints", "cannot set the taints of a node",
               {{"node", name}, {"error", result.error().message}});
  runtime_.ScheduleAfter(kRetryDelay, [weak = std::weak_ptr(self_), name] {
    const auto self = weak.lock();
    if (!self) return;
    const storage::RecordPtr now = (*self)->client_.Get((*self)->nodes_, {"", name});
    if (now != nullptr) (*self)->Reconcile(name, *now);
  });
}

}  // namespace kulisse::simulator
