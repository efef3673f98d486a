// What a kubelet asks before it takes a pod: is there room, does the node suit it, is a host port
// taken. Upstream: pkg/kubelet/lifecycle/predicate.go, pkg/kubelet/eviction (Admit).
//
// Differs: a critical pod for which there is no room is refused; a kubelet first evicts others.
// Threads: pure functions, but for NodeUse, which is one thread's.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "base/json/value.h"

namespace kulisse::simulator {

// Address ("" for all), protocol, port.
using HostPort = std::tuple<std::string, std::string, int64_t>;

// What one pod takes of its node: amounts by resource (cpu in thousandths), and ports.
struct PodDemand {
  std::vector<std::pair<std::string, int64_t>> amounts;
  std::vector<HostPort> ports;
};
[[nodiscard]] PodDemand DemandOf(const json::Value& pod);

// The pods that a node has taken, and what they take together.
class NodeUse {
 public:
  void Add(const std::string& pod, PodDemand demand);
  void Remove(const std::string& pod);
  [[nodiscard]] bool Has(const std::string& pod) const { return pods_.contains(pod); }
  [[nodiscard]] size_t count() const { return pods_.size(); }
  [[nodiscard]] int64_t Used(std::string_view resource) const;
  [[nodiscard]] bool Conflicts(const HostPort& port) const;
  [[nodiscard]] std::vector<std::string> Pods() const;

 private:
  std::unordered_map<std::string, PodDemand> pods_;
  std::map<std::string, int64_t, std::less<>> used_;
  std::multiset<HostPort> ports_;
};

// Why a pod is not taken, as status and event say it.
struct PodRejection {
  std::string reason;
  std::string message;
};
[[nodiscard]] std::optional<PodRejection> Reject(const json::Value& pod, const json::Value& node,
                                                 const NodeUse& use);

// Static pods and those of the highest priorities are not evicted, and taken under pressure.
[[nodiscard]] bool IsCriticalPod(const json::Value& pod);
// MemoryPressure, DiskPressure and PIDPressure, those that the node has.
[[nodiscard]] std::vector<std::string> PressuresOf(const json::Value& node);

}  // namespace kulisse::simulator
