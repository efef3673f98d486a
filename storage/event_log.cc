#include "storage/event_log.h"

#include "storage/coding.h"
#include "storage/event_row.h"

namespace kulisse::storage {
namespace {

// A segment is sealed at this share of either limit.
constexpr size_t kSegmentsPerLimit = 16;

// A row may refer to one as many segments back, and not older than as many shares of the age.
// Objects that change every ten seconds (leases) then find their last state in the log, where each
// would else be kept twice.
constexpr size_t kReferenceSegments = 2;

RecordPtr DecodeOrEnd(const ValueCodec& codec, std::string_view value) {
  auto record = codec.Decode(value);
  if (!record) EndProcess("reading the event log", record.error());
  return std::move(*record);
}

}  // namespace

EventLog::EventLog(const EventLogOptions& options, const Engine& engine, ValueCodec& codec)
    : options_(options), engine_(engine), codec_(codec) {}

std::expected<void, EngineError> EventLog::Open(Revision head, MonotonicTime now) {
  const auto snapshot = engine_.TakeSnapshot();
  auto floors = snapshot->Scan(Space::kMeta, kFloorPrefix, PrefixEnd(kFloorPrefix));
  for (; floors->Valid(); floors->Next()) {
    ByteReaderView reader(floors->value());
    floors_[std::string(floors->key().substr(kFloorPrefix.size()))] = {reader.Fixed64()};
    if (!reader.ok()) return std::unexpected("a floor of the event log is damaged");
  }
  if (floors->error()) return std::unexpected(*floors->error());

  // One look per resource: from its first row jump behind its last.
  // Nothing refers into it: which of its rows are there is not known.
  Segment segment{.newest = now, .first = {head.value + 1}};
  std::string first;
  for (;;) {
    const auto cursor = snapshot->Scan(Space::kEvents, first, "");
    if (cursor->error()) return std::unexpected(*cursor->error());
    if (!cursor->Valid()) break;
    const size_t slash = cursor->key().find('/');
    if (slash == std::string_view::npos) return std::unexpected("the event log is damaged");
    const std::string resource(cursor->key().substr(0, slash));
    segment.last[resource] = head;
    first = PrefixEnd(KeyPrefix(resource, ""));
  }
  if (!segment.last.empty()) {
    // Its size is not known without reading it; at most the limit is there.
    segment.bytes = options_.bytes_max / 2;
    bytes_ = segment.bytes;
    segments_.push_back(std::move(segment));
  }
  segments_.push_back({.newest = now});
  segment_start_ = now;
  return {};
}

EventLog::Segment& EventLog::Grow(Revision revision, MonotonicTime now) {
  if (segments_.back().bytes > options_.bytes_max / kSegmentsPerLimit ||
      now - segment_start_ > options_.age_max / kSegmentsPerLimit) {
    if (!segments_.back().last.empty()) segments_.push_back({});
    segment_start_ = now;
  }
  Segment& segment = segments_.back();
  if (segment.last.empty()) segment.first = revision;
  segment.newest = now;
  return segment;
}

bool EventLog::CanReferTo(Revision before, MonotonicTime now) const {
  const MonotonicTime oldest = now - options_.age_max / kSegmentsPerLimit * kReferenceSegments;
  size_t back = 0;
  for (auto segment = segments_.rbegin(); segment != segments_.rend(); ++segment) {
    if (back++ > kReferenceSegments || segment->newest < oldest) return false;
    if (before >= segment->first) return true;
  }
  return false;
}

void EventLog::Append(const Commit& commit, std::string_view object, MonotonicTime now,
                      Batch* batch) {
  const Event& event = *commit.event;
  Segment& segment = Grow(event.revision, now);
  EventRow row{.type = event.type, .ns = event.key.ns, .name = event.key.name, .object = object};
  std::string previous;
  if (event.previous != nullptr) {
    row.before = EventRow::Before::kPrevious;
    codec_.Encode(event.key.resource, event.previous->bytes(), &previous);
  } else if (commit.before == event.object) {
    row.before = EventRow::Before::kObject;
  } else if (commit.before != nullptr && CanReferTo(commit.before->revision(), now)) {
    row.before = EventRow::Before::kRow;
    row.distance = event.revision.value - commit.before->revision().value;
  } else if (commit.before != nullptr) {
    row.before = EventRow::Before::kPrevious;
    row.previous_is_hidden = true;
    codec_.Encode(event.key.resource, commit.before->bytes(), &previous);
  }
  row.previous = previous;

  std::string key = EventRow::Key(event.key.resource, event.revision);
  std::string value = row.Encode();
  const size_t bytes = key.size() + value.size();
  segment.bytes += bytes;
  bytes_ += bytes;
  const auto it = segment.last.find(event.key.resource);
  if (it == segment.last.end()) {
    segment.last.emplace(event.key.resource, event.revision);
  } else {
    it->second = event.revision;
  }
  batch->Put(Space::kEvents, std::move(key), std::move(value));
}

void EventLog::Trim(MonotonicTime now, Batch* batch) {
  // What rows of the last age_max refer to is kept with them.
  const Duration age_max =
      options_.age_max + options_.age_max / kSegmentsPerLimit * kReferenceSegments;
  while (segments_.size() > 1 &&
         (bytes_ > options_.bytes_max || now - segments_.front().newest > age_max)) {
    DropOldest(batch);
  }
}

void EventLog::DropOldest(Batch* batch) {
  const Segment& segment = segments_.front();
  for (const auto& [resource, last] : segment.last) {
    std::string floor;
    AppendFixed64(last.value, &floor);
    batch->Put(Space::kMeta, std::string(kFloorPrefix) + resource, std::move(floor));
    batch->DeleteRange(Space::kEvents, EventRow::Key(resource, Floor(resource)),
                       EventRow::Key(resource, {last.value + 1}));
    const std::lock_guard lock(floors_mutex_);
    floors_[resource] = last;
  }
  bytes_ -= segment.bytes;
  segments_.pop_front();
}

Revision EventLog::Floor(std::string_view resource) const {
  const std::lock_guard lock(floors_mutex_);
  const auto it = floors_.find(resource);
  return it == floors_.end() ? Revision{} : it->second;
}

std::expected<EventLog::ReadResult, Revision> EventLog::Read(std::string_view resource,
                                                             std::string_view ns,
                                                             const ReadRange& range) const {
  const auto cursor =
      engine_.TakeSnapshot()->Scan(Space::kEvents, EventRow::Key(resource, {range.after.value + 1}),
                                   EventRow::Key(resource, {range.up_to.value + 1}));
  // After the cursor: see Trim().
  if (const Revision floor = Floor(resource); floor > range.after) return std::unexpected(floor);

  ReadResult result{.events = {}, .reached = range.up_to};
  for (; cursor->Valid(); cursor->Next()) {
    const auto revision = EventRow::RevisionOf(resource, cursor->key());
    const std::optional<EventRow> row = EventRow::Parse(cursor->value());
    if (!revision || !row) EndProcess("reading the event log", "a row is damaged");
    if (!ns.empty() && row->ns != ns) continue;
    auto event = std::make_shared<Event>();
    event->type = row->type;
    event->revision = *revision;
    event->key = {std::string(resource), std::string(row->ns), std::string(row->name)};
    event->object = DecodeOrEnd(codec_, row->object);
    if (!row->previous.empty() && !row->previous_is_hidden) {
      event->previous = DecodeOrEnd(codec_, row->previous);
    }
    result.events.push_back(std::move(event));
    if (result.events.size() == range.events_max) {
      result.reached = *revision;
      break;
    }
  }
  if (cursor->error()) EndProcess("reading the event log", *cursor->error());
  return result;
}

}  // namespace kulisse::storage
