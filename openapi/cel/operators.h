// The operators of CEL on values: arithmetic that refuses to overflow, comparison across numeric
// types, indexing. Errors have cel-go's words.
// Upstream: common/types, common/stdlib. Threads: pure functions.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "openapi/cel/evaluation.h"
#include "openapi/cel/value.h"

namespace kulisse::openapi::cel {

// All but kIndex, kEquals and kNotEquals, for any types; one argument or two. Arguments are no
// errors.
[[nodiscard]] Value ApplyOperator(Operator op, std::span<const Value> arguments,
                                  Evaluation& evaluation);
// `container[index]`, or `container.field` with a string.
[[nodiscard]] Value ApplyIndex(const Value& container, const Value& index, Evaluation& evaluation);
// has(container.field).
[[nodiscard]] Value HasField(const Value& container, std::string_view field,
                             Evaluation& evaluation);

// The value as "int", "string" …; errors as `type conversion error from 'string' to 'int'`.
[[nodiscard]] Value Convert(const Value& value, std::string_view type, Evaluation& evaluation);

}  // namespace kulisse::openapi::cel
