// ManagedFields is metadata.managedFields: who owns which fields of an object, and since when.
// At rest it is text in the record; a write reads it, changes sets and prints it again.
// Upstream: apimachinery/pkg/util/managedfields and structured-merge-diff/merge.
//
// Owns: its entries; their texts and sets live in the arena and in the text they were read from,
//   which must outlive them.
// Threads: one at a time. Limits: kUpdateManagersMax entries of updates; the rest is merged.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/value.h"
#include "openapi/managed_fields/compare.h"
#include "openapi/managed_fields/field_set.h"

namespace kulisse::openapi {

// Texts are escaped as within JSON quotes.
struct ManagerId {
  std::string_view manager;
  bool applied = false;          // operation Apply, else Update
  std::string_view api_version;  // tells updates apart, not applies
  std::string_view subresource;

  friend bool operator==(const ManagerId& a, const ManagerId& b) {
    return a.manager == b.manager && a.applied == b.applied && a.subresource == b.subresource &&
           (a.applied || a.api_version == b.api_version);
  }
};

struct ManagedFieldsEntry {
  ManagerId id;
  std::string_view time;  // "" when there is none
  FieldSet fields;
  // FieldsV1 of entries that have not been read yet; "" once `fields` counts.
  std::string_view unread;

  // Reads the fields if they have not been.
  void Read(json::Arena& arena);
};

// The comparison of the objects of a write in a version; null when that version is not served any
// more.
using CompareInVersion = std::function<const Comparison*(std::string_view api_version)>;

class ManagedFields {
 public:
  // Reads what Append() wrote; nothing for any other text.
  [[nodiscard]] static std::optional<ManagedFields> Parse(std::string_view text,
                                                          json::Arena& arena);
  // The same, but each entry's fields are read only when they must be: for Update() and ToText().
  [[nodiscard]] static std::optional<ManagedFields> ParseUnread(std::string_view text);
  // Reads the canonical value that a client sent; nothing when upstream would not take it.
  [[nodiscard]] static std::optional<ManagedFields> FromJson(const json::Value& value,
                                                             json::Arena& arena);
  // Whether the value that a client sent asks to forget all managers.
  [[nodiscard]] static bool IsReset(const json::Value& value);

  [[nodiscard]] bool empty() const { return entries_.empty(); }
  [[nodiscard]] std::vector<ManagedFieldsEntry>& entries() { return entries_; }
  [[nodiscard]] const std::vector<ManagedFieldsEntry>& entries() const { return entries_; }
  [[nodiscard]] ManagedFieldsEntry* Find(const ManagerId& id);

  // A write that is no apply: what changed belongs to `self` alone.
  void Update(const CompareInVersion& compare, const ManagerId& self, std::string_view now,
              json::Arena& arena);
  // Takes what changed from all but `keeper` (if any), and forgets who has nothing left.
  void TakeChanged(const CompareInVersion& compare, const ManagerId* keeper, json::Arena& arena);

  // The entries as JSON array, sorted as upstream; "" when there is none.
  [[nodiscard]] std::string ToText();
  // Whether they differ in times alone. REQUIRES: both are sorted.
  [[nodiscard]] static bool SameButTimes(const ManagedFields& a, const ManagedFields& b);

 private:
  void DropDoubled();
  // Merges the oldest updates until there are few enough.
  void CapUpdates(json::Arena& arena);

  std::vector<ManagedFieldsEntry> entries_;
};

}  // namespace kulisse::openapi
