// The conversions: int(…), string(…) and so on.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <string>

#include "base/text.h"
#include "base/time.h"
#include "openapi/cel/operators.h"
#include "openapi/cel/time_text.h"

namespace kulisse::openapi::cel {
namespace {

Value CannotConvert(const Value& value, std::string_view type, Evaluation& evaluation) {
  return evaluation.Fail(
      fmt::format("type conversion error from '{}' to '{}'", TypeNameOf(value), type));
}

// Go's strconv.ParseInt and ParseUint in base 10.
std::optional<int64_t> GoParseInt(std::string_view text) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  return ParseInt64(text);
}

// Go takes underscores between digits.
std::optional<std::string> WithoutUnderscores(std::string_view text) {
  std::string out;
  const auto is_digit = [&](size_t at) {
    return at < text.size() && std::isxdigit(static_cast<unsigned char>(text[at]));
  };
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      out += text[i];
    } else if (i == 0 || !is_digit(i - 1) || !is_digit(i + 1)) {
      return std::nullopt;
    }
  }
  return out;
}

std::optional<double> GoParseFloat(std::string_view text) {
  const auto plain = WithoutUnderscores(text);
  if (!plain) return std::nullopt;
  text = *plain;
  std::string_view digits = text;
  if (digits.starts_with('+') || digits.starts_with('-')) digits.remove_prefix(1);
  const bool negative = text.starts_with('-');
  for (const std::string_view infinity : {"inf", "infinity"}) {
    if (EqualsIgnoreCase(digits, infinity)) return negative ? -HUGE_VAL : HUGE_VAL;
  }
  if (EqualsIgnoreCase(digits, "nan")) {
    return digits.size() == text.size() ? std::optional(std::nan("")) : std::nullopt;
  }
  if (digits.empty() || digits.find_first_of("0123456789") == std::string_view::npos ||
      digits.starts_with('-') || digits.starts_with('+') ||
      std::isalpha(static_cast<unsigned char>(digits[0]))) {
    return std::nullopt;
  }
  const bool is_hex = digits.starts_with("0x") || digits.starts_with("0X");
  if (is_hex) {
    digits.remove_prefix(2);
    if (digits.find_first_of("pP") == std::string_view::npos) return std::nullopt;
  }
  double number = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), number,
                      is_hex ? std::chars_format::hex : std::chars_format::general);
  if (error != std::errc() || end != digits.data() + digits.size()) {
    // Too small a number is zero, too large a one an error.
    if (error != std::errc::result_out_of_range) return std::nullopt;
    const double approximate = std::strtod(std::string(text).c_str(), nullptr);
    return std::isinf(approximate) ? std::nullopt : std::optional(approximate);
  }
  return negative ? -number : number;
}

std::optional<bool> GoParseBool(std::string_view text) {
  for (const std::string_view yes : {"1", "t", "T", "TRUE", "true", "True"}) {
    if (text == yes) return true;
  }
  for (const std::string_view no : {"0", "f", "F", "FALSE", "false", "False"}) {
    if (text == no) return false;
  }
  return std::nullopt;
}

Value TimeFromSeconds(int64_t seconds) {
  if (seconds < kUnixSecondsMin || seconds > kUnixSecondsMax) {
    return Value::Error("timestamp overflow");
  }
  return Value::Timestamp({.seconds = seconds});
}

Value FromString(const Value& value, std::string_view type, Evaluation& evaluation) {
  const std::string_view text = value.AsText();
  if (!evaluation.SpendBytes(text.size())) return Value::Error("");
  if (type == "int") {
    if (const auto number = GoParseInt(text)) return Value::Int(*number);
  } else if (type == "uint") {
    if (const auto number = ParseUint64(text)) return Value::Uint(*number);
  } else if (type == "double") {
    if (const auto number = GoParseFloat(text)) return Value::Double(*number);
  } else if (type == "bool") {
    if (const auto truth = GoParseBool(text)) return Value::Bool(*truth);
  } else if (type == "bytes") {
    return Value::Bytes(text);
  } else if (type == "google.protobuf.Duration") {
    if (const auto duration = kulisse::ParseGoDuration(text)) {
      return Value::Duration(duration->count());
    }
  } else if (type == "google.protobuf.Timestamp") {
    if (const auto time = ParseTime(text)) {
      if (time->seconds < kUnixSecondsMin || time->seconds > kUnixSecondsMax) {
        return Value::Error("timestamp overflow");
      }
      return Value::Timestamp(*time);
    }
  }
  return CannotConvert(value, type, evaluation);
}

Value FromDouble(const Value& value, std::string_view type, Evaluation& evaluation) {
  constexpr double kTwoTo63 = 9223372036854775808.0;
  constexpr double kTwoTo64 = 18446744073709551616.0;
  const double number = value.AsDouble();
  if (type == "int") {
    // The lowest int is refused as well, as in cel-go.
    if (!(number > -kTwoTo63 && number < kTwoTo63)) return Value::Error("integer overflow");
    return Value::Int(static_cast<int64_t>(number));
  }
  if (type == "uint") {
    if (!(number >= 0 && number < kTwoTo64)) return Value::Error("unsigned integer overflow");
    return Value::Uint(static_cast<uint64_t>(number));
  }
  return CannotConvert(value, type, evaluation);
}

Value FromInt(const Value& value, std::string_view type, Evaluation& evaluation) {
  const int64_t number = value.AsInt();
  if (type == "uint") {
    if (number < 0) return Value::Error("unsigned integer overflow");
    return Value::Uint(static_cast<uint64_t>(number));
  }
  if (type == "double") return Value::Double(static_cast<double>(number));
  if (type == "google.protobuf.Timestamp") return TimeFromSeconds(number);
  return CannotConvert(value, type, evaluation);
}

Value FromUint(const Value& value, std::string_view type, Evaluation& evaluation) {
  const uint64_t number = value.AsUint();
  if (type == "int") {
    const auto signed_number = static_cast<int64_t>(number);
    return signed_number < 0 ? Value::Error("integer overflow") : Value::Int(signed_number);
  }
  if (type == "double") return Value::Double(static_cast<double>(number));
  return CannotConvert(value, type, evaluation);
}

Value ToText(const Value& value, Evaluation& evaluation) {
  switch (value.kind()) {
    case ValueKind::kBytes:
      if (!evaluation.SpendBytes(value.AsText().size())) return Value::Error("");
      if (!IsUtf8(value.AsText())) {
        return Value::Error("invalid UTF-8 in bytes, cannot convert to string");
      }
      return Value::String(value.AsText());
    case ValueKind::kNull:
    case ValueKind::kBool:
    case ValueKind::kInt:
    case ValueKind::kUint:
    case ValueKind::kDouble:
    case ValueKind::kTimestamp:
    case ValueKind::kDuration:
    case ValueKind::kType:
      return evaluation.MakeString(PlainText(value));
    default:
      return CannotConvert(value, "string", evaluation);
  }
}

}  // namespace

Value Convert(const Value& value, std::string_view type, Evaluation& evaluation) {
  if (type == "type") return Value::TypeName(TypeNameOf(value));
  if (TypeNameOf(value) == type) return value;
  if (value.Is(ValueKind::kHost)) {
    const auto converted = value.AsHost().Convert(value, type, evaluation);
    return converted ? *converted : CannotConvert(value, type, evaluation);
  }
  if (type == "string") return ToText(value, evaluation);
  switch (value.kind()) {
    case ValueKind::kString:
      return FromString(value, type, evaluation);
    case ValueKind::kDouble:
      return FromDouble(value, type, evaluation);
    case ValueKind::kInt:
      return FromInt(value, type, evaluation);
    case ValueKind::kUint:
      return FromUint(value, type, evaluation);
    case ValueKind::kTimestamp:
      if (type == "int") return Value::Int(value.AsTimestamp().seconds);
      break;
    case ValueKind::kDuration:
      if (type == "int") return Value::Int(value.AsInt());
      break;
    default:
      break;
  }
  return CannotConvert(value, type, evaluation);
}

}  // namespace kulisse::openapi::cel
