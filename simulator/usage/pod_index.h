// PodIndex knows which pods are on which node, and counts what containers and nodes have used. It
// reads the history of pods when it is asked, and only then: until the first question it costs
// nothing, and later as much as has changed since the last, or a list when that is less.
//
// Owns: an entry for each bound pod, its counters included, while the pod exists. Borrows: store.
// Threads: any; a lock of its own, under which it reads the store and nothing else.
// Limits: kUsageCountersMax counters for each pod or node; what is beyond stays 0.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "storage/store.h"

namespace kulisse::simulator {

class PodIndex {
 public:
  explicit PodIndex(storage::Store& store) : store_(store) {}

  // By namespace and name.
  [[nodiscard]] std::vector<storage::Key> PodsOf(std::string_view node);
  // Containers of the pods that are and were on the node since the first question.
  [[nodiscard]] int64_t StartedContainers(std::string_view node);
  // Adds `usage` × the time since the last call for the same counter, and returns the sum; a new
  // counter is 0. `name`: of the counter, "cpu/app".
  double AddPodUsage(const storage::Key& pod, std::string_view uid, const std::string& name,
                     double usage, MonotonicTime now);
  double AddNodeUsage(std::string_view node, const std::string& name, double usage,
                      MonotonicTime now);

 private:
  struct Counter {
    MonotonicTime counted;
    double sum = 0;
  };
  using Counters = std::map<std::string, Counter, std::less<>>;
  struct Pod {
    std::string uid;
    std::string node;
    Counters counters;
  };
  struct Node {
    std::set<std::string, std::less<>> pods;  // "namespace/name"
    int64_t containers_gone = 0;
    Counters counters;
  };

  void CatchUp();
  void List();
  void Changed(const storage::Key& key, const storage::Record& record);
  void Removed(const std::string& pod, const storage::Record* last);
  static double Add(Counters& counters, const std::string& name, double usage, MonotonicTime now);

  storage::Store& store_;
  std::mutex mutex_;
  std::unique_ptr<storage::Watcher> watcher_;
  std::unordered_map<std::string, Pod> pods_;  // "namespace/name"
  std::map<std::string, Node, std::less<>> nodes_;
};

}  // namespace kulisse::simulator
