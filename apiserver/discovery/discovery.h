// The documents by which clients find out what a server serves: /api, /apis and below, in the plain
// and the aggregated form, /version and the paths of /. Made from catalog rows; built-in and custom
// resources look the same.
//
// Threads: pure functions.
// Bodies are JSON as kube-apiserver 1.36 sends it: compact with a newline at the end, except
// /version and /, which are always indented. For YAML and protobuf convert them by the type table:
// the types are meta v1 APIVersions, APIGroupList, APIGroup, APIResourceList and apidiscovery v2
// APIGroupDiscoveryList.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "openapi/catalog.h"

namespace kulisse::apiserver {

// Rows in discovery order: a group's rows stand together, and in it a version's.
using ResourceRows = std::span<const openapi::ResourceInfo* const>;

// The rows of the catalog followed by custom ones, its own and `custom` (of
// CustomResourceDefinitions, in any order): their groups by name, versions as IsPreferredVersion
// has them, resources by name. A custom version of a group of the catalog comes after the group's
// own. The aggregated ones are last.
[[nodiscard]] std::vector<const openapi::ResourceInfo*> DiscoveryRows(
    const openapi::Catalog& catalog, ResourceRows custom = {});

// Whether version `a` is to be preferred to `b`: v10 > v2 > v1 > v11beta2 > v10beta3 > v1alpha1 >
// anything else by name (upstream: apimachinery/pkg/version CompareKubeAwareVersionStrings).
[[nodiscard]] bool IsPreferredVersion(std::string_view a, std::string_view b);

// GET /api. `server_address` is "host:port" as clients are to reach it.
[[nodiscard]] std::string ApiVersions(std::string_view server_address);
// GET /apis.
[[nodiscard]] std::string ApiGroupList(ResourceRows rows);
// GET /apis/GROUP. Nothing when no row is of the group.
[[nodiscard]] std::optional<std::string> ApiGroup(ResourceRows rows, std::string_view group);
// GET /api/v1 (group "") and /apis/GROUP/VERSION. Nothing when there is no such row.
[[nodiscard]] std::optional<std::string> ApiResourceList(ResourceRows rows, std::string_view group,
                                                         std::string_view version);

struct AggregatedDiscovery {
  std::string body;
  std::string etag;  // in its quotes; the same for JSON and protobuf
};
// GET /api and /apis with this in Accept: "…;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList".
// The Content-Type repeats these parameters.
inline constexpr std::string_view kAggregatedDiscovery =
    ";g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
[[nodiscard]] AggregatedDiscovery AggregatedApi(ResourceRows rows);
[[nodiscard]] AggregatedDiscovery AggregatedApis(ResourceRows rows);

// GET /version.
[[nodiscard]] std::string VersionInfo();
// GET /: the paths of the rows and `other_paths`, sorted.
[[nodiscard]] std::string RootPaths(ResourceRows rows,
                                    std::span<const std::string_view> other_paths);

// The hash by which clients see that two resources share a storage; of the kind as it is stored.
[[nodiscard]] std::string StorageVersionHash(std::string_view group, std::string_view version,
                                             std::string_view kind);

// `"<SHA-512 of the text in capital hex>"`, with the quotes.
[[nodiscard]] std::string ETagOf(std::string_view text);

}  // namespace kulisse::apiserver
