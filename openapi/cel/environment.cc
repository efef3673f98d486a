#include "openapi/cel/environment.h"

#include <utility>

#include "base/assert.h"
#include "openapi/cel/checker.h"
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

std::expected<Program, CompileError> Environment::Compile(std::string_view text,
                                                          std::string_view description) const {
  const Source source(text, description);
  std::vector<Issue> issues;
  const std::unique_ptr<Ast> ast = Parse(source, &issues);
  if (issues.empty()) Check(*this, *ast, &issues);
  if (issues.empty()) return Program(MakePlan(*this, *ast));
  return std::unexpected(CompileError{.text = source.Display(std::move(issues))});
}

const Function* Environment::FindFunction(std::string_view name) const {
  if (name.starts_with('.')) name.remove_prefix(1);
  const auto found = functions_.find(name);
  return found == functions_.end() ? nullptr : &found->second;
}

const JsonStruct* Environment::FindStruct(std::string_view name) const {
  const auto found = structs_.find(name);
  return found == structs_.end() ? nullptr : found->second;
}

const Type* Environment::FindType(std::string_view name) const {
  const auto found = types_.find(name);
  return found == types_.end() ? nullptr : &found->second;
}

}  // namespace kulisse::openapi::cel
