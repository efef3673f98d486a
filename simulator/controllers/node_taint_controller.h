// NodeTaintController keeps the NoSchedule taints of nodes in step with their conditions: a new
// node is tainted as not ready by admission, and freed here once it reports Ready. It is that part
// of kube-controller-manager's node-lifecycle controller.
//
// Borrows: client and runtime, which must outlive it.
// Threads: the runtime's loop; construction and destruction while it does not run, or on it.
// Errors: logged; the node is tried again a second later.
#pragma once

#include <memory>
#include <string>

#include "simulator/client/client.h"
#include "simulator/client/informer.h"

namespace kulisse::simulator {

class NodeTaintController {
 public:
  NodeTaintController(Client& client, Runtime& runtime);
  NodeTaintController(const NodeTaintController&) = delete;
  NodeTaintController& operator=(const NodeTaintController&) = delete;

  // Has the loop begin, with the nodes there are.
  void Start() { informer_.Start(); }

 private:
  void Reconcile(const std::string& name, const storage::Record& record);

  Client& client_;
  Runtime& runtime_;
  const openapi::ResourceInfo& nodes_;
  Informer informer_;
  std::shared_ptr<NodeTaintController*> self_ = std::make_shared<NodeTaintController*>(this);
};

}  // namespace kulisse::simulator
