// NodeFactory makes the nodes that a cluster begins with: those of `--nodes N`, node-0 to
// node-(N-1), and of the groups of `--nodes-file`; with the labels and annotations that
// `kwokctl scale node` gives, and what their group says.
//
// Borrows: client and cidrs. Threads: what is planned takes blocks of `cidrs`, whose other users
// must stand still meanwhile; Create() may run beside them.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "simulator/client/client.h"
#include "simulator/kubelet/node_cidrs.h"
#include "simulator/kubelet/node_groups.h"

namespace kulisse::simulator {

class NodeFactory {
 public:
  NodeFactory(Client& client, NodeCidrs& cidrs);

  struct Planned {
    const NodeGroup* group;
    size_t index;    // in the group
    size_t address;  // its number among all nodes
    std::string pod_cidr;
  };
  // Those of the groups' nodes that are not there; the others stay as they are. Borrows the groups.
  [[nodiscard]] std::vector<Planned> PlanMissing(std::span<const NodeGroup> groups);
  static Result<void> Create(Client& client, std::span<const Planned> plan);

  // The object of one node. `index` is its number in the group, `address` that among all nodes.
  [[nodiscard]] static json::Document MakeNode(const NodeGroup& group, size_t index, size_t address,
                                               const std::string& pod_cidr);

 private:
  Client& client_;
  NodeCidrs& cidrs_;
};

}  // namespace kulisse::simulator
