// Source is the text of an expression, and the errors in it as cel-go prints them: with the line
// and a caret.
// Upstream: common/source.go, common/error.go. Threads: const access from any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kulisse::openapi::cel {

// A place in the text, in code points; kNoPosition is none.
using Position = int32_t;
inline constexpr Position kNoPosition = -1;

struct Issue {
  Position position = kNoPosition;
  std::string message;
};

class Source {
 public:
  // `description` stands before the place in errors: "<input>".
  Source(std::string_view text, std::string_view description);

  [[nodiscard]] std::string_view text() const { return text_; }
  // In code points.
  [[nodiscard]] size_t size() const { return size_; }
  // All issues, by place, a line or three each:
  //   ERROR: <input>:1:5: undeclared reference to 'x' (in container '')
  //    | a + x
  //    | ....^
  [[nodiscard]] std::string Display(std::vector<Issue> issues) const;

 private:
  [[nodiscard]] std::string DisplayOne(const Issue& issue) const;

  std::string text_;
  std::string description_;
  size_t size_ = 0;
  struct Line {
    Position position;  // of its first code point
    size_t byte;
  };
  std::vector<Line> lines_;
};

// Bytes of the code point at the front of the text, at least 1; an invalid byte is one by itself.
[[nodiscard]] size_t CodePointBytes(std::string_view text);

}  // namespace kulisse::openapi::cel
