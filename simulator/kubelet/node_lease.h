// NodeLeases keeps a Lease in kube-node-lease for each node it is told of, and renews it every
// quarter of its duration, as kubelets do. It goes round all leases in the order of their names, a
// few in each tick, so that the load is even; a new node's is written at once. What is written
// together is stored together that way: 100,000 leases in the order of chance cost the store twice
// as much.
//
// Borrows: runtime and client. Threads: the runtime's loop.
// Errors: a lease that cannot be written is tried again a second later; the first failure is
// logged.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "base/runtime.h"
#include "simulator/client/client.h"

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
  struct Lease {
    std::string uid;  // of the node
    // Otherwise it is new, or its last write has failed.
    bool in_round = false;
  };
  using Leases = std::map<std::string, Lease>;  // by node

  void Arm();
  void Tick();
  void Write(Leases::iterator lease);
  Result<void> Renew(const std::string& node, const std::string& uid);
  Result<void> Create(const std::string& node, const std::string& uid);
  // Tries until the lease is gone, unless the node is there again.
  void Delete(const std::string& node);

  Runtime& runtime_;
  Client& client_;
  const std::chrono::seconds duration_;
  const Duration interval_;
  const openapi::ResourceInfo& resource_;
  Leases leases_;
  Leases::iterator next_ = leases_.end();  // whose turn it is
  std::deque<std::string> new_;            // to be written at once
  std::set<std::string> untold_;           // nodes that had one before Clear()
  // How far the round has come since the last lease: each one takes interval_, all are on their way
  // at the same time.
  Duration progress_{};
  MonotonicTime progress_at_;
  TimerId timer_ = 0;
  MonotonicTime timer_at_;
  bool failing_ = false;
  uint64_t renewals_ = 0;
  std::shared_ptr<NodeLeases*> self_ = std::make_shared<NodeLeases*>(this);
};

}  // namespace kulisse::simulator
