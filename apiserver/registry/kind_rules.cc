#include "apiserver/registry/kind_rules.h"

#include <algorithm>
#include <array>

namespace kulisse::apiserver {

namespace {

using enum NameRule;

// Kinds that differ from the defaults, by storage name.
//                name                              rule        uncond create object orphan status
constexpr auto kRules = std::to_array<KindRules>({
    {"certificatesigningrequests.certificates.k8s.io", kPathSegment, true, false, false, false},
    {"clusterrolebindings.rbac.authorization.k8s.io", kPathSegment, true, true, false, false},
    {"clusterroles.rbac.authorization.k8s.io", kPathSegment, true, true, false, false},
    {"csidrivers.storage.k8s.io", kSubdomain, false, false, true, false},
    {"csinodes.storage.k8s.io", kSubdomain, false, false, true, false},
    {"csistoragecapacities.storage.k8s.io", kSubdomain, false, false, false, false},
    {"customresourcedefinitions.apiextensions.k8s.io", kSubdomain, false, false, false, false,
     true},
    {"apiservices.apiregistration.k8s.io", kPathSegment, false, false, false, false, true},
    {"deviceclasses.resource.k8s.io", kLongName, true, false, true, false},
    {"endpoints", kSubdomain, true, true, false, false},
    {"events", kPathSegment, true, true, false, false},
    {"flowschemas.flowcontrol.apiserver.k8s.io", kSubdomain, true, false, false, false, true},
    {"ipaddresses.networking.k8s.io", kIpAddress, true, false, false, false},
    {"jobs.batch", kSubdomain, true, false, false, true},
    {"leases.coordination.k8s.io", kSubdomain, false, true, false, false},
    {"limitranges", kSubdomain, true, true, false, false},
    {"mutatingadmissionpolicies.admissionregistration.k8s.io", kSubdomain, false, false, false,
     false},
    {"mutatingadmissionpolicybindings.admissionregistration.k8s.io", kSubdomain, false, false,
     false, false},
    {"mutatingwebhookconfigurations.admissionregistration.k8s.io", kSubdomain, false, false, false,
     false},
    {"namespaces", kLabel, true, false, true, false},
    {"persistentvolumeclaims", kSubdomain, true, false, true, false},
    {"persistentvolumes", kSubdomain, true, false, true, false},
    {"poddisruptionbudgets.policy", kPathSegment, false, false, false, false},
    {"pods", kSubdomain, true, false, true, false},
    {"podtemplates", kSubdomain, true, false, true, false},
    {"replicationcontrollers", kLongName, true, false, false, true},
    {"prioritylevelconfigurations.flowcontrol.apiserver.k8s.io", kSubdomain, true, false, false,
     false, true},
    {"resourceclaims.resource.k8s.io", kSubdomain, true, false, true, false, true},
    {"resourceclaimtemplates.resource.k8s.io", kSubdomain, true, false, true, false},
    {"resourcequotas", kSubdomain, true, false, true, false},
    {"resourceslices.resource.k8s.io", kSubdomain, true, false, true, false},
    {"rolebindings.rbac.authorization.k8s.io", kPathSegment, true, true, false, false},
    {"roles.rbac.authorization.k8s.io", kPathSegment, true, true, false, false},
    {"runtimeclasses.node.k8s.io", kSubdomain, false, true, false, false},
    {"serviceaccounts", kSubdomain, true, false, true, false},
    {"servicecidrs.networking.k8s.io", kSubdomain, true, false, false, false, true},
    {"services", kLabel, true, true, true, false},
    {"statefulsets.apps", kLabel, true, false, false, false},
    {"storageclasses.storage.k8s.io", kSubdomain, true, false, true, false},
    {"validatingadmissionpolicies.admissionregistration.k8s.io", kSubdomain, false, false, false,
     false, true},
    {"validatingadmissionpolicybindings.admissionregistration.k8s.io", kSubdomain, false, false,
     false, false},
    {"validatingwebhookconfigurations.admissionregistration.k8s.io", kSubdomain, false, false,
     false, false},
    {"volumeattachments.storage.k8s.io", kSubdomain, false, false, true, false, true},
    {"volumeattributesclasses.storage.k8s.io", kSubdomain, true, false, true, false},
});

}  // namespace

const KindRules& RulesOf(const openapi::ResourceInfo& resource) {
  static constexpr KindRules kDefault{};
  static constexpr KindRules kCustom{
      .storage_name = {}, .unconditional_update = false, .status_keeps_metadata = true};
  if (resource.custom) return kCustom;
  const auto it =
      std::ranges::find(kRules, std::string_view(resource.storage_name), &KindRules::storage_name);
  return it == kRules.end() ? kDefault : *it;
}

NameRule NameRuleOf(const openapi::ResourceInfo& served) {
  return served.group == "events.k8s.io" ? kSubdomain : RulesOf(served).name_rule;
}

std::string_view EtcdName(const openapi::ResourceInfo& resource) {
  static constexpr auto kNames = std::to_array<std::pair<std::string_view, std::string_view>>({
      {"apiservices.apiregistration.k8s.io", "apiregistration.k8s.io/apiservices"},
      {"customresourcedefinitions.apiextensions.k8s.io",
       "apiextensions.k8s.io/customresourcedefinitions"},
      {"endpoints", "services/endpoints"},
      {"ingresses.networking.k8s.io", "ingress"},
      {"nodes", "minions"},
      {"replicationcontrollers", "controllers"},
      {"services", "services/specs"},
  });
  for (const auto& [storage_name, name] : kNames) {
    if (storage_name == resource.storage_name) return name;
  }
  return resource.resource;
}

}  // namespace kulisse::apiserver
