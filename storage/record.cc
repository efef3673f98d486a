// Layout of the bytes (docs/storage_format.md):
//   u8 version, u8 flags, u64 revision, varint rv_offset, varint place and size of managedFields,
//   uid,
//   labels: varint count, then key and value of each; fields likewise; the JSON up to the end.
// Texts are preceded by their size as varint.
#include "storage/record.h"

#include <charconv>

#include "base/assert.h"
#include "base/limits.h"
#include "storage/coding.h"

namespace kulisse::storage {
namespace {

constexpr uint8_t kVersion = 2;
constexpr uint8_t kDeletingFlag = 1;
constexpr size_t kRevisionAt = 2;
// Room for version, flags, revision, sizes and counts when bytes are reserved.
constexpr size_t kHeaderBytesGuess = 40;
constexpr std::string_view kManagedFieldsName = ",\"managedFields\":";

void AppendPairs(const std::vector<Pair>& pairs, std::string* out) {
  AppendVarint(pairs.size(), out);
  for (const auto& [name, value] : pairs) {
    AppendSized(name, out);
    AppendSized(value, out);
  }
}

size_t PairsBytes(const std::vector<Pair>& pairs) {
  size_t bytes = 0;
  for (const auto& [name, value] : pairs) bytes += name.size() + value.size() + 4;
  return bytes;
}

bool SortedByName(const std::vector<Pair>& pairs) {
  for (size_t i = 1; i < pairs.size(); ++i) {
    if (pairs[i - 1].first >= pairs[i].first) return false;
  }
  return true;
}

bool LooksLikeObject(std::string_view json, uint64_t rv_offset) {
  return json.size() >= 2 && json.size() <= kObjectBytesMax && json.front() == '{' &&
         json.back() == '}' && rv_offset >= 1 && rv_offset < json.size();
}

// Whether the part of an object is its managedFields, or empty.
bool LooksLikeManagedFields(std::string_view json, uint64_t rv_offset, uint64_t at, uint64_t size) {
  if (size == 0) return at == 0;
  if (size < kManagedFieldsName.size() || at < rv_offset || at > json.size() ||
      size > json.size() - at) {
    return false;
  }
  return json.substr(at).starts_with(kManagedFieldsName);
}

// Reads past the pairs; false when they are malformed or, where it is asked, not sorted.
bool SkipPairs(ByteReaderView* reader, bool sorted) {
  const uint64_t count = reader->Varint();
  std::string_view previous;
  for (uint64_t i = 0; i < count && reader->ok(); ++i) {
    const std::string_view name = reader->Sized();
    reader->Sized();
    if (sorted && i > 0 && name <= previous) return false;
    previous = name;
  }
  return reader->ok();
}

std::vector<Pair> ReadPairs(std::string_view bytes) {
  ByteReaderView reader(bytes);
  std::vector<Pair> pairs(reader.Varint());
  for (Pair& pair : pairs) {
    pair.first = reader.Sized();
    pair.second = reader.Sized();
  }
  return pairs;
}

std::optional<std::string_view> FindPair(std::string_view bytes, std::string_view name) {
  ByteReaderView reader(bytes);
  for (uint64_t left = reader.Varint(); left > 0; --left) {
    const std::string_view found = reader.Sized();
    const std::string_view value = reader.Sized();
    if (found == name) return value;
  }
  return std::nullopt;
}

}  // namespace

std::string Record::Encode(const RecordContent& content, Revision revision) {
  KULISSE_ASSERT(LooksLikeObject(content.json, content.rv_offset));
  KULISSE_ASSERT(LooksLikeManagedFields(content.json, content.rv_offset, content.managed_fields_at,
                                        content.managed_fields_size));
  KULISSE_ASSERT(SortedByName(content.labels));
  std::string bytes;
  bytes.reserve(kHeaderBytesGuess + content.uid.size() + PairsBytes(content.labels) +
                PairsBytes(content.fields) + content.json.size());
  bytes.push_back(static_cast<char>(kVersion));
  bytes.push_back(static_cast<char>(content.deleting ? kDeletingFlag : 0));
  AppendFixed64(revision.value, &bytes);
  AppendVarint(content.rv_offset, &bytes);
  AppendVarint(content.managed_fields_at, &bytes);
  AppendVarint(content.managed_fields_size, &bytes);
  AppendSized(content.uid, &bytes);
  AppendPairs(content.labels, &bytes);
  AppendPairs(content.fields, &bytes);
  bytes.append(content.json);
  return bytes;
}

std::optional<Record> Record::Decode(std::string bytes) {
  Record record;
  ByteReaderView reader(bytes);
  const uint8_t version = reader.Byte();
  const uint8_t flags = reader.Byte();
  record.revision_.value = reader.Fixed64();
  const uint64_t rv_offset = reader.Varint();
  const uint64_t managed_at = reader.Varint();
  const uint64_t managed_size = reader.Varint();
  const uint64_t uid_size = reader.Varint();
  // Positions fit 32 bits once the size does.
  if (!reader.ok() || version != kVersion || (flags & ~kDeletingFlag) != 0 ||
      bytes.size() > UINT32_MAX) {
    return std::nullopt;
  }
  record.uid_at_ = static_cast<uint32_t>(reader.position());
  record.uid_size_ = static_cast<uint32_t>(reader.Bytes(uid_size).size());
  if (!reader.ok()) return std::nullopt;
  record.labels_at_ = static_cast<uint32_t>(reader.position());
  if (!SkipPairs(&reader, true)) return std::nullopt;
  record.fields_at_ = static_cast<uint32_t>(reader.position());
  if (!SkipPairs(&reader, false)) return std::nullopt;
  record.json_at_ = static_cast<uint32_t>(reader.position());
  if (!LooksLikeObject(reader.rest(), rv_offset) ||
      !LooksLikeManagedFields(reader.rest(), rv_offset, managed_at, managed_size)) {
    return std::nullopt;
  }
  record.rv_offset_ = static_cast<uint32_t>(rv_offset);
  record.managed_at_ = static_cast<uint32_t>(managed_at);
  record.managed_size_ = static_cast<uint32_t>(managed_size);
  record.deleting_ = (flags & kDeletingFlag) != 0;
  record.bytes_ = std::move(bytes);
  return record;
}

void Record::SetRevision(Revision revision) {
  revision_ = revision;
  std::string fixed;
  AppendFixed64(revision.value, &fixed);
  bytes_.replace(kRevisionAt, fixed.size(), fixed);
}

std::string_view Record::uid() const { return std::string_view(bytes_).substr(uid_at_, uid_size_); }

std::string_view Record::json() const { return std::string_view(bytes_).substr(json_at_); }

std::string_view Record::LabelBytes() const {
  return std::string_view(bytes_).substr(labels_at_, fields_at_ - labels_at_);
}

std::string_view Record::FieldBytes() const {
  return std::string_view(bytes_).substr(fields_at_, json_at_ - fields_at_);
}

std::string_view Record::managed_fields() const {
  if (managed_size_ == 0) return {};
  return json().substr(managed_at_, managed_size_).substr(kManagedFieldsName.size());
}

std::pair<std::string_view, std::string_view> Record::Unmanaged() const {
  const std::string_view text = json();
  if (managed_size_ == 0) return {text, {}};
  return {text.substr(0, managed_at_), text.substr(managed_at_ + managed_size_)};
}

bool Record::SameUnmanaged(const RecordContent& content) const {
  const auto [before, behind] = Unmanaged();
  std::string_view other = content.json;
  if (content.managed_fields_size == 0) {
    return other.size() == before.size() + behind.size() && other.starts_with(before) &&
           other.ends_with(behind);
  }
  return other.substr(0, content.managed_fields_at) == before &&
         other.substr(content.managed_fields_at + content.managed_fields_size) == behind;
}

std::vector<Pair> Record::Labels() const { return ReadPairs(LabelBytes()); }
std::vector<Pair> Record::Fields() const { return ReadPairs(FieldBytes()); }

std::optional<std::string_view> Record::Label(std::string_view name) const {
  return FindPair(LabelBytes(), name);
}

std::optional<std::string_view> Record::Field(std::string_view name) const {
  return FindPair(FieldBytes(), name);
}

RecordContent Record::Content() const {
  return {.labels = Labels(),
          .fields = Fields(),
          .uid = uid(),
          .deleting = deleting_,
          .rv_offset = rv_offset_,
          .managed_fields_at = managed_at_,
          .managed_fields_size = managed_size_,
          .json = json()};
}

bool Record::SameSelectables(const Record& other) const {
  return LabelBytes() == other.LabelBytes() && FieldBytes() == other.FieldBytes();
}

bool Record::SameContent(const Record& other) const {
  const auto tail = [](const Record& record) {
    return std::string_view(record.bytes_).substr(kRevisionAt + sizeof(uint64_t));
  };
  return deleting_ == other.deleting_ && tail(*this) == tail(other);
}

void Record::AppendHead(std::string_view head, Revision revision, std::string* out) const {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof(digits), revision.value).ptr;
  constexpr std::string_view kField = ",\"resourceVersion\":\"";
  const std::string_view text = json();
  out->reserve(out->size() + head.size() + text.size() + kField.size() + sizeof(digits) + 1);
  out->push_back('{');
  out->append(head);
  out->append(text.substr(1, rv_offset_ - 1));
  if (revision.value != 0) out->append(kField).append(digits, end).push_back('"');
}

void Record::AppendObject(std::string_view head, Revision revision, std::string* out) const {
  AppendHead(head, revision, out);
  out->append(json().substr(rv_offset_));
}

void Record::AppendUnmanaged(Revision revision, std::string* out) const {
  AppendHead("", revision, out);
  const auto [before, behind] = Unmanaged();
  out->append(before.substr(rv_offset_));
  out->append(behind);
}

}  // namespace kulisse::storage
