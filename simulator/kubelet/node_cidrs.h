// NodeCidrs gives each node a /24 for its pods, so that all pods of the cluster have addresses of
// their own. Blocks come from 10.244.0.0 on, as kubeadm clusters have them; when these are used up,
// from the rest of 10.0.0.0/8 without the services' 10.96.0.0/12; then from 11.0.0.0/8.
//
// Threads: one at a time. Limits: kNodeCidrsMax blocks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kulisse::simulator {

class NodeCidrs {
 public:
  static constexpr size_t kNodeCidrsMax = 256 * (12 + 96 + 132 + 256);

  // A block that no node has; nothing when there is none left.
  [[nodiscard]] std::optional<std::string> Take();
  // A node has this block, or no longer. CIDRs of other kinds are passed over.
  void MarkUsed(std::string_view cidr);
  void Release(std::string_view cidr);

  [[nodiscard]] static std::string Block(size_t index);
  [[nodiscard]] static std::optional<size_t> IndexOf(std::string_view cidr);

 private:
  std::vector<bool> used_;
  size_t next_ = 0;
};

}  // namespace kulisse::simulator
