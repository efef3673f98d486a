#include "openapi/validation/schema_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <deque>
#include <optional>
#include <utility>

#include "base/json/write.h"
#include "base/text.h"
#include "openapi/cel/kubernetes.h"

namespace kulisse::openapi {

namespace {

using cel::JsonStruct;
using cel::JsonType;
using cel::Type;

// As Go prints apiextensions.ValidationRule as JSON.
std::string ShowRule(const Value& rule) {
  struct Field {
    std::string_view go_name;
    std::string_view name;
    std::string_view missing;
  };
  constexpr Field kFields[] = {{"Rule", "rule", R"("")"},
                               {"Message", "message", R"("")"},
                               {"MessageExpression", "messageExpression", R"("")"},
                               {"Reason", "reason", "null"},
                               {"FieldPath", "fieldPath", R"("")"},
                               {"OptionalOldSelf", "optionalOldSelf", "null"}};
  std::string text;
  for (const Field& field : kFields) {
    const Value* value = Member(rule, field.name);
    text += fmt::format("{}\"{}\":{}", text.empty() ? "{" : ",", field.go_name,
                        value != nullptr ? json::ToString(*value) : std::string(field.missing));
  }
  return text + "}";
}

bool IsAlphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// A property's name as expressions write it, or nothing when they cannot.
// Upstream: apiserver/pkg/cel/escaping.go.
std::optional<std::string> EscapeName(std::string_view name) {
  constexpr auto kReserved = std::to_array<std::string_view>(
      {"true",     "false",   "null",      "in",     "as",  "break",    "const",
       "continue", "else",    "for",       "if",     "let", "function", "import",
       "loop",     "package", "namespace", "return", "var", "void",     "while"});
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return std::nullopt;
  if (std::ranges::find(kReserved, name) != kReserved.end()) return fmt::format("__{}__", name);
  std::string escaped;
  for (size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    if (name.substr(i).starts_with("__")) {
      escaped += "__underscores__";
      ++i;
    } else if (c == '.') {
      escaped += "__dot__";
    } else if (c == '-') {
      escaped += "__dash__";
    } else if (c == '/') {
      escaped += "__slash__";
    } else if (c == '_' || IsAlphanumeric(c)) {
      escaped += c;
    } else {
      return std::nullopt;
    }
  }
  return escaped;
}

// The type that expressions see, with the structs in it.
class SchemaTypes {
 public:
  explicit SchemaTypes(cel::Environment* environment) : environment_(*environment) {}

  // Nothing for what expressions cannot see. `name` is that of a struct.
  std::optional<Type> TypeOf(const Value& schema, bool is_resource, const std::string& name) {
    if (True(schema, "x-kubernetes-int-or-string")) return Type::Dyn();
    const std::string_view type = is_resource ? "object" : Text(schema, "type");
    if (type == "object") return ObjectType(schema, is_resource, name);
    if (type == "array") return ListType(schema, name);
    if (type == "string") return TextType(Text(schema, "format"));
    if (type == "boolean") return Type::Bool();
    if (type == "number") return Type::Double();
    if (type == "integer") return Type::Int();
    return std::nullopt;
  }

 private:
  std::optional<Type> Within(const Value& schema, const std::string& name) {
    return TypeOf(schema, True(schema, "x-kubernetes-embedded-resource"), name);
  }

  // Whether the schema of a whole object says of itself what all objects have.
  static bool DeclaresMeta(const Value& schema) {
    const auto is_text = [](const Value& parent, std::string_view name) {
      return Text(Part(Part(parent, "properties"), name), "type") == "string";
    };
    const Value& metadata = Part(Part(schema, "properties"), "metadata");
    return is_text(schema, "kind") && is_text(schema, "apiVersion") &&
           Text(metadata, "type") == "object" && is_text(metadata, "name") &&
           is_text(metadata, "generateName");
  }

  static Type TextType(std::string_view format) {
    if (format == "byte") return Type::Bytes();
    if (format == "duration") return Type::Duration();
    if (format == "date" || format == "date-time") return Type::Timestamp();
    return Type::String();
  }

  std::optional<Type> ListType(const Value& schema, const std::string& name) {
    const Value* items = Member(schema, "items");
    if (items == nullptr || !items->IsObject()) return std::nullopt;
    const auto element = Within(*items, name + ".@idx");
    return element ? std::optional(Type::List(*element)) : std::nullopt;
  }

  std::optional<Type> ObjectType(const Value& schema, bool is_resource, const std::string& name) {
    const Value* additional = Member(schema, "additionalProperties");
    if (additional != nullptr && additional->IsObject()) {
      const auto value = Within(*additional, name + ".@elem");
      return value ? std::optional(Type::Map(Type::String(), *value)) : std::nullopt;
    }
    const bool adds_meta = is_resource && !DeclaresMeta(schema);
    JsonStruct& structure = structs_.emplace_back();
    structure.name = name;
    for (const json::Member& property : Map(schema, "properties")) {
      const auto field = EscapeName(property.name);
      const bool is_meta =
          property.name == "metadata" || property.name == "kind" || property.name == "apiVersion";
      if (!field || (adds_meta && is_meta)) continue;
      const auto type = Within(property.value, name + "." + *field);
      if (!type) continue;
      AddField(*field, *type, &structure);
      // Reserved words may also stand as they are.
      if (*field == fmt::format("__{}__", property.name)) {
        AddField(std::string(property.name), *type, &structure);
      }
    }
    if (adds_meta) {
      AddField("apiVersion", Type::String(), &structure);
      AddField("kind", Type::String(), &structure);
      AddField("metadata", MetadataType(name + ".metadata"), &structure);
    }
    environment_.AddStruct(&structure);
    return Type::Struct(name);
  }

  // Of metadata only the names can be seen.
  Type MetadataType(const std::string& name) {
    JsonStruct& structure = structs_.emplace_back();
    structure.name = name;
    for (const char* field : {"name", "generateName"}) {
      AddField(field, Type::String(), &structure);
    }
    environment_.AddStruct(&structure);
    return Type::Struct(name);
  }

  void AddField(const std::string& name, const Type& type, JsonStruct* structure) {
    JsonType& kept = types_.emplace_back();
    kept.type = type;
    const auto at = std::ranges::lower_bound(structure->fields, name, {}, &cel::JsonField::name);
    structure->fields.insert(at, {.name = name, .type = &kept});
  }

  cel::Environment& environment_;
  std::deque<JsonStruct> structs_;
  std::deque<JsonType> types_;
};

// Whether the expression's type is that, or cannot be told.
bool Yields(const cel::CheckedExpression& checked, const Type& wanted) {
  return checked.type.IsError() || checked.type.IsExactly(wanted);
}

void CheckMessage(const Value& rule, const cel::Environment& environment, const Path& path,
                  Walk& walk) {
  const std::string_view text = Text(rule, "messageExpression");
  if (text.empty()) return;
  const auto checked = environment.CheckTypes(text);
  if (!checked) {
    walk.InvalidText(path, ShowRule(rule),
                     "messageExpression compilation failed: " + checked.error().text);
  } else if (!Yields(*checked, Type::String())) {
    walk.InvalidText(path, ShowRule(rule), "messageExpression must evaluate to a string");
  }
}

// Whether the rule compiles and names oldSelf.
bool RuleNamesOld(const Value& rule, const cel::Environment& environment, const Path& path,
                  Walk& walk) {
  const auto checked = environment.CheckTypes(Text(rule, "rule"));
  if (!checked) {
    walk.InvalidText(path["rule"], ShowRule(rule), "compilation failed: " + checked.error().text);
    return false;
  }
  if (!Yields(*checked, Type::Bool())) {
    walk.InvalidText(path["rule"], ShowRule(rule), "cel expression must evaluate to a bool");
    return false;
  }
  CheckMessage(rule, environment, path["messageExpression"], walk);
  return checked->Names("oldSelf");
}

void CheckRule(const Value& rule, const cel::Environment& environment,
               const std::string& uncorrelated, const Path& path, Walk& walk) {
  const std::string_view text = Text(rule, "rule");
  if (TrimSpace(text).empty()) return;
  const Value* optional_old = Member(rule, "optionalOldSelf");
  if (RuleNamesOld(rule, environment, path, walk)) {
    if (uncorrelated.empty()) return;
    walk.Invalid(path["rule"], text,
                 fmt::format("oldSelf cannot be used on the uncorrelatable portion of the schema "
                             "within {}",
                             uncorrelated));
  } else if (optional_old != nullptr) {
    walk.Invalid(path["optionalOldSelf"], *optional_old,
                 "may not be set if oldSelf is not used in rule");
  }
}

}  // namespace

void CheckSchemaRules(const Value& schema, const SchemaPlace& place, const Path& path, Walk& walk) {
  const auto rules = List(schema, "x-kubernetes-validations");
  if (rules.empty()) return;
  cel::Environment types_environment(&cel::KubernetesEnvironment());
  SchemaTypes types(&types_environment);
  const auto self = types.TypeOf(schema, place.is_resource, "selfType1");
  if (!self) return;
  types_environment.AddVariable("self", *self);
  cel::Environment environments[2] = {cel::Environment(&types_environment),
                                      cel::Environment(&types_environment)};
  environments[0].AddVariable("oldSelf", *self);
  environments[1].AddVariable("oldSelf", Type::Optional(*self));
  const Path list = path["x-kubernetes-validations"];
  size_t index = 0;
  for (const Value& rule : rules) {
    const bool optional = True(rule, "optionalOldSelf");
    CheckRule(rule, environments[optional ? 1 : 0], place.uncorrelated, list[index++], walk);
  }
}

}  // namespace kulisse::openapi
