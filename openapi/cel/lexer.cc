#include "openapi/cel/lexer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/utf8.h"

namespace kulisse::openapi::cel {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsHex(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

// Longest first.
constexpr std::array<std::string_view, 24> kOperators = {
    "==", "!=", "<=", ">=", "&&", "||", "<", ">", "[", "]", "{", "}",
    "(",  ")",  ".",  ",",  "-",  "!",  "?", ":", "+", "*", "/", "%"};

// What a scan found: a token that ends before `end`, or that there is none because of the character
// before `end`.
struct Scan {
  bool ok;
  size_t end;
};

class Lexer {
 public:
  Lexer(std::string_view text, std::vector<Issue>* issues) : text_(text), issues_(issues) {}

  std::vector<Token> Run() {
    while (SkipBlanks()) Next();
    tokens_.push_back({.kind = TokenKind::kEnd, .text = {}, .position = position_});
    return std::move(tokens_);
  }

 private:
  [[nodiscard]] char At(size_t at) const { return at < text_.size() ? text_[at] : '\0'; }

  // Moves to the next token; false at the end.
  bool SkipBlanks() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f') {
        Advance(at_ + 1);
      } else if (c == '/' && At(at_ + 1) == '/') {
        Advance(std::min(text_.find('\n', at_), text_.size()));
      } else {
        return true;
      }
    }
    return false;
  }

  void Advance(size_t end) {
    while (at_ < end) {
      at_ += CodePointBytes(text_.substr(at_));
      ++position_;
    }
  }

  void Emit(TokenKind kind, size_t end) {
    tokens_.push_back({.kind = kind, .text = text_.substr(at_, end - at_), .position = position_});
    Advance(end);
  }

  // The text up to and with the character that no token goes on with.
  void Refuse(size_t end) {
    const std::string shown(text_.substr(at_, end - at_));
    issues_->push_back({.position = position_,
                        .message = "Syntax error: token recognition error at: '" + shown + "'"});
    Advance(end);
  }

  [[nodiscard]] size_t AfterCharacter(size_t at) const {
    return at >= text_.size() ? text_.size() : at + CodePointBytes(text_.substr(at));
  }

  void Next() {
    const char c = text_[at_];
    if (const auto string = ScanString()) {
      const bool bytes = c == 'b' || c == 'B';
      if (string->ok) return Emit(bytes ? TokenKind::kBytes : TokenKind::kString, string->end);
      if (!IsLetter(c)) return Refuse(string->end);
      // The prefix is a name, then.
    }
    if (IsLetter(c)) return Identifier();
    if (IsDigit(c) || (c == '.' && IsDigit(At(at_ + 1)))) return Number();
    if (c == '`') return EscapedIdentifier();
    for (const std::string_view op : kOperators) {
      if (text_.substr(at_).starts_with(op)) return Emit(TokenKind::kOperator, at_ + op.size());
    }
    // Half of an operator is refused together with what stands in place of the other half.
    const bool half = c == '&' || c == '|' || c == '=';
    Refuse(AfterCharacter(half ? at_ + 1 : at_));
  }

  void Identifier() {
    size_t end = at_;
    while (IsLetter(At(end)) || IsDigit(At(end))) ++end;
    const std::string_view word = text_.substr(at_, end - at_);
    Emit(word == "in"      ? TokenKind::kIn
         : word == "true"  ? TokenKind::kTrue
         : word == "false" ? TokenKind::kFalse
         : word == "null"  ? TokenKind::kNull
                           : TokenKind::kIdentifier,
         end);
  }

  void EscapedIdentifier() {
    size_t end = at_ + 1;
    const auto is_part = [](char c) {
      return IsLetter(c) || IsDigit(c) || c == '.' || c == '-' || c == '/' || c == ' ';
    };
    while (is_part(At(end))) ++end;
    if (end > at_ + 1 && At(end) == '`') return Emit(TokenKind::kEscapedIdentifier, end + 1);
    Refuse(AfterCharacter(end));
  }

  void Number() {
    size_t end = at_;
    if (At(at_) == '0' && At(at_ + 1) == 'x' && IsHex(At(at_ + 2))) {
      end += 2;
      while (IsHex(At(end))) ++end;
      const bool natural = At(end) == 'u' || At(end) == 'U';
      return Emit(natural ? TokenKind::kUint : TokenKind::kInt, end + (natural ? 1 : 0));
    }
    while (IsDigit(At(end))) ++end;
    bool is_float = false;
    if (At(end) == '.' && IsDigit(At(end + 1))) {
      is_float = true;
      ++end;
      while (IsDigit(At(end))) ++end;
    }
    if (At(end) == 'e' || At(end) == 'E') {
      const size_t sign = At(end + 1) == '+' || At(end + 1) == '-' ? 1 : 0;
      if (IsDigit(At(end + 1 + sign))) {
        is_float = true;
        end += 1 + sign;
        while (IsDigit(At(end))) ++end;
      }
    }
    if (is_float) return Emit(TokenKind::kFloat, end);
    const bool natural = At(end) == 'u' || At(end) == 'U';
    Emit(natural ? TokenKind::kUint : TokenKind::kInt, end + (natural ? 1 : 0));
  }

  // Nothing when no string begins here.
  std::optional<Scan> ScanString() {
    size_t at = at_;
    if (At(at) == 'b' || At(at) == 'B') ++at;
    const bool raw = At(at) == 'r' || At(at) == 'R';
    if (raw) ++at;
    const char quote = At(at);
    if (quote != '"' && quote != '\'') return std::nullopt;
    if (At(at + 1) == quote && At(at + 2) == quote) {
      const Scan scan = ScanQuoted(at + 3, quote, raw, true);
      if (scan.ok) return scan;
      return Scan{.ok = true, .end = at + 2};  // the empty string
    }
    return ScanQuoted(at + 1, quote, raw, false);
  }

  [[nodiscard]] Scan ScanQuoted(size_t at, char quote, bool raw, bool triple) const {
    while (at < text_.size()) {
      const char c = text_[at];
      if (c == quote && (!triple || (At(at + 1) == quote && At(at + 2) == quote))) {
        return {.ok = true, .end = at + (triple ? 3 : 1)};
      }
      if (!triple && (c == '\n' || c == '\r')) return {.ok = false, .end = AfterCharacter(at)};
      if (c == '\\' && !raw) {
        const Scan escape = ScanEscape(at + 1);
        if (!escape.ok) return escape;
        at = escape.end;
      } else {
        at = AfterCharacter(at);
      }
    }
    return {.ok = false, .end = text_.size()};
  }

  // What follows a backslash.
  [[nodiscard]] Scan ScanEscape(size_t at) const {
    const char c = At(at);
    constexpr std::string_view kSingle = "abfnrtv\"'\\?`";
    if (c != '\0' && kSingle.find(c) != std::string_view::npos) return {.ok = true, .end = at + 1};
    const bool octal = c >= '0' && c <= '3';
    const size_t digits = octal ? 2 : c == 'x' || c == 'X' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    if (digits == 0) return {.ok = false, .end = AfterCharacter(at)};
    for (size_t i = 1; i <= digits; ++i) {
      const char digit = At(at + i);
      if (octal ? digit < '0' || digit > '7' : !IsHex(digit)) {
        return {.ok = false, .end = AfterCharacter(at + i)};
      }
    }
    return {.ok = true, .end = at + 1 + digits};
  }

  std::string_view text_;
  std::vector<Issue>* issues_;
  std::vector<Token> tokens_;
  size_t at_ = 0;
  Position position_ = 0;
};

std::optional<char> SingleEscape(char c) {
  constexpr std::string_view kFrom = "abfnrtv\\'\"`?";
  constexpr std::string_view kTo = "\a\b\f\n\r\t\v\\'\"`?";
  const size_t at = kFrom.find(c);
  return at == std::string_view::npos ? std::nullopt : std::optional(kTo[at]);
}

// Appends what the escape after a backslash stands for; an error's text, or "".
std::string_view TakeEscape(std::string_view* rest, bool is_bytes, std::string* out) {
  const char c = rest->front();
  rest->remove_prefix(1);
  if (const auto single = SingleEscape(c)) {
    *out += *single;
    return "";
  }
  if ((c == 'u' || c == 'U') && is_bytes) return "unable to unescape string";
  const bool octal = c >= '0' && c <= '3';
  const size_t digits = c == 'u' ? 4 : c == 'U' ? 8 : 2;  // the lexer knows that they are there
  uint32_t value = octal ? static_cast<uint32_t>(c - '0') : 0;
  for (size_t i = 0; i < digits; ++i) {
    const char digit = (*rest)[i];
    const int number = digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;
    value = value * (octal ? 8 : 16) + static_cast<uint32_t>(number);
  }
  rest->remove_prefix(digits);
  if (is_bytes) {
    *out += static_cast<char>(value);
    return "";
  }
  if (value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) return "invalid unicode code point";
  AppendUtf8(value, out);
  return "";
}

}  // namespace

std::vector<Token> Tokenize(std::string_view text, std::vector<Issue>* issues) {
  return Lexer(text, issues).Run();
}

std::expected<std::string, std::string> Unquote(std::string_view literal, bool is_bytes) {
  const bool raw = literal[0] == 'r' || literal[0] == 'R';
  if (raw) literal.remove_prefix(1);
  const bool triple = literal.size() >= 6 && literal[1] == literal[0] && literal[2] == literal[0];
  const size_t quotes = triple ? 3 : 1;
  std::string_view rest = literal.substr(quotes, literal.size() - 2 * quotes);
  std::string out;
  while (!rest.empty()) {
    const char c = rest.front();
    rest.remove_prefix(1);
    if (c == '\r') {  // line ends are \n
      if (rest.starts_with('\n')) rest.remove_prefix(1);
      out += '\n';
    } else if (c != '\\' || raw) {
      out += c;
    } else if (const auto error = TakeEscape(&rest, is_bytes, &out); !error.empty()) {
      return std::unexpected(std::string(error));
    }
  }
  return out;
}

}  // namespace kulisse::openapi::cel
