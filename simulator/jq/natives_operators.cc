// Operators and indexes: what `+`, `[…]` and `==` do to all kinds of values.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "simulator/jq/natives.h"
#include "simulator/jq/path_editor.h"

namespace kulisse::simulator::jq {

namespace {

// gojq's cap of a repeated string, bytes.
constexpr double kRepeatedBytesMax = 2147483647;

bool FailBinary(Context& context, std::string_view verb, const Value& a, const Value& b) {
  return context.Fail(
      fmt::format("cannot {}: {} and {}", verb, TypeAndPreview(a), TypeAndPreview(b)));
}

bool FailZero(Context& context, std::string_view verb, const Value& a, const Value& b) {
  return context.Fail(
      fmt::format("cannot {} {} by: {}", verb, TypeAndPreview(a), TypeAndPreview(b)));
}

bool Give(Value* result, const Value& value) {
  *result = value;
  return true;
}

Value Negated(const Value& number) {
  if (!number.IsInt()) return Value::Double(-number.AsDouble());
  if (number.AsInt() == std::numeric_limits<int64_t>::min()) {
    return Value::Double(-number.AsDouble());
  }
  return Value::Int(-number.AsInt());
}

bool Concatenate(Context& context, const Value& a, const Value& b, Value* result) {
  if (!context.Reserve(a.size() + b.size())) return false;
  auto* text = static_cast<char*>(context.Allocate(a.size() + b.size()));
  std::ranges::copy(b.AsString(), std::ranges::copy(a.AsString(), text).out);
  return Give(result, Value::String({text, a.size() + b.size()}));
}

Value JoinArrays(Context& context, const Value& a, const Value& b) {
  if (a.size() == 0) return b;
  if (b.size() == 0) return a;
  const std::span<Value> joined = context.NewElements(a.size() + b.size());
  std::ranges::copy(context.Elements(b),
                    std::ranges::copy(context.Elements(a), joined.begin()).out);
  return Value::Array(joined);
}

Value MergeObjects(Context& context, const Value& a, const Value& b) {
  if (a.size() == 0) return b;
  if (b.size() == 0) return a;
  const std::span<Member> members = context.NewMembers(a.size() + b.size());
  std::ranges::copy(context.Members(b), std::ranges::copy(context.Members(a), members.begin()).out);
  return context.MakeObject(members);
}

Value MergeDeeply(Context& context, const Value& a, const Value& b) {
  const std::span<Member> members = context.NewMembers(a.size() + b.size());
  auto next = std::ranges::copy(context.Members(a), members.begin()).out;
  for (const Member& member : context.Members(b)) {
    Value before;
    const bool merges =
        member.value.IsObject() && a.Find(member.name, &before) && before.IsObject();
    *next++ = {member.name, merges ? MergeDeeply(context, before, member.value) : member.value};
  }
  return context.MakeObject(members);
}

bool Repeat(Context& context, const Value& string, const Value& number, Value* result) {
  const double times = number.AsDouble();
  if (times < 0 || std::isnan(times)) return Give(result, {});
  const auto count = static_cast<size_t>(std::min(times, kRepeatedBytesMax));
  const std::string_view text = string.AsString();
  if (static_cast<double>(text.size()) * static_cast<double>(count) >= kRepeatedBytesMax) {
    return context.Fail(fmt::format("repeat string result too large: {} * {}", Preview(string),
                                    Preview(Value::Double(times))));
  }
  if (!context.Reserve(text.size() * count)) return false;
  std::string repeated;
  repeated.reserve(text.size() * count);
  for (size_t i = 0; i < count; ++i) repeated += text;
  return Give(result, context.String(repeated));
}

bool Subtract(Context& context, const Value&, Arguments arguments, Value* result) {
  const Value& a = arguments[0];
  const Value& b = arguments[1];
  if (a.IsNumber() && b.IsNumber()) {
    int64_t difference = 0;
    if (a.IsInt() && b.IsInt() && !__builtin_sub_overflow(a.AsInt(), b.AsInt(), &difference)) {
      return Give(result, Value::Int(difference));
    }
    return Give(result, Value::Double(a.AsDouble() - b.AsDouble()));
  }
  if (!a.IsArray() || !b.IsArray()) return FailBinary(context, "subtract", a, b);
  if (!context.ReservePairs(a.size(), b.size())) return false;
  ArrayBuilder rest(context);
  const auto taken = context.Elements(b);
  for (const Value& element : context.Elements(a)) {
    const auto equal = [&](const Value& other) { return Compare(element, other) == 0; };
    if (std::ranges::none_of(taken, equal)) rest.Add(element);
  }
  return Give(result, rest.Build());
}

bool Multiply(Context& context, const Value&, Arguments arguments, Value* result) {
  const Value& a = arguments[0];
  const Value& b = arguments[1];
  if (a.IsNumber() && b.IsNumber()) {
    int64_t product = 0;
    if (a.IsInt() && b.IsInt() && !__builtin_mul_overflow(a.AsInt(), b.AsInt(), &product)) {
      return Give(result, Value::Int(product));
    }
    return Give(result, Value::Double(a.AsDouble() * b.AsDouble()));
  }
  if (a.IsObject() && b.IsObject()) return Give(result, MergeDeeply(context, a, b));
  if (a.IsString() && b.IsNumber()) return Repeat(context, a, b, result);
  if (a.IsNumber() && b.IsString()) return Repeat(context, b, a, result);
  return FailBinary(context, "multiply", a, b);
}

Value SplitText(Context& context, std::string_view text, std::string_view separator) {
  ArrayBuilder parts(context);
  if (separator.empty()) {
    while (!text.empty()) {
      size_t length = 0;
      (void)DecodeRune(text, &length);
      parts.Add(Value::String(text.substr(0, length)));
      text.remove_prefix(length);
    }
    return parts.Build();
  }
  for (;;) {
    const size_t end = text.find(separator);
    parts.Add(Value::String(text.substr(0, end)));
    if (end == std::string_view::npos) return parts.Build();
    text.remove_prefix(end + separator.size());
  }
}

bool Divide(Context& context, const Value&, Arguments arguments, Value* result) {
  const Value& a = arguments[0];
  const Value& b = arguments[1];
  if (a.IsString() && b.IsString()) {
    if (a.size() == 0) return Give(result, Value::Array({}));
    return Give(result, SplitText(context, a.AsString(), b.AsString()));
  }
  if (!a.IsNumber() || !b.IsNumber()) return FailBinary(context, "divide", a, b);
  if (b.AsDouble() == 0) return FailZero(context, "divide", a, b);
  if (a.IsInt() && b.IsInt()) {
    if (b.AsInt() == -1) return Give(result, Negated(a));
    if (a.AsInt() % b.AsInt() == 0) return Give(result, Value::Int(a.AsInt() / b.AsInt()));
  }
  return Give(result, Value::Double(a.AsDouble() / b.AsDouble()));
}

bool Modulo(Context& context, const Value&, Arguments arguments, Value* result) {
  const Value& a = arguments[0];
  const Value& b = arguments[1];
  if (!a.IsNumber() || !b.IsNumber()) return FailBinary(context, "modulo", a, b);
  if (std::isnan(a.AsDouble()) || std::isnan(b.AsDouble())) {
    return Give(result, Value::Double(std::numeric_limits<double>::quiet_NaN()));
  }
  int64_t dividend = 0;
  int64_t divisor = 0;
  (void)ToInt(a, &dividend);
  (void)ToInt(b, &divisor);
  if (divisor == 0) return FailZero(context, "modulo", a, b);
  return Give(result, Value::Int(divisor == -1 ? 0 : dividend % divisor));
}

template <class Holds>
bool Comparison(Arguments arguments, Value* result, Holds holds) {
  return Give(result, Value::Bool(holds(Compare(arguments[0], arguments[1]))));
}

bool IndexArray(Context& context, const Value& array, const Value& index, Value* result) {
  int64_t position = 0;
  (void)ToInt(index, &position);
  if (array.IsNull()) return Give(result, {});
  if (array.IsArray()) {
    const auto size = static_cast<int64_t>(array.size());
    position = ClampIndex(position, -1, size);
    const bool inside = position >= 0 && position < size;
    return Give(result, inside ? array.At(static_cast<size_t>(position)) : Value());
  }
  if (!array.IsString()) {
    return context.Fail("expected an array but got: " + TypeAndPreview(array));
  }
  const std::string_view text = array.AsString();
  const auto size = static_cast<int64_t>(RuneCount(text));
  position = ClampIndex(position, -1, size);
  if (position < 0 || position >= size) return Give(result, {});
  const size_t first = RuneOffset(text, static_cast<size_t>(position));
  size_t length = 0;
  (void)DecodeRune(text.substr(first), &length);
  return Give(result, Value::String(text.substr(first, length)));
}

// Where the elements of `part` stand in `whole`, one after the other.
Value Occurrences(Context& context, const Value& whole, const Value& part) {
  ArrayBuilder found(context);
  const auto elements = context.Elements(whole);
  const auto searched = context.Elements(part);
  for (size_t i = 0; !searched.empty() && i + searched.size() <= elements.size(); ++i) {
    const auto equal = [](const Value& a, const Value& b) { return Compare(a, b) == 0; };
    if (std::ranges::equal(elements.subspan(i, searched.size()), searched, equal)) {
      found.Add(Value::Int(static_cast<int64_t>(i)));
    }
  }
  return found.Build();
}

constexpr Native kNatives[] = {
    {"_plus", 0,
     [](Context& context, const Value& input, Arguments, Value* result) {
       if (input.IsNumber()) return Give(result, input);
       return context.Fail("cannot plus: " + TypeAndPreview(input));
     }},
    {"_negate", 0,
     [](Context& context, const Value& input, Arguments, Value* result) {
       if (input.IsNumber()) return Give(result, Negated(input));
       return context.Fail("cannot negate: " + TypeAndPreview(input));
     }},
    {"_add", 2,
     [](Context& context, const Value&, Arguments arguments, Value* result) {
       return Add(context, arguments[0], arguments[1], result);
     }},
    {"_subtract", 2, Subtract},
    {"_multiply", 2, Multiply},
    {"_divide", 2, Divide},
    {"_modulo", 2, Modulo},
    {"_alternative", 2,
     [](Context&, const Value&, Arguments arguments, Value* result) {
       return Give(result, arguments[0].IsTrue() ? arguments[0] : arguments[1]);
     }},
    {"_equal", 2,
     [](Context&, const Value&, Arguments arguments, Value* result) {
       return Comparison(arguments, result, [](int order) { return order == 0; });
     }},
    {"_notequal", 2,
     [](Context&, const Value&, Arguments arguments, Value* result) {
       return Comparison(arguments, result, [](int order) { return order != 0; });
     }},
    {"_less", 2,
     [](Context&, const Value&, Arguments arguments, Value* result) {
       return Comparison(arguments, result, [](int order) { return order < 0; });
     }},
    {"_lesseq", 2,
     [](Context&, const Value&, Arguments arguments, Value* result) {
       return Comparison(arguments, result, [](int order) { return order <= 0; });
     }},
    {"_greater", 2,
     [](Context&, const Value&, Arguments arguments, Value* result) {
       return Comparison(arguments, result, [](int order) { return order > 0; });
     }},
    {"_greatereq", 2,
     [](Context&, const Value&, Arguments arguments, Value* result) {
       return Comparison(arguments, result, [](int order) { return order >= 0; });
     }},
    {"split", 1,
     [](Context& context, const Value& input, Arguments arguments, Value* result) {
       if (!input.IsString()) return context.FailType("split", input);
       if (!arguments[0].IsString()) return context.FailType("split", arguments[0]);
       return Give(result, SplitText(context, input.AsString(), arguments[0].AsString()));
     }},
};

}  // namespace

std::span<const Native> OperatorNatives() { return kNatives; }

bool Add(Context& context, const Value& a, const Value& b, Value* result) {
  if (a.IsNumber() && b.IsNumber()) {
    int64_t sum = 0;
    if (a.IsInt() && b.IsInt() && !__builtin_add_overflow(a.AsInt(), b.AsInt(), &sum)) {
      return Give(result, Value::Int(sum));
    }
    return Give(result, Value::Double(a.AsDouble() + b.AsDouble()));
  }
  if (a.IsString() && b.IsString()) return Concatenate(context, a, b, result);
  if (a.IsArray() && b.IsArray()) return Give(result, JoinArrays(context, a, b));
  if (a.IsObject() && b.IsObject()) return Give(result, MergeObjects(context, a, b));
  if (a.IsNull()) return Give(result, b);
  if (b.IsNull()) return Give(result, a);
  return FailBinary(context, "add", a, b);
}

bool IndexValue(Context& context, const Value& target, const Value& index, Value* result) {
  if (index.IsString()) {
    *result = {};
    if (target.IsObject()) return target.Find(index.AsString(), result), true;
    if (target.IsNull()) return true;
    return context.Fail("expected an object but got: " + TypeAndPreview(target));
  }
  if (index.IsNumber()) return IndexArray(context, target, index, result);
  if (index.IsArray()) {
    if (target.IsNull()) return Give(result, {});
    if (target.IsArray()) {
      return context.ReservePairs(target.size(), index.size()) &&
             Give(result, Occurrences(context, target, index));
    }
    return context.Fail("expected an array but got: " + TypeAndPreview(target));
  }
  if (index.IsObject()) {
    if (target.IsNull()) return Give(result, {});
    Value start;
    Value end;
    if (!index.Find("start", &start) || !index.Find("end", &end)) {
      return context.Fail(R"(expected "start" and "end" for slicing but got: )" +
                          TypeAndPreview(index));
    }
    return SliceValue(context, target, start, end, result);
  }
  return context.Fail(fmt::format("expected a {} but got: {}",
                                  target.IsArray()    ? "number for indexing an array"
                                  : target.IsString() ? "number for indexing a string"
                                                      : "string for object key",
                                  TypeAndPreview(index)));
}

bool SliceValue(Context& context, const Value& target, const Value& start, const Value& end,
                Value* result) {
  if (target.IsNull()) return Give(result, {});
  if (!target.IsArray() && !target.IsString()) {
    return context.Fail("expected an array but got: " + TypeAndPreview(target));
  }
  const bool is_string = target.IsString();
  const size_t size = is_string ? RuneCount(target.AsString()) : target.size();
  size_t first = 0;
  size_t last = 0;
  if (!SliceBounds(context, size, start, end, is_string, &first, &last)) return false;
  if (is_string) {
    const std::string_view text = target.AsString();
    const size_t begin = RuneOffset(text, first);
    return Give(result, Value::String(text.substr(begin, RuneOffset(text, last) - begin)));
  }
  // A copy: what a PathEditor owns must not be shared in parts.
  const std::span<Value> part = context.NewElements(last - first);
  for (size_t i = first; i < last; ++i) part[i - first] = target.At(i);
  return Give(result, Value::Array(part));
}

int64_t DoubleToInt(double number) {
  constexpr double kEnd = 9223372036854775808.0;  // 2^63
  if (number >= -kEnd && number < kEnd) return static_cast<int64_t>(number);
  return number > 0 ? std::numeric_limits<int64_t>::max() : std::numeric_limits<int64_t>::min();
}

bool ToInt(const Value& value, int64_t* result) {
  if (!value.IsNumber()) return false;
  *result = value.IsInt() ? value.AsInt() : DoubleToInt(value.AsDouble());
  return true;
}

int64_t ClampIndex(int64_t index, int64_t minimum, int64_t maximum) {
  if (index < 0) index += maximum;
  return std::clamp(index, minimum, maximum);
}

}  // namespace kulisse::simulator::jq
