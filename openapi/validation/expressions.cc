#include "openapi/validation/expressions.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "openapi/cel/kubernetes.h"

namespace kulisse::openapi {

namespace {

using cel::Environment;
using cel::JsonStruct;
using cel::JsonType;
using cel::Type;

constexpr std::string_view kVariables = "kubernetes.variables";

struct FieldRow {
  std::string_view name;
  Type type;
};

// The structs that expressions see. Owns their types.
class Structs {
 public:
  Type Add(std::string name, std::initializer_list<FieldRow> fields) {
    JsonStruct& structure = structs_.emplace_back();
    structure.name = std::move(name);
    for (const FieldRow& row : fields) {
      JsonType& type = types_.emplace_back();
      type.type = row.type;
      structure.fields.push_back({.name = std::string(row.name), .type = &type});
    }
    std::ranges::sort(structure.fields, {}, &cel::JsonField::name);
    return Type::Struct(structure.name);
  }
  void AddTo(Environment& environment) const {
    for (const JsonStruct& structure : structs_) environment.AddStruct(&structure);
  }

 private:
  std::deque<JsonStruct> structs_;
  std::deque<JsonType> types_;
};

// Upstream: admission/plugin/cel/compile.go BuildRequestType.
Type AddRequest(Structs& structs) {
  const Type text = Type::String();
  const Type kind = structs.Add("kubernetes.GroupVersionKind",
                                {{"group", text}, {"version", text}, {"kind", text}});
  const Type resource = structs.Add("kubernetes.GroupVersionResource",
                                    {{"group", text}, {"version", text}, {"resource", text}});
  const Type user =
      structs.Add("kubernetes.UserInfo", {{"username", text},
                                          {"uid", text},
                                          {"groups", Type::List(text)},
                                          {"extra", Type::Map(text, Type::List(text))}});
  return structs.Add("kubernetes.AdmissionRequest", {{"kind", kind},
                                                     {"resource", resource},
                                                     {"subResource", text},
                                                     {"requestKind", kind},
                                                     {"requestResource", resource},
                                                     {"requestSubResource", text},
                                                     {"name", text},
                                                     {"namespace", text},
                                                     {"operation", text},
                                                     {"userInfo", user},
                                                     {"dryRun", Type::Bool()},
                                                     {"options", Type::Dyn()}});
}

// Upstream: BuildNamespaceType.
Type AddNamespace(Structs& structs) {
  const Type text = Type::String();
  const Type texts = Type::Map(text, text);
  const Type spec = structs.Add("kubernetes.NamespaceSpec", {{"finalizers", Type::List(text)}});
  const Type condition =
      structs.Add("kubernetes.NamespaceCondition", {{"status", text},
                                                    {"type", text},
                                                    {"lastTransitionTime", Type::Timestamp()},
                                                    {"message", text},
                                                    {"reason", text}});
  const Type status = structs.Add("kubernetes.NamespaceStatus",
                                  {{"conditions", Type::List(condition)}, {"phase", text}});
  const Type metadata =
      structs.Add("kubernetes.NamespaceMetadata", {{"name", text},
                                                   {"generateName", text},
                                                   {"namespace", text},
                                                   {"labels", texts},
                                                   {"annotations", texts},
                                                   {"UID", text},
                                                   {"creationTimestamp", Type::Timestamp()},
                                                   {"deletionGracePeriodSeconds", Type::Int()},
                                                   {"deletionTimestamp", Type::Timestamp()},
                                                   {"generation", Type::Int()},
                                                   {"resourceVersion", text},
                                                   {"finalizers", Type::List(text)}});
  return structs.Add("kubernetes.Namespace",
                     {{"metadata", metadata}, {"spec", spec}, {"status", status}});
}

Environment MakeAdmission(bool has_params, bool has_authorizer) {
  static const auto kStructs = [] {
    Structs structs;
    std::pair<Type, Type> types{AddRequest(structs), AddNamespace(structs)};
    return std::pair{std::move(structs), std::move(types)};
  }();
  Environment environment(&cel::KubernetesEnvironment());
  kStructs.first.AddTo(environment);
  environment.AddVariable("object", Type::Dyn());
  environment.AddVariable("oldObject", Type::Dyn());
  environment.AddVariable("namespaceObject", kStructs.second.second);
  environment.AddVariable("request", kStructs.second.first);
  if (has_params) environment.AddVariable("params", Type::Dyn());
  if (has_authorizer) {
    environment.AddVariable("authorizer", Type::Struct("kubernetes.authorization.Authorizer"));
    environment.AddVariable("authorizer.requestResource",
                            Type::Struct("kubernetes.authorization.ResourceCheck"));
  }
  return environment;
}

const Environment& Admission(bool has_params, bool has_authorizer) {
  static const Environment kEnvironments[2][2] = {
      {MakeAdmission(false, false), MakeAdmission(false, true)},
      {MakeAdmission(true, false), MakeAdmission(true, true)}};
  return kEnvironments[has_params ? 1 : 0][has_authorizer ? 1 : 0];
}

const Environment& Devices() {
  static const Structs kStructs = [] {
    Structs structs;
    const Type text = Type::String();
    const auto by_domain = [&](Type type) {
      return Type::Map(text, Type::Map(text, std::move(type)));
    };
    structs.Add("kubernetes.DRADevice",
                {{"driver", text},
                 {"attributes", by_domain(Type::Any())},
                 {"capacity", by_domain(Type::Struct("kubernetes.Quantity"))},
                 {"allowMultipleAllocations", Type::Bool()}});
    return structs;
  }();
  static const Environment kEnvironment = [] {
    Environment environment(&cel::KubernetesEnvironment());
    kStructs.AddTo(environment);
    environment.AddVariable("device", Type::Struct("kubernetes.DRADevice"));
    return environment;
  }();
  return kEnvironment;
}

std::vector<Type> TypesOf(ExpressionResult result) {
  switch (result) {
    case ExpressionResult::kAny:
      return {};
    case ExpressionResult::kBool:
      return {Type::Bool()};
    case ExpressionResult::kString:
      return {Type::String()};
    case ExpressionResult::kStringOrNull:
      return {Type::String(), Type::Null()};
    case ExpressionResult::kObject:
      return {Type::Struct("Object")};
    case ExpressionResult::kPatches:
      return {Type::List(Type::Struct("JSONPatch"))};
  }
  return {};
}

// Why the type is none of those; "" when it is one, or cannot be told.
std::string Mismatch(const Type& type, const std::vector<Type>& wanted) {
  if (wanted.empty() || type.IsError()) return "";
  std::string names;
  for (const Type& one : wanted) {
    if (one.IsExactly(type)) return "";
    names += (names.empty() ? "" : " ") + one.DeclaredName();
  }
  if (wanted.size() > 1) names = "one of [" + names + "]";
  return fmt::format("must evaluate to {} but got {}", names, type.DeclaredName());
}

// What a variable of this type is to other expressions: messages are dyn.
// Upstream: admission/plugin/cel/composition.go convertCelTypeToDeclType.
Type Composed(const Type& type) {
  switch (type.kind()) {
    case cel::TypeKind::kList:
      return Type::List(Composed(type.parameters()[0]));
    case cel::TypeKind::kMap:
      return Type::Map(Composed(type.parameters()[0]), Composed(type.parameters()[1]));
    case cel::TypeKind::kError:
    case cel::TypeKind::kStruct:
    case cel::TypeKind::kOptional:
    case cel::TypeKind::kType:
      return Type::Dyn();
    default:
      return type;
  }
}

}  // namespace

AdmissionExpressions::AdmissionExpressions(Options options)
    : environment_(&Admission(options.has_params, options.has_authorizer)) {
  if (!options.has_variables) return;
  variables_.name = kVariables;
  environment_.AddStruct(&variables_);
  environment_.AddVariable("variables", Type::Struct(variables_.name));
}

Type AdmissionExpressions::Check(std::string_view text, std::string_view value,
                                 ExpressionResult result, const Path& path, Walk& walk) const {
  const auto checked = environment_.CheckTypes(text);
  if (!checked) {
    walk.Invalid(path, value, "compilation failed: " + checked.error().text);
    return Type::Dyn();
  }
  const std::string mismatch = Mismatch(checked->type, TypesOf(result));
  if (mismatch.empty()) return checked->type;
  walk.Invalid(path, value, mismatch);
  return Type::Dyn();
}

void AdmissionExpressions::AddVariable(std::string_view name, const Type& type) {
  JsonType& kept = types_.emplace_back();
  kept.type = Composed(type);
  const auto at = std::ranges::lower_bound(variables_.fields, name, {}, &cel::JsonField::name);
  if (at != variables_.fields.end() && at->name == name) {
    at->type = &kept;
  } else {
    variables_.fields.insert(at, {.name = std::string(name), .type = &kept});
  }
}

void AdmissionExpressions::AddVariablesOf(const AdmissionExpressions& other) {
  for (const cel::JsonField& field : other.variables_.fields) {
    AddVariable(field.name, field.type->type);
  }
}

void CheckDeviceExpression(std::string_view text, const Path& path, Walk& walk) {
  const auto checked = Devices().CheckTypes(text);
  if (!checked) {
    return walk.Invalid(path, text, "compilation failed: " + checked.error().text);
  }
  const Type& type = checked->type;
  if (type.kind() == cel::TypeKind::kBool || type.IsDyn() || type.IsError()) return;
  walk.Invalid(
      path, text,
      fmt::format("must evaluate to bool or the unknown type, not {}", type.DeclaredName()));
}

}  // namespace kulisse::openapi
