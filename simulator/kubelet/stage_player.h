// StagePlayer plays the stages of one kind: it watches the kind's objects, asks the Lifecycle which
// stage each goes through next, waits the delay, and does what the stage says. The kind is data;
// what pods and nodes need beyond that comes from a PlayerDelegate.
//
// Objects are read when they are needed. State is kept only for those that wait for a stage: about
// 150 bytes each; a pod that runs and that no stage matches costs nothing.
//
// Differs from KWOK where it does no harm: an object that changed while its stage waited is matched
// anew, and when nothing matches any more the stage does not play.
//
// Owns: its watcher and the pending stages. Borrows: all that it is constructed with.
// Threads: the runtime's loop, construction and destruction included.
// Errors: of a stage are logged; those that may pass (unavailable, too many requests, timeout) are
//   tried again from the failed step on, with growing pauses, until the object changes or goes.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/runtime.h"
#include "openapi/catalog.h"
#include "simulator/client/client.h"
#include "simulator/kubelet/due_heap.h"
#include "simulator/kubelet/event_recorder.h"
#include "simulator/stage/lifecycle.h"

namespace kulisse::simulator {

// What a kind adds. All calls come from the player, on the loop.
class PlayerDelegate {
 public:
  virtual ~PlayerDelegate() = default;

  // The list begins anew: forget what Changed() told.
  virtual void Restarted() {}
  // All objects of the list have been seen; events follow.
  virtual void Listed() {}
  // Every object and event, before the player acts on it. `previous` is the event's.
  virtual void Changed(storage::EventType /*type*/, const storage::Key& /*key*/,
                       const storage::RecordPtr& /*record*/, const storage::Record* /*previous*/) {}
  // Whether stages apply to the object now; asked again before each play.
  virtual bool Plays(const storage::Key& /*key*/, const storage::Record& /*record*/) {
    return true;
  }
  // A stage is about to play on the object: the environment of its templates.
  virtual TemplateEnvironment& BeginPlay(const json::Value& object) = 0;
  virtual void EndPlay(bool succeeded) = 0;
};

class StagePlayer {
 public:
  struct Counters {
    uint64_t plays = 0;
    uint64_t failures = 0;
    uint64_t relists = 0;
  };

  StagePlayer(Runtime& runtime, Client& client, const openapi::ResourceInfo& resource,
              Lifecycle lifecycle, PlayerDelegate& delegate);
  ~StagePlayer();

  // Lists the objects, then follows them.
  void Start();
  // Other stages from now on: all objects are matched anew.
  void SetLifecycle(Lifecycle lifecycle);
  // Matches the object anew, as if it had changed.
  void Recheck(const std::string& ns, const std::string& name);

  [[nodiscard]] const openapi::ResourceInfo& resource() const { return resource_; }
  [[nodiscard]] const Counters& counters() const { return counters_; }
  // Objects that wait for a stage.
  [[nodiscard]] size_t pending() const { return pending_.size(); }

 private:
  // A stage that waits for its time.
  struct Pending : DueElement {
    const std::string* key = nullptr;  // "namespace/name", in pending_
    // Of the object that matched, or as the stage itself has left it before it failed.
    storage::Revision revision;
    uint16_t stage = 0;
    uint16_t action = 0;  // where to go on after a failure
    uint16_t tries = 0;
    storage::RecordPtr matched;  // after a failure: what templates are rendered against
  };

  void PostGuarded(void (StagePlayer::*step)());
  void List();
  void ListSlice();
  void RematchSlice();
  void ReadEvents();
  void HandleEvent(const storage::Event& event);
  void Handle(const storage::Key& key, const storage::RecordPtr& record);
  [[nodiscard]] json::Document Decode(const storage::Record& record) const;

  void Schedule(const std::string& key, Duration delay, Pending pending);
  void Cancel(const std::string& key);
  void Arm();
  void PlayDue();
  void PlayPending(Pending pending, const std::string& key);

  // Plays the stage from an action on. `matched` is the object that the stage matched.
  void Play(const storage::Key& key, const storage::RecordPtr& matched, const json::Value& object,
            Pending pending);
  Result<void> Perform(const StageAction& action, const storage::Key& key,
                       const json::Value& object, TemplateEnvironment& environment,
                       storage::RecordPtr* written);
  Result<void> PerformPatch(const PatchAction& action, const storage::Key& key,
                            const json::Value& object, TemplateEnvironment& environment,
                            storage::RecordPtr* written);
  Result<void> PerformApply(const ApplyAction& action, const json::Value& object,
                            TemplateEnvironment& environment);
  Result<void> PerformFinalizers(const FinalizersAction& action, const storage::Key& key,
                                 storage::RecordPtr* written);
  void Failed(const storage::Key& key, const Status& status, Pending pending);

  Runtime& runtime_;
  Client& client_;
  const openapi::ResourceInfo& resource_;
  Lifecycle lifecycle_;
  PlayerDelegate& delegate_;
  EventRecorder events_;

  // While the list is read, or all objects are matched anew.
  storage::SnapshotPtr snapshot_;
  std::unique_ptr<storage::Snapshot::Cursor> cursor_;

  std::unique_ptr<storage::Watcher> watcher_;
  std::unordered_map<std::string, Pending> pending_;
  DueHeap<Pending> due_;
  TimerId timer_ = 0;
  MonotonicTime timer_due_;
  Counters counters_;
  // Callbacks that were posted hold it weakly, and do nothing once the player is gone.
  std::shared_ptr<StagePlayer*> self_;
};

}  // namespace kulisse::simulator
