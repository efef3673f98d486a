#include "simulator/stage/template_text.h"

#include <charconv>

#include "base/text.h"
#include "base/utf8.h"

namespace kulisse::simulator {

namespace {

bool ReadDigits(std::string_view text, size_t at, size_t count, int base, uint32_t* value) {
  if (at + count > text.size()) return false;
  const char* const begin = text.data() + at;
  const auto [end, error] = std::from_chars(begin, begin + count, *value, base);
  return error == std::errc{} && end == begin + count;
}

// One escape after the backslash at text[0]; appends its bytes.
size_t ReadEscape(std::string_view text, char quote, std::string* out) {
  if (text.size() < 2) return 0;
  const char c = text[1];
  constexpr std::string_view kLetters = "abfnrtv\\";
  constexpr std::string_view kBytes = "\a\b\f\n\r\t\v\\";
  if (const size_t at = kLetters.find(c); at != kLetters.npos) {
    out->push_back(kBytes[at]);
    return 2;
  }
  if (c == quote) {
    out->push_back(c);
    return 2;
  }
  uint32_t value = 0;
  if (c == 'x' && ReadDigits(text, 2, 2, 16, &value)) {
    out->push_back(static_cast<char>(value));
    return 4;
  }
  if (c >= '0' && c <= '7' && ReadDigits(text, 1, 3, 8, &value) && value < 256) {
    out->push_back(static_cast<char>(value));
    return 4;
  }
  const size_t digits = c == 'u' ? 4 : c == 'U' ? 8 : 0;
  if (digits == 0 || !ReadDigits(text, 2, digits, 16, &value)) return 0;
  if (value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) return 0;
  AppendUtf8(value, out);
  return 2 + digits;
}

}  // namespace

size_t ReadRawString(std::string_view text, std::string* value) {
  const size_t end = text.find('`', 1);
  if (end == text.npos) return 0;
  *value = text.substr(1, end - 1);
  std::erase(*value, '\r');
  return end + 1;
}

size_t ReadGoString(std::string_view text, std::string* value) {
  size_t at = 1;
  while (at < text.size() && text[at] != '"') {
    if (text[at] == '\n') return 0;
    if (text[at] == '\\') {
      const size_t length = ReadEscape(text.substr(at), '"', value);
      if (length == 0) return 0;
      at += length;
    } else {
      value->push_back(text[at++]);
    }
  }
  return at < text.size() ? at + 1 : 0;
}

size_t ReadGoCharacter(std::string_view text, int64_t* value) {
  if (text.size() < 3 || text[1] == '\'' || text[1] == '\n') return 0;
  std::string bytes;
  size_t length = 0;
  if (text[1] == '\\') {
    length = ReadEscape(text.substr(1), '\'', &bytes);
  } else {
    length = Utf8SequenceLength(text.substr(1));
    bytes = text.substr(1, length);
  }
  if (length == 0 || text.size() < length + 2 || text[length + 1] != '\'') return 0;
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(bytes[i]); };
  if (bytes.size() == 1) {
    *value = byte(0);
  } else {
    *value = byte(0) & (0xff >> (bytes.size() + 1));
    for (size_t i = 1; i < bytes.size(); ++i) *value = *value << 6 | (byte(i) & 0x3f);
  }
  return length + 2;
}

bool ReadGoNumber(std::string_view text, json::Value* value) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text.empty()) return false;
  const char* const end = text.data() + text.size();
  const bool hexadecimal = text.starts_with("0x") || text.starts_with("0X");
  int64_t integer = 0;
  const char* const digits = text.data() + (hexadecimal ? 2 : 0);
  const auto whole = std::from_chars(digits, end, integer, hexadecimal ? 16 : 10);
  if (whole.ec == std::errc{} && whole.ptr == end && digits != end && *digits != '-') {
    // Go reads a leading 0 as octal; nobody means that, so it is refused.
    if (!hexadecimal && text.size() > 1 && text[0] == '0') return false;
    *value = json::Value::Int(negative ? -integer : integer);
    return true;
  }
  double number = 0;
  const auto fraction = std::from_chars(text.data(), end, number);
  if (hexadecimal || fraction.ec != std::errc{} || fraction.ptr != end) return false;
  if (!(text[0] >= '0' && text[0] <= '9') && text[0] != '.') return false;  // inf, nan
  *value = json::Value::Double(negative ? -number : number);
  return true;
}

}  // namespace kulisse::simulator
