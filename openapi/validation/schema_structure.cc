// Structural schemas: those from which the fields of an object can be told without its values.
// Upstream: apiextensions-apiserver/pkg/apiserver/schema (convert.go, validation.go, complete.go).
#include <algorithm>

#include "openapi/go_regex.h"
#include "openapi/validation/schemas.h"

namespace kulisse::openapi {

namespace {

enum class Level : uint8_t { kRoot, kItem, kField };

constexpr std::string_view kPreserve = "x-kubernetes-preserve-unknown-fields";
constexpr std::string_view kEmbedded = "x-kubernetes-embedded-resource";
constexpr std::string_view kIntOrString = "x-kubernetes-int-or-string";

bool HasItems(const Value& schema) { return Member(schema, "items") != nullptr; }

const Value* AdditionalSchema(const Value& schema) {
  const Value* additional = Member(schema, "additionalProperties");
  return additional != nullptr && additional->IsObject() ? additional : nullptr;
}

// --- what structural schemas have no word for

std::string UnsupportedField(const Value& schema) {
  constexpr std::pair<std::string_view, std::string_view> kUnsupported[] = {
      {"id", "id"},
      {"$schema", "schema"},
      {"$ref", "$ref"},
      {"patternProperties", "patternProperties"},
      {"dependencies", "dependencies"},
      {"additionalItems", "additionalItems"},
      {"definitions", "definitions"}};
  for (const auto& [field, name] : kUnsupported) {
    const Value* value = Member(schema, field);
    if (value == nullptr || (field != "additionalItems" && IsEmpty(value))) continue;
    return fmt::format("OpenAPIV3Schema '{}' is not supported", name);
  }
  return "";
}

// --- int-or-string, the one type that may be told by values

// anyOf: [{type: integer}, {type: string}]
bool IsIntOrString(const Value& schema) {
  const auto any = List(schema, "anyOf");
  const auto is_type = [](const Value& part, std::string_view type) {
    return part.IsObject() && part.size() == 1 && Text(part, "type") == type;
  };
  return any.size() == 2 && is_type(any[0], "integer") && is_type(any[1], "string");
}

bool AllOfStartsWithIntOrString(const Value& schema) {
  const auto all = List(schema, "allOf");
  return !all.empty() && IsIntOrString(all[0]);
}

// --- rules of values (under anyOf, allOf, oneOf and not) name no structure

class StructureCheck {
 public:
  explicit StructureCheck(Walk& walk) : walk_(walk) {}

  void Schema(const Value& schema, Level level, const Path& path) {
    const std::string_view type = Text(schema, "type");
    if (type == "array" && !HasItems(schema)) walk_.Required(path["items"], "must be specified");
    if (const Value* items = Member(schema, "items")) Schema(*items, Level::kItem, path["items"]);
    const Path properties = path["properties"];
    for (const json::Member& property : Map(schema, "properties")) {
      Schema(property.value, Level::kField, properties.Key(property.name));
    }
    if (Member(schema, "additionalProperties") != nullptr) {
      const Path at = path["additionalProperties"];
      if (level == Level::kRoot) walk_.Forbidden(at, "must not be used at the root");
      const Value* additional = AdditionalSchema(schema);
      if (additional != nullptr) Schema(*additional, Level::kField, at);
    }
    Extensions(schema, path);
    Values(schema, IsIntOrString(schema), AllOfStartsWithIntOrString(schema), path);
    Type(schema, level, path);
    Metadata(schema, level, path);
    if (True(schema, kEmbedded) && !True(schema, kPreserve) && Map(schema, "properties").empty()) {
      walk_.Required(path["properties"],
                     "must not be empty if x-kubernetes-embedded-resource is true without "
                     "x-kubernetes-preserve-unknown-fields");
    }
  }

  // That what values are told about is there: `part` tells of `schema`.
  void Completeness(const Value& part, const Value& schema, const Path& schema_path,
                    const Path& path) {
    if (const Value* no = Member(part, "not")) {
      NestedCompleteness(*no, &schema, schema_path, path["not"]);
    }
    for (const std::string_view junctor : {"allOf", "anyOf", "oneOf"}) {
      const Path list = path[junctor];
      size_t index = 0;
      for (const Value& element : List(part, junctor)) {
        NestedCompleteness(element, &schema, schema_path, list[index++]);
      }
    }
  }

 private:
  void Extensions(const Value& schema, const Path& path) {
    if (!True(schema, kIntOrString)) return;
    for (const std::string_view extension : {kPreserve, kEmbedded}) {
      if (!True(schema, extension)) continue;
      walk_.InvalidText(path[extension], "true",
                        "must be false if x-kubernetes-int-or-string is true");
    }
  }

  void Type(const Value& schema, Level level, const Path& path) {
    const std::string_view type = Text(schema, "type");
    const Path at = path["type"];
    constexpr std::string_view kObject = "must be object if x-kubernetes-embedded-resource is true";
    if (True(schema, kEmbedded) && type != "object") {
      if (type.empty()) {
        walk_.Required(at, kObject);
      } else {
        walk_.Invalid(at, type, kObject);
      }
    } else if (type.empty() && !True(schema, kIntOrString) && !True(schema, kPreserve)) {
      walk_.Required(at, level == Level::kRoot   ? "must not be empty at the root"
                         : level == Level::kItem ? "must not be empty for specified array items"
                                                 : "must not be empty for specified object fields");
    }
    if (True(schema, kEmbedded) && Member(schema, "additionalProperties") != nullptr) {
      walk_.Forbidden(path["additionalProperties"],
                      "must not be used if x-kubernetes-embedded-resource is set");
    }
    if (level == Level::kRoot && !type.empty() && type != "object") {
      walk_.Invalid(at, type, "must be object at the root");
    }
  }

  void Metadata(const Value& schema, Level level, const Path& path) {
    const bool is_object = level == Level::kRoot || True(schema, kEmbedded);
    const Path properties = path["properties"];
    for (const std::string_view name : {"kind", "apiVersion"}) {
      const Value* property = FindProperty(schema, name);
      if (!is_object || property == nullptr || Text(*property, "type") == "string") continue;
      walk_.Invalid(properties.Key(name)["type"], Text(*property, "type"), "must be string");
    }
    const Value* metadata = FindProperty(schema, "metadata");
    if (metadata == nullptr) return;
    const Path at = properties.Key("metadata");
    if (is_object && Text(*metadata, "type") != "object") {
      walk_.Invalid(at["type"], Text(*metadata, "type"), "must be object");
    }
    if (level == Level::kRoot && !TellsOnlyNames(*metadata)) {
      walk_.Forbidden(at,
                      "must not specify anything other than name and generateName, but metadata "
                      "is implicitly specified");
    }
  }

  // Whether the schema of metadata says nothing but that of names.
  static bool TellsOnlyNames(const Value& metadata) {
    return std::ranges::all_of(metadata.members(), [](const json::Member& member) {
      if (member.name == "type" || member.name == "default") return true;
      if (member.name != "properties") return IsEmpty(&member.value);
      return std::ranges::all_of(member.value.members(), [](const json::Member& property) {
        return property.name == "name" || property.name == "generateName";
      });
    });
  }

  // Rules of values: those of a schema, or nested ones.
  void Values(const Value& part, bool skip_any, bool skip_any_of_first, const Path& path) {
    if (!skip_any) Junctor(part, "anyOf", false, path);
    Junctor(part, "allOf", skip_any_of_first, path);
    Junctor(part, "oneOf", false, path);
    if (const Value* no = Member(part, "not")) Nested(*no, false, path["not"]);
    Pattern(Text(part, "pattern"), path["pattern"]);
  }

  void Pattern(std::string_view pattern, const Path& path) {
    if (pattern.empty()) return;
    const std::string error = RegexErrorOf(*CompileRegex(pattern), pattern);
    if (error.empty()) return;
    walk_.Invalid(path, pattern, "must be a valid regular expression, but isn't: " + error);
  }

  void Junctor(const Value& part, std::string_view name, bool skip_any_of_first, const Path& path) {
    const Path list = path[name];
    size_t index = 0;
    for (const Value& element : List(part, name)) {
      Nested(element, skip_any_of_first && index == 0, list[index]);
      ++index;
    }
  }

  void Nested(const Value& part, bool skip_any, const Path& path) {
    Values(part, skip_any, false, path);
    if (const Value* items = Member(part, "items")) Nested(*items, false, path["items"]);
    const Path properties = path["properties"];
    for (const json::Member& property : Map(part, "properties")) {
      Nested(property.value, false, properties.Key(property.name));
    }
    constexpr std::pair<std::string_view, std::string_view> kForbidden[] = {
        {"type", "empty"},
        {"additionalProperties", "undefined"},
        {"default", "undefined"},
        {"title", "empty"},
        {"description", "empty"},
        {"nullable", "false"},
        {kPreserve, "false"},
        {kEmbedded, "false"},
        {kIntOrString, "false"},
        {"x-kubernetes-list-map-keys", "empty"},
        {"x-kubernetes-list-type", "undefined"},
        {"x-kubernetes-map-type", "undefined"},
        {"x-kubernetes-validations", "empty"}};
    for (const auto& [field, what] : kForbidden) {
      const Value* value = Member(part, field);
      const bool has = value != nullptr && (what == "undefined" ? !IsFalse(*value)
                                            : what == "false"   ? True(part, field)
                                                                : !IsEmpty(value));
      if (has) walk_.Forbidden(path[field], fmt::format("must be {} to be structural", what));
    }
    if (FindProperty(part, "metadata") != nullptr) {
      walk_.Forbidden(properties.Key("metadata"), "must not be specified in a nested context");
    }
  }

  static bool IsFalse(const Value& value) { return value.IsBool() && !value.AsBool(); }

  void NestedCompleteness(const Value& part, const Value* schema, const Path& schema_path,
                          const Path& path) {
    if (schema == nullptr) {
      walk_.Required(schema_path, "because it is defined in " + path.ToString());
      return;
    }
    Completeness(part, *schema, schema_path, path);
    if (const Value* items = Member(part, "items")) {
      NestedCompleteness(*items, Member(*schema, "items"), schema_path["items"], path["items"]);
    }
    const Path schema_fields = schema_path["properties"];
    const Path part_fields = path["properties"];
    for (const json::Member& property : Map(part, "properties")) {
      NestedCompleteness(property.value, FindProperty(*schema, property.name),
                         schema_fields.Key(property.name), part_fields.Key(property.name));
    }
  }

  Walk& walk_;
};

}  // namespace

std::string StructuralObstacle(const Value& schema) {
  std::string obstacle;
  // Depth first, in the order of the members.
  const bool has = SchemaHas(schema, [&](const Value& part) {
    obstacle = UnsupportedField(part);
    if (!obstacle.empty()) return true;
    const Value* preserve = Member(part, kPreserve);
    if (preserve != nullptr && preserve->IsBool() && !preserve->AsBool()) {
      obstacle = fmt::format("internal error: '{}' must be true or undefined", kPreserve);
    } else if (const Value* items = Member(part, "items"); items != nullptr && items->IsArray()) {
      obstacle = "OpenAPIV3Schema 'items' must be a schema, but is an array";
    }
    return !obstacle.empty();
  });
  return has ? obstacle : "";
}

void CheckStructure(const Value& schema, const Path& path, Walk& walk) {
  FieldErrors errors;
  Walk within(walk.old(), &errors);
  StructureCheck check(within);
  check.Schema(schema, Level::kRoot, path);
  check.Completeness(schema, schema, path, path);
  const auto text = [](const FieldError& error) { return error.path + ": " + error.detail; };
  std::ranges::sort(errors, {}, text);
  walk.Add(std::move(errors));
}

}  // namespace kulisse::openapi
