// What kinds with pod templates, selectors and counters have in common.
// Internal to openapi/validation. Threads: pure functions.
#pragma once

#include <initializer_list>
#include <string_view>

#include "openapi/validation/walk.h"

namespace kulisse::openapi {

// Whether labels (or null) satisfy a label selector; none does a missing selector.
// REQUIRES: operators are known.
[[nodiscard]] bool SelectorMatches(const Value* selector, const Value* labels);
// Whether each operator is one that selectors have.
[[nodiscard]] bool HasKnownOperators(const Value& selector);
// A number or a percentage, not negative.
void CheckIntOrPercent(const Value* value, const Path& path, Walk& walk);
void CheckAtMost100Percent(const Value* value, const Path& path, Walk& walk);
// The number, or that of the percentage; 0 for anything else.
[[nodiscard]] int64_t IntOrPercentValue(const Value* value);
// Counters that are not above another one.
void CheckNotAbove(const Value& status, std::initializer_list<std::string_view> fields,
                   std::string_view limit, std::string_view detail, const Path& path, Walk& walk);
// Templates of workloads restart always and have no deadline.
void CheckTemplateOf(std::string_view kind, const Value& spec, const Path& path, Walk& walk);

}  // namespace kulisse::openapi
