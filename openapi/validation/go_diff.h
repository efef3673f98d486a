// Objects as the real server prints them into refusals: JSON of its own Go structs, which have no
// JSON tags, and the unified difference of two. Upstream: util/validation/field, util/diff of
// apimachinery. Where a struct of the server's own differs from that of the API, so does the text.
// Threads: pure functions. Limits: beyond kDiffLinesMax lines one hunk holds all changes.
#pragma once

#include <string>

#include "base/json/value.h"
#include "openapi/type_table.h"

namespace kulisse::openapi {

// REQUIRES: values are canonical for the type.
[[nodiscard]] std::string GoJson(const json::Value& value, TypeId type);
[[nodiscard]] std::string GoDiff(const json::Value& a, const json::Value& b, TypeId type);

}  // namespace kulisse::openapi
