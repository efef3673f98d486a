#include "simulator/jq/calendar.h"

namespace kulisse::simulator {

namespace {

constexpr int64_t kSecondsPerDay = 86'400;
// The calendar repeats after 400 years. Counting from a March makes leap days the last ones.
constexpr int64_t kDaysPerEra = 146'097;
constexpr int64_t kDaysFromEraToUnix = 719'468;

int64_t FloorDivide(int64_t a, int64_t b) { return a / b - (a % b < 0); }

}  // namespace

int64_t DaysFromCivil(int64_t year, int64_t month, int64_t day) {
  year += FloorDivide(month - 1, 12);
  month -= FloorDivide(month - 1, 12) * 12;
  year -= month <= 2;
  const int64_t era = FloorDivide(year, 400);
  const int64_t year_of_era = year - era * 400;
  const int64_t month_from_march = (month + 9) % 12;
  const int64_t day_of_year = (153 * month_from_march + 2) / 5;
  const int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * kDaysPerEra + day_of_era - kDaysFromEraToUnix + day - 1;
}

CivilTime CivilFromSeconds(int64_t seconds, int64_t nanosecond) {
  const int64_t days = FloorDivide(seconds, kSecondsPerDay);
  const int64_t rest = seconds - days * kSecondsPerDay;
  const int64_t shifted = days + kDaysFromEraToUnix;
  const int64_t era = FloorDivide(shifted, kDaysPerEra);
  const int64_t day_of_era = shifted - era * kDaysPerEra;
  const int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t month_from_march = (5 * day_of_year + 2) / 153;
  CivilTime time;
  time.month =
      static_cast<int>(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
  time.year = era * 400 + year_of_era + (time.month <= 2);
  time.day = static_cast<int>(day_of_year - (153 * month_from_march + 2) / 5 + 1);
  time.hour = static_cast<int>(rest / 3600);
  time.minute = static_cast<int>(rest / 60 % 60);
  time.second = static_cast<int>(rest % 60);
  time.nanosecond = nanosecond;
  time.weekday = static_cast<int>(((days + 4) % 7 + 7) % 7);
  time.year_day = static_cast<int>(days - DaysFromCivil(time.year, 1, 1) + 1);
  return time;
}

IsoWeek IsoWeekOf(const CivilTime& time) {
  // The week belongs to the year of its Thursday.
  const int64_t days = DaysFromCivil(time.year, time.month, time.day);
  const int64_t thursday = days - (time.weekday + 6) % 7 + 3;
  const CivilTime middle = CivilFromSeconds(thursday * kSecondsPerDay, 0);
  return {middle.year, (middle.year_day - 1) / 7 + 1};
}

}  // namespace kulisse::simulator
