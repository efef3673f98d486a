// Environment is what expressions may name: variables and functions, with their types. A host makes
// one with the standard library in it, adds its own, and compiles expressions.
//
//   Environment environment;
//   environment.AddVariable("self", Type::Dyn());
//   environment.AddFunction("Now", {.id = "now", .result = Type::Timestamp(), .call = …});
//   auto program = environment.Compile("self.spec.replicas > 1");
//   Evaluation evaluation;
//   const Value self[] = {FromJson(&object, nullptr, evaluation)};
//   const Value result = program->Evaluate(self, evaluation);
//
// Owns: its declarations. Borrows: the structs and host types of its types, which must outlive the
//   programs. Programs must not outlive it.
// Threads: Compile and evaluation from any thread, once all is added.
// Errors: those of cel-go 0.26, with its words and places.
#pragma once

#include <algorithm>
#include <deque>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "openapi/cel/evaluation.h"
#include "openapi/cel/type.h"
#include "openapi/cel/value.h"

namespace kulisse::openapi::cel {

// The arguments are no errors and of the declared types.
using Callable = std::function<Value(std::span<const Value> arguments, Evaluation& evaluation)>;

// One signature of a function. Types named A and B stand for any.
struct Overload {
  std::string id = {};
  bool is_member = false;            // target.function(…); the target is the first argument
  std::vector<Type> arguments = {};  // target first
  Type result = {};
  Callable call = nullptr;    // null: an operator that values know themselves
  bool cross_type = false;    // compares numbers of two types
  bool is_unguarded = false;  // `call` looks at the types itself
};

struct Function {
  std::string name;
  std::optional<Operator> op;      // what all overloads do
  std::deque<Overload> overloads;  // their addresses stay
};

struct Variable {
  std::string name;
  Type type;
};

struct CompileError {
  // All errors, with lines and carets.
  std::string text;
};

struct CheckedExpression {
  Type type = {};                       // an error type where it cannot be told
  std::vector<std::string> names = {};  // variables, its own among them

  [[nodiscard]] bool Names(std::string_view variable) const {
    return std::ranges::find(names, variable) != names.end();
  }
};

struct Plan;

// Program is a compiled expression. Immutable. Threads: any, each with its own Evaluation.
class Program {
 public:
  Program(Program&&) noexcept;
  Program& operator=(Program&&) noexcept;
  ~Program();

  // `variables`: the values of the environment's variables, in the order they were added. The
  // result is an error value when the expression fails.
  [[nodiscard]] Value Evaluate(std::span<const Value> variables, Evaluation& evaluation) const;
  // What the checker says that the expression yields.
  [[nodiscard]] const Type& type() const;

 private:
  friend class Environment;
  explicit Program(std::unique_ptr<const Plan> plan);

  std::unique_ptr<const Plan> plan_;
};

class Environment {
 public:
  struct Options {
    bool cross_type_comparisons = false;  // `1 < 1.5` (upstream: CrossTypeNumericComparisons)
    bool homogeneous_literals = false;    // no `[1, "a"]` (upstream: HomogeneousAggregateLiterals)
    bool optional_syntax = false;         // `a.?b`: such expressions can be checked, not evaluated
  };

  Environment() : Environment(Options()) {}
  explicit Environment(Options options);
  // All that `base` has, and what is added. Cheap. Borrows: base.
  explicit Environment(const Environment* base);

  // REQUIRES of each: not there yet.
  void AddVariable(std::string name, Type type);
  void AddFunction(const std::string& name, Overload overload);
  // A struct whose fields expressions may name; its name is a type.
  void AddStruct(const JsonStruct* structure);
  // A type without fields that expressions may name.
  void AddType(const Type& type);

  // `description` stands in errors where a file's name would.
  [[nodiscard]] std::expected<Program, CompileError> Compile(
      std::string_view text, std::string_view description = "<input>") const;

  // Syntax, names and types alone, for hosts whose functions are only declared here. Of expressions
  // with macros and messages that are not here only syntax and names are checked, so that nothing
  // right is refused.
  [[nodiscard]] std::expected<CheckedExpression, CompileError> CheckTypes(
      std::string_view text, std::string_view description = "<input>") const;

  // For the checker and the planner.
  [[nodiscard]] const Options& options() const { return options_; }
  [[nodiscard]] std::span<const Variable> variables() const { return variables_; }
  [[nodiscard]] const Function* FindFunction(std::string_view name) const;
  [[nodiscard]] const JsonStruct* FindStruct(std::string_view name) const;
  // The type that the name is: int, list, google.protobuf.Timestamp.
  [[nodiscard]] const Type* FindType(std::string_view name) const;

 private:
  void AddStandardLibrary();

  Options options_;
  const Environment* base_ = nullptr;
  std::vector<Variable> variables_;
  std::map<std::string, Function, std::less<>> functions_;
  std::map<std::string, const JsonStruct*, std::less<>> structs_;
  std::map<std::string, Type, std::less<>> types_;
};

}  // namespace kulisse::openapi::cel
