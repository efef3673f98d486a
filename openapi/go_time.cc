#include "openapi/go_time.h"

#include <fmt/format.h>

#include <chrono>

namespace kulisse::openapi {

namespace {

using std::chrono::days;
using std::chrono::sys_days;

constexpr int64_t kSecondsPerDay = 86'400;
constexpr int64_t kFirstWritableSecond = -62'167'219'200;  // 0000-01-01T00:00:00Z
constexpr int64_t kLastWritableSecond = 253'402'300'799;   // 9999-12-31T23:59:59Z
constexpr size_t kMicrosBytes = 7;                         // ".000000"
constexpr size_t kNanoDigitsMax = 9;

bool IsDigit(std::string_view text, size_t at) {
  return at < text.size() && text[at] >= '0' && text[at] <= '9';
}

// Go's quoting inside time errors.
std::string Quote(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x80) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
  }
  return out + '"';
}

// Walks the layout 2006-01-02T15:04:05[.000000]Z07:00 over a text.
// Upstream: Go's time/format.go, parse.
class Parser {
 public:
  Parser(std::string_view text, TimeLayout layout) : text_(text), rest_(text), layout_(layout) {}

  std::expected<Timestamp, std::string> Parse() {
    if (!ParseDate() || !ParseClock() || !ParseZone()) return std::unexpected(error_);
    if (!rest_.empty()) {
      return std::unexpected(
          fmt::format("parsing time {}: extra text: {}", Quote(text_), Quote(rest_)));
    }
    const std::chrono::year_month_day date{std::chrono::year(year_),
                                           std::chrono::month(static_cast<unsigned>(month_)),
                                           std::chrono::day(static_cast<unsigned>(day_))};
    if (!date.ok()) {
      OutOfRange("day");
      return std::unexpected(error_);
    }
    const int64_t day = sys_days(date).time_since_epoch().count();
    Timestamp time;
    time.seconds = day * kSecondsPerDay + hour_ * 3600 + minute_ * 60 + second_ - zone_offset_;
    time.nanos = nanos_;
    if (!time.IsWritable()) {
      OutOfRange("year");
      return std::unexpected(error_);
    }
    return time;
  }

 private:
  bool ParseDate() {
    if (rest_.size() < 4 || !IsDigit(rest_, 0) || !IsDigit(rest_, 1) || !IsDigit(rest_, 2) ||
        !IsDigit(rest_, 3)) {
      return Bad("2006");
    }
    for (int i = 0; i < 4; ++i) year_ = year_ * 10 + (rest_[static_cast<size_t>(i)] - '0');
    rest_.remove_prefix(4);
    if (!Literal('-') || !TwoDigits("01", &month_)) return false;
    if (month_ < 1 || month_ > 12) return OutOfRange("month");
    return Literal('-') && TwoDigits("02", &day_);
  }

  bool ParseClock() {
    if (!Literal('T')) return false;
    if (IsDigit(rest_, 0) && !IsDigit(rest_, 1)) {  // Go takes an hour of one digit
      hour_ = rest_[0] - '0';
      rest_.remove_prefix(1);
    } else if (!TwoDigits("15", &hour_)) {
      return false;
    }
    if (hour_ > 23) return OutOfRange("hour");
    if (!Literal(':') || !TwoDigits("04", &minute_)) return false;
    if (minute_ > 59) return OutOfRange("minute");
    if (!Literal(':') || !TwoDigits("05", &second_)) return false;
    if (second_ > 59) return OutOfRange("second");
    return ParseFraction();
  }

  bool ParseFraction() {
    const bool point = !rest_.empty() && (rest_[0] == '.' || rest_[0] == ',');
    size_t end = 1;
    if (layout_ == TimeLayout::kMicros) {
      while (end < kMicrosBytes && IsDigit(rest_, end)) ++end;
      if (!point || end < kMicrosBytes) return Bad(".000000");
    } else {
      if (!point || !IsDigit(rest_, 1)) return true;
      while (IsDigit(rest_, end)) ++end;
    }
    for (size_t i = 1; i <= kNanoDigitsMax; ++i) {
      nanos_ = nanos_ * 10 + (i < end ? rest_[i] - '0' : 0);
    }
    rest_.remove_prefix(end);
    return true;
  }

  bool ParseZone() {
    if (!rest_.empty() && rest_[0] == 'Z') {
      rest_.remove_prefix(1);
      return true;
    }
    if (rest_.size() < 6 || rest_[3] != ':' || !IsDigit(rest_, 1) || !IsDigit(rest_, 2) ||
        !IsDigit(rest_, 4) || !IsDigit(rest_, 5) || (rest_[0] != '+' && rest_[0] != '-')) {
      return Bad("Z07:00");
    }
    const int hours = (rest_[1] - '0') * 10 + rest_[2] - '0';
    const int minutes = (rest_[4] - '0') * 10 + rest_[5] - '0';
    if (hours > 24) return OutOfRange("time zone offset hour");
    if (minutes > 60) return OutOfRange("time zone offset minute");
    zone_offset_ = (hours * 60 + minutes) * 60 * (rest_[0] == '-' ? -1 : 1);
    rest_.remove_prefix(6);
    return true;
  }

  bool Literal(char c) {
    if (rest_.empty() || rest_[0] != c) return Bad(std::string_view(&c, 1));
    rest_.remove_prefix(1);
    return true;
  }

  bool TwoDigits(std::string_view element, int* out) {
    if (!IsDigit(rest_, 0) || !IsDigit(rest_, 1)) return Bad(element);
    *out = (rest_[0] - '0') * 10 + rest_[1] - '0';
    rest_.remove_prefix(2);
    return true;
  }

  bool Bad(std::string_view element) {
    const std::string_view layout = layout_ == TimeLayout::kMicros
                                        ? "2006-01-02T15:04:05.000000Z07:00"
                                        : "2006-01-02T15:04:05Z07:00";
    error_ = fmt::format("parsing time {} as {}: cannot parse {} as {}", Quote(text_),
                         Quote(layout), Quote(rest_), Quote(element));
    return false;
  }

  bool OutOfRange(std::string_view what) {
    error_ = fmt::format("parsing time {}: {} out of range", Quote(text_), what);
    return false;
  }

  std::string_view text_;
  std::string_view rest_;
  TimeLayout layout_;
  int year_ = 0, month_ = 0, day_ = 0, hour_ = 0, minute_ = 0, second_ = 0;
  int32_t nanos_ = 0;
  int zone_offset_ = 0;  // seconds east of UTC
  std::string error_;
};

}  // namespace

bool Timestamp::IsWritable() const {
  return seconds >= kFirstWritableSecond && seconds <= kLastWritableSecond && nanos >= 0 &&
         nanos < 1'000'000'000;
}

std::expected<Timestamp, std::string> ParseTimestamp(std::string_view text, TimeLayout layout) {
  return Parser(text, layout).Parse();
}

std::string FormatTimestamp(Timestamp time, TimeLayout layout) {
  int64_t day = time.seconds / kSecondsPerDay;
  int64_t second = time.seconds % kSecondsPerDay;
  if (second < 0) {
    second += kSecondsPerDay;
    --day;
  }
  const std::chrono::year_month_day date{sys_days(days(day))};
  std::string out =
      fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", int(date.year()), unsigned(date.month()),
                  unsigned(date.day()), second / 3600, second / 60 % 60, second % 60);
  if (layout == TimeLayout::kMicros) out += fmt::format(".{:06}", time.nanos / 1000);
  return out + 'Z';
}

bool IsCanonicalTime(std::string_view text, TimeLayout layout) {
  constexpr std::string_view kShape = "0000-00-00T00:00:00";
  const size_t fraction = layout == TimeLayout::kMicros ? kMicrosBytes : 0;
  if (text.size() != kShape.size() + fraction + 1 || text.back() != 'Z') return false;
  for (size_t i = 0; i < kShape.size(); ++i) {
    if (kShape[i] == '0' ? !IsDigit(text, i) : text[i] != kShape[i]) return false;
  }
  for (size_t i = 0; i < fraction; ++i) {
    const size_t at = kShape.size() + i;
    if (i == 0 ? text[at] != '.' : !IsDigit(text, at)) return false;
  }
  const auto two = [&](size_t at) { return (text[at] - '0') * 10 + text[at + 1] - '0'; };
  const int month = two(5);
  const int day = two(8);
  return two(0) * 100 + two(2) > 1 && month >= 1 && month <= 12 && day >= 1 && day <= 28 &&
         two(11) <= 23 && two(14) <= 59 && two(17) <= 59;
}

}  // namespace kulisse::openapi
