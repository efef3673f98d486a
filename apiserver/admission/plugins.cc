#include "apiserver/admission/plugins.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace kulisse::apiserver {

namespace {

struct PluginRow {
  std::string_view name;
  bool on_by_default;
  // Null: not built. Those that are on by default would have nothing to do here; the others are
  // refused when somebody asks for them.
  MakePlugin* make;
};

// Upstream: AllOrderedPlugins. Webhooks and policies stand behind what is built in, quota last.
constexpr PluginRow kPlugins[] = {
    {"AlwaysAdmit", false, nullptr},
    {"NamespaceAutoProvision", false, nullptr},
    {"NamespaceLifecycle", true, MakeNamespaceLifecycle},
    {"NamespaceExists", false, nullptr},
    {"LimitPodHardAntiAffinityTopology", false, nullptr},
    {"LimitRanger", true, MakeLimitRanger},
    {"ServiceAccount", true, MakeServiceAccount},
    {"NodeRestriction", false, MakeNodeRestriction},
    {"TaintNodesByCondition", true, MakeTaintNodesByCondition},
    {"AlwaysPullImages", false, nullptr},
    {"ImagePolicyWebhook", false, nullptr},
    {"PodSecurity", true, MakePodSecurity},
    {"PodNodeSelector", false, nullptr},
    {"Priority", true, MakePriority},
    {"DefaultTolerationSeconds", true, MakeDefaultTolerationSeconds},
    {"PodTolerationRestriction", false, nullptr},
    {"EventRateLimit", false, nullptr},
    {"ExtendedResourceToleration", false, nullptr},
    {"DefaultStorageClass", true, MakeDefaultStorageClass},
    {"StorageObjectInUseProtection", true, MakeStorageObjectInUseProtection},
    {"PodGroupProtection", true, nullptr},
    {"OwnerReferencesPermissionEnforcement", false, nullptr},
    {"PersistentVolumeClaimResize", true, MakePersistentVolumeClaimResize},
    {"RuntimeClass", true, MakeRuntimeClass},
    {"CertificateApproval", true, MakeCertificateApproval},
    {"CertificateSigning", true, MakeCertificateSigning},
    {"ClusterTrustBundleAttest", true, nullptr},
    {"CertificateSubjectRestriction", true, MakeCertificateSubjectRestriction},
    {"DefaultIngressClass", true, MakeDefaultIngressClass},
    {"DenyServiceExternalIPs", false, nullptr},
    {"PodTopologyLabels", true, MakePodTopologyLabels},
    {"PodGroupWorkloadExists", true, nullptr},
    {"NodeDeclaredFeatureValidator", true, nullptr},
    {"JobValidation", true, nullptr},
    {"PodResizeValidator", true, MakePodResizeValidator},
    {"MutatingAdmissionPolicy", true, nullptr},
    {"MutatingAdmissionWebhook", true, nullptr},
    {"ValidatingAdmissionPolicy", true, nullptr},
    {"ValidatingAdmissionWebhook", true, nullptr},
    {"ResourceQuota", true, MakeResourceQuota},
    {"AlwaysDeny", false, nullptr},
};

const PluginRow* FindPlugin(std::string_view name) {
  const auto* row = std::ranges::find(kPlugins, name, &PluginRow::name);
  return row == std::end(kPlugins) ? nullptr : row;
}

bool Contains(const std::vector<std::string>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

}  // namespace

std::expected<void, std::string> CheckPluginNames(const AdmissionOptions& options) {
  for (const std::string& name : options.enable) {
    const PluginRow* row = FindPlugin(name);
    if (row == nullptr) {
      return std::unexpected(
          fmt::format("enable-admission-plugins plugin \"{}\" is unknown", name));
    }
    if (!row->on_by_default && row->make == nullptr) {
      return std::unexpected(
          fmt::format("enable-admission-plugins plugin \"{}\" is not built into Kulisse", name));
    }
    if (Contains(options.disable, name)) {
      return std::unexpected(fmt::format(
          "[{}] in enable-admission-plugins and disable-admission-plugins overlapped", name));
    }
  }
  for (const std::string& name : options.disable) {
    if (FindPlugin(name) == nullptr) {
      return std::unexpected(
          fmt::format("disable-admission-plugins plugin \"{}\" is unknown", name));
    }
  }
  return {};
}

void AppendPlugins(const AdmissionOptions& options, const AdmissionParts& parts,
                   AdmissionChain* chain) {
  for (const PluginRow& row : kPlugins) {
    const bool on = (row.on_by_default && !Contains(options.disable, row.name)) ||
                    Contains(options.enable, row.name);
    if (on && row.make != nullptr) chain->Append(row.make(options, parts));
  }
}

}  // namespace kulisse::apiserver
