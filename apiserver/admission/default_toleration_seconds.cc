// DefaultTolerationSeconds: pods stay so long on a node that is not ready or not reachable, unless
// they say otherwise. Upstream: plugin/pkg/admission/defaulttolerationseconds.
#include <string_view>

#include "apiserver/admission/plugins.h"

namespace kulisse::apiserver {

namespace {

constexpr std::string_view kNotReady = "node.kubernetes.io/not-ready";
constexpr std::string_view kUnreachable = "node.kubernetes.io/unreachable";
constexpr int64_t kTolerationSeconds = 300;

bool Tolerates(const json::Value& tolerations, std::string_view taint) {
  for (const json::Value& toleration : tolerations.elements()) {
    const std::string_view key = toleration.FindString({"key"});
    const std::string_view effect = toleration.FindString({"effect"});
    if ((key.empty() || key == taint) && (effect.empty() || effect == "NoExecute")) return true;
  }
  return false;
}

json::Value Toleration(std::string_view taint, json::Arena& arena) {
  json::Value toleration = json::Value::Object();
  toleration.AppendRef("key", json::Value::StringRef(taint), arena);
  toleration.AppendRef("operator", json::Value::StringRef("Exists"), arena);
  toleration.AppendRef("effect", json::Value::StringRef("NoExecute"), arena);
  toleration.AppendRef("tolerationSeconds", json::Value::Int(kTolerationSeconds), arena);
  return toleration;
}

class DefaultTolerationSeconds final : public AdmissionPlugin {
 public:
  [[nodiscard]] AdmissionInterest Interest() const override {
    return {kOnCreate | kOnUpdate, {"pods"}};
  }

  Result<void> Mutate(AdmissionAttributes& attributes) const override {
    if (!attributes.subresource.empty()) return {};
    json::Arena& arena = attributes.object->arena;
    json::Value& spec = attributes.object->root.SetDefaultObject("spec", arena);
    json::Value* tolerations = spec.Find("tolerations");
    if (tolerations == nullptr || !tolerations->IsArray()) {
      tolerations = &spec.Set("tolerations", json::Value::Array(), arena);
    }
    const bool not_ready = Tolerates(*tolerations, kNotReady);
    const bool unreachable = Tolerates(*tolerations, kUnreachable);
    if (!not_ready) tolerations->PushBack(Toleration(kNotReady, arena), arena);
    if (!unreachable) tolerations->PushBack(Toleration(kUnreachable, arena), arena);
    return {};
  }
};

}  // namespace

std::unique_ptr<AdmissionPlugin> MakeDefaultTolerationSeconds(const AdmissionOptions& /*options*/,
                                                              const AdmissionParts& /*parts*/) {
  return std::make_unique<DefaultTolerationSeconds>();
}

}  // namespace kulisse::apiserver
