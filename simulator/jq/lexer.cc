#include "simulator/jq/lexer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "base/utf8.h"
#include "simulator/jq/value.h"
#include "simulator/limits.h"

namespace kulisse::simulator::jq {

namespace {

// Longer ones first.
constexpr std::string_view kOperators[] = {"?//", "//=", "..", "|=", "+=", "-=", "*=", "/=", "//",
                                           "%=",  "==",  "!=", ">=", "<=", ".",  "[",  "]",  "(",
                                           ")",   "{",   "}",  "|",  ",",  ":",  ";",  "=",  "<",
                                           ">",   "+",   "-",  "*",  "/",  "%",  "?"};

constexpr std::string_view kKeywords[] = {"or",    "and",    "module", "import", "include", "def",
                                          "as",    "label",  "break",  "null",   "true",    "false",
                                          "if",    "then",   "elif",   "else",   "end",     "try",
                                          "catch", "reduce", "foreach"};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsIdentStart(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool IsIdent(char c) { return IsIdentStart(c) || IsDigit(c); }

// How many bytes of `text` are a number; 0: it is none, or one that goes wrong.
size_t NumberLength(std::string_view text) {
  size_t at = 0;
  const auto digits = [&] {
    const size_t before = at;
    while (at < text.size() && IsDigit(text[at])) ++at;
    return at - before;
  };
  size_t count = digits();
  if (at < text.size() && text[at] == '.') {
    ++at;
    count += digits();
    if (at < text.size() && text[at] == '.') return 0;
  }
  if (count == 0) return 0;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
    if (digits() == 0) return 0;
  }
  return at < text.size() && IsIdentStart(text[at]) ? 0 : at;
}

class Lexer {
 public:
  explicit Lexer(std::string_view program) : program_(program) {}

  // Up to the end, or to the `)` that ends an interpolated query.
  bool ReadAll(bool in_string, size_t depth, std::vector<Token>* tokens) {
    if (depth > kExpressionDepthMax) return Fail("the expression is nested too deeply");
    size_t open = 0;
    for (;;) {
      SkipBlanks();
      Token token{.kind = Token::Kind::kEnd, .offset = at_, .text = {}, .parts = {}};
      if (at_ == program_.size()) {
        if (in_string) return Fail("unterminated string literal");
        tokens->push_back(std::move(token));
        return true;
      }
      if (!ReadToken(depth, &token)) return false;
      if (token.Is("(")) ++open;
      if (token.Is(")")) {
        if (in_string && open == 0) {
          token.kind = Token::Kind::kEnd;
          tokens->push_back(std::move(token));
          return true;
        }
        open -= open > 0;
      }
      tokens->push_back(std::move(token));
    }
  }

  [[nodiscard]] std::string& error() { return error_; }

 private:
  [[nodiscard]] std::string_view Rest() const { return program_.substr(at_); }

  bool Fail(std::string_view what) {
    error_ = fmt::format("{} (at {})", what, at_);
    return false;
  }

  void SkipBlanks() {
    while (at_ < program_.size()) {
      const char c = program_[at_];
      if (c == '#') {
        SkipComment();
      } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
        ++at_;
      } else {
        return;
      }
    }
  }

  // To the end of the line; a backslash before it (or before another one) carries it on.
  void SkipComment() {
    while (at_ < program_.size() && program_[at_] != '\n' && program_[at_] != '\r') {
      const bool escape = program_[at_++] == '\\';
      if (!escape || at_ == program_.size()) continue;
      if (Rest().starts_with("\r\n")) {
        at_ += 2;
      } else if (program_[at_] == '\\' || program_[at_] == '\n' || program_[at_] == '\r') {
        ++at_;
      }
    }
  }

  bool Take(Token::Kind kind, size_t length, size_t prefix, Token* token) {
    token->kind = kind;
    token->text = Rest().substr(prefix, length - prefix);
    at_ += length;
    return true;
  }

  [[nodiscard]] size_t IdentLength(size_t from) const {
    const std::string_view rest = Rest();
    size_t end = from;
    while (end < rest.size() && IsIdent(rest[end])) ++end;
    return end;
  }

  bool ReadToken(size_t depth, Token* token) {
    const std::string_view rest = Rest();
    const char first = rest[0];
    const char second = rest.size() > 1 ? rest[1] : '\0';
    if (IsIdentStart(first)) {
      Take(Token::Kind::kIdent, IdentLength(0), 0, token);
      if (std::ranges::find(kKeywords, token->text) != std::end(kKeywords))
        token->kind = Token::Kind::kKeyword;
      return true;
    }
    if (IsDigit(first) || (first == '.' && IsDigit(second))) {
      const size_t length = NumberLength(rest);
      if (length == 0) return Fail("invalid number");
      return Take(Token::Kind::kNumber, length, 0, token);
    }
    if (first == '"') return ReadString(depth, token);
    if (first == '.' && IsIdentStart(second)) {
      return Take(Token::Kind::kField, IdentLength(1), 1, token);
    }
    if (first == '$' && IsIdentStart(second)) {
      return Take(Token::Kind::kVariable, IdentLength(1), 0, token);
    }
    if (first == '@' && IsIdent(second)) {
      return Take(Token::Kind::kFormat, IdentLength(1), 0, token);
    }
    for (const std::string_view op : kOperators) {
      if (rest.starts_with(op)) return Take(Token::Kind::kOperator, op.size(), 0, token);
    }
    const size_t length = std::max<size_t>(1, Utf8SequenceLength(rest));
    return Fail(fmt::format("unexpected token {}", Quoted(rest.substr(0, length))));
  }

  static std::string Quoted(std::string_view text) {
    std::string quoted;
    AppendQuoted(text, &quoted);
    return quoted;
  }

  bool ReadString(size_t depth, Token* token) {
    token->kind = Token::Kind::kString;
    std::string text;
    const auto end_text = [&] {
      if (!text.empty()) token->parts.push_back({ToValidUtf8(text), false, {}});
      text.clear();
    };
    for (++at_; at_ < program_.size();) {
      const char c = program_[at_];
      if (c == '"') {
        ++at_;
        end_text();
        return true;
      }
      if (c != '\\') {
        text += c;
        ++at_;
        continue;
      }
      if (Rest().starts_with("\\(")) {
        end_text();
        at_ += 2;
        StringPart part{.text = {}, .is_query = true, .query = {}};
        if (!ReadAll(true, depth + 1, &part.query)) return false;
        token->parts.push_back(std::move(part));
        continue;
      }
      if (!ReadEscape(&text)) return false;
    }
    return Fail("unterminated string literal");
  }

  bool ReadEscape(std::string* text) {
    constexpr std::string_view kEscapes = "\"/\\bfnrt";
    constexpr std::string_view kMeanings = "\"/\\\b\f\n\r\t";
    const std::string_view rest = Rest();
    if (rest.size() > 1) {
      if (const size_t which = kEscapes.find(rest[1]); which != std::string_view::npos) {
        *text += kMeanings[which];
        at_ += 2;
        return true;
      }
    }
    char32_t rune = 0;
    if (!ReadUnicodeEscape(&rune)) return Fail("invalid escape sequence in string literal");
    constexpr char32_t kHighFirst = 0xd800;
    constexpr char32_t kLowFirst = 0xdc00;
    constexpr char32_t kLowEnd = 0xe000;
    if (rune >= kHighFirst && rune < kLowFirst) {
      const size_t before = at_;
      char32_t low = 0;
      if (ReadUnicodeEscape(&low) && low >= kLowFirst && low < kLowEnd) {
        rune = 0x10000 + ((rune - kHighFirst) << 10) + (low - kLowFirst);
      } else {
        at_ = before;
      }
    }
    AppendUtf8(rune, text);
    return true;
  }

  bool ReadUnicodeEscape(char32_t* rune) {
    const std::string_view rest = Rest();
    if (!rest.starts_with("\\u") || rest.size() < 6) return false;
    *rune = 0;
    for (const char c : rest.substr(2, 4)) {
      const char lower = static_cast<char>(c | 0x20);
      if (!IsDigit(c) && (lower < 'a' || lower > 'f')) return false;
      *rune = *rune << 4 | static_cast<char32_t>(IsDigit(c) ? c - '0' : lower - 'a' + 10);
    }
    at_ += 6;
    return true;
  }

  std::string_view program_;
  size_t at_ = 0;
  std::string error_;
};

}  // namespace

std::expected<std::vector<Token>, std::string> ReadTokens(std::string_view program) {
  Lexer lexer(program);
  std::vector<Token> tokens;
  if (!lexer.ReadAll(false, 0, &tokens)) return std::unexpected(std::move(lexer.error()));
  return tokens;
}

bool IsNumberText(std::string_view text) {
  if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  return !text.empty() && NumberLength(text) == text.size();
}

}  // namespace kulisse::simulator::jq
