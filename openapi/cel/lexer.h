// The tokens of CEL. What is no token is reported and left out, as cel-go's lexer does.
// Upstream: parser/gen/CEL.g4. Threads: pure functions.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "openapi/cel/source.h"

namespace kulisse::openapi::cel {

enum class TokenKind : uint8_t {
  kEnd,
  kOperator,  // `text` tells which: "&&", "(", "?" …
  kIn,
  kTrue,
  kFalse,
  kNull,
  kInt,
  kUint,
  kFloat,
  kString,
  kBytes,
  kIdentifier,
  kEscapedIdentifier,  // `a.b`
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string_view text;
  Position position = 0;
};

// All tokens, the last of kind kEnd. Appends what went wrong.
[[nodiscard]] std::vector<Token> Tokenize(std::string_view text, std::vector<Issue>* issues);

// The content of a string literal with its quotes (and r, but not b).
// Upstream: parser/unescape.go.
[[nodiscard]] std::expected<std::string, std::string> Unquote(std::string_view literal,
                                                              bool is_bytes);

}  // namespace kulisse::openapi::cel
