// The words of a jq program.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace kulisse::simulator::jq {

struct StringPart;

struct Token {
  enum class Kind : uint8_t {
    kEnd,
    kOperator,  // text: "|", "//=", "(", "..", "?//" …
    kIdent,
    kKeyword,
    kField,     // .name; text: name
    kVariable,  // $name; text with its $
    kFormat,    // @name; text with its @
    kNumber,
    kString,
  };
  Kind kind = Kind::kEnd;
  size_t offset = 0;
  std::string_view text;
  std::vector<StringPart> parts;  // of a string

  [[nodiscard]] bool Is(std::string_view word) const {
    return (kind == Kind::kOperator || kind == Kind::kKeyword) && text == word;
  }
};

// A piece of a string: text, or the words of an interpolated query, ended by kEnd.
struct StringPart {
  std::string text;
  bool is_query = false;
  std::vector<Token> query;
};

// The words in order, the last of them kEnd. Their texts lie in `program`.
[[nodiscard]] std::expected<std::vector<Token>, std::string> ReadTokens(std::string_view program);

// Whether the whole text is a number as `tonumber` takes it.
[[nodiscard]] bool IsNumberText(std::string_view text);

}  // namespace kulisse::simulator::jq
