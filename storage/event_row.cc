#include "storage/event_row.h"

#include "storage/coding.h"
#include "storage/key.h"

namespace kulisse::storage {
namespace {

// The first byte: two bits of type, two of Before, one that hides.
constexpr int kBeforeShift = 2;
constexpr uint8_t kTwoBits = 3;
constexpr uint8_t kHiddenBit = 1 << 4;
constexpr uint8_t kAllBits = kHiddenBit | kTwoBits << kBeforeShift | kTwoBits;

}  // namespace

std::string EventRow::Key(std::string_view resource, Revision revision) {
  std::string key = KeyPrefix(resource, "");
  AppendBigEndian64(revision.value, &key);
  return key;
}

std::optional<Revision> EventRow::RevisionOf(std::string_view resource, std::string_view key) {
  if (key.size() <= resource.size()) return std::nullopt;
  ByteReaderView reader(key.substr(resource.size() + 1));
  const Revision revision{reader.BigEndian64()};
  if (!reader.ok()) return std::nullopt;
  return revision;
}

std::string EventRow::Encode() const {
  std::string value;
  value.reserve(ns.size() + name.size() + object.size() + previous.size() + 16);
  const auto bits = static_cast<uint8_t>(static_cast<uint8_t>(type) |
                                         static_cast<uint8_t>(before) << kBeforeShift |
                                         (previous_is_hidden ? kHiddenBit : 0));
  value.push_back(static_cast<char>(bits));
  AppendSized(ns, &value);
  AppendSized(name, &value);
  if (before == Before::kRow) AppendVarint(distance, &value);
  AppendSized(object, &value);
  value.append(previous);
  return value;
}

std::optional<EventRow> EventRow::Parse(std::string_view value) {
  ByteReaderView reader(value);
  EventRow row;
  const uint8_t bits = reader.Byte();
  const uint8_t type = bits & kTwoBits;
  row.type = static_cast<EventType>(type);
  row.before = static_cast<Before>(bits >> kBeforeShift & kTwoBits);
  row.previous_is_hidden = (bits & kHiddenBit) != 0;
  row.ns = reader.Sized();
  row.name = reader.Sized();
  if (row.before == Before::kRow) row.distance = reader.Varint();
  row.object = reader.Sized();
  row.previous = reader.rest();
  const bool known = bits <= kAllBits && type <= static_cast<uint8_t>(EventType::kDeleted);
  const bool added = row.type == EventType::kAdded, deleted = row.type == EventType::kDeleted;
  const bool has_previous = row.before == Before::kPrevious;
  if (!reader.ok() || !known || added != (row.before == Before::kNowhere) ||
      (row.before == Before::kObject && !deleted) || has_previous == row.previous.empty() ||
      (row.previous_is_hidden && !has_previous)) {
    return std::nullopt;
  }
  return row;
}

}  // namespace kulisse::storage
