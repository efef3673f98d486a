// DefaultStorageClass, DefaultIngressClass: claims and ingresses that name no class get the one
// that is marked as the default. Upstream: plugin/pkg/admission/storage/storageclass/setdefault and
// network/defaultingressclass.
#include <array>

#include "apiserver/admission/plugins.h"

namespace kulisse::apiserver {

namespace {

using Kind = AdmissionCache::Kind;

// Where a kind names its class, and how classes are marked.
struct ClassRules {
  std::string_view storage_name;
  Kind classes;
  std::string_view field;                 // in spec
  std::string_view annotation;            // the older way to name a class
  std::array<std::string_view, 2> marks;  // any of them
};

constexpr ClassRules kStorage{
    "persistentvolumeclaims",
    Kind::kStorageClasses,
    "storageClassName",
    "volume.beta.kubernetes.io/storage-class",
    {"storageclass.kubernetes.io/is-default-class",
     "storageclass.beta.kubernetes.io/is-default-class"},
};
constexpr ClassRules kIngress{
    "ingresses.networking.k8s.io",
    Kind::kIngressClasses,
    "ingressClassName",
    "kubernetes.io/ingress.class",
    {"ingressclass.kubernetes.io/is-default-class"},
};

class DefaultClass final : public AdmissionPlugin {
 public:
  DefaultClass(const ClassRules& rules, const AdmissionCache& cache)
      : rules_(rules), cache_(cache) {}

  [[nodiscard]] AdmissionInterest Interest() const override {
    return {kOnCreate, {rules_.storage_name}};
  }

  Result<void> Mutate(AdmissionAttributes& attributes) const override {
    if (!attributes.subresource.empty()) return {};
    json::Arena& arena = attributes.object->arena;
    json::Value& root = attributes.object->root;
    if (root.Find({"spec", rules_.field}) != nullptr) return {};
    if (root.Find({"metadata", "annotations", rules_.annotation}) != nullptr) return {};
    const CachedObjectPtr found = FindDefault();
    if (found == nullptr) return {};
    root.SetDefaultObject("spec", arena)
        .Set(rules_.field, json::Value::String(found->name(), arena), arena);
    return {};
  }

 private:
  [[nodiscard]] bool IsMarked(const CachedObject& candidate) const {
    for (const std::string_view mark : rules_.marks) {
      if (mark.empty()) continue;
      if (candidate.root().FindString({"metadata", "annotations", mark}) == "true") return true;
    }
    return false;
  }

  // Of several the newest; of those of one second the first by name, as they come from the cache.
  [[nodiscard]] CachedObjectPtr FindDefault() const {
    CachedObjectPtr found;
    std::string_view created;
    for (CachedObjectPtr& candidate : cache_.List(rules_.classes, "")) {
      if (!IsMarked(*candidate)) continue;
      const std::string_view since =
          candidate->root().FindString({"metadata", "creationTimestamp"});
      if (found != nullptr && since <= created) continue;
      created = since;
      found = std::move(candidate);
    }
    return found;
  }

  const ClassRules& rules_;
  const AdmissionCache& cache_;
};

}  // namespace

std::unique_ptr<AdmissionPlugin> MakeDefaultStorageClass(const AdmissionOptions& /*options*/,
                                                         const AdmissionParts& parts) {
  return std::make_unique<DefaultClass>(kStorage, parts.cache);
}

std::unique_ptr<AdmissionPlugin> MakeDefaultIngressClass(const AdmissionOptions& /*options*/,
                                                         const AdmissionParts& parts) {
  return std::make_unique<DefaultClass>(kIngress, parts.cache);
}

}  // namespace kulisse::apiserver
