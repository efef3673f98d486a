// EventRow is one event as the log keeps it, and what the object was before it. The state before is
// what takes a list back to an old revision; it is kept in the cheapest way that there is.
//
// Key: resource, '/', revision (big endian). Value: u8 of type and Before, text namespace, text
// name, with kRow a varint, text object's value, and the previous object's value or nothing.
//
// Owns: nothing, its views point into the row. Threads: values; pure functions.
// Errors: Parse() refuses what Append() cannot have made.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "storage/event.h"
#include "storage/revision.h"

namespace kulisse::storage {

struct EventRow {
  // Where the state before the event is.
  enum class Before : uint8_t {
    kNowhere,   // there was none
    kObject,    // the object that a deletion shows
    kRow,       // the object of the row `distance` revisions before
    kPrevious,  // `previous`
  };

  EventType type{};
  Before before{};
  // Watchers do not get `previous`: no selector can tell it from the object.
  bool previous_is_hidden = false;
  std::string_view ns{}, name{};
  uint64_t distance = 0;
  std::string_view object{}, previous{};  // values; previous is "" when there is none

  static std::string Key(std::string_view resource, Revision revision);
  // The revision of a key of this resource; nothing when it is none.
  static std::optional<Revision> RevisionOf(std::string_view resource, std::string_view key);

  [[nodiscard]] std::string Encode() const;
  static std::optional<EventRow> Parse(std::string_view value);
};

}  // namespace kulisse::storage
