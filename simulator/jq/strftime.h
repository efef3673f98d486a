// C's strftime and strptime as gojq has them, in UTC.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "simulator/jq/calendar.h"

namespace kulisse::simulator {

[[nodiscard]] std::string FormatStrftime(const CivilTime& time, std::string_view format);

struct ParsedTime {
  int64_t seconds = 0;  // since 1970
  int64_t nanosecond = 0;
};

// The error is gojq's: `failed to parse "x" with "%Y": cannot parse "%Y"`.
[[nodiscard]] std::expected<ParsedTime, std::string> ParseStrptime(std::string_view text,
                                                                   std::string_view format);

extern const std::string_view kMonthNames[12];
extern const std::string_view kWeekdayNames[7];

}  // namespace kulisse::simulator
