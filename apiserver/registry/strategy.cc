#include "apiserver/registry/strategy.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>

#include "apiserver/registry/object_meta.h"
#include "apiserver/registry/service/service_spec.h"
#include "apiserver/registry/written_fields.h"
#include "base/text.h"

namespace kulisse::apiserver {

namespace {

constexpr int64_t kPodGraceSecondsDefault = 30;  // upstream's, for pods that say nothing

bool SameAt(const json::Value& a, const json::Value& b,
            std::initializer_list<std::string_view> path) {
  const json::Value* x = a.Find(path);
  const json::Value* y = b.Find(path);
  return x == nullptr || y == nullptr ? x == y : *x == *y;
}

// The generation after the old one, or the first.
void CountGeneration(json::Document& object, const json::Value& old) {
  const json::Value* before = old.Find({"metadata", "generation"});
  const int64_t generation = before != nullptr && before->IsInt() ? before->AsInt() : 0;
  object.root.SetDefaultObject("metadata", object.arena)
      .Set("generation", json::Value::Int(generation + 1), object.arena);
}

bool IsEmptyList(const json::Value* list) { return list == nullptr || list->size() == 0; }

// --- pods

// How a pod's requests and limits class it (upstream: pkg/apis/core/v1/helper/qos).
std::string_view QosClass(const json::Value& spec) {
  bool any = false;
  bool guaranteed = true;
  for (const std::string_view kind : {"containers", "initContainers"}) {
    const json::Value* containers = spec.Find(kind);
    if (containers == nullptr) continue;
    for (const json::Value& container : containers->elements()) {
      for (const std::string_view resource : {"cpu", "memory"}) {
        const std::string_view request = container.FindString({"resources", "requests", resource});
        const std::string_view limit = container.FindString({"resources", "limits", resource});
        any = any || (!request.empty() && request != "0") || (!limit.empty() && limit != "0");
        if (limit.empty() || limit == "0" || (!request.empty() && request != limit)) {
          guaranteed = false;
        }
      }
    }
  }
  if (!any) return "BestEffort";
  return guaranteed ? "Guaranteed" : "Burstable";
}

class PodStrategy final : public Strategy {
 public:
  void PrepareForCreate(json::Document& object) const override {
    object.root.SetDefaultObject("status", object.arena)
        .Set("phase", json::Value::StringRef("Pending"), object.arena);
    WriteQosClass(object);
    WriteSchedulingGatedCondition(object);
  }

  void PrepareForStatusUpdate(json::Document& object, const json::Value& /*old*/,
                              std::string_view /*now*/) const override {
    WriteQosClass(object);
  }

  [[nodiscard]] std::optional<int64_t> GracePeriodSeconds(
      const json::Value& object, std::optional<int64_t> asked) const override {
    int64_t period = kPodGraceSecondsDefault;
    const json::Value* own = object.Find({"spec", "terminationGracePeriodSeconds"});
    if (asked) {
      period = *asked;
    } else if (own != nullptr && own->IsInt()) {
      period = own->AsInt();
    }
    const std::string_view phase = object.FindString({"status", "phase"});
    if (object.FindString({"spec", "nodeName"}).empty() || phase == "Failed" ||
        phase == "Succeeded") {
      return 0;
    }
    return period < 0 ? 1 : period;
  }

 private:
  // The class follows from the spec; nobody else sets it.
  static void WriteQosClass(json::Document& object) {
    static const json::Value kEmpty;
    const json::Value* spec = object.root.Find("spec");
    object.root.SetDefaultObject("status", object.arena)
        .Set("qosClass", json::Value::StringRef(QosClass(spec == nullptr ? kEmpty : *spec)),
             object.arena);
  }
};

// --- workloads

class DeploymentStrategy final : public Strategy {
 public:
  [[nodiscard]] bool IsNewGeneration(const json::Value& object, const json::Value& old,
                                     bool spec_changed) const override {
    return spec_changed || !SameAt(object, old, {"metadata", "annotations"});
  }
};

class DaemonSetStrategy final : public Strategy {
 public:
  void ApplyDefaults(json::Document& object) const override {
    WriteTemplateGeneration(object, nullptr);
  }
  void PrepareForCreate(json::Document& object) const override {
    WriteTemplateGeneration(object, nullptr);
  }
  void PrepareForUpdate(json::Document& object, const json::Value& old) const override {
    WriteTemplateGeneration(object, &old);
  }
  void PrepareForStatusUpdate(json::Document& object, const json::Value& old,
                              std::string_view /*now*/) const override {
    WriteTemplateGeneration(object, &old);
  }
};

class JobStrategy final : public Strategy {
 public:
  void PrepareForCreate(json::Document& object) const override { WriteJobSelector(object); }
};

// --- endpoint slices and priority classes

class EndpointSliceStrategy final : public Strategy {
 public:
  void PrepareForCreate(json::Document& object) const override { DropDeprecatedTopology(object); }
  // What is dropped counts as a change.
  void PrepareForUpdate(json::Document& object, const json::Value& old) const override {
    if (DropDeprecatedTopology(object)) CountGeneration(object, old);
  }
  [[nodiscard]] bool IsNewGeneration(const json::Value& object, const json::Value& old,
                                     bool spec_changed) const override {
    return spec_changed || !SameAt(object, old, {"metadata", "labels"});
  }
};

class PriorityClassStrategy final : public Strategy {
 public:
  [[nodiscard]] bool IsNewGeneration(const json::Value& /*object*/, const json::Value& /*old*/,
                                     bool /*spec_changed*/) const override {
    return false;
  }
};

// --- namespaces

class NamespaceStrategy final : public Strategy {
 public:
  void ApplyDefaults(json::Document& object) const override { SetNameLabel(object); }

  void PrepareForCreate(json::Document& object) const override {
    json::Arena& arena = object.arena;
    object.root.SetDefaultObject("status", arena)
        .Set("phase", json::Value::StringRef("Active"), arena);
    json::Value& spec = object.root.SetDefaultObject("spec", arena);
    json::Value* finalizers = spec.Find("finalizers");
    if (finalizers == nullptr || !finalizers->IsArray()) {
      finalizers = &spec.Set("finalizers", json::Value::Array(), arena);
    }
    const bool has = std::ranges::any_of(finalizers->elements(), [](const json::Value& f) {
      return f.IsString() && f.AsString() == "kubernetes";
    });
    if (!has) finalizers->PushBack(json::Value::StringRef("kubernetes"), arena);
    SetNameLabel(object);
  }

  void PrepareForUpdate(json::Document& object, const json::Value& old) const override {
    SetNameLabel(object);
    // Its own finalizers change only through /finalize.
    if (const json::Value* finalizers = old.Find({"spec", "finalizers"})) {
      object.root.SetDefaultObject("spec", object.arena)
          .Set("finalizers", finalizers->Clone(object.arena), object.arena);
    }
  }

  [[nodiscard]] bool ReadyToBeDeleted(const json::Value& object) const override {
    return IsEmptyList(object.Find({"spec", "finalizers"}));
  }

 private:
  static void SetNameLabel(json::Document& object) {
    json::Value& metadata = object.root.SetDefaultObject("metadata", object.arena);
    const std::string_view name = metadata.FindString({"name"});
    if (name.empty()) return;  // drawn later, and prepared then
    json::Value& labels = metadata.SetDefaultObject("labels", object.arena);
    labels.Set("kubernetes.io/metadata.name", json::Value::String(name, object.arena),
               object.arena);
  }
};

// --- nodes

class NodeStrategy final : public Strategy {
 public:
  [[nodiscard]] bool KeepsStatusOnCreate() const override { return true; }
};

// --- claims and volumes start as Pending

void SetPending(json::Document& object) {
  object.root.SetDefaultObject("status", object.arena)
      .Set("phase", json::Value::StringRef("Pending"), object.arena);
}

class ClaimStrategy final : public Strategy {
 public:
  void PrepareForCreate(json::Document& object) const override {
    SetPending(object);
    WriteDataSources(object, nullptr);
  }
  void PrepareForUpdate(json::Document& object, const json::Value& old) const override {
    WriteDataSources(object, &old);
  }
};

class VolumeStrategy final : public Strategy {
 public:
  void PrepareForCreate(json::Document& object) const override {
    SetPending(object);
    WritePhaseTransitionTime(object, nullptr,
                             object.root.FindString({"metadata", "creationTimestamp"}));
  }
  void PrepareForStatusUpdate(json::Document& object, const json::Value& old,
                              std::string_view now) const override {
    WritePhaseTransitionTime(object, &old, now);
  }
};

// --- secrets: stringData is written into data

class SecretStrategy final : public Strategy {
 public:
  void PrepareForCreate(json::Document& object) const override { MergeStringData(object); }
  void PrepareForUpdate(json::Document& object, const json::Value& /*old*/) const override {
    MergeStringData(object);
  }

 private:
  static void MergeStringData(json::Document& object) {
    json::Value* texts = object.root.Find("stringData");
    if (texts == nullptr) return;
    json::Value& data = object.root.SetDefaultObject("data", object.arena);
    for (const json::Member& member : texts->members()) {
      data.Set(member.name,
               json::Value::String(Base64Encode(member.value.AsString()), object.arena),
               object.arena);
    }
    object.root.Remove("stringData");
  }
};

// --- services

class ServiceStrategy final : public Strategy {
 public:
  void ValidateUpdate(const json::Value& object, const json::Value& old,
                      FieldErrors* errors) const override {
    const FieldErrors found =
        CheckClusterIpUpdate(ServiceSpec::Read(object), ServiceSpec::Read(old));
    errors->insert(errors->end(), found.begin(), found.end());
  }
};

// --- drivers: a generation counts from the first change on

class DriverStrategy final : public Strategy {
 public:
  void PrepareForUpdate(json::Document& object, const json::Value& old) const override {
    if (SameAt(object.root, old, {"spec"})) return;
    CountGeneration(object, old);
  }
};

// --- limit ranges may be nameless

class LimitRangeStrategy final : public Strategy {
 public:
  void PrepareForCreate(json::Document& object) const override {
    json::Value& metadata = object.root.SetDefaultObject("metadata", object.arena);
    if (!metadata.FindString({"name"}).empty()) return;
    metadata.Set("name", json::Value::String(metadata.FindString({"uid"}), object.arena),
                 object.arena);
  }
};

// --- API services of this server are there at once

class ApiServiceStrategy final : public Strategy {
 public:
  void PrepareForCreate(json::Document& object) const override { WriteLocalAvailable(object); }
};

// --- definitions of custom resources

class DefinitionStrategy final : public Strategy {
 public:
  void PrepareForCreate(json::Document& object) const override { WriteStoredVersions(object); }
  void PrepareForUpdate(json::Document& object, const json::Value& /*old*/) const override {
    WriteStoredVersions(object);
  }
};

}  // namespace

std::string_view PodQosClass(const json::Value& spec) { return QosClass(spec); }

const Strategy& StrategyOf(const openapi::ResourceInfo& resource) {
  static const Strategy kDefault;
  static const PodStrategy kPod;
  static const DeploymentStrategy kDeployment;
  static const DaemonSetStrategy kDaemonSet;
  static const JobStrategy kJob;
  static const EndpointSliceStrategy kEndpointSlice;
  static const PriorityClassStrategy kPriorityClass;
  static const NamespaceStrategy kNamespace;
  static const NodeStrategy kNode;
  static const ClaimStrategy kClaim;
  static const VolumeStrategy kVolume;
  static const SecretStrategy kSecret;
  static const ServiceStrategy kService;
  static const DefinitionStrategy kDefinition;
  static const DriverStrategy kDriver;
  static const LimitRangeStrategy kLimitRange;
  static const ApiServiceStrategy kApiService;
  static const std::map<std::string_view, const Strategy*> kByKind = {
      {"pods", &kPod},
      {"deployments.apps", &kDeployment},
      {"daemonsets.apps", &kDaemonSet},
      {"jobs.batch", &kJob},
      {"endpointslices.discovery.k8s.io", &kEndpointSlice},
      {"priorityclasses.scheduling.k8s.io", &kPriorityClass},
      {"namespaces", &kNamespace},
      {"nodes", &kNode},
      {"persistentvolumes", &kVolume},
      {"persistentvolumeclaims", &kClaim},
      {"secrets", &kSecret},
      {"services", &kService},
      {"customresourcedefinitions.apiextensions.k8s.io", &kDefinition},
      {"csidrivers.storage.k8s.io", &kDriver},
      {"limitranges", &kLimitRange},
      {"apiservices.apiregistration.k8s.io", &kApiService},
  };
  const auto it = kByKind.find(resource.storage_name);
  return it == kByKind.end() ? kDefault : *it->second;
}

}  // namespace kulisse::apiserver
