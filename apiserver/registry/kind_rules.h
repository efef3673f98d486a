// What create, update and delete do differently from kind to kind, as data (upstream: the small
// methods of each kind's strategy). What needs code is in strategy.h.
// Threads: const data.
#pragma once

#include <cstdint>
#include <string_view>

#include "openapi/catalog.h"

namespace kulisse::apiserver {

enum class NameRule : uint8_t {
  kSubdomain,    // RFC 1123 subdomain: most kinds
  kLongName,     // the same in other words: kinds whose names are checked declaratively
  kLabel,        // RFC 1123 label
  kPathSegment,  // anything that fits a URL path: RBAC
  kIpAddress,    // an address as Go prints it
};

struct KindRules {
  std::string_view storage_name;
  NameRule name_rule = NameRule::kSubdomain;
  // An update without resourceVersion is not compared (upstream: AllowUnconditionalUpdate).
  bool unconditional_update = true;
  // PUT creates what is not there (upstream: AllowCreateOnUpdate).
  bool create_on_update = false;
  // DELETE answers with the object instead of a Status (upstream: ReturnDeletedObject).
  bool returns_deleted_object = false;
  // Dependents are orphaned unless the client says otherwise.
  bool orphans_by_default = false;
  // Labels, annotations and finalizers do not change through /status (upstream:
  // ResetObjectMetaForStatus).
  bool status_keeps_metadata = false;
};

[[nodiscard]] const KindRules& RulesOf(const openapi::ResourceInfo& resource);

// The rule of names of the kind as the client named it.
[[nodiscard]] NameRule NameRuleOf(const openapi::ResourceInfo& served);

// What upstream's keys in etcd begin with, which messages show: mostly the resource's name.
[[nodiscard]] std::string_view EtcdName(const openapi::ResourceInfo& resource);

}  // namespace kulisse::apiserver
