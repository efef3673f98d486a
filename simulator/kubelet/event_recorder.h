// EventRecorder writes Events about objects: new ones, or what the EventCorrelator counts in one
// that is there.
//
// Owns: the correlator. Borrows: client and runtime, which must outlive it. Threads: one at a time.
#pragma once

#include <cstdint>
#include <string>

#include "base/runtime.h"
#include "simulator/client/client.h"
#include "simulator/kubelet/event_correlator.h"
#include "simulator/stage/stage.h"

namespace kulisse::simulator {

class EventRecorder {
 public:
  EventRecorder(Client& client, Runtime& runtime);

  // `object` is of the resource, and has its metadata.
  Result<void> Record(const openapi::ResourceInfo& resource, const storage::Key& key,
                      const json::Value& object, const EventAction& action);

 private:
  // Whether the event was there to be counted.
  Result<bool> CountAgain(const std::string& ns, const EventCorrelator::Event& event);
  Result<void> Create(const openapi::ResourceInfo& resource, const storage::Key& key,
                      const json::Value& object, const EventAction& action,
                      const EventCorrelator::Event& event);

  Client& client_;
  Runtime& runtime_;
  const openapi::ResourceInfo& events_;
  EventCorrelator correlator_;
};

}  // namespace kulisse::simulator
