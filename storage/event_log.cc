// Layout of a row. Key: resource, '/', revision (big endian). Value: u8 type, namespace, name,
// the object's value (each preceded by its size), the previous object's value or nothing.
#include "storage/event_log.h"

#include "storage/coding.h"

namespace kulisse::storage {
namespace {

// A segment is sealed at this share of either limit.
constexpr size_t kSegmentsPerLimit = 16;

std::string RowKey(std::string_view resource, Revision revision) {
  std::string key = KeyPrefix(resource, "");
  AppendBigEndian64(revision.value, &key);
  return key;
}

struct RowView {
  EventType type{};
  std::string_view ns, name, object, previous;
};

std::optional<RowView> ParseRow(std::string_view value) {
  ByteReaderView reader(value);
  RowView row;
  const uint8_t type = reader.Byte();
  row.type = static_cast<EventType>(type);
  row.ns = reader.Sized();
  row.name = reader.Sized();
  row.object = reader.Sized();
  row.previous = reader.rest();
  if (!reader.ok() || type > static_cast<uint8_t>(EventType::kDeleted)) return std::nullopt;
  return row;
}

RecordPtr DecodeOrEnd(const ValueCodec& codec, std::string_view value) {
  auto record = codec.Decode(value);
  if (!record) EndProcess("reading the event log", record.error());
  return std::move(*record);
}

}  // namespace

EventLog::EventLog(const EventLogOptions& options, const Engine& engine, const ValueCodec& codec)
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
  Segment segment{.newest = now};
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

void EventLog::Append(const Event& event, std::string_view object, std::string_view previous,
                      MonotonicTime now, Batch* batch) {
  std::string value;
  value.reserve(event.key.ns.size() + event.key.name.size() + object.size() + previous.size() + 8);
  value.push_back(static_cast<char>(event.type));
  AppendSized(event.key.ns, &value);
  AppendSized(event.key.name, &value);
  AppendSized(object, &value);
  value.append(previous);
  std::string key = RowKey(event.key.resource, event.revision);

  if (segments_.back().bytes > options_.bytes_max / kSegmentsPerLimit ||
      now - segment_start_ > options_.age_max / kSegmentsPerLimit) {
    if (!segments_.back().last.empty()) segments_.push_back({});
    segment_start_ = now;
  }
  Segment& segment = segments_.back();
  const size_t bytes = key.size() + value.size();
  segment.newest = now;
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
  while (segments_.size() > 1 &&
         (bytes_ > options_.bytes_max || now - segments_.front().newest > options_.age_max)) {
    DropOldest(batch);
  }
}

void EventLog::DropOldest(Batch* batch) {
  const Segment& segment = segments_.front();
  for (const auto& [resource, last] : segment.last) {
    std::string floor;
    AppendFixed64(last.value, &floor);
    batch->Put(Space::kMeta, std::string(kFloorPrefix) + resource, std::move(floor));
    batch->DeleteRange(Space::kEvents, RowKey(resource, Floor(resource)),
                       RowKey(resource, {last.value + 1}));
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
      engine_.TakeSnapshot()->Scan(Space::kEvents, RowKey(resource, {range.after.value + 1}),
                                   RowKey(resource, {range.up_to.value + 1}));
  // After the cursor: see Trim().
  if (const Revision floor = Floor(resource); floor > range.after) return std::unexpected(floor);

  ReadResult result{.events = {}, .reached = range.up_to};
  for (; cursor->Valid(); cursor->Next()) {
    ByteReaderView key(cursor->key().substr(resource.size() + 1));
    const Revision revision{key.BigEndian64()};
    const std::optional<RowView> row = ParseRow(cursor->value());
    if (!key.ok() || !row) EndProcess("reading the event log", "a row is damaged");
    if (!ns.empty() && row->ns != ns) continue;
    auto event = std::make_shared<Event>();
    event->type = row->type;
    event->revision = revision;
    event->key = {std::string(resource), std::string(row->ns), std::string(row->name)};
    event->object = DecodeOrEnd(codec_, row->object);
    if (!row->previous.empty()) event->previous = DecodeOrEnd(codec_, row->previous);
    result.events.push_back(std::move(event));
    if (result.events.size() == range.events_max) {
      result.reached = revision;
      break;
    }
  }
  if (cursor->error()) EndProcess("reading the event log", *cursor->error());
  return result;
}

}  // namespace kulisse::storage
