#include "test/sim/cluster_checker.h"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "base/time.h"

namespace kulisse::sim {

using namespace std::chrono_literals;

namespace {

using apiserver::ResourceStore;
using json::Value;
using storage::EventType;
using storage::RecordPtr;

constexpr size_t kProblemsMax = 50;
// A new node needs its first lease, and a dead one's must go.
constexpr Duration kLeaseSettles = 2min;

constexpr std::string_view kFlaps = "pod-readiness-flapping.stage.kwok.x-k8s.io";
// Of pods that were held back on purpose, perhaps until a moment ago.
constexpr std::string_view kPullError = "pod-image-pull-error.stage.kwok.x-k8s.io/delay";

bool IsReady(const Value& object) {
  const Value* conditions = object.Find({"status", "conditions"});
  if (conditions == nullptr) return false;
  for (const Value& condition : conditions->elements()) {
    if (condition.FindString({"type"}) == "Ready") {
      return condition.FindString({"status"}) == "True";
    }
  }
  return false;
}

bool IsTerminal(std::string_view phase) { return phase == "Succeeded" || phase == "Failed"; }

}  // namespace

// --- Mirror

Mirror::Mirror(storage::Store& store, std::string resource)
    : store_(store), resource_(std::move(resource)) {
  List();
}

void Mirror::List() {
  objects_.clear();
  const auto snapshot = store_.Latest();
  const auto cursor = snapshot->Scan(resource_, "", "");
  while (const RecordPtr record = cursor->Next()) {
    objects_.emplace(cursor->key(), record->revision());
  }
  seen_ = snapshot->revision();
  watcher_ = std::move(*store_.Watch(resource_, "", seen_));
}

std::vector<std::string> Mirror::Read() {
  std::vector<std::string> problems;
  while (true) {
    const auto events = watcher_->Read();
    if (!events) {  // in turn: goes on from where it was, or lists anew
      resume_ = !resume_;
      auto resumed = resume_ ? store_.Watch(resource_, "", seen_) : std::unexpected(events.error());
      if (resumed) {
        watcher_ = std::move(*resumed);
      } else {
        List();
      }
      continue;
    }
    if (events->empty()) return problems;
    for (const storage::EventPtr& event : *events) {
      const std::string key = EncodeKey(event->key);
      const bool known = objects_.contains(key);
      if (event->revision <= seen_) problems.push_back(key + ": event out of order");
      if (known != (event->type != EventType::kAdded)) {
        problems.push_back(
            fmt::format("{}: event at {} is of the wrong type", key, event->revision.value));
      }
      seen_ = event->revision;
      if (event->type == EventType::kDeleted) {
        objects_.erase(key);
      } else {
        objects_[key] = event->revision;
      }
    }
  }
}

std::vector<std::string> Mirror::Compare() const {
  std::vector<std::string> problems;
  size_t listed = 0;
  const auto snapshot = store_.Latest();
  const auto cursor = snapshot->Scan(resource_, "", "");
  while (const RecordPtr record = cursor->Next()) {
    ++listed;
    const auto it = objects_.find(std::string(cursor->key()));
    if (it == objects_.end()) {
      problems.push_back(std::string(cursor->key()) + ": listed, but no event told of it");
    } else if (it->second != record->revision()) {
      problems.push_back(std::string(cursor->key()) + ": a change was not told");
    }
  }
  if (listed != objects_.size()) {
    problems.push_back(
        fmt::format("{}: {} listed, {} by events", resource_, listed, objects_.size()));
  }
  return problems;
}

// --- ClusterChecker

struct ClusterChecker::Node {
  std::string cidr;
  Duration age = {};
};

ClusterChecker::ClusterChecker(simulator::Client& client, Runtime& runtime, Duration lease_duration)
    : client_(client), runtime_(runtime), lease_duration_(lease_duration) {
  for (const char* resource : {"pods", "nodes", "namespaces", "leases.coordination.k8s.io",
                               "serviceaccounts", "stages.kwok.x-k8s.io"}) {
    mirrors_.push_back(std::make_unique<Mirror>(client.store(), resource));
  }
}

void ClusterChecker::Problem(const std::string& what) {
  if (problems_.size() < kProblemsMax) {
    problems_.push_back(FormatTime(runtime_.Now()) + " " + what);
  }
}

void ClusterChecker::Follow() {
  for (const auto& mirror : mirrors_) {
    for (const std::string& problem : mirror->Read()) Problem(problem);
  }
}

void ClusterChecker::Check(bool calm) {
  Follow();
  for (const auto& mirror : mirrors_) {
    for (const std::string& problem : mirror->Compare()) Problem(problem);
  }
  const Nodes nodes = CheckNodes(calm);
  CheckPods(nodes, calm);
  CheckLeases(nodes, calm);
  CheckNamespaces(calm);
}

template <class Visit>
void ClusterChecker::ForEach(std::string_view resource, const Visit& visit) const {
  const auto snapshot = client_.store().Latest();
  const auto cursor = snapshot->Scan(resource, "", "");
  while (const RecordPtr record = cursor->Next()) {
    const json::Document object = ResourceStore::Decode(*record);
    visit(std::string(cursor->key()), object.root);
  }
}

Duration ClusterChecker::Age(const Value& object,
                             std::initializer_list<std::string_view> path) const {
  const auto time = ParseTime(object.FindString(path));
  return time ? runtime_.Now() - *time : runtime_.Now().time_since_epoch();
}

ClusterChecker::Nodes ClusterChecker::CheckNodes(bool calm) {
  Nodes nodes;
  std::map<std::string, std::string> owners;
  ForEach("nodes", [&](const std::string& key, const Value& object) {
    Node& node = nodes[std::string(object.FindString({"metadata", "name"}))];
    node.cidr = object.FindString({"spec", "podCIDR"});
    node.age = Age(object, {"metadata", "creationTimestamp"});
    if (!node.cidr.empty()) {
      const auto [it, added] = owners.emplace(node.cidr, key);
      if (!added) Problem(fmt::format("{}: has the CIDR of {}", key, it->second));
    }
    if (!calm) return;
    if (node.cidr.empty()) Problem(key + ": has no CIDR");
    if (!IsReady(object)) Problem(key + ": is not Ready");
    if (object.Find({"spec", "taints"}) != nullptr) Problem(key + ": has taints");
  });
  return nodes;
}

void ClusterChecker::CheckPods(const Nodes& nodes, bool calm) {
  std::map<std::string, std::string> owners;
  ForEach("pods", [&](const std::string& key, const Value& pod) {
    CheckPod(key, pod, nodes, calm);
    const Value* host = pod.Find({"spec", "hostNetwork"});
    const std::string address(pod.FindString({"status", "podIP"}));
    if (IsTerminal(pod.FindString({"status", "phase"}))) return;  // it has given its address back
    if (address.empty() || (host != nullptr && host->IsBool() && host->AsBool())) return;
    const auto [it, added] = owners.emplace(address, key);
    if (!added) Problem(fmt::format("{}: has the address {} of {}", key, address, it->second));
    const auto node = nodes.find(pod.FindString({"spec", "nodeName"}));
    if (node == nodes.end() || node->second.cidr.empty()) return;
    // A pod keeps its address when its node is made anew.
    if (node->second.age <= Age(pod, {"metadata", "creationTimestamp"})) return;
    const std::string_view block = std::string_view(node->second.cidr);
    if (!address.starts_with(block.substr(0, block.rfind('.') + 1))) {
      Problem(fmt::format("{}: {} is not of its node's {}", key, address, block));
    }
  });
}

void ClusterChecker::CheckPod(const std::string& name, const Value& pod, const Nodes& nodes,
                              bool calm) {
  const auto node = nodes.find(pod.FindString({"spec", "nodeName"}));
  if (node == nodes.end()) return;
  // A pod may have waited for its node.
  const bool long_there = node->second.age > kStuckAfter;
  const std::string_view phase = pod.FindString({"status", "phase"});
  const Value* finalizers = pod.Find({"metadata", "finalizers"});
  if (pod.Find({"metadata", "deletionTimestamp"}) != nullptr) {
    const bool overdue = Age(pod, {"metadata", "deletionTimestamp"}) > kStuckAfter;
    if (finalizers == nullptr && overdue && long_there) Problem(name + ": does not go");
    if (calm) Problem(name + ": is still being deleted");
    return;
  }
  const bool waits = phase != "Running" && !IsTerminal(phase);
  const bool old = Age(pod, {"metadata", "creationTimestamp"}) > kStuckAfter;
  if (waits && old && long_there &&
      (calm || pod.Find({"metadata", "annotations", kPullError}) == nullptr)) {
    Problem(fmt::format("{}: is stuck in phase \"{}\"", name, phase));
  }
  const bool flaps = pod.Find({"metadata", "labels", kFlaps}) != nullptr;
  if (calm && phase == "Running" && !IsReady(pod) && !flaps) {
    Problem(name + ": runs and is not ready");
  }
}

void ClusterChecker::CheckLeases(const Nodes& nodes, bool calm) {
  std::set<std::string> there;
  ForEach("leases.coordination.k8s.io", [&](const std::string& key, const Value& lease) {
    if (lease.FindString({"metadata", "namespace"}) != "kube-node-lease") return;
    const std::string node(lease.FindString({"metadata", "name"}));
    there.insert(node);
    if (!nodes.contains(node)) {
      if (calm) Problem(key + ": its node is gone");
    } else if (Age(lease, {"spec", "renewTime"}) > lease_duration_ &&
               nodes.find(node)->second.age > kLeaseSettles) {
      Problem(key + ": is stale");
    }
  });
  for (const auto& [name, node] : nodes) {
    if (node.age > kLeaseSettles && !there.contains(name)) Problem(name + ": has no lease");
  }
}

void ClusterChecker::CheckNamespaces(bool calm) {
  std::set<std::string> alive;
  ForEach("namespaces", [&](const std::string& key, const Value& object) {
    alive.emplace(object.FindString({"metadata", "name"}));
    if (object.Find({"metadata", "deletionTimestamp"}) != nullptr && calm) {
      Problem(key + ": does not go");
    }
  });
  for (const char* resource : {"pods", "serviceaccounts"}) {
    ForEach(resource, [&](const std::string& key, const Value& object) {
      if (!alive.contains(std::string(object.FindString({"metadata", "namespace"})))) {
        Problem(key + ": its namespace is gone");
      }
    });
  }
  if (!calm) return;
  for (const std::string& name : alive) {
    const auto& accounts = client_.Resource("", "v1", "serviceaccounts");
    if (client_.Get(accounts, {name, "default"}) == nullptr) {
      Problem(name + ": has no default service account");
    }
  }
}

}  // namespace kulisse::sim
