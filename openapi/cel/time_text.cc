#include "openapi/cel/time_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>

#include "base/text.h"
#include "openapi/cel/time_zone.h"
#include "openapi/cel/value.h"
#include "openapi/go_time.h"

namespace kulisse::openapi::cel {
namespace {

constexpr int64_t kSecondsPerDay = 86'400;

// The offset at the end of a text that is a time: "Z", "+02:00".
int32_t OffsetOf(std::string_view text) {
  if (text.ends_with('Z')) return 0;
  const std::string_view zone = text.substr(text.size() - 6);
  const auto digit = [&](size_t i) { return zone[i] - '0'; };
  const int seconds = (digit(1) * 10 + digit(2)) * 3600 + (digit(4) * 10 + digit(5)) * 60;
  return zone[0] == '-' ? -seconds : seconds;
}

struct Date {
  std::chrono::year_month_day day;
  int64_t days;
  int64_t second_of_day;
};

Date DateAt(int64_t seconds) {
  int64_t days = seconds / kSecondsPerDay;
  int64_t rest = seconds % kSecondsPerDay;
  if (rest < 0) {
    rest += kSecondsPerDay;
    --days;
  }
  const std::chrono::sys_days day{std::chrono::days(days)};
  return {.day = std::chrono::year_month_day(day), .days = days, .second_of_day = rest};
}

// Go's strconv.Atoi, as far as time zones need it.
std::expected<int64_t, std::string> Atoi(std::string_view text) {
  const std::string_view digits = text.starts_with('+') ? text.substr(1) : text;
  const auto number = digits.starts_with('+') ? std::nullopt : ParseInt64(digits);
  if (number) return *number;
  const bool is_number = digits.find_first_not_of("0123456789", digits.starts_with('-') ? 1 : 0) ==
                             std::string_view::npos &&
                         digits.size() > (digits.starts_with('-') ? 1u : 0u);
  return std::unexpected(fmt::format("strconv.Atoi: parsing \"{}\": {}", text,
                                     is_number ? "value out of range" : "invalid syntax"));
}

// Seconds east of UTC of "hours:minutes".
std::expected<int64_t, std::string> ParseOffset(std::string_view zone, size_t colon) {
  const auto hours = Atoi(zone.substr(0, colon));
  if (!hours) return std::unexpected(hours.error());
  const auto minutes = Atoi(zone.substr(colon + 1));
  if (!minutes) return std::unexpected(minutes.error());
  // Beyond a year nothing is a time zone; Go computes on with what overflows.
  constexpr int64_t kHoursMax = 24 * 366;
  const int64_t h = std::clamp(*hours, -kHoursMax, kHoursMax);
  const int64_t m = std::clamp(*minutes, -kHoursMax * 60, kHoursMax * 60);
  return (zone[0] == '-' ? h * 60 - m : h * 60 + m) * 60;
}

std::expected<int64_t, std::string> OffsetIn(std::string_view zone, int64_t seconds) {
  if (zone.empty() || zone == "UTC") return 0;
  const size_t colon = zone.find(':');
  if (colon == 0) return std::unexpected("strconv.Atoi: parsing \"\": invalid syntax");
  if (colon != std::string_view::npos) return ParseOffset(zone, colon);
  return OffsetOfTimeZone(zone, seconds);
}

}  // namespace

std::optional<Time> ParseTime(std::string_view text) {
  const auto time = ParseTimestamp(text, TimeLayout::kSeconds);
  if (!time) return std::nullopt;
  return Time{.seconds = time->seconds, .nanos = time->nanos, .offset = OffsetOf(text)};
}

std::string FormatTime(const Time& time) {
  const Date date = DateAt(time.seconds + time.offset);
  const int64_t second = date.second_of_day;
  std::string text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", int{date.day.year()},
                                 unsigned{date.day.month()}, unsigned{date.day.day()},
                                 second / 3600, second / 60 % 60, second % 60);
  if (time.nanos != 0) {
    std::string decimals = fmt::format(".{:09}", time.nanos);
    decimals.resize(decimals.find_last_not_of('0') + 1);
    text += decimals;
  }
  if (time.offset == 0) return text + "Z";
  const int minutes = std::abs(time.offset) / 60;
  return text +
         fmt::format("{}{:02}:{:02}", time.offset < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

std::string FormatSeconds(int64_t nanoseconds) {
  constexpr int64_t kNanos = 1'000'000'000;
  // Go's Duration.Seconds: whole seconds and the rest, added as doubles.
  const int64_t whole = nanoseconds / kNanos;
  const int64_t rest = nanoseconds % kNanos;
  const double seconds = static_cast<double>(whole) + static_cast<double>(rest) / 1e9;
  return FormatDoubleFixed(seconds) + "s";
}

std::expected<CivilTime, std::string> InTimeZone(const Time& time, std::string_view zone) {
  const auto offset = OffsetIn(zone, time.seconds);
  if (!offset) return std::unexpected(offset.error());
  const Date date = DateAt(time.seconds + *offset);
  const std::chrono::sys_days new_year =
      date.day.year() / std::chrono::January / std::chrono::day(1);
  return CivilTime{
      .year = int{date.day.year()},
      .month = static_cast<int>(unsigned{date.day.month()}) - 1,
      .day = static_cast<int>(unsigned{date.day.day()}) - 1,
      .day_of_year = static_cast<int>(date.days - new_year.time_since_epoch().count()),
      .day_of_week = static_cast<int>(((date.days + 4) % 7 + 7) % 7),
      .hour = static_cast<int>(date.second_of_day / 3600),
      .minute = static_cast<int>(date.second_of_day / 60 % 60),
      .second = static_cast<int>(date.second_of_day % 60),
      .milliseconds = time.nanos / 1'000'000,
  };
}

}  // namespace kulisse::openapi::cel
