#include "base/json/write.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <vector>

#include "base/text.h"

namespace kulisse::json {

namespace {

// 1 for bytes that are copied as they are: ASCII but for control, quote, backslash, <, > and &.
constexpr std::array<bool, 256> kPlain = [] {
  std::array<bool, 256> plain{};
  for (int c = 0x20; c < 0x80; ++c) plain[static_cast<size_t>(c)] = true;
  for (const char c : {'"', '\\', '<', '>', '&'}) plain[static_cast<unsigned char>(c)] = false;
  return plain;
}();

// How many bytes from the start are plain.
size_t PlainPrefix(std::string_view text) {
  size_t i = 0;
#ifdef __SSE2__
  for (; i + sizeof(__m128i) <= text.size(); i += sizeof(__m128i)) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + i));
    // Signed: bytes from 0x80 on are below 0x20 too.
    __m128i special = _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20));
    for (const char c : {'"', '\\', '<', '>', '&'}) {
      special = _mm_or_si128(special, _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c)));
    }
    const auto mask = static_cast<unsigned>(_mm_movemask_epi8(special));
    if (mask != 0) return i + static_cast<size_t>(std::countr_zero(mask));
  }
#endif
  while (i < text.size() && kPlain[static_cast<unsigned char>(text[i])]) ++i;
  return i;
}

void AppendEscape(unsigned char c, std::string* out) {
  constexpr char kHex[] = "0123456789abcdef";
  switch (c) {
    case '"':
      *out += "\\\"";
      return;
    case '\\':
      *out += "\\\\";
      return;
    case '\n':
      *out += "\\n";
      return;
    case '\r':
      *out += "\\r";
      return;
    case '\t':
      *out += "\\t";
      return;
    case '\b':
      *out += "\\b";
      return;
    case '\f':
      *out += "\\f";
      return;
    default:
      *out += "\\u00";
      *out += kHex[c >> 4];
      *out += kHex[c & 15];
  }
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

void AppendString(std::string_view text, std::string* out) {
  *out += '"';
  size_t start = 0;
  size_t i = 0;
  while (i += PlainPrefix(text.substr(i)), i < text.size()) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x80) {
      out->append(text, start, i - start);
      AppendEscape(c, out);
      start = ++i;
      continue;
    }
    const size_t length = Utf8SequenceLength(text.substr(i));
    if (length == 0) {
      out->append(text, start, i - start);
      *out += "\\ufffd";
      start = ++i;
    } else if (length == 3 && c == 0xe2 && text[i + 1] == '\x80' &&
               (text[i + 2] == '\xa8' || text[i + 2] == '\xa9')) {
      out->append(text, start, i - start);
      *out += text[i + 2] == '\xa8' ? "\\u2028" : "\\u2029";
      i += 3;
      start = i;
    } else {
      i += length;
    }
  }
  out->append(text, start, text.size() - start);
  *out += '"';
}

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

void Append(const Value& value, std::string* out) {
  switch (value.type()) {
    case Type::kNull:
      *out += "null";
      return;
    case Type::kBool:
      *out += value.AsBool() ? "true" : "false";
      return;
    case Type::kInt:
      AppendInt(value.AsInt(), out);
      return;
    case Type::kUint: {
      char buffer[24];
      out->append(buffer, std::to_chars(buffer, buffer + 24, value.AsUint()).ptr);
      return;
    }
    case Type::kDouble:
      AppendDouble(value.AsDouble(), out);
      return;
    case Type::kString:
      AppendString(value.AsString(), out);
      return;
    case Type::kArray: {
      *out += '[';
      bool first = true;
      for (const Value& element : value.elements()) {
        if (!first) *out += ',';
        first = false;
        Append(element, out);
      }
      *out += ']';
      return;
    }
    case Type::kObject: {
      *out += '{';
      bool first = true;
      for (const Member& member : value.members()) {
        if (!first) *out += ',';
        first = false;
        AppendString(member.name, out);
        *out += ':';
        Append(member.value, out);
      }
      *out += '}';
      return;
    }
  }
}

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
