#include "openapi/catalog.h"

#include <algorithm>
#include <array>

#include "base/assert.h"
#include "base/text.h"
#include "openapi/facts.h"
#include "openapi/structural_schema.h"

namespace kulisse::openapi {
namespace {

// In the order of Verb.
constexpr std::array<std::string_view, 8> kVerbNames = {
    "create", "delete", "deletecollection", "get", "list", "patch", "update", "watch",
};

// Kinds whose strategies keep metadata.generation (upstream: pkg/registry/*/strategy.go).
constexpr std::array<std::string_view, 26> kKindsWithGeneration = {
    "CronJob.batch",
    "CustomResourceDefinition.apiextensions.k8s.io",
    "DaemonSet.apps",
    "Deployment.apps",
    "DeviceClass.resource.k8s.io",
    "EndpointSlice.discovery.k8s.io",
    "FlowSchema.flowcontrol.apiserver.k8s.io",
    "Ingress.networking.k8s.io",
    "IngressClass.networking.k8s.io",
    "Job.batch",
    "MutatingAdmissionPolicy.admissionregistration.k8s.io",
    "MutatingAdmissionPolicyBinding.admissionregistration.k8s.io",
    "MutatingWebhookConfiguration.admissionregistration.k8s.io",
    "NetworkPolicy.networking.k8s.io",
    "Pod",
    "PodDisruptionBudget.policy",
    "PodTemplate",
    "PriorityClass.scheduling.k8s.io",
    "PriorityLevelConfiguration.flowcontrol.apiserver.k8s.io",
    "ReplicaSet.apps",
    "ReplicationController",
    "ResourceSlice.resource.k8s.io",
    "StatefulSet.apps",
    "ValidatingAdmissionPolicy.admissionregistration.k8s.io",
    "ValidatingAdmissionPolicyBinding.admissionregistration.k8s.io",
    "ValidatingWebhookConfiguration.admissionregistration.k8s.io",
};

std::vector<std::string_view> SplitList(std::string_view text) {
  return text.empty() ? std::vector<std::string_view>() : Split(text, ',');
}

uint16_t VerbBits(std::string_view names) {
  uint16_t bits = 0;
  for (const std::string_view name : SplitList(names)) {
    const auto* found = std::ranges::find(kVerbNames, name);
    KULISSE_ASSERT(found != kVerbNames.end());
    bits = static_cast<uint16_t>(bits | 1u << (found - kVerbNames.begin()));
  }
  return bits;
}

struct GroupVersionText {
  std::string_view group;
  std::string_view version;
};

// "apps/v1" or "v1".
GroupVersionText ParseGroupVersion(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == text.npos) return {"", text};
  return {text.substr(0, slash), text.substr(slash + 1)};
}

// One row of resources.tsv; the columns in their order.
struct Row {
  explicit Row(std::string_view line)
      : gv(ParseGroupVersion(TakeUntil('\t', &line))),
        name(TakeUntil('\t', &line)),
        kind(TakeUntil('\t', &line)),
        kind_gv(TakeUntil('\t', &line)),
        namespaced(TakeUntil('\t', &line) == "true"),
        short_names(TakeUntil('\t', &line)),
        categories(TakeUntil('\t', &line)),
        singular(TakeUntil('\t', &line)),
        verbs(TakeUntil('\t', &line)),
        storage_version_hash(TakeUntil('\t', &line)) {}

  GroupVersionText gv;
  std::string_view name;
  std::string_view kind;
  std::string_view kind_gv;
  bool namespaced;
  std::string_view short_names;
  std::string_view categories;
  std::string_view singular;
  std::string_view verbs;
  std::string_view storage_version_hash;
};

// "io.k8s.api.core.v1.Pod" is found by ("", "v1", "Pod"): all but a few groups are k8s.io/api
// packages, whose names are the group up to its first dot (rbac and flowcontrol included).
TypeId FindType(GroupVersionText gv, std::string_view kind) {
  std::string name;
  if (gv.group == "apiextensions.k8s.io") {
    name = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions";
  } else if (gv.group == "apiregistration.k8s.io") {
    name = "io.k8s.kube-aggregator.pkg.apis.apiregistration";
  } else if (gv.group.empty()) {
    name = "io.k8s.api.core";
  } else if (gv.group == "kwok.x-k8s.io") {
    name = "io.x-k8s.kwok";
  } else if (gv.group == "metrics.k8s.io") {
    name = "io.k8s.metrics.pkg.apis.metrics";
  } else {
    name = "io.k8s.api." + std::string(gv.group.substr(0, gv.group.find('.')));
  }
  name.append(".").append(gv.version).append(".").append(kind);
  return TypeTable::BuiltIn().Find(name);
}

}  // namespace

std::string_view ToString(Verb verb) { return kVerbNames[static_cast<size_t>(verb)]; }

const SubresourceInfo* ResourceInfo::FindSubresource(std::string_view name) const {
  const auto found = std::ranges::find(subresources, name, &SubresourceInfo::name);
  return found == subresources.end() ? nullptr : &*found;
}

std::string ResourceInfo::api_version() const {
  if (group.empty()) return std::string(version);
  return std::string(group).append("/").append(version);
}

// Reads resources.tsv, whose rows are in discovery order, a resource before its subresources; then
// the custom and the aggregated resources in the same form.
class CatalogLoader {
 public:
  Catalog* Load() {
    AddFile("resources.tsv");
    AddFile("custom_resources.tsv");
    const size_t first_aggregated = catalog_->resources_.size();
    AddFile("aggregated_resources.tsv");
    for (size_t i = first_aggregated; i < catalog_->resources_.size(); ++i) {
      catalog_->resources_[i].aggregated = true;
    }
    for (ResourceInfo& resource : catalog_->resources_) SetStorage(&resource);
    return catalog_;
  }

 private:
  void AddFile(std::string_view file) {
    std::string_view rest = FactFile(file);
    (void)TakeUntil('\n', &rest);  // the names of the columns
    while (!rest.empty()) AddRow(Row(TakeUntil('\n', &rest)));
  }

  void AddRow(const Row& row) {
    if (const size_t slash = row.name.find('/'); slash != row.name.npos) {
      AddSubresource(row, row.name.substr(slash + 1));
      return;
    }
    ResourceInfo resource;
    resource.group = row.gv.group;
    resource.version = row.gv.version;
    resource.resource = row.name;
    resource.singular = row.singular;
    resource.kind = row.kind;
    resource.namespaced = row.namespaced;
    resource.verbs = VerbBits(row.verbs);
    resource.type = FindType(row.gv, row.kind);
    KULISSE_ASSERT(resource.type != kNoType);
    resource.short_names = SplitList(row.short_names);
    resource.categories = SplitList(row.categories);
    resource.storage_version_hash = row.storage_version_hash;
    const std::string kind = ToString(resource.group_kind());
    resource.schema = SchemaTextOf(resource.type);
    resource.custom = !resource.schema.empty();
    resource.has_generation = resource.custom || std::ranges::find(kKindsWithGeneration, kind) !=
                                                     kKindsWithGeneration.end();
    catalog_->resources_.push_back(std::move(resource));
    AddGroupVersion(row.gv);
  }

  void AddSubresource(const Row& row, std::string_view name) {
    ResourceInfo& resource = catalog_->resources_.back();
    KULISSE_ASSERT(row.name.starts_with(resource.resource));
    SubresourceInfo subresource;
    subresource.name = name;
    subresource.kind = row.kind;
    GroupVersionText gv = row.gv;
    if (!row.kind_gv.empty()) {
      gv = ParseGroupVersion(row.kind_gv);
      subresource.group = gv.group;
      subresource.version = gv.version;
    }
    subresource.verbs = VerbBits(row.verbs);
    subresource.type = FindType(gv, row.kind);
    resource.subresources.push_back(subresource);
  }

  void AddGroupVersion(GroupVersionText gv) {
    if (gv.group.empty()) return;
    std::vector<GroupInfo>& groups = catalog_->groups_;
    if (groups.empty() || groups.back().name != gv.group) groups.push_back({gv.group, {}});
    std::vector<std::string_view>& versions = groups.back().versions;
    if (versions.empty() || versions.back() != gv.version) versions.push_back(gv.version);
  }

  // Rows with equal storage version hashes share a storage, in the version of the first of them.
  void SetStorage(ResourceInfo* resource) {
    resource->storage = resource;
    if (!resource->storage_version_hash.empty()) {
      resource->storage = &*std::ranges::find(catalog_->resources_, resource->storage_version_hash,
                                              &ResourceInfo::storage_version_hash);
    }
    resource->storage_name = ToString(resource->storage->group_resource());
  }

  Catalog* const catalog_ = new Catalog;
};

const Catalog& Catalog::BuiltIn() {
  static const Catalog* const catalog = CatalogLoader().Load();
  return *catalog;
}

const ResourceInfo* Catalog::Find(std::string_view group, std::string_view version,
                                  std::string_view resource) const {
  for (const ResourceInfo& row : resources_) {
    if (row.resource == resource && row.group == group && row.version == version) return &row;
  }
  return nullptr;
}

const ResourceInfo* Catalog::FindKind(std::string_view group, std::string_view version,
                                      std::string_view kind) const {
  for (const ResourceInfo& row : resources_) {
    if (row.kind == kind && row.group == group && row.version == version) return &row;
  }
  return nullptr;
}

bool Catalog::HasGroup(std::string_view group) const {
  return std::ranges::any_of(resources_, [&](const auto& row) { return row.group == group; });
}

bool Catalog::HasGroupVersion(std::string_view group, std::string_view version) const {
  return std::ranges::any_of(
      resources_, [&](const auto& row) { return row.group == group && row.version == version; });
}

}  // namespace kulisse::openapi
