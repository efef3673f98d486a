#include "openapi/cel/environment.h"

#include <utility>

#include "base/assert.h"
#include "openapi/cel/checker.h"
#include "openapi/cel/names.h"
#include "openapi/cel/parser.h"
#include "openapi/cel/plan.h"
#include "openapi/cel/source.h"

namespace kulisse::openapi::cel {

Environment::Environment(Options options) : options_(options) {
  AddStandardLibrary();
  const Type plain[] = {Type::Bool(),
                        Type::Bytes(),
                        Type::Double(),
                        Type::Int(),
                        Type::Null(),
                        Type::String(),
                        Type::Uint(),
                        Type::AnyType(),
                        Type::Timestamp(),
                        Type::Duration(),
                        Type::List(Type::Dyn()),
                        Type::Map(Type::Dyn(), Type::Dyn())};
  for (const Type& type : plain) types_.emplace(type.name(), type);
}

Environment::Environment(const Environment* base)
    : options_(base->options_), base_(base), variables_(base->variables_) {}

void Environment::AddVariable(std::string name, Type type) {
  for (const Variable& variable : variables_) KULISSE_ASSERT(variable.name != name);
  variables_.push_back({.name = std::move(name), .type = std::move(type)});
}

void Environment::AddFunction(const std::string& name, Overload overload) {
  Function& function = functions_[name];
  function.name = name;
  for (const Overload& other : function.overloads) KULISSE_ASSERT(other.id != overload.id);
  function.overloads.push_back(std::move(overload));
}

void Environment::AddStruct(const JsonStruct* structure) {
  structs_.emplace(structure->name, structure);
  types_.emplace(structure->name, Type::Struct(structure->name));
}

void Environment::AddType(const Type& type) { types_.emplace(type.name(), type); }

std::expected<Program, CompileError> Environment::Compile(std::string_view text,
                                                          std::string_view description) const {
  const Source source(text, description);
  std::vector<Issue> issues;
  const std::unique_ptr<Ast> ast = Parse(source, &issues);
  if (issues.empty()) Check(*this, *ast, &issues);
  if (issues.empty()) return Program(MakePlan(*this, *ast));
  return std::unexpected(CompileError{.text = source.Display(std::move(issues))});
}

std::expected<CheckedExpression, CompileError> Environment::CheckTypes(
    std::string_view text, std::string_view description) const {
  const Source source(text, description);
  std::vector<Issue> issues;
  const std::unique_ptr<Ast> ast =
      Parse(source, &issues, {.optional_syntax = options_.optional_syntax});
  CheckedExpression checked;
  if (issues.empty() && IsBeyondChecker(*ast)) {
    FindUndeclaredNames(*ast, variables_, &issues);
  } else if (issues.empty()) {
    Check(*this, *ast, &issues);
    checked.type = ast->root->type;
  }
  for (const Expr& expr : ast->nodes) {
    if (expr.kind == ExprKind::kIdentifier) checked.names.push_back(expr.name);
  }
  if (issues.empty()) return checked;
  return std::unexpected(CompileError{.text = source.Display(std::move(issues))});
}

const Function* Environment::FindFunction(std::string_view name) const {
  if (name.starts_with('.')) name.remove_prefix(1);
  const auto found = functions_.find(name);
  if (found != functions_.end()) return &found->second;
  return base_ == nullptr ? nullptr : base_->FindFunction(name);
}

const JsonStruct* Environment::FindStruct(std::string_view name) const {
  const auto found = structs_.find(name);
  if (found != structs_.end()) return found->second;
  return base_ == nullptr ? nullptr : base_->FindStruct(name);
}

const Type* Environment::FindType(std::string_view name) const {
  const auto found = types_.find(name);
  if (found != types_.end()) return &found->second;
  return base_ == nullptr ? nullptr : base_->FindType(name);
}

}  // namespace kulisse::openapi::cel
