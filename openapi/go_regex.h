// Regular expressions as Go's package regexp reads them.
//
// Threads: pure functions; an expression serves any thread.
// Limits: cel::kCelRegexBytesMax for one; a larger one is an error.
#pragma once

#include <re2/re2.h>

#include <memory>
#include <string>
#include <string_view>

namespace kulisse::openapi {

[[nodiscard]] std::unique_ptr<const re2::RE2> CompileRegex(std::string_view pattern);
// Why it is none, in Go's words: "error parsing regexp: …"; "" when it is one.
[[nodiscard]] std::string RegexErrorOf(const re2::RE2& regex, std::string_view pattern);
// Whether it is found in the text. REQUIRES: it is one.
[[nodiscard]] bool MatchesRegex(const re2::RE2& regex, std::string_view text);

}  // namespace kulisse::openapi
