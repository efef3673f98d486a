#include "apiserver/discovery/openapi_documents.h"

#include <algorithm>
#include <array>
#include <set>

#include "apiserver/discovery/json_writer.h"
#include "apiserver/discovery/openapi_protobuf.h"
#include "apiserver/discovery/operations.h"
#include "apiserver/discovery/schema_writer.h"
#include "base/assert.h"
#include "base/json/parse.h"
#include "base/text.h"

namespace kulisse::apiserver {
namespace {

using openapi::ResourceInfo;

constexpr std::string_view kInfo = R"({"title":"Kubernetes","version":"1.36"})";
constexpr std::string_view kCustomInfo = R"({"title":"Kubernetes CRD Swagger","version":"v0.1.0"})";
constexpr std::string_view kSecurity =
    R"({"BearerToken":{"type":"apiKey","name":"authorization","in":"header"}})";
constexpr std::string_view kPatch = "io.k8s.apimachinery.pkg.apis.meta.v1.Patch";

using MediaTypes = std::vector<std::string_view>;

MediaTypes AnswerTypes(const Operation& operation, bool custom) {
  switch (operation.media) {
    case OperationMedia::kObject:
      if (custom) return {"application/json", "application/yaml"};
      return {"application/json", "application/yaml", "application/vnd.kubernetes.protobuf"};
    case OperationMedia::kWatchable:
      if (custom) return {"application/json", "application/yaml"};
      return {"application/json", "application/yaml", "application/vnd.kubernetes.protobuf",
              "application/json;stream=watch", "application/vnd.kubernetes.protobuf;stream=watch"};
    case OperationMedia::kLog:
      return {"text/plain", "application/json", "application/yaml",
              "application/vnd.kubernetes.protobuf"};
    case OperationMedia::kAny:
      return {"*/*"};
    case OperationMedia::kJson:
      return {"application/json"};
    case OperationMedia::kKeySet:
      return {"application/jwk-set+json"};
  }
  return {};
}

MediaTypes BodyTypes(const Operation& operation, bool custom) {
  if (operation.body == kPatch) {
    MediaTypes types = {"application/json-patch+json", "application/merge-patch+json",
                        "application/apply-patch+yaml"};
    if (!custom) types.insert(types.begin() + 2, "application/strategic-merge-patch+json");
    return types;
  }
  if (custom) return {"application/json", "application/yaml"};
  return {"*/*"};
}

std::string_view CodeText(int code) {
  return code == 200 ? "OK" : code == 201 ? "Created" : "Accepted";
}

void WriteActionAndKind(const Operation& operation, JsonWriter* json) {
  if (operation.action.empty()) return;
  json->String("x-kubernetes-action", operation.action);
  json->Object("x-kubernetes-group-version-kind");
  json->String("group", operation.group);
  json->String("version", operation.version);
  json->String("kind", operation.kind);
  json->EndObject();
}

void WriteTagAndId(const PathItem& item, const Operation& operation, JsonWriter* json) {
  json->Array("tags");
  json->String(item.tag);
  json->EndArray();
  json->String("operationId", operation.id);
}

bool IsCustom(const ResourceInfo* row) { return row->custom; }

// The names of definitions that the operations and the custom rows lead to.
std::set<std::string> NeededDefinitions(const std::vector<PathItem>& items, ResourceRows rows) {
  std::set<std::string> names;
  for (const PathItem& item : items) {
    for (const Operation& operation : item.operations) {
      if (!operation.body.empty()) names.insert(operation.body);
      if (!operation.response.empty()) names.insert(operation.response);
    }
  }
  if (std::ranges::any_of(rows, IsCustom)) {
    names.insert("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta");
    names.insert("io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta");
  }
  return names;
}

// --- Version 3

void WriteParametersV3(const std::vector<OperationParameter>& parameters, JsonWriter* json) {
  if (parameters.empty()) return;
  json->Array("parameters");
  for (const OperationParameter& parameter : parameters) {
    json->BeginObject();
    json->String("name", parameter.name);
    json->String("in", parameter.in_path ? "path" : "query");
    if (parameter.in_path) json->Bool("required", true);
    json->Object("schema");
    json->String("type", parameter.type);
    json->Bool("uniqueItems", true);
    json->EndObject();
    json->EndObject();
  }
  json->EndArray();
}

void WriteContentV3(MediaTypes types, std::string_view definition, JsonWriter* json) {
  std::ranges::sort(types);
  json->Object("content");
  for (const std::string_view type : types) {
    json->Object(type);
    json->Object("schema");
    if (definition.empty()) {
      json->String("type", "string");
    } else {
      json->String("$ref", ReferenceTo(definition, OpenApiVersion::kV3));
    }
    json->EndObject();
    json->EndObject();
  }
  json->EndObject();
}

void WriteOperationV3(const PathItem& item, const Operation& operation, JsonWriter* json) {
  json->Object(operation.method);
  WriteTagAndId(item, operation, json);
  WriteParametersV3(operation.parameters, json);
  if (!operation.body.empty()) {
    json->Object("requestBody");
    WriteContentV3(BodyTypes(operation, item.custom), operation.body, json);
    if (!operation.body_optional) json->Bool("required", true);
    json->EndObject();
  }
  json->Object("responses");
  for (const int code : operation.codes) {
    json->Object(std::to_string(code));
    json->String("description", CodeText(code));
    WriteContentV3(AnswerTypes(operation, item.custom), operation.response, json);
    json->EndObject();
  }
  json->Raw("401", R"({"description":"Unauthorized"})");
  json->EndObject();
  WriteActionAndKind(operation, json);
  json->EndObject();
}

void WritePathsV3(const std::vector<PathItem>& items, JsonWriter* json) {
  json->Object("paths");
  for (const PathItem& item : items) {
    json->Object(item.path);
    for (const Operation& operation : item.operations) WriteOperationV3(item, operation, json);
    WriteParametersV3(item.parameters, json);
    json->EndObject();
  }
  json->EndObject();
}

// --- Version 2

// Parameters that many operations share stand once in the document, by this name.
std::string SharedName(const OperationParameter& parameter) {
  return std::string(parameter.name).append(parameter.in_path ? "-path" : "-query");
}

void WriteParameterV2(const OperationParameter& parameter, JsonWriter* json) {
  json->BeginObject();
  json->Bool("uniqueItems", true);
  json->String("type", parameter.type);
  json->String("name", parameter.name);
  json->String("in", parameter.in_path ? "path" : "query");
  if (parameter.in_path) json->Bool("required", true);
  json->EndObject();
}

void WriteParametersV2(const Operation* operation,
                       const std::vector<OperationParameter>& parameters, JsonWriter* json) {
  const bool body = operation != nullptr && !operation->body.empty();
  if (parameters.empty() && !body) return;
  json->Array("parameters");
  if (body) {
    json->BeginObject();
    json->String("name", "body");
    json->String("in", "body");
    if (!operation->body_optional) json->Bool("required", true);
    json->Object("schema");
    json->String("$ref", ReferenceTo(operation->body, OpenApiVersion::kV2));
    json->EndObject();
    json->EndObject();
  }
  for (const OperationParameter& parameter : parameters) {
    json->BeginObject();
    json->String("$ref", "#/parameters/" + SharedName(parameter));
    json->EndObject();
  }
  json->EndArray();
}

void WriteTypesV2(std::string_view name, const MediaTypes& types, JsonWriter* json) {
  json->Array(name);
  for (const std::string_view type : types) json->String(type);
  json->EndArray();
}

// What the operation takes: discovery documents take what they give, unless that is plain text.
MediaTypes ConsumesV2(const PathItem& item, const Operation& operation) {
  if (!operation.body.empty()) return BodyTypes(operation, item.custom);
  if (operation.action.empty()) {
    return operation.response.empty() ? MediaTypes() : AnswerTypes(operation, item.custom);
  }
  return item.custom ? MediaTypes{"application/json", "application/yaml"} : MediaTypes{"*/*"};
}

void WriteOperationV2(const PathItem& item, const Operation& operation, JsonWriter* json) {
  json->Object(operation.method);
  if (const MediaTypes types = ConsumesV2(item, operation); !types.empty()) {
    WriteTypesV2("consumes", types, json);
  }
  WriteTypesV2("produces", AnswerTypes(operation, item.custom), json);
  json->Raw("schemes", R"(["https"])");
  WriteTagAndId(item, operation, json);
  WriteParametersV2(&operation, operation.parameters, json);
  json->Object("responses");
  for (const int code : operation.codes) {
    json->Object(std::to_string(code));
    json->String("description", CodeText(code));
    json->Object("schema");
    if (operation.response.empty()) {
      json->String("type", "string");
    } else {
      json->String("$ref", ReferenceTo(operation.response, OpenApiVersion::kV2));
    }
    json->EndObject();
    json->EndObject();
  }
  json->Raw("401", R"({"description":"Unauthorized"})");
  json->EndObject();
  WriteActionAndKind(operation, json);
  json->EndObject();
}

void WriteSharedParametersV2(const std::vector<PathItem>& items, JsonWriter* json) {
  std::map<std::string, OperationParameter> shared;
  const auto add = [&](const std::vector<OperationParameter>& parameters) {
    for (const OperationParameter& parameter : parameters) {
      const auto [found, is_new] = shared.emplace(SharedName(parameter), parameter);
      KULISSE_ASSERT(found->second == parameter);
    }
  };
  for (const PathItem& item : items) {
    add(item.parameters);
    for (const Operation& operation : item.operations) add(operation.parameters);
  }
  json->Object("parameters");
  for (const auto& [name, parameter] : shared) {
    json->Name(name);
    WriteParameterV2(parameter, json);
  }
  json->EndObject();
}

std::string WithoutQuotes(std::string_view etag) {
  return std::string(etag.substr(1, etag.size() - 2));
}

// Hashes of documents that are made of built-in rows alone: the same for all servers of a process.
struct BuiltInHashes {
  std::mutex mutex;
  std::map<std::string, std::string, std::less<>> by_path;  // guarded by mutex
};
BuiltInHashes& SharedHashes() {
  static BuiltInHashes* const hashes = new BuiltInHashes;
  return *hashes;
}

}  // namespace

OpenApiDocuments::OpenApiDocuments(std::vector<const ResourceInfo*> rows)
    : rows_(std::move(rows)) {}

std::vector<const ResourceInfo*> OpenApiDocuments::RowsOf(std::string_view group,
                                                          std::string_view version) const {
  std::vector<const ResourceInfo*> rows;
  std::ranges::copy_if(rows_, std::back_inserter(rows), [&](const ResourceInfo* row) {
    return row->group == group && row->version == version;
  });
  return rows;
}

std::vector<std::string> OpenApiDocuments::V3Paths() const {
  std::set<std::string> paths = {"api", "apis", "version", "openid/v1/jwks",
                                 ".well-known/openid-configuration"};
  for (const ResourceInfo* row : rows_) {
    if (row->group.empty()) {
      paths.insert(std::string("api/").append(row->version));
      continue;
    }
    const std::string group = std::string("apis/").append(row->group);
    if (!IsCustom(row)) paths.insert(group);
    paths.insert(std::string(group).append("/").append(row->version));
  }
  return {paths.begin(), paths.end()};
}

std::optional<OpenApiDocuments::V3Contents> OpenApiDocuments::V3ContentsOf(
    std::string_view path) const {
  V3Contents contents;
  const std::vector<std::string_view> parts = Split(path, '/');  // never empty
  const bool below_apis = parts[0] == "apis" && parts.size() > 1 && !parts[1].empty();
  if (path == "api") {
    contents.items.push_back(CoreVersionsPath());
  } else if (path == "apis") {
    contents.items.push_back(GroupListPath());
  } else if (path == "version") {
    contents.items.push_back(VersionPath());
  } else if (path == "openid/v1/jwks") {
    contents.items.push_back(KeySetPath());
  } else if (path == ".well-known/openid-configuration") {
    contents.items.push_back(IssuerPath());
  } else if (below_apis && parts.size() == 2) {
    const auto is_of_group = [&](const ResourceInfo* row) {
      return row->group == parts[1] && !IsCustom(row);
    };
    if (std::ranges::none_of(rows_, is_of_group)) return std::nullopt;
    contents.items.push_back(GroupPath(parts[1]));
  } else if ((below_apis && parts.size() == 3) || (parts[0] == "api" && parts.size() == 2)) {
    contents.group = below_apis ? parts[1] : std::string_view();
    contents.version = parts.back();
    contents.rows = RowsOf(contents.group, contents.version);
    if (contents.rows.empty()) return std::nullopt;
    contents.items = ResourcePaths(contents.rows);
  } else {
    return std::nullopt;
  }
  return contents;
}

std::optional<std::string> OpenApiDocuments::V3Body(std::string_view path) const {
  const std::optional<V3Contents> contents = V3ContentsOf(path);
  if (!contents) return std::nullopt;
  const std::vector<const ResourceInfo*>& rows = contents->rows;
  const bool custom = !rows.empty() && std::ranges::all_of(rows, IsCustom);
  std::vector<GroupVersionName> group_versions = {{"", "v1"}};
  if (!contents->group.empty()) group_versions.push_back({contents->group, contents->version});

  std::string out;
  JsonWriter json(&out);
  json.BeginObject();
  json.String("openapi", "3.0.0");
  json.Raw("info", custom ? kCustomInfo : kInfo);
  WritePathsV3(contents->items, &json);
  json.Object("components");
  const SchemaWriter schemas(OpenApiVersion::kV3, group_versions);
  const std::set<std::string> needed = NeededDefinitions(contents->items, rows);
  if (!needed.empty()) {
    json.Object("schemas");
    WriteDefinitions(schemas, needed, rows, &json);
    json.EndObject();
  }
  if (!custom) json.Raw("securitySchemes", kSecurity);
  json.EndObject();
  json.EndObject();
  return out;
}

void OpenApiDocuments::WriteDefinitions(const SchemaWriter& schemas,
                                        const std::set<std::string>& needed, ResourceRows rows,
                                        JsonWriter* json) const {
  for (const ResourceInfo* row : rows) {
    if (!IsCustom(row)) continue;
    json->Name(DefinitionName(*row));
    schemas.WriteCustom(*row, row->schema, json);
    json->Name(DefinitionName(*row) + "List");
    schemas.WriteCustomList(*row, json);
  }
  for (const std::string_view name : SchemaWriter::Closure(needed)) {
    json->Name(name);
    schemas.WriteType(name, json);
  }
}

std::string OpenApiDocuments::V3Hash(const std::string& path) const {
  const bool built_in = std::ranges::none_of(rows_, [&](const ResourceInfo* row) {
    return IsCustom(row) &&
           path == std::string("apis/").append(row->group).append("/").append(row->version);
  });
  std::mutex& mutex = built_in ? SharedHashes().mutex : mutex_;
  auto& hashes = built_in ? SharedHashes().by_path : v3_hashes_;
  const std::lock_guard lock(mutex);
  if (const auto found = hashes.find(path); found != hashes.end()) return found->second;
  const std::optional<std::string> body = V3Body(path);
  KULISSE_ASSERT(body.has_value());
  return hashes[path] = WithoutQuotes(ETagOf(*body));
}

std::string OpenApiDocuments::V3Index() const {
  std::string out;
  JsonWriter json(&out);
  json.BeginObject();
  json.Object("paths");
  for (const std::string& path : V3Paths()) {
    json.Object(path);
    json.String("serverRelativeURL", "/openapi/v3/" + path + "?hash=" + V3Hash(path));
    json.EndObject();
  }
  json.EndObject();
  json.EndObject();
  return out;
}

std::optional<OpenApiDocument> OpenApiDocuments::V3(std::string_view path) const {
  std::optional<std::string> body = V3Body(path);
  if (!body) return std::nullopt;
  std::string etag = "\"" + V3Hash(std::string(path)) + "\"";
  return OpenApiDocument{std::move(*body), std::move(etag)};
}

std::optional<std::string> OpenApiDocuments::V3ETag(std::string_view path) const {
  const std::vector<std::string> paths = V3Paths();
  if (std::ranges::find(paths, path) == paths.end()) return std::nullopt;
  return "\"" + V3Hash(std::string(path)) + "\"";
}

std::vector<PathItem> OpenApiDocuments::AllPaths() const {
  std::vector<PathItem> items = {CoreVersionsPath(), GroupListPath(), VersionPath(), KeySetPath(),
                                 IssuerPath()};
  const ResourceInfo* previous = nullptr;
  for (const ResourceInfo* row : rows_) {
    const bool same_group = previous != nullptr && previous->group == row->group;
    const bool same_version = same_group && previous->version == row->version;
    previous = row;
    if (!same_group && !row->group.empty() && !IsCustom(row))
      items.push_back(GroupPath(row->group));
    if (same_version) continue;
    for (PathItem& item : ResourcePaths(RowsOf(row->group, row->version))) {
      items.push_back(std::move(item));
    }
  }
  std::ranges::sort(items, {}, &PathItem::path);
  return items;
}

std::string OpenApiDocuments::V2Body() const {
  const std::vector<PathItem> items = AllPaths();
  std::set<GroupVersionName> served;
  for (const ResourceInfo* row : rows_) served.insert({row->group, row->version});
  const std::vector<GroupVersionName> group_versions(served.begin(), served.end());

  std::string out;
  JsonWriter json(&out);
  json.BeginObject();
  json.String("swagger", "2.0");
  json.Raw("info", kInfo);
  json.Object("paths");
  for (const PathItem& item : items) {
    json.Object(item.path);
    for (const Operation& operation : item.operations) WriteOperationV2(item, operation, &json);
    WriteParametersV2(nullptr, item.parameters, &json);
    json.EndObject();
  }
  json.EndObject();
  json.Object("definitions");
  const SchemaWriter schemas(OpenApiVersion::kV2, group_versions);
  WriteDefinitions(schemas, NeededDefinitions(items, rows_), rows_, &json);
  json.EndObject();
  WriteSharedParametersV2(items, &json);
  json.Raw("securityDefinitions", kSecurity);
  json.Raw("security", R"([{"BearerToken":[]}])");
  json.EndObject();
  return out;
}

OpenApiDocument OpenApiDocuments::V2Json() const {
  OpenApiDocument document{V2Body(), ""};
  const std::lock_guard lock(mutex_);
  if (v2_etag_.empty()) v2_etag_ = ETagOf(document.body);
  document.etag = v2_etag_;
  return document;
}

std::string OpenApiDocuments::V2ETag() const {
  {
    const std::lock_guard lock(mutex_);
    if (!v2_etag_.empty()) return v2_etag_;
  }
  return V2Json().etag;
}

OpenApiDocument OpenApiDocuments::V2Protobuf() const {
  OpenApiDocument document = V2Json();
  const auto parsed = json::Parse(document.body);
  KULISSE_ASSERT(parsed.has_value());
  document.body.clear();
  AppendOpenApiV2Document(parsed->root, &document.body);
  return document;
}

}  // namespace kulisse::apiserver
