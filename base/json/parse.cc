#include "base/json/parse.h"

#include <fmt/format.h>
#define RAPIDJSON_HAS_STDSTRING 0
#ifdef __SSE2__
#define RAPIDJSON_SSE2
#endif
#include <rapidjson/reader.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <system_error>

#include "base/json/member_index.h"
#include "base/limits.h"
#include "base/text.h"

namespace kulisse::json {

namespace {

// RapidJSON looks at this many bytes at once.
constexpr size_t kScannedBytes = 16;

// Whether all of the text is a T; *number is it.
template <class T>
bool IsNumber(std::string_view text, T* number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
  return error == std::errc() && end == text.data() + text.size();
}

// The value of a JSON number, nothing if it is beyond float64. RapidJSON's own reader of doubles
// is wrong where the first digits make 2^64 or 0: "18446744073709551615.5", "0e41".
std::optional<Value> ToNumber(std::string_view text) {
  if (int64_t number = 0; IsNumber(text, &number)) return Value::Int(number);
  if (uint64_t number = 0; IsNumber(text, &number)) return Value::Uint(number);
  if (double number = 0; IsNumber(text, &number)) return Value::Double(number);
  // Too large, or so small that it is rounded to zero.
  const double number = std::strtod(std::string(text).c_str(), nullptr);
  if (!std::isfinite(number)) return std::nullopt;
  return Value::Double(number);
}

// Builds Values from the reader's events. Strings point into the parsed text (in situ).
class Builder {
 public:
  using Ch = char;

  Builder(Arena& arena, std::vector<std::string>* duplicates)
      : arena_(arena), duplicates_(duplicates) {}

  bool Null() { return Add(Value()); }
  bool Bool(bool b) { return Add(Value::Bool(b)); }
  // Numbers come as text (kParseNumbersAsStringsFlag).
  bool Int(int) { return false; }
  bool Uint(unsigned) { return false; }
  bool Int64(int64_t) { return false; }
  bool Uint64(uint64_t) { return false; }
  bool Double(double) { return false; }
  bool RawNumber(const char* text, rapidjson::SizeType length, bool /*copy*/) {
    std::optional<Value> number = ToNumber({text, length});
    return number && Add(std::move(*number));
  }
  bool String(const char* text, rapidjson::SizeType length, bool /*copy*/) {
    return Add(Value::StringRef({text, length}));
  }
  bool StartObject() { return Push(Value::Object()); }
  bool Key(const char* text, rapidjson::SizeType length, bool /*copy*/) {
    frames_.back().name = {text, length};
    return true;
  }
  bool EndObject(rapidjson::SizeType) { return Pop(); }
  bool StartArray() { return Push(Value::Array()); }
  bool EndArray(rapidjson::SizeType) { return Pop(); }

  Value TakeRoot() { return std::move(root_); }
  [[nodiscard]] bool too_deep() const { return too_deep_; }

 private:
  struct Frame {
    Value value;
    std::string_view name;  // of the member being read, when value is an object
    MemberIndex index;
  };

  bool Add(Value value) {
    if (frames_.empty()) {
      root_ = std::move(value);
      return true;
    }
    Frame& frame = frames_.back();
    if (frame.value.IsArray()) {
      frame.value.PushBack(std::move(value), arena_);
      return true;
    }
    if (Value* existing = frame.index.Find(frame.value, frame.name)) {
      if (duplicates_ != nullptr) duplicates_->push_back(Path());
      *existing = std::move(value);
    } else {
      frame.value.AppendRef(frame.name, std::move(value), arena_);
    }
    return true;
  }

  bool Push(Value container) {
    if (frames_.size() >= kJsonDepthMax) {
      too_deep_ = true;
      return false;
    }
    frames_.push_back({std::move(container), {}, {}});
    return true;
  }

  bool Pop() {
    Value done = std::move(frames_.back().value);
    frames_.pop_back();
    return Add(std::move(done));
  }

  [[nodiscard]] std::string Path() const {
    std::string path;
    for (const Frame& frame : frames_) {
      if (frame.value.IsArray()) {
        path += fmt::format("[{}]", frame.value.size());
      } else {
        if (!path.empty()) path += '.';
        path += frame.name;
      }
    }
    return path;
  }

  Arena& arena_;
  std::vector<std::string>* duplicates_;
  std::vector<Frame> frames_;
  Value root_;
  bool too_deep_ = false;
};

// Finds the first syntax error as Go's encoding/json words it (upstream: encoding/json/scanner.go).
class GoScanner {
 public:
  explicit GoScanner(std::string_view text) : text_(text) {}

  std::optional<ParseError> FirstError() {
    if (!ParseValue("looking for beginning of value")) return error_;
    SkipSpace();
    if (at_ < text_.size()) return Fail("after top-level value"), error_;
    return std::nullopt;
  }

 private:
  // At the end of the text, where blanks would be allowed.
  bool Fail(std::string_view context) {
    if (at_ >= text_.size()) {
      error_ = ParseError{at_, "unexpected end of JSON input"};
      return false;
    }
    return FailInToken(context);
  }

  // Within a number, a literal or an escape: Go treats the end of the text as a blank there.
  bool FailInToken(std::string_view context) {
    if (at_ >= text_.size()) {
      error_ = ParseError{at_, fmt::format("invalid character ' ' {}", context)};
      return false;
    }
    error_ = ParseError{at_, fmt::format("invalid character {} {}", QuoteChar(), context)};
    return false;
  }

  [[nodiscard]] std::string QuoteChar() const {
    const char c = text_[at_];
    if (c == '\'') return "'\\''";
    if (c == '"') return "'\"'";
    return fmt::format("'{}'", GoQuoteByte(c));
  }

  // Go prints the byte as the character of that number.
  static std::string GoQuoteByte(char c) {
    constexpr std::string_view kNamed = "\a\b\t\n\v\f\r\\";
    constexpr std::string_view kLetters = "abtnvfr\\";
    const size_t named = kNamed.find(c);
    if (named != std::string_view::npos) return {'\\', kLetters[named]};
    const auto byte = static_cast<unsigned char>(c);
    constexpr unsigned kNoBreakSpace = 0xa0;
    constexpr unsigned kSoftHyphen = 0xad;
    if (byte < 0x20 || byte == 0x7f) return fmt::format("\\x{:02x}", byte);
    if (byte < 0x80) return std::string(1, c);
    if (byte <= kNoBreakSpace || byte == kSoftHyphen) return fmt::format("\\u{:04x}", byte);
    return {static_cast<char>(0xc0 | byte >> 6), static_cast<char>(0x80 | (byte & 0x3f))};
  }

  void SkipSpace() {
    while (at_ < text_.size() && std::strchr(" \t\r\n", text_[at_]) != nullptr && text_[at_] != 0) {
      ++at_;
    }
  }
  [[nodiscard]] bool At(char c) const { return at_ < text_.size() && text_[at_] == c; }
  [[nodiscard]] bool AtDigit() const {
    return at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9';
  }

  // Containers are tracked in a stack of their opening characters: no recursion.
  bool ParseValue(std::string_view context) {
    std::string open;
    while (true) {
      SkipSpace();
      if (At('{') || At('[')) {
        const char kind = text_[at_++];
        SkipSpace();
        if (At(kind == '{' ? '}' : ']')) {
          ++at_;
        } else {
          open += kind;
          if (open.size() > kJsonDepthMax) {
            error_ = ParseError{at_, "exceeded max depth"};
            return false;
          }
          if (kind == '{' && !ParseName("looking for beginning of object key string")) return false;
          context = "looking for beginning of value";
          continue;
        }
      } else if (!ParseScalar(context)) {
        return false;
      }
      // A value has ended: close containers until one goes on.
      while (true) {
        if (open.empty()) return true;
        SkipSpace();
        const bool in_object = open.back() == '{';
        if (At(',')) {
          ++at_;
          if (in_object && !ParseName("looking for beginning of object key string")) return false;
          break;
        }
        if (!At(in_object ? '}' : ']')) {
          return Fail(in_object ? "after object key:value pair" : "after array element");
        }
        ++at_;
        open.pop_back();
      }
      context = "looking for beginning of value";
    }
  }

  bool ParseName(std::string_view context) {
    SkipSpace();
    if (!At('"')) return Fail(context);
    if (!ParseText()) return false;
    SkipSpace();
    if (!At(':')) return Fail("after object key");
    ++at_;
    return true;
  }

  bool ParseScalar(std::string_view context) {
    if (At('"')) return ParseText();
    if (At('-') || AtDigit()) return ParseNumber();
    for (const std::string_view word : {"true", "false", "null"}) {
      if (!At(word[0])) continue;
      for (size_t i = 0; i < word.size(); ++i, ++at_) {
        if (!At(word[i])) {
          return FailInToken(fmt::format("in literal {} (expecting '{}')", word, word[i]));
        }
      }
      return true;
    }
    return Fail(context);
  }

  bool ParseText() {
    ++at_;
    while (!At('"')) {
      if (at_ >= text_.size()) return Fail("");
      if (static_cast<unsigned char>(text_[at_]) < 0x20) return Fail("in string literal");
      if (text_[at_++] != '\\') continue;
      if (at_ >= text_.size()) return FailInToken("in string escape code");
      if (text_[at_] == 'u') {
        ++at_;
        for (int i = 0; i < 4; ++i, ++at_) {
          if (at_ >= text_.size() || std::isxdigit(static_cast<unsigned char>(text_[at_])) == 0) {
            return FailInToken("in \\u hexadecimal character escape");
          }
        }
      } else if (std::string_view("\"\\/bfnrt").find(text_[at_]) == std::string_view::npos) {
        return Fail("in string escape code");
      } else {
        ++at_;
      }
    }
    ++at_;
    return true;
  }

  bool ParseNumber() {
    if (At('-')) ++at_;
    if (!AtDigit()) return FailInToken("in numeric literal");
    if (At('0')) {
      ++at_;
    } else {
      while (AtDigit()) ++at_;
    }
    if (At('.')) {
      ++at_;
      if (!AtDigit()) return FailInToken("after decimal point in numeric literal");
      while (AtDigit()) ++at_;
    }
    if (At('e') || At('E')) {
      ++at_;
      if (At('+') || At('-')) ++at_;
      if (!AtDigit()) return FailInToken("in exponent of numeric literal");
      while (AtDigit()) ++at_;
    }
    return true;
  }

  std::string_view text_;
  size_t at_ = 0;
  ParseError error_;
};

// What Go reads as U+FFFD: bytes that are no UTF-8, and \u escapes of lone surrogates.
std::string Sanitize(std::string_view text) {
  const auto hex4 = [&text](size_t i) -> unsigned {
    unsigned value = 0;
    if (i + 6 > text.size() || text[i] != '\\' || text[i + 1] != 'u') return 0;
    for (size_t k = i + 2; k < i + 6; ++k) {
      const char c = text[k];
      const unsigned digit = c >= '0' && c <= '9'   ? static_cast<unsigned>(c - '0')
                             : c >= 'a' && c <= 'f' ? static_cast<unsigned>(c - 'a' + 10)
                             : c >= 'A' && c <= 'F' ? static_cast<unsigned>(c - 'A' + 10)
                                                    : 0x10000U;
      if (digit == 0x10000U) return 0;
      value = value * 16 + digit;
    }
    return value;
  };
  std::string out;
  out.reserve(text.size() + 16);
  for (size_t i = 0; i < text.size();) {
    if (text[i] == '\\') {
      const unsigned unit = hex4(i);
      const unsigned next = unit >= 0xd800 && unit < 0xdc00 ? hex4(i + 6) : 0;
      if (next >= 0xdc00 && next < 0xe000) {
        out.append(text, i, 12);
        i += 12;
      } else if (unit >= 0xd800 && unit < 0xe000) {
        out += "\\ufffd";
        i += 6;
      } else {
        out.append(text, i, 2);
        i += 2;
      }
      continue;
    }
    const size_t length = Utf8SequenceLength(text.substr(i));
    if (length == 0) {
      out += "\xef\xbf\xbd";
      ++i;
    } else {
      out.append(text, i, length);
      i += length;
    }
  }
  return out;
}

// Whether there is an escape of a surrogate: RapidJSON makes bad UTF-8 of lone ones.
bool MayHoldSurrogate(std::string_view text) {
  return text.find("\\ud") != std::string_view::npos || text.find("\\uD") != std::string_view::npos;
}

struct Attempt {
  bool ok = false;
  bool too_deep = false;
  size_t offset = 0;
  Value root;
};

Attempt TryParse(std::string_view text, Arena& arena, std::vector<std::string>* duplicates) {
  // Room for the end that is read when strings are scanned in blocks.
  char* copy = static_cast<char*>(arena.Allocate(text.size() + 1 + kScannedBytes));
  std::memcpy(copy, text.data(), text.size());
  copy[text.size()] = '\0';
  Builder builder(arena, duplicates);
  rapidjson::Reader reader;
  rapidjson::InsituStringStream stream(copy);
  constexpr unsigned kFlags = rapidjson::kParseInsituFlag | rapidjson::kParseIterativeFlag |
                              rapidjson::kParseNumbersAsStringsFlag;
  const rapidjson::ParseResult result = reader.Parse<kFlags>(stream, builder);
  Attempt attempt;
  attempt.ok = !result.IsError();
  attempt.offset = result.Offset();
  attempt.too_deep = builder.too_deep();
  if (attempt.ok) attempt.root = builder.TakeRoot();
  return attempt;
}

}  // namespace

std::expected<Value, ParseError> ParseInto(std::string_view text, Arena& arena,
                                           std::vector<std::string>* duplicates) {
  if (text.find('\0') == std::string_view::npos && IsUtf8(text) && !MayHoldSurrogate(text)) {
    Attempt attempt = TryParse(text, arena, duplicates);
    if (attempt.ok) return std::move(attempt.root);
    if (attempt.too_deep) return std::unexpected(ParseError{attempt.offset, "exceeded max depth"});
  }
  // The slow path words the error as Go does, or repairs what Go repairs.
  if (auto error = GoScanner(text).FirstError()) return std::unexpected(std::move(*error));
  if (duplicates != nullptr) duplicates->clear();
  Attempt attempt = TryParse(Sanitize(text), arena, duplicates);
  if (attempt.ok) return std::move(attempt.root);
  // All that RapidJSON still refuses is a number beyond float64.
  const std::string_view rest = text.substr(std::min(attempt.offset, text.size()));
  const std::string_view number = rest.substr(0, rest.find_first_not_of("+-.0123456789eE"));
  return std::unexpected(ParseError{
      attempt.offset,
      fmt::format("json: cannot unmarshal number {} into Go value of type float64", number)});
}

std::expected<Document, ParseError> Parse(std::string_view text,
                                          std::vector<std::string>* duplicates) {
  Document document;
  auto root = ParseInto(text, document.arena, duplicates);
  if (!root) return std::unexpected(std::move(root).error());
  document.root = std::move(*root);
  return document;
}

}  // namespace kulisse::json
