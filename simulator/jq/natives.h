// Functions of jq that are written in C++: a table for each theme. Those that are written in jq are
// in definitions.cc.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "simulator/jq/context.h"
#include "simulator/jq/value.h"

namespace kulisse::simulator::jq {

using Arguments = std::span<const Value>;

struct Native {
  std::string_view name;  // with `_` in front: no program can call it by name
  int arity;
  // Gives one result, or fails with an error in the context.
  bool (*call)(Context& context, const Value& input, Arguments arguments, Value* result);
};

[[nodiscard]] std::span<const Native> OperatorNatives();
[[nodiscard]] std::span<const Native> CollectionNatives();
[[nodiscard]] std::span<const Native> SortNatives();
[[nodiscard]] std::span<const Native> StringNatives();
[[nodiscard]] std::span<const Native> FormatNatives();
[[nodiscard]] std::span<const Native> RegexNatives();
[[nodiscard]] std::span<const Native> MathNatives();
[[nodiscard]] std::span<const Native> TimeNatives();
[[nodiscard]] std::span<const Native> PathNatives();

[[nodiscard]] const std::vector<Native>& AllNatives();
// Null when there is none.
[[nodiscard]] const Native* FindNative(std::string_view name, size_t arity);

// --- what several themes and the evaluator need

bool Add(Context& context, const Value& a, const Value& b, Value* result);
// target[index] for all kinds of both.
bool IndexValue(Context& context, const Value& target, const Value& index, Value* result);
bool SliceValue(Context& context, const Value& target, const Value& start, const Value& end,
                Value* result);
bool GetPath(Context& context, const Value& value, const Value& path, Value* result);

// Truncates a number; beyond 64 bits it is the nearest that fits. False of other kinds.
[[nodiscard]] bool ToInt(const Value& value, int64_t* result);
[[nodiscard]] int64_t DoubleToInt(double number);
// A position from the end when negative, cut to [minimum, maximum].
[[nodiscard]] int64_t ClampIndex(int64_t index, int64_t minimum, int64_t maximum);
[[nodiscard]] Value ToStringValue(Context& context, const Value& value);

}  // namespace kulisse::simulator::jq
