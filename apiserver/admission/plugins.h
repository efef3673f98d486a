// The plugins of the API server: their names, order and which of them are on, as upstream's
// (kubernetes/pkg/kubeapiserver/options/plugins.go), and what makes each.
//
// Threads: none; used at start. Errors: in words, for a person who starts it.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "apiserver/admission/cache.h"
#include "apiserver/admission/chain.h"
#include "apiserver/admission/plugin.h"
#include "base/runtime.h"

namespace kulisse::apiserver {

class Authorizer;
class ResourceStore;

struct AdmissionOptions {
  std::vector<std::string> enable;   // besides those that are on by default
  std::vector<std::string> disable;  // of those that are on by default
  // Somebody in this process makes the service account "default" of every namespace, so that pods
  // need not wait until it is there.
  bool default_service_accounts_are_made = false;
};

// What plugins are made of. All of it must outlive them.
struct AdmissionParts {
  AdmissionCache& cache;
  ResourceStore& resources;
  Runtime& runtime;
  const Authorizer& authorizer;
};

// Whether the names are plugins of the real server, and of ours.
[[nodiscard]] std::expected<void, std::string> CheckPluginNames(const AdmissionOptions& options);
// Appends the plugins that are on, in order. REQUIRES: CheckPluginNames().
void AppendPlugins(const AdmissionOptions& options, const AdmissionParts& parts,
                   AdmissionChain* chain);

using MakePlugin = std::unique_ptr<AdmissionPlugin>(const AdmissionOptions& options,
                                                    const AdmissionParts& parts);
MakePlugin MakeCertificateApproval;
MakePlugin MakeCertificateSigning;
MakePlugin MakeCertificateSubjectRestriction;
MakePlugin MakeDefaultIngressClass;
MakePlugin MakeDefaultStorageClass;
MakePlugin MakeDefaultTolerationSeconds;
MakePlugin MakeLimitRanger;
MakePlugin MakeNamespaceLifecycle;
MakePlugin MakeNodeRestriction;
MakePlugin MakePersistentVolumeClaimResize;
MakePlugin MakePodResizeValidator;
MakePlugin MakePodSecurity;
MakePlugin MakePodTopologyLabels;
MakePlugin MakePriority;
MakePlugin MakeResourceQuota;
MakePlugin MakeRuntimeClass;
MakePlugin MakeServiceAccount;
MakePlugin MakeStorageObjectInUseProtection;
MakePlugin MakeTaintNodesByCondition;

}  // namespace kulisse::apiserver
