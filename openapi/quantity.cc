#include "openapi/quantity.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>

#include "base/text.h"

namespace kulisse::openapi {

namespace {

constexpr __int128 kNanosMax = std::numeric_limits<__int128>::max();
constexpr __int128 kNanosPerUnit = 1'000'000'000;
constexpr int kNanoDigits = 9;
constexpr __int128 kInt64Max = std::numeric_limits<int64_t>::max();

struct Suffix {
  int exponent = 0;  // of 10, or of 2 in kBinarySI
  Quantity::Format format = Quantity::Format::kDecimalSI;
};

struct NamedSuffix {
  std::string_view name;
  int exponent;
};
constexpr std::array<NamedSuffix, 10> kDecimalSuffixes = {{{"n", -9},
                                                           {"u", -6},
                                                           {"m", -3},
                                                           {"", 0},
                                                           {"k", 3},
                                                           {"M", 6},
                                                           {"G", 9},
                                                           {"T", 12},
                                                           {"P", 15},
                                                           {"E", 18}}};
constexpr std::array<NamedSuffix, 6> kBinarySuffixes = {
    {{"Ki", 10}, {"Mi", 20}, {"Gi", 30}, {"Ti", 40}, {"Pi", 50}, {"Ei", 60}}};

std::optional<Suffix> ReadSuffix(std::string_view text) {
  using enum Quantity::Format;
  for (const auto& [name, exponent] : kDecimalSuffixes) {
    if (name == text) return Suffix{exponent, kDecimalSI};
  }
  for (const auto& [name, exponent] : kBinarySuffixes) {
    if (name == text) return Suffix{exponent, kBinarySI};
  }
  if (text.size() < 2 || (text[0] != 'e' && text[0] != 'E')) return std::nullopt;
  const auto exponent = ParseInt64(text.substr(1));
  if (!exponent) return std::nullopt;
  return Suffix{static_cast<int32_t>(*exponent), kDecimalExponent};  // cut off as upstream does
}

struct Parts {
  bool negative = false;
  std::string_view whole;     // digits without leading zeros
  std::string_view fraction;  // digits
  std::string_view suffix;
};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

std::string_view TakeDigits(std::string_view* text) {
  size_t length = 0;
  while (length < text->size() && IsDigit((*text)[length])) ++length;
  const std::string_view digits = text->substr(0, length);
  text->remove_prefix(length);
  return digits;
}

// Upstream: parseQuantityString. It takes a lone sign or point for zero, and so does this.
Parts SplitParts(std::string_view text) {
  Parts parts;
  if (text[0] == '-' || text[0] == '+') {
    parts.negative = text[0] == '-';
    text.remove_prefix(1);
  }
  while (!text.empty() && text[0] == '0') text.remove_prefix(1);
  parts.whole = TakeDigits(&text);
  if (!text.empty() && text[0] == '.') {
    text.remove_prefix(1);
    parts.fraction = TakeDigits(&text);
  }
  parts.suffix = text;
  return parts;
}

void MultiplyBy1024(std::string* digits) {
  unsigned carry = 0;
  for (size_t i = digits->size(); i > 0; --i) {
    char& digit = (*digits)[i - 1];
    const unsigned product = static_cast<unsigned>(digit - '0') * 1024 + carry;
    digit = static_cast<char>('0' + product % 10);
    carry = product / 10;
  }
  if (carry > 0) digits->insert(0, std::to_string(carry));
}

// digits * 10^power, rounded up to an integer, saturating.
__int128 Scale(std::string_view digits, int64_t power) {
  bool remainder = false;
  if (power < 0) {
    const size_t dropped = std::min(digits.size(), static_cast<size_t>(-power));
    const std::string_view tail = digits.substr(digits.size() - dropped);
    remainder = tail.find_first_not_of('0') != std::string_view::npos;
    digits.remove_suffix(dropped);
    power = 0;
  }
  __int128 value = 0;
  for (const char c : digits) {
    if (value > (kNanosMax - 9) / 10) return kNanosMax;
    value = value * 10 + (c - '0');
  }
  for (; power > 0 && value != 0; --power) {
    if (value > kNanosMax / 10) return kNanosMax;
    value *= 10;
  }
  return value + (remainder ? 1 : 0);
}

// Whether upstream keeps the parsed text as the canonical one: its fast path, in numbers that fit
// 18 digits and have no zeros to be turned into a suffix.
bool KeepsText(const Parts& parts, const Suffix& suffix) {
  constexpr int kFastDigitsMax = 18;
  const std::string whole(parts.whole.empty() ? "0" : parts.whole);
  const auto digits = static_cast<int>(std::min<size_t>(whole.size() + parts.fraction.size(), 99));
  if (suffix.format == Quantity::Format::kBinarySI) {
    if (!parts.fraction.empty()) return false;
    const int precision = 15 - digits - suffix.exponent * 3 / 10 - 1;
    return precision >= 0 && (*ParseInt64(whole) & 7) != 0;
  }
  if (digits > kFastDigitsMax) return false;
  const int64_t scale = int64_t{suffix.exponent} - static_cast<int64_t>(parts.fraction.size());
  return scale >= -kNanoDigits && scale % 3 == 0 && whole[0] != '0' &&
         !(whole + std::string(parts.fraction)).ends_with("000");
}

std::string Digits(__int128 magnitude) {
  std::string text;
  do {
    text += static_cast<char>('0' + static_cast<int>(magnitude % 10));
    magnitude /= 10;
  } while (magnitude > 0);
  std::ranges::reverse(text);
  return text;
}

std::string_view NameOf(std::span<const NamedSuffix> suffixes, int exponent) {
  for (const auto& [name, value] : suffixes) {
    if (value == exponent) return name;
  }
  return "";
}

// As few digits as an exponent that is a multiple of three allows.
std::string DecimalText(__int128 magnitude, Quantity::Format format) {
  int exponent = -kNanoDigits;
  const bool named = format == Quantity::Format::kDecimalSI;
  // Upstream loses numbers from 1000E on; here the suffix stays E.
  while (magnitude % 1000 == 0 && (!named || exponent < kDecimalSuffixes.back().exponent)) {
    magnitude /= 1000;
    exponent += 3;
  }
  std::string text = Digits(magnitude);
  if (named) return text.append(NameOf(kDecimalSuffixes, exponent));
  if (exponent != 0) text += "e" + std::to_string(exponent);
  return text;
}

std::string BinaryText(__int128 units) {
  int exponent = 0;
  while (units % 1024 == 0 && exponent < kBinarySuffixes.back().exponent) {
    units /= 1024;
    exponent += 10;
  }
  return Digits(units).append(NameOf(kBinarySuffixes, exponent));
}

// value / divisor, away from zero.
int64_t DivideUp(__int128 value, __int128 divisor) {
  const __int128 quotient = value / divisor;
  const int away = value % divisor == 0 ? 0 : value > 0 ? 1 : -1;
  const __int128 result = quotient + away;
  return static_cast<int64_t>(std::clamp<__int128>(result, -kInt64Max - 1, kInt64Max));
}

__int128 SaturatingAdd(__int128 a, __int128 b) {
  __int128 sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return std::max(sum, -kNanosMax);
  return a > 0 ? kNanosMax : -kNanosMax;
}

}  // namespace

std::optional<Quantity> Quantity::Parse(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const Parts parts = SplitParts(text);
  const auto suffix = ReadSuffix(parts.suffix);
  if (!suffix) return std::nullopt;

  Quantity quantity;
  quantity.format_ = suffix->format;
  if (KeepsText(parts, *suffix)) quantity.text_ = text;
  std::string digits(parts.whole);
  digits += parts.fraction;
  int64_t power = kNanoDigits - static_cast<int64_t>(parts.fraction.size());
  if (suffix->format == Format::kBinarySI) {
    for (int i = 0; i < suffix->exponent; i += 10) MultiplyBy1024(&digits);
  } else {
    power += suffix->exponent;
  }
  __int128 magnitude = Scale(digits, power);
  if (suffix->format == Format::kBinarySI) {
    magnitude = std::min(magnitude, kInt64Max * kNanosPerUnit);
    if (magnitude > 0 && magnitude < kNanosPerUnit) quantity.format_ = Format::kDecimalSI;
  }
  quantity.nanos_ = parts.negative ? -magnitude : magnitude;
  return quantity;
}

Quantity Quantity::FromInt(int64_t value, Format format) {
  Quantity quantity;
  quantity.nanos_ = value * kNanosPerUnit;
  quantity.format_ = format;
  return quantity;
}

std::string Quantity::ToString() const {
  if (!text_.empty()) return text_;
  if (nanos_ == 0) return "0";
  const __int128 magnitude = nanos_ < 0 ? -nanos_ : nanos_;
  const std::string sign = nanos_ < 0 ? "-" : "";
  if (format_ != Format::kBinarySI) return sign + DecimalText(magnitude, format_);
  const bool binary = magnitude >= 1024 * kNanosPerUnit && magnitude % kNanosPerUnit == 0;
  return sign + (binary ? BinaryText(magnitude / kNanosPerUnit)
                        : DecimalText(magnitude, Format::kDecimalSI));
}

int64_t Quantity::Value() const { return DivideUp(nanos_, kNanosPerUnit); }

int64_t Quantity::MilliValue() const { return DivideUp(nanos_, kNanosPerUnit / 1000); }

double Quantity::AsDouble() const {
  return static_cast<double>(nanos_) / static_cast<double>(kNanosPerUnit);
}

int Quantity::Sign() const { return nanos_ == 0 ? 0 : nanos_ > 0 ? 1 : -1; }

Quantity& Quantity::operator+=(const Quantity& other) {
  if (nanos_ == 0) format_ = other.format_;
  nanos_ = SaturatingAdd(nanos_, other.nanos_);
  text_.clear();
  return *this;
}

Quantity& Quantity::operator-=(const Quantity& other) {
  if (nanos_ == 0) format_ = other.format_;
  nanos_ = SaturatingAdd(nanos_, -other.nanos_);
  text_.clear();
  return *this;
}

std::strong_ordering operator<=>(const Quantity& a, const Quantity& b) {
  return a.nanos_ < b.nanos_   ? std::strong_ordering::less
         : a.nanos_ > b.nanos_ ? std::strong_ordering::greater
                               : std::strong_ordering::equal;
}

}  // namespace kulisse::openapi
