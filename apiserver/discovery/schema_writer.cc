#include "apiserver/discovery/schema_writer.h"

#include <algorithm>
#include <array>

#include "apiserver/discovery/operations.h"
#include "base/assert.h"
#include "base/json/parse.h"
#include "base/text.h"
#include "openapi/struct_builder.h"

namespace kulisse::apiserver {
namespace {

using openapi::FieldInfo;
using openapi::FieldShape;
using openapi::JsonField;
using openapi::ResourceInfo;
using openapi::TypeId;
using openapi::TypeInfo;
using openapi::TypeKind;
using openapi::TypeTable;

constexpr std::string_view kMeta = "io.k8s.apimachinery.pkg.apis.meta.v1.";

// Basic types are written in place; the rest has a definition of its own.
bool HasDefinition(const TypeInfo& type) {
  return type.kind == TypeKind::kStruct || type.name.find('.') != type.name.npos;
}

// Type and format of a type without a definition, or of one whose definition is no more than that.
struct Form {
  std::string_view type;
  std::string_view format;
};

Form FormOf(TypeKind kind) {
  switch (kind) {
    case TypeKind::kString:
    case TypeKind::kDuration:
    case TypeKind::kQuantity:
      return {"string", ""};
    case TypeKind::kBool:
      return {"boolean", ""};
    case TypeKind::kInt32:
      return {"integer", "int32"};
    case TypeKind::kInt64:
      return {"integer", "int64"};
    case TypeKind::kDouble:
      return {"number", "double"};
    case TypeKind::kBytes:
      return {"string", "byte"};
    case TypeKind::kTime:
    case TypeKind::kMicroTime:
      return {"string", "date-time"};
    case TypeKind::kIntOrString:
      return {"string", "int-or-string"};
    case TypeKind::kStringList:
      return {"array", ""};
    case TypeKind::kRawExtension:
    case TypeKind::kFieldsV1:
    case TypeKind::kStruct:
      return {"object", ""};
    case TypeKind::kJson:
    case TypeKind::kSchemaOrBool:
    case TypeKind::kSchemaOrArray:
    case TypeKind::kSchemaOrStrings:
      return {"", ""};
  }
  return {"", ""};
}

void WriteForm(Form form, JsonWriter* json) {
  if (!form.type.empty()) json->String("type", form.type);
  if (!form.format.empty()) json->String("format", form.format);
}

void WriteStrings(std::string_view name, std::string_view comma_separated, JsonWriter* json) {
  json->Array(name);
  for (const std::string_view text : Split(comma_separated, ',')) json->String(text);
  json->EndArray();
}

void WriteExtensions(const FieldInfo& field, JsonWriter* json) {
  if (!field.list_map_keys.empty()) {
    WriteStrings("x-kubernetes-list-map-keys", field.list_map_keys, json);
  }
  constexpr std::array<std::string_view, 4> kListTypes = {"", "atomic", "set", "map"};
  if (field.list_type != openapi::ListType::kNone) {
    json->String("x-kubernetes-list-type", kListTypes[static_cast<size_t>(field.list_type)]);
  }
  if (field.map_atomic) json->String("x-kubernetes-map-type", "atomic");
  if (field.map_granular) json->String("x-kubernetes-map-type", "granular");
  if (!field.patch_merge_key.empty()) {
    json->String("x-kubernetes-patch-merge-key", field.patch_merge_key);
  }
  if (field.patch_merge || field.patch_retain_keys) {
    json->String("x-kubernetes-patch-strategy", !field.patch_retain_keys ? "merge"
                                                : field.patch_merge      ? "merge,retainKeys"
                                                                         : "retainKeys");
  }
  if (field.patch_replace) json->String("x-kubernetes-patch-strategy", "replace");
}

void WriteKind(GroupVersionName gv, std::string_view kind, JsonWriter* json) {
  json->BeginObject();
  json->String("group", gv.group);
  json->String("kind", kind);
  json->String("version", gv.version);
  json->EndObject();
}

// Group and version of a type that says kind and apiVersion, by the row whose type is in the same
// package; meta types are of v1.
std::optional<GroupVersionName> GroupVersionOf(const TypeInfo& type) {
  const bool has_type_meta = !type.json_fields.empty() &&
                             type.json_fields.front().parent != nullptr &&
                             type.json_fields.front().parent->go_name == "TypeMeta";
  if (!has_type_meta) return std::nullopt;
  if (type.name.starts_with(kMeta)) return GroupVersionName{"", "v1"};
  const std::string_view package = type.name.substr(0, type.name.rfind('.'));
  for (const ResourceInfo& row : openapi::Catalog::BuiltIn().resources()) {
    const std::string_view other = TypeTable::BuiltIn().Get(row.type).name;
    if (other.substr(0, other.rfind('.')) == package) {
      return GroupVersionName{row.group, row.version};
    }
  }
  return std::nullopt;
}

}  // namespace

std::string ReferenceTo(std::string_view definition, OpenApiVersion version) {
  return std::string(version == OpenApiVersion::kV2 ? "#/definitions/" : "#/components/schemas/")
      .append(definition);
}

std::set<std::string_view> SchemaWriter::Closure(const std::set<std::string>& names) {
  const TypeTable& table = TypeTable::BuiltIn();
  std::set<std::string_view> found;
  std::vector<TypeId> open;
  for (const std::string& name : names) {
    if (const TypeId id = table.Find(name); id != openapi::kNoType) open.push_back(id);
  }
  while (!open.empty()) {
    const TypeInfo& type = table.Get(open.back());
    open.pop_back();
    // Custom ones are written from their schemas.
    if (type.custom || !HasDefinition(type) || !found.insert(type.name).second) continue;
    for (const JsonField& field : type.json_fields) open.push_back(field.field->type);
  }
  return found;
}

void SchemaWriter::WriteType(std::string_view name, JsonWriter* json) const {
  const TypeTable& table = TypeTable::BuiltIn();
  const TypeInfo& type = table.Get(table.Find(name));
  json->BeginObject();
  if (version_ == OpenApiVersion::kV3 && type.kind == TypeKind::kIntOrString) {
    json->String("format", "int-or-string");
    json->Raw("oneOf", R"([{"type":"integer"},{"type":"string"}])");
  } else if (version_ == OpenApiVersion::kV3 && type.kind == TypeKind::kQuantity) {
    json->Raw("oneOf", R"([{"type":"string"},{"type":"number"}])");
  } else {
    WriteForm(FormOf(type.kind), json);
  }
  if (type.kind == TypeKind::kStruct) WriteStruct(type, json);
  json->EndObject();
}

void SchemaWriter::WriteStruct(const TypeInfo& type, JsonWriter* json) const {
  std::vector<const FieldInfo*> fields;
  for (const JsonField& field : type.json_fields) fields.push_back(field.field);
  const auto is_required = [](const FieldInfo* field) { return field->required; };
  if (std::ranges::any_of(fields, is_required)) {
    json->Array("required");
    for (const FieldInfo* field : fields) {
      if (field->required) json->String(field->json_name);
    }
    json->EndArray();
  }
  if (!fields.empty()) {
    std::ranges::sort(fields, {}, &FieldInfo::json_name);
    json->Object("properties");
    for (const FieldInfo* field : fields) {
      json->Name(field->json_name);
      json->BeginObject();
      WriteField(*field, json);
      json->EndObject();
    }
    json->EndObject();
  }
  WriteKinds(type, json);
  if (type.map_atomic) json->String("x-kubernetes-map-type", "atomic");
  if (!type.unions.empty()) json->Raw("x-kubernetes-unions", type.unions);
}

void SchemaWriter::WriteField(const FieldInfo& field, JsonWriter* json) const {
  switch (field.shape) {
    case FieldShape::kSingle:
      WriteValue(field, FieldDefault(field), true, json);
      break;
    case FieldShape::kList:
      json->String("type", "array");
      json->Object("items");
      WriteValue(field, ImpliedDefault(field.kind), false, json);
      json->EndObject();
      break;
    case FieldShape::kMap:
      json->String("type", "object");
      json->Object("additionalProperties");
      WriteValue(field, ImpliedDefault(field.kind), false, json);
      json->EndObject();
      break;
  }
  WriteExtensions(field, json);
}

void SchemaWriter::WriteValue(const FieldInfo& field, std::string_view default_json, bool described,
                              JsonWriter* json) const {
  const TypeInfo& type = TypeTable::BuiltIn().Get(field.type);
  const bool v3 = version_ == OpenApiVersion::kV3;
  if (HasDefinition(type)) {
    // A reference has no siblings. Version 3 keeps those of properties, which are described and may
    // have a default, by wrapping it; version 2 drops them.
    const std::string reference = ReferenceTo(type.name, version_);
    if (v3 && (described || !default_json.empty())) {
      if (!default_json.empty()) json->Raw("default", default_json);
      json->Array("allOf");
      json->BeginObject();
      json->String("$ref", reference);
      json->EndObject();
      json->EndArray();
    } else {
      json->String("$ref", reference);
    }
    return;
  }
  WriteForm(FormOf(type.kind), json);
  if (type.kind == TypeKind::kStringList) {
    json->Object("items");
    json->String("type", "string");
    if (v3) json->String("default", "");
    json->EndObject();
  }
  if (v3 && !default_json.empty()) json->Raw("default", default_json);
  if (!field.enum_values.empty()) WriteStrings("enum", field.enum_values, json);
}

void SchemaWriter::WriteKinds(const TypeInfo& type, JsonWriter* json) const {
  const bool everywhere = type.name.starts_with(kMeta) &&
                          (type.go_name == "DeleteOptions" || type.go_name == "WatchEvent");
  const std::optional<GroupVersionName> own = GroupVersionOf(type);
  if (!everywhere && !own) return;
  json->Array("x-kubernetes-group-version-kind");
  if (everywhere) {
    for (const GroupVersionName& gv : group_versions_) WriteKind(gv, type.go_name, json);
  } else {
    WriteKind(*own, type.go_name, json);
  }
  json->EndArray();
}

void SchemaWriter::WriteCustom(const ResourceInfo& row, std::string_view schema,
                               JsonWriter* json) const {
  const auto parsed = json::Parse(schema);
  const bool usable = parsed.has_value() && parsed->root.IsObject();
  json->BeginObject();
  json->String("type", "object");
  json->Object("properties");
  json->Raw("apiVersion", R"({"type":"string"})");
  json->Raw("kind", R"({"type":"string"})");
  json->Name("metadata");
  json->BeginObject();
  json->String("$ref", ReferenceTo(std::string(kMeta) + "ObjectMeta", version_));
  json->EndObject();
  // Version 2 has no words for much of what a structural schema may say, so it stays silent.
  const json::Value* properties =
      usable && version_ == OpenApiVersion::kV3 ? parsed->root.Find("properties") : nullptr;
  if (properties != nullptr) {
    for (const json::Member& member : properties->members()) {
      if (member.name == "apiVersion" || member.name == "kind" || member.name == "metadata")
        continue;
      json->Raw(member.name, json::ToString(member.value));
    }
  }
  json->EndObject();
  if (usable) {
    for (const json::Member& member : parsed->root.members()) {
      if (member.name == "type" || member.name == "properties") continue;
      if (version_ == OpenApiVersion::kV2 && member.name != "description") continue;
      json->Raw(member.name, json::ToString(member.value));
    }
  }
  json->Array("x-kubernetes-group-version-kind");
  WriteKind({row.group, row.version}, row.kind, json);
  json->EndArray();
  json->EndObject();
}

void SchemaWriter::WriteCustomList(const ResourceInfo& row, JsonWriter* json) const {
  json->BeginObject();
  json->String("type", "object");
  json->Raw("required", R"(["items"])");
  json->Object("properties");
  json->Raw("apiVersion", R"({"type":"string"})");
  json->Object("items");
  json->String("type", "array");
  json->Object("items");
  json->String("$ref", ReferenceTo(DefinitionName(row), version_));
  json->EndObject();
  json->EndObject();
  json->Raw("kind", R"({"type":"string"})");
  json->Object("metadata");
  json->String("$ref", ReferenceTo(std::string(kMeta) + "ListMeta", version_));
  json->EndObject();
  json->EndObject();
  json->Array("x-kubernetes-group-version-kind");
  WriteKind({row.group, row.version}, std::string(row.kind) + "List", json);
  json->EndArray();
  json->EndObject();
}

}  // namespace kulisse::apiserver
