// Values as Go's fmt prints them, in the messages of server-side apply.
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "base/json/value.h"

namespace kulisse::openapi {

[[nodiscard]] std::string GoText(const json::Value& value);           // %v
[[nodiscard]] std::string GoSyntaxText(const json::Value& value);     // %#v
[[nodiscard]] std::string_view GoTypeText(const json::Value& value);  // %T

}  // namespace kulisse::openapi
