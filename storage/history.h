// History is the first tier of the past: the newest durable events in memory, and the watchers that
// wait for more. A watch is a cursor on it; there is no queue per watcher.
//
// Each resource has its own queue, all share one budget of bytes, and the oldest event of all goes
// first. What a cursor no longer finds here is in the EventLog.
//
// Owns: its events; those handed out stay valid. Shares: cursors with their watchers.
// Threads: Publish() by the store's writer alone; the rest from any thread.
// Errors: none. Limits: the budget given.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "storage/event.h"

namespace kulisse::storage {

class History {
 public:
  // A watcher's place.
  class Cursor;
  using CursorPtr = std::shared_ptr<Cursor>;

  // Events up to `head` are not here.
  History(size_t bytes_max, Revision head);

  // Adds the events and makes them visible, then calls the wakers of cursors that waited for them.
  // REQUIRES: revisions grow, and are at most `published`.
  void Publish(std::span<const EventPtr> events, Revision published);
  // All events up to here are here or in the log.
  [[nodiscard]] Revision published() const;

  [[nodiscard]] CursorPtr Open(std::string_view resource, std::string_view ns, Revision after);
  // Ends waiting; the waker is not called once this has returned.
  void Close(const CursorPtr& cursor);
  void SetWaker(const CursorPtr& cursor, std::function<void()> waker);
  [[nodiscard]] Revision Position(const CursorPtr& cursor) const;

  struct ReadResult {
    std::vector<EventPtr> events;
    // The cursor stands before what is here: read (position, published] from the log and go on
    // with MoveTo().
    bool behind = false;
    Revision position;
    Revision published;
  };
  // Moves the cursor over the next events. When there are none it waits from now on: the next one
  // calls its waker.
  [[nodiscard]] ReadResult Read(const CursorPtr& cursor, size_t events_max);
  void MoveTo(const CursorPtr& cursor, Revision position);

 private:
  struct Channel {
    std::deque<EventPtr> events;
    Revision floor;  // events up to here are not in `events`
    // Cursors that wait, by namespace.
    std::unordered_map<std::string, std::vector<CursorPtr>> waiting;
  };

  Channel& ChannelLocked(std::string_view resource);
  void WakeLocked(Channel* channel, const std::string& ns, Revision before,
                  std::vector<CursorPtr>* woken);
  void StopWaitingLocked(const CursorPtr& cursor);
  void EvictLocked();

  const size_t bytes_max_;
  const Revision head_at_start_;

  mutable std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Channel>, std::less<>> channels_;
  std::deque<Channel*> order_;  // the channel of each event, oldest first
  size_t bytes_ = 0;
  Revision published_;
};

}  // namespace kulisse::storage
