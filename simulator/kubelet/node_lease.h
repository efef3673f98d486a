// NodeLeases keeps a Lease in kube-node-lease for each node it is told of, and renews it every
// quarter of its duration, as kubelets do. Renewals are done in ticks, many at a time, spread
// evenly.
//
// Borrows: runtime and client. Threads: the runtime's loop.
// Errors: a lease that cannot be written is tried again a second later; the first failure is
// logged.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/runtime.h"
#include "simulator/client/client.h"
#include "simulator/kubelet/due_heap.h"

namespace kulisse::simulator {

class NodeLeases {
 public:
  // `duration` is leaseDurationSeconds.
  NodeLeases(Runtime& runtime, Client& client, std::chrono::seconds duration);
  ~NodeLeases();

  // Begins to keep the lease of the node.
  void Add(const std::string& node, std::string_view uid);
  // Stops, and removes the lease.
  void Remove(const std::string& node);
  // All nodes will be told anew: stops all, and leaves the leases as they are.
  void Clear();
  // All nodes have been told: removes the leases of those that were not.
  void RemoveUntold();

  [[nodiscard]] size_t size() const { return leases_.size(); }
  [[nodiscard]] uint64_t renewals() const { return renewals_; }

 private:
  struct Lease : DueElement {
    const std::string* node = nullptr;
    std::string uid;
    bool exists = false;
  };

  void Arm();
  void Tick();
  [[nodiscard]] Duration Interval();
  Result<void> Renew(Lease& lease);
  Result<void> Create(const Lease& lease);
  // Tries until the lease is gone, unless the node is there again.
  void Delete(const std::string& node);

  Runtime& runtime_;
  Client& client_;
  const std::chrono::seconds duration_;
  const openapi::ResourceInfo& resource_;
  std::unordered_map<std::string, Lease> leases_;
  std::set<std::string> untold_;  // nodes that had one before Clear()
  DueHeap<Lease> due_;
  TimerId timer_ = 0;
  MonotonicTime timer_at_;
  bool failing_ = false;
  uint64_t renewals_ = 0;
  std::shared_ptr<NodeLeases*> self_ = std::make_shared<NodeLeases*>(this);
};

}  // namespace kulisse::simulator
