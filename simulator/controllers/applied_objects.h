// AppliedObjects has the objects of one kind of kwok.x-k8s.io take effect: each is given to whoever
// applies it when it comes, changes or goes, and its condition "Accepted" says whether it is any
// good.
//
// Borrows: client and runtime, which must outlive it. Threads: the runtime's loop.
// Errors: of objects go into their conditions; a condition that cannot be written is logged.
#pragma once

#include <expected>
#include <functional>
#include <map>
#include <string>

#include "simulator/client/client.h"
#include "simulator/client/informer.h"

namespace kulisse::simulator {

class AppliedObjects {
 public:
  // Takes an object as it is now, or null when it is gone; returns what is wrong with it.
  using Apply = std::function<std::expected<void, std::string>(const apiserver::ObjectName& name,
                                                               const json::Value* object)>;

  // `resource`: "stages".
  AppliedObjects(Client& client, Runtime& runtime, std::string_view resource, Apply apply);

  // Has the loop begin, with the objects there are.
  void Start() { informer_.Start(); }

 private:
  void Changed(const apiserver::ObjectName& name, const storage::RecordPtr& record);
  void WriteCondition(const apiserver::ObjectName& name, int64_t generation,
                      const std::string& error);

  Client& client_;
  Runtime& runtime_;
  const openapi::ResourceInfo& resource_;
  const Apply apply_;
  // What was applied: uid and generation, by "namespace/name".
  std::map<std::string, std::string> seen_;
  Informer informer_;
};

}  // namespace kulisse::simulator
