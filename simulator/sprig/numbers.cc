// Numbers: integers as int64, fractions as sprig's decimals.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "simulator/limits.h"
#include "simulator/sprig/sprig.h"

namespace kulisse::simulator {

namespace {

using json::Value;

// Elements of a list that a function counts out.
constexpr uint64_t kCountedMax = 100'000;

using Operation = int64_t (*)(int64_t, int64_t);

// As in Go, sums that overflow wrap round.
int64_t Plus(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}
int64_t Times(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
}
int64_t Larger(int64_t a, int64_t b) { return std::max(a, b); }
int64_t Smaller(int64_t a, int64_t b) { return std::min(a, b); }

template <Operation operation>
bool Fold(TemplateCall& call, Arguments arguments, Operand* result) {
  int64_t value = ToInt64(arguments[0]);
  for (const Operand& argument : arguments.subspan(1)) value = operation(value, ToInt64(argument));
  return GiveInt(call, value, result);
}

bool Add(TemplateCall& call, Arguments arguments, Operand* result) {
  if (arguments.empty()) return GiveInt(call, 0, result);
  return Fold<Plus>(call, arguments, result);
}

bool Subtract(TemplateCall& call, Arguments arguments, Operand* result) {
  const uint64_t difference =
      static_cast<uint64_t>(ToInt64(arguments[0])) - static_cast<uint64_t>(ToInt64(arguments[1]));
  return GiveInt(call, static_cast<int64_t>(difference), result);
}

template <bool kIsRest>
bool Divide(TemplateCall& call, Arguments arguments, Operand* result) {
  const int64_t a = ToInt64(arguments[0]);
  const int64_t b = ToInt64(arguments[1]);
  if (b == 0) return call.Fail("division by zero");
  if (b == -1) return GiveInt(call, kIsRest ? 0 : Times(a, -1), result);
  return GiveInt(call, kIsRest ? a % b : a / b, result);
}

// --- fractions: with more digits than a double, then rounded to one, 0.1 + 0.2 is 0.3

using Fraction = long double;

Fraction ToFraction(const Operand& operand) {
  return std::strtold(fmt::format("{}", ToFloat64(operand)).c_str(), nullptr);
}

bool GiveFraction(TemplateCall& call, Fraction fraction, Operand* result) {
  constexpr int kDigits = 17;
  const std::string text = fmt::format("{:.{}Lg}", fraction, kDigits);
  return GiveFloat(call, std::strtod(text.c_str(), nullptr), result);
}

template <class Apply>
bool FoldFractions(TemplateCall& call, Fraction first, Arguments rest, Apply apply,
                   Operand* result) {
  for (const Operand& argument : rest) first = apply(first, ToFraction(argument));
  return GiveFraction(call, first, result);
}

bool AddFractions(TemplateCall& call, Arguments arguments, Operand* result) {
  return FoldFractions(call, 0, arguments, [](Fraction a, Fraction b) { return a + b; }, result);
}

bool SubtractFractions(TemplateCall& call, Arguments arguments, Operand* result) {
  return FoldFractions(
      call, ToFraction(arguments[0]), arguments.subspan(1),
      [](Fraction a, Fraction b) { return a - b; }, result);
}

bool MultiplyFractions(TemplateCall& call, Arguments arguments, Operand* result) {
  return FoldFractions(
      call, ToFraction(arguments[0]), arguments.subspan(1),
      [](Fraction a, Fraction b) { return a * b; }, result);
}

bool DivideFractions(TemplateCall& call, Arguments arguments, Operand* result) {
  for (const Operand& argument : arguments.subspan(1)) {
    if (ToFloat64(argument) == 0) return call.Fail("division by zero");
  }
  constexpr Fraction kPrecision = 1e16L;  // digits after the point of sprig's quotients
  return FoldFractions(
      call, ToFraction(arguments[0]), arguments.subspan(1),
      [](Fraction a, Fraction b) {
        const Fraction quotient = a / b;
        return std::fabs(quotient) < 1 ? std::round(quotient * kPrecision) / kPrecision : quotient;
      },
      result);
}

template <bool kIsMax>
bool ExtremeFraction(TemplateCall& call, Arguments arguments, Operand* result) {
  double value = ToFloat64(arguments[0]);
  for (const Operand& argument : arguments.subspan(1)) {
    const double other = ToFloat64(argument);
    value = kIsMax ? std::fmax(value, other) : std::fmin(value, other);
  }
  return GiveFloat(call, value, result);
}

bool Round(TemplateCall& call, Arguments arguments, Operand* result) {
  const double round_on = arguments.size() > 2 ? ToFloat64(arguments[2]) : 0.5;
  const double power = std::pow(10, static_cast<double>(IntOf(arguments[1])));
  const double digit = power * ToFloat64(arguments[0]);
  double whole = 0;
  const double rest = std::modf(digit, &whole);
  return GiveFloat(call, (rest >= round_on ? std::ceil(digit) : std::floor(digit)) / power, result);
}

bool ToDecimal(TemplateCall& call, Arguments arguments, Operand* result) {
  const std::string text = StringValue(arguments[0]);
  int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number, 8);
  return GiveInt(call, error == std::errc{} && stop == end ? number : 0, result);
}

// --- counting

bool CountOut(TemplateCall& call, int64_t start, int64_t stop, int64_t step,
              std::vector<int64_t>* numbers) {
  if (stop < start ? step >= 0 : step <= 0) return true;
  const uint64_t distance = stop < start
                                ? static_cast<uint64_t>(start) - static_cast<uint64_t>(stop)
                                : static_cast<uint64_t>(stop) - static_cast<uint64_t>(start);
  const uint64_t stride = static_cast<uint64_t>(step < 0 ? -(step + 1) : step - 1) + 1;
  const uint64_t count = distance == 0 ? 0 : (distance - 1) / stride + 1;
  if (count > kCountedMax) return call.Fail("the list is too long");
  int64_t number = start;
  for (uint64_t i = 0; i < count; ++i, number = Plus(number, step)) numbers->push_back(number);
  return true;
}

bool GiveCount(TemplateCall& call, int64_t start, int64_t stop, int64_t step, Operand* result) {
  std::vector<int64_t> numbers;
  if (!CountOut(call, start, stop, step, &numbers)) return false;
  Value list = Value::Array();
  for (const int64_t number : numbers) list.PushBack(Value::Int(number), call.arena());
  *result = call.Keep(std::move(list));
  return true;
}

bool Sequence(TemplateCall& call, Arguments arguments, Operand* result) {
  if (arguments.empty() || arguments.size() > 3) return GiveText(call, "", result);
  const int64_t start = arguments.size() == 1 ? 1 : IntOf(arguments[0]);
  const int64_t end = IntOf(arguments.back());
  const int64_t direction = end < start ? -1 : 1;
  const int64_t step = arguments.size() == 3 ? IntOf(arguments[1]) : direction;
  if (direction < 0 && step > 0) return GiveText(call, "", result);
  std::vector<int64_t> numbers;
  if (!CountOut(call, start, Plus(end, direction), step, &numbers)) return false;
  return GiveText(call, fmt::format("{}", fmt::join(numbers, " ")), result);
}

bool RandomInt(TemplateCall& call, Arguments arguments, Operand* result) {
  const int64_t low = IntOf(arguments[0]);
  const int64_t high = IntOf(arguments[1]);
  if (high <= low) return call.Fail("the range is empty");
  const uint64_t width = static_cast<uint64_t>(high) - static_cast<uint64_t>(low);
  return GiveInt(call, Plus(low, static_cast<int64_t>(call.RandomBelow(width))), result);
}

bool ToInteger(TemplateCall& call, Arguments arguments, Operand* result) {
  return GiveInt(call, ToInt64(arguments[0]), result);
}

constexpr TemplateFunction kFunctions[] = {
    Sprig("atoi", "s", ToInteger),
    Sprig("int64", "a", ToInteger),
    Sprig("int", "a", ToInteger),
    Sprig("float64", "a",
          [](TemplateCall& call, Arguments arguments, Operand* result) {
            return GiveFloat(call, ToFloat64(arguments[0]), result);
          }),
    Sprig("seq", "i*", Sequence),
    Sprig("toDecimal", "a", ToDecimal),
    Sprig("until", "i",
          [](TemplateCall& call, Arguments arguments, Operand* result) {
            const int64_t count = IntOf(arguments[0]);
            return GiveCount(call, 0, count, count < 0 ? -1 : 1, result);
          }),
    Sprig("untilStep", "iii",
          [](TemplateCall& call, Arguments arguments, Operand* result) {
            return GiveCount(call, IntOf(arguments[0]), IntOf(arguments[1]), IntOf(arguments[2]),
                             result);
          }),
    Sprig("add1", "a",
          [](TemplateCall& call, Arguments arguments, Operand* result) {
            return GiveInt(call, Plus(ToInt64(arguments[0]), 1), result);
          }),
    Sprig("add", "a*", Add),
    Sprig("sub", "aa", Subtract),
    Sprig("div", "aa", Divide<false>),
    Sprig("mod", "aa", Divide<true>),
    Sprig("mul", "aa*", Fold<Times>),
    Sprig("max", "aa*", Fold<Larger>),
    Sprig("biggest", "aa*", Fold<Larger>),
    Sprig("min", "aa*", Fold<Smaller>),
    Sprig("randInt", "ii", RandomInt),
    Sprig("add1f", "a",
          [](TemplateCall& call, Arguments arguments, Operand* result) {
            return GiveFraction(call, ToFraction(arguments[0]) + 1, result);
          }),
    Sprig("addf", "a*", AddFractions),
    Sprig("subf", "aa*", SubtractFractions),
    Sprig("mulf", "aa*", MultiplyFractions),
    Sprig("divf", "aa*", DivideFractions),
    Sprig("maxf", "aa*", ExtremeFraction<true>),
    Sprig("minf", "aa*", ExtremeFraction<false>),
    Sprig("ceil", "a",
          [](TemplateCall& call, Arguments arguments, Operand* result) {
            return GiveFloat(call, std::ceil(ToFloat64(arguments[0])), result);
          }),
    Sprig("floor", "a",
          [](TemplateCall& call, Arguments arguments, Operand* result) {
            return GiveFloat(call, std::floor(ToFloat64(arguments[0])), result);
          }),
    Sprig("round", "ain*", Round),
};

}  // namespace

std::span<const TemplateFunction> SprigNumbers() { return kFunctions; }

}  // namespace kulisse::simulator
