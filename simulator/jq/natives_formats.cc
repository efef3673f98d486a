// @csv and its like.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "simulator/jq/natives.h"

namespace kulisse::simulator::jq {

namespace {

using Escapes = std::span<const std::pair<char, std::string_view>>;

bool Give(Value* result, const Value& value) {
  *result = value;
  return true;
}

std::string Escaped(std::string_view text, Escapes escapes) {
  std::string result;
  for (const char c : text) {
    const auto found = std::ranges::find(escapes, c, [](const auto& pair) { return pair.first; });
    if (found == escapes.end()) {
      result += c;
    } else {
      result += found->second;
    }
  }
  return result;
}

constexpr std::pair<char, std::string_view> kHtml[] = {
    {'<', "&lt;"}, {'>', "&gt;"}, {'&', "&amp;"}, {'\'', "&apos;"}, {'"', "&quot;"}};
constexpr std::pair<char, std::string_view> kCsv[] = {{'"', "\"\""}, {'\0', "\\0"}};
constexpr std::pair<char, std::string_view> kTsv[] = {
    {'\t', "\\t"}, {'\r', "\\r"}, {'\n', "\\n"}, {'\\', "\\\\"}, {'\0', "\\0"}};
constexpr std::pair<char, std::string_view> kShell[] = {{'\'', "'\\''"}, {'\0', "\\0"}};

struct RowFormat {
  std::string_view name;
  std::string_view separator;
  std::string_view quote;
  Escapes escapes;
  bool prints_null;
};

bool FormatRow(Context& context, const RowFormat& format, const Value& row, Value* result) {
  std::string text;
  for (size_t i = 0; i < row.size(); ++i) {
    const Value cell = row.At(i);
    if (i > 0) text += format.separator;
    if (cell.IsArray() || cell.IsObject()) {
      return context.Fail(fmt::format("@{} cannot format an array including: {}", format.name,
                                      TypeAndPreview(cell)));
    }
    if (cell.IsString()) {
      text.append(format.quote).append(Escaped(cell.AsString(), format.escapes));
      text += format.quote;
    } else if (const std::string plain = ToText(cell); plain != "null" || format.prints_null) {
      text += plain;
    }
  }
  return Give(result, context.String(text));
}

bool ToCsv(Context& context, const Value& input, Arguments, Value* result) {
  if (!input.IsArray()) return context.FailType("@csv", input);
  return FormatRow(context, {"csv", ",", "\"", kCsv, false}, input, result);
}

bool ToTsv(Context& context, const Value& input, Arguments, Value* result) {
  if (!input.IsArray()) return context.FailType("@tsv", input);
  return FormatRow(context, {"tsv", "\t", "", kTsv, false}, input, result);
}

bool ToShell(Context& context, const Value& input, Arguments, Value* result) {
  const Value one[] = {input};
  return FormatRow(context, {"sh", " ", "'", kShell, true},
                   input.IsArray() ? input : Value::Array(one), result);
}

bool ToHtml(Context& context, const Value& input, Arguments, Value* result) {
  return Give(result, context.String(Escaped(ToStringValue(context, input).AsString(), kHtml)));
}

bool ToUri(Context& context, const Value& input, Arguments, Value* result) {
  std::string text;
  for (const char c : ToStringValue(context, input).AsString()) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '~';
    if (is_plain) {
      text += c;
    } else {
      fmt::format_to(std::back_inserter(text), "%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return Give(result, context.String(text));
}

bool FromUri(Context& context, const Value& input, Arguments, Value* result) {
  const std::string_view text = ToStringValue(context, input).AsString();
  if (const auto decoded = PercentDecode(text, false))
    return Give(result, context.String(*decoded));
  size_t at = text.find('%');
  while (PercentDecode(text.substr(at, 3), false)) at = text.find('%', at + 1);
  return context.FailWith("@urid", input,
                          fmt::format("invalid URL escape \"{}\"", text.substr(at, 3)));
}

bool FromBase64(Context& context, const Value& input, Arguments, Value* result) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string_view text = ToStringValue(context, input).AsString();
  text = text.substr(0, text.find('='));
  std::string bytes;
  uint32_t bits = 0;
  size_t count = 0;
  const auto fail = [&](size_t at) {
    return context.FailWith("@base64d", input,
                            fmt::format("illegal base64 data at input byte {}", at));
  };
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' || text[i] == '\n') continue;
    const size_t digit = kAlphabet.find(text[i]);
    if (digit == std::string_view::npos) return fail(i);
    bits = bits << 6 | static_cast<uint32_t>(digit);
    ++count;
    if (count % 4 != 1) bytes += static_cast<char>(bits >> (6 - 2 * ((count - 1) % 4)));
  }
  if (count % 4 == 1) return fail(text.size() - 1);
  return Give(result, context.String(bytes));
}

bool ToBase64(Context& context, const Value& input, Arguments, Value* result) {
  return Give(result, context.String(Base64Encode(ToStringValue(context, input).AsString())));
}

bool Format(Context& context, const Value& input, Arguments arguments, Value* result) {
  if (!arguments[0].IsString()) return context.FailType("format", arguments[0]);
  const std::string_view name = arguments[0].AsString();
  const Native* native = name == "text"   ? FindNative("tostring", 0)
                         : name == "json" ? FindNative("tojson", 0)
                                          : FindNative(fmt::format("_to{}", name), 0);
  if (!native) return context.Fail(fmt::format("format not defined: @{}", name));
  return native->call(context, input, {}, result);
}

constexpr Native kNatives[] = {
    {"_tobase64", 0, ToBase64}, {"_tobase64d", 0, FromBase64}, {"_tocsv", 0, ToCsv},
    {"_tohtml", 0, ToHtml},     {"_tosh", 0, ToShell},         {"_totsv", 0, ToTsv},
    {"_touri", 0, ToUri},       {"_tourid", 0, FromUri},       {"format", 1, Format},
};

}  // namespace

std::span<const Native> FormatNatives() { return kNatives; }

}  // namespace kulisse::simulator::jq
