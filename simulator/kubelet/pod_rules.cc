#include "simulator/kubelet/pod_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/log.h"
#include "base/time.h"
#include "simulator/kubelet/pod_names.h"

namespace kulisse::simulator {

namespace {

using json::Value;
using storage::Record;
using storage::RecordPtr;

constexpr std::string_view kAnnotation = "kubelet-rules.kwok.x-k8s.io";
// A kubelet under pressure looks again this often, and evicts one pod each time.
constexpr Duration kEvictionPeriod = 10s;
constexpr std::string_view kDeadlineField = "\"activeDeadlineSeconds\":";

std::optional<int64_t> DeadlineSeconds(const Value& pod) {
  const Value* seconds = pod.Find({"spec", "activeDeadlineSeconds"});
  if (seconds == nullptr || !seconds->IsInt()) return std::nullopt;
  return seconds->AsInt();
}

std::string_view ResourceOf(std::string_view pressure) {
  if (pressure == "MemoryPressure") return "memory";
  return pressure == "DiskPressure" ? "ephemeral-storage" : "pids";
}

// Who goes first is least: those who asked for nothing, then by priority, then the youngest.
auto EvictionRank(const Value& pod) {
  const std::string_view qos = pod.FindString({"status", "qosClass"});
  const Value* priority = pod.Find({"spec", "priority"});
  const auto start = ParseTime(pod.FindString({"status", "startTime"}));
  return std::tuple(qos == "BestEffort" ? 0 : (qos == "Burstable" ? 1 : 2),
                    priority != nullptr && priority->IsInt() ? priority->AsInt() : 0,
                    start ? -start->time_since_epoch().count() : 0);
}

Value TargetCondition(std::string_view message, const Value& pod, std::string_view now,
                      json::Arena& arena) {
  Value condition = Value::Object();
  const auto set = [&](std::string_view name, std::string_view text) {
    condition.Set(name, Value::String(text, arena), arena);
  };
  set("type", "DisruptionTarget");
  set("status", "True");
  set("reason", "TerminationByKubelet");
  set("message", message);
  set("lastTransitionTime", now);
  if (const Value* generation = pod.Find({"metadata", "generation"})) {
    condition.Set("observedGeneration", generation->Clone(arena), arena);
  }
  return condition;
}

}  // namespace

PodRules::PodRules(Runtime& runtime, Client& client, TemplateEnvironment& environment,
                   bool by_default, std::function<void(const std::string&)> recheck)
    : runtime_(runtime),
      client_(client),
      environment_(environment),
      by_default_(by_default),
      recheck_(std::move(recheck)),
      pods_(client.Resource("", "v1", "pods")),
      nodes_resource_(client.Resource("", "v1", "nodes")),
      events_(client, runtime),
      self_(std::make_shared<PodRules*>(this)) {}

// --- nodes

PodRules::Node* PodRules::Find(const std::string& name) {
  const auto it = nodes_.find(name);
  return it == nodes_.end() ? nullptr : &it->second;
}

void PodRules::NodeChanged(const std::string& name, const Value& object, bool known) {
  const std::string_view said = object.FindString({"metadata", "annotations", kAnnotation});
  if (said.empty() ? !by_default_ : said != "true") return NodeRemoved(name);
  const auto [it, added] = nodes_.try_emplace(name);
  Node& node = it->second;
  if (added && known && listed_) CountPods(name, node);
  node.pressures = PressuresOf(object);
  if (!node.pressures.empty() && !node.evicting) ScheduleEviction(name, Duration(0));
}

void PodRules::NodeRemoved(const std::string& name) { nodes_.erase(name); }

// Reads all pods of the cluster: for nodes that begin to have rules, not for new ones.
void PodRules::CountPods(const std::string& name, Node& node) {
  const auto snapshot = client_.store().Latest();
  const auto cursor = snapshot->Scan(pods_.storage_name, "", "");
  while (const RecordPtr record = cursor->Next()) {
    if (record->Field("spec.nodeName") != name || HasEnded(*record)) continue;
    const json::Document pod = apiserver::ResourceStore::Decode(*record);
    if (pod.root.FindString({"status", "startTime"}).empty()) continue;
    node.use.Add(PodNameOf(pod.root), DemandOf(pod.root));
  }
}

void PodRules::ForgetNodes() { nodes_.clear(); }

void PodRules::ForgetPods() {
  for (auto& [name, node] : nodes_) node.use = {};
  put_off_.clear();
  listed_ = false;
}

void PodRules::Listed() {
  listed_ = true;
  for (const std::string& pod : std::exchange(put_off_, {})) recheck_(pod);
}

// --- admission

bool PodRules::Admits(const std::string& node_name, const std::string& pod, const Record& record) {
  Node* node = Find(node_name);
  if (node == nullptr || node->use.Has(pod) || HasEnded(record)) return true;
  const json::Document object = apiserver::ResourceStore::Decode(record);
  const bool taken_before = !object.root.FindString({"status", "startTime"}).empty();
  if (!taken_before) {
    if (record.deleting()) return true;
    if (!listed_) {  // what the others take is not known yet
      put_off_.insert(pod);
      return false;
    }
    if (Refuse(pod, object.root, *node, node_name)) return false;
  }
  node->use.Add(pod, DemandOf(object.root));
  return true;
}

bool PodRules::Refuse(const std::string& pod, const Value& object, const Node& node,
                      const std::string& node_name) {
  const RecordPtr record = client_.Get(nodes_resource_, {"", node_name});
  if (!record) return false;
  const auto rejection = Reject(object, apiserver::ResourceStore::Decode(*record).root, node.use);
  if (!rejection) return false;
  json::Arena arena;
  Value status = Value::Object();
  const auto set = [&](std::string_view name, std::string_view text) {
    status.Set(name, Value::String(text, arena), arena);
  };
  set("phase", "Failed");
  set("reason", rejection->reason);
  set("message", "Pod was rejected: " + rejection->message);
  set("startTime", FormatTime(runtime_.Now()));
  if (const Value* generation = object.Find({"metadata", "generation"})) {
    status.Set("observedGeneration", generation->Clone(arena), arena);
  }
  Patch(pod, object, status, {"Warning", rejection->reason, rejection->message});
  return true;
}

void PodRules::Patch(const std::string& pod, const Value& object, const Value& status,
                     const Refusal& event) {
  json::Arena arena;
  const storage::Key key = PodKeyOf(pod);
  Value patch = Value::Object();
  patch.Set("status", status.Clone(arena), arena);
  const auto written =
      client_.Patch(pods_, {key.ns, key.name}, "status", PatchType::kStrategic, patch);
  if (!written) {
    if (!written.error().IsNotFound()) {
      log::Warning("simulator", "pod not failed",
                   {{"pod", pod}, {"error", written.error().message}});
    }
    return;
  }
  const auto recorded = events_.Record(pods_, key, object,
                                       {.type = std::string(event.type),
                                        .reason = std::string(event.reason),
                                        .message = std::string(event.message)});
  if (!recorded) {
    log::Warning("simulator", "event is lost", {{"error", recorded.error().message}});
  }
}

// --- pods

void PodRules::PodChanged(const std::string& node_name, const std::string& pod,
                          const Record& record) {
  Node* node = Find(node_name);
  if (node == nullptr) return;
  if (HasEnded(record)) return node->use.Remove(pod);
  const bool timed = record.json().contains(kDeadlineField) && !deadlines_.contains(pod);
  if (!timed && !node->use.Has(pod)) return;
  const json::Document object = apiserver::ResourceStore::Decode(record);
  if (node->use.Has(pod)) node->use.Add(pod, DemandOf(object.root));  // it may have been resized
  const auto start = ParseTime(object.root.FindString({"status", "startTime"}));
  const auto seconds = DeadlineSeconds(object.root);
  if (!timed || !start || !seconds) return;
  Watch(pod, *start + std::chrono::seconds(*seconds) - runtime_.Now());
}

void PodRules::PodRemoved(const std::string& node_name, const std::string& pod) {
  if (Node* node = Find(node_name)) node->use.Remove(pod);
  put_off_.erase(pod);
}

void PodRules::Watch(const std::string& pod, Duration delay) {
  deadlines_.insert(pod);
  runtime_.ScheduleAfter(delay, [self = std::weak_ptr(self_), pod] {
    if (const auto rules = self.lock()) (*rules)->CheckDeadline(pod);
  });
}

void PodRules::CheckDeadline(const std::string& pod) {
  deadlines_.erase(pod);
  const RecordPtr record = client_.store().Get(PodKeyOf(pod));
  if (!record || HasEnded(*record)) return;
  const json::Document object = apiserver::ResourceStore::Decode(*record);
  const auto start = ParseTime(object.root.FindString({"status", "startTime"}));
  const auto seconds = DeadlineSeconds(object.root);
  if (!start || !seconds) return;
  const Duration left = *start + std::chrono::seconds(*seconds) - runtime_.Now();
  if (left > Duration(0)) return Watch(pod, left);  // another pod of the name, or a new deadline
  constexpr PodFailure kFailure = {"DeadlineExceeded",
                                   "Pod was active on the node longer than the specified deadline"};
  json::Arena arena;
  const auto status = MakeFailedPodStatus(object.root, kFailure, environment_, arena);
  if (status) Patch(pod, object.root, *status, {"Normal", kFailure.reason, kFailure.message});
}

// --- eviction

void PodRules::ScheduleEviction(const std::string& name, Duration delay) {
  nodes_[name].evicting = true;
  runtime_.ScheduleAfter(delay, [self = std::weak_ptr(self_), name] {
    if (const auto rules = self.lock()) (*rules)->EvictOne(name);
  });
}

void PodRules::EvictOne(const std::string& name) {
  Node* node = Find(name);
  if (node == nullptr) return;
  node->evicting = false;
  if (node->pressures.empty()) return;
  std::string victim;
  json::Document pod;
  for (const std::string& candidate : node->use.Pods()) {
    const RecordPtr record = client_.store().Get(PodKeyOf(candidate));
    if (!record || record->deleting() || HasEnded(*record)) continue;
    json::Document object = apiserver::ResourceStore::Decode(*record);
    if (IsCriticalPod(object.root)) continue;
    if (!victim.empty() && EvictionRank(object.root) >= EvictionRank(pod.root)) continue;
    victim = candidate;
    pod = std::move(object);
  }
  ScheduleEviction(name, kEvictionPeriod);
  if (victim.empty()) return;
  const std::string message =
      fmt::format("The node was low on resource: {}. ", ResourceOf(node->pressures[0]));
  json::Arena arena;
  auto status = MakeFailedPodStatus(pod.root, {"Evicted", message}, environment_, arena);
  if (!status) return;
  status->Find("conditions")
      ->PushBack(TargetCondition(message, pod.root, FormatTime(runtime_.Now()), arena), arena);
  Patch(victim, pod.root, *status, {"Warning", "Evicted", message});
}

}  // namespace kulisse::simulator
