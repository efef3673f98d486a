#include "openapi/cel/operators.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "openapi/cel/time_text.h"

namespace kulisse::openapi::cel {
namespace {

constexpr int64_t kNanosPerSecond = 1'000'000'000;

Value NoSuchOverload() { return Value::Error("no such overload"); }
Value IntOverflow() { return Value::Error("integer overflow"); }
Value UintOverflow() { return Value::Error("unsigned integer overflow"); }

// The types that have an operator as their first argument's.
// Upstream: the trait masks of common/types/types.go.
bool HasOperator(ValueKind kind, Operator op) {
  const auto is_any = [kind](std::initializer_list<ValueKind> kinds) {
    return std::ranges::find(kinds, kind) != kinds.end();
  };
  switch (op) {
    case Operator::kAdd:
      return !is_any({ValueKind::kBool, ValueKind::kNull, ValueKind::kMap, ValueKind::kStruct,
                      ValueKind::kType, ValueKind::kHost, ValueKind::kError});
    case Operator::kSubtract:
      return is_any({ValueKind::kInt, ValueKind::kUint, ValueKind::kDouble, ValueKind::kDuration,
                     ValueKind::kTimestamp});
    case Operator::kMultiply:
    case Operator::kDivide:
      return is_any({ValueKind::kInt, ValueKind::kUint, ValueKind::kDouble});
    case Operator::kModulo:
      return is_any({ValueKind::kInt, ValueKind::kUint});
    case Operator::kNegate:
      return is_any({ValueKind::kInt, ValueKind::kDouble, ValueKind::kDuration});
    case Operator::kLess:
    case Operator::kLessEquals:
    case Operator::kGreater:
    case Operator::kGreaterEquals:
      return !is_any({ValueKind::kNull, ValueKind::kList, ValueKind::kMap, ValueKind::kStruct,
                      ValueKind::kType, ValueKind::kHost, ValueKind::kError});
    default:
      return is_any({ValueKind::kString, ValueKind::kBytes, ValueKind::kList, ValueKind::kMap});
  }
}

// What cel-go says of an operator that the type of the first argument does not have: types that
// receive calls leave its name out.
Value NoOperator(const Value& first, Operator op, Evaluation& evaluation) {
  const bool receives = first.Is(ValueKind::kString) || first.Is(ValueKind::kTimestamp) ||
                        first.Is(ValueKind::kDuration);
  if (receives || (op == Operator::kNegate && first.Is(ValueKind::kBool))) {
    return NoSuchOverload();
  }
  return evaluation.Fail(fmt::format("no such overload: {}", OperatorName(op)));
}

Value IntArithmetic(Operator op, int64_t a, int64_t b) {
  int64_t result = 0;
  switch (op) {
    case Operator::kAdd:
      return __builtin_add_overflow(a, b, &result) ? IntOverflow() : Value::Int(result);
    case Operator::kSubtract:
      return __builtin_sub_overflow(a, b, &result) ? IntOverflow() : Value::Int(result);
    case Operator::kMultiply:
      return __builtin_mul_overflow(a, b, &result) ? IntOverflow() : Value::Int(result);
    default:
      break;
  }
  if (b == 0) {
    return Value::Error(op == Operator::kDivide ? "division by zero" : "modulus by zero");
  }
  if (a == std::numeric_limits<int64_t>::min() && b == -1) return IntOverflow();
  return Value::Int(op == Operator::kDivide ? a / b : a % b);
}

Value UintArithmetic(Operator op, uint64_t a, uint64_t b) {
  uint64_t result = 0;
  switch (op) {
    case Operator::kAdd:
      return __builtin_add_overflow(a, b, &result) ? UintOverflow() : Value::Uint(result);
    case Operator::kSubtract:
      return __builtin_sub_overflow(a, b, &result) ? UintOverflow() : Value::Uint(result);
    case Operator::kMultiply:
      return __builtin_mul_overflow(a, b, &result) ? UintOverflow() : Value::Uint(result);
    default:
      break;
  }
  if (b == 0) {
    return Value::Error(op == Operator::kDivide ? "division by zero" : "modulus by zero");
  }
  return Value::Uint(op == Operator::kDivide ? a / b : a % b);
}

Value DoubleArithmetic(Operator op, double a, double b) {
  switch (op) {
    case Operator::kAdd:
      return Value::Double(a + b);
    case Operator::kSubtract:
      return Value::Double(a - b);
    case Operator::kMultiply:
      return Value::Double(a * b);
    default:
      return Value::Double(a / b);
  }
}

Value AddToTime(const Time& time, int64_t nanoseconds) {
  int64_t seconds = time.seconds + nanoseconds / kNanosPerSecond;
  int64_t nanos = time.nanos + nanoseconds % kNanosPerSecond;
  if (nanos < 0) {
    nanos += kNanosPerSecond;
    --seconds;
  } else if (nanos >= kNanosPerSecond) {
    nanos -= kNanosPerSecond;
    ++seconds;
  }
  if (seconds < kUnixSecondsMin || seconds > kUnixSecondsMax) {
    return Value::Error("timestamp overflow");
  }
  return Value::Timestamp(
      {.seconds = seconds, .nanos = static_cast<int32_t>(nanos), .offset = time.offset});
}

Value SubtractTimes(const Time& a, const Time& b) {
  int64_t result = 0;
  if (__builtin_mul_overflow(a.seconds - b.seconds, kNanosPerSecond, &result) ||
      __builtin_add_overflow(result, int64_t{a.nanos} - b.nanos, &result)) {
    return IntOverflow();
  }
  return Value::Duration(result);
}

Value Concatenate(const Value& a, const Value& b, Evaluation& evaluation) {
  const std::string_view x = a.AsText();
  const std::string_view y = b.AsText();
  if (!evaluation.SpendBytes(x.size() + y.size())) return Value::Error("");
  auto* text = static_cast<char*>(evaluation.Allocate(x.size() + y.size()));
  if (text == nullptr) return Value::Error("");
  std::ranges::copy(x, text);
  std::ranges::copy(y, text + x.size());
  const std::string_view both(text, x.size() + y.size());
  return a.Is(ValueKind::kString) ? Value::String(both) : Value::Bytes(both);
}

Value JoinLists(const Value& a, const Value& b, Evaluation& evaluation) {
  const size_t size_b = ListSize(b);
  if (!a.IsJson() && a.list().growable) {
    auto& list = const_cast<ListData&>(a.list());  // made by this evaluation, for this
    for (size_t i = 0; i < size_b; ++i) {
      if (!evaluation.Append(list, ListAt(b, i, evaluation))) return Value::Error("");
    }
    return a;
  }
  const size_t size_a = ListSize(a);
  if (size_a == 0) return b;
  if (size_b == 0) return a;
  ListData* list = evaluation.MakeList(size_a + size_b);
  if (list == nullptr) return Value::Error("");
  for (size_t i = 0; i < size_a; ++i) list->items[i] = ListAt(a, i, evaluation);
  for (size_t i = 0; i < size_b; ++i) list->items[size_a + i] = ListAt(b, i, evaluation);
  list->size = static_cast<uint32_t>(size_a + size_b);
  return Value::List(list);
}

Value Arithmetic(Operator op, const Value& a, const Value& b, Evaluation& evaluation) {
  // Times and durations go with each other.
  if (a.Is(ValueKind::kTimestamp) && b.Is(ValueKind::kDuration)) {
    const int64_t duration = b.AsInt();
    if (op == Operator::kAdd) return AddToTime(a.AsTimestamp(), duration);
    if (duration == std::numeric_limits<int64_t>::min()) return IntOverflow();
    return AddToTime(a.AsTimestamp(), -duration);
  }
  if (a.Is(ValueKind::kDuration) && b.Is(ValueKind::kTimestamp) && op == Operator::kAdd) {
    return AddToTime(b.AsTimestamp(), a.AsInt());
  }
  if (a.kind() != b.kind()) return NoSuchOverload();
  switch (a.kind()) {
    case ValueKind::kInt:
      return IntArithmetic(op, a.AsInt(), b.AsInt());
    case ValueKind::kUint:
      return UintArithmetic(op, a.AsUint(), b.AsUint());
    case ValueKind::kDouble:
      return DoubleArithmetic(op, a.AsDouble(), b.AsDouble());
    case ValueKind::kDuration: {
      const Value result = IntArithmetic(op, a.AsInt(), b.AsInt());
      return result.IsError() ? result : Value::Duration(result.AsInt());
    }
    case ValueKind::kTimestamp:
      return op == Operator::kSubtract ? SubtractTimes(a.AsTimestamp(), b.AsTimestamp())
                                       : NoSuchOverload();
    case ValueKind::kString:
    case ValueKind::kBytes:
      return Concatenate(a, b, evaluation);
    case ValueKind::kList:
      return JoinLists(a, b, evaluation);
    default:
      return NoSuchOverload();
  }
}

Value FromOrder(Operator op, int order) {
  switch (op) {
    case Operator::kLess:
      return Value::Bool(order < 0);
    case Operator::kLessEquals:
      return Value::Bool(order <= 0);
    case Operator::kGreater:
      return Value::Bool(order > 0);
    default:
      return Value::Bool(order >= 0);
  }
}

template <class T>
int Order(const T& a, const T& b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

bool IsNumber(const Value& value) {
  return value.Is(ValueKind::kInt) || value.Is(ValueKind::kUint) || value.Is(ValueKind::kDouble);
}

Value Compare(Operator op, const Value& a, const Value& b, Evaluation& evaluation) {
  if (IsNumber(a) && IsNumber(b)) {
    const auto order = CompareNumbers(a, b);
    return order ? FromOrder(op, *order) : Value::Error("NaN values cannot be ordered");
  }
  if (a.kind() != b.kind()) {
    const bool is_nan = a.Is(ValueKind::kDouble) && std::isnan(a.AsDouble());
    return is_nan ? Value::Error("NaN values cannot be ordered") : NoSuchOverload();
  }
  switch (a.kind()) {
    case ValueKind::kBool:
      return FromOrder(op, Order(a.AsBool(), b.AsBool()));
    case ValueKind::kDuration:
      return FromOrder(op, Order(a.AsInt(), b.AsInt()));
    case ValueKind::kString:
    case ValueKind::kBytes:
      if (!evaluation.SpendBytes(std::min(a.AsText().size(), b.AsText().size()))) {
        return Value::Error("");
      }
      return FromOrder(op, a.AsText().compare(b.AsText()));
    default: {
      const Time x = a.AsTimestamp();
      const Time y = b.AsTimestamp();
      return FromOrder(
          op, x.seconds != y.seconds ? Order(x.seconds, y.seconds) : Order(x.nanos, y.nanos));
    }
  }
}

Value Negate(const Value& value) {
  if (value.Is(ValueKind::kDouble)) return Value::Double(-value.AsDouble());
  if (value.AsInt() == std::numeric_limits<int64_t>::min()) return IntOverflow();
  return value.Is(ValueKind::kInt) ? Value::Int(-value.AsInt()) : Value::Duration(-value.AsInt());
}

Value SizeOf(const Value& value, Evaluation& evaluation) {
  switch (value.kind()) {
    case ValueKind::kString: {
      const std::string_view text = value.AsText();
      if (!evaluation.SpendBytes(text.size())) return Value::Error("");
      return Value::Int(std::ranges::count_if(text, [](char c) { return (c & 0xc0) != 0x80; }));
    }
    case ValueKind::kBytes:
      return Value::Int(static_cast<int64_t>(value.AsText().size()));
    case ValueKind::kList:
      return Value::Int(static_cast<int64_t>(ListSize(value)));
    default:
      return Value::Int(static_cast<int64_t>(MapSize(value)));
  }
}

Value IsIn(const Value& wanted, const Value& container, Evaluation& evaluation) {
  if (container.Is(ValueKind::kMap)) {
    return Value::Bool(MapFind(container, wanted, evaluation).has_value());
  }
  if (!container.Is(ValueKind::kList)) return NoSuchOverload();
  for (size_t i = 0; i < ListSize(container); ++i) {
    if (AreEqual(wanted, ListAt(container, i, evaluation), evaluation)) return Value::Bool(true);
  }
  return Value::Bool(false);
}

Value NoSuchKey(const Value& key, Evaluation& evaluation) {
  return evaluation.Fail("no such key: " + PlainText(key));
}

// The index of a list as a whole number, or an error.
std::expected<int64_t, Value> ListIndex(const Value& index, Evaluation& evaluation) {
  if (index.Is(ValueKind::kInt)) return index.AsInt();
  if (!IsNumber(index)) {
    return std::unexpected(
        evaluation.Fail(fmt::format("unsupported index type '{}' in list", TypeNameOf(index))));
  }
  if (index.Is(ValueKind::kUint)) {
    const auto whole = static_cast<int64_t>(index.AsUint());
    if (whole >= 0) return whole;
  } else {
    constexpr double kTwoTo63 = 9223372036854775808.0;
    const double number = index.AsDouble();
    if (number > -kTwoTo63 && number < kTwoTo63 && std::trunc(number) == number) {
      return static_cast<int64_t>(number);
    }
  }
  return std::unexpected(
      evaluation.Fail(fmt::format("unsupported index value {} in list", PlainText(index))));
}

// A host type among the arguments answers first.
std::optional<Value> ApplyHost(Operator op, std::span<const Value> arguments,
                               Evaluation& evaluation) {
  for (const Value& argument : arguments) {
    if (!argument.Is(ValueKind::kHost)) continue;
    auto result = argument.AsHost().Apply(op, arguments, evaluation);
    if (result) return result;
  }
  return std::nullopt;
}

}  // namespace

std::optional<int> CompareNumbers(const Value& a, const Value& b) {
  if (a.kind() == b.kind()) {
    if (a.Is(ValueKind::kInt)) return Order(a.AsInt(), b.AsInt());
    if (a.Is(ValueKind::kUint)) return Order(a.AsUint(), b.AsUint());
  }
  if (a.Is(ValueKind::kDouble) || b.Is(ValueKind::kDouble)) {
    if (!a.Is(ValueKind::kDouble)) {
      const auto order = CompareNumbers(b, a);
      return order ? std::optional(-*order) : std::nullopt;
    }
    const double x = a.AsDouble();
    const double y = b.Is(ValueKind::kDouble) ? b.AsDouble()
                     : b.Is(ValueKind::kInt)  ? static_cast<double>(b.AsInt())
                                              : static_cast<double>(b.AsUint());
    if (std::isnan(x) || std::isnan(y)) return std::nullopt;
    return Order(x, y);
  }
  if (a.Is(ValueKind::kUint)) return -*CompareNumbers(b, a);
  if (a.AsInt() < 0) return -1;
  return Order(static_cast<uint64_t>(a.AsInt()), b.AsUint());
}

Value ApplyOperator(Operator op, std::span<const Value> arguments, Evaluation& evaluation) {
  const Value& first = arguments[0];
  if (first.Is(ValueKind::kHost) || arguments.back().Is(ValueKind::kHost)) {
    if (const auto result = ApplyHost(op, arguments, evaluation)) return *result;
  }
  if (op == Operator::kNot) {
    return first.Is(ValueKind::kBool) ? Value::Bool(!first.AsBool()) : NoSuchOverload();
  }
  if (op == Operator::kIn) return IsIn(first, arguments[1], evaluation);
  if (!HasOperator(first.kind(), op)) return NoOperator(first, op, evaluation);
  switch (op) {
    case Operator::kNegate:
      return Negate(first);
    case Operator::kSize:
      return SizeOf(first, evaluation);
    case Operator::kLess:
    case Operator::kLessEquals:
    case Operator::kGreater:
    case Operator::kGreaterEquals:
      return Compare(op, first, arguments[1], evaluation);
    default:
      return Arithmetic(op, first, arguments[1], evaluation);
  }
}

Value ApplyIndex(const Value& container, const Value& index, Evaluation& evaluation) {
  switch (container.kind()) {
    case ValueKind::kMap: {
      const auto found = MapFind(container, index, evaluation);
      return found ? *found : NoSuchKey(index, evaluation);
    }
    case ValueKind::kList: {
      const auto whole = ListIndex(index, evaluation);
      if (!whole) return whole.error();
      if (*whole < 0 || static_cast<uint64_t>(*whole) >= ListSize(container)) {
        return evaluation.Fail("index out of bounds: " + PlainText(index));
      }
      return ListAt(container, static_cast<size_t>(*whole), evaluation);
    }
    case ValueKind::kStruct: {
      if (!index.Is(ValueKind::kString)) return NoSuchKey(index, evaluation);
      const auto found = SelectField(container, index.AsText(), evaluation);
      return found ? *found : NoSuchKey(index, evaluation);
    }
    case ValueKind::kHost: {
      const Value arguments[] = {container, index};
      const auto found = container.AsHost().Apply(Operator::kIndex, arguments, evaluation);
      return found ? *found : NoSuchKey(index, evaluation);
    }
    default:
      return NoSuchKey(index, evaluation);
  }
}

Value HasField(const Value& container, std::string_view field, Evaluation& evaluation) {
  switch (container.kind()) {
    case ValueKind::kMap:
      return Value::Bool(MapFind(container, Value::String(field), evaluation).has_value());
    case ValueKind::kList:
      return Value::Error("unsupported index type 'string' in list");
    case ValueKind::kStruct:
      return Value::Bool(IsFieldSet(container, field, evaluation));
    default:
      return Value::Bool(false);
  }
}

}  // namespace kulisse::openapi::cel
