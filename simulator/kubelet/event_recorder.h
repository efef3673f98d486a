// EventRecorder writes Events about objects. One that is like an earlier one (object, type, reason,
// message) is counted in it: its count and last time change. Upstream: client-go tools/record; its
// aggregation of different messages and its spam filter are not here.
//
// Owns: what it remembers of recent events. Borrows: client and runtime, which must outlive it.
// Threads: one at a time. Limits: kEventsRememberedMax events; older ones are made anew.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>

#include "base/runtime.h"
#include "simulator/client/client.h"
#include "simulator/stage/stage.h"

namespace kulisse::simulator {

class EventRecorder {
 public:
  EventRecorder(Client& client, Runtime& runtime);

  // `object` is of the resource, and has its metadata.
  Result<void> Record(const openapi::ResourceInfo& resource, const storage::Key& key,
                      const json::Value& object, const EventAction& action);

 private:
  // Whether the event that is remembered was there to be counted.
  Result<bool> CountAgain(const apiserver::ObjectName& name);
  Result<std::string> Create(const openapi::ResourceInfo& resource, const storage::Key& key,
                             const json::Value& object, const EventAction& action,
                             const std::string& ns);

  Client& client_;
  Runtime& runtime_;
  const openapi::ResourceInfo& events_;
  std::unordered_map<std::string, apiserver::ObjectName> known_;  // by what makes events alike
  std::deque<std::string> order_;                                 // of known_, oldest first
};

}  // namespace kulisse::simulator
