// The standard library of CEL: what every environment has.
// Upstream: cel-go common/stdlib/standard.go.
#include <string.h>  // memmem

#include <algorithm>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "openapi/cel/environment.h"
#include "openapi/cel/limits.h"
#include "openapi/cel/operators.h"
#include "openapi/cel/plan.h"
#include "openapi/cel/time_text.h"

namespace kulisse::openapi::cel {
namespace {

// --- declarations ----------------------------------------------------------------------------

struct Declaration {
  std::string_view function;
  std::string_view id;
  std::string_view arguments;  // a list of types; "." before the first: a member
  std::string_view result;
};

constexpr Declaration kOperators[] = {
    {"_?_:_", "conditional", "bool A A", "A"},
    {"_&&_", "logical_and", "bool bool", "bool"},
    {"_||_", "logical_or", "bool bool", "bool"},
    {"!_", "logical_not", "bool", "bool"},
    {"@not_strictly_false", "not_strictly_false", "bool", "bool"},
    {"_==_", "equals", "A A", "bool"},
    {"_!=_", "not_equals", "A A", "bool"},
    {"_+_", "add_bytes", "bytes bytes", "bytes"},
    {"_+_", "add_double", "double double", "double"},
    {"_+_", "add_duration_duration", "duration duration", "duration"},
    {"_+_", "add_duration_timestamp", "duration timestamp", "timestamp"},
    {"_+_", "add_timestamp_duration", "timestamp duration", "timestamp"},
    {"_+_", "add_int64", "int int", "int"},
    {"_+_", "add_list", "list list", "list"},
    {"_+_", "add_string", "string string", "string"},
    {"_+_", "add_uint64", "uint uint", "uint"},
    {"_/_", "divide_double", "double double", "double"},
    {"_/_", "divide_int64", "int int", "int"},
    {"_/_", "divide_uint64", "uint uint", "uint"},
    {"_%_", "modulo_int64", "int int", "int"},
    {"_%_", "modulo_uint64", "uint uint", "uint"},
    {"_*_", "multiply_double", "double double", "double"},
    {"_*_", "multiply_int64", "int int", "int"},
    {"_*_", "multiply_uint64", "uint uint", "uint"},
    {"-_", "negate_double", "double", "double"},
    {"-_", "negate_int64", "int", "int"},
    {"_-_", "subtract_double", "double double", "double"},
    {"_-_", "subtract_duration_duration", "duration duration", "duration"},
    {"_-_", "subtract_int64", "int int", "int"},
    {"_-_", "subtract_timestamp_duration", "timestamp duration", "timestamp"},
    {"_-_", "subtract_timestamp_timestamp", "timestamp timestamp", "duration"},
    {"_-_", "subtract_uint64", "uint uint", "uint"},
    {"_[_]", "index_list", "list int", "A"},
    {"_[_]", "index_map", "map A", "B"},
    {"@in", "in_list", "A list", "bool"},
    {"@in", "in_map", "A map", "bool"},
    {"size", "size_bytes", "bytes", "int"},
    {"size", "bytes_size", ".bytes", "int"},
    {"size", "size_list", "list", "int"},
    {"size", "list_size", ".list", "int"},
    {"size", "size_map", "map", "int"},
    {"size", "map_size", ".map", "int"},
    {"size", "size_string", "string", "int"},
    {"size", "string_size", ".string", "int"},
    {"dyn", "to_dyn", "A", "dyn"},
};

constexpr Declaration kConversions[] = {
    {"bool", "bool_to_bool", "bool", "bool"},
    {"bool", "string_to_bool", "string", "bool"},
    {"bytes", "bytes_to_bytes", "bytes", "bytes"},
    {"bytes", "string_to_bytes", "string", "bytes"},
    {"double", "double_to_double", "double", "double"},
    {"double", "int64_to_double", "int", "double"},
    {"double", "string_to_double", "string", "double"},
    {"double", "uint64_to_double", "uint", "double"},
    {"duration", "duration_to_duration", "duration", "duration"},
    {"duration", "int64_to_duration", "int", "duration"},
    {"duration", "string_to_duration", "string", "duration"},
    {"int", "int64_to_int64", "int", "int"},
    {"int", "double_to_int64", "double", "int"},
    {"int", "duration_to_int64", "duration", "int"},
    {"int", "string_to_int64", "string", "int"},
    {"int", "timestamp_to_int64", "timestamp", "int"},
    {"int", "uint64_to_int64", "uint", "int"},
    {"string", "string_to_string", "string", "string"},
    {"string", "bool_to_string", "bool", "string"},
    {"string", "bytes_to_string", "bytes", "string"},
    {"string", "double_to_string", "double", "string"},
    {"string", "duration_to_string", "duration", "string"},
    {"string", "int64_to_string", "int", "string"},
    {"string", "timestamp_to_string", "timestamp", "string"},
    {"string", "uint64_to_string", "uint", "string"},
    {"timestamp", "timestamp_to_timestamp", "timestamp", "timestamp"},
    {"timestamp", "int64_to_timestamp", "int", "timestamp"},
    {"timestamp", "string_to_timestamp", "string", "timestamp"},
    {"uint", "uint64_to_uint64", "uint", "uint"},
    {"uint", "double_to_uint64", "double", "uint"},
    {"uint", "int64_to_uint64", "int", "uint"},
    {"uint", "string_to_uint64", "string", "uint"},
};

Type ParseType(std::string_view name) {
  const Type all[] = {Type::Bool(),   Type::Int(),       Type::Uint(),
                      Type::Double(), Type::String(),    Type::Bytes(),
                      Type::Dyn(),    Type::Timestamp(), Type::Duration()};
  if (name == "A" || name == "B") return Type::Param(std::string(name));
  if (name == "list") return Type::List(Type::Param("A"));
  if (name == "map") return Type::Map(Type::Param("A"), Type::Param("B"));
  for (const Type& type : all) {
    if (type.ToString() == name) return type;
  }
  KULISSE_ASSERT(false);
  return {};
}

Overload ParseDeclaration(const Declaration& declaration) {
  Overload overload;
  overload.id = declaration.id;
  overload.result = ParseType(declaration.result);
  std::string_view rest = declaration.arguments;
  if (rest.starts_with('.')) {
    overload.is_member = true;
    rest.remove_prefix(1);
  }
  while (!rest.empty()) {
    const std::string_view name = rest.substr(0, rest.find(' '));
    overload.arguments.push_back(ParseType(name));
    rest.remove_prefix(std::min(rest.size(), name.size() + 1));
  }
  return overload;
}

// --- relations -------------------------------------------------------------------------------

struct Pair {
  std::string_view first, second;
};
// In the order of upstream's declarations.
constexpr Pair kOrdered[] = {
    {"bool", "bool"},           {"int", "int"},          {"int", "double"},    {"int", "uint"},
    {"uint", "uint"},           {"uint", "double"},      {"uint", "int"},      {"double", "double"},
    {"double", "int"},          {"double", "uint"},      {"string", "string"}, {"bytes", "bytes"},
    {"timestamp", "timestamp"}, {"duration", "duration"}};

void AddRelations(Environment& environment) {
  for (const std::string name : {"_<_", "_<=_", "_>_", "_>=_"}) {
    for (const Pair& pair : kOrdered) {
      Overload overload;
      overload.id = std::string(pair.first) + "_" + std::string(pair.second);
      overload.arguments = {ParseType(pair.first), ParseType(pair.second)};
      overload.result = Type::Bool();
      overload.cross_type = pair.first != pair.second;
      environment.AddFunction(name, std::move(overload));
    }
  }
}

// --- functions on strings --------------------------------------------------------------------

template <class Test>
Callable OnStrings(const Test& test) {
  return [test](std::span<const Value> arguments, Evaluation& evaluation) {
    for (const Value& argument : arguments) {
      if (!argument.Is(ValueKind::kString)) return Value::Error("no such overload");
    }
    const std::string_view text = arguments[0].AsText();
    if (!evaluation.SpendBytes(text.size())) return Value::Error("");
    return Value::Bool(test(text, arguments[1].AsText()));
  };
}

Value MatchDynamic(std::span<const Value> arguments, Evaluation& evaluation) {
  if (!arguments[0].Is(ValueKind::kString)) {
    const bool receives =
        arguments[0].Is(ValueKind::kTimestamp) || arguments[0].Is(ValueKind::kDuration);
    return Value::Error(receives ? "no such overload" : "no such overload: matches");
  }
  if (!arguments[1].Is(ValueKind::kString)) return Value::Error("no such overload");
  const std::string_view pattern = arguments[1].AsText();
  if (!evaluation.Spend(kCelRegexSteps + pattern.size())) return Value::Error("");
  return MatchRegex(*CompileRegex(pattern), pattern, arguments[0].AsText(), evaluation);
}

void AddStrings(Environment& environment) {
  const auto add = [&](std::string_view name, std::string_view id, bool is_member, Callable call) {
    Overload overload;
    overload.id = id;
    overload.is_member = is_member;
    overload.arguments = {Type::String(), Type::String()};
    overload.result = Type::Bool();
    overload.call = std::move(call);
    overload.is_unguarded = true;
    environment.AddFunction(std::string(name), std::move(overload));
  };
  add("contains", "contains_string", true,
      OnStrings([](std::string_view text, std::string_view part) {
        // In linear time, which std::string_view does not promise.
        return ::memmem(text.data(), text.size(), part.data(), part.size()) != nullptr;
      }));
  add("endsWith", "ends_with_string", true,
      OnStrings([](std::string_view text, std::string_view end) { return text.ends_with(end); }));
  add("startsWith", "starts_with_string", true,
      OnStrings(
          [](std::string_view text, std::string_view start) { return text.starts_with(start); }));
  add("matches", "matches", false, MatchDynamic);
  add("matches", "matches_string", true, MatchDynamic);
}

// --- functions on times ----------------------------------------------------------------------

struct Accessor {
  std::string_view name;
  int64_t (*of_time)(const CivilTime& time);
  int64_t nanoseconds = 0;  // of the unit that a duration is told in; 0: not of durations
};
constexpr Accessor kAccessors[] = {
    {"getFullYear", [](const CivilTime& time) { return time.year; }},
    {"getMonth", [](const CivilTime& time) { return int64_t{time.month}; }},
    {"getDayOfYear", [](const CivilTime& time) { return int64_t{time.day_of_year}; }},
    {"getDayOfMonth", [](const CivilTime& time) { return int64_t{time.day}; }},
    {"getDate", [](const CivilTime& time) { return int64_t{time.day} + 1; }},
    {"getDayOfWeek", [](const CivilTime& time) { return int64_t{time.day_of_week}; }},
    {"getHours", [](const CivilTime& time) { return int64_t{time.hour}; }, 3'600'000'000'000},
    {"getMinutes", [](const CivilTime& time) { return int64_t{time.minute}; }, 60'000'000'000},
    {"getSeconds", [](const CivilTime& time) { return int64_t{time.second}; }, 1'000'000'000},
    {"getMilliseconds", [](const CivilTime& time) { return int64_t{time.milliseconds}; },
     1'000'000},
};

Callable OfTime(const Accessor& accessor) {
  return [of_time = accessor.of_time](std::span<const Value> arguments, Evaluation& evaluation) {
    const std::string_view zone = arguments.size() > 1 ? arguments[1].AsText() : "";
    const auto civil = InTimeZone(arguments[0].AsTimestamp(), zone);
    return civil ? Value::Int(of_time(*civil)) : evaluation.Fail(civil.error());
  };
}

void AddTimes(Environment& environment) {
  for (const Accessor& accessor : kAccessors) {
    const std::string name(accessor.name);
    Overload overload;
    overload.is_member = true;
    overload.result = Type::Int();
    overload.id = "timestamp_to_" + name;
    overload.arguments = {Type::Timestamp()};
    overload.call = OfTime(accessor);
    environment.AddFunction(name, overload);
    overload.id += "_with_tz";
    overload.arguments.push_back(Type::String());
    environment.AddFunction(name, overload);
    if (accessor.nanoseconds == 0) continue;
    overload.id = "duration_to_" + name;
    overload.arguments = {Type::Duration()};
    overload.call = [unit = accessor.nanoseconds](std::span<const Value> arguments, Evaluation&) {
      return Value::Int(arguments[0].AsInt() / unit);
    };
    environment.AddFunction(name, overload);
  }
}

// A function that converts to the type of its result.
Callable ConvertTo(std::string type) {
  return [type = std::move(type)](std::span<const Value> arguments, Evaluation& evaluation) {
    return Convert(arguments[0], type, evaluation);
  };
}

}  // namespace

void Environment::AddStandardLibrary() {
  for (const Declaration& declaration : kOperators) {
    AddFunction(std::string(declaration.function), ParseDeclaration(declaration));
  }
  AddRelations(*this);
  for (size_t i = 0; i <= static_cast<size_t>(Operator::kSize); ++i) {
    const auto op = static_cast<Operator>(i);
    functions_.find(OperatorName(op))->second.op = op;
  }
  for (const Declaration& declaration : kConversions) {
    Overload overload = ParseDeclaration(declaration);
    overload.call = ConvertTo(overload.result.name());
    AddFunction(std::string(declaration.function), std::move(overload));
  }
  AddFunction("type", {.id = "type",
                       .arguments = {Type::Param("A")},
                       .result = Type::TypeOf(Type::Param("A")),
                       .call = ConvertTo("type"),
                       .is_unguarded = true});
  AddStrings(*this);
  AddTimes(*this);
}

}  // namespace kulisse::openapi::cel
