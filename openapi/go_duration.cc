#include "openapi/go_duration.h"

#include <fmt/format.h>

namespace kulisse::openapi {

namespace {

constexpr uint64_t kSecond = 1'000'000'000;

// "1.5" of 1500 in units of 1000.
std::string Decimal(uint64_t value, uint64_t unit) {
  std::string out = fmt::format("{}", value / unit);
  uint64_t rest = value % unit;
  if (rest == 0) return out;
  out += '.';
  for (uint64_t place = unit / 10; rest > 0; place /= 10) {
    out += static_cast<char>('0' + rest / place);
    rest %= place;
  }
  return out;
}

}  // namespace

std::string FormatGoDuration(Duration duration) {
  const int64_t count = duration.count();
  if (count == 0) return "0s";
  const std::string sign = count < 0 ? "-" : "";
  const uint64_t nanos =
      count < 0 ? 0 - static_cast<uint64_t>(count) : static_cast<uint64_t>(count);
  if (nanos < 1'000) return fmt::format("{}{}ns", sign, nanos);
  if (nanos < 1'000'000) return fmt::format("{}{}\u00b5s", sign, Decimal(nanos, 1'000));
  if (nanos < kSecond) return fmt::format("{}{}ms", sign, Decimal(nanos, 1'000'000));
  const uint64_t minutes = nanos / kSecond / 60;
  const std::string seconds = Decimal(nanos % (60 * kSecond), kSecond) + "s";
  if (minutes == 0) return sign + seconds;
  if (minutes < 60) return fmt::format("{}{}m{}", sign, minutes, seconds);
  return fmt::format("{}{}h{}m{}", sign, minutes / 60, minutes % 60, seconds);
}

}  // namespace kulisse::openapi
