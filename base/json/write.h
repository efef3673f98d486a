// Prints JSON as Go's encoding/json does: compact, with <, >, &, U+2028 and U+2029 escaped, so that
// answers equal kube-apiserver's byte for byte.
#pragma once

#include <string>
#include <string_view>

#include "base/json/value.h"

namespace kulisse::json {

// Appends `text` in quotes. Invalid UTF-8 becomes U+FFFD, as in Go.
void AppendString(std::string_view text, std::string* out);
// Appends a number as Go prints a float64 (shortest form that reads back equal).
void AppendDouble(double number, std::string* out);
void AppendInt(int64_t number, std::string* out);
void Append(const Value& value, std::string* out);
[[nodiscard]] std::string ToString(const Value& value);
// With members in alphabetical order at every level: one form for equal values.
[[nodiscard]] std::string ToSortedString(const Value& value);

// Appends the JSON text `compact` indented by `indent` blanks a level (as Go's json.Indent).
// REQUIRES: valid JSON.
void AppendIndented(std::string_view compact, int indent, std::string* out);

}  // namespace kulisse::json
