// Dates and durations, in UTC: the zone of a simulated server. Other zones are refused.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/time.h"
#include "simulator/sprig/go_layout.h"
#include "simulator/sprig/sprig.h"

namespace kulisse::simulator {

namespace {

constexpr std::string_view kHtmlLayout = "2006-01-02";

Operand KeepTime(TemplateCall& call, SystemTime time) {
  Operand result = call.KeepInt(time.time_since_epoch().count());
  result.is_time = true;
  return result;
}

SystemTime TimeOf(const Operand& operand) { return SystemTime(Duration(IntOf(operand))); }

// A time, or an int as seconds since 1970; all else is now.
SystemTime AnyTime(TemplateCall& call, const Operand& operand) {
  if (operand.is_time) return TimeOf(operand);
  constexpr int64_t kSecondsMax = 9'000'000'000;
  if (operand.IsComputedInt()) {
    return SystemTime(std::chrono::seconds(std::clamp(IntOf(operand), -kSecondsMax, kSecondsMax)));
  }
  return call.environment().Now();
}

// Go's Duration.String: "1h2m3.5s".
std::string DurationText(int64_t nanoseconds) {
  if (nanoseconds == 0) return "0s";
  const bool negative = nanoseconds < 0;
  const uint64_t total =
      negative ? 0 - static_cast<uint64_t>(nanoseconds) : static_cast<uint64_t>(nanoseconds);
  constexpr uint64_t kSecond = 1'000'000'000;
  const auto fraction = [](uint64_t value, uint64_t unit) {
    std::string text = std::to_string(value / unit);
    if (value % unit == 0) return text;
    std::string digits = std::to_string(unit + value % unit).substr(1);
    digits.resize(digits.find_last_not_of('0') + 1);
    return text.append(".").append(digits);
  };
  std::string text = negative ? "-" : "";
  if (total < 1'000) return text + std::to_string(total) + "ns";
  if (total < 1'000'000) return text + fraction(total, 1'000) + "µs";
  if (total < kSecond) return text + fraction(total, 1'000'000) + "ms";
  const uint64_t seconds = total / kSecond;
  if (seconds >= 3600) text += fmt::format("{}h", seconds / 3600);
  if (seconds >= 60) text += fmt::format("{}m", seconds / 60 % 60);
  return text + fraction(total % (60 * kSecond), kSecond) + "s";
}

bool CheckZone(TemplateCall& call, std::string_view zone) {
  // Go knows "" as UTC, "Local" as what the server has; one it does not know counts as UTC.
  const bool other = zone.find('/') != std::string_view::npos && !zone.starts_with("Etc/U");
  return !other || call.Fail(fmt::format("zone {} is not supported: times are UTC", zone));
}

bool Date(TemplateCall& call, Arguments arguments, Operand* result) {
  return GiveText(call, FormatGoTime(AnyTime(call, arguments[1]), TextOf(arguments[0])), result);
}

bool DateInZone(TemplateCall& call, Arguments arguments, Operand* result) {
  return CheckZone(call, TextOf(arguments[2])) && Date(call, arguments.first(2), result);
}

bool HtmlDate(TemplateCall& call, Arguments arguments, Operand* result) {
  return GiveText(call, FormatGoTime(AnyTime(call, arguments[0]), kHtmlLayout), result);
}

template <bool kMust>
bool DateModify(TemplateCall& call, Arguments arguments, Operand* result) {
  const auto duration = ParseGoDuration(TextOf(arguments[0]));
  if (!duration && kMust) return call.Fail("invalid duration");
  int64_t moved = 0;
  if (__builtin_add_overflow(IntOf(arguments[1]), duration.value_or(Duration(0)).count(), &moved)) {
    return call.Fail("the time is out of range");
  }
  *result = KeepTime(call, SystemTime(Duration(moved)));
  return true;
}

template <bool kMust>
bool ToDate(TemplateCall& call, Arguments arguments, Operand* result) {
  const auto time = ParseGoTime(TextOf(arguments[1]), TextOf(arguments[0]));
  if (!time && kMust) return call.Fail("the text does not have the layout");
  // Go's zero time lies before what nanoseconds can count.
  if (!time) return call.Fail("the text does not have the layout");
  *result = KeepTime(call, *time);
  return true;
}

bool Ago(TemplateCall& call, Arguments arguments, Operand* result) {
  const Duration since = call.environment().Now() - AnyTime(call, arguments[0]);
  return GiveText(
      call, DurationText(std::chrono::round<std::chrono::seconds>(since).count() * 1'000'000'000),
      result);
}

bool DurationOf(TemplateCall& call, Arguments arguments, Operand* result) {
  constexpr int64_t kSecondsMax = 9'000'000'000;
  const Operand& seconds = arguments[0];
  const int64_t count = seconds.IsString() || seconds.IsComputedInt() ? ToInt64(seconds) : 0;
  return GiveText(call, DurationText(std::clamp(count, -kSecondsMax, kSecondsMax) * 1'000'000'000),
                  result);
}

bool DurationRound(TemplateCall& call, Arguments arguments, Operand* result) {
  struct Unit {
    uint64_t seconds;
    std::string_view name;
  };
  constexpr Unit kUnits[] = {{31'536'000, "y"}, {2'592'000, "mo"}, {86'400, "d"},
                             {3'600, "h"},      {60, "m"},         {1, "s"}};
  const Operand& operand = arguments[0];
  Duration duration{0};
  if (operand.is_time) {
    duration = call.environment().Now() - TimeOf(operand);
  } else if (operand.IsString()) {
    duration = ParseGoDuration(TextOf(operand)).value_or(Duration(0));
  } else if (operand.IsComputedInt()) {
    duration = Duration(IntOf(operand));
  }
  const int64_t count = duration.count();
  const uint64_t total =
      count < 0 ? 0 - static_cast<uint64_t>(count) : static_cast<uint64_t>(count);
  for (const Unit& unit : kUnits) {
    const uint64_t nanoseconds = unit.seconds * 1'000'000'000;
    if (total > nanoseconds) {
      return GiveText(call, fmt::format("{}{}", total / nanoseconds, unit.name), result);
    }
  }
  return GiveText(call, "0s", result);
}

constexpr TemplateFunction kFunctions[] = {
    Sprig("now", "",
          [](TemplateCall& call, Arguments, Operand* result) {
            *result = KeepTime(call, call.environment().Now());
            return true;
          }),
    Sprig("ago", "a", Ago),
    Sprig("date", "sa", Date),
    Sprig("dateInZone", "sas", DateInZone),
    Sprig("date_in_zone", "sas", DateInZone),
    Sprig("dateModify", "st", DateModify<false>),
    Sprig("date_modify", "st", DateModify<false>),
    Sprig("mustDateModify", "st", DateModify<true>),
    Sprig("must_date_modify", "st", DateModify<true>),
    Sprig("duration", "a", DurationOf),
    Sprig("durationRound", "a", DurationRound),
    Sprig("htmlDate", "a", HtmlDate),
    Sprig("htmlDateInZone", "as",
          [](TemplateCall& call, Arguments arguments, Operand* result) {
            return CheckZone(call, TextOf(arguments[1])) &&
                   HtmlDate(call, arguments.first(1), result);
          }),
    Sprig("toDate", "ss", ToDate<false>),
    Sprig("mustToDate", "ss", ToDate<true>),
    Sprig("unixEpoch", "t",
          [](TemplateCall& call, Arguments arguments, Operand* result) {
            const auto seconds = std::chrono::floor<std::chrono::seconds>(TimeOf(arguments[0]));
            return GiveText(call, std::to_string(seconds.time_since_epoch().count()), result);
          }),
};

}  // namespace

std::span<const TemplateFunction> SprigDates() { return kFunctions; }

}  // namespace kulisse::simulator
