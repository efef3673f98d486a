// Leaves are the values of types that are no plain structs: scalars, quantities, times, raw JSON.
// Here is the canonical JSON form of each, as Go writes it. Internal to openapi.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "base/json/value.h"
#include "openapi/type_table.h"

namespace kulisse::openapi {

// What became of a leaf.
enum class LeafResult : uint8_t {
  kOk,
  kWrongType,  // the JSON type does not fit: *error holds Go's name of the type expected
  kBadNumber,  // a number that does not fit: as above, and Go prints the number
  kBadText,    // a text that Go notes and goes on: *error is the whole message
  kUnmarshal,  // refused by the type's own UnmarshalJSON, which ends decoding: the whole message
  kUnmarshalType,    // as kWrongType, but it ends decoding
  kUnmarshalNumber,  // as kBadNumber, but it ends decoding
};

// Brings the value, which is not null, into canonical form.
// REQUIRES: kind is none of kStruct, kStringList and the kSchemaOr… kinds.
[[nodiscard]] LeafResult NormalizeLeaf(json::Value& value, TypeKind kind, json::Arena& arena,
                                       std::string* error);

// What Go writes for a zero value of the kind; null for those that have no better text.
[[nodiscard]] json::Value ZeroLeaf(TypeKind kind);
// Whether the value, canonical for the kind, is Go's zero or empty value.
[[nodiscard]] bool IsZeroLeaf(const json::Value& value, TypeKind kind);

}  // namespace kulisse::openapi
