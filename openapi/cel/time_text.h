// Timestamps and durations as texts, and in time zones, as Go's time package has them.
// Threads: any; a time zone is read once.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "openapi/cel/value.h"

namespace kulisse::openapi::cel {

// The first and last second of the years 1 to 9999.
inline constexpr int64_t kUnixSecondsMin = -62'135'596'800;
inline constexpr int64_t kUnixSecondsMax = 253'402'300'799;

// RFC 3339 as Go reads it; years 0 to 9999. Nothing when malformed.
[[nodiscard]] std::optional<Time> ParseTime(std::string_view text);
// RFC 3339 with as many decimals as needed, in the time's own zone.
[[nodiscard]] std::string FormatTime(const Time& time);
// "3.5s".
[[nodiscard]] std::string FormatSeconds(int64_t nanoseconds);

// A time in a time zone, in numbers.
struct CivilTime {
  int64_t year = 0;
  int month = 0;        // 0 is January
  int day = 0;          // 0 is the first
  int day_of_year = 0;  // 0 is the first
  int day_of_week = 0;  // 0 is Sunday
  int hour = 0, minute = 0, second = 0;
  int milliseconds = 0;
};
// `zone` is "", "UTC", a name of the IANA database, or an offset as "-02:30". The error is Go's.
[[nodiscard]] std::expected<CivilTime, std::string> InTimeZone(const Time& time,
                                                               std::string_view zone);

}  // namespace kulisse::openapi::cel
