// The time zones of the machine's IANA database, as Go's time.LoadLocation reads them.
//
// Owns: each zone, once read. Threads: any. Errors: in Go's words.
// Limits: kTimeZoneBytesMax for a file; names cannot leave the database's folder.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace kulisse::openapi::cel {

// Seconds east of UTC that the zone has at `seconds` since 1970. `unknown time zone X` when the
// machine's database has none.
[[nodiscard]] std::expected<int64_t, std::string> OffsetOfTimeZone(std::string_view name,
                                                                   int64_t seconds);

// One zone, from the bytes of its TZif file (RFC 8536). For tests too.
class TimeZone;
// Seconds east of UTC by the POSIX rule that a TZif file ends with: "CET-1CEST,M3.5.0,M10.5.0/3".
// Nothing when malformed.
[[nodiscard]] std::expected<int64_t, std::string> OffsetOfRule(std::string_view rule,
                                                               int64_t seconds);

}  // namespace kulisse::openapi::cel
