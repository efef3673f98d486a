// Times in the layouts of Go's time package ("2006-01-02T15:04:05Z07:00"), in UTC.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace kulisse::simulator {

[[nodiscard]] std::string FormatGoTime(SystemTime time, std::string_view layout);
// Nothing when the text does not have the layout.
[[nodiscard]] std::optional<SystemTime> ParseGoTime(std::string_view text, std::string_view layout);

}  // namespace kulisse::simulator
