#include "apiserver/discovery/discovery.h"

#include <algorithm>
#include <array>
#include <set>
#include <tuple>

#include "apiserver/discovery/json_writer.h"
#include "base/assert.h"
#include "base/text.h"
#include "certs/digest.h"

namespace kulisse::apiserver {
namespace {

using openapi::ResourceInfo;
using openapi::SubresourceInfo;
using openapi::Verb;

// Verbs of built-in resources are sorted; those of custom resources come as upstream lists them
// (apiextensions-apiserver/pkg/apiserver/customresource_discovery_controller.go).
constexpr std::array kVerbOrder = {Verb::kCreate, Verb::kDelete, Verb::kDeleteCollection,
                                   Verb::kGet,    Verb::kList,   Verb::kPatch,
                                   Verb::kUpdate, Verb::kWatch};
constexpr std::array kCustomVerbOrder = {
    Verb::kDelete, Verb::kDeleteCollection, Verb::kGet,    Verb::kList,
    Verb::kPatch,  Verb::kCreate,           Verb::kUpdate, Verb::kWatch};

void WriteVerbs(uint16_t verbs, bool custom, JsonWriter* json) {
  json->Array("verbs");
  for (const Verb verb : custom ? kCustomVerbOrder : kVerbOrder) {
    if ((verbs >> static_cast<int>(verb) & 1) != 0) json->String(ToString(verb));
  }
  json->EndArray();
}

void WriteNames(std::string_view name, const std::vector<std::string_view>& names,
                JsonWriter* json) {
  if (names.empty()) return;
  json->Array(name);
  for (const std::string_view text : names) json->String(text);
  json->EndArray();
}

std::string GroupVersion(std::string_view group, std::string_view version) {
  return group.empty() ? std::string(version) : std::string(group).append("/").append(version);
}

// Groups of the rows, in their order, with the distinct versions of each; not the core group.
std::vector<openapi::GroupInfo> GroupsOf(ResourceRows rows) {
  std::vector<openapi::GroupInfo> groups;
  for (const ResourceInfo* row : rows) {
    if (row->group.empty()) continue;
    if (groups.empty() || groups.back().name != row->group) groups.push_back({row->group, {}});
    std::vector<std::string_view>& versions = groups.back().versions;
    if (versions.empty() || versions.back() != row->version) versions.push_back(row->version);
  }
  return groups;
}

void WriteGroupVersion(std::string_view group, std::string_view version, JsonWriter* json) {
  json->BeginObject();
  json->String("groupVersion", GroupVersion(group, version));
  json->String("version", version);
  json->EndObject();
}

// The members of an APIGroup after kind and apiVersion.
void WriteGroup(const openapi::GroupInfo& group, JsonWriter* json) {
  json->String("name", group.name);
  json->Array("versions");
  for (const std::string_view version : group.versions) {
    WriteGroupVersion(group.name, version, json);
  }
  json->EndArray();
  json->Name("preferredVersion");
  WriteGroupVersion(group.name, group.versions.front(), json);
}

void WriteApiResource(const ResourceInfo& row, JsonWriter* json) {
  json->BeginObject();
  json->String("name", row.resource);
  json->String("singularName", row.singular);
  json->Bool("namespaced", row.namespaced);
  json->String("kind", row.kind);
  WriteVerbs(row.verbs, row.custom, json);
  WriteNames("shortNames", row.short_names, json);
  WriteNames("categories", row.categories, json);
  if (!row.storage_version_hash.empty()) {
    json->String("storageVersionHash", row.storage_version_hash);
  }
  json->EndObject();
}

void WriteApiSubresource(const ResourceInfo& row, const SubresourceInfo& sub, JsonWriter* json) {
  json->BeginObject();
  json->String("name", std::string(row.resource).append("/").append(sub.name));
  json->String("singularName", "");
  json->Bool("namespaced", row.namespaced);
  if (!sub.group.empty()) json->String("group", sub.group);
  if (!sub.version.empty()) json->String("version", sub.version);
  json->String("kind", sub.kind);
  WriteVerbs(sub.verbs, row.custom, json);
  json->EndObject();
}

void WriteResponseKind(std::string_view group, std::string_view version, std::string_view kind,
                       JsonWriter* json) {
  json->Object("responseKind");
  json->String("group", group);
  json->String("version", version);
  json->String("kind", kind);
  json->EndObject();
}

void WriteDiscoveredResource(const ResourceInfo& row, JsonWriter* json) {
  json->BeginObject();
  json->String("resource", row.resource);
  // Custom resources name group and version even where they equal the list's.
  const bool custom = row.custom;
  WriteResponseKind(custom ? row.group : "", custom ? row.version : "", row.kind, json);
  json->String("scope", row.namespaced ? "Namespaced" : "Cluster");
  json->String("singularResource", row.singular);
  WriteVerbs(row.verbs, custom, json);
  WriteNames("shortNames", row.short_names, json);
  WriteNames("categories", row.categories, json);
  if (!row.subresources.empty()) {
    json->Array("subresources");
    for (const SubresourceInfo& sub : row.subresources) {
      json->BeginObject();
      json->String("subresource", sub.name);
      const bool own = custom && sub.version.empty();
      WriteResponseKind(own ? row.group : sub.group, own ? row.version : sub.version, sub.kind,
                        json);
      WriteVerbs(sub.verbs, custom, json);
      json->EndObject();
    }
    json->EndArray();
  }
  json->EndObject();
}

void WriteDiscoveredGroup(ResourceRows rows, JsonWriter* json) {
  const std::string_view group = rows.front()->group;
  json->BeginObject();
  json->Object("metadata");
  if (!group.empty()) json->String("name", group);
  json->EndObject();
  json->Array("versions");
  for (size_t i = 0; i < rows.size();) {
    const std::string_view version = rows[i]->version;
    json->BeginObject();
    json->String("version", version);
    json->Array("resources");
    for (; i < rows.size() && rows[i]->version == version; ++i) {
      WriteDiscoveredResource(*rows[i], json);
    }
    json->EndArray();
    json->String("freshness", "Current");
    json->EndObject();
  }
  json->EndArray();
  json->EndObject();
}

AggregatedDiscovery Aggregated(ResourceRows rows, bool core) {
  std::string list;  // all but the opening brace, kind and apiVersion
  JsonWriter json(&list);
  json.BeginObject();
  json.Raw("metadata", "{}");
  json.Array("items");
  while (!rows.empty()) {
    const auto other = std::ranges::find_if(
        rows, [&](const ResourceInfo* row) { return row->group != rows.front()->group; });
    const size_t size = static_cast<size_t>(other - rows.begin());
    if (rows.front()->group.empty() == core) WriteDiscoveredGroup(rows.first(size), &json);
    rows = rows.subspan(size);
  }
  json.EndArray();
  json.EndObject();
  // Upstream hashes the list before it gets its kind; so equal lists have equal tags here and
  // there.
  AggregatedDiscovery result;
  result.etag = ETagOf(list);
  result.body = R"({"kind":"APIGroupDiscoveryList","apiVersion":"apidiscovery.k8s.io/v2",)";
  result.body.append(list, 1).append("\n");
  return result;
}

std::string Indented(std::string_view compact) {
  std::string out;
  json::AppendIndented(compact, 2, &out);
  return out;
}

// v2beta3: rank 1 (beta), major 2, minor 3. Rank 2 is stable, 0 alpha, -1 none of these forms.
struct ParsedVersion {
  int rank = -1;
  uint64_t major = 0;
  uint64_t minor = 0;
};

ParsedVersion ParseVersion(std::string_view text) {
  if (!text.starts_with('v')) return {};
  text.remove_prefix(1);
  const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto major = ParseUint64(text.substr(0, digits));
  if (!major || *major == 0 || text[0] == '0') return {};
  text.remove_prefix(digits);
  if (text.empty()) return {2, *major, 0};
  int rank = -1;
  if (text.starts_with("alpha")) rank = 0;
  if (text.starts_with("beta")) rank = 1;
  if (rank < 0) return {};
  text.remove_prefix(rank == 0 ? 5 : 4);
  const auto minor = ParseUint64(text);
  if (!minor || *minor == 0 || text[0] == '0') return {};
  return {rank, *major, *minor};
}

}  // namespace

bool IsPreferredVersion(std::string_view a, std::string_view b) {
  const ParsedVersion left = ParseVersion(a);
  const ParsedVersion right = ParseVersion(b);
  if (left.rank < 0 && right.rank < 0) return a < b;
  return std::tie(left.rank, left.major, left.minor) >
         std::tie(right.rank, right.major, right.minor);
}

std::vector<const ResourceInfo*> DiscoveryRows(const openapi::Catalog& catalog,
                                               ResourceRows custom) {
  std::vector<const ResourceInfo*> extra(custom.begin(), custom.end());
  std::vector<const ResourceInfo*> built_in;
  std::vector<const ResourceInfo*> aggregated;  // of the lowest priority
  for (const ResourceInfo& row : catalog.resources()) {
    (row.custom ? extra : row.aggregated ? aggregated : built_in).push_back(&row);
  }
  std::ranges::sort(extra, [](const ResourceInfo* a, const ResourceInfo* b) {
    if (a->group != b->group) return a->group < b->group;
    if (a->version != b->version) return IsPreferredVersion(a->version, b->version);
    return a->resource < b->resource;
  });
  std::vector<const ResourceInfo*> rows;
  const auto append = [&](auto is_wanted) {
    std::ranges::copy_if(extra, std::back_inserter(rows), is_wanted);
  };
  const auto is_of = [](std::string_view group) {
    return [group](const ResourceInfo* row) { return row->group == group; };
  };
  for (size_t i = 0; i < built_in.size(); ++i) {
    rows.push_back(built_in[i]);
    if (i + 1 == built_in.size() || built_in[i + 1]->group != built_in[i]->group) {
      append(is_of(built_in[i]->group));
    }
  }
  append(
      [&](const ResourceInfo* row) { return std::ranges::none_of(built_in, is_of(row->group)); });
  rows.insert(rows.end(), aggregated.begin(), aggregated.end());
  return rows;
}

std::string ApiVersions(std::string_view server_address) {
  std::string out;
  JsonWriter json(&out);
  json.BeginObject();
  json.String("kind", "APIVersions");
  json.Raw("versions", R"(["v1"])");
  json.Array("serverAddressByClientCIDRs");
  json.BeginObject();
  json.String("clientCIDR", "0.0.0.0/0");
  json.String("serverAddress", server_address);
  json.EndObject();
  json.EndArray();
  json.EndObject();
  return out += '\n';
}

std::string ApiGroupList(ResourceRows rows) {
  std::string out;
  JsonWriter json(&out);
  json.BeginObject();
  json.String("kind", "APIGroupList");
  json.String("apiVersion", "v1");
  json.Array("groups");
  for (const openapi::GroupInfo& group : GroupsOf(rows)) {
    json.BeginObject();
    WriteGroup(group, &json);
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
  return out += '\n';
}

std::optional<std::string> ApiGroup(ResourceRows rows, std::string_view group) {
  const std::vector<openapi::GroupInfo> groups = GroupsOf(rows);
  const auto found = std::ranges::find(groups, group, &openapi::GroupInfo::name);
  if (found == groups.end()) return std::nullopt;
  std::string out;
  JsonWriter json(&out);
  json.BeginObject();
  json.String("kind", "APIGroup");
  json.String("apiVersion", "v1");
  WriteGroup(*found, &json);
  json.EndObject();
  return out += '\n';
}

std::optional<std::string> ApiResourceList(ResourceRows rows, std::string_view group,
                                           std::string_view version) {
  std::string out;
  JsonWriter json(&out);
  json.BeginObject();
  json.String("kind", "APIResourceList");
  if (!group.empty()) json.String("apiVersion", "v1");
  json.String("groupVersion", GroupVersion(group, version));
  json.Array("resources");
  bool found = false;
  for (const ResourceInfo* row : rows) {
    if (row->group != group || row->version != version) continue;
    found = true;
    WriteApiResource(*row, &json);
    for (const SubresourceInfo& sub : row->subresources) WriteApiSubresource(*row, sub, &json);
  }
  json.EndArray();
  json.EndObject();
  if (!found) return std::nullopt;
  return out += '\n';
}

AggregatedDiscovery AggregatedApi(ResourceRows rows) { return Aggregated(rows, true); }
AggregatedDiscovery AggregatedApis(ResourceRows rows) { return Aggregated(rows, false); }

std::string VersionInfo() {
  // Semantic-version build metadata, so that "at least 1.36" holds for clients that compare.
  std::string out;
  JsonWriter json(&out);
  json.BeginObject();
  json.String("major", "1");
  json.String("minor", "36");
  json.String("emulationMajor", "1");
  json.String("emulationMinor", "36");
  json.String("minCompatibilityMajor", "1");
  json.String("minCompatibilityMinor", "35");
  json.String("gitVersion", "v1.36.3+kulisse");
  json.String("gitCommit", "");
  json.String("gitTreeState", "");
  json.String("buildDate", "1970-01-01T00:00:00Z");
  json.String("goVersion", "none");
  json.String("compiler", "gcc");
  json.String("platform", "linux/amd64");
  json.EndObject();
  return Indented(out);
}

std::string RootPaths(ResourceRows rows, std::span<const std::string_view> other_paths) {
  std::set<std::string> paths = {"/api", "/api/v1", "/apis", "/apis/"};
  paths.insert(other_paths.begin(), other_paths.end());
  for (const openapi::GroupInfo& group : GroupsOf(rows)) {
    const std::string path = std::string("/apis/").append(group.name);
    paths.insert(path);
    for (const std::string_view version : group.versions) {
      paths.insert(std::string(path).append("/").append(version));
    }
  }
  std::string out;
  JsonWriter json(&out);
  json.BeginObject();
  json.Array("paths");
  for (const std::string& path : paths) json.String(path);
  json.EndArray();
  json.EndObject();
  return Indented(out);
}

std::string StorageVersionHash(std::string_view group, std::string_view version,
                               std::string_view kind) {
  constexpr size_t kBytes = 8;
  std::string text(group);
  text.append("/").append(version).append("/").append(kind);
  return Base64Encode(certs::Sha256(text).substr(0, kBytes));
}

std::string ETagOf(std::string_view text) {
  std::string etag = "\"";
  for (const char c : certs::Sha512(text)) {
    constexpr std::string_view kHex = "0123456789ABCDEF";
    etag.push_back(kHex[static_cast<unsigned char>(c) >> 4]);
    etag.push_back(kHex[c & 15]);
  }
  return etag += '"';
}

}  // namespace kulisse::apiserver
