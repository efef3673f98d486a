#include "apiserver/registry/reset_fields.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <utility>

#include "base/assert.h"

namespace kulisse::apiserver {

namespace {

using openapi::FieldSet;

struct ResetRow {
  std::string_view resource;  // storage name
  std::string_view subresource;
  std::string_view fields;  // FieldsV1
};

constexpr std::string_view kSpec = R"({"f:spec":{}})";
constexpr std::string_view kStatus = R"({"f:status":{}})";
constexpr std::string_view kSpecAndMetadata = R"({"f:metadata":{},"f:spec":{}})";

// Where it is not: the status for the resource, the spec for its status.
constexpr auto kRows = std::to_array<ResetRow>({
    {"apiservices.apiregistration.k8s.io", "status", kSpecAndMetadata},
    {"certificatesigningrequests.certificates.k8s.io", "", R"({"f:spec":{},"f:status":{}})"},
    {"certificatesigningrequests.certificates.k8s.io", "approval",
     R"({"f:spec":{},"f:status":{"f:certificate":{}}})"},
    {"certificatesigningrequests.certificates.k8s.io", "status",
     R"({"f:spec":{},"f:status":{"f:conditions":{}}})"},
    {"deployments.apps", "status", R"({"f:metadata":{"f:labels":{}},"f:spec":{}})"},
    {"flowschemas.flowcontrol.apiserver.k8s.io", "status", kSpecAndMetadata},
    {"namespaces", "finalize", kStatus},
    {"pods", "status",
     R"({"f:metadata":{"f:deletionTimestamp":{},"f:ownerReferences":{}},"f:spec":{}})"},
    {"prioritylevelconfigurations.flowcontrol.apiserver.k8s.io", "status", kSpecAndMetadata},
    {"resourceclaims.resource.k8s.io", "status", kSpecAndMetadata},
    {"servicecidrs.networking.k8s.io", "status", kSpecAndMetadata},
    {"validatingadmissionpolicies.admissionregistration.k8s.io", "status", kSpecAndMetadata},
    {"volumeattachments.storage.k8s.io", "status", kSpecAndMetadata},
});

constexpr std::string_view kSystemFields =
    R"({"f:apiVersion":{},"f:kind":{},"f:metadata":{".":{},"f:clusterName":{},)"
    R"("f:creationTimestamp":{},"f:generation":{},"f:managedFields":{},"f:name":{},)"
    R"("f:namespace":{},"f:resourceVersion":{},"f:selfLink":{},"f:uid":{}}})";

json::Arena& TableArena() {
  static json::Arena arena;
  return arena;
}

FieldSet ParseRow(std::string_view text) {
  const auto set = FieldSet::Parse(&text, TableArena());
  KULISSE_ASSERT(set.has_value() && text.empty());
  return *set;
}

IgnoredFields MakeIgnored(std::string_view row) {
  IgnoredFields fields;
  if (!row.empty()) fields.reset = ParseRow(row);
  const FieldSet metadata_itself = ParseRow(R"({"f:metadata":{}})");
  const FieldSet system = openapi::Difference(SystemFields(), metadata_itself, TableArena());
  fields.all = openapi::Union(system, fields.reset, TableArena());
  return fields;
}

struct Table {
  std::map<std::pair<std::string_view, std::string_view>, IgnoredFields> rows;
  IgnoredFields none, status, spec, custom_status;

  Table()
      : none(MakeIgnored("")),
        status(MakeIgnored(kStatus)),
        spec(MakeIgnored(kSpec)),
        custom_status(MakeIgnored(kSpecAndMetadata)) {
    for (const ResetRow& row : kRows) {
      rows.emplace(std::pair(row.resource, row.subresource), MakeIgnored(row.fields));
    }
  }
};

}  // namespace

const FieldSet& SystemFields() {
  static const FieldSet set = ParseRow(kSystemFields);
  return set;
}

const IgnoredFields& IgnoredFieldsOf(const openapi::ResourceInfo& resource,
                                     std::string_view subresource) {
  static const Table table;
  const auto row = table.rows.find({resource.storage_name, subresource});
  if (row != table.rows.end()) return row->second;
  if (subresource == "status") return resource.custom ? table.custom_status : table.spec;
  const bool has_status = subresource.empty() && resource.FindSubresource("status") != nullptr;
  return has_status ? table.status : table.none;
}

bool KeepsManagers(std::string_view subresource) {
  constexpr auto kWritten = std::to_array<std::string_view>(
      {"", "approval", "ephemeralcontainers", "finalize", "resize", "status"});
  return std::ranges::find(kWritten, subresource) != kWritten.end();
}

}  // namespace kulisse::apiserver
