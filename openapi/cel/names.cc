#include "openapi/cel/names.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

namespace kulisse::openapi::cel {
namespace {

// What names of functions and types begin with, in the libraries of Kubernetes: sets.contains,
// optional.of, net.IP.
constexpr std::array<std::string_view, 16> kPrefixes = {
    "sets", "ip",  "cidr",       "format", "optional", "jsonpatch", "google", "net",
    "cel",  "url", "kubernetes", "semver", "strings",  "math",      "lists",  "base64"};
constexpr std::array<std::string_view, 10> kTypeNames = {
    "bool", "bytes", "double", "int", "list", "map", "null_type", "string", "type", "uint"};

// Macros that are not here, and their arguments, the target among them.
struct Macro {
  std::string_view name;
  size_t arguments_min;
};
constexpr Macro kMacros[] = {
    {"optMap", 3},       {"optFlatMap", 3},        {"sortBy", 3}, {"transformList", 4},
    {"transformMap", 4}, {"transformMapEntry", 4}, {"all", 4},    {"exists", 4},
    {"existsOne", 4},    {"exists_one", 4},        {"bind", 4},
};

class NameFinder {
 public:
  NameFinder(std::span<const Variable> variables, std::vector<Issue>* issues) : issues_(issues) {
    for (const Variable& variable : variables) names_.push_back(variable.name);
  }

  void Find(const Expr& expr) {
    if (expr.kind == ExprKind::kIdentifier) return Check(expr, kTypeNames);
    if (expr.kind == ExprKind::kComprehension) return FindInComprehension(expr);
    const size_t declared = names_.size();
    for (size_t i = 0; i < expr.arguments.size(); ++i) {
      const Expr& argument = *expr.arguments[i];
      const bool is_operand =
          i == 0 && (expr.kind == ExprKind::kSelect || (expr.is_member && !expr.name.empty()));
      if (is_operand && argument.kind == ExprKind::kIdentifier) {
        Check(argument, kPrefixes);
        // Macros of other libraries name variables of their own: x.all(i, v, …), cel.bind(v, …).
        if (expr.is_member) Declare(expr);
        continue;
      }
      if (is_operand && expr.is_member) {
        Find(argument);
        Declare(expr);
        continue;
      }
      Find(argument);
    }
    names_.resize(declared);
  }

 private:
  template <size_t kCount>
  void Check(const Expr& identifier, const std::array<std::string_view, kCount>& others) {
    std::string_view name = identifier.name;
    if (name.starts_with('.')) name.remove_prefix(1);
    if (std::ranges::find(names_, name) != names_.end() ||
        std::ranges::find(others, name) != others.end()) {
      return;
    }
    issues_->push_back({.position = identifier.position,
                        .message = fmt::format("undeclared reference to '{}' (in container '')",
                                               identifier.name)});
  }

  void Declare(const Expr& call) {
    for (size_t i = 1; i + 1 < call.arguments.size(); ++i) {
      const Expr& argument = *call.arguments[i];
      if (argument.kind == ExprKind::kIdentifier) names_.push_back(argument.name);
    }
  }

  void FindInComprehension(const Expr& expr) {
    Find(*expr.arguments[0]);
    names_.push_back(expr.iteration_variable);
    names_.push_back(expr.accumulator);
    for (size_t i = 2; i < expr.arguments.size(); ++i) Find(*expr.arguments[i]);
    names_.resize(names_.size() - 2);
  }

  std::vector<std::string_view> names_;
  std::vector<Issue>* issues_;
};

}  // namespace

bool IsBeyondChecker(const Ast& ast) {
  if (ast.optional_elements) return true;
  return std::ranges::any_of(ast.nodes, [](const Expr& expr) {
    if (expr.kind == ExprKind::kStruct) return true;
    if (expr.kind != ExprKind::kCall || !expr.is_member) return false;
    return std::ranges::any_of(kMacros, [&](const Macro& macro) {
      return macro.name == expr.name && expr.arguments.size() >= macro.arguments_min;
    });
  });
}

void FindUndeclaredNames(const Ast& ast, std::span<const Variable> variables,
                         std::vector<Issue>* issues) {
  NameFinder(variables, issues).Find(*ast.root);
}

}  // namespace kulisse::openapi::cel
