#include "apiserver/discovery/operations.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <initializer_list>
#include <ranges>

#include "base/assert.h"
#include "base/text.h"
#include "openapi/type_table.h"

namespace kulisse::apiserver {
namespace {

using openapi::ResourceInfo;
using openapi::SubresourceInfo;
using openapi::TypeTable;
using openapi::Verb;

constexpr std::string_view kMeta = "io.k8s.apimachinery.pkg.apis.meta.v1.";

// Kinds whose DELETE answers with the object instead of a Status (upstream: ReturnDeletedObject).
constexpr std::array<std::string_view, 16> kReturnedWhenDeleted = {
    "CSIDriver",
    "CSINode",
    "DeviceClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Pod",
    "PodTemplate",
    "ResourceClaim",
    "ResourceClaimTemplate",
    "ResourceQuota",
    "ResourceSlice",
    "Service",
    "ServiceAccount",
    "StorageClass",
    "VolumeAttachment",
    "VolumeAttributesClass",
};

constexpr std::array<OperationParameter, 11> kListParameters = {{
    {"allowWatchBookmarks", "boolean"},
    {"continue", "string"},
    {"fieldSelector", "string"},
    {"labelSelector", "string"},
    {"limit", "integer"},
    {"resourceVersion", "string"},
    {"resourceVersionMatch", "string"},
    {"sendInitialEvents", "boolean"},
    {"shardSelector", "string"},
    {"timeoutSeconds", "integer"},
    {"watch", "boolean"},
}};
constexpr std::array<OperationParameter, 3> kWriteParameters = {{
    {"dryRun", "string"},
    {"fieldManager", "string"},
    {"fieldValidation", "string"},
}};
constexpr std::array<OperationParameter, 5> kDeleteParameters = {{
    {"dryRun", "string"},
    {"gracePeriodSeconds", "integer"},
    {"ignoreStoreReadErrorWithClusterBreakingPotential", "boolean"},
    {"orphanDependents", "boolean"},
    {"propagationPolicy", "string"},
}};
constexpr OperationParameter kPretty = {"pretty", "string"};
constexpr OperationParameter kNamespace = {"namespace", "string", true};
constexpr OperationParameter kName = {"name", "string", true};

std::string Capitalized(std::string_view text) {
  std::string out(text);
  if (!out.empty()) out[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(out[0])));
  return out;
}

// "rbac.authorization.k8s.io" -> "rbacAuthorization"; "" -> "core".
std::string GroupWord(std::string_view group) {
  if (group.empty()) return "core";
  if (group.ends_with(".k8s.io")) group.remove_suffix(std::string_view(".k8s.io").size());
  std::string word;
  for (const std::string_view part : Split(group, '.')) {
    word += word.empty() ? std::string(part) : Capitalized(part);
  }
  return word;
}

void SortByName(std::vector<OperationParameter>* parameters) {
  std::ranges::stable_sort(
      *parameters, {}, [](const OperationParameter& p) { return std::pair(p.name, !p.in_path); });
}

// Moves the parameters that all operations have to the path (upstream: kube-openapi
// findCommonParameters).
void HoistCommonParameters(PathItem* item) {
  for (Operation& operation : item->operations) SortByName(&operation.parameters);
  const auto everywhere = [&](const OperationParameter& parameter) {
    return std::ranges::all_of(item->operations, [&](const Operation& operation) {
      return std::ranges::find(operation.parameters, parameter) != operation.parameters.end();
    });
  };
  std::ranges::copy_if(item->operations.front().parameters, std::back_inserter(item->parameters),
                       everywhere);
  for (Operation& operation : item->operations) {
    std::erase_if(operation.parameters, [&](const OperationParameter& parameter) {
      return std::ranges::find(item->parameters, parameter) != item->parameters.end();
    });
  }
}

// Query parameters of the options of a stream, e.g. PodExecOptions: its fields of basic types.
void AddOptionFields(std::string_view options_type, std::vector<OperationParameter>* parameters) {
  const TypeTable& table = TypeTable::BuiltIn();
  const openapi::TypeId id = table.Find(options_type);
  KULISSE_ASSERT(id != openapi::kNoType);
  for (const openapi::JsonField& field : table.Get(id).json_fields) {
    if (field.parent != nullptr) continue;  // kind and apiVersion
    switch (field.field->kind) {
      case openapi::TypeKind::kString:
        parameters->push_back({field.field->json_name, "string"});
        break;
      case openapi::TypeKind::kBool:
        parameters->push_back({field.field->json_name, "boolean"});
        break;
      case openapi::TypeKind::kInt32:
      case openapi::TypeKind::kInt64:
        parameters->push_back({field.field->json_name, "integer"});
        break;
      default:
        break;
    }
  }
}

template <typename Parameters>
void Append(const Parameters& more, std::vector<OperationParameter>* parameters) {
  parameters->insert(parameters->end(), more.begin(), more.end());
}

// Makes the paths of one resource.
class ResourcePathMaker {
 public:
  ResourcePathMaker(const ResourceInfo& row, std::vector<PathItem>* items)
      : row_(row),
        items_(*items),
        custom_(row.custom),
        definition_(DefinitionName(row)),
        group_version_(Capitalized(GroupWord(row.group)) + Capitalized(row.version)),
        scope_(row.namespaced ? "Namespaced" : ""),
        base_(row.group.empty() ? "/api/" : std::string("/apis/").append(row.group) + "/") {
    base_.append(row.version);
  }

  void Make() {
    const std::string in_scope = row_.namespaced ? "/namespaces/{namespace}" : "";
    const std::string collection = base_ + in_scope + "/" + std::string(row_.resource);
    MakeCollection(collection);
    if (row_.namespaced && row_.Has(Verb::kList)) {
      PathItem item = NewItem(base_ + "/" + std::string(row_.resource));
      item.operations.push_back(List("ForAllNamespaces", false));
      Add(std::move(item));
    }
    MakeObject(collection + "/{name}");
    for (const SubresourceInfo& sub : row_.subresources) {
      const std::string path = collection + "/{name}/" + std::string(sub.name);
      if (sub.kind.ends_with("Options")) {
        MakeConnect(sub, path, "");
        if (sub.name == "proxy") MakeConnect(sub, path + "/{path}", "WithPath");
      } else {
        MakeSubresource(sub, path);
      }
    }
    if (row_.Has(Verb::kWatch) && !custom_) MakeWatches(in_scope);
  }

 private:
  PathItem NewItem(std::string path) const {
    PathItem item;
    item.path = std::move(path);
    item.tag = GroupWord(row_.group) + "_" + std::string(row_.version);
    item.custom = custom_;
    return item;
  }

  void Add(PathItem item) {
    if (item.operations.empty()) return;
    HoistCommonParameters(&item);
    items_.push_back(std::move(item));
  }

  Operation New(std::string_view method, std::string_view action, std::string id) const {
    Operation operation;
    operation.method = method;
    operation.action = action;
    operation.id = std::move(id);
    operation.group = row_.group;
    operation.version = row_.version;
    operation.kind = row_.kind;
    operation.parameters.push_back(kPretty);
    operation.response = definition_;
    operation.codes = {200};
    return operation;
  }

  Operation InNamespace(Operation operation) const {
    if (row_.namespaced) operation.parameters.push_back(kNamespace);
    return operation;
  }

  // "create" + "CoreV1" + "Namespaced" + "Pod" + "Binding"
  std::string Id(std::string_view word, std::string_view suffix = "") const {
    return std::string(word).append(group_version_).append(scope_).append(row_.kind).append(suffix);
  }

  Operation List(std::string_view suffix, bool scoped) const {
    std::string id = std::string("list").append(group_version_).append(scoped ? scope_ : "");
    Operation operation = New("get", "list", id.append(row_.kind).append(suffix));
    Append(kListParameters, &operation.parameters);
    operation.response = definition_ + "List";
    operation.media = OperationMedia::kWatchable;
    return scoped ? InNamespace(std::move(operation)) : operation;
  }

  Operation Create(std::string id) const {
    Operation operation = New("post", "post", std::move(id));
    Append(kWriteParameters, &operation.parameters);
    operation.body = definition_;
    operation.codes = {200, 201, 202};
    return InNamespace(std::move(operation));
  }

  Operation Put(std::string id) const {
    Operation operation = New("put", "put", std::move(id));
    Append(kWriteParameters, &operation.parameters);
    operation.body = definition_;
    operation.codes = {200, 201};
    return InNamespace(std::move(operation));
  }

  Operation Patch(std::string id) const {
    Operation operation = New("patch", "patch", std::move(id));
    Append(kWriteParameters, &operation.parameters);
    operation.parameters.push_back({"force", "boolean"});
    operation.body = std::string(kMeta) + "Patch";
    if (!custom_) operation.codes = {200, 201};
    return InNamespace(std::move(operation));
  }

  Operation Read(std::string id) const {
    Operation operation = New("get", "get", std::move(id));
    if (custom_) operation.parameters.push_back({"resourceVersion", "string"});
    return InNamespace(std::move(operation));
  }

  Operation Delete(std::string_view action, std::string id) const {
    Operation operation = New("delete", action, std::move(id));
    Append(kDeleteParameters, &operation.parameters);
    operation.body = std::string(kMeta) + "DeleteOptions";
    operation.body_optional = true;
    operation.response = std::string(kMeta) + "Status";
    return InNamespace(std::move(operation));
  }

  void MakeCollection(std::string path) {
    PathItem item = NewItem(std::move(path));
    if (row_.Has(Verb::kList)) item.operations.push_back(List("", true));
    if (row_.Has(Verb::kCreate)) item.operations.push_back(Create(Id("create")));
    if (row_.Has(Verb::kDeleteCollection)) {
      std::string id = std::string("delete").append(group_version_).append("Collection");
      id.append(scope_).append(row_.kind);
      Operation operation = Delete("deletecollection", std::move(id));
      for (const OperationParameter& parameter : kListParameters) {
        if (parameter.name == "allowWatchBookmarks" || parameter.name == "watch") continue;
        operation.parameters.push_back(parameter);
      }
      item.operations.push_back(std::move(operation));
    }
    Add(std::move(item));
  }

  void MakeObject(std::string path) {
    PathItem item = NewItem(std::move(path));
    if (row_.Has(Verb::kGet)) item.operations.push_back(Read(Id("read")));
    if (row_.Has(Verb::kUpdate)) item.operations.push_back(Put(Id("replace")));
    if (row_.Has(Verb::kDelete)) {
      Operation operation = Delete("delete", Id("delete"));
      operation.codes = {200, 202};
      if (!custom_ &&
          std::ranges::find(kReturnedWhenDeleted, row_.kind) != kReturnedWhenDeleted.end()) {
        operation.response = definition_;
      }
      item.operations.push_back(std::move(operation));
    }
    if (row_.Has(Verb::kPatch)) item.operations.push_back(Patch(Id("patch")));
    for (Operation& operation : item.operations) operation.parameters.push_back(kName);
    Add(std::move(item));
  }

  void MakeSubresource(const SubresourceInfo& sub, std::string path) {
    const std::string suffix = Capitalized(sub.name);
    PathItem item = NewItem(std::move(path));
    if (sub.Has(Verb::kGet)) item.operations.push_back(Read(Id("read", suffix)));
    if (sub.Has(Verb::kUpdate)) item.operations.push_back(Put(Id("replace", suffix)));
    if (sub.Has(Verb::kCreate)) item.operations.push_back(Create(Id("create", suffix)));
    if (sub.Has(Verb::kPatch)) item.operations.push_back(Patch(Id("patch", suffix)));
    const bool log = sub.name == "log";
    for (Operation& operation : item.operations) {
      operation.parameters.push_back(kName);
      operation.kind = sub.kind;
      if (!sub.version.empty()) {
        operation.group = sub.group;
        operation.version = sub.version;
      }
      if (sub.type != openapi::kNoType) {
        const std::string_view name = TypeTable::BuiltIn().Get(sub.type).name;
        operation.response = name;
        if (operation.body == definition_) operation.body = name;
      }
      if (log) {
        operation.media = OperationMedia::kLog;
        operation.response.clear();
        AddOptionFields("io.k8s.api.core.v1.PodLogOptions", &operation.parameters);
      }
    }
    Add(std::move(item));
  }

  void MakeConnect(const SubresourceInfo& sub, std::string path, std::string_view suffix) {
    struct Method {
      std::string_view name;
      Verb verb;
    };
    // OPTIONS and HEAD come with PUT: only where anything may be proxied.
    constexpr std::array<Method, 7> kMethods = {{{"get", Verb::kGet},
                                                 {"put", Verb::kUpdate},
                                                 {"post", Verb::kCreate},
                                                 {"delete", Verb::kDelete},
                                                 {"options", Verb::kUpdate},
                                                 {"head", Verb::kUpdate},
                                                 {"patch", Verb::kPatch}}};
    PathItem item = NewItem(std::move(path));
    for (const Method& method : kMethods) {
      if (!sub.Has(method.verb)) continue;
      std::string id = "connect" + group_version_ + Capitalized(method.name);
      id.append(scope_).append(row_.kind).append(Capitalized(sub.name)).append(suffix);
      Operation operation = New(method.name, "connect", std::move(id));
      operation.parameters = {kName};
      if (!suffix.empty()) operation.parameters.push_back({"path", "string", true});
      AddOptionFields(TypeTable::BuiltIn().Get(sub.type).name, &operation.parameters);
      operation.kind = sub.kind;
      operation.response.clear();
      operation.media = OperationMedia::kAny;
      item.operations.push_back(InNamespace(std::move(operation)));
    }
    Add(std::move(item));
  }

  Operation Watch(std::string_view action, std::string id) const {
    Operation operation = New("get", action, std::move(id));
    Append(kListParameters, &operation.parameters);
    operation.response = std::string(kMeta) + "WatchEvent";
    operation.media = OperationMedia::kWatchable;
    return operation;
  }

  void MakeWatches(const std::string& in_scope) {
    const std::string resource = "/" + std::string(row_.resource);
    if (row_.namespaced) {
      PathItem item = NewItem(base_ + "/watch" + resource);
      std::string id = "watch" + group_version_ + std::string(row_.kind);
      item.operations.push_back(Watch("watchlist", id + "ListForAllNamespaces"));
      Add(std::move(item));
    }
    PathItem list = NewItem(base_ + "/watch" + in_scope + resource);
    list.operations.push_back(InNamespace(Watch("watchlist", Id("watch", "List"))));
    Add(std::move(list));
    if (!row_.Has(Verb::kGet)) return;
    PathItem object = NewItem(base_ + "/watch" + in_scope + resource + "/{name}");
    object.operations.push_back(InNamespace(Watch("watch", Id("watch"))));
    object.operations.back().parameters.push_back(kName);
    Add(std::move(object));
  }

  const ResourceInfo& row_;
  std::vector<PathItem>& items_;
  const bool custom_;
  const std::string definition_;
  const std::string group_version_;  // "CoreV1"
  const std::string_view scope_;     // "Namespaced" or ""
  std::string base_;                 // "/apis/apps/v1"
};

PathItem Document(std::string path, std::string tag, std::string id, std::string_view type) {
  PathItem item;
  item.path = std::move(path);
  item.tag = std::move(tag);
  Operation operation;
  operation.method = "get";
  operation.id = std::move(id);
  operation.codes = {200};
  if (!type.empty()) operation.response = std::string(kMeta).append(type);
  item.operations.push_back(std::move(operation));
  return item;
}

}  // namespace

std::string DefinitionName(const ResourceInfo& row) {
  if (!row.custom) return std::string(TypeTable::BuiltIn().Get(row.type).name);
  std::string name;
  for (const std::string_view part : Split(row.group, '.') | std::views::reverse) {
    name.append(part).append(".");
  }
  return name.append(row.version).append(".").append(row.kind);
}

std::vector<PathItem> ResourcePaths(ResourceRows rows) {
  const std::string_view group = rows.front()->group;
  const std::string_view version = rows.front()->version;
  std::vector<PathItem> items;
  if (std::ranges::any_of(rows, [](const auto* r) { return !r->custom; })) {
    std::string path = group.empty() ? "/api/" : std::string("/apis/").append(group) + "/";
    const std::string word = GroupWord(group);
    items.push_back(Document(path.append(version) + "/", word + "_" + std::string(version),
                             "get" + Capitalized(word) + Capitalized(version) + "APIResources",
                             "APIResourceList"));
  }
  for (const ResourceInfo* row : rows) ResourcePathMaker(*row, &items).Make();
  std::ranges::sort(items, {}, &PathItem::path);
  return items;
}

PathItem CoreVersionsPath() {
  return Document("/api/", "core", "getCoreAPIVersions", "APIVersions");
}

PathItem GroupListPath() { return Document("/apis/", "apis", "getAPIVersions", "APIGroupList"); }

PathItem GroupPath(std::string_view group) {
  const std::string word = GroupWord(group);
  return Document(std::string("/apis/").append(group) + "/", word,
                  "get" + Capitalized(word) + "APIGroup", "APIGroup");
}

PathItem VersionPath() {
  PathItem item = Document("/version/", "version", "getCodeVersion", "");
  item.operations[0].response = "io.k8s.apimachinery.pkg.version.Info";
  item.operations[0].media = OperationMedia::kJson;
  return item;
}

PathItem KeySetPath() {
  PathItem item = Document("/openid/v1/jwks/", "openid", "getServiceAccountIssuerOpenIDKeyset", "");
  item.operations[0].media = OperationMedia::kKeySet;
  return item;
}

PathItem IssuerPath() {
  PathItem item = Document("/.well-known/openid-configuration/", "WellKnown",
                           "getServiceAccountIssuerOpenIDConfiguration", "");
  item.operations[0].media = OperationMedia::kJson;
  return item;
}

}  // namespace kulisse::apiserver
