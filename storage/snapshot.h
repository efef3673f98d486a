// LocalSnapshot is the state at one revision: the engine's, and over it the commits that the engine
// did not have when the snapshot was taken. PinnedSnapshots keeps those that paged lists go on
// with.
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

// Shares: the engine's snapshot. Borrows: the codec. Threads: any.
// Errors: EndProcess() when the engine cannot be read.
class LocalSnapshot final : public Snapshot {
 public:
  // `overlay` has at most one commit for each key, in any order.
  LocalSnapshot(Revision revision, std::shared_ptr<const EngineSnapshot> engine,
                std::vector<CommitPtr> overlay, ObjectCounts counts, const ValueCodec& codec);

  [[nodiscard]] Revision revision() const override { return revision_; }
  [[nodiscard]] std::unique_ptr<Cursor> Scan(std::string_view resource, std::string_view ns,
                                             std::string_view after) const override;
  [[nodiscard]] RecordPtr Get(const Key& key) const override;
  [[nodiscard]] uint64_t Count(std::string_view resource, std::string_view ns) const override;

  // Shared with cursors, which may outlive the snapshot.
  using Overlay = std::vector<CommitPtr>;  // ordered by key

 private:
  const Revision revision_;
  const std::shared_ptr<const EngineSnapshot> engine_;
  const std::shared_ptr<const Overlay> overlay_;
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

  void Pin(SnapshotPtr snapshot);
  // Null when it is not kept (any more).
  [[nodiscard]] SnapshotPtr Find(Revision revision);
  // The oldest that is kept, or `otherwise`.
  [[nodiscard]] Revision Oldest(Revision otherwise) const;
  void Clear();

 private:
  struct State;
  static void Expire(const std::shared_ptr<State>& state);

  const std::shared_ptr<State> state_;  // shared with the timer's callback
};

}  // namespace kulisse::storage
