// Store keeps all objects of the cluster: one revision counter, one commit path, consistent lists,
// and watches as cursors on the history of commits (architecture.md section 3; ADRs 5, 6, 12).
//
// A commit computes its new state outside any lock, then under one short lock checks that nobody
// changed the object meanwhile, takes the next revision, puts the record among the pending ones and
// queues it for the engine. A writer thread drains the queue into one batch; when the batch is
// written (buffered) or fsynced (sync) the revisions in it are *durable*: only then do watchers see
// their events, and the edge lets answers go (WhenDurable).
// Readers see commits at once: pending records lie over the engine's.
//
// Owns: the engine, the writer thread, the history. Borrows: Runtime, which must outlive it.
// Threads: every method from any thread, but for the loop's own rules of Watcher and Snapshot.
//   Nothing here waits for the disk but Open(), Close(), Get() and Scan() of records not in memory,
//   and Read() of a watcher that fell behind;
//   a writer waits when kPendingCommitsMax commits are queued.
// Errors: an engine that fails to write ends the process: what was acknowledged must not be lost.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "base/runtime.h"
#include "storage/event.h"
#include "storage/key.h"
#include "storage/record.h"
#include "storage/revision.h"

namespace kulisse::storage {

enum class Durability : uint8_t {
  kBuffered,  // write-ahead log without fsync: survives a killed process
  kSync,      // fsync in groups: survives power loss
  kMemory,    // nothing on disk
};
[[nodiscard]] std::optional<Durability> ParseDurability(std::string_view text);

struct StoreOptions {
  std::string directory;  // unused with kMemory
  Durability durability = Durability::kBuffered;
  size_t history_ring_bytes_max = kHistoryRingBytesMax;
  size_t history_log_bytes_max = kHistoryLogBytesMax;
  Duration history_log_age_max = kHistoryLogAgeMax;
  Duration snapshot_age_max = kSnapshotAgeMax;
};

// Why a read of the past or the future cannot be had.
struct StoreError {
  enum class Kind : uint8_t {
    kCompacted,  // older than what is kept
    kFuture,     // newer than any commit
  };
  Kind kind;
  Revision asked;
  Revision bound;  // the oldest kept, or the newest there is
};

// What a write wants done, computed from the current state.
struct Change {
  enum class Kind : uint8_t { kNone, kPut, kDelete };
  Kind kind = Kind::kNone;
  // For kPut: the new state. For kDelete: the last state to show in the event, or nothing for the
  // current one. Its views must stay valid until the call that asked for the change returns.
  std::optional<RecordContent> content;
};

struct Committed {
  RecordPtr record;   // the state after; the last state after a delete
  Revision revision;  // of the commit; of the unchanged record with kNone
  bool changed = false;
};

// Snapshot is the state of all objects at one revision.
// Threads: any, each Cursor one at a time. Keep it only as long as it is needed: it pins old
// versions in the engine.
class Snapshot {
 public:
  // Cursor walks objects in key order.
  class Cursor {
   public:
    virtual ~Cursor() = default;
    // The next object, or null at the end. `key` is EncodeKey()'s form, valid until the next call.
    virtual RecordPtr Next() = 0;
    [[nodiscard]] virtual std::string_view key() const = 0;
  };

  virtual ~Snapshot() = default;
  [[nodiscard]] virtual Revision revision() const = 0;
  // Objects of the resource (in the namespace, unless "") whose encoded key is greater than
  // `after` ("" for all).
  [[nodiscard]] virtual std::unique_ptr<Cursor> Scan(std::string_view resource, std::string_view ns,
                                                     std::string_view after) const = 0;
  [[nodiscard]] virtual RecordPtr Get(const Key& key) const = 0;
  // Number of objects; constant time for the latest state, a scan otherwise.
  [[nodiscard]] virtual uint64_t Count(std::string_view resource, std::string_view ns) const = 0;
};
using SnapshotPtr = std::shared_ptr<const Snapshot>;

// Watcher is a cursor on the history of one resource (and namespace, unless "").
// Guarantees: events come in revision order, each once, none is left out; reading on from a
// revision gives the same events as having stayed.
// Threads: one at a time, but the waker, which is called on the store's writer thread.
class Watcher {
 public:
  virtual ~Watcher() = default;
  // The next events, at most kWatchBatchEventsMax; empty when there is none yet. kCompacted when
  // the cursor has left the history.
  [[nodiscard]] virtual std::expected<std::vector<EventPtr>, StoreError> Read() = 0;
  // All events up to here have been read: where to resume, and what bookmarks say.
  [[nodiscard]] virtual Revision position() const = 0;
  // Called once after each Read() that came back empty, when there is something new. Must only
  // post. Not called any more once the watcher is destroyed.
  virtual void SetWaker(std::function<void()> waker) = 0;
};

class Store {
 public:
  // Opens or creates. Errors are for a person to read: directory in use, foreign or corrupt
  // (and then left as it was).
  static std::expected<std::unique_ptr<Store>, std::string> Open(const StoreOptions& options,
                                                                 Runtime& runtime);
  virtual ~Store() = default;

  // The object as of now, or null.
  [[nodiscard]] virtual RecordPtr Get(const Key& key) const = 0;

  // Reads the object (null when absent), asks `change` what to do, and commits if nobody wrote
  // meanwhile, else tries again, at most kUpdateRetriesMax times (then 409 Conflict). A kPut that
  // equals the current record is kNone. `change` must be pure: it may run several times. An error
  // that it returns is returned, and nothing is written. kDelete of an absent object is a bug.
  [[nodiscard]] virtual Result<Committed> GuaranteedUpdate(
      const Key& key, const std::function<Result<Change>(const RecordPtr& current)>& change) = 0;

  // The latest state. Cheap.
  [[nodiscard]] virtual SnapshotPtr Latest() const = 0;
  // The state of one resource at a revision: the latest one, one that Pin() kept, or one that the
  // log of the last minutes leads back to, which reads the resource's newer events. kFuture also
  // for a revision that is neither the newest nor durable yet.
  [[nodiscard]] virtual std::expected<SnapshotPtr, StoreError> At(std::string_view resource,
                                                                  Revision revision) const = 0;
  // Keeps the snapshot for At() of this resource until it has not been asked for during
  // snapshot_age_max, or kSnapshotsMax newer ones are pinned.
  virtual void Pin(std::string_view resource, SnapshotPtr snapshot) = 0;

  // A cursor that stands after `from`. kCompacted when events after `from` are gone already.
  // A revision of the future waits for it silently.
  [[nodiscard]] virtual std::expected<std::unique_ptr<Watcher>, StoreError> Watch(
      std::string_view resource, std::string_view ns, Revision from) = 0;

  // The newest commit, and the newest that has reached the engine as the durability asks.
  [[nodiscard]] virtual Revision head() const = 0;
  [[nodiscard]] virtual Revision durable() const = 0;
  // Calls back when durable() >= revision: at once in the caller, or later on the writer thread.
  virtual void WhenDurable(Revision revision, Callback callback) = 0;

  // Number of objects of the resource now; for metrics.
  [[nodiscard]] virtual uint64_t Count(std::string_view resource) const = 0;

  // Writes what is pending, in whatever mode, and closes the engine. The destructor does it too.
  // REQUIRES: nobody reads or writes any more, snapshots and their cursors are gone. Watchers may
  // still be destroyed afterwards, but not read.
  virtual void Close() = 0;
};

}  // namespace kulisse::storage
