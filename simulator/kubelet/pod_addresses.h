// PodAddresses knows which CIDRs each node has for its pods and which addresses pods use. A pod has
// an address until it ends or goes; no other pod is given it meanwhile, not even by a node that got
// the CIDR of one that is gone. Pods for whom there was none wait, and are named when one is free.
//
// Owns: a pool for each CIDR that a node or a pod uses. Threads: one at a time.
// Limits: as IpPool. Nothing is kept for a pod beyond the bit of its address.
#pragma once

#include <expected>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "simulator/kubelet/ip_pool.h"

namespace kulisse::simulator {

class PodAddresses {
 public:
  using Texts = std::vector<std::string>;
  // An address that was taken, and of which CIDR.
  using Taken = std::vector<std::pair<std::string, std::string>>;

  // `shared`: the CIDRs of nodes that have none, with commas between. `wake` is called with a pod
  // that waited, once it may find an address.
  PodAddresses(std::string_view shared, std::function<void(const std::string& pod)> wake);

  // What the node has; {} when it is gone.
  void SetCidrs(const std::string& node, Texts cidrs);
  // The node's own.
  [[nodiscard]] Texts CidrsOf(const std::string& node) const;
  // Whether pods on the node can be given addresses.
  [[nodiscard]] bool HasCidrs(const std::string& node) const;
  // All nodes, or the addresses of all pods, will be told anew.
  void ForgetNodes();
  void ForgetPods();

  // One address of each of the node's CIDRs: that of `current` in it, otherwise a free one. What
  // was free is added to `taken`, also when there is not enough: the error is the CIDR that is
  // full.
  [[nodiscard]] std::expected<Texts, std::string> Give(const std::string& node,
                                                       const Texts& current, Taken* taken);
  void Return(const Taken& taken);
  // Addresses that a pod on the node uses, or no longer.
  void Mark(const std::string& node, const Texts& addresses);
  void Release(const std::string& node, const Texts& addresses);

  // The pod is named when an address of the CIDR may be free.
  void Wait(const std::string& cidr, const std::string& pod);
  // A pod is gone that may have been named, or waits no longer.
  void StopWaiting(const std::string& pod);

 private:
  struct Pool {
    IpPool addresses;
    int users = 0;  // nodes that have it, or had it when pods were given addresses
  };
  struct Node {
    Texts cidrs;
    Texts former;  // no longer the node's, but pods have addresses of them
  };

  [[nodiscard]] const Texts& ServingCidrs(const Node* node) const;
  IpPool* FindPool(const std::string& cidr);
  // Calls `act` with each pool in which pods of the node may have addresses.
  template <class Act>
  void ForPools(const Node* node, const Act& act);
  [[nodiscard]] Node* FindNode(const std::string& name);
  void AddUser(const std::string& cidr);
  void RemoveUser(const std::string& cidr);
  // Drops what is kept of the node for the sake of pods that are gone now.
  void Settle(const std::string& name, Node& node);
  void Wake(const std::string& cidr);

  Texts shared_;
  std::function<void(const std::string&)> wake_;
  std::map<std::string, Pool, std::less<>> pools_;
  std::unordered_map<std::string, Node> nodes_;
  std::map<std::string, std::set<std::string>> waiting_;  // pods, by CIDR
};

}  // namespace kulisse::simulator
