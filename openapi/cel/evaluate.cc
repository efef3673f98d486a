// Walks a plan. Errors are values: operators pass them on, && and || may do without them.
// Upstream: cel-go interpreter/interpretable.go.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "base/assert.h"
#include "openapi/cel/environment.h"
#include "openapi/cel/operators.h"
#include "openapi/cel/plan.h"

namespace kulisse::openapi::cel {
namespace {

// Slots that fit on the stack.
constexpr size_t kSlotsOnStack = 12;
// Arguments of a call; no function has more.
constexpr size_t kArgumentsMax = 8;

// Whether a value may stand for a declared argument. Upstream: Type.IsAssignableRuntimeType.
bool Fits(const Type& type, const Value& value, Evaluation& evaluation) {
  if (type.IsDyn() || type.kind() == TypeKind::kParam) return true;
  if (type.nullable() && value.Is(ValueKind::kNull)) return true;
  if (type.name() != TypeNameOf(value)) return false;
  if (type.kind() == TypeKind::kList && ListSize(value) > 0) {
    return Fits(type.parameters()[0], ListAt(value, 0, evaluation), evaluation);
  }
  if (type.kind() == TypeKind::kMap && MapSize(value) > 0) {
    const Value key = MapKeyAt(value, 0);
    return Fits(type.parameters()[0], key, evaluation) &&
           Fits(type.parameters()[1], MapFind(value, key, evaluation).value_or(Value()),
                evaluation);
  }
  return true;
}

bool FitAll(const Overload& overload, std::span<const Value> arguments, Evaluation& evaluation) {
  if (overload.arguments.size() != arguments.size()) return false;
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (!Fits(overload.arguments[i], arguments[i], evaluation)) return false;
  }
  return true;
}

// Go's name of the type, in an error that prints it.
std::string_view GoTypeName(const Value& value) {
  constexpr std::string_view kNames[] = {
      "types.Null",     "types.Bool",    "types.Int",       "types.Uint",     "types.Double",
      "types.String",   "types.Bytes",   "types.Timestamp", "types.Duration", "*types.baseList",
      "*types.baseMap", "*types.object", "*types.Type",     "*types.object",  "*types.Err"};
  return kNames[static_cast<size_t>(value.kind())];
}

class Evaluator {
 public:
  Evaluator(std::span<Value> slots, Evaluation& evaluation)
      : slots_(slots), evaluation_(evaluation) {}

  Value Run(const PlanNode& node) {
    if (!evaluation_.Spend(1)) [[unlikely]]
      return Value::Error("");
    switch (node.op) {
      case PlanOp::kConstant:
        return node.constant;
      case PlanOp::kSlot:
        return slots_[static_cast<size_t>(node.slot)];
      case PlanOp::kSelect:
        return Select(node);
      case PlanOp::kHas: {
        const Value operand = Run(*node.children[0]);
        return operand.IsError() ? operand : HasField(operand, node.constant.AsText(), evaluation_);
      }
      case PlanOp::kIndex:
        return Index(node);
      case PlanOp::kAnd:
        return Logic(node, false);
      case PlanOp::kOr:
        return Logic(node, true);
      case PlanOp::kNotStrictlyFalse: {
        const Value value = Run(*node.children[0]);
        return value.Is(ValueKind::kBool) ? value : Value::Bool(true);
      }
      case PlanOp::kConditional:
        return Conditional(node);
      case PlanOp::kEquals:
      case PlanOp::kNotEquals:
        return Equals(node);
      case PlanOp::kOperator:
        return Operate(node);
      case PlanOp::kCall:
        return Call(node);
      case PlanOp::kMatches:
        return Matches(node);
      case PlanOp::kList:
        return List(node);
      case PlanOp::kMap:
        return Map(node);
      case PlanOp::kFold:
        return Fold(node);
    }
    return {};
  }

 private:
  Value Select(const PlanNode& node) {
    const Value operand = Run(*node.children[0]);
    return operand.IsError() ? operand : ApplyIndex(operand, node.constant, evaluation_);
  }

  Value Index(const PlanNode& node) {
    const Value operand = Run(*node.children[0]);
    if (operand.IsError()) return operand;
    const Value index = Run(*node.children[1]);
    return index.IsError() ? index : ApplyIndex(operand, index, evaluation_);
  }

  // The first term that is `decisive` decides, even when another one fails.
  Value Logic(const PlanNode& node, bool decisive) {
    Value error;
    for (const PlanNode* child : node.children) {
      const Value value = Run(*child);
      if (value.Is(ValueKind::kBool)) {
        if (value.AsBool() == decisive) return value;
      } else if (!error.IsError()) {
        error = value.IsError() ? value : Value::Error("no such overload");
      }
    }
    return error.IsError() ? error : Value::Bool(!decisive);
  }

  Value Conditional(const PlanNode& node) {
    const Value condition = Run(*node.children[0]);
    if (condition.IsTrue()) return Run(*node.children[1]);
    if (condition.IsFalse()) return Run(*node.children[2]);
    return condition.IsError() ? condition : Value::Error("no such overload");
  }

  Value Equals(const PlanNode& node) {
    const Value left = Run(*node.children[0]);
    const Value right = Run(*node.children[1]);
    if (left.IsError()) return left;
    if (right.IsError()) return right;
    const bool equal = AreEqual(left, right, evaluation_);
    return Value::Bool(equal == (node.op == PlanOp::kEquals));
  }

  Value Operate(const PlanNode& node) {
    if (node.children.size() == 1) {
      const Value arguments[] = {Run(*node.children[0])};
      return arguments[0].IsError() ? arguments[0]
                                    : ApplyOperator(node.operation, arguments, evaluation_);
    }
    const Value arguments[] = {Run(*node.children[0]), Run(*node.children[1])};
    if (arguments[0].IsError()) return arguments[0];
    if (arguments[1].IsError()) return arguments[1];
    return ApplyOperator(node.operation, arguments, evaluation_);
  }

  Value Call(const PlanNode& node) {
    std::array<Value, kArgumentsMax> values;
    const size_t count = node.children.size();
    for (size_t i = 0; i < count; ++i) {
      values[i] = Run(*node.children[i]);
      if (values[i].IsError()) return values[i];
    }
    const std::span<const Value> arguments(values.data(), count);
    for (const Overload* overload : node.matches) {
      if (overload->is_unguarded || FitAll(*overload, arguments, evaluation_)) {
        return overload->call(arguments, evaluation_);
      }
    }
    std::string types;
    for (const Value& argument : arguments) {
      if (!types.empty()) types += ", ";
      types += TypeNameOf(argument);
    }
    return evaluation_.Fail(fmt::format("no such overload: {}({})", node.function->name, types));
  }

  Value Matches(const PlanNode& node) {
    const Value arguments[] = {Run(*node.children[0]), node.children[1]->constant};
    if (arguments[0].IsError()) return arguments[0];
    if (!arguments[0].Is(ValueKind::kString)) {
      return node.matches.empty() ? NotMatchable(arguments[0]) : Value::Error("no such overload");
    }
    return MatchRegex(*node.regex, arguments[1].AsText(), arguments[0].AsText(), evaluation_);
  }
  static Value NotMatchable(const Value& value) {
    const bool receives = value.Is(ValueKind::kTimestamp) || value.Is(ValueKind::kDuration);
    return Value::Error(receives ? "no such overload" : "no such overload: matches");
  }

  Value List(const PlanNode& node) {
    ListData* list = evaluation_.MakeList(node.children.size());
    if (list == nullptr) return Value::Error("");
    for (const PlanNode* child : node.children) {
      const Value value = Run(*child);
      if (value.IsError()) return value;
      list->items[list->size++] = value;
    }
    return Value::List(list);
  }

  Value Map(const PlanNode& node) {
    MapData* map = evaluation_.MakeMap(node.children.size() / 2);
    if (map == nullptr) return Value::Error("");
    map->size = 0;
    for (size_t i = 0; i + 1 < node.children.size(); i += 2) {
      const Value key = Run(*node.children[i]);
      if (key.IsError()) return key;
      const Value value = Run(*node.children[i + 1]);
      if (value.IsError()) return value;
      if (!evaluation_.Spend(map->size / 8)) return Value::Error("");
      SetEntry(*map, key, value);
    }
    return Value::Map(map);
  }
  // Of equal keys of one type the last stands.
  void SetEntry(MapData& map, const Value& key, const Value& value) {
    for (size_t i = 0; i < map.size; ++i) {
      MapEntry& entry = map.entries[i];
      if (entry.key.kind() == key.kind() && AreEqual(entry.key, key, evaluation_)) {
        entry.value = value;
        return;
      }
    }
    map.entries[map.size++] = {.key = key, .value = value};
  }

  Value Fold(const PlanNode& node) {
    const Value range = Run(*node.children[0]);
    if (range.IsError()) return range;
    const bool is_list = range.Is(ValueKind::kList);
    if (!is_list && !range.Is(ValueKind::kMap)) {
      return evaluation_.Fail(fmt::format("got '{}', expected iterable type", GoTypeName(range)));
    }
    Value& element = slots_[static_cast<size_t>(node.slot)];
    Value& accumulator = slots_[static_cast<size_t>(node.slot) + 1];
    accumulator = node.grows_list ? GrowingList() : Run(*node.children[1]);
    const PlanNode& condition = *node.children[2];
    const PlanNode& step = *node.children[3];
    const size_t size = is_list ? ListSize(range) : MapSize(range);
    for (size_t i = 0; i < size && !evaluation_.exhausted(); ++i) {
      element = is_list ? ListAt(range, i, evaluation_) : MapKeyAt(range, i);
      if (Run(condition).IsFalse()) break;
      accumulator = Run(step);
    }
    const Value result = Run(*node.children[4]);
    if (result.Is(ValueKind::kList) && !result.IsJson() && result.list().growable) {
      const_cast<ListData&>(result.list()).growable = false;  // complete
    }
    return result;
  }
  Value GrowingList() {
    ListData* list = evaluation_.MakeList(0);
    if (list == nullptr) return Value::Error("");
    list->growable = true;
    return Value::List(list);
  }

  std::span<Value> slots_;
  Evaluation& evaluation_;
};

}  // namespace

Program::Program(std::unique_ptr<const Plan> plan) : plan_(std::move(plan)) {}
Program::Program(Program&&) noexcept = default;
Program& Program::operator=(Program&&) noexcept = default;
Program::~Program() = default;

const Type& Program::type() const { return plan_->type; }

Value Program::Evaluate(std::span<const Value> variables, Evaluation& evaluation) const {
  KULISSE_ASSERT(variables.size() == plan_->variables);
  std::array<Value, kSlotsOnStack> few;
  std::vector<Value> many;
  std::span<Value> slots(few.data(), few.size());
  if (plan_->slots > few.size()) {
    many.resize(plan_->slots);
    slots = many;
  }
  std::ranges::copy(variables, slots.begin());
  const Value result = Evaluator(slots, evaluation).Run(*plan_->root);
  if (evaluation.exhausted()) {
    return Value::Error("operation cancelled: actual cost limit exceeded");
  }
  return result;
}

}  // namespace kulisse::openapi::cel
