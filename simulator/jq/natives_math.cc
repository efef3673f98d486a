// C's mathematics. Results are doubles, also of integers.
#include <math.h>  // j0 and its like are POSIX, not std

#include <algorithm>
#include <limits>

#include "simulator/jq/natives.h"

namespace kulisse::simulator::jq {

namespace {

bool Give(Value* result, const Value& value) {
  *result = value;
  return true;
}

int ToExponent(double number) {
  constexpr double kMax = 1'000'000;  // beyond what any double needs
  return std::isnan(number) ? std::numeric_limits<int>::min() / 2
                            : static_cast<int>(std::clamp(number, -kMax, kMax));
}

double Significand(double number) {
  int exponent = 0;
  return std::frexp(number, &exponent) * 2;
}

double Drem(double a, double b) {
  const double rest = std::remainder(a, b);
  return rest == 0 ? std::copysign(rest, a) : rest;
}

double Lgamma(double number) {
  int sign = 0;
  return lgamma_r(number, &sign);
}

double RoundToEven(double number) { return std::nearbyint(number); }
double Exp10(double number) { return std::pow(10, number); }
double Ldexp(double fraction, double exponent) {
  return std::ldexp(fraction, ToExponent(exponent));
}
double Jn(double order, double number) { return jn(ToExponent(order), number); }
double Yn(double order, double number) { return yn(ToExponent(order), number); }

// A table row of a function with one, two or three numbers.
#define KULISSE_UNARY(name, function)                                            \
  {name, 0, [](Context& context, const Value& input, Arguments, Value* result) { \
     if (!input.IsNumber()) return context.FailType(name, input);                \
     return Give(result, Value::Double(function(input.AsDouble())));             \
   }}
#define KULISSE_BINARY(name, function)                                                       \
  {name, 2, [](Context& context, const Value&, Arguments arguments, Value* result) {         \
     for (const Value& argument : arguments) {                                               \
       if (!argument.IsNumber()) return context.FailType(name, argument);                    \
     }                                                                                       \
     return Give(result,                                                                     \
                 Value::Double(function(arguments[0].AsDouble(), arguments[1].AsDouble()))); \
   }}

bool Frexp(Context& context, const Value& input, Arguments, Value* result) {
  if (!input.IsNumber()) return context.FailType("frexp", input);
  int exponent = 0;
  const std::span<Value> parts = context.NewElements(2);
  parts[0] = Value::Double(std::frexp(input.AsDouble(), &exponent));
  parts[1] = Value::Int(std::isfinite(input.AsDouble()) ? exponent : 0);
  return Give(result, Value::Array(parts));
}

bool Modf(Context& context, const Value& input, Arguments, Value* result) {
  if (!input.IsNumber()) return context.FailType("modf", input);
  double whole = 0;
  const std::span<Value> parts = context.NewElements(2);
  parts[0] = Value::Double(std::modf(input.AsDouble(), &whole));
  parts[1] = Value::Double(whole);
  return Give(result, Value::Array(parts));
}

bool Fma(Context& context, const Value&, Arguments arguments, Value* result) {
  for (const Value& argument : arguments) {
    if (!argument.IsNumber()) return context.FailType("fma", argument);
  }
  return Give(result, Value::Double(std::fma(arguments[0].AsDouble(), arguments[1].AsDouble(),
                                             arguments[2].AsDouble())));
}

bool IsNan(Context& context, const Value& input, Arguments, Value* result) {
  if (!input.IsNumber() && !input.IsNull()) return context.FailType("isnan", input);
  return Give(result, Value::Bool(input.IsNumber() && std::isnan(input.AsDouble())));
}

constexpr Native kNatives[] = {
    KULISSE_UNARY("acos", std::acos),
    KULISSE_UNARY("acosh", std::acosh),
    KULISSE_UNARY("asin", std::asin),
    KULISSE_UNARY("asinh", std::asinh),
    KULISSE_UNARY("atan", std::atan),
    KULISSE_BINARY("atan2", std::atan2),
    KULISSE_UNARY("atanh", std::atanh),
    KULISSE_UNARY("cbrt", std::cbrt),
    KULISSE_UNARY("ceil", std::ceil),
    KULISSE_BINARY("copysign", std::copysign),
    KULISSE_UNARY("cos", std::cos),
    KULISSE_UNARY("cosh", std::cosh),
    KULISSE_BINARY("drem", Drem),
    KULISSE_UNARY("erf", std::erf),
    KULISSE_UNARY("erfc", std::erfc),
    KULISSE_UNARY("exp", std::exp),
    KULISSE_UNARY("exp10", Exp10),
    KULISSE_UNARY("exp2", std::exp2),
    KULISSE_UNARY("expm1", std::expm1),
    KULISSE_UNARY("fabs", std::fabs),
    KULISSE_BINARY("fdim", std::fdim),
    KULISSE_UNARY("floor", std::floor),
    {"fma", 3, Fma},
    KULISSE_BINARY("fmax", std::fmax),
    KULISSE_BINARY("fmin", std::fmin),
    KULISSE_BINARY("fmod", std::fmod),
    {"frexp", 0, Frexp},
    KULISSE_UNARY("gamma", std::tgamma),
    KULISSE_BINARY("hypot", std::hypot),
    KULISSE_UNARY("j0", j0),
    KULISSE_UNARY("j1", j1),
    KULISSE_BINARY("jn", Jn),
    KULISSE_BINARY("ldexp", Ldexp),
    KULISSE_UNARY("lgamma", Lgamma),
    KULISSE_UNARY("log", std::log),
    KULISSE_UNARY("log10", std::log10),
    KULISSE_UNARY("log1p", std::log1p),
    KULISSE_UNARY("log2", std::log2),
    KULISSE_UNARY("logb", std::logb),
    {"modf", 0, Modf},
    KULISSE_UNARY("nearbyint", RoundToEven),
    KULISSE_BINARY("nextafter", std::nextafter),
    KULISSE_BINARY("nexttoward", std::nextafter),
    KULISSE_BINARY("pow", std::pow),
    KULISSE_BINARY("remainder", std::remainder),
    KULISSE_UNARY("rint", RoundToEven),
    KULISSE_UNARY("round", std::round),
    KULISSE_BINARY("scalb", Ldexp),
    KULISSE_BINARY("scalbln", Ldexp),
    KULISSE_UNARY("significand", Significand),
    KULISSE_UNARY("sin", std::sin),
    KULISSE_UNARY("sinh", std::sinh),
    KULISSE_UNARY("sqrt", std::sqrt),
    KULISSE_UNARY("tan", std::tan),
    KULISSE_UNARY("tanh", std::tanh),
    KULISSE_UNARY("tgamma", std::tgamma),
    KULISSE_UNARY("trunc", std::trunc),
    KULISSE_UNARY("y0", y0),
    KULISSE_UNARY("y1", y1),
    KULISSE_BINARY("yn", Yn),
    {"infinite", 0,
     [](Context&, const Value&, Arguments, Value* result) {
       return Give(result, Value::Double(std::numeric_limits<double>::infinity()));
     }},
    {"nan", 0,
     [](Context&, const Value&, Arguments, Value* result) {
       return Give(result, Value::Double(std::numeric_limits<double>::quiet_NaN()));
     }},
    {"isfinite", 0,
     [](Context&, const Value& input, Arguments, Value* result) {
       return Give(result, Value::Bool(input.IsNumber() && !std::isinf(input.AsDouble())));
     }},
    {"isinfinite", 0,
     [](Context&, const Value& input, Arguments, Value* result) {
       return Give(result, Value::Bool(input.IsNumber() && std::isinf(input.AsDouble())));
     }},
    {"isnan", 0, IsNan},
    {"isnormal", 0,
     [](Context&, const Value& input, Arguments, Value* result) {
       return Give(result, Value::Bool(input.IsNumber() && std::isnormal(input.AsDouble())));
     }},
};

#undef KULISSE_UNARY
#undef KULISSE_BINARY

}  // namespace

std::span<const Native> MathNatives() { return kNatives; }

}  // namespace kulisse::simulator::jq
