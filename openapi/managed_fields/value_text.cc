#include "openapi/managed_fields/value_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "base/status.h"

namespace kulisse::openapi {

namespace {

using json::Member;
using json::Value;

// Floats come with the shortest %g: with an exponent below 1e-4 and from 1e+06 on.
std::string Number(const Value& value) {
  if (value.IsInt()) return std::to_string(value.AsInt());
  constexpr int kPlainExponentMin = -4;
  constexpr int kPlainExponentMax = 5;
  const double number = value.AsDouble();
  char scientific[32];
  const auto end = std::to_chars(scientific, scientific + sizeof(scientific), number,
                                 std::chars_format::scientific)
                       .ptr;
  const std::string_view text(scientific, static_cast<size_t>(end - scientific));
  const size_t e = text.find('e');
  int exponent = 0;
  const char* digits = text.data() + e + (text[e + 1] == '+' ? 2 : 1);
  std::from_chars(digits, end, exponent);
  if (exponent < kPlainExponentMin || exponent > kPlainExponentMax) return std::string(text);
  char plain[64];
  const auto plain_end =
      std::to_chars(plain, plain + sizeof(plain), number, std::chars_format::fixed).ptr;
  return {plain, plain_end};
}

std::vector<const Member*> Sorted(const Value& object) {
  std::vector<const Member*> members;
  for (const Member& member : object.members()) members.push_back(&member);
  std::ranges::sort(members, {}, [](const Member* member) { return member->name; });
  return members;
}

}  // namespace

std::string GoText(const Value& value) {
  if (value.IsNull()) return "<nil>";
  if (value.IsBool()) return value.AsBool() ? "true" : "false";
  if (value.IsNumber()) return Number(value);
  if (value.IsString()) return std::string(value.AsString());
  std::string text = value.IsArray() ? "[" : "map[";
  const size_t empty = text.size();
  for (const Value& element : value.elements()) {
    if (text.size() > empty) text += ' ';
    text += GoText(element);
  }
  for (const Member* member : Sorted(value)) {
    if (text.size() > empty) text += ' ';
    text += fmt::format("{}:{}", member->name, GoText(member->value));
  }
  return text + ']';
}

std::string GoSyntaxText(const Value& value) {
  if (value.IsNull()) return "interface {}(nil)";
  if (value.IsString()) return GoQuote(value.AsString());
  if (!value.IsArray() && !value.IsObject()) return GoText(value);
  std::string text = std::string(GoTypeText(value)) + "{";
  const size_t empty = text.size();
  for (const Value& element : value.elements()) {
    if (text.size() > empty) text += ", ";
    text += GoSyntaxText(element);
  }
  for (const Member* member : Sorted(value)) {
    if (text.size() > empty) text += ", ";
    text += fmt::format("{}:{}", GoQuote(member->name), GoSyntaxText(member->value));
  }
  return text + '}';
}

std::string_view GoTypeText(const Value& value) {
  if (value.IsArray()) return "[]interface {}";
  if (value.IsObject()) return "map[string]interface {}";
  if (value.IsString()) return "string";
  if (value.IsBool()) return "bool";
  if (value.IsNull()) return "<nil>";
  return value.IsInt() ? "int64" : "float64";
}

}  // namespace kulisse::openapi
