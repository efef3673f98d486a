// The catalog has one row per served resource (and version): group, version, names, scope, verbs,
// subresources, type. Discovery, routing and the registry read it; built-in and custom resources
// look the same to everything above it.
//
// Owns: its rows; pointers to them stay valid as long as the catalog.
// Threads: const access from any.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "openapi/type_table.h"

namespace kulisse::openapi {

enum class Verb : uint8_t {
  kCreate,
  kDelete,
  kDeleteCollection,
  kGet,
  kList,
  kPatch,
  kUpdate,
  kWatch,
};
// "create" …; the request verbs of RequestInfo are the same words.
[[nodiscard]] std::string_view ToString(Verb verb);

struct SubresourceInfo {
  std::string_view name;     // "status"
  std::string_view kind;     // "Pod", "Scale", "Binding" …
  std::string_view group;    // of the kind, where it differs from the resource's
  std::string_view version;  // "" when equal
  uint16_t verbs = 0;        // bits 1 << Verb
  TypeId type = kNoType;     // of the kind; kNoType for streams such as exec

  [[nodiscard]] bool Has(Verb verb) const { return (verbs >> static_cast<int>(verb) & 1) != 0; }
};

struct ResourceInfo {
  std::string_view group;  // "" for core
  std::string_view version;
  std::string_view resource;  // plural: "pods"
  std::string_view singular;
  std::string_view kind;
  bool namespaced = false;
  uint16_t verbs = 0;  // bits 1 << Verb
  TypeId type = kNoType;
  std::vector<std::string_view> short_names;
  std::vector<std::string_view> categories;
  std::vector<SubresourceInfo> subresources;
  std::string_view storage_version_hash;
  // Of a CustomResourceDefinition (those that come with the program need none): JSON and YAML
  // alone, no strategic merge patches.
  bool custom = false;
  std::string_view schema;  // its openAPIV3Schema as JSON; "" of built-in resources
  // Elsewhere an extension server behind an APIService has it (metrics.k8s.io). Nothing is stored:
  // its objects are made, when they are read, from those of the core resource of the same name.
  bool aggregated = false;
  // metadata.generation is kept for the kind (upstream: strategies).
  bool has_generation = false;
  // Where its objects are kept: "pods", "deployments.apps". Versions of a resource share it, and
  // so do events of both groups.
  std::string storage_name;
  // The row in whose version objects are kept; itself for most.
  const ResourceInfo* storage = nullptr;

  [[nodiscard]] bool Has(Verb verb) const { return (verbs >> static_cast<int>(verb) & 1) != 0; }
  [[nodiscard]] const SubresourceInfo* FindSubresource(std::string_view name) const;
  [[nodiscard]] GroupResource group_resource() const { return {group, resource}; }
  [[nodiscard]] GroupKind group_kind() const { return {group, kind}; }
  // "apps/v1", "v1".
  [[nodiscard]] std::string api_version() const;
};

struct GroupInfo {
  std::string_view name;
  std::vector<std::string_view> versions;  // preferred first
};

class Catalog {
 public:
  // What kube-apiserver 1.36 serves by default, KWOK's custom resources, and metrics.k8s.io.
  static const Catalog& BuiltIn();

  [[nodiscard]] const ResourceInfo* Find(std::string_view group, std::string_view version,
                                         std::string_view resource) const;
  [[nodiscard]] const ResourceInfo* FindKind(std::string_view group, std::string_view version,
                                             std::string_view kind) const;
  // Groups in discovery order; the core group is not among them.
  [[nodiscard]] std::span<const GroupInfo> groups() const { return groups_; }
  [[nodiscard]] bool HasGroup(std::string_view group) const;
  [[nodiscard]] bool HasGroupVersion(std::string_view group, std::string_view version) const;
  // All rows, in discovery order of their group versions, by resource name within one.
  [[nodiscard]] std::span<const ResourceInfo> resources() const { return resources_; }

 private:
  Catalog() = default;
  friend class CatalogLoader;

  std::vector<ResourceInfo> resources_;
  std::vector<GroupInfo> groups_;
};

}  // namespace kulisse::openapi
