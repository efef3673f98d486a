// LocalStore is the Store over an engine that only this process writes.
//
// Locks, none of which is taken while another is held:
//   commit_mutex_   head, overlay, queue, counters: the commit path, microseconds
//   durable_mutex_  who waits for which revision
//   drain_mutex_    kMemory only: who writes the queue; held around the other two
// (History and EventLog have their own.)
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "storage/commit_writer.h"
#include "storage/object_counts.h"
#include "storage/snapshot.h"
#include "storage/store.h"

namespace kulisse::storage {

class LocalStore final : public Store {
 public:
  // Takes over what the engine holds.
  static std::expected<std::unique_ptr<LocalStore>, std::string> Open(
      std::unique_ptr<Engine> engine, const StoreOptions& options, Runtime& runtime);
  ~LocalStore() override;
  LocalStore(const LocalStore&) = delete;
  LocalStore& operator=(const LocalStore&) = delete;

  [[nodiscard]] RecordPtr Get(const Key& key) const override;
  [[nodiscard]] Result<Committed> GuaranteedUpdate(
      const Key& key,
      const std::function<Result<Change>(const RecordPtr& current)>& change) override;
  [[nodiscard]] SnapshotPtr Latest() const override;
  [[nodiscard]] std::expected<SnapshotPtr, StoreError> At(std::string_view resource,
                                                          Revision revision) const override;
  void Pin(std::string_view resource, SnapshotPtr snapshot) override;
  [[nodiscard]] std::expected<std::unique_ptr<Watcher>, StoreError> Watch(std::string_view resource,
                                                                          std::string_view ns,
                                                                          Revision from) override;
  [[nodiscard]] Revision head() const override { return {head_.load()}; }
  [[nodiscard]] Revision durable() const override { return {durable_.load()}; }
  void WhenDurable(Revision revision, Callback callback) override;
  [[nodiscard]] uint64_t Count(std::string_view resource) const override;
  void Close() override;

 private:
  // What the engine remembers of an earlier process.
  struct Restored {
    Revision head;
    ObjectCounts counts;
    std::vector<Dictionary> dictionaries;
  };
  // An object as a writer saw it.
  struct Observed {
    Revision head;  // the object has no commit between its record and this
    RecordPtr record;
  };
  // A commit that lacks only its revision.
  struct Proposal {
    std::shared_ptr<Commit> commit;
    std::shared_ptr<Event> event;
    std::shared_ptr<Record> record;  // null when the object is deleted
  };

  LocalStore(std::unique_ptr<Engine> engine, const StoreOptions& options, Runtime& runtime,
             const Restored& restored);
  static std::expected<Restored, std::string> Restore(Engine& engine);
  static Proposal Propose(const Key& key, const std::string& encoded_key, const Change& change,
                          const RecordPtr& current);

  [[nodiscard]] Observed Read(const std::string& encoded_key) const;
  // Nothing when the object was written after `observed`.
  [[nodiscard]] std::optional<Revision> TryCommit(const Proposal& proposal, Revision observed);
  void CountLocked(Commit* commit);

  void RunWriter();
  void Drain();
  [[nodiscard]] std::vector<CommitPtr> TakeQueuedLocked();
  // Returns the callbacks that are due.
  [[nodiscard]] std::vector<Callback> WriteOut(const std::vector<CommitPtr>& commits);
  [[nodiscard]] std::vector<Callback> SetDurable(Revision revision);

  const bool writes_inline_;  // kMemory: the committing thread is the writer
  const std::unique_ptr<Engine> engine_;
  ValueCodec codec_;
  DictionaryTrainer trainer_;
  EventLog log_;
  const std::shared_ptr<History> history_;  // shared with watchers
  mutable PinnedSnapshots pins_;
  CommitWriter writer_;

  mutable std::mutex commit_mutex_;
  std::condition_variable queued_;  // the writer waits for commits
  std::condition_variable space_;   // committers wait for the writer
  std::atomic<uint64_t> head_;
  // The newest commit of each key that may not be in the engine yet.
  std::unordered_map<std::string_view, CommitPtr> overlay_;
  // The last commit to any key of a slot (keys share slots by hash): tells a writer whether the
  // object that it read is still the newest, without a look at the engine. Sharing costs a retry.
  std::vector<uint64_t> last_commits_;
  std::deque<CommitPtr> queue_;
  size_t pending_commits_ = 0, pending_bytes_ = 0;  // queued or being written
  mutable ObjectCounts counts_;
  mutable std::weak_ptr<const Snapshot> latest_;
  bool closing_ = false;

  std::mutex drain_mutex_;

  std::mutex durable_mutex_;
  std::atomic<uint64_t> durable_;
  std::multimap<uint64_t, Callback> waiting_;

  bool closed_ = false;
  std::thread writer_thread_;  // last: starts when the rest is there
};

}  // namespace kulisse::storage
