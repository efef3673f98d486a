// Reads what templates write. Most of it is plain block YAML or JSON, for which libyaml is ten
// times too slow; anything beyond that small subset goes to openapi/yaml.h, so the result is always
// the one it gives (test: QuickYamlTest compares the two).
//
// Threads: pure functions.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "base/json/value.h"

namespace kulisse::simulator {

// The first YAML document of the text; of a key that comes twice the last value counts.
[[nodiscard]] std::expected<json::Value, std::string> ParseRendered(std::string_view text,
                                                                    json::Arena& arena);

// The subset alone: block mappings and sequences of quoted strings without unusual escapes, plain
// words, integers and booleans. Nothing when the text is not in it.
[[nodiscard]] std::optional<json::Value> ParseQuickYaml(std::string_view text, json::Arena& arena);

}  // namespace kulisse::simulator
