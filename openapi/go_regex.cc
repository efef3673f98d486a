#include "openapi/go_regex.h"

#include <fmt/format.h>

#include "openapi/cel/limits.h"

namespace kulisse::openapi {

namespace {

// What Go's regexp calls RE2's errors.
std::string_view WordsOf(re2::RE2::ErrorCode code) {
  switch (code) {
    case re2::RE2::ErrorBadEscape:
      return "invalid escape sequence";
    case re2::RE2::ErrorBadCharClass:
    case re2::RE2::ErrorBadCharRange:
      return "invalid character class range";
    case re2::RE2::ErrorMissingBracket:
      return "missing closing ]";
    case re2::RE2::ErrorMissingParen:
      return "missing closing )";
    case re2::RE2::ErrorUnexpectedParen:
      return "unexpected )";
    case re2::RE2::ErrorTrailingBackslash:
      return "trailing backslash at end of expression";
    case re2::RE2::ErrorRepeatArgument:
      return "missing argument to repetition operator";
    case re2::RE2::ErrorRepeatSize:
      return "invalid repeat count";
    case re2::RE2::ErrorRepeatOp:
      return "invalid nested repetition operator";
    case re2::RE2::ErrorBadPerlOp:
      return "invalid or unsupported Perl syntax";
    case re2::RE2::ErrorBadUTF8:
      return "invalid UTF-8";
    case re2::RE2::ErrorBadNamedCapture:
      return "invalid named capture";
    default:
      return "expression too large";
  }
}

}  // namespace

std::unique_ptr<const re2::RE2> CompileRegex(std::string_view pattern) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(cel::kCelRegexBytesMax);
  return std::make_unique<const re2::RE2>(re2::StringPiece(pattern.data(), pattern.size()),
                                          options);
}

std::string RegexErrorOf(const re2::RE2& regex, std::string_view pattern) {
  if (regex.ok()) return "";
  const std::string_view what = WordsOf(regex.error_code());
  const bool whole = regex.error_code() == re2::RE2::ErrorMissingParen ||
                     regex.error_code() == re2::RE2::ErrorUnexpectedParen;
  std::string_view where = whole ? pattern : std::string_view(regex.error_arg());
  if (regex.error_code() == re2::RE2::ErrorTrailingBackslash) where = "";
  return fmt::format("error parsing regexp: {}: `{}`", what, where);
}

bool MatchesRegex(const re2::RE2& regex, std::string_view text) {
  return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), regex);
}

}  // namespace kulisse::openapi
