// Type is a type as the checker sees it: what an expression may yield, before it is evaluated.
// Upstream: cel-go common/types/types.go and checker/types.go.
//
// Threads: a value; pure functions.
// Limits: kCelTypeSizeMax types in one; the parts of larger ones are dyn.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kulisse::openapi::cel {

enum class TypeKind : uint8_t {
  kError,  // of an expression that was refused; goes with every other, so that one mistake is told
           // once
  kDyn,
  kNull,
  kBool,
  kInt,
  kUint,
  kDouble,
  kString,
  kBytes,
  kTimestamp,
  kDuration,
  kList,
  kMap,
  kStruct,
  kOptional,  // of another type
  kType,
  kParam,     // a type variable: A, B in declarations, _var0 while checking
  kFunction,  // result, then arguments
};

class Type {
 public:
  Type() = default;  // error

  static Type Error() { return {}; }
  static Type Dyn() { return Type(TypeKind::kDyn, "dyn"); }
  // A value of any type in a message: dyn by another name.
  static Type Any() { return Type(TypeKind::kDyn, "google.protobuf.Any"); }
  static Type Null() { return Type(TypeKind::kNull, "null_type"); }
  static Type Bool() { return Type(TypeKind::kBool, "bool"); }
  static Type Int() { return Type(TypeKind::kInt, "int"); }
  static Type Uint() { return Type(TypeKind::kUint, "uint"); }
  static Type Double() { return Type(TypeKind::kDouble, "double"); }
  static Type String() { return Type(TypeKind::kString, "string"); }
  static Type Bytes() { return Type(TypeKind::kBytes, "bytes"); }
  static Type Timestamp() { return Type(TypeKind::kTimestamp, "google.protobuf.Timestamp"); }
  static Type Duration() { return Type(TypeKind::kDuration, "google.protobuf.Duration"); }
  static Type List(Type element);
  static Type Map(Type key, Type value);
  static Type Struct(std::string name) { return Type(TypeKind::kStruct, std::move(name)); }
  static Type Optional(Type value);
  static Type TypeOf(Type type) { return Type(TypeKind::kType, "type", {std::move(type)}); }
  static Type AnyType() { return Type(TypeKind::kType, "type"); }
  static Type Param(std::string name) { return Type(TypeKind::kParam, std::move(name)); }
  static Type Function(std::vector<Type> result_and_arguments) {
    return Type(TypeKind::kFunction, "function", std::move(result_and_arguments));
  }
  // The same type, or null (upstream: a wrapper type).
  [[nodiscard]] Type Nullable() const;

  [[nodiscard]] TypeKind kind() const { return kind_; }
  // The name at run time: "list", "google.protobuf.Timestamp", "v1.Pod".
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::span<const Type> parameters() const { return parameters_; }
  [[nodiscard]] bool nullable() const { return nullable_; }
  [[nodiscard]] bool IsDyn() const { return kind_ == TypeKind::kDyn; }
  [[nodiscard]] bool IsError() const { return kind_ == TypeKind::kError; }

  // Its name as declarations print it: "null_type", "google.protobuf.Timestamp", "list(int)".
  // Upstream: common/types/types.go Type.String.
  [[nodiscard]] std::string DeclaredName() const;
  // As errors print it: "list(int)", "wrapper(string)", "(int, double)" for a function without a
  // result. Upstream: checker/format.go FormatCELType.
  [[nodiscard]] std::string ToString() const;
  // The same kind, name and parameters.
  [[nodiscard]] bool IsExactly(const Type& other) const;
  // Whether a value of type `from` may stand where this type is wanted.
  [[nodiscard]] bool IsAssignableFrom(const Type& from) const;

 private:
  Type(TypeKind kind, std::string name, std::vector<Type> parameters = {})
      : kind_(kind), name_(std::move(name)), parameters_(std::move(parameters)) {}
  // Its parameters are dyn when they are larger together than kCelTypeSizeMax.
  static Type Compound(TypeKind kind, std::string_view name, std::vector<Type> parameters);

  TypeKind kind_ = TypeKind::kError;
  bool nullable_ = false;
  uint32_t size_ = 1;  // types in it
  std::string name_ = "error";
  std::vector<Type> parameters_;
};

// What type variables stand for, while an expression is checked.
class Substitution {
 public:
  void Set(const Type& variable, Type type);
  // What was set for it (the variable itself is not followed further), or null.
  [[nodiscard]] const Type* Find(const Type& variable) const;
  // The type with its variables replaced; those that stand for nothing stay, or become dyn.
  [[nodiscard]] Type Apply(const Type& type, bool params_to_dyn) const;

  // Whether `from` may stand for `to`. Learns what variables stand for if so, else stays as it was.
  bool Assign(const Type& to, const Type& from);
  bool AssignAll(std::span<const Type> to, std::span<const Type> from);

 private:
  // What a variable stood for before it was set.
  struct Change {
    std::string name;
    std::optional<Type> before;
  };

  void RollBack(size_t changes);
  bool TryAssign(const Type& to, const Type& from);
  bool TryAssignAll(std::span<const Type> to, std::span<const Type> from);
  // Whether `variable` can stand for `type`; nothing when it stands for something that does not go
  // with it.
  enum class Fit : uint8_t { kYes, kNo, kNoAndBound };
  Fit Bind(const Type& type, const Type& variable);
  [[nodiscard]] bool OccursNot(const Type& variable, const Type& within) const;

  std::map<std::string, Type, std::less<>> types_;
  std::vector<Change> changes_;  // since Assign began
};

// The less specific of two types that go with each other.
[[nodiscard]] const Type& MostGeneral(const Type& a, const Type& b);

}  // namespace kulisse::openapi::cel
