// What server-side apply does to objects: checks a configuration against its type, merges it into
// the live object, and takes fields away. Values are as a client sent them or canonical; results
// are not canonical yet. Upstream: structured-merge-diff/typed (validate.go, merge.go, remove.go).
//
// Threads: pure functions. Results live in the arena, and share nothing with the inputs.
#pragma once

#include <string>

#include "base/json/value.h"
#include "openapi/managed_fields/field_set.h"
#include "openapi/managed_fields/schema.h"

namespace kulisse::openapi {

// What is wrong with the value, in upstream's words; "" when it fits the type. Elements of lists
// with keys must have one and occur once.
[[nodiscard]] std::string ValidateTyped(const json::Value& value, TypeId type,
                                        const TypeTable& table);

// The live object with the configuration laid over it: its leaves win, its list elements come in
// its order. REQUIRES: ValidateTyped() of the configuration is "".
[[nodiscard]] json::Value MergeTyped(const json::Value& live, const json::Value& config,
                                     TypeId type, const TypeTable& table, json::Arena& arena);

// The value without the fields and elements of the set.
[[nodiscard]] json::Value RemoveFields(const json::Value& value, const FieldSet& fields,
                                       TypeId type, const TypeTable& table, json::Arena& arena);

// The set with all fields of structs that have members below them.
[[nodiscard]] FieldSet WithNamedFields(const FieldSet& fields, TypeId type, const TypeTable& table,
                                       json::Arena& arena);

}  // namespace kulisse::openapi
