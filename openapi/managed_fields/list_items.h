// The elements of a list that is a set or has keys, each with its step in paths; members in order.
// Internal to managed_fields.
//
// Threads: one at a time.
#pragma once

#include <expected>
#include <span>
#include <string>
#include <string_view>

#include "base/json/value.h"
#include "openapi/managed_fields/schema.h"

namespace kulisse::openapi {

struct ListItem {
  std::string_view element;  // the step: k:{…} or v:…
  const json::Value* value;
};

// The step of one element, in the arena. The error is upstream's, without "element N: ".
[[nodiscard]] std::expected<std::string_view, std::string> ItemElement(const SchemaView& schema,
                                                                       const Shape& list,
                                                                       const json::Value& item,
                                                                       json::Arena& arena);

// All elements in the list's order; those without a step are left out. Lives in the arena.
[[nodiscard]] std::span<ListItem> ItemsOf(const SchemaView& schema, const Shape& list,
                                          const json::Value* value, json::Arena& arena);

// Sorts by step; equal ones keep their order.
void SortItems(std::span<ListItem> items);

// The members of a map sorted by key; none of a null pointer. Lives in the arena.
[[nodiscard]] std::span<const json::Member*> SortedMembers(const json::Value* map,
                                                           json::Arena& arena);

}  // namespace kulisse::openapi
