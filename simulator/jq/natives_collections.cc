// Arrays, objects, and what asks for the kind of a value.
#include <algorithm>
#include <cmath>
#include <limits>

#include "base/json/parse.h"
#include "simulator/jq/lexer.h"
#include "simulator/jq/natives.h"
#include "simulator/jq/resolver.h"

namespace kulisse::simulator::jq {

namespace {

bool Give(Value* result, const Value& value) {
  *result = value;
  return true;
}

Value Absolute(const Value& number) {
  if (!number.IsInt() || number.AsInt() == std::numeric_limits<int64_t>::min()) {
    return Value::Double(std::fabs(number.AsDouble()));
  }
  return Value::Int(std::abs(number.AsInt()));
}

bool Abs(Context& context, const Value& input, Arguments, Value* result) {
  return input.IsNumber() ? Give(result, Absolute(input)) : context.FailType("abs", input);
}

bool Length(Context& context, const Value& input, Arguments, Value* result) {
  if (input.IsNumber()) return Give(result, Absolute(input));
  if (input.IsBool()) return context.FailType("length", input);
  const size_t length = input.IsString() ? RuneCount(input.AsString()) : input.size();
  return Give(result, Value::Int(static_cast<int64_t>(length)));
}

bool Keys(Context& context, const Value& input, Arguments, Value* result) {
  if (!input.IsArray() && !input.IsObject()) return context.FailType("keys", input);
  const std::span<Value> keys = context.NewElements(input.size());
  if (input.IsObject()) {
    std::ranges::transform(context.Members(input), keys.begin(),
                           [](const Member& member) { return Value::String(member.name); });
  } else {
    for (size_t i = 0; i < keys.size(); ++i) keys[i] = Value::Int(static_cast<int64_t>(i));
  }
  return Give(result, Value::Array(keys));
}

bool Has(Context& context, const Value& input, Arguments arguments, Value* result) {
  const Value& key = arguments[0];
  int64_t index = 0;
  Value member;
  if (input.IsArray() && ToInt(key, &index)) {
    return Give(result, Value::Bool(index >= 0 && index < static_cast<int64_t>(input.size())));
  }
  if (input.IsObject() && key.IsString()) {
    return Give(result, Value::Bool(input.Find(key.AsString(), &member)));
  }
  if (input.IsNull()) return Give(result, Value::Bool(false));
  return context.FailType("has", input, key);
}

bool AllAre(std::span<const Value> values, Kind kind) {
  return std::ranges::all_of(
      values, [&](const Value& value) { return value.kind() == kind || value.IsNull(); });
}

// As adding one after the other; long runs of strings or arrays are joined at once.
bool Sum(Context& context, std::span<const Value> values, Value* result) {
  *result = {};
  const auto first = std::ranges::find_if_not(values, &Value::IsNull);
  if (first == values.end()) return true;
  if (first->IsString() && AllAre(values, Kind::kString)) {
    std::string text;
    for (const Value& value : values) {
      if (value.IsString()) text += value.AsString();
    }
    return context.Reserve(text.size()) && Give(result, context.String(text));
  }
  if (first->IsArray() && AllAre(values, Kind::kArray)) {
    ArrayBuilder all(context);
    for (const Value& value : values) {
      for (size_t i = 0; i < value.size(); ++i) all.Add(value.At(i));
    }
    return Give(result, all.Build());
  }
  for (const Value& value : values) {
    const Value before = *result;
    if (!Add(context, before, value, result)) return false;
  }
  return true;
}

bool AddAll(Context& context, const Value& input, Arguments, Value* result) {
  const auto values = context.Values(input);
  return values ? Sum(context, *values, result) : context.FailType("add", input);
}

bool Join(Context& context, const Value& input, Arguments arguments, Value* result) {
  const auto values = context.Values(input);
  if (!values) return context.FailType("join", input, arguments[0]);
  if (values->empty()) return Give(result, Value::String(""));
  const std::span<Value> parts = context.NewElements(2 * values->size());
  for (size_t i = 0; i < values->size(); ++i) {
    const Value& value = (*values)[i];
    parts[2 * i] = i == 0 ? Value::String("") : arguments[0];
    parts[2 * i + 1] = value.IsNumber() || value.IsBool() ? ToStringValue(context, value) : value;
  }
  return Sum(context, parts, result);
}

// -1: not comparable, or the context has an error.
int ContainsWhat(Context& context, const Value& whole, const Value& part) {
  if (whole.IsNumber() && part.IsNumber()) return whole.AsDouble() == part.AsDouble();
  if (whole.kind() != part.kind()) return -1;
  switch (whole.kind()) {
    case Kind::kString:
      return whole.AsString().find(part.AsString()) != std::string_view::npos;
    case Kind::kArray:
      if (!context.ReservePairs(whole.size(), part.size())) return -1;
      for (size_t i = 0; i < part.size(); ++i) {
        bool found = false;
        for (size_t j = 0; j < whole.size() && !found; ++j) {
          found = ContainsWhat(context, whole.At(j), part.At(i)) == 1;
        }
        if (!found) return 0;
      }
      return 1;
    case Kind::kObject: {
      const auto holds = [&](std::string_view name, const Value& value) {
        Value member;
        return whole.Find(name, &member) && ContainsWhat(context, member, value) == 1;
      };
      if (part.parsed()) {
        return std::ranges::all_of(part.parsed()->members(), [&](const json::Member& member) {
          return holds(member.name, Value::Of(member.value));
        });
      }
      return std::ranges::all_of(part.own_members(), [&](const Member& member) {
        return holds(member.name, member.value);
      });
    }
    default:
      return whole.IsNull() || whole.AsBool() == part.AsBool() ? 1 : -1;
  }
}

bool Contains(Context& context, const Value& whole, const Value& part, Value* result) {
  const int contains = ContainsWhat(context, whole, part);
  if (context.is_limit()) return false;
  if (contains < 0) return context.FailType("contains", whole, part);
  return Give(result, Value::Bool(contains == 1));
}

bool ToBoolean(Context& context, const Value& input, Arguments, Value* result) {
  if (input.IsBool()) return Give(result, input);
  if (!input.IsString()) return context.FailType("toboolean", input);
  const std::string_view text = input.AsString();
  if (text != "true" && text != "false") {
    return context.FailWith("toboolean", input, "invalid boolean");
  }
  return Give(result, Value::Bool(text == "true"));
}

bool ToNumber(Context& context, const Value& input, Arguments, Value* result) {
  if (input.IsNumber()) return Give(result, input);
  if (!input.IsString()) return context.FailType("tonumber", input);
  if (!IsNumberText(input.AsString())) {
    return context.FailWith("tonumber", input, "invalid number");
  }
  return Give(result, ParseNumber(input.AsString()));
}

// What was read from JSON text within the expression: its integers are ints.
Value Adopt(Context& context, const json::Value& parsed) {
  if (parsed.IsInt()) return Value::Int(parsed.AsInt());
  if (parsed.IsArray()) {
    const std::span<Value> elements = context.NewElements(parsed.size());
    for (size_t i = 0; i < elements.size(); ++i) {
      elements[i] = Adopt(context, parsed.elements()[i]);
    }
    return Value::Array(elements);
  }
  if (parsed.IsObject()) {
    const std::span<Member> members = context.NewMembers(parsed.size());
    for (size_t i = 0; i < members.size(); ++i) {
      const json::Member& member = parsed.members()[i];
      members[i] = {member.name, Adopt(context, member.value)};
    }
    return context.MakeObject(members);
  }
  return Value::Of(parsed);
}

bool FromJson(Context& context, const Value& input, Arguments, Value* result) {
  if (!input.IsString()) return context.FailType("fromjson", input);
  const auto parsed = json::ParseInto(input.AsString(), context.arena());
  if (parsed) return Give(result, Adopt(context, *parsed));
  const std::string& message = parsed.error().message;
  if (message.find("after top-level value") != std::string::npos) {
    return context.FailType("fromjson", input);
  }
  if (message != "unexpected end of JSON input") {
    return context.FailWith("fromjson", input, message);
  }
  const bool is_blank = input.AsString().find_first_not_of(" \t\r\n") == std::string_view::npos;
  return context.FailWith("fromjson", input, is_blank ? "EOF" : "unexpected EOF");
}

bool Reverse(Context& context, const Value& input, Arguments, Value* result) {
  if (!input.IsArray()) return context.FailType("reverse", input);
  const std::span<Value> reversed = context.NewElements(input.size());
  std::ranges::reverse_copy(context.Elements(input), reversed.begin());
  return Give(result, Value::Array(reversed));
}

void FlattenInto(const Value& array, double depth, ArrayBuilder* flat) {
  for (size_t i = 0; i < array.size(); ++i) {
    const Value element = array.At(i);
    if (element.IsArray() && depth != 0) {
      FlattenInto(element, depth - 1, flat);
    } else {
      flat->Add(element);
    }
  }
}

bool Flatten(Context& context, const Value& input, Arguments arguments, Value* result) {
  const auto values = context.Values(input);
  if (!values) return context.FailType("flatten", input);
  double depth = -1;
  if (!arguments.empty()) {
    if (!arguments[0].IsNumber()) return context.FailType("flatten", arguments[0]);
    depth = arguments[0].AsDouble();
    if (depth < 0 || std::isnan(depth)) {
      return context.Fail("flatten depth should not be negative: " + Preview(Value::Double(depth)));
    }
  }
  ArrayBuilder flat(context);
  FlattenInto(Value::Array(*values), depth, &flat);
  return Give(result, flat.Build());
}

bool Transpose(Context& context, const Value& input, Arguments, Value* result) {
  if (!input.IsArray()) return context.FailType("transpose", input);
  const auto rows = context.Elements(input);
  size_t width = 0;
  for (const Value& row : rows) {
    if (!row.IsArray()) return context.FailType("transpose", input);
    width = std::max(width, row.size());
  }
  if (!context.Reserve(width * rows.size() * sizeof(Value))) return false;
  const std::span<Value> columns = context.NewElements(width);
  for (size_t i = 0; i < width; ++i) {
    const std::span<Value> column = context.NewElements(rows.size());
    for (size_t j = 0; j < rows.size(); ++j) {
      if (i < rows[j].size()) column[j] = rows[j].At(i);
    }
    columns[i] = Value::Array(column);
  }
  return Give(result, Value::Array(columns));
}

bool Builtins(Context& context, const Value&, Arguments, Value* result) {
  ArrayBuilder names(context);
  for (const std::string& name : BuiltinNames()) names.Add(context.String(name));
  return Give(result, names.Build());
}

constexpr Native kNatives[] = {
    {"abs", 0, Abs},
    {"add", 0, AddAll},
    {"builtins", 0, Builtins},
    {"contains", 1,
     [](Context& context, const Value& input, Arguments arguments, Value* result) {
       return Contains(context, input, arguments[0], result);
     }},
    {"error", 0,
     [](Context& context, const Value& input, Arguments, Value*) { return context.Raise(input); }},
    {"error", 1,
     [](Context& context, const Value&, Arguments arguments, Value*) {
       return context.Raise(arguments[0]);
     }},
    {"flatten", 0, Flatten},
    {"flatten", 1, Flatten},
    {"fromjson", 0, FromJson},
    {"has", 1, Has},
    {"inside", 1,
     [](Context& context, const Value& input, Arguments arguments, Value* result) {
       return Contains(context, arguments[0], input, result);
     }},
    {"join", 1, Join},
    {"keys", 0, Keys},
    {"length", 0, Length},
    {"reverse", 0, Reverse},
    {"toboolean", 0, ToBoolean},
    {"tojson", 0,
     [](Context& context, const Value& input, Arguments, Value* result) {
       return Give(result, context.String(ToText(input)));
     }},
    {"tonumber", 0, ToNumber},
    {"tostring", 0,
     [](Context& context, const Value& input, Arguments, Value* result) {
       return Give(result, ToStringValue(context, input));
     }},
    {"transpose", 0, Transpose},
    {"type", 0,
     [](Context&, const Value& input, Arguments, Value* result) {
       return Give(result, Value::String(TypeName(input)));
     }},
};

}  // namespace

std::span<const Native> CollectionNatives() { return kNatives; }

}  // namespace kulisse::simulator::jq
