// LocalSnapshot is the state at one revision: the engine's, and over it what differs: the commits
// that the engine did not have when the snapshot was taken (PendingOverlay), or what takes it back
// to the past (past.h). PinnedSnapshots keeps those that paged lists go on with.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/runtime.h"
#include "storage/commit.h"
#include "storage/engine.h"
#include "storage/object_counts.h"
#include "storage/store.h"
#include "storage/value_codec.h"

namespace kulisse::storage {

// Overlay is the state of some objects, in the order of their keys. Immutable. Threads: any.
class Overlay {
 public:
  virtual ~Overlay() = default;
  [[nodiscard]] virtual size_t size() const = 0;
  [[nodiscard]] virtual std::string_view key(size_t index) const = 0;
  // Null when the object is not there.
  [[nodiscard]] virtual RecordPtr state(size_t index) const = 0;

  // The first that is not less than the key.
  [[nodiscard]] size_t LowerBound(std::string_view key) const;
};

class PendingOverlay final : public Overlay {
 public:
  // At most one commit for each key, in any order.
  explicit PendingOverlay(std::vector<CommitPtr> commits);
  [[nodiscard]] size_t size() const override { return commits_.size(); }
  [[nodiscard]] std::string_view key(size_t index) const override {
    return commits_[index]->encoded_key;
  }
  [[nodiscard]] RecordPtr state(size_t index) const override { return commits_[index]->state(); }

 private:
  std::vector<CommitPtr> commits_;
};

// The record of an engine's value; ends the process when it is damaged.
[[nodiscard]] RecordPtr DecodeOrEnd(const ValueCodec& codec, std::string_view value);

// Shares: the engine's snapshot. Borrows: the codec. Threads: any.
// Errors: EndProcess() when the engine cannot be read.
class LocalSnapshot final : public Snapshot {
 public:
  LocalSnapshot(Revision revision, std::shared_ptr<const EngineSnapshot> engine,
                std::shared_ptr<const Overlay> overlay, ObjectCounts counts,
                const ValueCodec& codec);

  [[nodiscard]] Revision revision() const override { return revision_; }
  [[nodiscard]] std::unique_ptr<Cursor> Scan(std::string_view resource, std::string_view ns,
                                             std::string_view after) const override;
  [[nodiscard]] RecordPtr Get(const Key& key) const override;
  [[nodiscard]] uint64_t Count(std::string_view resource, std::string_view ns) const override;

 private:
  const Revision revision_;
  const std::shared_ptr<const EngineSnapshot> engine_;
  const std::shared_ptr<const Overlay> overlay_;  // shared with cursors, which may outlive this
  const ObjectCounts counts_;
  const ValueCodec& codec_;
};

// Borrows: the runtime, which must outlive it. Threads: any.
// Limits: kSnapshotsMax; a snapshot goes when nobody asked for it during age_max.
class PinnedSnapshots {
 public:
  PinnedSnapshots(Duration age_max, Runtime& runtime);
  ~PinnedSnapshots();
  PinnedSnapshots(const PinnedSnapshots&) = delete;
  PinnedSnapshots& operator=(const PinnedSnapshots&) = delete;

  void Pin(std::string_view resource, SnapshotPtr snapshot);
  // Null when it is not kept (any more).
  [[nodiscard]] SnapshotPtr Find(std::string_view resource, Revision revision);
  void Clear();

 private:
  struct State;
  static void Expire(const std::shared_ptr<State>& state);

  const std::shared_ptr<State> state_;  // shared with the timer's callback
};

}  // namespace kulisse::storage
