// Go's text of a duration. base/time.h reads it. Threads: pure function.
#pragma once

#include <string>

#include "base/time.h"

namespace kulisse::openapi {

// Upstream: Go's time.Duration.String: "1h2m3.5s", "1.5ms", "0s".
[[nodiscard]] std::string FormatGoDuration(Duration duration);

}  // namespace kulisse::openapi
