// CEL expressions in objects: their syntax, and names that nothing declares. Types and functions
// are not looked at: the libraries of policies and devices are not here. Threads: pure functions.
#pragma once

#include <string_view>

#include "openapi/validation/walk.h"

namespace kulisse::openapi {

enum class ExpressionPlace : uint8_t {
  kAdmission,  // policies and webhooks: object, oldObject, request …
  kDevice,     // selectors of devices: device
};

// Refuses the value at `path` when `text` does not compile. `value` is what the refusal quotes.
void CheckExpression(std::string_view text, std::string_view value, ExpressionPlace place,
                     const Path& path, Walk& walk);
inline void CheckExpression(std::string_view text, ExpressionPlace place, const Path& path,
                            Walk& walk) {
  CheckExpression(text, text, place, path, walk);
}

// A rule of x-kubernetes-validations in a schema: its rule and its messageExpression.
void CheckSchemaRule(const Value& rule, const Path& path, Walk& walk);

}  // namespace kulisse::openapi
