// RuntimeClass: a pod's runtime class says what the sandbox costs and on which nodes it can run.
// Upstream: plugin/pkg/admission/runtimeclass.
#include <fmt/format.h>

#include <map>
#include <vector>

#include "apiserver/admission/fields.h"
#include "apiserver/admission/plugins.h"
#include "base/json/write.h"
#include "base/status.h"
#include "openapi/quantity.h"

namespace kulisse::apiserver {

namespace {

// Whether two resource lists name the same amounts, however they are written.
bool SameAmounts(const json::Value* a, const json::Value* b) {
  const size_t size = a == nullptr ? 0 : a->size();
  if (size != (b == nullptr ? 0 : b->size())) return false;
  for (size_t i = 0; i < size; ++i) {
    const json::Member& member = a->members()[i];
    const json::Value* other = b->Find(member.name);
    if (other == nullptr || !other->IsString() || !member.value.IsString()) return false;
    const auto x = openapi::Quantity::Parse(member.value.AsString());
    const auto y = openapi::Quantity::Parse(other->AsString());
    if (!x || !y || *x != *y) return false;
  }
  return true;
}

// Whether whoever tolerates `wide` tolerates all that `narrow` does (upstream: isSuperset).
bool IsSuperset(const json::Value& wide, const json::Value& narrow) {
  if (wide == narrow) return true;
  const std::string_view key = wide.FindString({"key"});
  const std::string_view op = wide.FindString({"operator"});
  const std::string_view effect = wide.FindString({"effect"});
  if (narrow.FindString({"key"}) != key && (!key.empty() || op != "Exists")) return false;
  if (narrow.FindString({"effect"}) != effect && !effect.empty()) return false;
  if (effect == "NoExecute") {
    const auto seconds = IntAt(wide, "tolerationSeconds");
    const auto other = IntAt(narrow, "tolerationSeconds");
    if (seconds && (!other || *other > *seconds)) return false;
  }
  if (op == "Exists") return true;
  return narrow.FindString({"operator"}) == "Equal" &&
         narrow.FindString({"value"}) == wide.FindString({"value"});
}

// The tolerations of both; of two where one covers the other, that one.
json::Value MergeTolerations(std::span<const json::Value> first,
                             std::span<const json::Value> second, json::Arena& arena) {
  std::vector<const json::Value*> all;
  for (const json::Value& toleration : first) all.push_back(&toleration);
  for (const json::Value& toleration : second) all.push_back(&toleration);
  json::Value merged = json::Value::Array();
  for (size_t i = 0; i < all.size(); ++i) {
    bool redundant = false;
    for (const json::Value& kept : merged.elements()) redundant |= IsSuperset(kept, *all[i]);
    for (size_t j = i + 1; j < all.size(); ++j) {
      redundant |= !(*all[i] == *all[j]) && IsSuperset(*all[j], *all[i]);
    }
    if (!redundant) merged.PushBack(all[i]->Clone(arena), arena);
  }
  return merged;
}

class RuntimeClass final : public AdmissionPlugin {
 public:
  explicit RuntimeClass(const AdmissionCache& cache) : cache_(cache) {}

  [[nodiscard]] AdmissionInterest Interest() const override { return {kOnCreate, {"pods"}}; }

  Result<void> Mutate(AdmissionAttributes& attributes) const override {
    if (!attributes.Is("pods")) return {};
    CachedObjectPtr found;
    KULISSE_TRY(FindClass(attributes, &found));
    if (found == nullptr) return {};
    json::Value& spec = attributes.object->root.SetDefaultObject("spec", attributes.object->arena);
    KULISSE_TRY(SetOverhead(attributes, found->root(), spec));
    return SetScheduling(attributes, found->root(), spec);
  }

  Result<void> Validate(const AdmissionAttributes& attributes) const override {
    if (!attributes.Is("pods")) return {};
    CachedObjectPtr found;
    KULISSE_TRY(FindClass(attributes, &found));
    const json::Value* given = attributes.root().Find({"spec", "overhead"});
    const json::Value* wanted =
        found == nullptr ? nullptr : found->root().Find({"overhead", "podFixed"});
    if (wanted == nullptr && given != nullptr) {
      return std::unexpected(AdmissionForbidden(
          attributes,
          "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"));
    }
    return SameAmounts(given, wanted) ? Result<void>() : OtherOverhead(attributes);
  }

 private:
  static Result<void> OtherOverhead(const AdmissionAttributes& attributes) {
    return std::unexpected(AdmissionForbidden(
        attributes, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"));
  }

  // Null when the pod names no class.
  Result<void> FindClass(const AdmissionAttributes& attributes, CachedObjectPtr* found) const {
    const json::Value* name = attributes.root().Find({"spec", "runtimeClassName"});
    if (name == nullptr || !name->IsString()) return {};
    *found = cache_.Get(AdmissionCache::Kind::kRuntimeClasses, "", name->AsString());
    if (*found != nullptr) return {};
    return std::unexpected(AdmissionForbidden(
        attributes,
        fmt::format("pod rejected: RuntimeClass {} not found", GoQuote(name->AsString()))));
  }

  static Result<void> SetOverhead(const AdmissionAttributes& attributes,
                                  const json::Value& runtime_class, json::Value& spec) {
    const json::Value* wanted = runtime_class.Find({"overhead", "podFixed"});
    if (wanted == nullptr) return {};
    const json::Value* given = spec.Find("overhead");
    if (given != nullptr && given->size() > 0 && !SameAmounts(given, wanted)) {
      return OtherOverhead(attributes);
    }
    json::Arena& arena = attributes.object->arena;
    spec.Set("overhead", wanted->Clone(arena), arena);
    return {};
  }

  static Result<void> SetScheduling(const AdmissionAttributes& attributes,
                                    const json::Value& runtime_class, json::Value& spec) {
    const json::Value* scheduling = runtime_class.Find("scheduling");
    if (scheduling == nullptr) return {};
    json::Arena& arena = attributes.object->arena;
    for (const json::Member& wanted : MapAt(*scheduling, "nodeSelector")) {
      json::Value& selector = spec.SetDefaultObject("nodeSelector", arena);
      const json::Value* given = selector.Find(wanted.name);
      if (given != nullptr && !(*given == wanted.value)) {
        return std::unexpected(AdmissionForbidden(
            attributes,
            fmt::format("conflict: runtimeClass.scheduling.nodeSelector[{}] = {}; "
                        "pod.spec.nodeSelector[{}] = {}",
                        wanted.name, wanted.value.AsString(), wanted.name, given->AsString())));
      }
      selector.Set(wanted.name, wanted.value.Clone(arena), arena);
    }
    json::Value merged =
        MergeTolerations(ListAt(spec, "tolerations"), ListAt(*scheduling, "tolerations"), arena);
    if (merged.size() > 0) spec.Set("tolerations", std::move(merged), arena);
    return {};
  }

  const AdmissionCache& cache_;
};

}  // namespace

std::unique_ptr<AdmissionPlugin> MakeRuntimeClass(const AdmissionOptions& /*options*/,
                                                  const AdmissionParts& parts) {
  return std::make_unique<RuntimeClass>(parts.cache);
}

}  // namespace kulisse::apiserver
