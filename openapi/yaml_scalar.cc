#include "openapi/yaml_scalar.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <limits>

namespace kulisse::openapi {

namespace {

struct Word {
  std::string_view text;
  YamlTag tag;
  bool boolean;
  double number;
};
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();
constexpr Word kWords[] = {
    {"", YamlTag::kNull, false, 0},
    {"~", YamlTag::kNull, false, 0},
    {"null", YamlTag::kNull, false, 0},
    {"Null", YamlTag::kNull, false, 0},
    {"NULL", YamlTag::kNull, false, 0},
    {"y", YamlTag::kBool, true, 0},
    {"Y", YamlTag::kBool, true, 0},
    {"yes", YamlTag::kBool, true, 0},
    {"Yes", YamlTag::kBool, true, 0},
    {"YES", YamlTag::kBool, true, 0},
    {"true", YamlTag::kBool, true, 0},
    {"True", YamlTag::kBool, true, 0},
    {"TRUE", YamlTag::kBool, true, 0},
    {"on", YamlTag::kBool, true, 0},
    {"On", YamlTag::kBool, true, 0},
    {"ON", YamlTag::kBool, true, 0},
    {"n", YamlTag::kBool, false, 0},
    {"N", YamlTag::kBool, false, 0},
    {"no", YamlTag::kBool, false, 0},
    {"No", YamlTag::kBool, false, 0},
    {"NO", YamlTag::kBool, false, 0},
    {"false", YamlTag::kBool, false, 0},
    {"False", YamlTag::kBool, false, 0},
    {"FALSE", YamlTag::kBool, false, 0},
    {"off", YamlTag::kBool, false, 0},
    {"Off", YamlTag::kBool, false, 0},
    {"OFF", YamlTag::kBool, false, 0},
    {".nan", YamlTag::kFloat, false, kNotANumber},
    {".NaN", YamlTag::kFloat, false, kNotANumber},
    {".NAN", YamlTag::kFloat, false, kNotANumber},
    {".inf", YamlTag::kFloat, false, kInfinity},
    {".Inf", YamlTag::kFloat, false, kInfinity},
    {".INF", YamlTag::kFloat, false, kInfinity},
    {"+.inf", YamlTag::kFloat, false, kInfinity},
    {"+.Inf", YamlTag::kFloat, false, kInfinity},
    {"+.INF", YamlTag::kFloat, false, kInfinity},
    {"-.inf", YamlTag::kFloat, false, -kInfinity},
    {"-.Inf", YamlTag::kFloat, false, -kInfinity},
    {"-.INF", YamlTag::kFloat, false, -kInfinity},
};
constexpr size_t kWordBytesMax = 5;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

size_t CountDigits(std::string_view text) {
  return static_cast<size_t>(std::ranges::find_if_not(text, IsDigit) - text.begin());
}

// [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?
bool IsFloatForm(std::string_view text) {
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  const size_t whole = CountDigits(text);
  text.remove_prefix(whole);
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    const size_t fraction = CountDigits(text);
    if (whole == 0 && fraction == 0) return false;
    text.remove_prefix(fraction);
  } else if (whole == 0) {
    return false;
  }
  if (text.empty()) return true;
  if (text[0] != 'e' && text[0] != 'E') return false;
  text.remove_prefix(1);
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  return !text.empty() && CountDigits(text) == text.size();
}

std::optional<double> ParseFloat(const std::string& text) {
  if (!IsFloatForm(text)) return std::nullopt;
  const double value = std::strtod(text.c_str(), nullptr);
  if (std::isinf(value)) return std::nullopt;
  return value;
}

// Whether each underscore stands between digits: Go's ParseFloat wants that.
bool SeparatesDigits(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') continue;
    if (i == 0 || i + 1 == text.size() || !IsDigit(text[i - 1]) || !IsDigit(text[i + 1])) {
      return false;
    }
  }
  return true;
}

// Go's strconv.ParseInt and ParseUint with base 0: 0x, 0o, 0b and a leading 0 name the base.
std::optional<YamlScalar> ParseInteger(std::string_view text) {
  const bool negative = text.starts_with('-');
  const bool sign = negative || text.starts_with('+');
  if (sign) text.remove_prefix(1);
  int base = 10;
  if (text.size() > 1 && text[0] == '0') {
    const char mark = text[1];
    base = mark == 'x' || mark == 'X' ? 16 : mark == 'b' || mark == 'B' ? 2 : 8;
    text.remove_prefix(mark == 'o' || mark == 'O' || base != 8 ? 2 : 1);
  }
  uint64_t magnitude = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), magnitude, base);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size()) return std::nullopt;
  YamlScalar scalar;
  constexpr auto kInt64Max = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  if (magnitude <= kInt64Max || (negative && magnitude == kInt64Max + 1)) {
    scalar.tag = YamlTag::kInt;
    scalar.integer = static_cast<int64_t>(negative ? 0 - magnitude : magnitude);
    return scalar;
  }
  if (sign) return std::nullopt;
  scalar.tag = YamlTag::kUint;
  scalar.unsigned_integer = magnitude;
  return scalar;
}

// One or two digits from `min` to `max`, cut off the front.
std::optional<unsigned> TakeShort(std::string_view* text, unsigned min, unsigned max) {
  const size_t length = std::min<size_t>(2, CountDigits(*text));
  unsigned value = 0;
  for (const char c : text->substr(0, length)) value = value * 10 + static_cast<unsigned>(c - '0');
  text->remove_prefix(length);
  if (length == 0 || value < min || value > max) return std::nullopt;
  return value;
}

bool TakeChar(std::string_view* text, char c) {
  if (!text->starts_with(c)) return false;
  text->remove_prefix(1);
  return true;
}

bool TakeDate(std::string_view* text) {
  if (CountDigits(*text) != 4) return false;
  int year = 0;
  for (const char c : text->substr(0, 4)) year = year * 10 + (c - '0');
  text->remove_prefix(4);
  if (!TakeChar(text, '-')) return false;
  const auto month = TakeShort(text, 1, 12);
  if (!month || !TakeChar(text, '-')) return false;
  const auto day = TakeShort(text, 1, 31);
  if (!day) return false;
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(*month),
                                         std::chrono::day(*day)};
  return date.ok();
}

bool TakeClock(std::string_view* text) {
  if (!TakeShort(text, 0, 23) || !TakeChar(text, ':') || !TakeShort(text, 0, 59) ||
      !TakeChar(text, ':') || !TakeShort(text, 0, 59)) {
    return false;
  }
  if (!text->starts_with('.') && !text->starts_with(',')) return true;
  const size_t digits = CountDigits(text->substr(1));
  text->remove_prefix(1 + digits);
  return digits > 0;
}

// "2006-1-2", "2006-1-2 15:4:5.9" and RFC 3339 with short fields, T or t.
bool IsTimestamp(std::string_view text) {
  if (!TakeDate(&text)) return false;
  if (text.empty()) return true;
  if (TakeChar(&text, ' ')) return TakeClock(&text) && text.empty();
  if (!TakeChar(&text, 'T') && !TakeChar(&text, 't')) return false;
  if (!TakeClock(&text)) return false;
  if (text == "Z") return true;
  return text.size() == 6 && (text[0] == '+' || text[0] == '-') &&
         CountDigits(text.substr(1)) == 2 && text[3] == ':' && CountDigits(text.substr(4)) == 2;
}

YamlScalar ResolveNumber(std::string_view text, bool timestamps) {
  YamlScalar scalar;
  if (timestamps && IsTimestamp(text)) {
    scalar.tag = YamlTag::kTimestamp;
    return scalar;
  }
  std::string plain(text);
  std::erase(plain, '_');
  if (const auto integer = ParseInteger(plain)) return *integer;
  if (const auto number = ParseFloat(plain)) {
    scalar.tag = YamlTag::kFloat;
    scalar.number = *number;
  }
  return scalar;
}

// The fewest digits that are this number again, as Go's 'g' lays them out.
template <class Float>
std::string FormatShortest(Float number) {
  if (std::isnan(number)) return ".nan";
  if (std::isinf(number)) return number > 0 ? ".inf" : "-.inf";
  char buffer[64];
  const auto result =
      std::to_chars(buffer, buffer + sizeof(buffer), number, std::chars_format::scientific);
  const std::string scientific(buffer, result.ptr);
  int exponent = 0;
  const char* mark = buffer + scientific.find('e') + 1;
  std::from_chars(*mark == '+' ? mark + 1 : mark, result.ptr, exponent);
  constexpr int kExponentMin = -4;
  constexpr int kExponentPlainEnd = 6;
  if (exponent < kExponentMin || exponent >= kExponentPlainEnd) return scientific;
  const auto fixed =
      std::to_chars(buffer, buffer + sizeof(buffer), number, std::chars_format::fixed);
  return {buffer, fixed.ptr};
}

}  // namespace

YamlScalar ResolveYamlScalar(std::string_view text, bool timestamps) {
  YamlScalar scalar;
  if (text.size() <= kWordBytesMax) {
    const auto* word = std::ranges::find(kWords, text, &Word::text);
    if (word != std::end(kWords)) {
      scalar.tag = word->tag;
      scalar.boolean = word->boolean;
      scalar.number = word->number;
      return scalar;
    }
  }
  const char first = text[0];
  if (IsDigit(first) || first == '+' || first == '-') return ResolveNumber(text, timestamps);
  if (first == '.' && SeparatesDigits(text)) {
    std::string plain(text);
    std::erase(plain, '_');
    if (const auto number = ParseFloat(plain)) {
      scalar.tag = YamlTag::kFloat;
      scalar.number = *number;
    }
  }
  return scalar;
}

std::string FormatGoFloat(double number, bool single) {
  return single ? FormatShortest(static_cast<float>(number)) : FormatShortest(number);
}

}  // namespace kulisse::openapi
