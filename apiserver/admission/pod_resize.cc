// PodResizeValidator: a pod that is bound to a node does not grow beyond what the node has.
// Upstream: plugin/pkg/admission/podresize.
#include <fmt/format.h>

#include "apiserver/admission/plugins.h"
#include "apiserver/admission/resource_list.h"
#include "apiserver/registry/resource_store.h"

namespace kulisse::apiserver {

namespace {

constexpr std::string_view kOs = "kubernetes.io/os";

openapi::Quantity AmountOf(const ResourceList& list, std::string_view name) {
  const auto it = list.find(name);
  return it == list.end() ? openapi::Quantity() : it->second;
}

// The 403 with its reason as a cause.
Status Refusal(const AdmissionAttributes& attributes, std::string_view why, std::string reason) {
  Status status = AdmissionForbidden(attributes, why);
  if (!status.details) status.details.emplace();
  status.details->causes.push_back({.reason = std::move(reason), .message = "", .field = ""});
  return status;
}

class PodResize final : public AdmissionPlugin {
 public:
  explicit PodResize(const storage::Store& store) : store_(store) {}

  [[nodiscard]] AdmissionInterest Interest() const override { return {kOnUpdate, {"pods"}}; }

  Result<void> Validate(const AdmissionAttributes& attributes) const override {
    if (attributes.subresource != "resize") return {};
    const json::Value& pod = attributes.root();
    const std::string_view name = pod.FindString({"spec", "nodeName"});
    const json::Value* generation = pod.Find({"metadata", "generation"});
    const json::Value* before = attributes.old->Find({"metadata", "generation"});
    const bool same =
        generation == nullptr || before == nullptr ? generation == before : *generation == *before;
    if (name.empty() || same) return {};
    const storage::RecordPtr record = store_.Get({"nodes", "", std::string(name)});
    if (record == nullptr) {
      return std::unexpected(
          AdmissionForbidden(attributes, fmt::format("node {} not found", GoQuote(name))));
    }
    if (const auto os = record->Label(kOs); os && *os != "linux") {
      return std::unexpected(
          Refusal(attributes,
                  fmt::format("pod resize is only supported on linux nodes, node {} is {}",
                              GoQuote(name), GoQuote(*os)),
                  "UnsupportedPlatform"));
    }
    return CheckAmounts(attributes, *pod.Find("spec"), *record);
  }

 private:
  static Result<void> CheckAmounts(const AdmissionAttributes& attributes, const json::Value& spec,
                                   const storage::Record& record) {
    const json::Document node = ResourceStore::Decode(record);
    const ResourceList has = ResourceListOf(node.root.Find({"status", "allocatable"}));
    const ResourceList wants = PodResources(spec, "requests");
    std::string lacking;
    for (const std::string_view resource : {"cpu", "memory"}) {
      const openapi::Quantity asked = AmountOf(wants, resource);
      const openapi::Quantity there = AmountOf(has, resource);
      if (asked <= there) continue;
      const bool milli = resource == "cpu";
      lacking += fmt::format("{}{}, requested: {}, allocatable: {}", lacking.empty() ? "" : "; ",
                             resource, milli ? asked.MilliValue() : asked.Value(),
                             milli ? there.MilliValue() : there.Value());
    }
    if (lacking.empty()) return {};
    return std::unexpected(Refusal(
        attributes, fmt::format("node didn't have enough allocatable resources: {}", lacking),
        "NodeCapacity"));
  }

  const storage::Store& store_;
};

}  // namespace

std::unique_ptr<AdmissionPlugin> MakePodResizeValidator(const AdmissionOptions& /*options*/,
                                                        const AdmissionParts& parts) {
  return std::make_unique<PodResize>(parts.resources.store());
}

}  // namespace kulisse::apiserver
