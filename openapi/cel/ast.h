// The tree of an expression: made by the parser, macros expanded; the checker writes the types into
// it; the planner reads both.
// Upstream: common/ast. Owns: its nodes and the texts of literals. Threads: one at a time.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/value.h"
#include "openapi/cel/source.h"
#include "openapi/cel/type.h"
#include "openapi/cel/value.h"

namespace kulisse::openapi::cel {

struct Overload;

enum class ExprKind : uint8_t {
  kError,  // where something was refused
  kLiteral,
  kIdentifier,     // name
  kSelect,         // arguments[0].name, or has() of it
  kCall,           // name(arguments), or arguments[0].name(rest); operators by their names: "_+_"
  kList,           // arguments
  kMap,            // arguments: key, value, key, value …
  kStruct,         // name{…}
  kComprehension,  // arguments: range, initial, condition, step, result
};

struct Expr {
  ExprKind kind = ExprKind::kError;
  bool is_member = false;  // of a call: it has a target
  bool test_only = false;  // of a select: has()
  bool optional = false;   // of a select: `a.?b`
  Position position = kNoPosition;
  int height = 1;  // 1 + the highest argument's
  std::string name;
  std::string iteration_variable;
  std::string accumulator;
  Value literal;
  std::vector<Expr*> arguments;

  // By the checker.
  Type type;
  bool is_typed = false;
  int variable = -1;                     // of an identifier: its index in the environment
  std::vector<const Overload*> matches;  // of a call: the overloads that may be meant
};

struct Ast {
  Expr* root = nullptr;
  std::deque<Expr> nodes;
  bool optional_elements = false;  // `[?a]` or `{?a: b}` is in it
  json::Arena texts;

  Expr* Make(ExprKind kind, Position position) {
    Expr& expr = nodes.emplace_back();
    expr.kind = kind;
    expr.position = position;
    return &expr;
  }
  // The same node, its height counted: its arguments are complete.
  static Expr* Complete(Expr* expr) {
    for (const Expr* argument : expr->arguments) {
      expr->height = std::max(expr->height, argument->height + 1);
    }
    return expr;
  }
};

// The qualified name that a chain of selects on an identifier is: "a.b.c"; "" when it is none.
[[nodiscard]] std::string QualifiedName(const Expr& expr);

}  // namespace kulisse::openapi::cel
