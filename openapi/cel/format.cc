// Values as texts: for errors, and as CEL source.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>
#include <vector>

#include "openapi/cel/evaluation.h"
#include "openapi/cel/time_text.h"
#include "openapi/cel/value.h"

namespace kulisse::openapi::cel {
namespace {

// Go's strconv.Quote, for valid UTF-8 of printable characters and ASCII controls.
std::string Quote(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    switch (c) {
      case '"':
        quoted += "\\\"";
        break;
      case '\\':
        quoted += "\\\\";
        break;
      case '\a':
        quoted += "\\a";
        break;
      case '\b':
        quoted += "\\b";
        break;
      case '\f':
        quoted += "\\f";
        break;
      case '\n':
        quoted += "\\n";
        break;
      case '\r':
        quoted += "\\r";
        break;
      case '\t':
        quoted += "\\t";
        break;
      case '\v':
        quoted += "\\v";
        break;
      default:
        if (byte < 0x20 || byte == 0x7f) {
          quoted += fmt::format("\\x{:02x}", byte);
        } else {
          quoted += c;
        }
    }
  }
  return quoted + "\"";
}

std::string_view SpecialDouble(double number) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number > 0 ? "+Inf" : "-Inf";
  return {};
}

// A finite number's shortest digits, without a point or a sign, and its exponent.
struct Scientific {
  std::string text;  // "1.5e+06"
  std::string digits;
  int exponent = 0;
};

Scientific ToScientific(double number) {
  char buffer[32];
  const auto end =
      std::to_chars(buffer, buffer + sizeof buffer, number, std::chars_format::scientific).ptr;
  Scientific parts;
  parts.text.assign(buffer, end);
  const size_t e = parts.text.find('e');
  for (const char c : parts.text.substr(0, e)) {
    if (c >= '0' && c <= '9') parts.digits += c;
  }
  const size_t start = e + (parts.text[e + 1] == '+' ? 2 : 1);
  std::from_chars(parts.text.data() + start, parts.text.data() + parts.text.size(), parts.exponent);
  return parts;
}

std::string DebugDouble(double number) {
  if (std::isnan(number)) return "double(\"NaN\")";
  if (std::isinf(number)) {
    return number > 0 ? "double(\"Infinity\")" : "double(\"-Infinity\")";
  }
  std::string text = FormatDoubleFixed(number);
  if (text.find('.') == std::string::npos) text += ".0";
  return text;
}

std::string DebugTextAt(const Value& value, Evaluation& evaluation, int depth);

std::string DebugMap(const Value& map, Evaluation& evaluation, int depth) {
  std::vector<std::pair<std::string, std::string>> entries;
  for (size_t i = 0; i < MapSize(map); ++i) {
    const Value key = MapKeyAt(map, i);
    const Value value = MapFind(map, key, evaluation).value_or(Value());
    entries.emplace_back(DebugTextAt(key, evaluation, depth),
                         DebugTextAt(value, evaluation, depth));
  }
  std::ranges::sort(entries);
  std::string text = "{";
  for (const auto& [key, value] : entries) {
    if (text.size() > 1) text += ", ";
    text += key + ": " + value;
  }
  return text + "}";
}

std::string DebugTextAt(const Value& value, Evaluation& evaluation, int depth) {
  if (depth > kCelValueDepthMax || !evaluation.Spend(1)) return "…";
  switch (value.kind()) {
    case ValueKind::kUint:
      return PlainText(value) + "u";
    case ValueKind::kDouble:
      return DebugDouble(value.AsDouble());
    case ValueKind::kString:
      return Quote(value.AsText());
    case ValueKind::kBytes: {
      std::string text = "b\"";
      for (const char c : value.AsText()) {
        text += fmt::format("\\{:03o}", static_cast<unsigned char>(c));
      }
      return text + "\"";
    }
    case ValueKind::kTimestamp: {
      Time time = value.AsTimestamp();
      time.offset = 0;
      return "timestamp(\"" + FormatTime(time) + "\")";
    }
    case ValueKind::kDuration:
      return "duration(\"" + FormatSeconds(value.AsInt()) + "\")";
    case ValueKind::kList: {
      std::string text = "[";
      for (size_t i = 0; i < ListSize(value); ++i) {
        if (i > 0) text += ", ";
        text += DebugTextAt(ListAt(value, i, evaluation), evaluation, depth + 1);
      }
      return text + "]";
    }
    case ValueKind::kMap:
      return DebugMap(value, evaluation, depth + 1);
    case ValueKind::kHost: {
      const auto text = value.AsHost().Convert(value, "string", evaluation);
      return std::string(value.AsHost().name()) + "(" +
             (text ? Quote(text->AsText()) : std::string()) + ")";
    }
    default:
      return PlainText(value);
  }
}

}  // namespace

std::string FormatDouble(double number) {
  if (const auto special = SpecialDouble(number); !special.empty()) return std::string(special);
  const Scientific parts = ToScientific(number);
  constexpr int kExponentMin = -4, kExponentEnd = 6;  // where Go turns to exponents
  if (parts.exponent < kExponentMin || parts.exponent >= kExponentEnd) return parts.text;
  return FormatDoubleFixed(number);
}

std::string FormatDoubleFixed(double number) {
  if (const auto special = SpecialDouble(number); !special.empty()) return std::string(special);
  const Scientific parts = ToScientific(number);
  // The shortest digits, with zeros up to the point.
  const auto count = static_cast<int>(parts.digits.size());
  std::string text = std::signbit(number) ? "-" : "";
  if (parts.exponent < 0) {
    text += "0." + std::string(static_cast<size_t>(-parts.exponent - 1), '0') + parts.digits;
  } else if (parts.exponent >= count - 1) {
    text += parts.digits + std::string(static_cast<size_t>(parts.exponent - count + 1), '0');
  } else {
    const auto whole = static_cast<size_t>(parts.exponent) + 1;
    text += parts.digits.substr(0, whole) + "." + parts.digits.substr(whole);
  }
  return text;
}

std::string PlainText(const Value& value) {
  switch (value.kind()) {
    case ValueKind::kNull:
      return "null";
    case ValueKind::kBool:
      return value.AsBool() ? "true" : "false";
    case ValueKind::kInt:
      return std::to_string(value.AsInt());
    case ValueKind::kUint:
      return std::to_string(value.AsUint());
    case ValueKind::kDouble:
      return FormatDouble(value.AsDouble());
    case ValueKind::kTimestamp:
      return FormatTime(value.AsTimestamp());
    case ValueKind::kDuration:
      return FormatSeconds(value.AsInt());
    case ValueKind::kString:
    case ValueKind::kBytes:
    case ValueKind::kType:
    case ValueKind::kError:
      return std::string(value.AsText());
    default:
      return std::string(TypeNameOf(value));
  }
}

std::string DebugText(const Value& value, Evaluation& evaluation) {
  return DebugTextAt(value, evaluation, 0);
}

}  // namespace kulisse::openapi::cel
