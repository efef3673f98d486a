#include "storage/past.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "storage/coding.h"
#include "storage/commit_writer.h"
#include "storage/event_log.h"
#include "storage/event_row.h"

namespace kulisse::storage {
namespace {

constexpr std::string_view kDoing = "reading the past";

using EngineSnapshotPtr = std::shared_ptr<const EngineSnapshot>;

std::string ReadOrEnd(const EngineSnapshot& engine, Space space, const std::string& key) {
  auto value = engine.Get(space, key);
  if (!value) EndProcess(kDoing, value.error());
  return std::move(*value).value_or("");
}

EventRow ParseOrEnd(std::string_view value) {
  const std::optional<EventRow> row = EventRow::Parse(value);
  if (!row) EndProcess(kDoing, "a row of the event log is missing or damaged");
  return *row;
}

// 0 when there is no such row.
uint64_t ReadNumber(const EngineSnapshot& engine, const std::string& key) {
  const std::string value = ReadOrEnd(engine, Space::kMeta, key);
  return value.empty() ? 0 : ByteReaderView(value).Fixed64();
}

// One object that was written behind the asked revision.
struct Undone {
  std::string key;  // EncodeKey()'s form
  Revision row{};   // of the row of the log that has its state; 0: it was not there
  bool in_previous = false;
};

class UndoneOverlay final : public Overlay {
 public:
  UndoneOverlay(EngineSnapshotPtr engine, std::string_view resource, std::vector<Undone> objects,
                const ValueCodec& codec)
      : engine_(std::move(engine)),
        resource_(resource),
        objects_(std::move(objects)),
        codec_(codec) {
    std::sort(objects_.begin(), objects_.end(),
              [](const Undone& a, const Undone& b) { return a.key < b.key; });
  }
  [[nodiscard]] size_t size() const override { return objects_.size(); }
  [[nodiscard]] std::string_view key(size_t index) const override { return objects_[index].key; }
  [[nodiscard]] RecordPtr state(size_t index) const override {
    const Undone& object = objects_[index];
    if (object.row == Revision{}) return nullptr;
    const std::string value =
        ReadOrEnd(*engine_, Space::kEvents, EventRow::Key(resource_, object.row));
    const EventRow row = ParseOrEnd(value);
    return DecodeOrEnd(codec_, object.in_previous ? row.previous : row.object);
  }

 private:
  const EngineSnapshotPtr engine_;
  const std::string resource_;
  std::vector<Undone> objects_;
  const ValueCodec& codec_;
};

// Reads the events behind a revision, and finds what each object was before its first.
class Undo {
 public:
  Undo(const EngineSnapshot& engine, std::string_view resource)
      : engine_(engine),
        resource_(resource),
        floor_{ReadNumber(engine, std::string(kFloorPrefix) + resource_)} {
    ReadCounts();
  }

  // The oldest revision that can be had, when that is not `after`.
  std::expected<void, Revision> Read(Revision after, Revision up_to) {
    if (after < floor_) return std::unexpected(floor_);
    Revision oldest = after;
    const auto rows = engine_.Scan(Space::kEvents, EventRow::Key(resource_, {after.value + 1}),
                                   EventRow::Key(resource_, {up_to.value + 1}));
    for (; rows->Valid(); rows->Next()) {
      const auto revision = EventRow::RevisionOf(resource_, rows->key());
      if (!revision) EndProcess(kDoing, "a key of the event log is damaged");
      const EventRow row = ParseOrEnd(rows->value());
      Count(row);
      if (!Note(row, *revision)) oldest = *revision;
    }
    if (const auto error = rows->error()) EndProcess(kDoing, *error);
    if (oldest != after) return std::unexpected(oldest);
    return {};
  }

  std::vector<Undone> TakeObjects() { return std::move(objects_); }
  ObjectCounts TakeCounts() {
    ObjectCounts counts;
    for (const auto& [ns, count] : counts_) counts.Set(resource_, ns, count);
    return counts;
  }

 private:
  void ReadCounts() {
    const std::string prefix = std::string(kCountPrefix) + resource_ + '/';
    const auto rows = engine_.Scan(Space::kMeta, prefix, PrefixEnd(prefix));
    for (; rows->Valid(); rows->Next()) {
      counts_[std::string(rows->key().substr(prefix.size()))] =
          ByteReaderView(rows->value()).Fixed64();
    }
    if (const auto error = rows->error()) EndProcess(kDoing, *error);
  }

  void Count(const EventRow& row) {
    if (row.type == EventType::kAdded) --counts_[std::string(row.ns)];
    if (row.type == EventType::kDeleted) ++counts_[std::string(row.ns)];
  }

  // False when the row that the object's state is in has left the log.
  bool Note(const EventRow& row, Revision revision) {
    std::string key = EncodeKey({resource_, std::string(row.ns), std::string(row.name)});
    if (!seen_.insert(key).second) return true;  // a later event of the object
    Undone object{.key = std::move(key), .row = revision, .in_previous = false};
    switch (row.before) {
      case EventRow::Before::kNowhere:
        object.row = {};
        break;
      case EventRow::Before::kObject:
        break;
      case EventRow::Before::kRow:
        object.row.value -= row.distance;
        if (object.row <= floor_) return false;
        break;
      case EventRow::Before::kPrevious:
        object.in_previous = true;
        break;
    }
    objects_.push_back(std::move(object));
    return true;
  }

  const EngineSnapshot& engine_;
  const std::string resource_;
  const Revision floor_;                              // events up to here are gone
  std::unordered_map<std::string, uint64_t> counts_;  // of each namespace
  std::unordered_set<std::string> seen_;
  std::vector<Undone> objects_;
};

}  // namespace

std::expected<SnapshotPtr, StoreError> TakePastSnapshot(EngineSnapshotPtr engine,
                                                        std::string_view resource,
                                                        Revision revision,
                                                        const ValueCodec& codec) {
  const Revision written{ReadNumber(*engine, std::string(kRevisionKey))};
  if (revision > written) {
    return std::unexpected(
        StoreError{.kind = StoreError::Kind::kFuture, .asked = revision, .bound = written});
  }
  Undo undo(*engine, resource);
  if (const auto read = undo.Read(revision, written); !read) {
    return std::unexpected(
        StoreError{.kind = StoreError::Kind::kCompacted, .asked = revision, .bound = read.error()});
  }
  auto overlay = std::make_shared<const UndoneOverlay>(engine, resource, undo.TakeObjects(), codec);
  return std::make_shared<const LocalSnapshot>(revision, std::move(engine), std::move(overlay),
                                               undo.TakeCounts(), codec);
}

}  // namespace kulisse::storage
