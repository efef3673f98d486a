#include "openapi/validation/cron_schedule.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <vector>

#include "base/status.h"
#include "base/text.h"
#include "openapi/go_duration.h"

namespace kulisse::openapi {

namespace {

constexpr std::string_view kMonths[] = {"jan", "feb", "mar", "apr", "may", "jun",
                                        "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::string_view kDays[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
constexpr std::string_view kDescriptors[] = {"@yearly", "@annually", "@monthly", "@weekly",
                                             "@daily",  "@midnight", "@hourly"};

struct Field {
  uint64_t min;
  uint64_t max;
  std::span<const std::string_view> names;
  uint64_t first_name;
};
constexpr Field kFields[] = {
    {0, 59, {}, 0}, {0, 23, {}, 0}, {1, 31, {}, 0}, {1, 12, kMonths, 1}, {0, 6, kDays, 0},
};
constexpr size_t kFieldCount = std::size(kFields);

std::vector<std::string_view> Words(std::string_view text) {
  std::vector<std::string_view> words;
  for (size_t i = 0; i < text.size();) {
    const size_t begin = text.find_first_not_of(" \t\n\r\v\f", i);
    if (begin == std::string_view::npos) break;
    const size_t end = std::min(text.find_first_of(" \t\n\r\v\f", begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    i = end;
  }
  return words;
}

std::string NumberError(std::string_view text, uint64_t* number) {
  const auto parsed = ParseInt64(text.starts_with('+') ? text.substr(1) : text);
  if (!parsed) {
    return fmt::format("failed to parse int from {}: strconv.Atoi: parsing {}: invalid syntax",
                       text, GoQuote(text));
  }
  if (*parsed < 0) return fmt::format("negative number ({}) not allowed: {}", *parsed, text);
  *number = static_cast<uint64_t>(*parsed);
  return "";
}

std::string ValueError(std::string_view text, const Field& field, uint64_t* number) {
  const std::string lower = ToLower(text);
  const auto it = std::ranges::find(field.names, lower);
  if (it == field.names.end()) return NumberError(text, number);
  *number = field.first_name + static_cast<uint64_t>(it - field.names.begin());
  return "";
}

// One of the comma-separated parts of a field: "*", "a", "a-b", each with "/step".
std::string PartError(std::string_view part, const Field& field) {
  const auto range_and_step = Split(part, '/');
  const auto ends = Split(range_and_step[0], '-');
  const bool single = ends.size() == 1;
  uint64_t start = field.min;
  uint64_t end = field.max;
  if (ends[0] != "*" && ends[0] != "?") {
    if (std::string error = ValueError(ends[0], field, &start); !error.empty()) return error;
    end = start;
    if (ends.size() == 2) {
      if (std::string error = ValueError(ends[1], field, &end); !error.empty()) return error;
    } else if (!single) {
      return fmt::format("too many hyphens: {}", part);
    }
  }
  uint64_t step = 1;
  if (range_and_step.size() == 2) {
    if (std::string error = NumberError(range_and_step[1], &step); !error.empty()) return error;
    if (single) end = field.max;
  } else if (range_and_step.size() > 2) {
    return fmt::format("too many slashes: {}", part);
  }
  if (start < field.min) {
    return fmt::format("beginning of range ({}) below minimum ({}): {}", start, field.min, part);
  }
  if (end > field.max) {
    return fmt::format("end of range ({}) above maximum ({}): {}", end, field.max, part);
  }
  if (start > end) {
    return fmt::format("beginning of range ({}) beyond end of range ({}): {}", start, end, part);
  }
  if (step == 0) return fmt::format("step of range should be a positive number: {}", part);
  return "";
}

}  // namespace

std::string CronScheduleError(std::string_view schedule) {
  if (schedule.empty()) return "empty spec string";
  if (schedule.starts_with("TZ=") || schedule.starts_with("CRON_TZ=")) {
    const size_t blank = schedule.find(' ');
    if (blank == std::string_view::npos) return "provided bad location";
    schedule = TrimSpace(schedule.substr(blank));
  }
  if (schedule.starts_with('@')) {
    if (std::ranges::find(kDescriptors, schedule) != std::end(kDescriptors)) return "";
    constexpr std::string_view kEvery = "@every ";
    if (!schedule.starts_with(kEvery)) {
      return fmt::format("unrecognized descriptor: {}", schedule);
    }
    const std::string_view duration = schedule.substr(kEvery.size());
    if (ParseGoDuration(duration)) return "";
    return fmt::format("failed to parse duration {}: time: invalid duration {}", schedule,
                       GoQuote(duration));
  }
  const auto words = Words(schedule);
  if (words.size() != kFieldCount) {
    std::string list;
    for (const std::string_view word : words) list += (list.empty() ? "" : " ") + std::string(word);
    return fmt::format("expected exactly {} fields, found {}: [{}]", kFieldCount, words.size(),
                       list);
  }
  for (size_t i = 0; i < kFieldCount; ++i) {
    for (const std::string_view part : Split(words[i], ',')) {
      if (part.empty()) continue;
      if (std::string error = PartError(part, kFields[i]); !error.empty()) return error;
    }
  }
  return "";
}

}  // namespace kulisse::openapi
