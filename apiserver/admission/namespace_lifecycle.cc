// NamespaceLifecycle: nothing is created in a namespace that is missing or going, and three
// namespaces never go. Upstream: apiserver/pkg/admission/plugin/namespace/lifecycle.
#include <fmt/format.h>

#include <algorithm>

#include "apiserver/admission/plugins.h"

namespace kulisse::apiserver {

namespace {

constexpr std::string_view kImmortal[] = {"default", "kube-system", "kube-public"};

class NamespaceLifecycle final : public AdmissionPlugin {
 public:
  explicit NamespaceLifecycle(const AdmissionCache& cache) : cache_(cache) {}

  [[nodiscard]] AdmissionInterest Interest() const override { return {kOnCreate | kOnDelete, {}}; }

  Result<void> Mutate(AdmissionAttributes& attributes) const override {
    return attributes.operation == AdmissionOperation::kDelete ? CheckDelete(attributes)
                                                               : CheckCreate(attributes);
  }

 private:
  static Result<void> CheckDelete(const AdmissionAttributes& attributes) {
    if (!attributes.Is("namespaces")) return {};
    if (std::ranges::find(kImmortal, attributes.name) == std::end(kImmortal)) return {};
    return std::unexpected(AdmissionForbidden(attributes, "this namespace may not be deleted"));
  }

  Result<void> CheckCreate(const AdmissionAttributes& attributes) const {
    if (!attributes.resource.namespaced) return {};
    const CachedObjectPtr ns = cache_.Get(AdmissionCache::Kind::kNamespaces, "", attributes.ns);
    if (ns == nullptr) return std::unexpected(Status::NotFound({"", "namespaces"}, attributes.ns));
    if (!ns->record().deleting()) return {};
    Status status = AdmissionForbidden(
        attributes, fmt::format("unable to create new content in namespace {} because it is being "
                                "terminated",
                                attributes.ns));
    status.details->causes.push_back(
        {"NamespaceTerminating", fmt::format("namespace {} is being terminated", attributes.ns),
         "metadata.namespace"});
    return std::unexpected(std::move(status));
  }

  const AdmissionCache& cache_;
};

}  // namespace

std::unique_ptr<AdmissionPlugin> MakeNamespaceLifecycle(const AdmissionOptions& /*options*/,
                                                        const AdmissionParts& parts) {
  return std::make_unique<NamespaceLifecycle>(parts.cache);
}

}  // namespace kulisse::apiserver
