#include "apiserver/admission/quota_usage.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "apiserver/admission/fields.h"
#include "base/text.h"

namespace kulisse::apiserver {

namespace {

using openapi::Quantity;
using openapi::ResourceInfo;

constexpr std::string_view kStorageClassInfix = ".storageclass.storage.k8s.io/";
constexpr std::string_view kRequestsPrefix = "requests.";
constexpr std::string_view kHugePagesPrefix = "hugepages-";

constexpr std::string_view kPodNames[] = {"cpu",
                                          "memory",
                                          "ephemeral-storage",
                                          "requests.cpu",
                                          "pods",
                                          "requests.memory",
                                          "requests.ephemeral-storage",
                                          "limits.cpu",
                                          "limits.memory",
                                          "limits.ephemeral-storage"};
// Amounts that every container must name when a quota limits them.
constexpr std::string_view kMandatoryNames[] = {"cpu",        "memory",          "requests.cpu",
                                                "limits.cpu", "requests.memory", "limits.memory"};
constexpr std::string_view kServiceNames[] = {"services", "services.nodeports",
                                              "services.loadbalancers"};
constexpr std::string_view kClaimNames[] = {"persistentvolumeclaims", "requests.storage"};
// Kinds that also count by their plain name.
constexpr std::string_view kPlainNames[] = {"configmaps", "resourcequotas",
                                            "replicationcontrollers", "secrets"};

template <size_t kSize>
bool Contains(const std::string_view (&names)[kSize], std::string_view name) {
  return std::ranges::find(names, name) != std::end(names);
}

std::string CountName(const ResourceInfo& resource) { return "count/" + resource.storage_name; }

// A resource that Kubernetes itself does not know: "example.com/gpu".
bool IsExtended(std::string_view name) {
  return name.find('/') != std::string_view::npos && !name.contains("kubernetes.io/");
}

// What requests and limits count as in quotas.
ResourceList AmountsOf(const ResourceList& requests, const ResourceList& limits) {
  ResourceList usage;
  for (const auto& [name, amount] : requests) {
    const bool plain = name == "cpu" || name == "memory" || name == "ephemeral-storage";
    if (plain || name.starts_with(kHugePagesPrefix)) usage[name] = amount;
    if (plain || name.starts_with(kHugePagesPrefix) || IsExtended(name)) {
      usage[std::string(kRequestsPrefix) + name] = amount;
    }
  }
  for (const auto& [name, amount] : limits) {
    if (name == "cpu" || name == "memory" || name == "ephemeral-storage") {
      usage["limits." + name] = amount;
    }
  }
  return usage;
}

// Whether a pod still holds what it asks for.
bool IsUsing(const json::Value& pod, SystemTime now) {
  const std::string_view phase = pod.FindString({"status", "phase"});
  if (phase == "Succeeded" || phase == "Failed") return false;
  const json::Value* metadata = pod.Find("metadata");
  const auto end = ParseTime(pod.FindString({"metadata", "deletionTimestamp"}));
  const auto grace =
      metadata == nullptr ? std::nullopt : IntAt(*metadata, "deletionGracePeriodSeconds");
  return !end || !grace || now <= *end + std::chrono::seconds(*grace);
}

void AddPodUsage(const json::Value& pod, SystemTime now, ResourceList* usage) {
  if (!IsUsing(pod, now)) return;
  (*usage)["pods"] = Quantity::FromInt(1);
  const json::Value* spec = pod.Find("spec");
  if (spec == nullptr) return;
  ResourceList requests = PodResources(*spec, "requests");
  ResourceList limits = PodResources(*spec, "limits");
  const ResourceList overhead = ResourceListOf(spec->Find("overhead"));
  Add(&requests, overhead);
  for (const auto& [name, amount] : overhead) {
    if (const auto limit = limits.find(name); limit != limits.end()) limit->second += amount;
  }
  Add(usage, AmountsOf(requests, limits));
}

void AddServiceUsage(const json::Value& service, ResourceList* usage) {
  const json::Value* spec = service.Find("spec");
  if (spec == nullptr) return;
  const std::string_view type = spec->FindString({"type"});
  const auto ports = ListAt(*spec, "ports");
  int64_t node_ports = 0;
  if (type == "NodePort" || type == "LoadBalancer") {
    const bool all =
        type == "NodePort" || BoolAt(*spec, "allocateLoadBalancerNodePorts").value_or(true);
    node_ports = std::ranges::count_if(ports, [all](const json::Value& port) {
      return all || IntAt(port, "nodePort").value_or(0) != 0;
    });
  }
  (*usage)["services"] = Quantity::FromInt(1);
  (*usage)["services.nodeports"] = Quantity::FromInt(node_ports);
  (*usage)["services.loadbalancers"] = Quantity::FromInt(type == "LoadBalancer" ? 1 : 0);
}

std::string_view StorageClassOf(const json::Value& claim) {
  constexpr std::string_view kAnnotation = "volume.beta.kubernetes.io/storage-class";
  const std::string_view older = claim.FindString({"metadata", "annotations", kAnnotation});
  return older.empty() ? claim.FindString({"spec", "storageClassName"}) : older;
}

void AddClaimUsage(const json::Value& claim, ResourceList* usage) {
  (*usage)["persistentvolumeclaims"] = Quantity::FromInt(1);
  const ResourceList asked = ResourceListOf(claim.Find({"spec", "resources", "requests"}));
  const ResourceList given = ResourceListOf(claim.Find({"status", "allocatedResources"}));
  if (const auto request = asked.find("storage"); request != asked.end()) {
    const auto allocated = given.find("storage");
    const bool more = allocated != given.end() && allocated->second > request->second;
    (*usage)["requests.storage"] = more ? allocated->second : request->second;
  }
  const std::string_view storage_class = StorageClassOf(claim);
  if (storage_class.empty()) return;
  for (const std::string_view name : kClaimNames) {
    const auto amount = usage->find(name);
    if (amount == usage->end()) continue;
    (*usage)[fmt::format("{}{}{}", storage_class, kStorageClassInfix, name)] = amount->second;
  }
}

bool UsesOtherNamespaces(const json::Value& affinity) {
  for (const json::Member& member : affinity.members()) {
    for (const json::Value& entry : member.value.elements()) {
      const json::Value* weighted = entry.Find("podAffinityTerm");
      const json::Value& term = weighted == nullptr ? entry : *weighted;
      if (!ListAt(term, "namespaces").empty() || term.Find("namespaceSelector") != nullptr) {
        return true;
      }
    }
  }
  return false;
}

// A scope as upstream turns it into a requirement: an operator and values for some names.
struct ScopeRequirement {
  std::string_view scope;
  std::string_view op;  // "Exists", "In", "NotIn", "DoesNotExist"
  std::span<const json::Value> values;

  // Whether one of the object's names for the scope (none, or one) fits.
  [[nodiscard]] bool Allows(std::string_view name) const {
    const bool listed = std::ranges::any_of(values, [name](const json::Value& value) {
      return value.IsString() && value.AsString() == name;
    });
    if (op == "Exists") return !name.empty();
    if (op == "DoesNotExist") return name.empty();
    if (op == "In") return !name.empty() && listed;
    return name.empty() || !listed;
  }
};

bool PodInScope(const ScopeRequirement& requirement, const json::Value& pod) {
  const std::string_view scope = requirement.scope;
  const json::Value* spec = pod.Find("spec");
  if (spec == nullptr) return false;
  const bool ends = IntAt(*spec, "activeDeadlineSeconds").value_or(-1) >= 0;
  const bool best_effort = pod.FindString({"status", "qosClass"}) == "BestEffort";
  if (scope == "Terminating") return ends;
  if (scope == "NotTerminating") return !ends;
  if (scope == "BestEffort") return best_effort;
  if (scope == "NotBestEffort") return !best_effort;
  if (scope == "PriorityClass") return requirement.Allows(spec->FindString({"priorityClassName"}));
  if (scope == "CrossNamespacePodAffinity") {
    for (const std::string_view kind : {"podAffinity", "podAntiAffinity"}) {
      const json::Value* affinity = spec->Find({"affinity", kind});
      if (affinity != nullptr && UsesOtherNamespaces(*affinity)) return true;
    }
  }
  return false;
}

bool ClaimInScope(const ScopeRequirement& requirement, const json::Value& claim) {
  if (requirement.scope != "VolumeAttributesClass") return false;
  std::set<std::string_view> names = {
      claim.FindString({"spec", "volumeAttributesClassName"}),
      claim.FindString({"status", "currentVolumeAttributesClassName"}),
      claim.FindString({"status", "modifyVolumeStatus", "targetVolumeAttributesClassName"})};
  if (names.size() > 1) names.erase("");
  return std::ranges::any_of(names,
                             [&](std::string_view name) { return requirement.Allows(name); });
}

bool InScope(const ScopeRequirement& requirement, const ResourceInfo& resource,
             const json::Value& object) {
  if (resource.storage_name == "pods") return PodInScope(requirement, object);
  if (resource.storage_name == "persistentvolumeclaims") return ClaimInScope(requirement, object);
  return false;
}

}  // namespace

ResourceList UsageOf(const ResourceInfo& resource, const json::Value& object, SystemTime now) {
  ResourceList usage{{CountName(resource), Quantity::FromInt(1)}};
  const std::string& kind = resource.storage_name;
  if (kind == "pods") AddPodUsage(object, now, &usage);
  if (kind == "services") AddServiceUsage(object, &usage);
  if (kind == "persistentvolumeclaims") AddClaimUsage(object, &usage);
  if (Contains(kPlainNames, kind)) usage[kind] = Quantity::FromInt(1);
  return usage;
}

bool QuotaTracks(const ResourceInfo& resource, std::string_view name) {
  const std::string& kind = resource.storage_name;
  if (name == CountName(resource)) return true;
  if (kind == "pods") {
    if (Contains(kPodNames, name) || name.starts_with(kHugePagesPrefix)) return true;
    if (!name.starts_with(kRequestsPrefix)) return false;
    const std::string_view requested = name.substr(kRequestsPrefix.size());
    return requested.starts_with(kHugePagesPrefix) || IsExtended(requested);
  }
  if (kind == "services") return Contains(kServiceNames, name);
  if (kind == "persistentvolumeclaims") {
    const size_t infix = name.find(kStorageClassInfix);
    if (infix != std::string_view::npos) name.remove_prefix(infix + kStorageClassInfix.size());
    return Contains(kClaimNames, name);
  }
  return Contains(kPlainNames, kind) && name == kind;
}

bool QuotaScopesMatch(const json::Value& quota, const ResourceInfo& resource,
                      const json::Value& object) {
  const json::Value* spec = quota.Find("spec");
  if (spec == nullptr) return true;
  for (const json::Value& scope : ListAt(*spec, "scopes")) {
    if (!InScope({scope.AsString(), "Exists", {}}, resource, object)) return false;
  }
  const json::Value* selector = spec->Find("scopeSelector");
  if (selector == nullptr) return true;
  for (const json::Value& expression : ListAt(*selector, "matchExpressions")) {
    const ScopeRequirement requirement{expression.FindString({"scopeName"}),
                                       expression.FindString({"operator"}),
                                       ListAt(expression, "values")};
    if (!InScope(requirement, resource, object)) return false;
  }
  return true;
}

std::string MissingAmounts(const ResourceInfo& resource, const std::vector<std::string>& limited,
                           const json::Value& object) {
  const json::Value* spec = object.Find("spec");
  if (resource.storage_name != "pods" || spec == nullptr) return "";
  for (const std::string_view field : {"requests", "limits"}) {
    if (!ResourceListOf(spec->Find({"resources", field})).empty()) return "";
  }
  std::map<std::string_view, std::set<std::string_view>> missing;  // containers by amount
  for (const std::string_view list : {"containers", "initContainers"}) {
    for (const json::Value& container : ListAt(*spec, list)) {
      const ResourceList named =
          AmountsOf(ResourceListOf(container.Find({"resources", "requests"})),
                    ResourceListOf(container.Find({"resources", "limits"})));
      for (const std::string& name : limited) {
        if (!Contains(kMandatoryNames, name) || named.contains(name)) continue;
        missing[name].insert(container.FindString({"name"}));
      }
    }
  }
  std::vector<std::string> texts;
  for (const auto& [name, containers] : missing) {
    texts.push_back(fmt::format("{} for: {}", name, fmt::join(containers, ",")));
  }
  return texts.empty() ? "" : "must specify " + Join(texts, "; ");
}

}  // namespace kulisse::apiserver
