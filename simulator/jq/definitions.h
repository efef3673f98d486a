// Functions of jq that are written in jq.
#pragma once

#include <string_view>

namespace kulisse::simulator::jq {

extern const std::string_view kDefinitions;

}  // namespace kulisse::simulator::jq
