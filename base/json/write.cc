#include "base/json/write.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <utility>
#include <vector>

#include "base/text.h"

namespace kulisse::json {

namespace {

// Writer appends to a string through a pointer, with room made ahead: a check for each value and
// not for each byte.
class Writer {
 public:
  explicit Writer(std::string* out)
      : out_(*out), begin_(out->size()), next_(out->data() + begin_), end_(next_) {}
  ~Writer() { out_.resize(written()); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void Add(const Value& value);
  void String(std::string_view text);

 private:
  [[nodiscard]] size_t written() const { return static_cast<size_t>(next_ - out_.data()); }
  // Where to write up to `bytes`; Advance() keeps those before `end`.
  char* Room(size_t bytes) {
    if (static_cast<size_t>(end_ - next_) < bytes) [[unlikely]] {
      Grow(bytes);
    }
    return next_;
  }
  void Grow(size_t bytes);
  void Advance(char* end) { next_ = end; }
  void Text(std::string_view text) { Advance(std::ranges::copy(text, Room(text.size())).out); }
  void Byte(char c) {
    *Room(1) = c;
    ++next_;
  }
  void Integer(auto number) {
    constexpr size_t kDigits = 24;
    char* const to = Room(kDigits);
    Advance(std::to_chars(to, to + kDigits, number).ptr);
  }
  static char* Unplain(std::string_view text, size_t* i, char* to);

  std::string& out_;
  const size_t begin_;  // of what this one writes
  char* next_;
  char* end_;
};

#ifdef __SSE2__
constexpr size_t kBlock = sizeof(__m128i);

// A bit for each byte of the block at `text` that is not plain.
unsigned SpecialBytes(const char* text) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text));
  // Signed: bytes from 0x80 on are below 0x20 too.
  __m128i special = _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20));
  for (const char c : {'"', '\\', '<', '>', '&'}) {
    special = _mm_or_si128(special, _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c)));
  }
  return static_cast<unsigned>(_mm_movemask_epi8(special));
}

// Copies fewer bytes than a block.
void CopyRest(const char* from, size_t bytes, char* to) {
  const auto both_ends = [&]<class Word>(Word first) {
    Word last;
    std::memcpy(&first, from, sizeof(Word));
    std::memcpy(&last, from + bytes - sizeof(Word), sizeof(Word));
    std::memcpy(to, &first, sizeof(Word));
    std::memcpy(to + bytes - sizeof(Word), &last, sizeof(Word));
  };
  if (bytes >= 8) {
    both_ends(uint64_t{});
  } else if (bytes >= 4) {
    both_ends(uint32_t{});
  } else if (bytes > 0) {
    to[0] = from[0];
    to[bytes / 2] = from[bytes / 2];
    to[bytes - 1] = from[bytes - 1];
  }
}

// Copies the plain bytes that `text` starts with and returns how many they are. May write over
// what follows: `to` has room for the text and a block more.
size_t CopyPlain(std::string_view text, char* to) {
  size_t i = 0;
  for (; i + kBlock <= text.size(); i += kBlock) {
    std::memcpy(to + i, text.data() + i, kBlock);
    if (const unsigned special = SpecialBytes(to + i)) {
      return i + static_cast<size_t>(std::countr_zero(special));
    }
  }
  CopyRest(text.data() + i, text.size() - i, to + i);
  const unsigned rest = (1U << (text.size() - i)) - 1;
  const unsigned special = SpecialBytes(to + i) & rest;
  return special == 0 ? text.size() : i + static_cast<size_t>(std::countr_zero(special));
}
#else
constexpr size_t kBlock = 0;

// 1 for bytes that are copied as they are: ASCII but for control, quote, backslash, <, > and &.
constexpr std::array<bool, 256> kPlain = [] {
  std::array<bool, 256> plain{};
  for (int c = 0x20; c < 0x80; ++c) plain[static_cast<size_t>(c)] = true;
  for (const char c : {'"', '\\', '<', '>', '&'}) plain[static_cast<unsigned char>(c)] = false;
  return plain;
}();

size_t CopyPlain(std::string_view text, char* to) {
  size_t i = 0;
  for (; i < text.size() && kPlain[static_cast<unsigned char>(text[i])]; ++i) to[i] = text[i];
  return i;
}
#endif

// Where the escape of an ASCII character ends.
char* WriteEscape(unsigned char c, char* to) {
  constexpr char kHex[] = "0123456789abcdef";
  constexpr std::string_view kShort = "\"\\\n\r\t\b\f";
  constexpr std::string_view kLetters = "\"\\nrtbf";
  *to++ = '\\';
  if (const size_t at = kShort.find(static_cast<char>(c)); at != std::string_view::npos) {
    *to++ = kLetters[at];
    return to;
  }
  for (const char digit : {'u', '0', '0', kHex[c >> 4], kHex[c & 15]}) *to++ = digit;
  return to;
}

// By as much again as was written: strings fill what they grow by with zeros.
void Writer::Grow(size_t bytes) {
  constexpr size_t kGrownMin = 256;
  const size_t size = written();
  out_.resize(size + bytes + std::max(size - begin_, kGrownMin));
  next_ = out_.data() + size;
  end_ = out_.data() + out_.size();
}

// Writes the character at `*i`, which is not plain, and moves behind it.
char* Writer::Unplain(std::string_view text, size_t* i, char* to) {
  const auto c = static_cast<unsigned char>(text[*i]);
  if (c < 0x80) {
    ++*i;
    return WriteEscape(c, to);
  }
  const size_t length = Utf8SequenceLength(text.substr(*i));
  std::string_view written = text.substr(*i, length);
  if (length == 0) {
    written = "\\ufffd";
  } else if (written == "\u2028") {
    written = "\\u2028";
  } else if (written == "\u2029") {
    written = "\\u2029";
  }
  *i += std::max<size_t>(length, 1);
  return std::ranges::copy(written, to).out;
}

void Writer::String(std::string_view text) {
  constexpr size_t kEscapeMax = 6;  // \u003c
  char* to = Room(text.size() + kEscapeMax + kBlock + 2);
  *to++ = '"';
  for (size_t i = 0;;) {
    const size_t plain = CopyPlain(text.substr(i), to);
    i += plain;
    to += plain;
    if (i == text.size()) break;
    to = Unplain(text, &i, to);
    Advance(to);
    to = Room(text.size() - i + kEscapeMax + kBlock + 2);
  }
  *to++ = '"';
  Advance(to);
}

// A large integral double: its shortest digits, filled up with zeros.
void AppendShortInteger(double number, std::string* out) {
  char buffer[40];
  const auto end =
      std::to_chars(buffer, buffer + sizeof(buffer), number, std::chars_format::scientific).ptr;
  const std::string_view text(buffer, static_cast<size_t>(end - buffer));  // -1.234e+19
  const size_t mark = text.find('e');
  size_t exponent = 0;
  std::from_chars(buffer + mark + 2, end, exponent);
  size_t digits = 0;
  for (const char c : text.substr(0, mark)) {
    if (c == '.') continue;
    *out += c;
    if (c != '-') ++digits;
  }
  out->append(exponent + 1 - digits, '0');
}

}  // namespace

void AppendString(std::string_view text, std::string* out) { Writer(out).String(text); }

void AppendInt(int64_t number, std::string* out) {
  char buffer[24];
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), number).ptr;
  out->append(buffer, end);
}

void AppendDouble(double number, std::string* out) {
  if (!std::isfinite(number)) {
    *out += "null";
    return;
  }
  char buffer[40];
  const double magnitude = std::fabs(number);
  const bool scientific = magnitude != 0 && (magnitude < 1e-6 || magnitude >= 1e21);
  // Beyond 2^53 fixed notation has all digits of the number; Go has the shortest ones, then zeros.
  if (!scientific && magnitude >= 0x1p53) {
    AppendShortInteger(number, out);
    return;
  }
  const auto result =
      std::to_chars(buffer, buffer + sizeof(buffer), number,
                    scientific ? std::chars_format::scientific : std::chars_format::fixed);
  std::string_view text(buffer, static_cast<size_t>(result.ptr - buffer));
  // Go writes e-7, not e-07.
  if (scientific && text.size() >= 4 && text[text.size() - 2] == '0' &&
      (text[text.size() - 3] == '-')) {
    out->append(text.substr(0, text.size() - 2));
    *out += text.back();
    return;
  }
  out->append(text);
}

namespace {

void Writer::Add(const Value& value) {
  switch (value.type()) {
    case Type::kNull:
      return Text("null");
    case Type::kBool:
      return Text(value.AsBool() ? "true" : "false");
    case Type::kInt:
      return Integer(value.AsInt());
    case Type::kUint:
      return Integer(value.AsUint());
    case Type::kDouble: {
      std::string number;
      AppendDouble(value.AsDouble(), &number);
      return Text(number);
    }
    case Type::kString:
      return String(value.AsString());
    case Type::kArray: {
      char separator = '[';
      for (const Value& element : value.elements()) {
        Byte(std::exchange(separator, ','));
        Add(element);
      }
      return Text(separator == '[' ? "[]" : "]");
    }
    case Type::kObject: {
      char separator = '{';
      for (const Member& member : value.members()) {
        Byte(std::exchange(separator, ','));
        String(member.name);
        Byte(':');
        Add(member.value);
      }
      return Text(separator == '{' ? "{}" : "}");
    }
  }
}

}  // namespace

void Append(const Value& value, std::string* out) { Writer(out).Add(value); }

std::string ToString(const Value& value) {
  std::string out;
  Append(value, &out);
  return out;
}

namespace {

void AppendSorted(const Value& value, std::string* out) {
  if (value.IsArray()) {
    *out += '[';
    for (const Value& element : value.elements()) {
      if (out->back() != '[') *out += ',';
      AppendSorted(element, out);
    }
    *out += ']';
  } else if (value.IsObject()) {
    std::vector<const Member*> sorted;
    for (const Member& member : value.members()) sorted.push_back(&member);
    std::ranges::sort(sorted, {}, [](const Member* m) { return m->name; });
    *out += '{';
    for (const Member* member : sorted) {
      if (out->back() != '{') *out += ',';
      AppendString(member->name, out);
      *out += ':';
      AppendSorted(member->value, out);
    }
    *out += '}';
  } else {
    Append(value, out);
  }
}

}  // namespace

std::string ToSortedString(const Value& value) {
  std::string out;
  AppendSorted(value, &out);
  return out;
}

void Indenter::NewLine(std::string* out) const {
  *out += '\n';
  out->append(depth_ * static_cast<size_t>(blanks_), ' ');
}

void Indenter::Append(std::string_view piece, std::string* out) {
  for (const char c : piece) {
    if (in_string_) {
      *out += c;
      if (escaped_) {
        escaped_ = false;
      } else if (c == '\\') {
        escaped_ = true;
      } else if (c == '"') {
        in_string_ = false;
      }
      continue;
    }
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n') continue;
    const bool closes = c == '}' || c == ']';
    if (closes) --depth_;
    if (opened_ != closes) NewLine(out);  // a first member, or the end of a filled container
    opened_ = false;
    *out += c;
    switch (c) {
      case '"':
        in_string_ = true;
        break;
      case '{':
      case '[':
        ++depth_;
        opened_ = true;
        break;
      case ',':
        NewLine(out);
        break;
      case ':':
        *out += ' ';
        break;
      default:
        break;
    }
  }
}

void AppendIndented(std::string_view compact, int blanks, std::string* out) {
  Indenter(blanks).Append(compact, out);
}

}  // namespace kulisse::json
