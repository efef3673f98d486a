#include "openapi/cel/source.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "openapi/cel/limits.h"

namespace kulisse::openapi::cel {

size_t CodePointBytes(std::string_view text) {
  const size_t length = Utf8SequenceLength(text);
  return length == 0 ? 1 : length;
}

Source::Source(std::string_view text, std::string_view description)
    : text_(text), description_(description) {
  lines_.push_back({.position = 0, .byte = 0});
  Position position = 0;
  for (size_t byte = 0; byte < text_.size();) {
    const bool newline = text_[byte] == '\n';
    byte += CodePointBytes(std::string_view(text_).substr(byte));
    ++position;
    if (newline) lines_.push_back({.position = position, .byte = byte});
  }
  size_ = static_cast<size_t>(position);
}

std::string Source::Display(std::vector<Issue> issues) const {
  std::ranges::stable_sort(issues, {}, &Issue::position);
  std::string text;
  for (size_t i = 0; i < issues.size() && i < kCelIssuesMax; ++i) {
    if (i > 0) text += '\n';
    text += DisplayOne(issues[i]);
  }
  if (issues.size() > kCelIssuesMax) {
    text += fmt::format("\n{} more errors were truncated", issues.size() - kCelIssuesMax);
  }
  return text;
}

std::string Source::DisplayOne(const Issue& issue) const {
  if (issue.position == kNoPosition) {
    return fmt::format("ERROR: {}:-1:0: {}", description_, issue.message);
  }
  if (text_.empty()) return fmt::format("ERROR: {}:1:0: {}", description_, issue.message);
  const auto after = std::ranges::upper_bound(lines_, issue.position, {}, &Line::position);
  const auto number = after - lines_.begin();
  const Line& line = *std::prev(after);
  const Position column = issue.position - line.position;
  std::string result =
      fmt::format("ERROR: {}:{}:{}: {}", description_, number, column + 1, issue.message);
  const std::string_view rest = std::string_view(text_).substr(line.byte);
  std::string snippet(rest.substr(0, rest.find('\n')));
  if (snippet.size() > kCelSnippetBytesMax) return result;
  std::ranges::replace(snippet, '\t', ' ');
  result += "\n | " + snippet + "\n | ";
  // A wide character is pointed at by wide dots and a wide caret.
  constexpr std::string_view kWideDot = "\uff0e", kWideCaret = "\uff3e";
  std::string_view left = snippet;
  for (Position i = 0; i < column && !left.empty(); ++i) {
    const size_t bytes = CodePointBytes(left);
    left.remove_prefix(bytes);
    result += bytes > 1 ? kWideDot : ".";
  }
  result += !left.empty() && CodePointBytes(left) > 1 ? kWideCaret : "^";
  return result;
}

}  // namespace kulisse::openapi::cel
