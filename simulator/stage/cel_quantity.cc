#include "simulator/stage/cel_quantity.h"

#include <limits>
#include <string>
#include <utility>

namespace kulisse::simulator {
namespace {

using openapi::Quantity;
using openapi::cel::Environment;
using openapi::cel::Evaluation;
using openapi::cel::HostType;
using openapi::cel::Operator;
using openapi::cel::Overload;
using openapi::cel::Type;
using openapi::cel::Value;
using openapi::cel::ValueKind;

constexpr std::string_view kQuantityName = "kubernetes.Quantity";
constexpr std::string_view kResourceListName = "kubernetes.ResourceList";

Value NoSuchOverload() { return Value::Error("no such overload"); }
bool IsQuantity(const Value& value) {
  return value.Is(ValueKind::kHost) && &value.AsHost() == &QuantityType();
}

Quantity FromMilli(int64_t milli) {
  return Quantity::Parse(std::to_string(milli) + "m").value_or(Quantity());
}

// Go's conversion on amd64: what does not fit is the lowest int.
int64_t Truncate(double number) {
  constexpr double kTwoTo63 = 9223372036854775808.0;
  if (!(number >= -kTwoTo63 && number < kTwoTo63)) return std::numeric_limits<int64_t>::min();
  return static_cast<int64_t>(number);
}

Value Scale(Operator op, const Quantity& quantity, const Value& by, Evaluation& evaluation) {
  const bool multiply = op == Operator::kMultiply;
  if (by.Is(ValueKind::kDouble)) {
    const double number = quantity.AsDouble();
    const double scaled = multiply ? number * by.AsDouble() : number / by.AsDouble();
    return MakeQuantity(FromMilli(Truncate(scaled * 1e3)), evaluation);
  }
  if (!by.Is(ValueKind::kInt) && !by.Is(ValueKind::kUint)) return NoSuchOverload();
  const int64_t factor = by.AsInt();
  const int64_t milli = quantity.MilliValue();
  int64_t scaled = 0;
  if (multiply) {
    if (__builtin_mul_overflow(milli, factor, &scaled)) return Value::Error("integer overflow");
  } else {
    if (factor == 0) return Value::Error("division by zero");
    if (factor == -1 && milli == std::numeric_limits<int64_t>::min()) {
      return Value::Error("integer overflow");
    }
    scaled = milli / factor;
  }
  return MakeQuantity(FromMilli(scaled), evaluation);
}

class QuantityHost final : public HostType {
 public:
  [[nodiscard]] std::string_view name() const override { return kQuantityName; }

  [[nodiscard]] Value FromJson(const json::Value* json, Evaluation& evaluation) const override {
    std::optional<Quantity> quantity;
    if (json == nullptr || json->IsNull()) quantity = Quantity();
    if (json != nullptr && json->IsString()) quantity = Quantity::Parse(json->AsString());
    if (json != nullptr && json->IsInt()) quantity = Quantity::FromInt(json->AsInt());
    if (!quantity) return Value::Error("invalid quantity in the object");
    return MakeQuantity(std::move(*quantity), evaluation);
  }

  [[nodiscard]] std::optional<Value> Apply(Operator op, std::span<const Value> arguments,
                                           Evaluation& evaluation) const override {
    if (!IsQuantity(arguments[0])) return NoSuchOverload();
    const Quantity& quantity = AsQuantity(arguments[0]);
    switch (op) {
      case Operator::kNegate: {
        Quantity negated;
        negated -= quantity;
        return MakeQuantity(std::move(negated), evaluation);
      }
      case Operator::kMultiply:
      case Operator::kDivide:
        return Scale(op, quantity, arguments[1], evaluation);
      case Operator::kAdd:
      case Operator::kSubtract: {
        if (!IsQuantity(arguments[1])) return NoSuchOverload();
        Quantity result = quantity;
        if (op == Operator::kAdd) {
          result += AsQuantity(arguments[1]);
        } else {
          result -= AsQuantity(arguments[1]);
        }
        return MakeQuantity(std::move(result), evaluation);
      }
      case Operator::kLess:
      case Operator::kLessEquals:
      case Operator::kGreater:
      case Operator::kGreaterEquals:
      case Operator::kEquals:
        if (!IsQuantity(arguments[1])) return NoSuchOverload();
        return Compare(op, quantity, AsQuantity(arguments[1]));
      default:
        return std::nullopt;
    }
  }

  [[nodiscard]] bool IsZero(const Value& value) const override {
    return AsQuantity(value).Sign() == 0;
  }

  [[nodiscard]] std::optional<Value> Convert(const Value& value, std::string_view type,
                                             Evaluation& evaluation) const override {
    if (type == "double") return Value::Double(AsQuantity(value).AsDouble());
    if (type == "string") return evaluation.MakeString(AsQuantity(value).ToString());
    return std::nullopt;
  }

 private:
  static Value Compare(Operator op, const Quantity& a, const Quantity& b) {
    switch (op) {
      case Operator::kLess:
        return Value::Bool(a < b);
      case Operator::kLessEquals:
        return Value::Bool(a <= b);
      case Operator::kGreater:
        return Value::Bool(a > b);
      case Operator::kGreaterEquals:
        return Value::Bool(a >= b);
      default:
        return Value::Bool(a == b);
    }
  }
};

// The content is the JSON object itself, or null.
class ResourceListHost final : public HostType {
 public:
  [[nodiscard]] std::string_view name() const override { return kResourceListName; }

  [[nodiscard]] Value FromJson(const json::Value* json, Evaluation&) const override {
    return Value::Host(this, json);
  }

  [[nodiscard]] std::optional<Value> Apply(Operator op, std::span<const Value> arguments,
                                           Evaluation& evaluation) const override {
    switch (op) {
      case Operator::kSize:
        return Value::Int(static_cast<int64_t>(Members(arguments[0]).size()));
      case Operator::kIndex: {
        if (!arguments[1].Is(ValueKind::kString)) return NoSuchOverload();
        return QuantityType().FromJson(Find(arguments[0], arguments[1].AsText()), evaluation);
      }
      case Operator::kIn:
        if (!arguments[0].Is(ValueKind::kString)) return NoSuchOverload();
        return Value::Bool(Find(arguments[1], arguments[0].AsText()) != nullptr);
      case Operator::kEquals:
        return Value::Bool(AreEqual(arguments[0], arguments[1], evaluation));
      default:
        return std::nullopt;
    }
  }

  [[nodiscard]] bool IsZero(const Value& value) const override { return Members(value).empty(); }

  [[nodiscard]] std::optional<Value> Convert(const Value&, std::string_view,
                                             Evaluation&) const override {
    return std::nullopt;
  }

 private:
  static std::span<const json::Member> Members(const Value& list) {
    const auto* json = static_cast<const json::Value*>(list.host_content());
    return json != nullptr ? json->members() : std::span<const json::Member>();
  }
  static const json::Value* Find(const Value& list, std::string_view name) {
    const auto* json = static_cast<const json::Value*>(list.host_content());
    return json != nullptr ? json->Find(name) : nullptr;
  }
  static bool AreEqual(const Value& a, const Value& b, Evaluation& evaluation) {
    if (Members(a).size() != Members(b).size() || !evaluation.Spend(Members(a).size())) {
      return false;
    }
    for (const json::Member& member : Members(a)) {
      const json::Value* other = Find(b, member.name);
      if (other == nullptr) return false;
      const Value mine = QuantityType().FromJson(&member.value, evaluation);
      const Value its = QuantityType().FromJson(other, evaluation);
      if (mine.IsError() || its.IsError() || AsQuantity(mine) != AsQuantity(its)) return false;
    }
    return true;
  }
};

void AddOperator(Environment& environment, const std::string& name, std::vector<Type> arguments,
                 Type result) {
  Overload overload;
  overload.id = std::string(kQuantityName) + name + std::to_string(arguments.size());
  if (arguments.back().name() == kResourceListName || arguments[0].name() == kResourceListName) {
    overload.id += "_list";
  }
  overload.arguments = std::move(arguments);
  overload.result = std::move(result);
  environment.AddFunction(name, std::move(overload));
}

Value ParseQuantity(std::span<const Value> arguments, Evaluation& evaluation) {
  auto quantity = Quantity::Parse(arguments[0].AsText());
  if (quantity) return MakeQuantity(std::move(*quantity), evaluation);
  return Value::Error(
      "quantities must match the regular expression "
      "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
}

}  // namespace

const HostType& QuantityType() {
  static const QuantityHost type;
  return type;
}

const HostType& ResourceListType() {
  static const ResourceListHost type;
  return type;
}

Value MakeQuantity(Quantity quantity, Evaluation& evaluation) {
  return Value::Host(&QuantityType(), evaluation.Keep(std::move(quantity)));
}

const Quantity& AsQuantity(const Value& value) {
  return *static_cast<const Quantity*>(value.host_content());
}

void AddQuantities(Environment& environment) {
  const Type quantity = Type::Struct(std::string(kQuantityName));
  const Type list = Type::Struct(std::string(kResourceListName));
  for (const std::string name : {"_+_", "_-_", "_*_", "_/_"}) {
    AddOperator(environment, name, {quantity, Type::Dyn()}, quantity);
  }
  for (const std::string name : {"_<_", "_<=_", "_>_", "_>=_"}) {
    AddOperator(environment, name, {quantity, Type::Dyn()}, Type::Bool());
  }
  AddOperator(environment, "-_", {quantity}, quantity);
  AddOperator(environment, "_[_]", {list, Type::Dyn()}, Type::Dyn());
  AddOperator(environment, "size", {list}, Type::Int());
  AddOperator(environment, "@in", {Type::Dyn(), list}, Type::Bool());
  for (const Type& type : {Type::Double(), Type::String()}) {
    Overload overload;
    overload.id = "quantity_to_" + type.name();
    overload.arguments = {quantity};
    overload.result = type;
    overload.call = [name = type.name()](std::span<const Value> arguments, Evaluation& evaluation) {
      return *QuantityType().Convert(arguments[0], name, evaluation);
    };
    environment.AddFunction(type.name(), std::move(overload));
  }
  for (const bool is_member : {false, true}) {
    environment.AddFunction("Quantity", {.id = is_member ? "string_quantity" : "quantity_string",
                                         .is_member = is_member,
                                         .arguments = {Type::String()},
                                         .result = quantity,
                                         .call = ParseQuantity});
  }
}

}  // namespace kulisse::simulator
