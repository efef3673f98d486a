// EventLog is the second tier of the history: the events of the last minutes as rows of the engine,
// for watchers that fell behind, and for those that come back after a restart.
//
// A row is keyed by resource and revision, so that a watcher of a rare kind does not wade through
// pods. What is too old or too much goes in segments, a segment at a time, and the revision up to
// which a resource has lost events is its *floor*.
//
// Rows say also what was before, for lists of the past (past.h): an object that was written a
// moment ago is in a row that goes at most two segments before this one, and is referred to; an
// older state is kept in the row.
//
// Borrows: the engine and the codec.
// Threads: Open(), Append() and Trim() by the store's writer alone; the rest from any thread.
// Errors: EndProcess() when the engine cannot be read.
// Limits: EventLogOptions; one segment more than that may be there until it is sealed.
#pragma once

#include <cstdint>
#include <deque>
#include <expected>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "storage/commit.h"
#include "storage/engine.h"
#include "storage/value_codec.h"

namespace kulisse::storage {

struct EventLogOptions {
  size_t bytes_max = 0;
  Duration age_max{};
};

// The row of Space::kMeta that keeps the floor of a resource.
inline constexpr std::string_view kFloorPrefix = "floor/";

class EventLog {
 public:
  EventLog(const EventLogOptions& options, const Engine& engine, ValueCodec& codec);

  // Takes over what an earlier process left: all of it is one segment, written now.
  [[nodiscard]] std::expected<void, EngineError> Open(Revision head, MonotonicTime now);

  // Adds the row of the commit to `batch`; `object` is the value of its event's object.
  void Append(const Commit& commit, std::string_view object, MonotonicTime now, Batch* batch);
  // Adds to `batch` what removes the segments over the limits. Floors rise at once, before the
  // rows go: a reader that sees the old floor after it opened its cursor has all rows.
  void Trim(MonotonicTime now, Batch* batch);

  // Events of the resource up to here are gone.
  [[nodiscard]] Revision Floor(std::string_view resource) const;

  struct ReadRange {
    Revision after;
    Revision up_to;
    size_t events_max = 0;
  };
  struct ReadResult {
    std::vector<EventPtr> events;
    Revision reached;  // all events up to here are in `events`
  };
  // Events in the namespace (unless ""); the floor when that has passed range.after.
  [[nodiscard]] std::expected<ReadResult, Revision> Read(std::string_view resource,
                                                         std::string_view ns,
                                                         const ReadRange& range) const;

 private:
  struct Segment {
    MonotonicTime newest{};
    Revision first{};  // of its rows
    size_t bytes = 0;
    std::map<std::string, Revision, std::less<>> last{};  // of each resource in it
  };

  // The segment that a row of this revision goes into.
  Segment& Grow(Revision revision, MonotonicTime now);
  [[nodiscard]] bool CanReferTo(Revision before, MonotonicTime now) const;
  void DropOldest(Batch* batch);

  const EventLogOptions options_;
  const Engine& engine_;
  ValueCodec& codec_;

  // Writer only.
  std::deque<Segment> segments_;  // the last one grows
  MonotonicTime segment_start_{};
  size_t bytes_ = 0;

  mutable std::mutex floors_mutex_;
  std::map<std::string, Revision, std::less<>> floors_;
};

}  // namespace kulisse::storage
