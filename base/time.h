// Points in time and their Kubernetes text forms.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kulisse {

// Wall clock, UTC, nanoseconds since 1970.
using SystemTime = std::chrono::sys_time<std::chrono::nanoseconds>;
// Only differences mean anything; never goes back.
using MonotonicTime = std::chrono::time_point<std::chrono::steady_clock, std::chrono::nanoseconds>;
using Duration = std::chrono::nanoseconds;

// metav1.Time: "2026-01-02T03:04:05Z"; metav1.MicroTime: "2026-01-02T03:04:05.000006Z".
[[nodiscard]] std::string FormatTime(SystemTime time);
[[nodiscard]] std::string FormatMicroTime(SystemTime time);
// RFC 3339 with any fraction and offset; nothing when malformed.
[[nodiscard]] std::optional<SystemTime> ParseTime(std::string_view text);
// Go's time.ParseDuration: "1h2m3.5s", "-1.5h", "300ms".
[[nodiscard]] std::optional<Duration> ParseGoDuration(std::string_view text);
// kubectl's ages (upstream: apimachinery/pkg/util/duration HumanDuration): "59s", "4m30s", "3d2h".
[[nodiscard]] std::string HumanDuration(Duration duration);

}  // namespace kulisse
