// Dates: seconds since 1970, or arrays [year, month from 0, day, hour, minute, second, weekday, day
// of the year from 0]. The local time of a server that is a simulation is UTC.
#include <cmath>

#include "simulator/jq/calendar.h"
#include "simulator/jq/natives.h"
#include "simulator/jq/strftime.h"

namespace kulisse::simulator::jq {

namespace {

constexpr double kNanosecondsPerSecond = 1e9;
// Parts of dates beyond this are cut: the sums of seconds must not overflow.
constexpr int64_t kDatePartMax = 1'000'000'000;

bool Give(Value* result, const Value& value) {
  *result = value;
  return true;
}

int64_t NanosecondsOf(double seconds) {
  return DoubleToInt((seconds - std::floor(seconds)) * kNanosecondsPerSecond);
}

CivilTime CivilOf(double seconds) {
  constexpr int64_t kSecondsMax = int64_t{1} << 55;
  const int64_t whole = std::clamp(DoubleToInt(seconds), -kSecondsMax, kSecondsMax);
  return CivilFromSeconds(whole, std::isfinite(seconds) ? NanosecondsOf(seconds) : 0);
}

Value ToArray(Context& context, double seconds) {
  const CivilTime time = CivilOf(seconds);
  const std::span<Value> parts = context.NewElements(8);
  parts[0] = Value::Int(time.year);
  parts[1] = Value::Int(time.month - 1);
  parts[2] = Value::Int(time.day);
  parts[3] = Value::Int(time.hour);
  parts[4] = Value::Int(time.minute);
  parts[5] =
      Value::Double(time.second + static_cast<double>(time.nanosecond) / kNanosecondsPerSecond);
  parts[6] = Value::Int(time.weekday);
  parts[7] = Value::Int(time.year_day - 1);
  return Value::Array(parts);
}

// The seconds that an array means; parts beyond their range count on.
bool FromArray(const Value& array, int64_t* seconds, int64_t* nanosecond) {
  int64_t parts[8] = {};
  *nanosecond = 0;
  for (size_t i = 0; i < 8 && i < array.size(); ++i) {
    const Value part = array.At(i);
    if (!ToInt(part, &parts[i])) return false;
    parts[i] = std::clamp(parts[i], -kDatePartMax, kDatePartMax);
    if (i == 5) *nanosecond = NanosecondsOf(part.AsDouble());
  }
  *seconds = DaysFromCivil(parts[0], parts[1] + 1, parts[2]) * 86'400 + parts[3] * 3600 +
             parts[4] * 60 + parts[5];
  return true;
}

bool GmTime(Context& context, std::string_view name, const Value& input, Value* result) {
  if (!input.IsNumber()) return context.FailType(name, input);
  return Give(result, ToArray(context, input.AsDouble()));
}

constexpr std::string_view kNoDate = "expected an array of 8 numbers";

bool MkTime(Context& context, const Value& input, Arguments, Value* result) {
  if (!input.IsArray()) return context.FailType("mktime", input);
  int64_t seconds = 0;
  int64_t nanosecond = 0;
  if (!FromArray(input, &seconds, &nanosecond)) return context.FailWith("mktime", input, kNoDate);
  return Give(result, Value::Double(static_cast<double>(seconds) +
                                    static_cast<double>(nanosecond) / kNanosecondsPerSecond));
}

bool StrFTime(Context& context, std::string_view name, const Value& input, Arguments arguments,
              Value* result) {
  const Value array = input.IsNumber() ? ToArray(context, input.AsDouble()) : input;
  if (!array.IsArray() || !arguments[0].IsString()) {
    return context.FailType(name, array, arguments[0]);
  }
  int64_t seconds = 0;
  int64_t nanosecond = 0;
  if (!FromArray(array, &seconds, &nanosecond)) {
    return context.FailWith(name, array, arguments[0], kNoDate);
  }
  const CivilTime time = CivilFromSeconds(seconds, nanosecond);
  return Give(result, context.String(FormatStrftime(time, arguments[0].AsString())));
}

bool StrPTime(Context& context, const Value& input, Arguments arguments, Value* result) {
  if (!input.IsString() || !arguments[0].IsString()) {
    return context.FailType("strptime", input, arguments[0]);
  }
  const auto parsed = ParseStrptime(input.AsString(), arguments[0].AsString());
  if (!parsed) return context.FailWith("strptime", input, arguments[0], parsed.error());
  return Give(result, ToArray(context,
                              static_cast<double>(parsed->seconds) +
                                  static_cast<double>(parsed->nanosecond) / kNanosecondsPerSecond));
}

bool Now(Context& context, const Value&, Arguments, Value* result) {
  if (!context.now()) return context.Fail("`now` has no meaning here");
  const auto nanoseconds = context.now()->time_since_epoch().count();
  return Give(result, Value::Double(static_cast<double>(nanoseconds) / kNanosecondsPerSecond));
}

constexpr Native kNatives[] = {
    {"gmtime", 0,
     [](Context& context, const Value& input, Arguments, Value* result) {
       return GmTime(context, "gmtime", input, result);
     }},
    {"localtime", 0,
     [](Context& context, const Value& input, Arguments, Value* result) {
       return GmTime(context, "localtime", input, result);
     }},
    {"mktime", 0, MkTime},
    {"now", 0, Now},
    {"strflocaltime", 1,
     [](Context& context, const Value& input, Arguments arguments, Value* result) {
       return StrFTime(context, "strflocaltime", input, arguments, result);
     }},
    {"strftime", 1,
     [](Context& context, const Value& input, Arguments arguments, Value* result) {
       return StrFTime(context, "strftime", input, arguments, result);
     }},
    {"strptime", 1, StrPTime},
};

}  // namespace

std::span<const Native> TimeNatives() { return kNatives; }

}  // namespace kulisse::simulator::jq
