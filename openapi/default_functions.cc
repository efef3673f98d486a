#include "openapi/default_functions.h"

#include <algorithm>
#include <map>
#include <string>

#include "base/text.h"
#include "openapi/quantity.h"

namespace kulisse::openapi {

namespace {

using json::Member;
using json::Value;

bool IsEmpty(const Value* value) {
  return value == nullptr || value->IsNull() ||
         ((value->IsString() || value->IsArray() || value->IsObject()) && value->size() == 0);
}

// The tag of an image reference: "latest" when it has neither tag nor digest, "" when it is
// malformed. Upstream: kubernetes/pkg/util/parsers, ParseImageName.
std::string_view ImageTag(std::string_view image) {
  const size_t digest = image.find('@');
  std::string_view name = image.substr(0, digest);
  std::string_view tag;
  const size_t slash = name.rfind('/');
  const size_t colon = name.rfind(':');
  if (colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash)) {
    tag = name.substr(colon + 1);
    name = name.substr(0, colon);
    if (tag.empty()) return "";
  }
  // A first part with a dot, a colon or capitals is a host.
  const size_t first = name.find('/');
  if (first != std::string_view::npos) {
    const std::string_view host = name.substr(0, first);
    const bool capitals = std::ranges::any_of(host, [](char c) { return c >= 'A' && c <= 'Z'; });
    if (capitals || host == "localhost" || host.find_first_of(".:") != std::string_view::npos) {
      name.remove_prefix(first + 1);
    }
  }
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-' ||
           c == '/';
  };
  if (name.empty() || !std::ranges::all_of(name, allowed)) return "";
  return tag.empty() && digest == std::string_view::npos ? "latest" : tag;
}

Value PullPolicyFor(std::string_view image) {
  return Value::StringRef(ImageTag(image) == "latest" ? "Always" : "IfNotPresent");
}

void ImagePullPolicy(Value& container, TypeId type, ObjectEditor& edit) {
  if (!IsEmpty(container.Find("imagePullPolicy"))) return;
  edit.Set(container, type, "imagePullPolicy", PullPolicyFor(container.FindString({"image"})));
}

void ImageVolumePullPolicy(Value& volume, TypeId type, ObjectEditor& edit) {
  Value* image = volume.Find("image");
  if (image == nullptr || !IsEmpty(image->Find("pullPolicy"))) return;
  edit.Set(*image, edit.FieldType(type, "image"), "pullPolicy",
           PullPolicyFor(image->FindString({"reference"})));
}

void EmptyDir(Value& volume, TypeId type, ObjectEditor& edit) {
  for (const Member& member : volume.members()) {
    if (member.name != "name") return;
  }
  edit.Open(volume, type, "emptyDir");
}

// Calls each(container, its type) for the containers and init containers of a pod.
template <typename Each>
void ForEachContainer(Value& pod, TypeId pod_type, const ObjectEditor& edit, Each each) {
  const TypeId spec_type = edit.FieldType(pod_type, "spec");
  for (const std::string_view list : {"containers", "initContainers"}) {
    Value* containers = pod.Find({"spec", list});
    if (containers == nullptr) continue;
    const TypeId type = edit.FieldType(spec_type, list);
    for (Value& container : containers->elements()) each(container, type);
  }
}

// Adds the keys of `from` that `to` does not have.
void AddMissingKeys(Value& to, const Value* from, ObjectEditor& edit) {
  if (from == nullptr) return;
  for (const Member& member : from->members()) {
    if (to.Find(member.name) == nullptr) {
      edit.SetKey(to, member.name, member.value.Clone(edit.arena()));
    }
  }
}

void RequestsFromLimits(Value& pod, TypeId type, ObjectEditor& edit) {
  ForEachContainer(pod, type, edit, [&](Value& container, TypeId container_type) {
    Value* resources = container.Find("resources");
    if (resources == nullptr || IsEmpty(resources->Find("limits"))) return;
    const TypeId resources_type = edit.FieldType(container_type, "resources");
    Value& requests = edit.Open(*resources, resources_type, "requests");
    AddMissingKeys(requests, resources->Find("limits"), edit);
  });
}

void HostNetworkPorts(Value& pod, TypeId type, ObjectEditor& edit) {
  const Value* host_network = pod.Find({"spec", "hostNetwork"});
  if (host_network == nullptr || !host_network->IsBool() || !host_network->AsBool()) return;
  ForEachContainer(pod, type, edit, [&](Value& container, TypeId container_type) {
    Value* ports = container.Find("ports");
    if (ports == nullptr) return;
    const TypeId port_type = edit.FieldType(container_type, "ports");
    for (Value& port : ports->elements()) {
      const Value* number = port.Find("containerPort");
      if (port.Find("hostPort") != nullptr || number == nullptr || number->AsInt() == 0) continue;
      edit.Set(port, port_type, "hostPort", Value::Int(number->AsInt()));
    }
  });
}

bool IsHugePages(std::string_view resource) { return resource.starts_with("hugepages-"); }

bool IsPodLevelResource(std::string_view resource) {
  return resource == "cpu" || resource == "memory" || IsHugePages(resource);
}

using Amounts = std::map<std::string, Quantity, std::less<>>;

void AddAmounts(const Value* list, Amounts* sum) {
  if (list == nullptr) return;
  for (const Member& member : list->members()) {
    if (const auto amount = Quantity::Parse(member.value.AsString())) {
      (*sum)[std::string(member.name)] += *amount;
    }
  }
}

// What the containers of a pod need together: all at once, or one init container beside the
// restartable ones before it. Upstream: component-helpers/resource, AggregateContainerRequests.
Amounts AggregateContainers(const Value& pod, std::string_view requests_or_limits) {
  Amounts sum;
  Amounts restartable;
  Amounts init;
  const Value* containers = pod.Find({"spec", "containers"});
  const Value* init_containers = pod.Find({"spec", "initContainers"});
  if (containers != nullptr) {
    for (const Value& container : containers->elements()) {
      AddAmounts(container.Find({"resources", requests_or_limits}), &sum);
    }
  }
  if (init_containers == nullptr) return sum;
  for (const Value& container : init_containers->elements()) {
    const Value* amounts = container.Find({"resources", requests_or_limits});
    if (container.FindString({"restartPolicy"}) == "Always") {
      AddAmounts(amounts, &sum);
      AddAmounts(amounts, &restartable);
    }
    Amounts together = restartable;
    if (container.FindString({"restartPolicy"}) != "Always") AddAmounts(amounts, &together);
    for (const auto& [name, amount] : together) {
      Quantity& most = init[name];
      most = std::max(most, amount);
    }
  }
  for (const auto& [name, amount] : init) {
    Quantity& total = sum[name];
    total = std::max(total, amount);
  }
  return sum;
}

// Upstream: defaultHugePagePodLimits and defaultPodRequests.
void PodLevelResources(Value& pod, TypeId type, ObjectEditor& edit) {
  Value* resources = pod.Find({"spec", "resources"});
  if (resources == nullptr) return;
  const TypeId resources_type = edit.FieldType(edit.FieldType(type, "spec"), "resources");
  const auto missing = [&](std::string_view list, std::string_view name) {
    return resources->Find({list, name}) == nullptr;
  };
  const auto set = [&](std::string_view list, std::string_view name, const Quantity& amount) {
    edit.SetKey(edit.Open(*resources, resources_type, list), name,
                Value::String(amount.ToString(), edit.arena()));
  };
  if (!IsEmpty(resources->Find("limits")) || !IsEmpty(resources->Find("requests"))) {
    for (const auto& [name, amount] : AggregateContainers(pod, "limits")) {
      if (IsHugePages(name) && missing("requests", name) && missing("limits", name)) {
        set("limits", name, amount);
      }
    }
  }
  if (IsEmpty(resources->Find("limits"))) return;
  for (const auto& [name, amount] : AggregateContainers(pod, "requests")) {
    if ((name == "cpu" || name == "memory") && missing("requests", name)) {
      set("requests", name, amount);
    }
  }
  for (const Member& limit : resources->Find("limits")->members()) {
    if (!IsPodLevelResource(limit.name) || !missing("requests", limit.name)) continue;
    if (const auto amount = Quantity::Parse(limit.value.AsString())) {
      set("requests", limit.name, *amount);
    }
  }
}

// Keeps a field and the list that replaced it equal: the single value is the first of the list.
// Upstream: core/v1/conversion.go, PodStatus and NodeSpec.
void KeepFirst(Value& object, TypeId type, std::string_view single, std::string_view list,
               std::string_view key, ObjectEditor& edit) {
  const auto first_of = [&](const Value* values) -> std::string_view {
    if (IsEmpty(values)) return "";
    const Value& first = values->elements()[0];
    return key.empty() ? first.AsString() : first.FindString({key});
  };
  const std::string_view value = object.FindString({single});
  const std::string_view first = first_of(object.Find(list));
  if (value == first) return;
  if (value.empty()) {
    edit.Set(object, type, single, Value::StringRef(first));
    return;
  }
  Value element = Value::StringRef(value);
  if (!key.empty()) {
    Value wrapped = Value::Object();
    wrapped.AppendRef(key, std::move(element), edit.arena());
    element = std::move(wrapped);
  }
  Value values = Value::Array();
  values.PushBack(std::move(element), edit.arena());
  edit.Set(object, type, list, std::move(values));
}

void PodIps(Value& status, TypeId type, ObjectEditor& edit) {
  KeepFirst(status, type, "podIP", "podIPs", "ip", edit);
}

void PodCidrs(Value& spec, TypeId type, ObjectEditor& edit) {
  KeepFirst(spec, type, "podCIDR", "podCIDRs", "", edit);
}

// The old name of serviceAccountName is always there too.
void ServiceAccount(Value& spec, TypeId type, ObjectEditor& edit) {
  std::string_view name = spec.FindString({"serviceAccountName"});
  if (name.empty()) name = spec.FindString({"serviceAccount"});
  if (name.empty()) return;
  edit.Set(spec, type, "serviceAccountName", Value::StringRef(name));
  edit.Set(spec, type, "serviceAccount", Value::StringRef(name));
}

void SessionAffinityConfig(Value& service, TypeId /*type*/, ObjectEditor& /*edit*/) {
  if (service.FindString({"spec", "sessionAffinity"}) != "None") return;
  service.Find("spec")->Remove("sessionAffinityConfig");
}

void TargetPort(Value& port, TypeId type, ObjectEditor& edit) {
  const Value* target = port.Find("targetPort");
  const bool unset = IsEmpty(target) || (target->IsInt() && target->AsInt() == 0);
  const Value* number = port.Find("port");
  if (!unset || number == nullptr) return;
  edit.Set(port, type, "targetPort", Value::Int(number->AsInt()));
}

void IngressIpMode(Value& service, TypeId type, ObjectEditor& edit) {
  Value* ingress = service.Find({"status", "loadBalancer", "ingress"});
  if (ingress == nullptr) return;
  const TypeId status = edit.FieldType(type, "status");
  const TypeId element = edit.FieldType(edit.FieldType(status, "loadBalancer"), "ingress");
  for (Value& point : ingress->elements()) {
    if (point.FindString({"ip"}).empty() || point.Find("ipMode") != nullptr) continue;
    edit.Set(point, element, "ipMode", Value::StringRef("VIP"));
  }
}

void StringData(Value& secret, TypeId type, ObjectEditor& edit) {
  const Value* texts = secret.Find("stringData");
  if (IsEmpty(texts)) return;
  edit.Open(secret, type, "data");
  texts = secret.Find("stringData");
  for (const Member& text : texts->members()) {
    edit.SetKey(*secret.Find("data"), text.name,
                Value::String(Base64Encode(text.value.AsString()), edit.arena()));
  }
  secret.Remove("stringData");
}

void MetadataNameLabel(Value& name_space, TypeId type, ObjectEditor& edit) {
  const std::string_view name = name_space.FindString({"metadata", "name"});
  if (name.empty()) return;
  Value& metadata = *name_space.Find("metadata");
  Value& labels = edit.Open(metadata, edit.FieldType(type, "metadata"), "labels");
  edit.SetKey(labels, "kubernetes.io/metadata.name", Value::StringRef(name));
}

void Allocatable(Value& status, TypeId type, ObjectEditor& edit) {
  const Value* capacity = status.Find("capacity");
  if (IsEmpty(capacity) || status.Find("allocatable") != nullptr) return;
  edit.Set(status, type, "allocatable", capacity->Clone(edit.arena()));
}

void LimitRange(Value& item, TypeId type, ObjectEditor& edit) {
  const auto add = [&](std::string_view to, std::string_view from) {
    if (IsEmpty(item.Find(from))) return;
    Value& list = edit.Open(item, type, to);
    AddMissingKeys(list, item.Find(from), edit);
  };
  add("default", "max");
  add("defaultRequest", "default");
  add("defaultRequest", "min");
}

void SelectorOfTemplate(Value& object, TypeId type, ObjectEditor& edit) {
  const Value* labels = object.Find({"spec", "template", "metadata", "labels"});
  if (IsEmpty(labels) || !IsEmpty(object.Find({"spec", "selector"}))) return;
  edit.Set(*object.Find("spec"), edit.FieldType(type, "spec"), "selector",
           labels->Clone(edit.arena()));
}

void LabelsOfTemplate(Value& object, TypeId type, ObjectEditor& edit) {
  const Value* labels = object.Find({"spec", "template", "metadata", "labels"});
  Value* metadata = object.Find("metadata");
  if (IsEmpty(labels) || metadata == nullptr || !IsEmpty(metadata->Find("labels"))) return;
  edit.Set(*metadata, edit.FieldType(type, "metadata"), "labels", labels->Clone(edit.arena()));
}

void ClaimTemplateKinds(Value& set, TypeId type, ObjectEditor& edit) {
  Value* templates = set.Find({"spec", "volumeClaimTemplates"});
  if (templates == nullptr) return;
  const TypeId claim = edit.FieldType(edit.FieldType(type, "spec"), "volumeClaimTemplates");
  for (Value& element : templates->elements()) {
    edit.Set(element, claim, "kind", Value::StringRef("PersistentVolumeClaim"));
    edit.Set(element, claim, "apiVersion", Value::StringRef("v1"));
  }
}

void DefinitionNames(Value& definition, TypeId type, ObjectEditor& edit) {
  Value* names = definition.Find({"spec", "names"});
  if (names == nullptr) return;
  const TypeId names_type = edit.FieldType(edit.FieldType(type, "spec"), "names");
  const std::string_view kind = names->FindString({"kind"});
  if (kind.empty()) return;
  if (names->FindString({"singular"}).empty()) {
    edit.Set(*names, names_type, "singular", Value::String(ToLower(kind), edit.arena()));
  }
  if (names->FindString({"listKind"}).empty()) {
    edit.Set(*names, names_type, "listKind",
             Value::String(std::string(kind) + "List", edit.arena()));
  }
}

void StoredVersions(Value& definition, TypeId type, ObjectEditor& edit) {
  if (!IsEmpty(definition.Find({"status", "storedVersions"}))) return;
  const Value* versions = definition.Find({"spec", "versions"});
  if (versions == nullptr) return;
  for (const Value& version : versions->elements()) {
    const Value* storage = version.Find("storage");
    if (storage == nullptr || !storage->IsBool() || !storage->AsBool()) continue;
    Value list = Value::Array();
    list.PushBack(Value::StringRef(version.FindString({"name"})), edit.arena());
    Value& status = edit.Open(definition, type, "status");
    edit.Set(status, edit.FieldType(type, "status"), "storedVersions", std::move(list));
    return;
  }
}

struct NamedFunction {
  std::string_view name;
  DefaultFunction function;
};

constexpr NamedFunction kFunctions[] = {
    {"allocatable", Allocatable},
    {"claimTemplateKinds", ClaimTemplateKinds},
    {"definitionNames", DefinitionNames},
    {"emptyDir", EmptyDir},
    {"hostNetworkPorts", HostNetworkPorts},
    {"imagePullPolicy", ImagePullPolicy},
    {"imageVolumePullPolicy", ImageVolumePullPolicy},
    {"ingressIpMode", IngressIpMode},
    {"labelsOfTemplate", LabelsOfTemplate},
    {"limitRange", LimitRange},
    {"metadataNameLabel", MetadataNameLabel},
    {"podCIDRs", PodCidrs},
    {"podIPs", PodIps},
    {"podLevelResources", PodLevelResources},
    {"requestsFromLimits", RequestsFromLimits},
    {"selectorOfTemplate", SelectorOfTemplate},
    {"serviceAccount", ServiceAccount},
    {"sessionAffinityConfig", SessionAffinityConfig},
    {"storedVersions", StoredVersions},
    {"stringData", StringData},
    {"targetPort", TargetPort},
};

}  // namespace

DefaultFunction FindDefaultFunction(std::string_view name) {
  for (const NamedFunction& row : kFunctions) {
    if (row.name == name) return row.function;
  }
  return nullptr;
}

}  // namespace kulisse::openapi
