#include "openapi/cel/plan.h"

#include <fmt/format.h>

#include <string>
#include <utility>

#include "base/assert.h"

namespace kulisse::openapi::cel {
namespace {

class Planner {
 public:
  Planner(const Environment& environment, Plan* plan) : environment_(environment), plan_(*plan) {
    for (const Variable& variable : environment.variables()) names_.push_back(variable.name);
    plan_.variables = names_.size();
    plan_.slots = names_.size();
  }

  const PlanNode* Make(const Expr& expr) {
    switch (expr.kind) {
      case ExprKind::kLiteral: {
        PlanNode& node = New(PlanOp::kConstant);
        node.constant = Keep(expr.literal);
        return &node;
      }
      case ExprKind::kIdentifier:
        return MakeSlot(expr);
      case ExprKind::kSelect: {
        const PlanNode* operand = Make(*expr.arguments[0]);
        PlanNode& node = New(expr.test_only ? PlanOp::kHas : PlanOp::kSelect);
        node.children = {operand};
        node.constant = Keep(Value::String(expr.name));
        return &node;
      }
      case ExprKind::kCall:
        return MakeCall(expr);
      case ExprKind::kList:
        return MakeWith(PlanOp::kList, expr);
      case ExprKind::kMap:
        return MakeWith(PlanOp::kMap, expr);
      case ExprKind::kComprehension:
        return MakeFold(expr);
      default:
        KULISSE_ASSERT(false);  // the checker refuses them
        return nullptr;
    }
  }

 private:
  PlanNode& New(PlanOp op) {
    PlanNode& node = plan_.nodes.emplace_back();
    node.op = op;
    return node;
  }
  // The literal with its text in the plan.
  Value Keep(const Value& literal) {
    switch (literal.kind()) {
      case ValueKind::kString:
        return Value::String(plan_.texts.Copy(literal.AsText()));
      case ValueKind::kBytes:
        return Value::Bytes(plan_.texts.Copy(literal.AsText()));
      default:
        return literal;  // the names of types live in the environment
    }
  }

  const PlanNode* MakeWith(PlanOp op, const Expr& expr) {
    std::vector<const PlanNode*> children;
    children.reserve(expr.arguments.size());
    for (const Expr* argument : expr.arguments) children.push_back(Make(*argument));
    PlanNode& node = New(op);
    node.children = std::move(children);
    return &node;
  }

  const PlanNode* MakeSlot(const Expr& expr) {
    PlanNode& node = New(PlanOp::kSlot);
    for (size_t i = names_.size(); i > 0; --i) {
      if (names_[i - 1] != expr.name) continue;
      node.slot = static_cast<int>(i - 1);
      return &node;
    }
    KULISSE_ASSERT(false);  // the checker found it
    return nullptr;
  }

  const PlanNode* MakeFold(const Expr& expr) {
    const PlanNode* range = Make(*expr.arguments[0]);
    const PlanNode* initial = Make(*expr.arguments[1]);
    const auto slot = names_.size();
    names_.push_back(expr.iteration_variable);
    // The variable hides an outer one; the accumulator has a name that nothing else has.
    names_.push_back(expr.accumulator);
    plan_.slots = std::max(plan_.slots, names_.size());
    const PlanNode* condition = Make(*expr.arguments[2]);
    const PlanNode* step = Make(*expr.arguments[3]);
    const PlanNode* result = Make(*expr.arguments[4]);
    names_.resize(slot);
    PlanNode& node = New(PlanOp::kFold);
    node.slot = static_cast<int>(slot);
    node.grows_list = initial->op == PlanOp::kList;
    node.children = {range, initial, condition, step, result};
    return &node;
  }

  const PlanNode* MakeCall(const Expr& expr) {
    struct Special {
      std::string_view name;
      PlanOp op;
    };
    constexpr Special kSpecials[] = {
        {"_&&_", PlanOp::kAnd},         {"_||_", PlanOp::kOr},
        {"_==_", PlanOp::kEquals},      {"_!=_", PlanOp::kNotEquals},
        {"_[_]", PlanOp::kIndex},       {"@not_strictly_false", PlanOp::kNotStrictlyFalse},
        {"_?_:_", PlanOp::kConditional}};
    for (const Special& special : kSpecials) {
      if (special.name == expr.name) return MakeWith(special.op, expr);
    }
    if (expr.name == "dyn") return Make(*expr.arguments[0]);
    if (expr.name == "matches" && expr.arguments[1]->kind == ExprKind::kLiteral) {
      return MakeMatches(expr);
    }
    std::vector<const PlanNode*> children;
    children.reserve(expr.arguments.size());
    for (const Expr* argument : expr.arguments) children.push_back(Make(*argument));
    const Function* function = environment_.FindFunction(expr.name);
    PlanNode& node = New(function->op ? PlanOp::kOperator : PlanOp::kCall);
    node.operation = function->op.value_or(Operator::kAdd);
    node.function = function;
    node.matches = expr.matches;
    node.children = std::move(children);
    return &node;
  }

  const PlanNode* MakeMatches(const Expr& expr) {
    const PlanNode* text = Make(*expr.arguments[0]);
    const PlanNode* pattern = Make(*expr.arguments[1]);
    PlanNode& node = New(PlanOp::kMatches);
    node.children = {text, pattern};
    node.regex = CompileRegex(pattern->constant.AsText());
    return &node;
  }

  const Environment& environment_;
  Plan& plan_;
  std::vector<std::string> names_;  // of slots, innermost last
};

}  // namespace

std::unique_ptr<const Plan> MakePlan(const Environment& environment, const Ast& ast) {
  auto plan = std::make_unique<Plan>();
  Planner planner(environment, plan.get());
  plan->root = planner.Make(*ast.root);
  plan->type = ast.root->type;
  return plan;
}

Value MatchRegex(const re2::RE2& regex, std::string_view pattern, std::string_view text,
                 Evaluation& evaluation) {
  if (!evaluation.SpendBytes(pattern.size() + text.size())) return Value::Error("");
  if (!regex.ok()) return evaluation.Fail(RegexErrorOf(regex, pattern));
  return Value::Bool(re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), regex));
}

}  // namespace kulisse::openapi::cel
