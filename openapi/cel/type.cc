#include "openapi/cel/type.h"

#include <algorithm>
#include <utility>

#include "openapi/cel/limits.h"

namespace kulisse::openapi::cel {
namespace {

std::string JoinTypes(std::span<const Type> types) {
  std::string text;
  for (const Type& type : types) {
    if (!text.empty()) text += ", ";
    text += type.ToString();
  }
  return text;
}

// Structs, timestamps and durations are message types, which may be null.
bool AcceptsNull(const Type& type) {
  switch (type.kind()) {
    case TypeKind::kStruct:
    case TypeKind::kOptional:
    case TypeKind::kTimestamp:
    case TypeKind::kDuration:
    case TypeKind::kNull:
    case TypeKind::kFunction:
      return true;
    default:
      return type.nullable();
  }
}

bool IsEqualOrLessSpecific(const Type& a, const Type& b) {
  if (a.IsDyn() || a.kind() == TypeKind::kParam) return true;
  if (b.IsDyn() || b.kind() == TypeKind::kParam) return false;
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case TypeKind::kList:
    case TypeKind::kMap:
    case TypeKind::kOptional:
      for (size_t i = 0; i < a.parameters().size(); ++i) {
        if (!IsEqualOrLessSpecific(a.parameters()[i], b.parameters()[i])) return false;
      }
      return true;
    case TypeKind::kType:
      return true;
    default:
      return a.IsExactly(b);
  }
}

}  // namespace

Type Type::Compound(TypeKind kind, std::string_view name, std::vector<Type> parameters) {
  uint32_t size = 0;
  for (const Type& parameter : parameters) size += parameter.size_;
  if (size > kCelTypeSizeMax) {
    std::ranges::fill(parameters, Dyn());
    size = static_cast<uint32_t>(parameters.size()) * Dyn().size_;
  }
  Type type(kind, std::string(name), std::move(parameters));
  type.size_ = size + 1;
  return type;
}

Type Type::List(Type element) { return Compound(TypeKind::kList, "list", {std::move(element)}); }

Type Type::Map(Type key, Type value) {
  return Compound(TypeKind::kMap, "map", {std::move(key), std::move(value)});
}

Type Type::Optional(Type value) {
  return Compound(TypeKind::kOptional, "optional_type", {std::move(value)});
}

Type Type::Nullable() const {
  Type type = *this;
  type.nullable_ = true;
  return type;
}

std::string Type::ToString() const {
  switch (kind_) {
    case TypeKind::kError:
      return "!error!";
    case TypeKind::kNull:
      return "null";
    case TypeKind::kDyn:
      return name_ == "dyn" ? name_ : "any";
    case TypeKind::kTimestamp:
      return "timestamp";
    case TypeKind::kDuration:
      return "duration";
    case TypeKind::kParam:
      return name_;
    case TypeKind::kFunction: {
      const auto arguments = std::span<const Type>(parameters_).subspan(1);
      std::string text = "(" + JoinTypes(arguments) + ")";
      if (!parameters_[0].IsError()) text += " -> " + parameters_[0].ToString();
      return text;
    }
    default:
      break;
  }
  if (!parameters_.empty()) return name_ + "(" + JoinTypes(parameters_) + ")";
  return nullable_ ? "wrapper(" + name_ + ")" : name_;
}

std::string Type::DeclaredName() const {
  std::string text = nullable_ ? "wrapper(" + name_ + ")" : name_;
  if (parameters_.empty()) return text;
  std::string parts;
  for (const Type& parameter : parameters_) {
    if (!parts.empty()) parts += ", ";
    parts += parameter.DeclaredName();
  }
  return text + "(" + parts + ")";
}

bool Type::IsExactly(const Type& other) const {
  if (kind_ != other.kind_ || name_ != other.name_ ||
      parameters_.size() != other.parameters_.size()) {
    return false;
  }
  for (size_t i = 0; i < parameters_.size(); ++i) {
    if (!parameters_[i].IsExactly(other.parameters_[i])) return false;
  }
  return true;
}

bool Type::IsAssignableFrom(const Type& from) const {
  if (kind_ == TypeKind::kDyn || kind_ == TypeKind::kParam) return true;
  if (nullable_ && from.kind_ == TypeKind::kNull) return true;
  if (kind_ != from.kind_ || name_ != from.name_ || parameters_.size() != from.parameters_.size()) {
    return false;
  }
  for (size_t i = 0; i < parameters_.size(); ++i) {
    if (!parameters_[i].IsAssignableFrom(from.parameters_[i])) return false;
  }
  return true;
}

void Substitution::Set(const Type& variable, Type type) {
  const auto found = types_.find(variable.name());
  if (found == types_.end()) {
    changes_.push_back({.name = variable.name(), .before = std::nullopt});
    types_.emplace(variable.name(), std::move(type));
  } else {
    changes_.push_back({.name = variable.name(), .before = std::move(found->second)});
    found->second = std::move(type);
  }
}

void Substitution::RollBack(size_t changes) {
  for (; changes_.size() > changes; changes_.pop_back()) {
    Change& change = changes_.back();
    if (change.before) {
      types_.insert_or_assign(change.name, std::move(*change.before));
    } else {
      types_.erase(change.name);
    }
  }
}

const Type* Substitution::Find(const Type& variable) const {
  if (variable.kind() != TypeKind::kParam) return nullptr;
  const auto found = types_.find(variable.name());
  return found == types_.end() ? nullptr : &found->second;
}

Type Substitution::Apply(const Type& type, bool params_to_dyn) const {
  if (const Type* bound = Find(type)) return Apply(*bound, params_to_dyn);
  switch (type.kind()) {
    case TypeKind::kParam:
      return params_to_dyn ? Type::Dyn() : type;
    case TypeKind::kList:
      return Type::List(Apply(type.parameters()[0], params_to_dyn));
    case TypeKind::kOptional:
      return Type::Optional(Apply(type.parameters()[0], params_to_dyn));
    case TypeKind::kMap:
      return Type::Map(Apply(type.parameters()[0], params_to_dyn),
                       Apply(type.parameters()[1], params_to_dyn));
    case TypeKind::kType:
      if (type.parameters().empty()) return type;
      return Type::TypeOf(Apply(type.parameters()[0], params_to_dyn));
    case TypeKind::kFunction: {
      std::vector<Type> parameters;
      for (const Type& parameter : type.parameters()) {
        parameters.push_back(Apply(parameter, params_to_dyn));
      }
      return Type::Function(std::move(parameters));
    }
    default:
      return type;
  }
}

bool Substitution::Assign(const Type& to, const Type& from) {
  changes_.clear();
  if (TryAssign(to, from)) return true;
  RollBack(0);
  return false;
}

bool Substitution::AssignAll(std::span<const Type> to, std::span<const Type> from) {
  changes_.clear();
  if (TryAssignAll(to, from)) return true;
  RollBack(0);
  return false;
}

// Upstream: checker/types.go internalIsAssignable. Its names: `to` is t1, `from` is t2.
bool Substitution::TryAssign(const Type& to, const Type& from) {
  if (from.kind() == TypeKind::kParam) {
    const Fit fit = Bind(to, from);
    if (fit == Fit::kYes) return true;
    if (fit == Fit::kNoAndBound) return false;
  }
  if (to.kind() == TypeKind::kParam) return Bind(from, to) == Fit::kYes;
  if (to.IsDyn() || to.IsError() || from.IsDyn() || from.IsError()) return true;
  if (to.kind() == TypeKind::kNull) return AcceptsNull(from);
  if (from.kind() == TypeKind::kNull) return AcceptsNull(to);
  switch (to.kind()) {
    case TypeKind::kType:
      return from.kind() == TypeKind::kType;
    case TypeKind::kList:
    case TypeKind::kMap:
    case TypeKind::kOptional:
    case TypeKind::kFunction:
      return to.kind() == from.kind() && TryAssignAll(to.parameters(), from.parameters());
    default:
      return from.IsAssignableFrom(to);
  }
}

bool Substitution::TryAssignAll(std::span<const Type> to, std::span<const Type> from) {
  if (to.size() != from.size()) return false;
  for (size_t i = 0; i < to.size(); ++i) {
    if (!TryAssign(to[i], from[i])) return false;
  }
  return true;
}

Substitution::Fit Substitution::Bind(const Type& type, const Type& variable) {
  if (type.kind() == variable.kind() && type.IsExactly(variable)) return Fit::kYes;
  if (const Type* found = Find(variable)) {
    const Type bound = *found;  // the map changes below
    if (type.kind() == bound.kind() && type.IsExactly(bound)) return Fit::kYes;
    if (!TryAssign(type, bound)) return Fit::kNoAndBound;
    const Type& general = MostGeneral(type, bound);
    if (OccursNot(variable, general)) Set(variable, general);
    return Fit::kYes;
  }
  if (!OccursNot(variable, type)) return Fit::kNo;
  Set(variable, type);
  return Fit::kYes;
}

bool Substitution::OccursNot(const Type& variable, const Type& within) const {
  if (variable.IsExactly(within)) return false;
  if (within.kind() == TypeKind::kParam) {
    const Type* bound = Find(within);
    return bound == nullptr || OccursNot(variable, *bound);
  }
  for (const Type& parameter : within.parameters()) {
    if (!OccursNot(variable, parameter)) return false;
  }
  return true;
}

const Type& MostGeneral(const Type& a, const Type& b) {
  return IsEqualOrLessSpecific(a, b) ? a : b;
}

}  // namespace kulisse::openapi::cel
