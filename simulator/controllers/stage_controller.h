// StageController has Stage objects of the API take effect: each is compiled when it comes or
// changes and given to the Kubelet, and its condition "Accepted" says whether it is any good.
//
// Borrows: client, runtime and kubelet, which must outlive it. Threads: the runtime's loop.
// Errors: of stages go into their conditions; a condition that cannot be written is logged.
#pragma once

#include <map>
#include <string>

#include "simulator/client/client.h"
#include "simulator/client/informer.h"
#include "simulator/kubelet/kubelet.h"

namespace kulisse::simulator {

class StageController {
 public:
  StageController(Client& client, Runtime& runtime, Kubelet& kubelet);

  // Has the loop begin, with the stages there are.
  void Start() { informer_.Start(); }

 private:
  void Changed(const std::string& name, const storage::RecordPtr& record);
  void WriteCondition(const std::string& name, int64_t generation, const std::string& error);

  Client& client_;
  Runtime& runtime_;
  Kubelet& kubelet_;
  const openapi::ResourceInfo& stages_;
  // What was compiled: uid and generation, by name.
  std::map<std::string, std::string> seen_;
  Informer informer_;
};

}  // namespace kulisse::simulator
