// The Gregorian calendar, for any year, in UTC.
#pragma once

#include <cstdint>

namespace kulisse::simulator {

// Days since 1970-01-01. Months and days beyond their range count on, as in Go's time.Date.
[[nodiscard]] int64_t DaysFromCivil(int64_t year, int64_t month, int64_t day);  // month from 1

struct CivilTime {
  int64_t year = 1970;
  int month = 1;  // from 1
  int day = 1;
  int hour = 0;
  int minute = 0;
  int second = 0;
  int64_t nanosecond = 0;
  int weekday = 4;  // from Sunday, 0
  int year_day = 1;
};

[[nodiscard]] CivilTime CivilFromSeconds(int64_t seconds, int64_t nanosecond);

struct IsoWeek {
  int64_t year;
  int week;
};
[[nodiscard]] IsoWeek IsoWeekOf(const CivilTime& time);

}  // namespace kulisse::simulator
