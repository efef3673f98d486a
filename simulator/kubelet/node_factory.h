// NodeFactory makes the nodes of `--nodes N`: node-0 to node-(N-1), with the labels, annotations
// and capacity that `kwokctl scale node` gives, zones in turn, and no taint.
//
// Borrows: client and cidrs. Threads: the runtime's loop, or any while it stands still.
#pragma once

#include <cstddef>
#include <string>

#include "simulator/client/client.h"
#include "simulator/kubelet/node_cidrs.h"

namespace kulisse::simulator {

class NodeFactory {
 public:
  NodeFactory(Client& client, NodeCidrs& cidrs);

  // Makes those of the first `count` nodes that are not there; the others stay as they are. Returns
  // how many were made.
  Result<size_t> CreateMissing(size_t count);

  // The object of one node. `index` gives its zone and addresses.
  [[nodiscard]] static json::Document MakeNode(size_t index, const std::string& pod_cidr);

 private:
  Client& client_;
  NodeCidrs& cidrs_;
};

}  // namespace kulisse::simulator
