// Writes the definitions ("schemas") of OpenAPI documents from the type table, as kube-apiserver's
// documents have them, without descriptions.
//
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "apiserver/discovery/discovery.h"
#include "apiserver/discovery/json_writer.h"
#include "openapi/type_table.h"

namespace kulisse::apiserver {

enum class OpenApiVersion : uint8_t { kV2, kV3 };

// "#/definitions/NAME" or "#/components/schemas/NAME".
[[nodiscard]] std::string ReferenceTo(std::string_view definition, OpenApiVersion version);

struct GroupVersionName {
  std::string_view group;
  std::string_view version;
  auto operator<=>(const GroupVersionName&) const = default;
};

// SchemaWriter writes the definitions of one document.
// Borrows: the group versions that DeleteOptions and WatchEvent are said to belong to.
class SchemaWriter {
 public:
  SchemaWriter(OpenApiVersion version, const std::vector<GroupVersionName>& group_versions)
      : version_(version), group_versions_(group_versions) {}

  // The types that the named ones lead to, themselves included. Names that are no built-in types
  // are left out.
  [[nodiscard]] static std::set<std::string_view> Closure(const std::set<std::string>& names);

  // The schema of a built-in type.
  void WriteType(std::string_view name, JsonWriter* json) const;
  // The schema of a custom resource's kind from its definition's JSON (a structural schema, or ""),
  // and of its list.
  void WriteCustom(const openapi::ResourceInfo& row, std::string_view schema,
                   JsonWriter* json) const;
  void WriteCustomList(const openapi::ResourceInfo& row, JsonWriter* json) const;

 private:
  void WriteStruct(const openapi::TypeInfo& type, JsonWriter* json) const;
  void WriteField(const openapi::FieldInfo& field, JsonWriter* json) const;
  // The members of the schema of one value; `default_json` may be empty.
  void WriteValue(const openapi::FieldInfo& field, std::string_view default_json, bool described,
                  JsonWriter* json) const;
  void WriteKinds(const openapi::TypeInfo& type, JsonWriter* json) const;

  OpenApiVersion version_;
  const std::vector<GroupVersionName>& group_versions_;
};

}  // namespace kulisse::apiserver
