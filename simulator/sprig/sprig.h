// The functions of sprig v3.3.0 that templates may call: a table for each theme. Those that need a
// network, an environment, a host or keys are refused by name.
//
// A row's signature says what arguments Go would take: `s` a string, `i` an int, `n` a float, `b` a
// bool, `d` a map, `t` a time, `a` anything; `*` after the last: any number of it. Arguments are
// checked against it before the function runs.
#pragma once

#include <cmath>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "simulator/stage/template_functions.h"

namespace kulisse::simulator {

[[nodiscard]] std::span<const TemplateFunction> SprigStrings();
[[nodiscard]] std::span<const TemplateFunction> SprigCollections();
[[nodiscard]] std::span<const TemplateFunction> SprigNumbers();
[[nodiscard]] std::span<const TemplateFunction> SprigEncodings();
[[nodiscard]] std::span<const TemplateFunction> SprigDates();

// Null when sprig has no such function, or it is not to be had here.
[[nodiscard]] const TemplateFunction* FindSprigFunction(std::string_view name);
// Whether sprig has it, and it is refused: it would need what a simulation does not give.
[[nodiscard]] bool IsRefusedSprigFunction(std::string_view name);

// --- what the themes share

[[nodiscard]] inline std::string_view TextOf(const Operand& operand) {
  return operand.IsString() ? operand.value->AsString() : std::string_view();
}
[[nodiscard]] inline int64_t IntOf(const Operand& operand) { return operand.value->AsInt(); }
// sprig's strval: as fmt prints it with %v.
[[nodiscard]] std::string StringValue(const Operand& operand);
// sprig's empty(): the zero of its type.
[[nodiscard]] bool IsEmpty(const Operand& operand);
// The conversions of spf13/cast, 0 for what is no number.
[[nodiscard]] int64_t ToInt64(const Operand& operand);
[[nodiscard]] double ToFloat64(const Operand& operand);

inline bool GiveText(TemplateCall& call, std::string_view text, Operand* result) {
  *result = call.KeepString(text);
  return true;
}
inline bool GiveInt(TemplateCall& call, int64_t number, Operand* result) {
  *result = call.KeepInt(number);
  return true;
}
inline bool GiveBool(TemplateCall& call, bool value, Operand* result) {
  *result = call.KeepBool(value);
  return true;
}
inline bool GiveFloat(TemplateCall& call, double number, Operand* result) {
  if (!std::isfinite(number)) return call.Fail("the result is no finite number");
  *result = call.Keep(json::Value::Double(number));
  return true;
}
[[nodiscard]] json::Value CopyOf(TemplateCall& call, const Operand& operand);
bool GiveTexts(TemplateCall& call, const std::vector<std::string>& texts, Operand* result);

}  // namespace kulisse::simulator
