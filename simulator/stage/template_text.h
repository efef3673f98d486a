// Constants as Go writes them. Each reader returns how many bytes it took, 0 when malformed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/json/value.h"

namespace kulisse::simulator {

// `…`
[[nodiscard]] size_t ReadRawString(std::string_view text, std::string* value);
// "…" with Go's escapes.
[[nodiscard]] size_t ReadGoString(std::string_view text, std::string* value);
// '…'
[[nodiscard]] size_t ReadGoCharacter(std::string_view text, int64_t* value);
// 12, -0x1f, 1.5e3; the whole text.
[[nodiscard]] bool ReadGoNumber(std::string_view text, json::Value* value);

}  // namespace kulisse::simulator
