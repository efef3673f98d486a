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

// --- workloads: a selector and a pod template

class WorkloadStrategy : public Strategy {
 public:
  void Validate(const json::Value& object, FieldErrors* errors) const override {
    const json::Value* labels = object.Find({"spec", "selector", "matchLabels"});
    const json::Value* expressions = object.Find({"spec", "selector", "matchExpressions"});
    if (object.Find({"spec", "selector"}) == nullptr) {
      errors->push_back(FieldError::Required("spec.selector"));
    } else if (IsEmptyList(labels) && IsEmptyList(expressions)) {
      errors->push_back(
          FieldError::Invalid("spec.selector", "{}", "empty selector is invalid for deployment"));
    } else if (!TemplateHas(object, labels)) {
      errors->push_back(FieldError::Invalid("spec.template.metadata.labels",
                                            TemplateLabelsText(object),
                                            "`selector` does not match template `labels`"));
    }
    const json::Value* replicas = object.Find({"spec", "replicas"});
    if (replicas != nullptr && replicas->IsInt() && replicas->AsInt() < 0) {
      errors->push_back(FieldError::Invalid("spec.replicas", std::to_string(replicas->AsInt()),
                                            "must be greater than or equal to 0"));
    }
  }

  void ValidateUpdate(const json::Value& object, const json::Value& old,
                      FieldErrors* errors) const override {
    const json::Value* now = object.Find({"spec", "selector"});
    const json::Value* before = old.Find({"spec", "selector"});
    if (now == nullptr || before == nullptr || *now == *before) return;
    errors->push_back(FieldError::Invalid("spec.selector", GoSelector(*now), "field is immutable"));
  }

 private:
  static bool TemplateHas(const json::Value& object, const json::Value* labels) {
    if (labels == nullptr) return true;
    for (const json::Member& label : labels->members()) {
      const json::Value* value =
          object.Find({"spec", "template", "metadata", "labels", label.name});
      if (value == nullptr || !(*value == label.value)) return false;
    }
    return true;
  }

  static std::string TemplateLabelsText(const json::Value& object) {
    const json::Value* labels = object.Find({"spec", "template", "metadata", "labels"});
    return labels == nullptr ? "null" : JsonMap(labels);
  }
  static std::string JsonMap(const json::Value* map) {
    std::string text = "{";
    if (map == nullptr) return "{}";
    for (const json::Member& member : map->members()) {
      text += fmt::format("{}{}:{}", text.size() > 1 ? "," : "", GoQuote(member.name),
                          GoQuote(member.value.AsString()));
    }
    return text + "}";
  }
  static std::string GoSelector(const json::Value& selector) {
    return fmt::format("{{\"matchLabels\":{}}}", JsonMap(selector.Find("matchLabels")));
  }
};

class DeploymentStrategy final : public WorkloadStrategy {
 public:
  [[nodiscard]] bool AnnotationsAreSpec() const override { return true; }
};

class DaemonSetStrategy final : public WorkloadStrategy {
 public:
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
    WriteDataSources(object);
  }
  void PrepareForUpdate(json::Document& object, const json::Value& /*old*/) const override {
    WriteDataSources(object);
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

// --- config maps and secrets: keys and sizes

constexpr size_t kDataBytesMax = 1024 * 1024;  // of all values together, as upstream
constexpr std::string_view kConfigKeyError =
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. "
    "'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

bool IsConfigKey(std::string_view key) {
  return !key.empty() && std::ranges::all_of(key, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.';
  });
}

// Checks the keys of one map of values and adds up their sizes.
void ValidateData(const json::Value& object, std::string_view field, bool base64, size_t* bytes,
                  FieldErrors* errors) {
  const json::Value* data = object.Find(field);
  if (data == nullptr) return;
  for (const json::Member& member : data->members()) {
    if (!IsConfigKey(member.name)) {
      errors->push_back(FieldError::Invalid(fmt::format("{}[{}]", field, member.name),
                                            GoQuote(member.name), kConfigKeyError));
    }
    *bytes += base64 ? member.value.size() / 4 * 3 : member.value.size();
  }
}

void CheckDataSize(size_t bytes, const std::string& path, FieldErrors* errors) {
  if (bytes > kDataBytesMax) errors->push_back(FieldError::TooLong(path, kDataBytesMax));
}

// What `immutable: true` forbids.
void ValidateImmutable(const json::Value& object, const json::Value& old,
                       std::initializer_list<std::string_view> fields, FieldErrors* errors) {
  const json::Value* was = old.Find("immutable");
  if (was == nullptr || !was->IsBool() || !was->AsBool()) return;
  const auto refuse = [errors](std::string_view field) {
    errors->push_back(
        FieldError::Forbidden(std::string(field), "field is immutable when `immutable` is set"));
  };
  const json::Value* is = object.Find("immutable");
  if (is == nullptr || !is->IsBool() || !is->AsBool()) refuse("immutable");
  for (const std::string_view field : fields) {
    const json::Value* now = object.Find(field);
    const json::Value* before = old.Find(field);
    const bool same = now == nullptr || before == nullptr ? now == before : *now == *before;
    if (!same) refuse(field);
  }
}

class ConfigMapStrategy final : public Strategy {
 public:
  void Validate(const json::Value& object, FieldErrors* errors) const override {
    size_t bytes = 0;
    ValidateData(object, "data", false, &bytes, errors);
    if (const json::Value* data = object.Find("data")) {
      for (const json::Member& member : data->members()) {
        if (object.Find({"binaryData", member.name}) == nullptr) continue;
        errors->push_back(FieldError::Invalid(fmt::format("data[{}]", member.name),
                                              GoQuote(member.name),
                                              "duplicate of key present in binaryData"));
      }
    }
    ValidateData(object, "binaryData", true, &bytes, errors);
    CheckDataSize(bytes, "[]", errors);
  }
  void ValidateUpdate(const json::Value& object, const json::Value& old,
                      FieldErrors* errors) const override {
    ValidateImmutable(object, old, {"data", "binaryData"}, errors);
  }
};

// --- secrets: stringData is written into data

class SecretStrategy final : public Strategy {
 public:
  void Validate(const json::Value& object, FieldErrors* errors) const override {
    size_t bytes = 0;
    ValidateData(object, "data", true, &bytes, errors);
    CheckDataSize(bytes, "data", errors);
    if (object.FindString({"type"}) != "kubernetes.io/tls") return;
    for (const std::string_view key : {"tls.crt", "tls.key"}) {
      if (object.Find({"data", key}) == nullptr) {
        errors->push_back(FieldError::Required(fmt::format("data[{}]", key)));
      }
    }
  }
  void PrepareForCreate(json::Document& object) const override { MergeStringData(object); }
  void PrepareForUpdate(json::Document& object, const json::Value& /*old*/) const override {
    MergeStringData(object);
  }
  void ValidateUpdate(const json::Value& object, const json::Value& old,
                      FieldErrors* errors) const override {
    const std::string_view type = object.FindString({"type"});
    if (type != old.FindString({"type"})) {
      errors->push_back(FieldError::Invalid("type", GoQuote(type), "field is immutable"));
    }
    ValidateImmutable(object, old, {"data"}, errors);
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

// --- events

class EventStrategy final : public Strategy {
 public:
  void Validate(const json::Value& object, FieldErrors* errors) const override {
    const std::string_view ns = object.FindString({"involvedObject", "namespace"});
    const std::string_view own = object.FindString({"metadata", "namespace"});
    // Events about things at cluster scope are kept in "default".
    if (ns == own || (ns.empty() && own == "default")) return;
    errors->push_back(FieldError::Invalid("involvedObject.namespace", GoQuote(ns),
                                          "does not match event.namespace"));
  }
};

}  // namespace

std::string_view PodQosClass(const json::Value& spec) { return QosClass(spec); }

const Strategy& StrategyOf(const openapi::ResourceInfo& resource) {
  static const Strategy kDefault;
  static const PodStrategy kPod;
  static const WorkloadStrategy kWorkload;
  static const DeploymentStrategy kDeployment;
  static const DaemonSetStrategy kDaemonSet;
  static const JobStrategy kJob;
  static const NamespaceStrategy kNamespace;
  static const NodeStrategy kNode;
  static const ClaimStrategy kClaim;
  static const VolumeStrategy kVolume;
  static const SecretStrategy kSecret;
  static const ConfigMapStrategy kConfigMap;
  static const ServiceStrategy kService;
  static const EventStrategy kEvent;
  static const std::map<std::string_view, const Strategy*> kByKind = {
      {"pods", &kPod},
      {"deployments.apps", &kDeployment},
      {"replicasets.apps", &kWorkload},
      {"statefulsets.apps", &kWorkload},
      {"daemonsets.apps", &kDaemonSet},
      {"jobs.batch", &kJob},
      {"namespaces", &kNamespace},
      {"nodes", &kNode},
      {"persistentvolumes", &kVolume},
      {"persistentvolumeclaims", &kClaim},
      {"secrets", &kSecret},
      {"configmaps", &kConfigMap},
      {"services", &kService},
      {"events", &kEvent},
  };
  const auto it = kByKind.find(resource.storage_name);
  return it == kByKind.end() ? kDefault : *it->second;
}

}  // namespace kulisse::apiserver
