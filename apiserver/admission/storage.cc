// StorageObjectInUseProtection: volumes and claims go only when a controller has seen that nobody
// uses them. PersistentVolumeClaimResize: claims grow only where their class allows it.
// Upstream: plugin/pkg/admission/storage.
#include <algorithm>

#include "apiserver/admission/fields.h"
#include "apiserver/admission/plugins.h"
#include "openapi/quantity.h"

namespace kulisse::apiserver {

namespace {

constexpr std::string_view kClassAnnotation = "volume.beta.kubernetes.io/storage-class";

struct Protection {
  std::string_view storage_name;
  std::string_view finalizer;
};
constexpr Protection kProtections[] = {
    {"persistentvolumes", "kubernetes.io/pv-protection"},
    {"persistentvolumeclaims", "kubernetes.io/pvc-protection"},
    {"volumeattributesclasses.storage.k8s.io", "kubernetes.io/vac-protection"},
};

class StorageObjectInUseProtection final : public AdmissionPlugin {
 public:
  [[nodiscard]] AdmissionInterest Interest() const override {
    AdmissionInterest interest{kOnCreate, {}};
    for (const Protection& row : kProtections) interest.storage_names.push_back(row.storage_name);
    return interest;
  }

  Result<void> Mutate(AdmissionAttributes& attributes) const override {
    if (!attributes.subresource.empty()) return {};
    const auto* row = std::ranges::find(kProtections, attributes.resource.storage_name,
                                        &Protection::storage_name);
    json::Arena& arena = attributes.object->arena;
    json::Value& finalizers =
        ListIn(attributes.object->root.SetDefaultObject("metadata", arena), "finalizers", arena);
    for (const json::Value& finalizer : finalizers.elements()) {
      if (finalizer.IsString() && finalizer.AsString() == row->finalizer) return {};
    }
    finalizers.PushBack(json::Value::StringRef(row->finalizer), arena);
    return {};
  }
};

openapi::Quantity StorageRequest(const json::Value& claim) {
  const std::string_view text = claim.FindString({"spec", "resources", "requests", "storage"});
  return openapi::Quantity::Parse(text).value_or(openapi::Quantity());
}

std::string_view ClassOf(const json::Value& claim) {
  if (claim.Find({"metadata", "annotations", kClassAnnotation}) != nullptr) {
    return claim.FindString({"metadata", "annotations", kClassAnnotation});
  }
  return claim.FindString({"spec", "storageClassName"});
}

class PersistentVolumeClaimResize final : public AdmissionPlugin {
 public:
  explicit PersistentVolumeClaimResize(const AdmissionCache& cache) : cache_(cache) {}

  [[nodiscard]] AdmissionInterest Interest() const override {
    return {kOnUpdate, {"persistentvolumeclaims"}};
  }

  Result<void> Validate(const AdmissionAttributes& attributes) const override {
    if (!attributes.subresource.empty()) return {};
    const json::Value& claim = attributes.root();
    const json::Value& old = *attributes.old;
    if (StorageRequest(claim) <= StorageRequest(old)) return {};
    if (old.FindString({"status", "phase"}) != "Bound") {
      return std::unexpected(
          AdmissionForbidden(attributes, "Only bound persistent volume claims can be expanded"));
    }
    if (Allows(ClassOf(claim), ClassOf(old))) return {};
    return std::unexpected(AdmissionForbidden(
        attributes,
        "only dynamically provisioned pvc can be resized and the storageclass that provisions the "
        "pvc must support resize"));
  }

 private:
  [[nodiscard]] bool Allows(std::string_view name, std::string_view old_name) const {
    if (name.empty() || name != old_name) return false;
    const CachedObjectPtr found = cache_.Get(AdmissionCache::Kind::kStorageClasses, "", name);
    return found != nullptr && BoolAt(found->root(), "allowVolumeExpansion").value_or(false);
  }

  const AdmissionCache& cache_;
};

}  // namespace

std::unique_ptr<AdmissionPlugin> MakeStorageObjectInUseProtection(
    const AdmissionOptions& /*options*/, const AdmissionParts& /*parts*/) {
  return std::make_unique<StorageObjectInUseProtection>();
}

std::unique_ptr<AdmissionPlugin> MakePersistentVolumeClaimResize(
    const AdmissionOptions& /*options*/, const AdmissionParts& parts) {
  return std::make_unique<PersistentVolumeClaimResize>(parts.cache);
}

}  // namespace kulisse::apiserver
