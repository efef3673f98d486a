// TaintNodesByCondition: new nodes are tainted until somebody finds them ready.
// Upstream: plugin/pkg/admission/nodetaint.
#include <algorithm>

#include "apiserver/admission/plugins.h"

namespace kulisse::apiserver {

namespace {

constexpr std::string_view kNotReady = "node.kubernetes.io/not-ready";
constexpr std::string_view kNoSchedule = "NoSchedule";

class TaintNodesByCondition final : public AdmissionPlugin {
 public:
  [[nodiscard]] AdmissionInterest Interest() const override { return {kOnCreate, {"nodes"}}; }

  Result<void> Mutate(AdmissionAttributes& attributes) const override {
    if (!attributes.subresource.empty()) return {};
    json::Arena& arena = attributes.object->arena;
    json::Value& spec = attributes.object->root.SetDefaultObject("spec", arena);
    json::Value* taints = spec.Find("taints");
    if (taints == nullptr || !taints->IsArray()) {
      taints = &spec.Set("taints", json::Value::Array(), arena);
    }
    const bool tainted = std::ranges::any_of(taints->elements(), [](const json::Value& taint) {
      return taint.FindString({"key"}) == kNotReady && taint.FindString({"effect"}) == kNoSchedule;
    });
    if (tainted) return {};
    json::Value taint = json::Value::Object();
    taint.AppendRef("key", json::Value::StringRef(kNotReady), arena);
    taint.AppendRef("effect", json::Value::StringRef(kNoSchedule), arena);
    taints->PushBack(std::move(taint), arena);
    return {};
  }
};

}  // namespace

std::unique_ptr<AdmissionPlugin> MakeTaintNodesByCondition(const AdmissionOptions& /*options*/,
                                                           const AdmissionParts& /*parts*/) {
  return std::make_unique<TaintNodesByCondition>();
}

}  // namespace kulisse::apiserver
