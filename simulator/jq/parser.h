// Reads the text of a jq program into its tree; names are not looked up yet.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "simulator/jq/node.h"

namespace kulisse::simulator::jq {

// The error says what is wrong, and where: "unexpected token `)` (at 4)".
// Limits: kExpressionBytesMax, kExpressionNodesMax, kExpressionDepthMax.
[[nodiscard]] std::expected<NodePtr, std::string> Parse(std::string_view program);

// A text of definitions alone.
[[nodiscard]] std::expected<std::vector<std::unique_ptr<Definition>>, std::string> ParseDefinitions(
    std::string_view text);

}  // namespace kulisse::simulator::jq
