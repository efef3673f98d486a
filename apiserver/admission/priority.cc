// Priority: a pod's priority class gives it its priority and preemption policy; there is one
// default class at most. Upstream: plugin/pkg/admission/priority.
#include <fmt/format.h>

#include <string_view>

#include "apiserver/admission/plugins.h"

namespace kulisse::apiserver {

namespace {

using Kind = AdmissionCache::Kind;

int64_t ValueOf(const json::Value& priority_class) {
  const json::Value* value = priority_class.Find("value");
  return value != nullptr && value->IsInt() ? value->AsInt() : 0;
}

bool IsGlobalDefault(const json::Value& priority_class) {
  const json::Value* value = priority_class.Find("globalDefault");
  return value != nullptr && value->IsBool() && value->AsBool();
}

class Priority final : public AdmissionPlugin {
 public:
  explicit Priority(const AdmissionCache& cache) : cache_(cache) {}

  [[nodiscard]] AdmissionInterest Interest() const override {
    return {kOnCreate | kOnUpdate, {"pods", "priorityclasses.scheduling.k8s.io"}};
  }

  Result<void> Mutate(AdmissionAttributes& attributes) const override {
    if (!attributes.Is("pods")) return {};
    if (attributes.operation == AdmissionOperation::kCreate) return SetPriority(attributes);
    KeepPriority(attributes);
    return {};
  }

  Result<void> Validate(const AdmissionAttributes& attributes) const override {
    if (!attributes.Is("priorityclasses.scheduling.k8s.io")) return {};
    if (!IsGlobalDefault(attributes.root())) return {};
    const CachedObjectPtr current = DefaultClass();
    if (current == nullptr) return {};
    const std::string_view name = attributes.root().FindString({"metadata", "name"});
    if (attributes.operation == AdmissionOperation::kUpdate && current->name() == name) return {};
    return std::unexpected(AdmissionForbidden(
        attributes,
        fmt::format("PriorityClass {} is already marked as default. Only one default can exist",
                    current->name())));
  }

 private:
  // Of several that came by a race the one with the lowest value.
  [[nodiscard]] CachedObjectPtr DefaultClass() const {
    CachedObjectPtr found;
    for (CachedObjectPtr& candidate : cache_.List(Kind::kPriorityClasses, "")) {
      if (!IsGlobalDefault(candidate->root())) continue;
      if (found == nullptr || ValueOf(found->root()) > ValueOf(candidate->root())) {
        found = std::move(candidate);
      }
    }
    return found;
  }

  Result<void> SetPriority(AdmissionAttributes& attributes) const {
    json::Arena& arena = attributes.object->arena;
    json::Value& spec = attributes.object->root.SetDefaultObject("spec", arena);
    const std::string_view name = spec.FindString({"priorityClassName"});
    int64_t priority = 0;
    std::string_view policy;
    CachedObjectPtr found;
    if (name.empty()) {
      found = DefaultClass();
      if (found != nullptr) {
        spec.Set("priorityClassName", json::Value::String(found->name(), arena), arena);
      } else {
        policy = "PreemptLowerPriority";
      }
    } else {
      found = cache_.Get(Kind::kPriorityClasses, "", name);
      if (found == nullptr) {
        return std::unexpected(AdmissionForbidden(
            attributes, fmt::format("no PriorityClass with name {} was found", name)));
      }
    }
    if (found != nullptr) {
      priority = ValueOf(found->root());
      policy = found->root().FindString({"preemptionPolicy"});
    }
    KULISSE_TRY(SetComputed(attributes, spec, priority));
    return policy.empty() ? Result<void>() : SetPolicy(attributes, spec, policy);
  }

  static Result<void> SetComputed(const AdmissionAttributes& attributes, json::Value& spec,
                                  int64_t priority) {
    const json::Value* given = spec.Find("priority");
    if (given != nullptr && given->IsInt() && given->AsInt() != priority) {
      return std::unexpected(AdmissionForbidden(
          attributes,
          fmt::format("the integer value of priority ({}) must not be provided in pod spec; "
                      "priority admission controller computed {} from the given PriorityClass name",
                      given->AsInt(), priority)));
    }
    spec.Set("priority", json::Value::Int(priority), attributes.object->arena);
    return {};
  }

  static Result<void> SetPolicy(const AdmissionAttributes& attributes, json::Value& spec,
                                std::string_view policy) {
    const json::Value* wanted = spec.Find("preemptionPolicy");
    const std::string_view given = spec.FindString({"preemptionPolicy"});
    if (wanted != nullptr && !wanted->IsNull() && given != policy) {
      return std::unexpected(AdmissionForbidden(
          attributes,
          fmt::format("the string value of PreemptionPolicy ({}) must not be provided in pod spec; "
                      "priority admission controller computed {} from the given PriorityClass name",
                      given, policy)));
    }
    spec.Set("preemptionPolicy", json::Value::String(policy, attributes.object->arena),
             attributes.object->arena);
    return {};
  }

  // An update that leaves them out means those that are there.
  static void KeepPriority(AdmissionAttributes& attributes) {
    json::Value& spec = attributes.object->root.SetDefaultObject("spec", attributes.object->arena);
    for (const std::string_view name : {"priority", "preemptionPolicy"}) {
      if (spec.Find(name) != nullptr) continue;
      const json::Value* before = attributes.old->Find({"spec", name});
      if (before == nullptr) continue;
      spec.Set(name, before->Clone(attributes.object->arena), attributes.object->arena);
    }
  }

  const AdmissionCache& cache_;
};

}  // namespace

std::unique_ptr<AdmissionPlugin> MakePriority(const AdmissionOptions& /*options*/,
                                              const AdmissionParts& parts) {
  return std::make_unique<Priority>(parts.cache);
}

}  // namespace kulisse::apiserver
