// What schemas of custom resources may say, field by field.
// Upstream: apiextensions-apiserver/pkg/apis/apiextensions/validation.
#include "openapi/validation/schemas.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "openapi/validation/schema_rules.h"

namespace kulisse::openapi {

namespace {

constexpr std::string_view kListType = "x-kubernetes-list-type";
constexpr std::string_view kListKeys = "x-kubernetes-list-map-keys";
constexpr std::string_view kMapType = "x-kubernetes-map-type";

constexpr auto kTypes =
    std::to_array<const char*>({"array", "boolean", "integer", "number", "object", "string"});

const Value* SingleSchema(const Value* value) {
  return value != nullptr && value->IsObject() ? value : nullptr;
}

bool HasLineBreak(std::string_view text) { return text.find_first_of("\r\n") != text.npos; }

// Where the rules of a schema hold.
struct Scope {
  bool allows_defaults = true;
  std::string why_no_defaults;
  bool inside_metadata = false;
  std::string uncorrelated;  // path of the innermost list whose old elements cannot be found
};

class SchemaCheck {
 public:
  SchemaCheck(SchemaState state, Walk& walk) : state_(state), walk_(walk) {}

  void Check(const Value& schema, const Path& path, const Scope& scope, bool is_root) {
    const size_t errors_before = walk_.error_count();
    Fields(schema, path, scope);
    if (True(schema, "uniqueItems")) {
      walk_.Forbidden(path["uniqueItems"],
                      "uniqueItems cannot be set to true since the runtime complexity becomes "
                      "quadratic");
    }
    AdditionalProperties(schema, path, scope);
    Properties(schema, path, scope, is_root);
    Parts(schema, path, scope);
    Preserve(schema, path);
    MapType(schema, path);
    ListType(schema, path);
    if (Text(schema, kListType) == "map") MapKeys(schema, path);
    ItemsOfSetsAndMaps(schema, path);
    Rules(schema, path);
    if (state_.compiles_rules && walk_.error_count() == errors_before) {
      Walk walk(nullptr, &expression_errors_);
      const bool is_resource = is_root || True(schema, "x-kubernetes-embedded-resource");
      CheckSchemaRules(schema, {is_resource, scope.uncorrelated}, path, walk);
    }
  }
  // Errors of expressions come last, and only where the schema is right.
  void Finish() { walk_.Add(std::move(expression_errors_)); }

 private:
  void Fields(const Value& schema, const Path& path, const Scope& scope) {
    const std::string_view type = Text(schema, "type");
    if (!type.empty() && std::ranges::find(kTypes, type) == kTypes.end()) {
      walk_.NotSupported(path["type"], type, {kTypes.begin(), kTypes.end()});
    }
    if (Member(schema, "default") != nullptr && !scope.allows_defaults) {
      walk_.Forbidden(path["default"], "must not be set " + scope.why_no_defaults);
    }
    for (const std::string_view field :
         {"id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref"}) {
      const Value* value = Member(schema, field);
      const bool by_presence =
          field == "additionalItems" || field == "dependencies" || field == "$ref";
      if (value == nullptr || (!by_presence && IsEmpty(value))) continue;
      walk_.Forbidden(path[field], fmt::format("{} is not supported", field));
    }
    if (type == "null") {
      walk_.Forbidden(path["type"], "type cannot be set to null, use nullable as an alternative");
    }
    const Value* items = Member(schema, "items");
    if (items != nullptr && items->IsArray() && items->size() > 0) {
      walk_.Forbidden(path["items"], "items must be a schema object and not an array");
    }
    if (scope.inside_metadata && True(schema, "x-kubernetes-embedded-resource")) {
      walk_.Forbidden(path["x-kubernetes-embedded-resource"],
                      "must not be used inside of resource meta");
    }
  }

  void AdditionalProperties(const Value& schema, const Path& path, const Scope& scope) {
    const Value* additional = Member(schema, "additionalProperties");
    if (additional == nullptr) return;
    const Path at = path["additionalProperties"];
    const bool is_true = additional->IsBool() && additional->AsBool();
    if (!Map(schema, "properties").empty() && !is_true) {
      walk_.Forbidden(at, "additionalProperties and properties are mutual exclusive");
    }
    if (!additional->IsObject()) return;
    Scope within = scope;
    if (scope.inside_metadata) {
      ForbidDefaults("inside additionalProperties applying to object metadata", &within);
    }
    Check(*additional, at, within, false);
  }

  static void ForbidDefaults(std::string why, Scope* scope) {
    scope->allows_defaults = false;
    scope->why_no_defaults = std::move(why);
  }

  void Properties(const Value& schema, const Path& path, const Scope& scope, bool is_root) {
    const bool is_object = is_root || True(schema, "x-kubernetes-embedded-resource");
    const Path properties = path["properties"];
    for (const json::Member& property : Map(schema, "properties")) {
      Scope within = scope;
      const bool meta =
          property.name == "metadata" || property.name == "kind" || property.name == "apiVersion";
      if (is_object && meta) {
        within.inside_metadata = true;
        if (is_root) ForbidDefaults(fmt::format("in top-level {}", property.name), &within);
      }
      Check(property.value, properties.Key(property.name), within, false);
    }
  }

  void Parts(const Value& schema, const Path& path, const Scope& scope) {
    if (const Value* no = Member(schema, "not")) Check(*no, path["not"], scope, false);
    for (const std::string_view junctor : {"allOf", "oneOf", "anyOf"}) {
      CheckList(List(schema, junctor), path[junctor], scope);
    }
    CheckMap(Map(schema, "definitions"), path["definitions"], scope);
    if (const Value* items = Member(schema, "items")) {
      Scope within = scope;
      if (Text(schema, kListType) != "map") within.uncorrelated = path.ToString();
      if (items->IsObject()) Check(*items, path["items"], within, false);
      if (items->IsArray()) CheckList(items->elements(), path["items"], within);
    }
    CheckMap(Map(schema, "dependencies"), path["dependencies"], scope);
  }

  void CheckList(std::span<const Value> list, const Path& path, const Scope& scope) {
    size_t index = 0;
    for (const Value& schema : list) Check(schema, path[index++], scope, false);
  }

  void CheckMap(std::span<const json::Member> map, const Path& path, const Scope& scope) {
    for (const json::Member& member : map) {
      if (member.value.IsObject()) Check(member.value, path.Key(member.name), scope, false);
    }
  }

  void Preserve(const Value& schema, const Path& path) {
    const Value* preserve = Member(schema, "x-kubernetes-preserve-unknown-fields");
    if (preserve == nullptr || preserve->AsBool()) return;
    walk_.InvalidText(path["x-kubernetes-preserve-unknown-fields"], "false",
                      "must be true or undefined");
  }

  void RequireType(const Value& schema, std::string_view wanted, std::string_view extension,
                   const Path& path) {
    const std::string_view type = Text(schema, "type");
    const std::string detail = fmt::format("must be {} if {} is specified", wanted, extension);
    if (type.empty()) {
      walk_.Required(path["type"], detail);
    } else {
      walk_.Invalid(path["type"], type, detail);
    }
  }

  void MapType(const Value& schema, const Path& path) {
    if (Member(schema, kMapType) == nullptr) return;
    if (Text(schema, "type") != "object") RequireType(schema, "object", kMapType, path);
    walk_.Enum(path[kMapType], Text(schema, kMapType), {"atomic", "granular"});
  }

  void ListType(const Value& schema, const Path& path) {
    const bool has_type = Member(schema, kListType) != nullptr;
    const std::string_view list_type = Text(schema, kListType);
    if (has_type && Text(schema, "type") != "array") {
      RequireType(schema, "array", kListType, path);
    } else if (list_type == "set") {
      ItemsOfSet(SingleSchema(Member(schema, "items")), path["items"]);
    }
    if (has_type) walk_.Enum(path[kListType], list_type, {"atomic", "set", "map"});
    constexpr std::string_view kMustBeMap =
        "must be map if x-kubernetes-list-map-keys is non-empty";
    if (List(schema, kListKeys).empty()) return;
    if (!has_type) {
      walk_.Required(path[kListType], kMustBeMap);
    } else if (list_type != "map") {
      walk_.Invalid(path[kListType], list_type, kMustBeMap);
    }
  }

  // Elements of sets are compared as a whole.
  void ItemsOfSet(const Value* items, const Path& path) {
    if (items == nullptr) return;
    constexpr std::string_view kAtomic =
        "must be atomic as item of a list with x-kubernetes-list-type=set";
    const std::string_view type = Text(*items, "type");
    const Value* list_type = Member(*items, kListType);
    if (type == "array" && list_type != nullptr && Text(*items, kListType) != "atomic") {
      walk_.Invalid(path[kListType], Text(*items, kListType), kAtomic);
    } else if (type == "object" && Text(*items, kMapType) != "atomic") {
      walk_.Invalid(path[kMapType], list_type, kAtomic);  // the real server takes the one for
                                                          // the other
    }
  }

  void MapKeys(const Value& schema, const Path& path) {
    if (List(schema, kListKeys).empty()) {
      walk_.Required(path[kListKeys], "must not be empty if x-kubernetes-list-type is map");
    }
    const Path at = path["items"];
    const Value* items = Member(schema, "items");
    if (items == nullptr) {
      return walk_.Required(at, "must have a schema if x-kubernetes-list-type is map");
    }
    if (!items->IsObject()) {
      static const TypeId kItems =
          TypeOf("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray");
      return walk_.Invalid(at, *items, kItems,
                           "must only have a single schema if x-kubernetes-list-type is map");
    }
    const std::string_view type = Text(*items, "type");
    if (type != "object") {
      return walk_.Invalid(at["type"], type,
                           "must be object if parent array's x-kubernetes-list-type is map");
    }
    NameSet keys;
    const Path properties_path = at["properties"];
    for (const Value& element : List(schema, kListKeys)) {
      const std::string_view key = element.AsString();
      const Value* property = FindProperty(*items, key);
      const std::string_view key_type = property == nullptr ? "" : Text(*property, "type");
      if (property == nullptr) {
        walk_.Invalid(path[kListKeys], *schema.Find(kListKeys),
                      "entries must all be names of item properties");
      } else if (key_type == "array" || key_type == "object") {
        walk_.Invalid(properties_path.Key(key)["type"], type,
                      "must be a scalar type if parent array's x-kubernetes-list-type is map");
      }
      if (!keys.Insert(key)) {
        walk_.Invalid(path[kListKeys], *schema.Find(kListKeys),
                      "must not contain duplicate entries");
      }
    }
  }

  void ItemsOfSetsAndMaps(const Value& schema, const Path& path) {
    const Value* items = SingleSchema(Member(schema, "items"));
    const std::string_view list_type = Text(schema, kListType);
    if (items == nullptr || (list_type != "set" && list_type != "map")) return;
    const Path at = path["items"];
    if (True(*items, "nullable")) {
      walk_.Forbidden(at["nullable"],
                      fmt::format("cannot be nullable when {} is {}", kListType, list_type));
    }
    if (list_type == "set") return;
    NameSet required;
    for (const Value& name : List(*items, "required")) required.Insert(name.AsString());
    const Path properties_path = at["properties"];
    for (const Value& element : List(schema, kListKeys)) {
      const std::string_view key = element.AsString();
      const Value* property = FindProperty(*items, key);
      if (property == nullptr) continue;
      const Path property_path = properties_path.Key(key);
      if (!required.Has(key) && Member(*property, "default") == nullptr) {
        walk_.Required(property_path["default"],
                       "this property is in x-kubernetes-list-map-keys, so it must have a default "
                       "or be a required property");
      }
      if (True(*property, "nullable")) {
        walk_.Forbidden(property_path["nullable"],
                        "this property is in x-kubernetes-list-map-keys, so it cannot be nullable");
      }
    }
  }

  void Rules(const Value& schema, const Path& path) {
    const Path list = path["x-kubernetes-validations"];
    size_t index = 0;
    for (const Value& rule : List(schema, "x-kubernetes-validations")) {
      const Path at = list[index++];
      RuleTexts(rule, at);
      RuleFieldPath(schema, rule, at["fieldPath"]);
    }
  }

  void RuleTexts(const Value& rule, const Path& path) {
    const std::string_view expression = TrimSpace(Text(rule, "rule"));
    const std::string_view message = Text(rule, "message");
    if (expression.empty()) {
      walk_.Required(path["rule"], "rule is not specified");
    } else if (!message.empty() && TrimSpace(message).empty()) {
      walk_.Invalid(path["message"], message, "must be non-empty if specified");
    } else if (HasLineBreak(TrimSpace(message))) {
      walk_.Invalid(path["message"], message, "must not contain line breaks");
    } else if (HasLineBreak(expression) && message.empty()) {
      walk_.Required(path["message"], "message must be specified if rule contains line breaks");
    }
    const std::string_view message_expression = Text(rule, "messageExpression");
    if (!message_expression.empty() && TrimSpace(message_expression).empty()) {
      walk_.Required(path["messageExpression"], "messageExpression must be non-empty if specified");
    }
    if (Member(rule, "reason") != nullptr) {
      walk_.Enum(path["reason"], Text(rule, "reason"),
                 {"FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid",
                  "FieldValueRequired"});
    }
  }

  void RuleFieldPath(const Value& schema, const Value& rule, const Path& path) {
    const std::string_view text = Text(rule, "fieldPath");
    if (text.empty()) return;
    if (TrimSpace(text).empty()) walk_.Invalid(path, text, "must be non-empty if specified");
    if (HasLineBreak(text)) walk_.Invalid(path, text, "must not contain line breaks");
    if (state_.structural && !FindFieldInSchema(schema, text, true).error.empty()) {
      walk_.Invalid(path, text, "must be a valid path");
    }
  }

  const SchemaState state_;  // of the whole
  Walk& walk_;
  FieldErrors expression_errors_;
};

// The next part of a path: '.', '[', ']', a quoted name or what is between these; "" at the end.
std::string_view TakeToken(std::string_view* text) {
  size_t size = text->empty() ? 0 : 1;
  if (text->starts_with('\'')) {
    while (size < text->size() && ((*text)[size] != '\'' || (*text)[size - 1] == '\\')) ++size;
    size = std::min(size + 1, text->size());
  } else if (!text->empty() && std::string_view(".[]").find(text->front()) == text->npos) {
    size = std::min(text->find_first_of(".[]"), text->size());
  }
  const std::string_view token = text->substr(0, size);
  text->remove_prefix(size);
  return token;
}

std::string Unescape(std::string_view text, std::string* error) {
  constexpr std::string_view kDirectives = "abfnrtv'\\";
  constexpr std::string_view kCharacters = "\a\b\f\n\r\t\v'\\";
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    const size_t index = kDirectives.find(text[++i]);
    if (index == std::string_view::npos) {
      *error = fmt::format("invalid string literal: invalid escape char \\{}", text[i]);
      return "";
    }
    out += kCharacters[index];
  }
  return out;
}

}  // namespace

bool SchemaHas(const Value& schema, const std::function<bool(const Value&)>& holds) {
  if (!schema.IsObject()) return false;
  if (holds(schema)) return true;
  const auto has = [&](const Value& part) { return SchemaHas(part, holds); };
  const auto member_has = [&](const json::Member& member) { return has(member.value); };
  for (const std::string_view name : {"items", "not", "additionalProperties", "additionalItems"}) {
    const Value* part = Member(schema, name);
    if (part != nullptr && has(*part)) return true;
  }
  for (const std::string_view name : {"items", "allOf", "anyOf", "oneOf"}) {
    if (std::ranges::any_of(List(schema, name), has)) return true;
  }
  for (const std::string_view name :
       {"properties", "patternProperties", "definitions", "dependencies"}) {
    if (std::ranges::any_of(Map(schema, name), member_has)) return true;
  }
  return false;
}

const Value* FindProperty(const Value& schema, std::string_view name) {
  const auto properties = Map(schema, "properties");
  const auto it = std::ranges::lower_bound(properties, name, {}, &json::Member::name);
  return it == properties.end() || it->name != name ? nullptr : &it->value;
}

void CheckSchema(const Value& schema, SchemaState state, const Path& path, Walk& walk) {
  SchemaCheck check(state, walk);
  check.Check(schema, path, {}, true);
  check.Finish();
}

FieldInSchema FindFieldInSchema(const Value& schema, std::string_view json_path, bool brackets) {
  FieldInSchema found{.schema = &schema, .first = {}, .error = {}};
  const auto enter = [&found](std::string_view name) {
    const Value* next = Map(*found.schema, "properties").empty()
                            ? SingleSchema(Member(*found.schema, "additionalProperties"))
                            : FindProperty(*found.schema, name);
    if (next == nullptr) found.error = "does not refer to a valid field";
    if (next != nullptr) found.schema = next;
  };
  bool is_first = true;
  while (!json_path.empty() && found.error.empty()) {
    std::string_view token = TakeToken(&json_path);
    if (token == ".") {
      if (json_path.empty()) {
        found.error = "unexpected end of JSON path";
        break;
      }
      token = TakeToken(&json_path);
      enter(token);
    } else if (token != "[") {
      found.error = fmt::format("expected [ or . but got: {}", token);
    } else if (!brackets) {
      found.error = "array notation is not allowed";
    } else {
      token = TakeToken(&json_path);
      if (token.empty()) {
        found.error = "unexpected end of JSON path";
      } else if (token.size() < 2 || token.front() != '\'' || token.back() != '\'') {
        found.error = fmt::format("expected single quoted string but got {}", token);
      } else {
        const std::string name = Unescape(token.substr(1, token.size() - 2), &found.error);
        if (found.error.empty()) enter(name);
      }
      if (found.error.empty()) {
        const std::string_view end = TakeToken(&json_path);
        if (end.empty()) found.error = "unexpected end of JSON path";
        if (!end.empty() && end != "]") found.error = fmt::format("expected ] but got {}", end);
      }
    }
    if (is_first) found.first = token;
    is_first = false;
  }
  return found;
}

}  // namespace kulisse::openapi
