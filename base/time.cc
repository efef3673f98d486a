#include "base/time.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/text.h"

namespace kulisse {

namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;

struct Civil {
  int year;
  unsigned month, day;
  int64_t hour, minute, second, nanosecond;
};

Civil Split(SystemTime time) {
  const auto day = floor<days>(time);
  const std::chrono::year_month_day date(day);
  const auto rest = time - day;
  return {
      int(date.year()),       unsigned(date.month()), unsigned(date.day()),       rest / hours(1),
      rest / minutes(1) % 60, rest / seconds(1) % 60, (rest % seconds(1)).count()};
}

// Reads exactly `digits` digits.
bool TakeNumber(std::string_view& text, size_t digits, int* out) {
  if (text.size() < digits) return false;
  int value = 0;
  for (size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  *out = value;
  return true;
}

bool TakeChar(std::string_view& text, char c) {
  if (text.empty() || text[0] != c) return false;
  text.remove_prefix(1);
  return true;
}

bool TakeOffset(std::string_view& text, minutes* offset) {
  if (TakeChar(text, 'Z')) return true;
  const bool negative = !text.empty() && text[0] == '-';
  if (!negative && (text.empty() || text[0] != '+')) return false;
  text.remove_prefix(1);
  int hour = 0;
  int minute = 0;
  if (!TakeNumber(text, 2, &hour) || !TakeChar(text, ':') || !TakeNumber(text, 2, &minute)) {
    return false;
  }
  if (hour > 23 || minute > 59) return false;
  *offset = minutes(hour * 60 + minute) * (negative ? -1 : 1);
  return true;
}

// The largest magnitude of a duration: that of its most negative value.
constexpr uint64_t kDurationMax = uint64_t{1} << 63;

// Digits of a number; nothing when it is larger than a duration can be.
std::optional<uint64_t> TakeDigits(std::string_view* text, size_t* count) {
  uint64_t value = 0;
  for (*count = 0; !text->empty() && (*text)[0] >= '0' && (*text)[0] <= '9'; ++*count) {
    const auto digit = static_cast<uint64_t>((*text)[0] - '0');
    if (value > (kDurationMax - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
    text->remove_prefix(1);
  }
  return value;
}

// "1.5h" off the front, added to the total in nanoseconds.
bool TakeDurationPart(std::string_view* text, uint64_t* total) {
  constexpr std::pair<std::string_view, uint64_t> kUnits[] = {
      {"ns", 1},         {"us", 1'000},        {"\xc2\xb5s", 1'000},  {"\xce\xbcs", 1'000},
      {"ms", 1'000'000}, {"s", 1'000'000'000}, {"m", 60'000'000'000}, {"h", 3'600'000'000'000}};
  size_t whole_digits = 0;
  const auto whole = TakeDigits(text, &whole_digits);
  if (!whole) return false;
  std::string_view fraction;
  if (TakeChar(*text, '.')) {
    fraction = text->substr(0, text->find_first_not_of("0123456789"));
    text->remove_prefix(fraction.size());
  }
  if (whole_digits == 0 && fraction.empty()) return false;
  const std::string_view name = text->substr(0, text->find_first_of(".0123456789"));
  const auto* unit = std::ranges::find(kUnits, name, &std::pair<std::string_view, uint64_t>::first);
  if (unit == std::end(kUnits)) return false;
  text->remove_prefix(name.size());
  const uint64_t size = unit->second;
  if (*whole > kDurationMax / size) return false;
  // Go's arithmetic: as many digits as 63 bits hold, times the unit divided by their scale.
  uint64_t digits = 0;
  double scale = 1;
  for (const char digit : fraction) {
    if (digits > (kDurationMax - 10) / 10) break;
    digits = digits * 10 + static_cast<uint64_t>(digit - '0');
    scale *= 10;
  }
  const double part = static_cast<double>(digits) * (static_cast<double>(size) / scale);
  const uint64_t nanoseconds_of_part = *whole * size + static_cast<uint64_t>(part);
  *total += nanoseconds_of_part;
  return nanoseconds_of_part <= kDurationMax && *total <= kDurationMax;
}

// Writes the last `digits` digits of a number. Objects have many times: fmt would take tenfold.
char* WriteDigits(int64_t number, int digits, char* to) {
  for (int i = digits; i-- > 0; number /= 10) to[i] = static_cast<char>('0' + number % 10);
  return to + digits;
}

// "2006-01-02T15:04:05": returns its end.
char* WriteSeconds(const Civil& c, char* to) {
  to = WriteDigits(c.year, 4, to);
  *to++ = '-';
  to = WriteDigits(c.month, 2, to);
  *to++ = '-';
  to = WriteDigits(c.day, 2, to);
  *to++ = 'T';
  to = WriteDigits(c.hour, 2, to);
  *to++ = ':';
  to = WriteDigits(c.minute, 2, to);
  *to++ = ':';
  return WriteDigits(c.second, 2, to);
}

constexpr size_t kTimeTextMax = 32;

}  // namespace

std::string FormatTime(SystemTime time) {
  char text[kTimeTextMax];
  char* end = WriteSeconds(Split(time), text);
  *end++ = 'Z';
  return {text, end};
}

std::string FormatMicroTime(SystemTime time) {
  const Civil c = Split(time);
  char text[kTimeTextMax];
  char* end = WriteSeconds(c, text);
  *end++ = '.';
  end = WriteDigits(c.nanosecond / 1000, 6, end);
  *end++ = 'Z';
  return {text, end};
}

std::optional<SystemTime> ParseTime(std::string_view text) {
  int year, month, day, hour, minute, second;
  if (!TakeNumber(text, 4, &year) || !TakeChar(text, '-') || !TakeNumber(text, 2, &month) ||
      !TakeChar(text, '-') || !TakeNumber(text, 2, &day) || !TakeChar(text, 'T') ||
      !TakeNumber(text, 2, &hour) || !TakeChar(text, ':') || !TakeNumber(text, 2, &minute) ||
      !TakeChar(text, ':') || !TakeNumber(text, 2, &second)) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok() || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  int64_t nanosecond = 0;
  if (TakeChar(text, '.')) {
    int64_t scale = 100'000'000;
    size_t digits = 0;
    while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') {
      nanosecond += (text[digits] - '0') * scale;
      scale /= 10;
      ++digits;
    }
    if (digits == 0) return std::nullopt;
    text.remove_prefix(digits);
  }
  minutes offset(0);
  if (!TakeOffset(text, &offset) || !text.empty()) return std::nullopt;
  // Nanoseconds in 64 bits reach from 1677 to 2262; what is beyond stays at the border.
  constexpr int kYearMin = 1678;
  constexpr int kYearMax = 2261;
  if (year < kYearMin)
    return SystemTime(std::chrono::sys_days(std::chrono::year(kYearMin) / 1 / 1));
  if (year > kYearMax) {
    return SystemTime(std::chrono::sys_days(std::chrono::year(kYearMax) / 12 / 31));
  }
  return SystemTime(std::chrono::sys_days(date)) + hours(hour) + minutes(minute) + seconds(second) +
         nanoseconds(nanosecond) - offset;
}

std::optional<Duration> ParseGoDuration(std::string_view text) {
  bool negative = false;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    negative = text[0] == '-';
    text.remove_prefix(1);
  }
  if (text == "0") return Duration(0);
  if (text.empty()) return std::nullopt;
  uint64_t total = 0;
  while (!text.empty()) {
    if (!TakeDurationPart(&text, &total)) return std::nullopt;
  }
  constexpr auto kMax = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  if (total > kMax + (negative ? 1 : 0)) return std::nullopt;
  return Duration(static_cast<int64_t>(negative ? 0 - total : total));
}

std::string HumanDuration(Duration duration) {
  const int64_t s = duration / seconds(1);
  if (s < -1) return "<invalid>";
  if (s < 0) return "0s";
  if (s < 120) return fmt::format("{}s", s);
  const int64_t m = s / 60;
  if (m < 10) {
    return s % 60 == 0 ? fmt::format("{}m", m) : fmt::format("{}m{}s", m, s % 60);
  }
  if (m < 180) return fmt::format("{}m", m);
  const int64_t h = m / 60;
  if (h < 8) return m % 60 == 0 ? fmt::format("{}h", h) : fmt::format("{}h{}m", h, m % 60);
  if (h < 48) return fmt::format("{}h", h);
  const int64_t d = h / 24;
  if (h < 192) return h % 24 == 0 ? fmt::format("{}d", d) : fmt::format("{}d{}h", d, h % 24);
  if (h < 24 * 365 * 2) return fmt::format("{}d", d);
  if (h < 24 * 365 * 8) {
    const int64_t y = d / 365;
    return d % 365 == 0 ? fmt::format("{}y", y) : fmt::format("{}y{}d", y, d % 365);
  }
  return fmt::format("{}y", d / 365);
}

}  // namespace kulisse
