// Record is one object at rest: a small header and the canonical JSON of the object. The header has
// what lists, watches and selectors need, so that they never parse an object.
//
// The JSON is that of the storage version in the order in which Go would write it, without kind and
// apiVersion and without metadata.resourceVersion: readers put `"kind":…,"apiVersion":…,` after its
// first brace, and `,"resourceVersion":"N"` at rv_offset. Where metadata.managedFields stands is
// noted too, as most writers do not parse it.
//
// Owns: its bytes, in one block (the form in which engines store it, before compression).
// Immutable. Threads: any. Errors: Decode() refuses any bytes that Encode() cannot have made.
// Limits: kObjectBytesMax.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/revision.h"

namespace kulisse::storage {

using Pair = std::pair<std::string_view, std::string_view>;

// What a writer gives; revision and layout are the store's.
struct RecordContent {
  std::vector<Pair> labels;  // sorted by key
  std::vector<Pair> fields;  // selectable fields: name and value, in the kind's fixed order
  std::string_view uid;
  bool deleting = false;   // metadata.deletionTimestamp is set
  uint32_t rv_offset = 0;  // in json
  // `,"managedFields":[…]` in json, behind rv_offset; no bytes when it has none.
  uint32_t managed_fields_at = 0;
  uint32_t managed_fields_size = 0;
  std::string_view json;
};

class Record {
 public:
  // The bytes of `content` at `revision`.
  static std::string Encode(const RecordContent& content, Revision revision);
  // Nothing when the bytes are no record.
  static std::optional<Record> Decode(std::string bytes);

  Record(Record&&) = default;
  Record& operator=(Record&&) = default;
  Record(const Record&) = delete;
  Record& operator=(const Record&) = delete;

  [[nodiscard]] Revision revision() const { return revision_; }
  [[nodiscard]] std::string_view uid() const;
  [[nodiscard]] bool deleting() const { return deleting_; }
  [[nodiscard]] std::string_view json() const;
  [[nodiscard]] uint32_t rv_offset() const { return rv_offset_; }
  // The value of metadata.managedFields as JSON; "" when there is none.
  [[nodiscard]] std::string_view managed_fields() const;
  // Views into the record.
  [[nodiscard]] std::vector<Pair> Labels() const;
  [[nodiscard]] std::vector<Pair> Fields() const;
  // The value of one label or selectable field; nothing when it is not there.
  [[nodiscard]] std::optional<std::string_view> Label(std::string_view name) const;
  [[nodiscard]] std::optional<std::string_view> Field(std::string_view name) const;
  // Whether labels and selectable fields are those of `other`: no selector tells them apart.
  [[nodiscard]] bool SameSelectables(const Record& other) const;
  // Whether all but the revision is that of `other`: writing it again would change nothing.
  [[nodiscard]] bool SameContent(const Record& other) const;
  // What Encode() was given; views into the record.
  [[nodiscard]] RecordContent Content() const;
  [[nodiscard]] const std::string& bytes() const { return bytes_; }
  // For the store, which encodes a record before it knows the revision.
  void SetRevision(Revision revision);

  // Appends the whole object: `{` + head + JSON with the resourceVersion in its place.
  // `head` is `"kind":"Pod","apiVersion":"v1",` or empty (items of lists).
  // `revision` is the record's own but for events that carry another; 0 shows none.
  void AppendObject(std::string_view head, Revision revision, std::string* out) const;
  // The same without metadata.managedFields.
  void AppendUnmanaged(Revision revision, std::string* out) const;
  // Whether all of the object but metadata.managedFields is that of the content.
  [[nodiscard]] bool SameUnmanaged(const RecordContent& content) const;

 private:
  Record() = default;
  [[nodiscard]] std::string_view LabelBytes() const;
  [[nodiscard]] std::string_view FieldBytes() const;
  // The JSON before and behind metadata.managedFields.
  [[nodiscard]] std::pair<std::string_view, std::string_view> Unmanaged() const;
  void AppendHead(std::string_view head, Revision revision, std::string* out) const;

  std::string bytes_;
  Revision revision_;
  uint32_t rv_offset_ = 0;
  uint32_t managed_at_ = 0, managed_size_ = 0;
  uint32_t uid_at_ = 0, uid_size_ = 0;
  uint32_t labels_at_ = 0, fields_at_ = 0, json_at_ = 0;
  bool deleting_ = false;
};

using RecordPtr = std::shared_ptr<const Record>;

}  // namespace kulisse::storage
