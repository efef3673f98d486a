// The syntax of cron schedules, as robfig/cron reads them: five fields or "@daily" and its like.
// Threads: a pure function.
#pragma once

#include <string>
#include <string_view>

namespace kulisse::openapi {

// What is wrong with the schedule, in robfig's words; empty when nothing is.
[[nodiscard]] std::string CronScheduleError(std::string_view schedule);

}  // namespace kulisse::openapi
