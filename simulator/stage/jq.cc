// Evaluation by continuations: a node hands each of its results to a sink, so that nothing is
// collected on the way and a consumer that has seen enough stops the rest.
#include "simulator/stage/jq.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <compare>
#include <new>
#include <utility>

#include "base/json/parse.h"
#include "base/json/write.h"
#include "base/text.h"
#include "simulator/limits.h"
#include "simulator/stage/jq_node.h"

namespace kulisse::simulator {

namespace {

using json::Value;
using Kind = JqNode::Kind;

enum class Outcome : uint8_t { kGoOn, kStop, kFail };

// A reference to a callable; the callable must outlive the call that it is passed to.
class Sink {
 public:
  template <class F>
    requires(!std::is_same_v<F, Sink>)
  Sink(F& callable)  // NOLINT: conversion is the point
      : object_(&callable),
        call_([](void* object, const Value& value) { return (*static_cast<F*>(object))(value); }) {}
  Outcome operator()(const Value& value) const { return call_(object_, value); }

 private:
  void* object_;
  Outcome (*call_)(void*, const Value&);
};

std::string_view TypeName(const Value& value) {
  switch (value.type()) {
    case json::Type::kNull:
      return "null";
    case json::Type::kBool:
      return "boolean";
    case json::Type::kString:
      return "string";
    case json::Type::kArray:
      return "array";
    case json::Type::kObject:
      return "object";
    default:
      return "number";
  }
}

bool Truthy(const Value& value) { return !value.IsNull() && !(value.IsBool() && !value.AsBool()); }

int64_t CodePoints(std::string_view text) {
  return std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; });
}

int TypeRank(const Value& value) {
  switch (value.type()) {
    case json::Type::kNull:
      return 0;
    case json::Type::kBool:
      return value.AsBool() ? 2 : 1;
    case json::Type::kString:
      return 4;
    case json::Type::kArray:
      return 5;
    case json::Type::kObject:
      return 6;
    default:
      return 3;
  }
}

std::vector<std::string_view> SortedKeys(const Value& object) {
  std::vector<std::string_view> keys;
  keys.reserve(object.size());
  for (const json::Member& member : object.members()) keys.push_back(member.name);
  std::ranges::sort(keys);
  return keys;
}

// jq's order of all values: null, false, true, numbers, strings, arrays, objects.
std::weak_ordering Compare(const Value& a, const Value& b) {
  const int rank = TypeRank(a);
  if (const auto order = rank <=> TypeRank(b); order != 0) return order;
  switch (rank) {
    case 3: {
      if (a.IsInt() && b.IsInt()) return a.AsInt() <=> b.AsInt();
      const double x = a.AsDouble();
      const double y = b.AsDouble();
      return x < y   ? std::weak_ordering::less
             : x > y ? std::weak_ordering::greater
                     : std::weak_ordering::equivalent;
    }
    case 4:
      return a.AsString() <=> b.AsString();
    case 5: {
      const auto left = a.elements();
      const auto right = b.elements();
      for (size_t i = 0; i < std::min(left.size(), right.size()); ++i) {
        if (const auto order = Compare(left[i], right[i]); order != 0) return order;
      }
      return left.size() <=> right.size();
    }
    case 6: {
      const auto left = SortedKeys(a);
      const auto right = SortedKeys(b);
      if (left != right)
        return left < right ? std::weak_ordering::less : std::weak_ordering::greater;
      for (const std::string_view key : left) {
        if (const auto order = Compare(*a.Find(key), *b.Find(key)); order != 0) return order;
      }
      return std::weak_ordering::equivalent;
    }
    default:
      return std::weak_ordering::equivalent;
  }
}

bool Holds(Kind comparison, const Value& a, const Value& b) {
  const auto order = Compare(a, b);
  switch (comparison) {
    case Kind::kEqual:
      return order == 0;
    case Kind::kNotEqual:
      return order != 0;
    case Kind::kLess:
      return order < 0;
    case Kind::kLessEqual:
      return order <= 0;
    case Kind::kGreater:
      return order > 0;
    default:
      return order >= 0;
  }
}

const Value kTrue = Value::Bool(true);
const Value kFalse = Value::Bool(false);
const Value kNull;

class Evaluator {
 public:
  explicit Evaluator(json::Arena& arena) : arena_(arena) {}

  Outcome Run(const JqNode& node, const Value& input, Sink sink);
  [[nodiscard]] std::string TakeError() { return std::move(error_); }

 private:
  Outcome Fail(std::string message) {
    error_ = std::move(message);
    return Outcome::kFail;
  }
  const Value& Keep(Value value) {
    return *new (arena_.Allocate(sizeof(Value))) Value(std::move(value));
  }
  const Value& Boolean(bool value) { return value ? kTrue : kFalse; }

  Outcome Field(std::string_view name, const Value& value, Sink sink);
  Outcome Index(const Value& target, const Value& index, Sink sink);
  Outcome CharacterAt(std::string_view text, double position, Sink sink);
  Outcome Iterate(const Value& value, Sink sink);
  Outcome Try(const JqNode& node, const Value& input, Sink sink);
  Outcome Alternative(const JqNode& node, const Value& input, Sink sink);
  Outcome Logic(const JqNode& node, const Value& input, Sink sink);
  Outcome Binary(const JqNode& node, const Value& input, Sink sink);
  Outcome Add(const Value& a, const Value& b, Sink sink);
  Outcome Subtract(const Value& a, const Value& b, Sink sink);
  Outcome Array(const JqNode& node, const Value& input, Sink sink);
  Outcome Call(const JqNode& node, const Value& input, Sink sink);
  Outcome AnyAll(const JqNode& node, const Value& input, Sink sink);
  Outcome First(const JqNode& node, const Value& input, Sink sink);
  Outcome Has(const JqNode& node, const Value& input, Sink sink);
  Outcome Map(const JqNode& node, const Value& input, Sink sink);
  Outcome AffixTest(const JqNode& node, const Value& input, Sink sink);
  Outcome Length(const Value& input, Sink sink);
  Outcome Keys(const Value& input, Sink sink);
  Outcome ToNumber(const Value& input, Sink sink);
  Outcome Sum(const Value& input, Sink sink);

  json::Arena& arena_;
  size_t steps_ = 0;
  std::string error_;
};

Outcome Evaluator::Run(const JqNode& node, const Value& input, Sink sink) {
  if (++steps_ > kExpressionStepsMax) return Fail("the expression takes too many steps");
  switch (node.kind) {
    case Kind::kIdentity:
      return sink(input);
    case Kind::kLiteral:
      return sink(node.literal);
    case Kind::kField: {
      if (node.children[0]->kind == Kind::kIdentity) return Field(node.text, input, sink);
      auto access = [&](const Value& value) { return Field(node.text, value, sink); };
      return Run(*node.children[0], input, access);
    }
    case Kind::kIndex: {
      auto each_index = [&](const Value& index) {
        auto access = [&](const Value& target) { return Index(target, index, sink); };
        return Run(*node.children[0], input, access);
      };
      return Run(*node.children[1], input, each_index);
    }
    case Kind::kIterate: {
      auto iterate = [&](const Value& value) { return Iterate(value, sink); };
      return Run(*node.children[0], input, iterate);
    }
    case Kind::kTry:
      return Try(node, input, sink);
    case Kind::kPipe: {
      auto next = [&](const Value& value) { return Run(*node.children[1], value, sink); };
      return Run(*node.children[0], input, next);
    }
    case Kind::kComma: {
      const Outcome outcome = Run(*node.children[0], input, sink);
      return outcome == Outcome::kGoOn ? Run(*node.children[1], input, sink) : outcome;
    }
    case Kind::kAlternative:
      return Alternative(node, input, sink);
    case Kind::kAnd:
    case Kind::kOr:
      return Logic(node, input, sink);
    case Kind::kArray:
      return Array(node, input, sink);
    case Kind::kCall:
      return Call(node, input, sink);
    default:
      return Binary(node, input, sink);
  }
}

Outcome Evaluator::Field(std::string_view name, const Value& value, Sink sink) {
  if (value.IsObject()) {
    const Value* found = value.Find(name);
    return sink(found ? *found : kNull);
  }
  if (value.IsNull()) return sink(kNull);
  return Fail(fmt::format("expected an object but got: {}", TypeName(value)));
}

Outcome Evaluator::Index(const Value& target, const Value& index, Sink sink) {
  if (index.IsString()) return Field(index.AsString(), target, sink);
  if (!index.IsNumber()) return Fail(fmt::format("cannot index with: {}", TypeName(index)));
  if (target.IsNull()) return sink(kNull);
  double position = std::floor(index.AsDouble());
  if (target.IsString()) return CharacterAt(target.AsString(), position, sink);
  if (!target.IsArray()) {
    return Fail(fmt::format("expected an array but got: {}", TypeName(target)));
  }
  const auto elements = target.elements();
  if (position < 0) position += static_cast<double>(elements.size());
  if (!(position >= 0 && position < static_cast<double>(elements.size()))) return sink(kNull);
  return sink(elements[static_cast<size_t>(position)]);
}

// Strings are sequences of code points; beyond their ends is null.
Outcome Evaluator::CharacterAt(std::string_view text, double position, Sink sink) {
  if (position < 0) position += static_cast<double>(CodePoints(text));
  for (size_t at = 0; at < text.size() && position >= 0; --position) {
    const size_t length = std::max<size_t>(1, Utf8SequenceLength(text.substr(at)));
    if (position < 1) return sink(Keep(Value::String(text.substr(at, length), arena_)));
    at += length;
  }
  return sink(kNull);
}

Outcome Evaluator::Iterate(const Value& value, Sink sink) {
  if (value.IsArray()) {
    for (const Value& element : value.elements()) {
      if (const Outcome outcome = sink(element); outcome != Outcome::kGoOn) return outcome;
    }
    return Outcome::kGoOn;
  }
  if (!value.IsObject()) return Fail(fmt::format("cannot iterate over: {}", TypeName(value)));
  for (const std::string_view key : SortedKeys(value)) {
    if (const Outcome outcome = sink(*value.Find(key)); outcome != Outcome::kGoOn) return outcome;
  }
  return Outcome::kGoOn;
}

// Only errors of the child itself are caught, not those of whoever takes its results.
Outcome Evaluator::Try(const JqNode& node, const Value& input, Sink sink) {
  bool failed_beyond = false;
  auto pass = [&](const Value& value) {
    const Outcome outcome = sink(value);
    failed_beyond = outcome == Outcome::kFail;
    return outcome;
  };
  const Outcome outcome = Run(*node.children[0], input, pass);
  return outcome == Outcome::kFail && !failed_beyond ? Outcome::kGoOn : outcome;
}

// An error of the left side stays one, as in gojq (jq itself would go on with the right side).
Outcome Evaluator::Alternative(const JqNode& node, const Value& input, Sink sink) {
  bool any = false;
  auto pass = [&](const Value& value) {
    if (!Truthy(value)) return Outcome::kGoOn;
    any = true;
    return sink(value);
  };
  const Outcome outcome = Run(*node.children[0], input, pass);
  if (outcome != Outcome::kGoOn || any) return outcome;
  return Run(*node.children[1], input, sink);
}

Outcome Evaluator::Logic(const JqNode& node, const Value& input, Sink sink) {
  const bool decisive = node.kind == Kind::kOr;
  auto left = [&](const Value& a) {
    if (Truthy(a) == decisive) return sink(Boolean(decisive));
    auto right = [&](const Value& b) { return sink(Boolean(Truthy(b))); };
    return Run(*node.children[1], input, right);
  };
  return Run(*node.children[0], input, left);
}

// Of several results, the right side varies slowest.
Outcome Evaluator::Binary(const JqNode& node, const Value& input, Sink sink) {
  auto right = [&](const Value& b) {
    auto left = [&](const Value& a) {
      if (node.kind == Kind::kAdd) return Add(a, b, sink);
      if (node.kind == Kind::kSubtract) return Subtract(a, b, sink);
      return sink(Boolean(Holds(node.kind, a, b)));
    };
    return Run(*node.children[0], input, left);
  };
  return Run(*node.children[1], input, right);
}

Outcome Evaluator::Add(const Value& a, const Value& b, Sink sink) {
  if (a.IsNull()) return sink(b);
  if (b.IsNull()) return sink(a);
  if (a.IsNumber() && b.IsNumber()) {
    int64_t sum = 0;
    if (a.IsInt() && b.IsInt() && !__builtin_add_overflow(a.AsInt(), b.AsInt(), &sum)) {
      return sink(Keep(Value::Int(sum)));
    }
    return sink(Keep(Value::Double(a.AsDouble() + b.AsDouble())));
  }
  if (a.IsString() && b.IsString()) {
    return sink(Keep(Value::String(std::string(a.AsString()).append(b.AsString()), arena_)));
  }
  if (a.type() == b.type() && (a.IsArray() || a.IsObject())) {
    Value joined = a.Clone(arena_);
    for (const Value& element : b.elements()) joined.PushBack(element.Clone(arena_), arena_);
    for (const json::Member& member : b.members()) {
      joined.Set(member.name, member.value.Clone(arena_), arena_);
    }
    return sink(Keep(std::move(joined)));
  }
  return Fail(fmt::format("cannot add: {} and {}", TypeName(a), TypeName(b)));
}

Outcome Evaluator::Subtract(const Value& a, const Value& b, Sink sink) {
  if (a.IsNumber() && b.IsNumber()) {
    int64_t difference = 0;
    if (a.IsInt() && b.IsInt() && !__builtin_sub_overflow(a.AsInt(), b.AsInt(), &difference)) {
      return sink(Keep(Value::Int(difference)));
    }
    return sink(Keep(Value::Double(a.AsDouble() - b.AsDouble())));
  }
  if (a.IsArray() && b.IsArray()) {
    Value rest = Value::Array();
    for (const Value& element : a.elements()) {
      const auto equal = [&](const Value& other) { return Compare(element, other) == 0; };
      if (std::ranges::none_of(b.elements(), equal)) rest.PushBack(element.Clone(arena_), arena_);
    }
    return sink(Keep(std::move(rest)));
  }
  return Fail(fmt::format("cannot subtract: {} and {}", TypeName(a), TypeName(b)));
}

Outcome Evaluator::Array(const JqNode& node, const Value& input, Sink sink) {
  Value array = Value::Array();
  if (!node.children.empty()) {
    auto collect = [&](const Value& value) {
      array.PushBack(value.Clone(arena_), arena_);
      return Outcome::kGoOn;
    };
    if (Run(*node.children[0], input, collect) == Outcome::kFail) return Outcome::kFail;
  }
  return sink(Keep(std::move(array)));
}

Outcome Evaluator::Call(const JqNode& node, const Value& input, Sink sink) {
  switch (node.function) {
    case JqFunction::kAdd:
      return Sum(input, sink);
    case JqFunction::kAll:
    case JqFunction::kAny:
      return AnyAll(node, input, sink);
    case JqFunction::kEmpty:
      return Outcome::kGoOn;
    case JqFunction::kEndsWith:
    case JqFunction::kStartsWith:
      return AffixTest(node, input, sink);
    case JqFunction::kFirst:
      return First(node, input, sink);
    case JqFunction::kHas:
      return Has(node, input, sink);
    case JqFunction::kKeys:
      return Keys(input, sink);
    case JqFunction::kLast:
      return Index(input, Keep(Value::Int(-1)), sink);
    case JqFunction::kLength:
      return Length(input, sink);
    case JqFunction::kMap:
      return Map(node, input, sink);
    case JqFunction::kNot:
      return sink(Boolean(!Truthy(input)));
    case JqFunction::kSelect: {
      auto keep = [&](const Value& condition) {
        return Truthy(condition) ? sink(input) : Outcome::kGoOn;
      };
      return Run(*node.children[0], input, keep);
    }
    case JqFunction::kToNumber:
      return ToNumber(input, sink);
    case JqFunction::kToString:
      if (input.IsString()) return sink(input);
      return sink(Keep(Value::String(json::ToSortedString(input), arena_)));
    case JqFunction::kType:
      return sink(Keep(Value::StringRef(TypeName(input))));
    case JqFunction::kValues:
      return input.IsNull() ? Outcome::kGoOn : sink(input);
  }
  return Outcome::kGoOn;
}

// any, any(condition), any(generator; condition), and all likewise.
Outcome Evaluator::AnyAll(const JqNode& node, const Value& input, Sink sink) {
  const bool decisive = node.function == JqFunction::kAny;
  bool decided = false;
  auto judge = [&](const Value& value) {
    if (Truthy(value) != decisive) return Outcome::kGoOn;
    decided = true;
    return Outcome::kStop;
  };
  auto each = [&](const Value& element) {
    return node.children.empty() ? judge(element) : Run(*node.children.back(), element, judge);
  };
  const Outcome outcome =
      node.children.size() == 2 ? Run(*node.children[0], input, each) : Iterate(input, each);
  if (outcome == Outcome::kFail) return outcome;
  return sink(Boolean(decided == decisive));
}

Outcome Evaluator::First(const JqNode& node, const Value& input, Sink sink) {
  if (node.children.empty()) return Index(input, Keep(Value::Int(0)), sink);
  const Value* first = nullptr;
  auto take = [&](const Value& value) {
    first = &value;
    return Outcome::kStop;
  };
  if (Run(*node.children[0], input, take) == Outcome::kFail) return Outcome::kFail;
  return first ? sink(*first) : Outcome::kGoOn;
}

Outcome Evaluator::Has(const JqNode& node, const Value& input, Sink sink) {
  auto test = [&](const Value& key) {
    if (input.IsObject() && key.IsString()) return sink(Boolean(input.Find(key.AsString())));
    if (input.IsArray() && key.IsNumber()) {
      const double index = key.AsDouble();
      return sink(Boolean(index >= 0 && index < static_cast<double>(input.size())));
    }
    return Fail(
        fmt::format("cannot check whether {} has a key: {}", TypeName(input), TypeName(key)));
  };
  return Run(*node.children[0], input, test);
}

Outcome Evaluator::Map(const JqNode& node, const Value& input, Sink sink) {
  Value array = Value::Array();
  auto collect = [&](const Value& value) {
    array.PushBack(value.Clone(arena_), arena_);
    return Outcome::kGoOn;
  };
  auto each = [&](const Value& element) { return Run(*node.children[0], element, collect); };
  if (Iterate(input, each) == Outcome::kFail) return Outcome::kFail;
  return sink(Keep(std::move(array)));
}

Outcome Evaluator::AffixTest(const JqNode& node, const Value& input, Sink sink) {
  auto test = [&](const Value& affix) {
    if (!input.IsString() || !affix.IsString()) {
      return Fail(
          fmt::format("cannot compare the ends of {} and {}", TypeName(input), TypeName(affix)));
    }
    const bool start = node.function == JqFunction::kStartsWith;
    return sink(Boolean(start ? input.AsString().starts_with(affix.AsString())
                              : input.AsString().ends_with(affix.AsString())));
  };
  return Run(*node.children[0], input, test);
}

Outcome Evaluator::Length(const Value& input, Sink sink) {
  switch (input.type()) {
    case json::Type::kNull:
      return sink(Keep(Value::Int(0)));
    case json::Type::kBool:
      return Fail("boolean has no length");
    case json::Type::kString:
      return sink(Keep(Value::Int(CodePoints(input.AsString()))));
    case json::Type::kArray:
    case json::Type::kObject:
      return sink(Keep(Value::Int(static_cast<int64_t>(input.size()))));
    case json::Type::kInt:
      if (input.AsInt() >= 0) return sink(input);
      [[fallthrough]];
    default:
      return sink(Keep(Value::Double(std::fabs(input.AsDouble()))));
  }
}

Outcome Evaluator::Keys(const Value& input, Sink sink) {
  if (!input.IsArray() && !input.IsObject()) {
    return Fail(fmt::format("{} has no keys", TypeName(input)));
  }
  Value keys = Value::Array();
  for (size_t i = 0; i < input.elements().size(); ++i) {
    keys.PushBack(Value::Int(static_cast<int64_t>(i)), arena_);
  }
  for (const std::string_view key : SortedKeys(input)) {
    keys.PushBack(Value::String(key, arena_), arena_);
  }
  return sink(Keep(std::move(keys)));
}

Outcome Evaluator::ToNumber(const Value& input, Sink sink) {
  if (input.IsNumber()) return sink(input);
  if (input.IsString()) {
    const auto parsed = json::ParseInto(input.AsString(), arena_);
    if (parsed && parsed->IsNumber()) {
      return sink(
          Keep(parsed->IsInt() ? Value::Int(parsed->AsInt()) : Value::Double(parsed->AsDouble())));
    }
  }
  return Fail(fmt::format("cannot parse as a number: {}", TypeName(input)));
}

Outcome Evaluator::Sum(const Value& input, Sink sink) {
  const Value* sum = &kNull;
  auto keep = [&](const Value& value) {
    sum = &value;
    return Outcome::kGoOn;
  };
  auto each = [&](const Value& element) { return Add(*sum, element, keep); };
  if (Iterate(input, each) == Outcome::kFail) return Outcome::kFail;
  return sink(*sum);
}

}  // namespace

Jq::Jq(std::unique_ptr<const JqNode> root) : root_(std::move(root)) {}
Jq::Jq(Jq&&) noexcept = default;
Jq& Jq::operator=(Jq&&) noexcept = default;
Jq::~Jq() = default;

std::expected<Jq, std::string> Jq::Compile(std::string_view text) {
  auto root = ParseJq(text);
  if (!root) return std::unexpected(std::move(root).error());
  return Jq(std::move(*root));
}

std::expected<void, std::string> Jq::Evaluate(const json::Value& input, json::Arena& arena,
                                              std::vector<const json::Value*>* results) const {
  const size_t before = results->size();
  auto collect = [&](const Value& value) {
    results->push_back(&value);
    return Outcome::kGoOn;
  };
  Evaluator evaluator(arena);
  if (evaluator.Run(*root_, input, collect) == Outcome::kFail) {
    results->resize(before);
    return std::unexpected(evaluator.TakeError());
  }
  return {};
}

}  // namespace kulisse::simulator
