#include "simulator/jq/strftime.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <optional>
#include <span>

#include "base/text.h"

namespace kulisse::simulator {

const std::string_view kMonthNames[12] = {"January",   "February", "March",    "April",
                                          "May",       "June",     "July",     "August",
                                          "September", "October",  "November", "December"};
const std::string_view kWeekdayNames[7] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                           "Thursday", "Friday", "Saturday"};

namespace {

constexpr std::string_view kHalves[] = {"AM", "PM"};
constexpr size_t kWidthMax = 1024;
constexpr size_t kShortName = 3;

// What a directive like %F stands for.
std::string_view Expansion(char directive) {
  switch (directive) {
    case 'c':
      return "%a %b %e %H:%M:%S %Y";
    case '+':
      return "%a %b %e %H:%M:%S %Z %Y";
    case 'v':
      return "%e-%b-%Y";
    case 'r':
      return "%I:%M:%S %p";
    case 'F':
      return "%Y-%m-%d";
    case 'D':
    case 'x':
      return "%m/%d/%y";
    case 'T':
    case 'X':
      return "%H:%M:%S";
    case 'R':
      return "%H:%M";
    default:
      return {};
  }
}

int64_t EpochSeconds(const CivilTime& time) {
  return DaysFromCivil(time.year, time.month, time.day) * 86'400 + time.hour * 3600 +
         time.minute * 60 + time.second;
}

class Formatter {
 public:
  Formatter(const CivilTime& time, std::string* out) : time_(time), out_(*out) {}

  void Format(std::string_view format) {
    for (size_t i = 0; i < format.size(); ++i) {
      if (format[i] != '%') {
        out_ += format[i];
        continue;
      }
      const size_t begin = i++;
      ReadFlags(format, &i);
      if (i >= format.size() || !WriteDirective(format[i])) {
        out_ += format.substr(begin, i + 1 - begin);
      }
    }
  }

 private:
  void ReadFlags(std::string_view format, size_t* at) {
    padding_.reset();
    pads_ = true;
    width_ = 0;
    upper_ = swap_ = false;
    for (; *at < format.size(); ++*at) {
      const char c = format[*at];
      if (c == '-') {
        pads_ = false;
      } else if (c == '_') {
        padding_ = ' ';
      } else if (c == '0') {
        padding_ = '0';
      } else if (c == '^') {
        upper_ = true;
      } else if (c == '#') {
        swap_ = true;
      } else if (c == ':') {
        continue;
      } else {
        break;
      }
    }
    for (; *at < format.size() && format[*at] >= '0' && format[*at] <= '9'; ++*at) {
      width_ = std::min(width_ * 10 + static_cast<size_t>(format[*at] - '0'), kWidthMax);
    }
  }

  bool Number(int64_t number, size_t width, char padding = '0') {
    std::string digits = std::to_string(std::abs(number));
    const size_t wanted = pads_ ? std::max(width_, width) : 0;
    const char pad = padding_.value_or(padding);
    const size_t sign = number < 0 ? 1 : 0;
    if (pad == '0') {
      if (sign) out_ += '-';
      if (digits.size() + sign < wanted) out_.append(wanted - sign - digits.size(), '0');
    } else {
      if (digits.size() + sign < wanted) out_.append(wanted - sign - digits.size(), pad);
      if (sign) out_ += '-';
    }
    out_ += digits;
    return true;
  }

  bool Text(std::string_view text) {
    if (pads_ && text.size() < width_) out_.append(width_ - text.size(), padding_.value_or(' '));
    const bool lowers = swap_ && text.size() > 1 && text[1] < 'a' && std::isalpha(text[1]);
    for (const char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      out_ += static_cast<char>(lowers            ? std::tolower(byte)
                                : upper_ || swap_ ? std::toupper(byte)
                                                  : c);
    }
    return true;
  }

  bool WriteDirective(char directive) {
    if (const std::string_view expansion = Expansion(directive); !expansion.empty()) {
      Formatter(time_, &out_).Format(expansion);
      return true;
    }
    return WriteDate(directive) || WriteClock(directive);
  }

  bool WriteDate(char directive) {
    const int64_t year = time_.year;
    switch (directive) {
      case 'Y':
        return Number(year, 4);
      case 'y':
        return Number(std::abs(year % 100), 2);
      case 'C':
        return Number(year / 100, 2);
      case 'G':
        return Number(IsoWeekOf(time_).year, 4);
      case 'g':
        return Number(std::abs(IsoWeekOf(time_).year % 100), 2);
      case 'V':
        return Number(IsoWeekOf(time_).week, 2);
      case 'U':
        return Number((time_.year_day + 6 - time_.weekday) / 7, 2);
      case 'W':
        return Number((time_.year_day + (time_.weekday > 0 ? 7 - time_.weekday : 0)) / 7, 2);
      case 'm':
        return Number(time_.month, 2);
      case 'B':
        return Text(kMonthNames[time_.month - 1]);
      case 'b':
      case 'h':
        return Text(kMonthNames[time_.month - 1].substr(0, kShortName));
      case 'A':
        return Text(kWeekdayNames[time_.weekday]);
      case 'a':
        return Text(kWeekdayNames[time_.weekday].substr(0, kShortName));
      case 'w':
        return Number(time_.weekday, 1);
      case 'u':
        return Number(time_.weekday == 0 ? 7 : time_.weekday, 1);
      case 'd':
        return Number(time_.day, 2);
      case 'e':
        return Number(time_.day, 2, ' ');
      case 'j':
        return Number(time_.year_day, 3);
      default:
        return false;
    }
  }

  bool WriteClock(char directive) {
    const int hour12 = time_.hour % 12 == 0 ? 12 : time_.hour % 12;
    switch (directive) {
      case 'H':
        return Number(time_.hour, 2);
      case 'k':
        return Number(time_.hour, 2, ' ');
      case 'I':
        return Number(hour12, 2);
      case 'l':
        return Number(hour12, 2, ' ');
      case 'M':
        return Number(time_.minute, 2);
      case 'S':
        return Number(time_.second, 2);
      case 's':
        return Number(EpochSeconds(time_), 1, ' ');
      case 'f':
        return Number(time_.nanosecond / 1000, 6);
      case 'p':
        return Text(kHalves[time_.hour >= 12]);
      case 'P':
        swap_ = !upper_ && !swap_;
        return Text(kHalves[time_.hour >= 12]);
      case 'Z':
        return Text("UTC");
      case 'z':
        out_ += "+0000";
        return true;
      case 't':
        return Text("\t");
      case 'n':
        return Text("\n");
      case '%':
        return Text("%");
      default:
        return false;
    }
  }

  const CivilTime& time_;
  std::string& out_;
  std::optional<char> padding_;
  bool pads_ = true;
  bool upper_ = false;
  bool swap_ = false;
  size_t width_ = 0;
};

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  bool Parse(std::string_view format) {
    for (size_t i = 0; i < format.size(); ++i) {
      if (format[i] != '%') {
        if (!TakeLiteral(format[i])) return false;
      } else if (++i == format.size()) {
        return Fail(R"(stray "%")");
      } else if (!ParseDirective(format[i])) {
        return false;
      }
    }
    return true;
  }

  bool Finish(ParsedTime* parsed) {
    if (at_ < text_.size()) {
      return Fail(fmt::format("unparsed string \"{}\"", text_.substr(at_)));
    }
    if (is_afternoon_) hour_ += 12;
    if (century_) year_ = *century_ * 100 + year_ % 100;
    int64_t days = DaysFromCivil(year_, month_, day_.value_or(1));
    if (!day_ && year_day_) days = DaysFromCivil(year_, 1, *year_day_);
    parsed->seconds = days * 86'400 + hour_ * 3600 + minute_ * 60 + second_ - offset_;
    parsed->nanosecond = nanosecond_;
    return true;
  }

  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  bool Fail(std::string error) {
    error_ = std::move(error);
    return false;
  }
  bool FailAt(char directive) { return Fail(fmt::format("cannot parse \"%{}\"", directive)); }

  bool TakeLiteral(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return Fail(fmt::format("expected '{}'", c));
    ++at_;
    return true;
  }

  bool Number(char directive, size_t digits, int64_t minimum, int64_t maximum, int64_t* number) {
    const size_t begin = at_;
    *number = 0;
    while (at_ < text_.size() && at_ - begin < digits && text_[at_] >= '0' && text_[at_] <= '9') {
      *number = *number * 10 + (text_[at_++] - '0');
    }
    const bool fits = at_ > begin && *number >= minimum && *number <= maximum;
    return fits || FailAt(directive);
  }

  bool Name(char directive, std::span<const std::string_view> names, size_t length,
            int64_t* which) {
    for (size_t i = 0; i < names.size(); ++i) {
      const std::string_view name = names[i].substr(0, length);
      if (!EqualsIgnoreCase(text_.substr(at_, name.size()), name)) continue;
      at_ += name.size();
      *which = static_cast<int64_t>(i);
      return true;
    }
    return FailAt(directive);
  }

  int64_t TakeSign() {
    if (at_ >= text_.size() || text_[at_] != '-') return 1;
    ++at_;
    return -1;
  }

  void SkipBlank() { at_ += at_ < text_.size() && text_[at_] == ' '; }

  bool ParseDirective(char directive) {
    if (const std::string_view expansion = Expansion(directive); !expansion.empty()) {
      return Parse(expansion);
    }
    error_.clear();
    if (ParseDate(directive) || ParseClock(directive)) return true;
    return error_.empty() ? Fail(fmt::format("unexpected format \"%{}\"", directive)) : false;
  }

  bool ParseDate(char directive) {
    int64_t number = 0;
    switch (directive) {
      case 'Y': {
        const int64_t sign = TakeSign();
        if (!Number(directive, 4, 0, 9999, &year_)) return false;
        year_ *= sign;
        return true;
      }
      case 'y':
        if (!Number(directive, 2, 0, 99, &year_)) return false;
        year_ += year_ < 69 ? 2000 : 1900;
        return true;
      case 'C':
        if (!Number(directive, 2, 0, 99, &number)) return false;
        century_ = number;
        return true;
      case 'm':
        return Number(directive, 2, 1, 12, &month_);
      case 'B':
      case 'b':
      case 'h':
        if (!Name(directive, kMonthNames, directive == 'B' ? std::string_view::npos : kShortName,
                  &month_)) {
          return false;
        }
        ++month_;
        return true;
      case 'A':
      case 'a':
        return Name(directive, kWeekdayNames,
                    directive == 'A' ? std::string_view::npos : kShortName, &number);
      case 'w':
        return Number(directive, 1, 0, 6, &number);
      case 'u':
        return Number(directive, 1, 1, 7, &number);
      case 'e':
        SkipBlank();
        [[fallthrough]];
      case 'd':
        if (!Number(directive, 2, 1, 31, &number)) return false;
        day_ = number;
        return true;
      case 'j':
        if (!Number(directive, 3, 1, 366, &number)) return false;
        year_day_ = number;
        return true;
      default:
        return false;
    }
  }

  bool ParseClock(char directive) {
    int64_t number = 0;
    switch (directive) {
      case 'k':
        SkipBlank();
        [[fallthrough]];
      case 'H':
        return Number(directive, 2, 0, 23, &hour_);
      case 'l':
        SkipBlank();
        [[fallthrough]];
      case 'I':
        if (!Number(directive, 2, 1, 12, &hour_)) return false;
        hour_ %= 12;
        return true;
      case 'P':
      case 'p':
        if (!Name(directive, kHalves, std::string_view::npos, &number)) return false;
        is_afternoon_ = number == 1;
        return true;
      case 'M':
        return Number(directive, 2, 0, 59, &minute_);
      case 'S':
        return Number(directive, 2, 0, 60, &second_);
      case 's':
        return ParseEpoch();
      case 'f': {
        const size_t begin = at_;
        if (!Number(directive, 6, 0, 999'999, &number)) return false;
        for (size_t digits = at_ - begin; digits < 6; ++digits) number *= 10;
        nanosecond_ = number * 1000;
        return true;
      }
      case 'Z':
        return ParseZoneName();
      case 'z':
        return ParseOffset();
      case 't':
      case 'n':
        return ParseBlanks(directive);
      case '%':
        return TakeLiteral('%');
      default:
        return false;
    }
  }

  bool ParseEpoch() {
    constexpr size_t kDigits = 15;  // beyond all that has a meaning
    const int64_t sign = TakeSign();
    int64_t number = 0;
    if (!Number('s', kDigits, 0, INT64_MAX, &number)) return false;
    const CivilTime time = CivilFromSeconds(sign * number, 0);
    year_ = time.year;
    month_ = time.month;
    day_ = time.day;
    hour_ = time.hour;
    minute_ = time.minute;
    second_ = time.second;
    return true;
  }

  // Names of zones say nothing but that there is one: all are UTC here.
  bool ParseZoneName() {
    const size_t begin = at_;
    while (at_ < text_.size() && text_[at_] >= 'A' && text_[at_] <= 'Z') ++at_;
    const std::string_view name = text_.substr(begin, at_ - begin);
    const bool known = name.size() == 3 ||
                       (name.size() == 4 && (name.ends_with('T') || name == "WITA")) ||
                       (name.size() == 5 && name.ends_with('T'));
    return known || Fail(fmt::format(R"(cannot parse "{}" with "%Z")", name));
  }

  bool ParseOffset() {
    if (at_ >= text_.size()) return FailAt('z');
    const char sign = text_[at_++];
    if (sign == 'Z') {
      offset_ = 0;
      return true;
    }
    if (sign != '+' && sign != '-') return FailAt('z');
    int64_t parts[3] = {0, 0, 0};
    bool has_colons = false;
    for (int i = 0; i < 3; ++i) {
      const size_t before = at_;
      if (i == 1) has_colons = at_ < text_.size() && text_[at_] == ':';
      if (i > 0 && has_colons) {
        if (at_ >= text_.size() || text_[at_] != ':') break;
        ++at_;
      }
      if (i == 2 && !has_colons) break;
      const size_t begin = at_;
      const bool read = Number('z', 2, 0, i == 0 ? 23 : 59, &parts[i]) && at_ == begin + 2;
      if (!read && i == 0) return FailAt('z');
      if (!read) {
        parts[i] = 0;
        at_ = before;
        break;
      }
    }
    error_.clear();
    offset_ = (parts[0] * 60 + parts[1]) * 60 + parts[2];
    if (sign == '-') offset_ = -offset_;
    return true;
  }

  bool ParseBlanks(char directive) {
    const size_t begin = at_;
    while (at_ < text_.size() &&
           std::string_view(" \t\n\v\f\r").find(text_[at_]) != std::string_view::npos) {
      ++at_;
    }
    return at_ > begin || Fail(fmt::format("expected a space for \"%{}\"", directive));
  }

  std::string_view text_;
  size_t at_ = 0;
  int64_t year_ = 1900;
  int64_t month_ = 1;
  int64_t hour_ = 0;
  int64_t minute_ = 0;
  int64_t second_ = 0;
  int64_t nanosecond_ = 0;
  int64_t offset_ = 0;
  std::optional<int64_t> century_;
  std::optional<int64_t> day_;
  std::optional<int64_t> year_day_;
  bool is_afternoon_ = false;
  std::string error_;
};

}  // namespace

std::string FormatStrftime(const CivilTime& time, std::string_view format) {
  std::string text;
  Formatter(time, &text).Format(format);
  return text;
}

std::expected<ParsedTime, std::string> ParseStrptime(std::string_view text,
                                                     std::string_view format) {
  Parser parser(text);
  ParsedTime parsed;
  if (parser.Parse(format) && parser.Finish(&parsed)) return parsed;
  return std::unexpected(
      fmt::format(R"(failed to parse "{}" with "{}": {})", text, format, parser.error()));
}

}  // namespace kulisse::simulator
