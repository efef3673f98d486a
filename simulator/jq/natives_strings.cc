// Strings: sequences of code points.
#include <algorithm>
#include <array>
#include <optional>

#include "base/utf8.h"
#include "simulator/jq/natives.h"

namespace kulisse::simulator::jq {

namespace {

bool Give(Value* result, const Value& value) {
  *result = value;
  return true;
}

// The blanks of Unicode, as Go's unicode.IsSpace has them.
bool IsBlank(char32_t rune) {
  if (rune <= 0xff) {
    return rune == ' ' || (rune >= '\t' && rune <= '\r') || rune == 0x85 || rune == 0xa0;
  }
  return rune == 0x1680 || (rune >= 0x2000 && rune <= 0x200a) || rune == 0x2028 || rune == 0x2029 ||
         rune == 0x202f || rune == 0x205f || rune == 0x3000;
}

std::string_view TrimLeft(std::string_view text) {
  while (!text.empty()) {
    size_t length = 0;
    if (!IsBlank(DecodeRune(text, &length))) break;
    text.remove_prefix(length);
  }
  return text;
}

std::string_view TrimRight(std::string_view text) {
  while (!text.empty()) {
    size_t begin = text.size() - 1;
    while (begin > 0 && text.size() - begin < 4 &&
           (static_cast<unsigned char>(text[begin]) & 0xc0) == 0x80) {
      --begin;
    }
    size_t length = 0;
    if (!IsBlank(DecodeRune(text.substr(begin), &length)) || begin + length != text.size()) break;
    text.remove_suffix(length);
  }
  return text;
}

std::string_view WithoutPrefix(std::string_view text, std::string_view prefix) {
  return text.starts_with(prefix) ? text.substr(prefix.size()) : text;
}

std::string_view WithoutSuffix(std::string_view text, std::string_view suffix) {
  return text.ends_with(suffix) ? text.substr(0, text.size() - suffix.size()) : text;
}

using TextFunction = std::string_view (*)(std::string_view text);
using PairFunction = std::string_view (*)(std::string_view text, std::string_view other);

bool OnText(Context& context, std::string_view name, const Value& input, TextFunction function,
            Value* result) {
  if (!input.IsString()) return context.FailType(name, input);
  return Give(result, Value::String(function(input.AsString())));
}

bool OnPair(Context& context, std::string_view name, const Value& input, Arguments arguments,
            PairFunction function, Value* result) {
  if (!input.IsString() || !arguments[0].IsString()) {
    return context.FailType(name, input, arguments[0]);
  }
  return Give(result, Value::String(function(input.AsString(), arguments[0].AsString())));
}

bool Affix(Context& context, std::string_view name, const Value& input, Arguments arguments,
           bool at_start, Value* result) {
  const Value& affix = arguments[0];
  if (!input.IsString() || !affix.IsString()) return context.FailType(name, input, affix);
  return Give(result, Value::Bool(at_start ? input.AsString().starts_with(affix.AsString())
                                           : input.AsString().ends_with(affix.AsString())));
}

bool ChangeCase(Context& context, std::string_view name, const Value& input, char from,
                Value* result) {
  if (!input.IsString()) return context.FailType(name, input);
  std::string text(input.AsString());
  for (char& c : text) {
    if (c >= from && c < from + 26) c = static_cast<char>(c ^ 0x20);
  }
  return Give(result, context.String(text));
}

bool Explode(Context& context, const Value& input, Arguments, Value* result) {
  if (!input.IsString()) return context.FailType("explode", input);
  ArrayBuilder runes(context);
  for (std::string_view rest = input.AsString(); !rest.empty();) {
    size_t length = 0;
    runes.Add(Value::Int(DecodeRune(rest, &length)));
    rest.remove_prefix(length);
  }
  return Give(result, runes.Build());
}

bool Implode(Context& context, const Value& input, Arguments, Value* result) {
  if (!input.IsArray()) return context.FailType("implode", input);
  std::string text;
  for (const Value& element : context.Elements(input)) {
    int64_t rune = 0;
    if (!ToInt(element, &rune)) return context.FailType("implode", input);
    constexpr int64_t kRuneMax = 0x10ffff;
    const bool is_rune = rune >= 0 && rune <= kRuneMax;
    AppendUtf8(is_rune ? static_cast<char32_t>(rune) : kReplacementRune, &text);
  }
  return Give(result, context.String(text));
}

// --- indices, index, rindex

Value TextOccurrences(Context& context, std::string_view text, std::string_view part) {
  ArrayBuilder found(context);
  size_t at = 0;
  int64_t runes = 0;
  while (!part.empty() && at < text.size()) {
    if (text.substr(at).starts_with(part)) found.Add(Value::Int(runes));
    size_t length = 0;
    (void)DecodeRune(text.substr(at), &length);
    at += length;
    ++runes;
  }
  return found.Build();
}

bool Occurrences(Context& context, std::string_view name, const Value& input, const Value& part,
                 Value* result) {
  if (input.IsString() && part.IsString()) {
    return Give(result, TextOccurrences(context, input.AsString(), part.AsString()));
  }
  if (!input.IsArray()) return context.FailType(name, input, part);
  if (part.IsArray()) return IndexValue(context, input, part, result);
  const std::span<Value> one = context.NewElements(1);
  one[0] = part;
  return IndexValue(context, input, Value::Array(one), result);
}

enum class Which : uint8_t { kAll, kFirst, kLast };

bool Find(Context& context, std::string_view name, const Value& input, Arguments arguments,
          Which which, Value* result) {
  if (input.IsNull()) return Give(result, {});
  Value all;
  if (!Occurrences(context, name, input, arguments[0], &all)) return false;
  if (which == Which::kAll) return Give(result, all);
  if (all.size() == 0) return Give(result, {});
  return Give(result, all.At(which == Which::kFirst ? 0 : all.size() - 1));
}

constexpr Native kNatives[] = {
    {"ascii_downcase", 0,
     [](Context& context, const Value& input, Arguments, Value* result) {
       return ChangeCase(context, "ascii_downcase", input, 'A', result);
     }},
    {"ascii_upcase", 0,
     [](Context& context, const Value& input, Arguments, Value* result) {
       return ChangeCase(context, "ascii_upcase", input, 'a', result);
     }},
    {"endswith", 1,
     [](Context& context, const Value& input, Arguments arguments, Value* result) {
       return Affix(context, "endswith", input, arguments, false, result);
     }},
    {"explode", 0, Explode},
    {"implode", 0, Implode},
    {"index", 1,
     [](Context& context, const Value& input, Arguments arguments, Value* result) {
       return Find(context, "index", input, arguments, Which::kFirst, result);
     }},
    {"indices", 1,
     [](Context& context, const Value& input, Arguments arguments, Value* result) {
       return Find(context, "indices", input, arguments, Which::kAll, result);
     }},
    {"ltrim", 0,
     [](Context& context, const Value& input, Arguments, Value* result) {
       return OnText(context, "ltrim", input, TrimLeft, result);
     }},
    {"ltrimstr", 1,
     [](Context& context, const Value& input, Arguments arguments, Value* result) {
       return OnPair(context, "ltrimstr", input, arguments, WithoutPrefix, result);
     }},
    {"rindex", 1,
     [](Context& context, const Value& input, Arguments arguments, Value* result) {
       return Find(context, "rindex", input, arguments, Which::kLast, result);
     }},
    {"rtrim", 0,
     [](Context& context, const Value& input, Arguments, Value* result) {
       return OnText(context, "rtrim", input, TrimRight, result);
     }},
    {"rtrimstr", 1,
     [](Context& context, const Value& input, Arguments arguments, Value* result) {
       return OnPair(context, "rtrimstr", input, arguments, WithoutSuffix, result);
     }},
    {"startswith", 1,
     [](Context& context, const Value& input, Arguments arguments, Value* result) {
       return Affix(context, "startswith", input, arguments, true, result);
     }},
    {"trim", 0,
     [](Context& context, const Value& input, Arguments, Value* result) {
       const auto trim = [](std::string_view text) { return TrimLeft(TrimRight(text)); };
       return OnText(context, "trim", input, trim, result);
     }},
    {"trimstr", 1,
     [](Context& context, const Value& input, Arguments arguments, Value* result) {
       const auto trim = [](std::string_view text, std::string_view other) {
         return WithoutSuffix(WithoutPrefix(text, other), other);
       };
       return OnPair(context, "trimstr", input, arguments, trim, result);
     }},
    {"utf8bytelength", 0,
     [](Context& context, const Value& input, Arguments, Value* result) {
       if (!input.IsString()) return context.FailType("utf8bytelength", input);
       return Give(result, Value::Int(static_cast<int64_t>(input.size())));
     }},
};

}  // namespace

std::span<const Native> StringNatives() { return kNatives; }

}  // namespace kulisse::simulator::jq
