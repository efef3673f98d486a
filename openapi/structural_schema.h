// The structural schema of a custom resource, a JSON document as a CustomResourceDefinition has it:
// what it refuses, in the words of the real server. Fields, lists with keys and defaults are rows
// of the type table, made from the same schema. Upstream:
// apiextensions-apiserver/pkg/apiserver/{schema,validation}, kube-openapi/validation.
//
// Threads: pure functions; the built-in schemas are read at the first call.
// Errors: a pattern that is none matches everything.
#pragma once

#include <string_view>

#include "base/json/value.h"
#include "base/status.h"
#include "openapi/type_table.h"

namespace kulisse::openapi {

// Of a kind's type that came with the program. REQUIRES: it is custom.
[[nodiscard]] const json::Value& SchemaOf(TypeId type);
// The same as text; "" for types that are not custom or no kind's.
[[nodiscard]] std::string_view SchemaTextOf(TypeId type);

// What is wrong with the value, which stands at `path` in the object ("" for all of it). Properties
// are gone through by name; upstream's order is that of a Go map.
void ValidateBySchema(const json::Value& value, const json::Value& schema, std::string_view path,
                      FieldErrors* errors);

}  // namespace kulisse::openapi
