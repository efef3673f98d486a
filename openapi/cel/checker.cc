#include "openapi/cel/checker.h"

#include <fmt/format.h>

#include <optional>
#include <string>
#include <unordered_set>
#include <utility>

namespace kulisse::openapi::cel {
namespace {

class Checker {
 public:
  Checker(const Environment& environment, std::vector<Issue>* issues)
      : environment_(environment), issues_(issues) {}

  void Check(Expr& expr) {
    switch (expr.kind) {
      case ExprKind::kError:
        return SetType(expr, Type::Error());
      case ExprKind::kLiteral:
        return SetType(expr, TypeOfLiteral(expr.literal));
      case ExprKind::kIdentifier:
        return CheckIdentifier(expr);
      case ExprKind::kSelect:
        return CheckSelect(expr);
      case ExprKind::kCall:
        return CheckCall(expr);
      case ExprKind::kList:
        return CheckList(expr);
      case ExprKind::kMap:
        return CheckMap(expr);
      case ExprKind::kStruct:
        return CheckStruct(expr);
      case ExprKind::kComprehension:
        return CheckComprehension(expr);
    }
  }

  // When all is checked: what type variables stand for is known now.
  void Finish(Ast& ast) {
    for (Expr& expr : ast.nodes) {
      if (expr.is_typed) expr.type = types_.Apply(expr.type, true);
    }
    if (!environment_.options().homogeneous_literals || !issues_->empty()) return;
    for (const Expr& expr : ast.nodes) {
      if (expr.kind == ExprKind::kCall && expr.name == "format") Exempt(expr);
    }
    for (const Expr& expr : ast.nodes) {
      if (!expr.is_typed || exempt_.contains(&expr)) continue;
      if (expr.kind == ExprKind::kList) RequireOneType(expr, 0, 1);
      if (expr.kind == ExprKind::kMap) {
        RequireOneType(expr, 0, 2);
        RequireOneType(expr, 1, 2);
      }
    }
  }

 private:
  // A variable of a macro.
  struct Local {
    std::string name;
    Type type;
  };

  // What is formatted may be of many types.
  void Exempt(const Expr& expr) {
    if (!exempt_.insert(&expr).second) return;
    for (const Expr* argument : expr.arguments) Exempt(*argument);
  }

  // Upstream: cel/validator.go ValidateHomogeneousAggregateLiterals.
  void RequireOneType(const Expr& literal, size_t first, size_t stride) {
    for (size_t i = first + stride; i < literal.arguments.size(); i += stride) {
      const Type& wanted = literal.arguments[first]->type;
      const Expr& element = *literal.arguments[i];
      if (wanted.IsExactly(element.type)) continue;
      Mismatch(element, wanted, element.type);
      if (literal.kind == ExprKind::kList) return;
    }
  }

  void Refuse(Position position, std::string message) {
    issues_->push_back({.position = position, .message = std::move(message)});
  }
  static void SetType(Expr& expr, Type type) {
    expr.type = std::move(type);
    expr.is_typed = true;
  }
  void Undeclared(Expr& expr, std::string_view name) {
    Refuse(expr.position, fmt::format("undeclared reference to '{}' (in container '')", name));
    SetType(expr, Type::Error());
  }
  void Mismatch(const Expr& expr, const Type& wanted, const Type& found) {
    Refuse(expr.position,
           fmt::format("expected type '{}' but found '{}'", wanted.ToString(), found.ToString()));
  }
  Type NewVariable() { return Type::Param(fmt::format("_var{}", variables_++)); }

  static Type TypeOfLiteral(const Value& literal) {
    switch (literal.kind()) {
      case ValueKind::kBool:
        return Type::Bool();
      case ValueKind::kInt:
        return Type::Int();
      case ValueKind::kUint:
        return Type::Uint();
      case ValueKind::kDouble:
        return Type::Double();
      case ValueKind::kString:
        return Type::String();
      case ValueKind::kBytes:
        return Type::Bytes();
      default:
        return Type::Null();
    }
  }

  // Whether the name is declared; if so, the node becomes a reference to what it names.
  bool Resolve(Expr& expr, std::string_view name) {
    if (name.starts_with('.')) name.remove_prefix(1);
    for (size_t i = locals_.size(); i > 0; --i) {
      if (locals_[i - 1].name == name) return Refer(expr, locals_[i - 1].name, locals_[i - 1].type);
    }
    const auto variables = environment_.variables();
    for (size_t i = 0; i < variables.size(); ++i) {
      if (variables[i].name != name) continue;
      expr.variable = static_cast<int>(i);
      return Refer(expr, variables[i].name, variables[i].type);
    }
    if (const Type* type = environment_.FindType(name)) {
      expr.kind = ExprKind::kLiteral;
      expr.literal = Value::TypeName(type->name());
      expr.arguments.clear();
      SetType(expr, Type::TypeOf(*type));
      return true;
    }
    return false;
  }
  static bool Refer(Expr& expr, std::string_view name, const Type& type) {
    expr.kind = ExprKind::kIdentifier;
    expr.name = name;
    expr.arguments.clear();
    SetType(expr, type);
    return true;
  }

  void CheckIdentifier(Expr& expr) {
    if (!Resolve(expr, expr.name)) Undeclared(expr, expr.name);
  }

  void CheckSelect(Expr& expr) {
    // A name with dots may be one name.
    const std::string qualified = expr.optional ? std::string() : QualifiedName(expr);
    if (!qualified.empty() && Resolve(expr, qualified)) return;
    Expr& operand = *expr.arguments[0];
    Check(operand);
    Type target = types_.Apply(operand.type, false);
    const bool of_optional = target.kind() == TypeKind::kOptional;
    if (of_optional) target = Type(target.parameters()[0]);
    Type result = FieldType(expr, target);
    if (of_optional || expr.optional) result = Type::Optional(std::move(result));
    SetType(expr, expr.test_only ? Type::Bool() : types_.Apply(result, false));
  }

  Type FieldType(const Expr& expr, const Type& target) {
    switch (target.kind()) {
      case TypeKind::kMap:
        return target.parameters()[1];
      case TypeKind::kStruct: {
        const JsonStruct* structure = environment_.FindStruct(target.name());
        if (structure == nullptr) {
          Refuse(expr.position, fmt::format("unexpected failed resolution of '{}'", target.name()));
          return Type::Error();
        }
        const JsonType* field = structure->Find(expr.name);
        if (field == nullptr) {
          Refuse(expr.position, fmt::format("undefined field '{}'", expr.name));
          return Type::Error();
        }
        return field->type;
      }
      case TypeKind::kParam:
        types_.Assign(Type::Dyn(), target);
        return Type::Dyn();
      default:
        if (!target.IsDyn() && !target.IsError()) {
          Refuse(expr.position,
                 fmt::format("type '{}' does not support field selection", target.ToString()));
        }
        return Type::Dyn();
    }
  }

  void CheckCall(Expr& expr) {
    for (size_t i = expr.is_member ? 1 : 0; i < expr.arguments.size(); ++i) {
      Check(*expr.arguments[i]);
    }
    if (!expr.is_member) {
      const Function* function = environment_.FindFunction(expr.name);
      if (function == nullptr) return Undeclared(expr, expr.name);
      return ResolveOverload(expr, *function);
    }
    // `a.b.c()` may be the function a.b.c, or c of a.b.
    Expr& target = *expr.arguments[0];
    if (const std::string prefix = QualifiedName(target); !prefix.empty()) {
      if (const Function* function = environment_.FindFunction(prefix + "." + expr.name)) {
        expr.is_member = false;
        expr.name = function->name;
        expr.arguments.erase(expr.arguments.begin());
        return ResolveOverload(expr, *function);
      }
    }
    Check(target);
    const Function* function = environment_.FindFunction(expr.name);
    if (function == nullptr) return Undeclared(expr, expr.name);
    ResolveOverload(expr, *function);
  }

  void ResolveOverload(Expr& expr, const Function& function) {
    expr.name = function.name;
    if (function.name == "_&&_" || function.name == "_||_") return CheckLogic(expr);
    std::vector<Type> arguments;
    arguments.reserve(expr.arguments.size());
    for (const Expr* argument : expr.arguments) arguments.push_back(argument->type);
    std::optional<Type> result;
    for (const Overload& overload : function.overloads) {
      if (overload.is_member != expr.is_member) continue;
      if (overload.cross_type && !environment_.options().cross_type_comparisons) continue;
      const auto type = Match(overload, arguments);
      if (!type) continue;
      expr.matches.push_back(&overload);
      if (!result) {
        result = type;
      } else if (!result->IsDyn() && !type->IsExactly(*result)) {
        result = Type::Dyn();
      }
    }
    if (!result) return NoMatch(expr, std::move(arguments));
    SetType(expr, std::move(*result));
  }

  // The result's type when the arguments fit; what was learnt about type variables stays.
  std::optional<Type> Match(const Overload& overload, std::span<const Type> arguments) {
    if (overload.arguments.size() != arguments.size()) return std::nullopt;
    // Type parameters are fresh variables in each call.
    std::vector<Type> parts = {overload.result};
    parts.insert(parts.end(), overload.arguments.begin(), overload.arguments.end());
    const Type generic = Type::Function(std::move(parts));
    Substitution fresh;
    CollectParameters(generic, &fresh);
    const Type type = fresh.Apply(generic, false);
    if (!types_.AssignAll(arguments, type.parameters().subspan(1))) return std::nullopt;
    return types_.Apply(type.parameters()[0], false);
  }
  void CollectParameters(const Type& type, Substitution* fresh) {
    if (type.kind() == TypeKind::kParam && fresh->Find(type) == nullptr) {
      fresh->Set(type, NewVariable());
    }
    for (const Type& parameter : type.parameters()) CollectParameters(parameter, fresh);
  }

  void NoMatch(Expr& expr, std::vector<Type> arguments) {
    for (Type& argument : arguments) argument = types_.Apply(argument, true);
    std::string signature;
    if (expr.is_member) {
      signature = arguments[0].ToString() + ".";
      arguments.erase(arguments.begin());
    }
    arguments.insert(arguments.begin(), Type::Error());
    signature += Type::Function(std::move(arguments)).ToString();
    Refuse(expr.position, fmt::format("found no matching overload for '{}' applied to '{}'",
                                      expr.name, signature));
    SetType(expr, Type::Error());
  }

  void CheckLogic(Expr& expr) {
    bool fits = true;
    for (const Expr* argument : expr.arguments) {
      if (types_.Assign(argument->type, Type::Bool())) continue;
      Mismatch(*argument, Type::Bool(), argument->type);
      fits = false;
    }
    SetType(expr, fits ? Type::Bool() : Type::Error());
  }

  void CheckList(Expr& expr) {
    std::optional<Type> elements;
    for (Expr* element : expr.arguments) {
      Check(*element);
      elements = Join(elements, element->type);
    }
    SetType(expr, Type::List(elements ? std::move(*elements) : NewVariable()));
  }

  void CheckMap(Expr& expr) {
    std::optional<Type> keys;
    std::optional<Type> values;
    for (size_t i = 0; i + 1 < expr.arguments.size(); i += 2) {
      Expr& key = *expr.arguments[i];
      Check(key);
      keys = Join(keys, key.type);
      Expr& value = *expr.arguments[i + 1];
      Check(value);
      values = Join(values, value.type);
    }
    if (!keys) {
      keys = NewVariable();
      values = NewVariable();
    }
    SetType(expr, Type::Map(std::move(*keys), std::move(*values)));
  }

  // The type of elements that may be of either type.
  Type Join(const std::optional<Type>& previous, const Type& current) {
    if (!previous) return current;
    if (types_.Assign(*previous, current)) return MostGeneral(*previous, current);
    return Type::Dyn();
  }

  void CheckStruct(Expr& expr) {
    std::string_view name = expr.name;
    if (name.starts_with('.')) name.remove_prefix(1);
    for (const Variable& variable : environment_.variables()) {
      if (variable.name != name) continue;
      Refuse(expr.position, fmt::format("'{}' is not a type", variable.type.ToString()));
      return SetType(expr, Type::Error());
    }
    const Type* type = environment_.FindType(name);
    if (type == nullptr) return Undeclared(expr, expr.name);
    if (type->kind() == TypeKind::kStruct) {
      Refuse(expr.position, fmt::format("making a '{}' is not supported", type->name()));
    } else {
      Refuse(expr.position, fmt::format("'{}' is not a message type", type->name()));
    }
    SetType(expr, Type::Error());
  }

  void CheckComprehension(Expr& expr) {
    Expr& range = *expr.arguments[0];
    Check(range);
    Check(*expr.arguments[1]);
    const Type type = types_.Apply(range.type, false);
    const Type accumulated = expr.arguments[1]->type;
    Type element = Type::Error();
    switch (type.kind()) {
      case TypeKind::kList:
      case TypeKind::kMap:
        element = type.parameters()[0];
        break;
      case TypeKind::kDyn:
      case TypeKind::kError:
      case TypeKind::kParam:
        types_.Assign(Type::Dyn(), type);
        element = Type::Dyn();
        break;
      default:
        Refuse(range.position,
               fmt::format("expression of type '{}' cannot be range of a comprehension (must be "
                           "list, map, or dynamic)",
                           type.ToString()));
    }
    locals_.push_back({.name = expr.accumulator, .type = accumulated});
    locals_.push_back({.name = expr.iteration_variable, .type = element});
    Check(*expr.arguments[2]);
    Require(*expr.arguments[2], Type::Bool());
    Check(*expr.arguments[3]);
    Require(*expr.arguments[3], accumulated);
    locals_.pop_back();
    Check(*expr.arguments[4]);
    locals_.pop_back();
    SetType(expr, types_.Apply(expr.arguments[4]->type, false));
  }

  void Require(const Expr& expr, const Type& type) {
    if (!types_.Assign(type, expr.type)) Mismatch(expr, type, expr.type);
  }

  const Environment& environment_;
  std::vector<Issue>* issues_;
  Substitution types_;
  std::vector<Local> locals_;
  std::unordered_set<const Expr*> exempt_;
  int variables_ = 0;
};

}  // namespace

void Check(const Environment& environment, Ast& ast, std::vector<Issue>* issues) {
  Checker checker(environment, issues);
  checker.Check(*ast.root);
  checker.Finish(ast);
}

}  // namespace kulisse::openapi::cel
