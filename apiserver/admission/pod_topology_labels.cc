// PodTopologyLabels: a pod that is bound to a node gets the node's zone and region as labels.
// Upstream: plugin/pkg/admission/podtopologylabels.
#include "apiserver/admission/plugins.h"
#include "apiserver/registry/resource_store.h"

namespace kulisse::apiserver {

namespace {

constexpr std::string_view kTopologyLabels[] = {"topology.kubernetes.io/zone",
                                                "topology.kubernetes.io/region"};

class PodTopologyLabels final : public AdmissionPlugin {
 public:
  explicit PodTopologyLabels(const storage::Store& store) : store_(store) {}

  [[nodiscard]] AdmissionInterest Interest() const override { return {kOnCreate, {"pods"}}; }

  Result<void> Mutate(AdmissionAttributes& attributes) const override {
    const json::Value& root = attributes.root();
    std::string_view node;
    if (attributes.subresource.empty()) node = root.FindString({"spec", "nodeName"});
    if (attributes.subresource == "binding" && root.FindString({"target", "kind"}) == "Node") {
      node = root.FindString({"target", "name"});
    }
    if (node.empty()) return {};
    const storage::RecordPtr record = store_.Get({"nodes", "", std::string(node)});
    if (record == nullptr) return {};
    json::Arena& arena = attributes.object->arena;
    for (const std::string_view label : kTopologyLabels) {
      const auto value = record->Label(label);
      if (!value) continue;
      attributes.object->root.SetDefaultObject("metadata", arena)
          .SetDefaultObject("labels", arena)
          .Set(label, json::Value::String(*value, arena), arena);
    }
    return {};
  }

 private:
  const storage::Store& store_;
};

}  // namespace

std::unique_ptr<AdmissionPlugin> MakePodTopologyLabels(const AdmissionOptions& /*options*/,
                                                       const AdmissionParts& parts) {
  return std::make_unique<PodTopologyLabels>(parts.resources.store());
}

}  // namespace kulisse::apiserver
