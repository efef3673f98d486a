#include "simulator/sprig/go_layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/text.h"
#include "simulator/jq/calendar.h"
#include "simulator/jq/strftime.h"

namespace kulisse::simulator {

namespace {

// The words of a layout. Of those that begin alike the longer comes first.
constexpr std::string_view kWords[] = {
    "January", "Jan", "Monday",    "Mon",    "MST",     "2006",  "-07:00:00", "-07:00", "-070000",
    "-0700",   "-07", "Z07:00:00", "Z07:00", "Z070000", "Z0700", "Z07",       "002",    "01",
    "02",      "03",  "04",        "05",     "06",      "__2",   "_2",        "15",     "PM",
    "pm",      "1",   "2",         "3",      "4",       "5"};
constexpr size_t kShortName = 3;

std::string_view WordAt(std::string_view layout) {
  for (const std::string_view word : kWords) {
    // "_2006" is a blank and a year.
    if (word == "_2" && layout.starts_with("_2006")) continue;
    if (layout.starts_with(word)) return word;
  }
  return {};
}

// ".000" or ",999" after the seconds: its length, 0 if there is none.
size_t FractionLength(std::string_view layout) {
  if (layout.size() < 2 || (layout[0] != '.' && layout[0] != ',')) return 0;
  if (layout[1] != '0' && layout[1] != '9') return 0;
  const size_t end = std::min(layout.find_first_not_of(layout[1], 1), layout.size());
  const bool digit_follows = end < layout.size() && layout[end] >= '0' && layout[end] <= '9';
  return digit_follows ? 0 : end;
}

std::string WordText(std::string_view word, const CivilTime& time) {
  const int hour12 = time.hour % 12 == 0 ? 12 : time.hour % 12;
  const auto is = [&](std::string_view other) { return word == other; };
  if (is("January")) return std::string(kMonthNames[time.month - 1]);
  if (is("Jan")) return std::string(kMonthNames[time.month - 1].substr(0, kShortName));
  if (is("Monday")) return std::string(kWeekdayNames[time.weekday]);
  if (is("Mon")) return std::string(kWeekdayNames[time.weekday].substr(0, kShortName));
  if (is("MST")) return "UTC";
  if (is("2006")) return fmt::format("{:04}", time.year);
  if (is("06")) return fmt::format("{:02}", time.year % 100);
  if (is("01")) return fmt::format("{:02}", time.month);
  if (is("1")) return std::to_string(time.month);
  if (is("02")) return fmt::format("{:02}", time.day);
  if (is("_2")) return fmt::format("{:2}", time.day);
  if (is("2")) return std::to_string(time.day);
  if (is("002")) return fmt::format("{:03}", time.year_day);
  if (is("__2")) return fmt::format("{:3}", time.year_day);
  if (is("15")) return fmt::format("{:02}", time.hour);
  if (is("03")) return fmt::format("{:02}", hour12);
  if (is("3")) return std::to_string(hour12);
  if (is("04")) return fmt::format("{:02}", time.minute);
  if (is("4")) return std::to_string(time.minute);
  if (is("05")) return fmt::format("{:02}", time.second);
  if (is("5")) return std::to_string(time.second);
  if (is("PM")) return time.hour >= 12 ? "PM" : "AM";
  if (is("pm")) return time.hour >= 12 ? "pm" : "am";
  if (word[0] == 'Z') return "Z";
  std::string zone(word);
  std::ranges::replace(zone, '7', '0');
  zone[0] = '+';
  return zone;
}

std::string FractionText(std::string_view layout, int64_t nanosecond) {
  std::string digits = fmt::format("{:09}", nanosecond).substr(0, layout.size() - 1);
  if (layout[1] == '9') digits.resize(digits.find_last_not_of('0') + 1);
  return digits.empty() ? "" : layout[0] + digits;
}

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  bool ReadLiteral(char c) {
    if (!text_.starts_with(c)) return false;
    text_.remove_prefix(1);
    return true;
  }

  bool ReadWord(std::string_view word) {
    if (word == "January" || word == "Jan") return Name(kMonthNames, word.size(), &month_, 1);
    int64_t ignored = 0;
    if (word == "Monday" || word == "Mon") return Name(kWeekdayNames, word.size(), &ignored, 0);
    if (word == "2006") return Number(4, 4, 0, 9999, &year_);
    if (word == "06") {
      if (!Number(2, 2, 0, 99, &year_)) return false;
      year_ += year_ >= 69 ? 1900 : 2000;
      return true;
    }
    if (word == "01" || word == "1") return Number(word.size(), 2, 1, 12, &month_);
    if (word == "_2" && text_.starts_with(' ')) text_.remove_prefix(1);
    if (word == "02" || word == "_2" || word == "2") {
      return Number(word == "02" ? 2 : 1, 2, 1, 31, &day_);
    }
    if (word == "15") return Number(2, 2, 0, 23, &hour_);
    if (word == "03" || word == "3") return Number(word.size(), 2, 0, 12, &hour_);
    if (word == "04" || word == "4") return Number(word.size(), 2, 0, 59, &minute_);
    if (word == "05" || word == "5") {
      return Number(word.size(), 2, 0, 59, &second_) && ReadFraction();
    }
    if (word == "PM" || word == "pm") return ReadHalf(word);
    if (word == "MST") return ReadZoneName();
    if (word[0] == 'Z' && text_.starts_with('Z')) return ReadLiteral('Z');
    if (word[0] == 'Z' || word[0] == '-') return ReadZone(word);
    return false;
  }

  [[nodiscard]] std::optional<SystemTime> Finish() const {
    if (!text_.empty()) return std::nullopt;
    int64_t hour = hour_;
    if (half_ == 'P' && hour < 12) hour += 12;
    if (half_ == 'A' && hour == 12) hour = 0;
    const int64_t days = DaysFromCivil(year_, month_, day_);
    const CivilTime check = CivilFromSeconds(days * 86'400, 0);
    if (check.month != month_ || check.day != day_) return std::nullopt;
    constexpr int64_t kYearMin = 1678;  // what nanoseconds can count
    constexpr int64_t kYearMax = 2261;
    if (year_ < kYearMin || year_ > kYearMax) return std::nullopt;
    const int64_t seconds = days * 86'400 + hour * 3600 + minute_ * 60 + second_ - offset_;
    return SystemTime(std::chrono::seconds(seconds) + Duration(nanosecond_));
  }

 private:
  bool Number(size_t digits_min, size_t digits_max, int64_t minimum, int64_t maximum,
              int64_t* number) {
    size_t digits = 0;
    *number = 0;
    while (digits < digits_max && digits < text_.size() && text_[digits] >= '0' &&
           text_[digits] <= '9') {
      *number = *number * 10 + (text_[digits++] - '0');
    }
    text_.remove_prefix(digits);
    return digits >= digits_min && *number >= minimum && *number <= maximum;
  }

  template <size_t kCount>
  bool Name(const std::string_view (&names)[kCount], size_t length, int64_t* which, int64_t first) {
    for (size_t i = 0; i < kCount; ++i) {
      const std::string_view name = names[i].substr(0, length == kShortName ? length : SIZE_MAX);
      if (!EqualsIgnoreCase(text_.substr(0, name.size()), name)) continue;
      text_.remove_prefix(name.size());
      *which = static_cast<int64_t>(i) + first;
      return true;
    }
    return false;
  }

  // A fraction may follow the seconds also where the layout has none.
  bool ReadFraction() {
    if (text_.size() < 2 || (text_[0] != '.' && text_[0] != ',') || text_[1] < '0' ||
        text_[1] > '9') {
      return true;
    }
    text_.remove_prefix(1);
    int64_t unit = 100'000'000;
    for (; !text_.empty() && text_[0] >= '0' && text_[0] <= '9'; text_.remove_prefix(1)) {
      nanosecond_ += (text_[0] - '0') * unit;
      unit /= 10;
    }
    return true;
  }

  bool ReadHalf(std::string_view word) {
    const std::string_view half = text_.substr(0, 2);
    const bool upper = word == "PM";
    if (half == (upper ? "PM" : "pm")) {
      half_ = 'P';
    } else if (half == (upper ? "AM" : "am")) {
      half_ = 'A';
    } else {
      return false;
    }
    text_.remove_prefix(2);
    return true;
  }

  bool ReadZoneName() {
    size_t length = 0;
    while (length < text_.size() && text_[length] >= 'A' && text_[length] <= 'Z') ++length;
    text_.remove_prefix(length);
    return length >= 3 && length <= 5;
  }

  // -07:00 and its like: the digits of the word say how many there are.
  bool ReadZone(std::string_view word) {
    if (text_.empty() || (text_[0] != '+' && text_[0] != '-')) return false;
    const int64_t sign = text_[0] == '-' ? -1 : 1;
    text_.remove_prefix(1);
    int64_t parts[3] = {0, 0, 0};
    size_t part = 0;
    for (size_t i = 1; i < word.size(); i += 2, ++part) {
      if (word[i] == ':') {
        if (!ReadLiteral(':')) return false;
        ++i;
      }
      if (!Number(2, 2, 0, part == 0 ? 24 : 60, &parts[part])) return false;
    }
    offset_ = sign * ((parts[0] * 60 + parts[1]) * 60 + parts[2]);
    return true;
  }

  std::string_view text_;
  int64_t year_ = 0;
  int64_t month_ = 1;
  int64_t day_ = 1;
  int64_t hour_ = 0;
  int64_t minute_ = 0;
  int64_t second_ = 0;
  int64_t nanosecond_ = 0;
  int64_t offset_ = 0;
  char half_ = '\0';
};

}  // namespace

std::string FormatGoTime(SystemTime time, std::string_view layout) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const CivilTime civil =
      CivilFromSeconds(seconds.time_since_epoch().count(), (time - seconds).count());
  std::string text;
  while (!layout.empty()) {
    size_t length = FractionLength(layout);
    if (length > 0) {
      text += FractionText(layout.substr(0, length), civil.nanosecond);
    } else if (const std::string_view word = WordAt(layout); !word.empty()) {
      text += WordText(word, civil);
      length = word.size();
    } else {
      text += layout[0];
      length = 1;
    }
    layout.remove_prefix(length);
  }
  return text;
}

std::optional<SystemTime> ParseGoTime(std::string_view text, std::string_view layout) {
  Reader reader(text);
  while (!layout.empty()) {
    size_t length = FractionLength(layout);  // read together with the seconds
    if (length == 0) {
      const std::string_view word = WordAt(layout);
      length = std::max<size_t>(1, word.size());
      if (word.empty() ? !reader.ReadLiteral(layout[0]) : !reader.ReadWord(word)) {
        return std::nullopt;
      }
    }
    layout.remove_prefix(length);
  }
  return reader.Finish();
}

}  // namespace kulisse::simulator
