// Brings a decoded JSON object into the canonical form of its type, as Go would if it decoded the
// text into the struct and wrote it again: fields in struct order, unknown ones dropped and
// reported, zero values of omitempty fields left out, zero structs that Go always writes put in,
// leaves in their canonical text (quantities, times, base64). Map keys are sorted.
//
// Threads: pure functions. Errors: 400-style decode errors in Go's words.
#pragma once

#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/value.h"
#include "openapi/type_table.h"

namespace kulisse::openapi {

// What Go's decoder calls a value in its errors: "object", "array", "string", "number", "bool".
[[nodiscard]] std::string_view GoWordOf(const json::Value& value);

struct NormalizeReport {
  // Asked for: empty lists of built-in types stay even where Go would leave them out.
  bool keeps_empty_lists = false;
  // Paths of fields the type does not have, in the order of the text: "metadata.bogus",
  // "spec.containers[0].foo".
  std::vector<std::string> unknown_fields;
};

// Names of the members of an object that may have changed since it was canonical.
using Touched = std::span<const std::string_view>;

// The error is Go's text without the "X in version …" frame, e.g.
// `json: cannot unmarshal number into Go struct field ConfigMap.data of type string`.
// kind and apiVersion at the top are kept first. The arena is the one the value lives in.
// `touched`: what its other members hold is not looked into.
[[nodiscard]] std::expected<void, std::string> Normalize(json::Value& value, TypeId type,
                                                         const TypeTable& table, json::Arena& arena,
                                                         NormalizeReport* report,
                                                         std::optional<Touched> touched = {});
// The same for an object on its way to the store, which upstream keeps as protobuf: that has no
// empty lists and maps, and where Go writes them always they come back as null.
// REQUIRES: leaves are canonical, as Normalize leaves them: only their places may be new.
[[nodiscard]] std::expected<void, std::string> NormalizeStored(json::Value& value, TypeId type,
                                                               const TypeTable& table,
                                                               json::Arena& arena,
                                                               std::optional<Touched> touched = {});

}  // namespace kulisse::openapi
