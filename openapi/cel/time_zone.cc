#include "openapi/cel/time_zone.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "openapi/cel/limits.h"

namespace kulisse::openapi::cel {
namespace {

constexpr int64_t kSecondsPerDay = 86'400;

// --- the rule at the end of a file -----------------------------------------------------------

// Reads a POSIX TZ rule from left to right; each function takes what it read off the front.
class RuleReader {
 public:
  explicit RuleReader(std::string_view text) : text_(text) {}

  [[nodiscard]] bool AtEnd() const { return text_.empty(); }
  bool Take(char c) {
    if (!text_.starts_with(c)) return false;
    text_.remove_prefix(1);
    return true;
  }
  // "CET" or "<+03>".
  bool TakeName() {
    size_t length = 0;
    if (text_.starts_with('<')) {
      length = text_.find('>');
      if (length == std::string_view::npos) return false;
      text_.remove_prefix(length + 1);
      return true;
    }
    while (length < text_.size() && std::isalpha(static_cast<unsigned char>(text_[length]))) {
      ++length;
    }
    text_.remove_prefix(length);
    return length >= 3;
  }
  std::optional<int> TakeNumber(int max) {
    int number = 0;
    size_t length = 0;
    while (length < text_.size() && text_[length] >= '0' && text_[length] <= '9') {
      number = number * 10 + (text_[length++] - '0');
      if (number > max) return std::nullopt;
    }
    text_.remove_prefix(length);
    return length == 0 ? std::nullopt : std::optional(number);
  }
  // [+-]hh[:mm[:ss]] in seconds.
  std::optional<int64_t> TakeOffset() {
    constexpr int kHoursMax = 24 * 7;
    const bool negative = text_.starts_with('-');
    if (negative || text_.starts_with('+')) text_.remove_prefix(1);
    int64_t seconds = 0;
    int64_t unit = 3600;
    for (int part = 0; part < 3; ++part, unit /= 60) {
      if (part > 0 && !Take(':')) break;
      const auto number = TakeNumber(part == 0 ? kHoursMax : 59);
      if (!number) return std::nullopt;
      seconds += *number * unit;
    }
    return negative ? -seconds : seconds;
  }

 private:
  std::string_view text_;
};

bool IsLeap(int year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

// Reads "M3.5.0/2", "J60" or "59" and tells the second of the year at which it is.
std::optional<int64_t> TakeChange(RuleReader& reader, int year) {
  int64_t day = 0;
  if (reader.Take('M')) {
    const auto month = reader.TakeNumber(12);
    if (!month || *month < 1 || !reader.Take('.')) return std::nullopt;
    const auto week = reader.TakeNumber(5);
    if (!week || *week < 1 || !reader.Take('.')) return std::nullopt;
    const auto weekday = reader.TakeNumber(6);
    if (!weekday) return std::nullopt;
    const std::chrono::year_month in{std::chrono::year(year),
                                     std::chrono::month(static_cast<unsigned>(*month))};
    const std::chrono::weekday on(static_cast<unsigned>(*weekday));
    const std::chrono::sys_days date = *week == 5
                                           ? std::chrono::sys_days(in / on[std::chrono::last])
                                           : std::chrono::sys_days(in / on[*week]);
    const std::chrono::sys_days new_year =
        std::chrono::year(year) / std::chrono::January / std::chrono::day(1);
    day = (date - new_year).count();
  } else if (reader.Take('J')) {
    const auto number = reader.TakeNumber(365);
    if (!number || *number < 1) return std::nullopt;
    day = *number - 1 + (IsLeap(year) && *number > 59 ? 1 : 0);
  } else {
    const auto number = reader.TakeNumber(365);
    if (!number) return std::nullopt;
    day = *number;
  }
  int64_t time = 2 * 3600;
  if (reader.Take('/')) {
    const auto given = reader.TakeOffset();
    if (!given) return std::nullopt;
    time = *given;
  }
  return day * kSecondsPerDay + time;
}

std::optional<int64_t> RuleOffset(std::string_view rule, int64_t seconds) {
  RuleReader reader(rule);
  if (!reader.TakeName()) return std::nullopt;
  const auto west = reader.TakeOffset();
  if (!west) return std::nullopt;
  const int64_t standard = -*west;
  if (reader.AtEnd()) return standard;
  if (!reader.TakeName()) return std::nullopt;
  int64_t summer = standard + 3600;
  if (!reader.Take(',')) {
    const auto given = reader.TakeOffset();
    if (!given || !reader.Take(',')) return std::nullopt;
    summer = -*given;
  }
  const int64_t local = seconds + standard;
  const int64_t days = local / kSecondsPerDay - (local % kSecondsPerDay < 0 ? 1 : 0);
  const std::chrono::sys_days day{std::chrono::days(days)};
  const std::chrono::year year = std::chrono::year_month_day(day).year();
  const std::chrono::sys_days new_year = year / std::chrono::January / std::chrono::day(1);
  const int64_t at = seconds - new_year.time_since_epoch().count() * kSecondsPerDay;
  const auto start = TakeChange(reader, int{year});
  if (!start || !reader.Take(',')) return std::nullopt;
  const auto end = TakeChange(reader, int{year});
  if (!end || !reader.AtEnd()) return std::nullopt;
  const int64_t from = *start - standard;
  const int64_t to = *end - summer;
  const bool is_summer = from < to ? at >= from && at < to : at >= from || at < to;
  return is_summer ? summer : standard;
}

// --- files -----------------------------------------------------------------------------------

int64_t BigEndian(std::string_view bytes, size_t at, size_t size) {
  int64_t number = static_cast<signed char>(bytes[at]);
  for (size_t i = 1; i < size; ++i) {
    number = number * 256 + static_cast<unsigned char>(bytes[at + i]);
  }
  return number;
}

}  // namespace

class TimeZone {
 public:
  // Nothing when the bytes are no TZif file of version 2 or later.
  static std::optional<TimeZone> Parse(std::string_view bytes);
  [[nodiscard]] int64_t OffsetAt(int64_t seconds) const;

 private:
  struct Change {
    int64_t at;
    int64_t offset;
  };
  int64_t first_offset_ = 0;
  std::vector<Change> changes_;
  std::string rule_;
};

namespace {

constexpr size_t kHeaderBytes = 44;

struct Counts {
  size_t utc, standard, leaps, changes, types, names;

  // Of a data block whose times have `time_size` bytes.
  [[nodiscard]] size_t Bytes(size_t time_size) const {
    return changes * (time_size + 1) + types * 6 + names + leaps * (time_size + 4) + standard + utc;
  }
};

std::optional<Counts> ReadHeader(std::string_view bytes) {
  if (bytes.size() < kHeaderBytes || !bytes.starts_with("TZif") || bytes[4] < '2') {
    return std::nullopt;
  }
  const auto count = [&](size_t index) {
    return static_cast<size_t>(static_cast<uint32_t>(BigEndian(bytes, 20 + index * 4, 4)));
  };
  return Counts{.utc = count(0),
                .standard = count(1),
                .leaps = count(2),
                .changes = count(3),
                .types = count(4),
                .names = count(5)};
}

}  // namespace

std::optional<TimeZone> TimeZone::Parse(std::string_view bytes) {
  // A block with times of 32 bits comes first, for old programs.
  const auto old = ReadHeader(bytes);
  if (!old || old->Bytes(4) > bytes.size() - kHeaderBytes) return std::nullopt;
  bytes.remove_prefix(kHeaderBytes + old->Bytes(4));
  const auto counts = ReadHeader(bytes);
  if (!counts || counts->types == 0 || counts->Bytes(8) > bytes.size() - kHeaderBytes) {
    return std::nullopt;
  }
  bytes.remove_prefix(kHeaderBytes);
  const size_t types_at = counts->changes * 9;
  const auto offset_of = [&](size_t type) { return BigEndian(bytes, types_at + type * 6, 4); };
  TimeZone zone;
  zone.first_offset_ = offset_of(0);
  for (size_t i = 0; i < counts->changes; ++i) {
    const auto type = static_cast<unsigned char>(bytes[counts->changes * 8 + i]);
    if (type >= counts->types) return std::nullopt;
    zone.changes_.push_back({.at = BigEndian(bytes, i * 8, 8), .offset = offset_of(type)});
  }
  std::string_view rule = bytes.substr(counts->Bytes(8));
  if (rule.starts_with('\n')) rule.remove_prefix(1);
  zone.rule_ = rule.substr(0, rule.find('\n'));
  return zone;
}

int64_t TimeZone::OffsetAt(int64_t seconds) const {
  const auto next = std::ranges::upper_bound(changes_, seconds, {}, &Change::at);
  if (next == changes_.end() && !rule_.empty()) {
    if (const auto offset = RuleOffset(rule_, seconds)) return *offset;
  }
  return next == changes_.begin() ? first_offset_ : std::prev(next)->offset;
}

namespace {

std::optional<TimeZone> Load(std::string_view name) {
  constexpr std::string_view kFolder = "/usr/share/zoneinfo/";
  std::ifstream file(std::string(kFolder) + std::string(name), std::ios::binary);
  if (!file) return std::nullopt;
  std::string bytes(kTimeZoneBytesMax, '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  return TimeZone::Parse(bytes);
}

// Each zone is read once and kept: there are some hundred.
class TimeZones {
 public:
  const TimeZone* Find(std::string_view name) {
    const std::lock_guard lock(mutex_);
    const auto found = zones_.find(name);
    if (found != zones_.end()) return found->second.get();
    auto zone = Load(name);
    if (!zone) return nullptr;
    auto owned = std::make_unique<const TimeZone>(std::move(*zone));
    return zones_.emplace(std::string(name), std::move(owned)).first->second.get();
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<const TimeZone>, std::less<>> zones_;
};

}  // namespace

std::expected<int64_t, std::string> OffsetOfTimeZone(std::string_view name, int64_t seconds) {
  if (name == "Local") return 0;  // a server's own zone is nobody's business: UTC
  if (name.find("..") != std::string_view::npos || name.starts_with('/') ||
      name.find('\\') != std::string_view::npos || name.find('\0') != std::string_view::npos) {
    return std::unexpected("time: invalid location name");
  }
  static TimeZones zones;
  const TimeZone* zone = zones.Find(name);
  if (zone == nullptr) return std::unexpected("unknown time zone " + std::string(name));
  return zone->OffsetAt(seconds);
}

std::expected<int64_t, std::string> OffsetOfRule(std::string_view rule, int64_t seconds) {
  const auto offset = RuleOffset(rule, seconds);
  if (!offset) return std::unexpected("malformed rule");
  return *offset;
}

}  // namespace kulisse::openapi::cel
