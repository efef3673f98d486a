// ClusterChecker says what a cluster must never be, whatever was done to it:
//
//   watches     a watcher sees each object come, change and go, in order, and what it has seen is
//               what a list shows; resumed or begun anew after a cut, too
//   pods        none waits or ends for longer than kStuckAfter on a node that is there
//   addresses   no two pods that live have the same, and each is of its node's CIDR; no two nodes
//   have the
//               same CIDR
//   leases      every node renews its own in time, and no other is left
//   namespaces  nothing is in one that is gone
//
// Borrows: client and runtime. Threads: the loop.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/runtime.h"
#include "simulator/client/client.h"

namespace kulisse::sim {

// Mirror knows the objects of one resource from its list and its events alone.
class Mirror {
 public:
  Mirror(storage::Store& store, std::string resource);

  // Reads on; returns what is wrong.
  std::vector<std::string> Read();
  // Compares with a list. REQUIRES: Read() just before.
  [[nodiscard]] std::vector<std::string> Compare() const;

 private:
  void List();

  storage::Store& store_;
  const std::string resource_;
  storage::Revision seen_;
  bool resume_ = false;
  std::map<std::string, storage::Revision> objects_;  // by encoded key
  std::unique_ptr<storage::Watcher> watcher_;
};

class ClusterChecker {
 public:
  // How long a pod may take; longer than all delays, pauses and back-offs together.
  static constexpr Duration kStuckAfter = std::chrono::minutes(10);

  ClusterChecker(simulator::Client& client, Runtime& runtime, Duration lease_duration);

  // Follows the watches; to be called every few seconds.
  void Follow();
  // Looks at everything. `calm`: nothing has happened for kStuckAfter, so all must be well.
  void Check(bool calm);

  // What was wrong, each with the virtual time.
  [[nodiscard]] const std::vector<std::string>& problems() const { return problems_; }

 private:
  struct Node;
  using Nodes = std::map<std::string, Node, std::less<>>;

  void Problem(const std::string& what);
  [[nodiscard]] Nodes CheckNodes(bool calm);
  void CheckPods(const Nodes& nodes, bool calm);
  void CheckPod(const std::string& name, const json::Value& pod, const Nodes& nodes, bool calm);
  void CheckLeases(const Nodes& nodes, bool calm);
  void CheckNamespaces(bool calm);
  // The time at the path, or the epoch.
  [[nodiscard]] Duration Age(const json::Value& object,
                             std::initializer_list<std::string_view> path) const;
  template <class Visit>
  void ForEach(std::string_view resource, const Visit& visit) const;

  simulator::Client& client_;
  Runtime& runtime_;
  const Duration lease_duration_;
  std::vector<std::unique_ptr<Mirror>> mirrors_;
  std::vector<std::string> problems_;
};

}  // namespace kulisse::sim
