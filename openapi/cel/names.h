// What is wrong with an expression as far as it can be told without the types and functions of its
// host: its syntax, and names that nothing declares. Optional syntax is taken.
// For hosts whose libraries are not here, so that nothing right is refused.
//
// Threads: pure function. Errors: cel-go's texts. Limits: those of the parser.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace kulisse::openapi::cel {

// The errors with their places, or nothing. `variables` are those that the host declares.
[[nodiscard]] std::optional<std::string> FindNameErrors(
    std::string_view text, std::span<const std::string_view> variables);

}  // namespace kulisse::openapi::cel
