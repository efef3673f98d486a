// Reads JSON text.
//
// As Go's encoding/json: of a name that occurs twice in an object the last value counts (in the
// place of the first); integers beyond 64 bits become doubles; text after the value is an error.
// Limits: kJsonDepthMax nested levels.
// Threads: pure functions.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/value.h"

namespace kulisse::json {

// The message is Go's: "unexpected end of JSON input", "invalid character 'x' looking for
// beginning of value" …
struct ParseError {
  size_t offset = 0;
  std::string message;
};

// When `duplicates` is given, the paths of names that came twice are added to it, in the order of
// the text: "data.a", "spec.containers[0].name".
[[nodiscard]] std::expected<Document, ParseError> Parse(
    std::string_view text, std::vector<std::string>* duplicates = nullptr);

// As above into an arena that is there already.
[[nodiscard]] std::expected<Value, ParseError> ParseInto(
    std::string_view text, Arena& arena, std::vector<std::string>* duplicates = nullptr);

}  // namespace kulisse::json
