// NodeGroup is one line of a file that says which nodes a cluster begins with (--nodes-file):
//
//   nodes:
//   - {name: small, count: 50, zones: [a, b], type: m5.large, capacity: {cpu: 4, memory: 16Gi}}
//   - {name: gpu, count: 4, capacity: {cpu: 64, nvidia.com/gpu: 8}, taints: [{key: gpu, effect:
//   NoSchedule}]}
//
// Threads: values. Errors: name file and field: `f.yaml: nodes[1].capacity.cpu: is no quantity`.
// Limits: kSimulatedNodesMax nodes in all.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kulisse::simulator {

struct NodeTaint {
  std::string key;
  std::string value;
  std::string effect;
};

struct NodeGroup {
  using Texts = std::vector<std::pair<std::string, std::string>>;

  std::string name = "node";  // nodes are NAME-0, NAME-1 …
  size_t count = 0;
  std::vector<std::string> zones = {"zone-0", "zone-1", "zone-2"};  // in turn; may be empty
  std::string region = {};                                          // "": none
  std::string type = {};  // node.kubernetes.io/instance-type; "": none
  Texts capacity = {{"cpu", "32"}, {"memory", "256Gi"}, {"pods", "110"}};
  Texts allocatable = {};  // what is not here is as the capacity
  Texts labels = {};
  Texts annotations = {};
  std::vector<NodeTaint> taints = {};
};

// What is not said of a group is as above; of the capacity, each resource for itself.
[[nodiscard]] std::expected<std::vector<NodeGroup>, std::string> ParseNodeGroups(
    std::string_view file_name, std::string_view text);

}  // namespace kulisse::simulator
