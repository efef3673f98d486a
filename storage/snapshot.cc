#include "storage/snapshot.h"

#include <algorithm>

#include "base/limits.h"

namespace kulisse::storage {
namespace {

// Merges the engine's rows with the overlay, which wins where both have a key.
class MergingCursor final : public Snapshot::Cursor {
 public:
  MergingCursor(std::unique_ptr<EngineCursor> engine, std::shared_ptr<const Overlay> overlay,
                std::string_view first, std::string_view end, const ValueCodec& codec)
      : engine_(std::move(engine)),
        overlay_(std::move(overlay)),
        pending_(overlay_->LowerBound(first)),
        pending_end_(overlay_->LowerBound(end)),
        codec_(codec) {}

  RecordPtr Next() override {
    if (engine_was_read_) engine_->Next();
    engine_was_read_ = false;
    for (;;) {
      const bool have_row = engine_->Valid();
      if (!have_row) CheckError();
      if (pending_ == pending_end_) return have_row ? TakeRow() : nullptr;
      const std::string_view pending_key = overlay_->key(pending_);
      if (have_row && engine_->key() < pending_key) return TakeRow();
      if (have_row && engine_->key() == pending_key) engine_->Next();
      if (RecordPtr record = overlay_->state(pending_++)) {
        key_ = pending_key;
        return record;
      }
    }
  }
  [[nodiscard]] std::string_view key() const override { return key_; }

 private:
  RecordPtr TakeRow() {
    engine_was_read_ = true;
    key_ = engine_->key();
    return DecodeOrEnd(codec_, engine_->value());
  }

  void CheckError() const {
    if (const auto error = engine_->error()) EndProcess("listing objects", *error);
  }

  const std::unique_ptr<EngineCursor> engine_;
  const std::shared_ptr<const Overlay> overlay_;
  size_t pending_;
  const size_t pending_end_;
  const ValueCodec& codec_;
  std::string_view key_;
  // key_ is the engine's: it moves on only when the next one is asked for.
  bool engine_was_read_ = false;
};

}  // namespace

RecordPtr DecodeOrEnd(const ValueCodec& codec, std::string_view value) {
  auto record = codec.Decode(value);
  if (!record) EndProcess("reading an object", record.error());
  return std::move(*record);
}

size_t Overlay::LowerBound(std::string_view key) const {
  size_t first = 0, count = size();
  while (count > 0) {
    const size_t half = count / 2;
    if (this->key(first + half) < key) {
      first += half + 1;
      count -= half + 1;
    } else {
      count = half;
    }
  }
  return first;
}

PendingOverlay::PendingOverlay(std::vector<CommitPtr> commits) : commits_(std::move(commits)) {
  std::sort(commits_.begin(), commits_.end(),
            [](const CommitPtr& a, const CommitPtr& b) { return a->encoded_key < b->encoded_key; });
}

LocalSnapshot::LocalSnapshot(Revision revision, std::shared_ptr<const EngineSnapshot> engine,
                             std::shared_ptr<const Overlay> overlay, ObjectCounts counts,
                             const ValueCodec& codec)
    : revision_(revision),
      engine_(std::move(engine)),
      overlay_(std::move(overlay)),
      counts_(std::move(counts)),
      codec_(codec) {}

std::unique_ptr<Snapshot::Cursor> LocalSnapshot::Scan(std::string_view resource,
                                                      std::string_view ns,
                                                      std::string_view after) const {
  std::string first = KeyPrefix(resource, ns);
  const std::string end = PrefixEnd(first);
  if (after >= first) {
    first = after;
    first.push_back('\0');  // the first key greater than `after`
  }
  if (first > end) first = end;
  return std::make_unique<MergingCursor>(engine_->Scan(Space::kObjects, first, end), overlay_,
                                         first, end, codec_);
}

RecordPtr LocalSnapshot::Get(const Key& key) const {
  const std::string encoded = EncodeKey(key);
  const size_t at = overlay_->LowerBound(encoded);
  if (at < overlay_->size() && overlay_->key(at) == encoded) return overlay_->state(at);
  const auto value = engine_->Get(Space::kObjects, encoded);
  if (!value) EndProcess("reading an object", value.error());
  return *value ? DecodeOrEnd(codec_, **value) : nullptr;
}

uint64_t LocalSnapshot::Count(std::string_view resource, std::string_view ns) const {
  return counts_.Of(resource, ns);
}

struct PinnedSnapshots::State {
  struct Pinned {
    std::string resource;
    SnapshotPtr snapshot;
    MonotonicTime used;
  };

  // Null when there is none.
  Pinned* FindLocked(std::string_view resource, Revision revision) {
    for (Pinned& p : pinned) {
      if (p.resource == resource && p.snapshot->revision() == revision) return &p;
    }
    return nullptr;
  }

  State(Duration age, Runtime& r) : age_max(age), runtime(r) {}

  const Duration age_max;
  Runtime& runtime;
  std::mutex mutex;
  std::deque<Pinned> pinned;  // in the order in which they were pinned
  TimerId timer = 0;          // runs while something is pinned
  bool closed = false;
};

PinnedSnapshots::PinnedSnapshots(Duration age_max, Runtime& runtime)
    : state_(std::make_shared<State>(age_max, runtime)) {}

PinnedSnapshots::~PinnedSnapshots() { Clear(); }

void PinnedSnapshots::Pin(std::string_view resource, SnapshotPtr snapshot) {
  SnapshotPtr dropped;  // released without the lock
  const std::lock_guard lock(state_->mutex);
  const MonotonicTime now = state_->runtime.MonotonicNow();
  if (State::Pinned* pinned = state_->FindLocked(resource, snapshot->revision())) {
    pinned->used = now;
    return;
  }
  state_->pinned.push_back({std::string(resource), std::move(snapshot), now});
  if (state_->pinned.size() > kSnapshotsMax) {
    dropped = std::move(state_->pinned.front().snapshot);
    state_->pinned.pop_front();
  }
  if (state_->timer == 0 && !state_->closed) {
    state_->timer =
        state_->runtime.ScheduleAfter(state_->age_max, [state = state_] { Expire(state); });
  }
}

void PinnedSnapshots::Expire(const std::shared_ptr<State>& state) {
  std::vector<SnapshotPtr> dropped;  // released without the lock
  const std::lock_guard lock(state->mutex);
  state->timer = 0;
  if (state->closed) return;
  const MonotonicTime now = state->runtime.MonotonicNow();
  MonotonicTime oldest = now;
  std::erase_if(state->pinned, [&](State::Pinned& pinned) {
    const bool expired = now - pinned.used >= state->age_max;
    if (expired) dropped.push_back(std::move(pinned.snapshot));
    if (!expired) oldest = std::min(oldest, pinned.used);
    return expired;
  });
  if (state->pinned.empty()) return;
  state->timer =
      state->runtime.ScheduleAfter(oldest + state->age_max - now, [state] { Expire(state); });
}

SnapshotPtr PinnedSnapshots::Find(std::string_view resource, Revision revision) {
  const std::lock_guard lock(state_->mutex);
  State::Pinned* pinned = state_->FindLocked(resource, revision);
  if (pinned == nullptr) return nullptr;
  pinned->used = state_->runtime.MonotonicNow();
  return pinned->snapshot;
}

void PinnedSnapshots::Clear() {
  std::deque<State::Pinned> dropped;
  const std::lock_guard lock(state_->mutex);
  state_->closed = true;
  dropped.swap(state_->pinned);
  if (state_->timer != 0) state_->runtime.Cancel(state_->timer);
  state_->timer = 0;
}

}  // namespace kulisse::storage
