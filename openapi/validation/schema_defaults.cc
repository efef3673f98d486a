#include "openapi/validation/schema_defaults.h"

#include <utility>

#include "openapi/structural_schema.h"
#include "openapi/validation/schemas.h"

namespace kulisse::openapi {

namespace {

bool IsOfAllObjects(std::string_view name) {
  return name == "metadata" || name == "kind" || name == "apiVersion";
}

// Whether the value has a field that the schema would drop.
bool HasUnknownFields(const Value& value, const Value& schema, bool is_resource) {
  if (value.IsArray()) {
    const Value& items = Part(schema, "items");
    for (const Value& element : value.elements()) {
      if (HasUnknownFields(element, items, True(items, "x-kubernetes-embedded-resource"))) {
        return true;
      }
    }
    return false;
  }
  if (!value.IsObject()) return false;
  const Value* additional = Member(schema, "additionalProperties");
  for (const json::Member& member : value.members()) {
    if (is_resource && IsOfAllObjects(member.name)) continue;
    const Value* part = FindProperty(schema, member.name);
    if (part == nullptr && additional != nullptr && additional->IsObject()) part = additional;
    if (part == nullptr) {
      if (True(schema, "x-kubernetes-preserve-unknown-fields")) continue;
      if (additional != nullptr && additional->IsBool() && additional->AsBool()) continue;
      return true;
    }
    const bool embedded = True(*part, "x-kubernetes-embedded-resource");
    if (HasUnknownFields(member.value, *part, embedded)) return true;
  }
  return false;
}

void CheckDefault(const Value& schema, bool inside_metadata, const Path& path, Walk& walk) {
  const Value* value = Member(schema, "default");
  if (value == nullptr) return;
  const bool embedded = True(schema, "x-kubernetes-embedded-resource");
  if (!inside_metadata && HasUnknownFields(*value, schema, embedded)) {
    walk.Invalid(path, *value, "must not have unknown fields");
  }
  FieldErrors errors;
  ValidateBySchema(*value, schema, path.ToString(), &errors);
  walk.Add(std::move(errors));
}

void Check(const Value& schema, bool is_resource, bool inside_metadata, const Path& path,
           Walk& walk) {
  is_resource = is_resource || True(schema, "x-kubernetes-embedded-resource");
  inside_metadata = inside_metadata && !is_resource;
  CheckDefault(schema, inside_metadata, path["default"], walk);
  const Value* items = Member(schema, "items");
  if (items != nullptr && items->IsObject()) {
    Check(*items, false, inside_metadata, path["items"], walk);
  }
  const Path properties = path["properties"];
  for (const json::Member& property : Map(schema, "properties")) {
    const bool within = inside_metadata || (is_resource && IsOfAllObjects(property.name));
    Check(property.value, false, within, properties.Key(property.name), walk);
  }
}

}  // namespace

void CheckSchemaDefaults(const Value& schema, const Path& path, Walk& walk) {
  Check(schema, true, false, path, walk);
}

}  // namespace kulisse::openapi
