#include "simulator/usage/pod_index.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "apiserver/registry/object_encoding.h"
#include "simulator/limits.h"

namespace kulisse::simulator {

namespace {

using storage::EventType;
using storage::Key;
using storage::Record;

constexpr std::string_view kPods = "pods";

std::string PodKey(const Key& key) { return key.ns + "/" + key.name; }

Key KeyOf(std::string_view pod) {
  const size_t slash = pod.find('/');
  return {std::string(kPods), std::string(pod.substr(0, slash)),
          std::string(pod.substr(slash + 1))};
}

int64_t ContainersOf(const Record& pod) {
  const json::Document object = apiserver::DecodeObject(pod);
  const json::Value* containers = object.root.Find({"spec", "containers"});
  return containers ? static_cast<int64_t>(containers->size()) : 0;
}

}  // namespace

void PodIndex::List() {
  const storage::SnapshotPtr snapshot = store_.Latest();
  // Pods that are gone leave; the counters of those that stay go on.
  std::set<std::string> gone;
  for (const auto& [key, pod] : pods_) gone.insert(key);
  const auto cursor = snapshot->Scan(kPods, "", "");
  while (const storage::RecordPtr record = cursor->Next()) {
    const std::string_view key = cursor->key().substr(kPods.size() + 1);
    gone.erase(std::string(key));
    Changed(KeyOf(key), *record);
  }
  for (const std::string& pod : gone) Removed(pod, nullptr);
  auto watcher = store_.Watch(kPods, "", snapshot->revision());
  watcher_ = watcher ? std::move(*watcher) : nullptr;  // none: the next question lists again
}

void PodIndex::CatchUp() {
  if (!watcher_) return List();
  // After a long silence a list costs less than all that has happened.
  const uint64_t behind = store_.head().value - watcher_->position().value;
  if (behind > std::max<uint64_t>(kUsageEventsMin, 2 * pods_.size())) return List();
  while (true) {
    const auto events = watcher_->Read();
    if (!events) return List();
    if (events->empty()) return;
    for (const storage::EventPtr& event : *events) {
      if (event->type == EventType::kDeleted) {
        Removed(PodKey(event->key), event->object.get());
      } else {
        Changed(event->key, *event->object);
      }
    }
  }
}

void PodIndex::Changed(const Key& key, const Record& record) {
  const std::string_view node = record.Field("spec.nodeName").value_or("");
  if (node.empty()) return;
  const std::string pod = PodKey(key);
  const auto [it, added] = pods_.try_emplace(pod);
  if (!added && it->second.uid == record.uid()) return;  // a pod stays where it is bound
  if (!added) {
    Removed(pod, nullptr);
    return Changed(key, record);
  }
  it->second.uid = record.uid();
  it->second.node = node;
  nodes_[std::string(node)].pods.insert(pod);
}

void PodIndex::Removed(const std::string& pod, const Record* last) {
  const auto it = pods_.find(pod);
  if (it == pods_.end()) return;
  Node& node = nodes_[it->second.node];
  node.pods.erase(pod);
  if (last) node.containers_gone += ContainersOf(*last);
  const std::string name = std::move(it->second.node);
  pods_.erase(it);
  // Pods go after their node: with the last of them nobody asks about it any more.
  if (node.pods.empty() && !store_.Get({"nodes", "", name})) nodes_.erase(name);
}

std::vector<Key> PodIndex::PodsOf(std::string_view node) {
  const std::lock_guard lock(mutex_);
  CatchUp();
  std::vector<Key> keys;
  const auto it = nodes_.find(node);
  if (it == nodes_.end()) return keys;
  keys.reserve(it->second.pods.size());
  for (const std::string& pod : it->second.pods) keys.push_back(KeyOf(pod));
  return keys;
}

int64_t PodIndex::StartedContainers(std::string_view node) {
  const std::lock_guard lock(mutex_);
  CatchUp();
  const auto it = nodes_.find(node);
  if (it == nodes_.end()) return 0;
  int64_t count = it->second.containers_gone;
  for (const std::string& pod : it->second.pods) {
    if (const auto record = store_.Get(KeyOf(pod))) count += ContainersOf(*record);
  }
  return count;
}

double PodIndex::Add(Counters& counters, const std::string& name, double usage, MonotonicTime now) {
  auto it = counters.find(name);
  if (it == counters.end()) {
    if (counters.size() < kUsageCountersMax) counters.emplace(name, Counter{.counted = now});
    return 0;
  }
  Counter& counter = it->second;
  if (now > counter.counted) {
    counter.sum += std::chrono::duration<double>(now - counter.counted).count() * usage;
    counter.counted = now;
  }
  return counter.sum;
}

double PodIndex::AddPodUsage(const Key& pod, std::string_view uid, const std::string& name,
                             double usage, MonotonicTime now) {
  const std::lock_guard lock(mutex_);
  CatchUp();
  const auto it = pods_.find(PodKey(pod));
  if (it == pods_.end() || it->second.uid != uid) return 0;
  return Add(it->second.counters, name, usage, now);
}

double PodIndex::AddNodeUsage(std::string_view node, const std::string& name, double usage,
                              MonotonicTime now) {
  const std::lock_guard lock(mutex_);
  return Add(nodes_[std::string(node)].counters, name, usage, now);
}

}  // namespace kulisse::simulator
