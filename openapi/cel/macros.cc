// The macros of CEL: has, all, exists, exists_one, map, filter.
// Upstream: cel-go parser/macro.go.
#include <array>
#include <string_view>

#include "openapi/cel/parser.h"

namespace kulisse::openapi::cel {
namespace {

enum class Macro : uint8_t { kHas, kAll, kExists, kExistsOne, kMap, kFilter };

struct Row {
  std::string_view name;
  bool is_member;
  size_t arguments;  // without the target
  Macro macro;
};
constexpr Row kMacros[] = {
    {"has", false, 1, Macro::kHas},      {"all", true, 2, Macro::kAll},
    {"exists", true, 2, Macro::kExists}, {"exists_one", true, 2, Macro::kExistsOne},
    {"map", true, 2, Macro::kMap},       {"map", true, 3, Macro::kMap},
    {"filter", true, 2, Macro::kFilter},
};

// Makes the nodes of one expansion; all stand where the call stands.
class Expansion {
 public:
  Expansion(Ast* ast, const Expr& call) : ast_(*ast), call_(call) {}

  Expr* Make(Macro macro) {
    if (macro == Macro::kHas) return Has();
    switch (macro) {
      case Macro::kAll:
        return Fold(Literal(Value::Bool(true)), Call("@not_strictly_false", {Accumulator()}),
                    Call("_&&_", {Accumulator(), call_.arguments[2]}), Accumulator());
      case Macro::kExists:
        return Fold(Literal(Value::Bool(false)),
                    Call("@not_strictly_false", {Call("!_", {Accumulator()})}),
                    Call("_||_", {Accumulator(), call_.arguments[2]}), Accumulator());
      case Macro::kExistsOne: {
        Expr* more = Call("_+_", {Accumulator(), Literal(Value::Int(1))});
        return Fold(Literal(Value::Int(0)), Literal(Value::Bool(true)),
                    Call("_?_:_", {call_.arguments[2], more, Accumulator()}),
                    Call("_==_", {Accumulator(), Literal(Value::Int(1))}));
      }
      case Macro::kMap: {
        const bool filtered = call_.arguments.size() == 4;
        Expr* step = Append(call_.arguments[filtered ? 3 : 2]);
        return Gather(filtered ? call_.arguments[2] : nullptr, step);
      }
      default:
        return Gather(call_.arguments[2], Append(call_.arguments[1]));
    }
  }

 private:
  Expr* Node(ExprKind kind, std::vector<Expr*> arguments = {}) {
    Expr* node = ast_.Make(kind, call_.position);
    node->arguments = std::move(arguments);
    return Ast::Complete(node);
  }
  Expr* Literal(Value value) {
    Expr* literal = Node(ExprKind::kLiteral);
    literal->literal = value;
    return literal;
  }
  Expr* Accumulator() {
    Expr* identifier = Node(ExprKind::kIdentifier);
    identifier->name = kAccumulator;
    return identifier;
  }
  Expr* Call(std::string_view function, std::vector<Expr*> arguments) {
    Expr* call = Node(ExprKind::kCall, std::move(arguments));
    call->name = function;
    return call;
  }
  Expr* Append(Expr* element) {
    return Call("_+_", {Accumulator(), Node(ExprKind::kList, {element})});
  }
  Expr* Gather(Expr* filter, Expr* step) {
    if (filter != nullptr) step = Call("_?_:_", {filter, step, Accumulator()});
    return Fold(Node(ExprKind::kList), Literal(Value::Bool(true)), step, Accumulator());
  }
  Expr* Fold(Expr* initial, Expr* condition, Expr* step, Expr* result) {
    Expr* fold =
        Node(ExprKind::kComprehension, {call_.arguments[0], initial, condition, step, result});
    fold->iteration_variable = call_.arguments[1]->name;
    fold->accumulator = kAccumulator;
    return fold;
  }
  Expr* Has() {
    const Expr& field = *call_.arguments[0];
    Expr* test = Node(ExprKind::kSelect, {field.arguments[0]});
    test->name = field.name;
    test->test_only = true;
    return test;
  }

  Ast& ast_;
  const Expr& call_;
};

// What is wrong with the call of a macro, or "".
std::string_view CheckMacro(Macro macro, const Expr& call) {
  if (macro == Macro::kHas) {
    return call.arguments[0]->kind == ExprKind::kSelect ? "" : "invalid argument to has() macro";
  }
  const Expr& variable = *call.arguments[1];
  if (variable.kind != ExprKind::kIdentifier) {
    return macro == Macro::kMap || macro == Macro::kFilter ? "argument is not an identifier"
                                                           : "argument must be a simple name";
  }
  if (variable.name == kAccumulator || variable.name == "__result__") {
    return "iteration variable overwrites accumulator variable";
  }
  return "";
}

}  // namespace

Expr* ExpandMacro(Ast& ast, const Expr& call, std::vector<Issue>* issues) {
  const size_t count = call.arguments.size() - (call.is_member ? 1 : 0);
  for (const Row& row : kMacros) {
    if (row.name != call.name || row.is_member != call.is_member || row.arguments != count) {
      continue;
    }
    if (const auto error = CheckMacro(row.macro, call); !error.empty()) {
      const Expr& wrong = *call.arguments[call.is_member ? 1 : 0];
      // What was refused already has an error that tells.
      issues->push_back({.position = wrong.position, .message = std::string(error)});
      return ast.Make(ExprKind::kError, wrong.position);
    }
    return Expansion(&ast, call).Make(row.macro);
  }
  return nullptr;
}

}  // namespace kulisse::openapi::cel
