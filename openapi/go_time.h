// The times of Kubernetes objects, read and written as Go's time package does: same leniency, same
// words in errors. Covers years 0 to 9999, which SystemTime's nanoseconds do not.
//
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace kulisse::openapi {

// A point in time, as protobuf's Timestamp. The default is Go's zero time, which JSON shows as
// null.
struct Timestamp {
  int64_t seconds = -62'135'596'800;  // since 1970; 0001-01-01T00:00:00Z
  int32_t nanos = 0;

  [[nodiscard]] bool IsZero() const { return seconds == Timestamp().seconds && nanos == 0; }
  // Within the years that can be written with four digits.
  [[nodiscard]] bool IsWritable() const;
};

enum class TimeLayout : uint8_t {
  kSeconds,  // RFC 3339; a fraction is read but not written
  kMicros,   // RFC 3339 with exactly six decimals
};

// The error is Go's: `parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006"`.
[[nodiscard]] std::expected<Timestamp, std::string> ParseTimestamp(std::string_view text,
                                                                   TimeLayout layout);
// In UTC. REQUIRES: time.IsWritable().
[[nodiscard]] std::string FormatTimestamp(Timestamp time, TimeLayout layout);
// Whether the text is what FormatTimestamp would write for the time it names; false for Go's zero
// time and for any text that needs a closer look.
[[nodiscard]] bool IsCanonicalTime(std::string_view text, TimeLayout layout);

}  // namespace kulisse::openapi
