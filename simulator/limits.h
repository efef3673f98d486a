// Caps of the simulator, beside those in base/limits.h: value, unit, why.
#pragma once

#include <chrono>
#include <cstddef>

#include "base/limits.h"

namespace kulisse {

// The longest delay of a stage; longer ones are cut. Keeps sums of times from overflowing.
inline constexpr auto kStageDelayMax = 24h * 365 * 100;
// Text of one jq expression, bytes, and its parts: a result passes through all of them on the
// stack.
inline constexpr size_t kExpressionBytesMax = 4 * 1024;
inline constexpr size_t kExpressionNodesMax = 512;
// Parts nested in one expression or template; parsers recurse.
inline constexpr size_t kExpressionDepthMax = 200;
// Blocks and template calls under way in one rendering.
inline constexpr size_t kTemplateDepthMax = 1'000;
// Addresses that one pod CIDR gives at most; a bit of memory each.
inline constexpr size_t kIpPoolAddressesMax = size_t{1} << 20;
// Objects that a stage player takes on before it lets others have the loop.
inline constexpr size_t kStageBatchObjectsMax = 64;

}  // namespace kulisse
