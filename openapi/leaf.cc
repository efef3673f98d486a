#include "openapi/leaf.h"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <limits>

#include "base/json/write.h"
#include "base/text.h"
#include "base/time.h"
#include "openapi/go_duration.h"
#include "openapi/go_time.h"
#include "openapi/quantity.h"

namespace kulisse::openapi {

namespace {

using json::Arena;
using json::Value;

constexpr std::string_view kQuantityFormatError =
    "quantities must match the regular expression "
    "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
constexpr int64_t kExactDoubleMax = int64_t{1} << 53;

LeafResult NormalizeInt(const Value& value, int64_t min, int64_t max, std::string_view go_type,
                        std::string* error) {
  if (value.IsInt() && value.AsInt() >= min && value.AsInt() <= max) return LeafResult::kOk;
  *error = go_type;
  return value.IsNumber() ? LeafResult::kBadNumber : LeafResult::kWrongType;
}

LeafResult NormalizeDouble(Value& value, std::string* error) {
  if (!value.IsNumber()) {
    *error = "float64";
    return LeafResult::kWrongType;
  }
  if (!value.IsInt() || value.AsInt() > kExactDoubleMax || value.AsInt() < -kExactDoubleMax) {
    value = Value::Double(value.AsDouble());
  }
  return LeafResult::kOk;
}

// 1 to 999 with at most two letters behind is always canonical, but for exponents.
bool IsPlainQuantity(std::string_view text) {
  size_t digits = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') ++digits;
  if (digits == 0 || digits > 3 || text[0] == '0') return false;
  const std::string_view suffix = text.substr(digits);
  if (suffix.empty()) return true;
  constexpr std::string_view kDecimal = "numkMGTPE";
  constexpr std::string_view kBinary = "KMGTPE";
  if (suffix.size() == 1) return kDecimal.find(suffix[0]) != kDecimal.npos;
  return suffix.size() == 2 && suffix[1] == 'i' && kBinary.find(suffix[0]) != kBinary.npos;
}

LeafResult NormalizeQuantity(Value& value, Arena& arena, std::string* error) {
  std::string number;
  std::string_view text;
  if (value.IsString()) {
    text = value.AsString();
    if (IsPlainQuantity(text)) return LeafResult::kOk;
    text = TrimSpace(text);
  } else if (value.IsNumber()) {
    json::Append(value, &number);
    text = number;
  }
  const auto quantity = Quantity::Parse(text);
  if (!quantity) {
    *error = kQuantityFormatError;
    return LeafResult::kUnmarshal;
  }
  const std::string canonical = quantity->ToString();
  if (!value.IsString() || value.AsString() != canonical) {
    value = Value::String(canonical, arena);
  }
  return LeafResult::kOk;
}

LeafResult NormalizeIntOrString(const Value& value, std::string* error) {
  if (value.IsString()) return LeafResult::kOk;
  const LeafResult result = NormalizeInt(value, std::numeric_limits<int32_t>::min(),
                                         std::numeric_limits<int32_t>::max(), "int32", error);
  switch (result) {
    case LeafResult::kWrongType:
      return LeafResult::kUnmarshalType;
    case LeafResult::kBadNumber:
      return LeafResult::kUnmarshalNumber;
    default:
      return result;
  }
}

LeafResult NormalizeTime(Value& value, TimeLayout layout, Arena& arena, std::string* error) {
  if (!value.IsString()) {
    *error = "string";
    return LeafResult::kUnmarshalType;
  }
  if (IsCanonicalTime(value.AsString(), layout)) return LeafResult::kOk;
  auto time = ParseTimestamp(value.AsString(), layout);
  if (!time) {
    *error = std::move(time).error();
    return LeafResult::kUnmarshal;
  }
  if (time->IsZero()) {
    value = Value();
    return LeafResult::kOk;
  }
  const std::string canonical = FormatTimestamp(*time, layout);
  if (value.AsString() != canonical) value = Value::String(canonical, arena);
  return LeafResult::kOk;
}

LeafResult NormalizeDuration(Value& value, Arena& arena, std::string* error) {
  if (!value.IsString()) {
    *error = "string";
    return LeafResult::kUnmarshalType;
  }
  const auto duration = ParseGoDuration(value.AsString());
  if (!duration) {
    *error = fmt::format("time: invalid duration \"{}\"", value.AsString());
    return LeafResult::kUnmarshal;
  }
  const std::string canonical = FormatGoDuration(*duration);
  if (value.AsString() != canonical) value = Value::String(canonical, arena);
  return LeafResult::kOk;
}

constexpr std::string_view kBase64Alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr auto kIsBase64 = [] {
  std::array<bool, 256> is{};
  for (const char c : kBase64Alphabet) is[static_cast<unsigned char>(c)] = true;
  return is;
}();

bool IsBase64(char c) { return kIsBase64[static_cast<unsigned char>(c)]; }

// Where Go's decoder finds the first fault of a malformed text without line breaks.
// Upstream: encoding/base64, decodeQuantum.
size_t Base64FaultOffset(std::string_view text) {
  size_t good = 0;
  while (good < text.size() && IsBase64(text[good])) ++good;
  const size_t phase = good % 4;
  if (good == text.size()) return good - phase;
  if (text[good] != '=' || phase < 2) return good;
  size_t at = good + 1;
  if (phase == 2) {
    if (at == text.size()) return at;
    if (text[at] != '=') return at - 1;
    ++at;
  }
  return at;
}

// Whether the text decodes and encodes to itself.
bool IsCanonicalBase64(std::string_view text) {
  if (text.size() % 4 != 0) return false;
  if (text.empty()) return true;
  size_t padding = 0;
  if (text.back() == '=') padding = text[text.size() - 2] == '=' ? 2 : 1;
  const std::string_view digits = text.substr(0, text.size() - padding);
  for (const char c : digits) {
    if (!IsBase64(c)) return false;
  }
  if (padding == 0) return true;
  const size_t last = kBase64Alphabet.find(digits.back());
  return (last & (padding == 2 ? 0xfU : 0x3U)) == 0;
}

LeafResult NormalizeBytes(Value& value, Arena& arena, std::string* error) {
  if (!value.IsString()) {
    *error = "[]uint8";
    return LeafResult::kWrongType;
  }
  if (IsCanonicalBase64(value.AsString())) return LeafResult::kOk;
  std::string text;
  for (const char c : value.AsString()) {
    if (c != '\r' && c != '\n') text += c;
  }
  // Bits behind the last byte do not count.
  const size_t digits = text.find_last_not_of('=') + 1;
  if (digits % 4 >= 2 && digits < text.size() && IsBase64(text[digits - 1])) {
    const size_t last = kBase64Alphabet.find(text[digits - 1]);
    text[digits - 1] = kBase64Alphabet[last & (digits % 4 == 2 ? ~size_t{0xf} : ~size_t{0x3})];
  }
  if (!IsCanonicalBase64(text)) {
    *error = fmt::format("illegal base64 data at input byte {}", Base64FaultOffset(text));
    return LeafResult::kBadText;
  }
  value = Value::String(text, arena);
  return LeafResult::kOk;
}

LeafResult Require(bool fits, std::string_view go_type, std::string* error) {
  if (fits) return LeafResult::kOk;
  *error = go_type;
  return LeafResult::kWrongType;
}

}  // namespace

LeafResult NormalizeLeaf(Value& value, TypeKind kind, Arena& arena, std::string* error) {
  switch (kind) {
    case TypeKind::kString:
      return Require(value.IsString(), "string", error);
    case TypeKind::kBool:
      return Require(value.IsBool(), "bool", error);
    case TypeKind::kInt32:
      return NormalizeInt(value, std::numeric_limits<int32_t>::min(),
                          std::numeric_limits<int32_t>::max(), "int32", error);
    case TypeKind::kInt64:
      return NormalizeInt(value, std::numeric_limits<int64_t>::min(),
                          std::numeric_limits<int64_t>::max(), "int64", error);
    case TypeKind::kDouble:
      return NormalizeDouble(value, error);
    case TypeKind::kBytes:
      return NormalizeBytes(value, arena, error);
    case TypeKind::kQuantity:
      return NormalizeQuantity(value, arena, error);
    case TypeKind::kIntOrString:
      return NormalizeIntOrString(value, error);
    case TypeKind::kTime:
      return NormalizeTime(value, TimeLayout::kSeconds, arena, error);
    case TypeKind::kMicroTime:
      return NormalizeTime(value, TimeLayout::kMicros, arena, error);
    case TypeKind::kDuration:
      return NormalizeDuration(value, arena, error);
    default:
      return LeafResult::kOk;  // raw JSON is kept as it is
  }
}

Value ZeroLeaf(TypeKind kind) {
  switch (kind) {
    case TypeKind::kString:
      return Value::StringRef("");
    case TypeKind::kBool:
      return Value::Bool(false);
    case TypeKind::kSchemaOrBool:
      return Value::Bool(false);
    case TypeKind::kInt32:
    case TypeKind::kInt64:
    case TypeKind::kDouble:
    case TypeKind::kIntOrString:
      return Value::Int(0);
    case TypeKind::kQuantity:
      return Value::StringRef("0");
    case TypeKind::kDuration:
      return Value::StringRef("0s");
    default:
      return Value();
  }
}

bool IsZeroLeaf(const Value& value, TypeKind kind) {
  switch (kind) {
    case TypeKind::kString:
    case TypeKind::kBytes:
    case TypeKind::kStringList:
      return value.size() == 0;
    case TypeKind::kBool:
      return !value.AsBool();
    case TypeKind::kInt32:
    case TypeKind::kInt64:
      return value.AsInt() == 0;
    case TypeKind::kDouble:
      return value.AsDouble() == 0;
    default:
      return value.IsNull();
  }
}

}  // namespace kulisse::openapi
