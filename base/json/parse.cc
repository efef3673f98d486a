#include "base/json/parse.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
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
#include "base/utf8.h"

namespace kulisse::json {

namespace {

// Whether all of the text is a T; *number is it.
template <class T>
bool IsNumber(std::string_view text, T* number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
  return error == std::errc() && end == text.data() + text.size();
}

// The value of a JSON number, nothing if it is beyond float64.
std::optional<Value> ToNumber(std::string_view text) {
  if (int64_t number = 0; IsNumber(text, &number)) return Value::Int(number);
  if (uint64_t number = 0; IsNumber(text, &number)) return Value::Uint(number);
  if (double number = 0; IsNumber(text, &number)) return Value::Double(number);
  // Too large, or so small that it is rounded to zero.
  const double number = std::strtod(std::string(text).c_str(), nullptr);
  if (!std::isfinite(number)) return std::nullopt;
  return Value::Double(number);
}

// Reads JSON that is in order into Values; of what is not it only says where it gave up. Strings
// point into the text, where escapes are replaced in place.
//
// REQUIRES: the text is UTF-8 and ends with kRoom zero bytes, which are not part of it.
class Reader {
 public:
  static constexpr size_t kRoom = sizeof(uint64_t);

  Reader(char* text, char* end, Arena& arena, std::vector<std::string>* duplicates)
      : begin_(text), at_(text), end_(end), arena_(arena), duplicates_(duplicates) {}

  bool Read(Value* root) {
    if (!ReadValue(root, nullptr)) return false;
    SkipSpace();
    return at_ == end_;
  }

  [[nodiscard]] size_t offset() const { return static_cast<size_t>(at_ - begin_); }
  [[nodiscard]] bool too_deep() const { return too_deep_; }

 private:
  // A container that is being read, on the way from the root.
  struct Frame {
    const Frame* parent;
    const Value* container;
    std::string_view name;  // of the member being read, when it is an object
    size_t depth;
  };

  void SkipSpace() {
    while (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t') ++at_;
  }
  bool Skip(char c) {
    SkipSpace();
    if (*at_ != c) return false;
    ++at_;
    return true;
  }
  bool SkipWord(std::string_view word) {
    if (std::string_view(at_, static_cast<size_t>(end_ - at_)).substr(0, word.size()) != word) {
      return false;
    }
    at_ += word.size();
    return true;
  }

  bool ReadValue(Value* value, const Frame* parent) {
    SkipSpace();
    switch (*at_) {
      case '{':
        return ReadObject(value, parent);
      case '[':
        return ReadArray(value, parent);
      case '"': {
        std::string_view text;
        if (!ReadString(&text)) return false;
        *value = Value::StringRef(text);
        return true;
      }
      case 't':
        *value = Value::Bool(true);
        return SkipWord("true");
      case 'f':
        *value = Value::Bool(false);
        return SkipWord("false");
      case 'n':
        *value = Value();
        return SkipWord("null");
      default:
        return ReadNumber(value);
    }
  }

  bool Enter(const Frame* parent, Frame* frame) {
    frame->depth = parent != nullptr ? parent->depth + 1 : 1;
    too_deep_ = frame->depth > kJsonDepthMax;
    ++at_;
    return !too_deep_;
  }

  bool ReadArray(Value* array, const Frame* parent) {
    *array = Value::Array();
    Frame frame{parent, array, {}, 0};
    if (!Enter(parent, &frame)) return false;
    if (Skip(']')) return true;
    do {
      Value element;
      if (!ReadValue(&element, &frame)) return false;
      array->PushBack(std::move(element), arena_);
    } while (Skip(','));
    return Skip(']');
  }

  bool ReadObject(Value* object, const Frame* parent) {
    *object = Value::Object();
    Frame frame{parent, object, {}, 0};
    if (!Enter(parent, &frame)) return false;
    if (Skip('}')) return true;
    NameFilter seen;
    MemberIndex index;
    do {
      Value value;
      SkipSpace();
      if (*at_ != '"' || !ReadString(&frame.name) || !Skip(':')) return false;
      if (!ReadValue(&value, &frame)) return false;
      Value* existing = seen.Add(frame.name) ? index.Find(*object, frame.name) : nullptr;
      if (existing == nullptr) {
        object->AppendRef(frame.name, std::move(value), arena_);
      } else {
        if (duplicates_ != nullptr) duplicates_->push_back(Path(frame));
        *existing = std::move(value);
      }
    } while (Skip(','));
    return Skip('}');
  }

  // Tells most names that are new from those that may have come before.
  class NameFilter {
   public:
    // Whether it may have been added before.
    bool Add(std::string_view name) {
      const size_t size = name.size();
      const auto byte = [&](size_t i) { return static_cast<unsigned char>(name[i]); };
      const size_t hash =
          size == 0 ? 0 : size * 7 + byte(0) + byte(size / 2) * 5 + byte(size - 1) * 3;
      const uint64_t bit = uint64_t{1} << hash % 64;
      const bool known = (bits_ & bit) != 0;
      bits_ |= bit;
      return known;
    }

   private:
    uint64_t bits_ = 0;
  };

  static std::string Path(const Frame& frame) {
    std::string path = frame.parent != nullptr ? Path(*frame.parent) : "";
    if (frame.container->IsArray()) return path + fmt::format("[{}]", frame.container->size());
    if (!path.empty()) path += '.';
    return path.append(frame.name);
  }

  // A bit in each byte of the word that is `c`, exact up to the first.
  static uint64_t Equal(uint64_t word, char c) {
    const uint64_t zero = word ^ (kOnes * static_cast<unsigned char>(c));
    return (zero - kOnes) & ~zero & kHighBits;
  }

  // At a byte that ends a run of plain ones: a quote, a backslash or a control character.
  void SkipPlain() {
    while (true) {
      uint64_t word;
      std::memcpy(&word, at_, sizeof(word));
      const uint64_t control = (word - kOnes * 0x20) & ~word & kHighBits;
      const uint64_t found = Equal(word, '"') | Equal(word, '\\') | control;
      if (found != 0) {
        at_ += std::countr_zero(found) / 8;
        return;
      }
      at_ += sizeof(word);
    }
  }

  bool ReadString(std::string_view* text) {
    char* const begin = ++at_;
    SkipPlain();
    char* out = at_;
    while (*at_ == '\\') {
      if (!ReadEscape(&out)) return false;
      char* const plain = at_;
      SkipPlain();
      std::memmove(out, plain, static_cast<size_t>(at_ - plain));
      out += at_ - plain;
    }
    if (*at_ != '"') return false;
    ++at_;
    *text = {begin, static_cast<size_t>(out - begin)};
    return true;
  }

  bool ReadEscape(char** out) {
    constexpr std::string_view kLetters = "\"\\/bfnrt";
    constexpr std::string_view kMeant = "\"\\/\b\f\n\r\t";
    ++at_;
    if (*at_ == 'u') return ReadUnicode(out);
    const size_t letter = *at_ == '\0' ? std::string_view::npos : kLetters.find(*at_);
    if (letter == std::string_view::npos) return false;
    *(*out)++ = kMeant[letter];
    ++at_;
    return true;
  }

  bool ReadUnit(unsigned* unit) {
    ++at_;
    const auto [end, error] = std::from_chars(at_, std::min(at_ + 4, end_), *unit, 16);
    if (error != std::errc() || end != at_ + 4) return false;
    at_ += 4;
    return true;
  }

  // At the u of an escape. A surrogate must come with its other half.
  bool ReadUnicode(char** out) {
    unsigned code = 0;
    if (!ReadUnit(&code)) return false;
    if (code >= 0xdc00 && code < 0xe000) return false;
    if (code >= 0xd800 && code < 0xdc00) {
      unsigned low = 0;
      if (at_[0] != '\\' || at_[1] != 'u') return false;
      ++at_;
      if (!ReadUnit(&low) || low < 0xdc00 || low >= 0xe000) return false;
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    std::string utf8;
    AppendUtf8(code, &utf8);
    std::memcpy(*out, utf8.data(), utf8.size());
    *out += utf8.size();
    return true;
  }

  bool ReadNumber(Value* value) {
    char* const begin = at_;
    const auto skip_digits = [this] {
      const char* const first = at_;
      while (*at_ >= '0' && *at_ <= '9') ++at_;
      return at_ != first;
    };
    if (*at_ == '-') ++at_;
    if (*at_ == '0') {
      ++at_;
    } else if (!skip_digits()) {
      return false;
    }
    if (*at_ == '.') {
      ++at_;
      if (!skip_digits()) return false;
    }
    if (*at_ == 'e' || *at_ == 'E') {
      ++at_;
      if (*at_ == '+' || *at_ == '-') ++at_;
      if (!skip_digits()) return false;
    }
    std::optional<Value> number = ToNumber({begin, static_cast<size_t>(at_ - begin)});
    if (!number) {
      at_ = begin;
      return false;
    }
    *value = std::move(*number);
    return true;
  }

  static_assert(std::endian::native == std::endian::little, "SkipPlain() counts from the low end");
  static constexpr uint64_t kOnes = 0x0101010101010101;
  static constexpr uint64_t kHighBits = kOnes * 0x80;

  char* const begin_;
  char* at_;
  char* const end_;
  Arena& arena_;
  std::vector<std::string>* duplicates_;
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

// Whether there is an escape of a surrogate, which may be a lone one.
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
  char* copy = static_cast<char*>(arena.Allocate(text.size() + Reader::kRoom));
  std::memcpy(copy, text.data(), text.size());
  std::memset(copy + text.size(), 0, Reader::kRoom);
  Reader reader(copy, copy + text.size(), arena, duplicates);
  Attempt attempt;
  attempt.ok = reader.Read(&attempt.root);
  attempt.too_deep = reader.too_deep();
  attempt.offset = reader.offset();
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
  // All that is still refused is a number beyond float64.
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
