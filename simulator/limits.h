// Caps of the simulator, beside those in base/limits.h: value, unit, why.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/limits.h"

namespace kulisse {

// The longest delay of a stage; longer ones are cut. Keeps sums of times from overflowing.
inline constexpr auto kStageDelayMax = 24h * 365 * 100;
// Text of one jq expression, bytes, and its parts: walks of its tree recurse.
inline constexpr size_t kExpressionBytesMax = 64 * 1024;
inline constexpr size_t kExpressionNodesMax = 4'000;
// Parts nested in one expression or template; parsers recurse.
inline constexpr size_t kExpressionDepthMax = 200;
// Stack and memory of one evaluation, bytes.
inline constexpr size_t kExpressionStackBytesMax = 2 * 1024 * 1024;
inline constexpr size_t kExpressionMemoryBytesMax = 64 * 1024 * 1024;
// Pairs of elements that one native function of jq compares.
inline constexpr size_t kExpressionPairsMax = 50'000'000;
// Compiled regular expressions that one expression or template keeps.
inline constexpr size_t kRegexesMax = 64;
// Blocks and template calls under way in one rendering.
inline constexpr size_t kTemplateDepthMax = 1'000;
// Addresses that one pod CIDR gives at most; a bit of memory each.
inline constexpr size_t kIpPoolAddressesMax = size_t{1} << 20;
// Events, sets of similar ones and objects with events that are remembered; client-go's caches are
// as big.
inline constexpr size_t kEventsRememberedMax = 4'096;
// The longest pause between tries to empty a namespace; it begins with kNamespaceRetryDelay and
// doubles.
inline constexpr auto kNamespaceRetryDelayMax = 4s;
// The pause before a failed stage is tried again: it doubles from the first to the longest, and up
// to a kStageRetryJitter-th of it comes on top. KWOK's.
inline constexpr auto kStageRetryPauseFirst = 1s;
inline constexpr auto kStageRetryPauseMax = 32min;
inline constexpr int kStageRetryJitter = 5;
// Objects that a stage player takes on before it lets others have the loop.
inline constexpr size_t kStageBatchObjectsMax = 64;
// Counters of cumulative usage that a pod or a node has: a few for each container.
inline constexpr size_t kUsageCountersMax = 1'000;
// Expressions of usage that ask for usage: nested in one another, and in all for one value.
inline constexpr size_t kUsageDepthMax = 8;
inline constexpr size_t kUsageNestedMax = 1'000;
// Commits since the last question about load that are read one by one, however few pods there are.
inline constexpr uint64_t kUsageEventsMin = 10'000;

}  // namespace kulisse
