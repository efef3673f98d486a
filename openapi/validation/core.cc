// Rules of the core kinds that have no pods in them: nodes, config maps, secrets, quotas, limit
// ranges. Upstream: core/validation.
#include <algorithm>
#include <map>

#include "base/json/parse.h"
#include "base/text.h"
#include "openapi/label_syntax.h"
#include "openapi/quantity.h"
#include "openapi/validation/resources.h"
#include "openapi/validation/walk.h"

namespace kulisse::openapi {

namespace {

constexpr size_t kDataBytesMax = 1024 * 1024;  // of all values together

// --- nodes

void Taints(const Value& node, const Path& path, Walk& walk) {
  static const TypeId kTaint = TypeOf("core.v1.Taint");
  std::unordered_set<std::string> seen;
  const Path metadata = path["metadata"];
  const Path taints = metadata["taints"];
  size_t index = 0;
  for (const Value& taint : List(Part(node, "spec"), "taints")) {
    const Path at = taints[index++];
    const std::string_view key = Text(taint, "key");
    const std::string_view effect = Text(taint, "effect");
    walk.Check(at["key"], key, LabelKeyErrors);
    if (const std::string all = Join(LabelValueErrors(Text(taint, "value")), ";"); !all.empty()) {
      walk.Invalid(at["value"], Text(taint, "value"), all);
    }
    if (effect.empty()) {
      walk.Required(at["effect"]);
    } else {
      walk.Enum(at["effect"], effect, {"NoSchedule", "PreferNoSchedule", "NoExecute"});
    }
    if (seen.insert(fmt::format("{}\n{}", effect, key)).second) continue;
    walk.Duplicate(at, taint, kTaint, "taints must be unique by key and effect pair");
  }
}

void NodeResources(const Value& node, const Path& path, Walk& walk) {
  const Path status = path["status"];
  for (const std::string_view field : {"capacity", "allocatable"}) {
    const Path list = status[field];
    for (const json::Member& member : Map(Part(node, "status"), field)) {
      if (member.value.IsString()) {
        CheckResourceAmount(member.name, member.value.AsString(), list[member.name], walk);
      }
    }
  }
}

void PodCidrs(const Value& node, const Path& path, Walk& walk) {
  const Value& spec = Part(node, "spec");
  const auto cidrs = List(spec, "podCIDRs");
  const Path spec_at = path["spec"];
  const Path list = spec_at["podCIDRs"];
  size_t v4 = 0;
  size_t index = 0;
  for (const Value& cidr : cidrs) {
    const Path at = list[index++];
    walk.Check(at, cidr.AsString(), Cidr);
    const auto parsed = ParseCidr(cidr.AsString());
    if (parsed && parsed->v4) ++v4;
  }
  if (cidrs.size() < 2 || (cidrs.size() == 2 && v4 == 1)) return;
  walk.Invalid(list, *spec.Find("podCIDRs"),
               "may specify no more than one CIDR for each IP family");
}

void NodeUpdate(const Value& node, const Path& path, Walk& walk) {
  const Value& spec = Part(node, "spec");
  const Value& old = Part(*walk.old(), "spec");
  static const TypeId kAddress = TypeOf("core.v1.NodeAddress");
  std::unordered_set<std::string> seen;
  const Path status = path["status"];
  const Path list = status["addresses"];
  size_t index = 0;
  for (const Value& address : List(Part(node, "status"), "addresses")) {
    const Path at = list[index++];
    const std::string key = fmt::format("{}\n{}", Text(address, "type"), Text(address, "address"));
    if (!seen.insert(key).second) walk.Duplicate(at, address, kAddress, "");
  }
  const Value* cidrs = old.Find("podCIDRs");
  if (!IsEmpty(cidrs) && !Same(cidrs, spec.Find("podCIDRs"))) {
    walk.Forbidden(path["spec"]["podCIDRs"],
                   "node updates may not change podCIDR except from \"\" to valid");
  }
  if (!Text(old, "providerID").empty() && !SameMember(old, spec, "providerID")) {
    walk.Forbidden(path["spec"]["providerID"],
                   "node updates may not change providerID except from \"\" to valid");
  }
}

// --- config maps and secrets

void CheckKeys(const Value& object, std::string_view field, bool base64, const Path& path,
               size_t* bytes, Walk& walk) {
  const Path data = path[field];
  for (const json::Member& member : Map(object, field)) {
    walk.Check(data.Key(member.name), member.name, ConfigMapKey);
    *bytes += base64 ? member.value.size() / 4 * 3 : member.value.size();
  }
}

void ConfigMap(const Value& map, const Path& path, Walk& walk) {
  size_t bytes = 0;
  CheckKeys(map, "data", false, path, &bytes, walk);
  const Value& binary = Part(map, "binaryData");
  const Path data = path["data"];
  for (const json::Member& member : Map(map, "data")) {
    if (binary.size() == 0 || binary.Find(member.name) == nullptr) continue;
    walk.Invalid(data.Key(member.name), member.name, "duplicate of key present in binaryData");
  }
  CheckKeys(map, "binaryData", true, path, &bytes, walk);
  if (bytes > kDataBytesMax) walk.TooLong(path.Key(""), kDataBytesMax);
}

void CheckJsonKey(const Value& data, std::string_view key, const Path& path, Walk& walk) {
  const Value* value = data.Find(key);
  if (value == nullptr) return walk.Required(path.Key(key));
  const auto text = Base64Decode(value->AsString());
  if (text && text->empty()) {
    return walk.Invalid(path.Key(key), "<secret contents redacted>",
                        "unexpected end of JSON input");
  }
  const auto document = text ? json::Parse(*text) : json::Parse("");
  if (document && (document->root.IsObject() || document->root.IsNull())) return;
  walk.Invalid(path.Key(key), "<secret contents redacted>",
               document ? "json: cannot unmarshal into Go value of type map[string]interface {}"
                        : document.error().message);
}

void Secret(const Value& secret, const Path& path, Walk& walk) {
  size_t bytes = 0;
  CheckKeys(secret, "data", true, path, &bytes, walk);
  const Path at = path["data"];
  if (bytes > kDataBytesMax) walk.TooLong(at, kDataBytesMax);
  const Value& data = Part(secret, "data");
  const auto require = [&](std::string_view key) {
    if (data.Find(key) == nullptr) walk.Required(at.Key(key));
  };
  const std::string_view type = Text(secret, "type");
  if (type == "kubernetes.io/service-account-token") {
    constexpr std::string_view kName = "kubernetes.io/service-account.name";
    if (secret.FindString({"metadata", "annotations", kName}).empty()) {
      walk.Required(path["metadata"]["annotations"].Key(kName));
    }
  } else if (type == "kubernetes.io/dockercfg") {
    CheckJsonKey(data, ".dockercfg", at, walk);
  } else if (type == "kubernetes.io/dockerconfigjson") {
    CheckJsonKey(data, ".dockerconfigjson", at, walk);
  } else if (type == "kubernetes.io/basic-auth") {
    if (data.Find("username") == nullptr && data.Find("password") == nullptr) {
      require("username");
      require("password");
    }
  } else if (type == "kubernetes.io/ssh-auth") {
    if (Text(data, "ssh-privatekey").empty()) walk.Required(at.Key("ssh-privatekey"));
  } else if (type == "kubernetes.io/tls") {
    require("tls.crt");
    require("tls.key");
  }
}

void FrozenData(const Value& object, const Path& path, Walk& walk) {
  if (!True(*walk.old(), "immutable")) return;
  constexpr std::string_view kDetail = "field is immutable when `immutable` is set";
  if (!True(object, "immutable")) walk.Forbidden(path["immutable"], kDetail);
  for (const std::string_view field : {"data", "binaryData"}) {
    if (!SameMember(object, *walk.old(), field)) walk.Forbidden(path[field], kDetail);
  }
}

// --- quotas

constexpr std::string_view kPodScopes[] = {"Terminating", "NotTerminating", "BestEffort",
                                           "NotBestEffort"};

bool IsScope(std::string_view scope) {
  return std::ranges::find(kPodScopes, scope) != std::end(kPodScopes) || scope == "PriorityClass" ||
         scope == "VolumeAttributesClass" || scope == "CrossNamespacePodAffinity";
}

bool IsComputeResource(std::string_view name) {
  constexpr std::string_view kNames[] = {"cpu",           "memory",       "limits.cpu",
                                         "limits.memory", "requests.cpu", "requests.memory"};
  return name == "pods" || std::ranges::find(kNames, name) != std::end(kNames);
}

// Whether a quota on the resource may be limited to the scope.
bool ScopeFits(std::string_view scope, std::string_view resource) {
  if (!IsStandardQuotaResource(resource)) return true;
  if (scope == "BestEffort") return resource == "pods";
  if (scope == "VolumeAttributesClass") {
    return resource == "persistentvolumeclaims" || resource == "requests.storage";
  }
  return IsComputeResource(resource) || resource == "ephemeral-storage" ||
         resource == "limits.ephemeral-storage" || resource == "requests.ephemeral-storage";
}

bool HasConflict(const NameSet& scopes) {
  return (scopes.Has("BestEffort") && scopes.Has("NotBestEffort")) ||
         (scopes.Has("Terminating") && scopes.Has("NotTerminating"));
}

void CheckScopes(const Value& spec, const Path& path, Walk& walk) {
  const Value* scopes = Member(spec, "scopes");
  if (IsEmpty(scopes)) return;
  NameSet seen;
  for (const Value& scope : scopes->elements()) {
    const std::string_view name = scope.AsString();
    if (!IsScope(name)) walk.Invalid(path, *scopes, "unsupported scope");
    for (const json::Member& limit : Map(spec, "hard")) {
      if (ScopeFits(name, limit.name)) continue;
      walk.Invalid(path, *scopes, "unsupported scope applied to resource");
    }
    seen.Insert(name);
  }
  if (HasConflict(seen)) walk.Invalid(path, *scopes, "conflicting scopes");
}

void CheckScopeRequirement(const Value& requirement, const Path& path, Walk& walk) {
  const std::string_view scope = Text(requirement, "scopeName");
  const std::string_view op = Text(requirement, "operator");
  const Value* values = Member(requirement, "values");
  const bool of_pods = std::ranges::find(kPodScopes, scope) != std::end(kPodScopes) ||
                       scope == "CrossNamespacePodAffinity";
  if (of_pods && op != "Exists") {
    walk.Invalid(path["operator"], op,
                 "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, "
                 "ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, "
                 "ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity");
  }
  if (op == "In" || op == "NotIn") {
    if (IsEmpty(values)) {
      walk.Required(path["values"],
                    "must be at least one value when `operator` is 'In' or 'NotIn' for scope "
                    "selector");
    }
  } else if (op == "Exists" || op == "DoesNotExist") {
    if (!IsEmpty(values)) {
      walk.Invalid(path["values"], *values,
                   "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope "
                   "selector");
    }
  } else {
    walk.Invalid(path["operator"], op, "not a valid selector operator");
  }
}

void CheckScopeSelector(const Value& spec, const Path& path, Walk& walk) {
  static const TypeId kSelector = TypeOf("core.v1.ScopeSelector");
  const Value* selector = Member(spec, "scopeSelector");
  if (selector == nullptr) return;
  const Path at = path["matchExpressions"];
  NameSet seen;
  for (const Value& requirement : List(*selector, "matchExpressions")) {
    const std::string_view scope = Text(requirement, "scopeName");
    if (!IsScope(scope)) walk.Invalid(at["scopeName"], scope, "unsupported scope");
    for (const json::Member& limit : Map(spec, "hard")) {
      if (ScopeFits(scope, limit.name)) continue;
      walk.Invalid(at, *selector, kSelector, "unsupported scope applied to resource");
    }
    CheckScopeRequirement(requirement, at, walk);
    seen.Insert(scope);
  }
  if (HasConflict(seen)) walk.Invalid(at, Member(spec, "scopes"), "conflicting scopes");
}

// A map of amounts by names of quota resources.
void QuotaAmounts(const Value& amounts, const Path& path, Walk& walk) {
  for (const json::Member& member : amounts.members()) {
    const Path at = path.Key(member.name);
    CheckQuotaResourceName(member.name, at, walk);
    if (member.value.IsString()) {
      CheckResourceAmount(member.name, member.value.AsString(), at, walk);
    }
  }
}

void QuotaScopes(const Value& spec, const Path& path, Walk& walk) {
  CheckScopes(spec, path["scopes"], walk);
  CheckScopeSelector(spec, path["scopeSelector"], walk);
}

void QuotaUpdate(const Value& quota, const Path& path, Walk& walk) {
  const auto names = [](const Value& object) {
    std::vector<std::string_view> scopes;
    for (const Value& scope : List(Part(object, "spec"), "scopes")) {
      scopes.push_back(scope.AsString());
    }
    std::ranges::sort(scopes);
    return scopes;
  };
  if (names(quota) == names(*walk.old())) return;
  walk.Invalid(path["spec"]["scopes"], Member(Part(quota, "spec"), "scopes"), "field is immutable");
}

// --- limit ranges

struct Limits {
  std::optional<Quantity> min;
  std::optional<Quantity> max;
  std::optional<Quantity> standard;
  std::optional<Quantity> request;
  std::optional<Quantity> ratio;
};

void CheckLimitOrder(const Limits& limits, std::string_view name, const Path& at, Walk& walk) {
  const auto refuse = [&](std::string_view field, const Quantity& shown, std::string_view what,
                          const Quantity& small, std::string_view than, const Quantity& big) {
    walk.Invalid(at[field].Key(name), shown.ToString(),
                 fmt::format("{} value {} is greater than {} value {}", what, small.ToString(),
                             than, big.ToString()));
  };
  const auto& [min, max, standard, request, ratio] = limits;
  if (min && max && *min > *max) refuse("min", *min, "min", *min, "max", *max);
  if (request && min && *min > *request) {
    refuse("defaultRequest", *request, "min", *min, "default request", *request);
  }
  if (request && max && *request > *max) {
    refuse("defaultRequest", *request, "default request", *request, "max", *max);
  }
  if (request && standard && *request > *standard) {
    refuse("defaultRequest", *request, "default request", *request, "default limit", *standard);
  }
  if (standard && min && *min > *standard) {
    refuse("default", *min, "min", *min, "default", *standard);
  }
  if (standard && max && *standard > *max) {
    refuse("default", *max, "default", *standard, "max", *max);
  }
}

void CheckLimitRatio(const Limits& limits, std::string_view name, const Path& at, Walk& walk) {
  const auto& ratio = limits.ratio;
  if (!ratio) return;
  const Path path = at["maxLimitRequestRatio"];
  if (*ratio < Quantity::FromInt(1)) {
    walk.Invalid(path.Key(name), ratio->ToString(),
                 fmt::format("ratio {} is less than 1", ratio->ToString()));
  }
  if (!limits.min || !limits.max || limits.min->Sign() == 0) return;
  const double most = limits.max->AsDouble() / limits.min->AsDouble();
  if (ratio->AsDouble() > most) {
    walk.Invalid(path.Key(name), ratio->ToString(),
                 fmt::format("ratio {} is greater than max/min = {:f}", ratio->ToString(), most));
  }
}

void ReadLimits(const Value& limit, std::string_view field,
                std::optional<Quantity> Limits::* member, const Path& at,
                std::map<std::string_view, Limits>* limits, Walk& walk) {
  const std::string_view type = Text(limit, "type");
  const Path list = at[field];
  for (const json::Member& amount : Map(limit, field)) {
    if (type == "Pod" || type == "Container") {
      CheckContainerResourceName(amount.name, list.Key(amount.name), walk);
    } else {
      CheckResourceName(amount.name, list.Key(amount.name), walk);
    }
    if (amount.value.IsString()) {
      (*limits)[amount.name].*member = Quantity::Parse(amount.value.AsString());
    }
  }
}

void CheckLimit(const Value& limit, const Path& at, Walk& walk) {
  std::map<std::string_view, Limits> limits;
  const std::string_view type = Text(limit, "type");
  ReadLimits(limit, "max", &Limits::max, at, &limits, walk);
  ReadLimits(limit, "min", &Limits::min, at, &limits, walk);
  if (type == "Pod") {
    for (const std::string_view field : {"default", "defaultRequest"}) {
      if (IsEmpty(limit.Find(field))) continue;
      walk.Forbidden(at[field], "may not be specified when `type` is 'Pod'");
    }
  } else {
    ReadLimits(limit, "default", &Limits::standard, at, &limits, walk);
    ReadLimits(limit, "defaultRequest", &Limits::request, at, &limits, walk);
  }
  if (type == "PersistentVolumeClaim" && limit.Find({"min", "storage"}) == nullptr &&
      limit.Find({"max", "storage"}) == nullptr) {
    walk.Required(at["limits"],
                  "either minimum or maximum storage value is required, but neither was provided");
  }
  ReadLimits(limit, "maxLimitRequestRatio", &Limits::ratio, at, &limits, walk);
  for (const auto& [name, of_resource] : limits) {
    CheckLimitOrder(of_resource, name, at, walk);
    CheckLimitRatio(of_resource, name, at, walk);
    const auto& [min, max, standard, request, ratio] = of_resource;
    if (IsOvercommitAllowed(name) || !standard || !request || *standard == *request) continue;
    walk.Invalid(at["defaultRequest"].Key(name), request->ToString(),
                 fmt::format("default value {} must equal to defaultRequest value {} in {}",
                             standard->ToString(), request->ToString(), name));
  }
}

void LimitRange(const Value& range, const Path& path, Walk& walk) {
  NameSet types;
  const Path spec = path["spec"];
  const Path list = spec["limits"];
  size_t index = 0;
  for (const Value& limit : List(Part(range, "spec"), "limits")) {
    const Path at = list[index++];
    const std::string_view type = Text(limit, "type");
    const Messages messages = LabelKeyErrors(type);
    walk.Messages(at["type"], type, messages);
    const bool known = type == "Pod" || type == "Container" || type == "PersistentVolumeClaim";
    if (messages.empty() && !known && type.find('/') == std::string_view::npos) {
      walk.Invalid(at["type"], type, "must be a standard limit type or fully qualified");
    }
    if (!types.Insert(type)) walk.Duplicate(at["type"], type);
    CheckLimit(limit, at, walk);
  }
}

// --- namespaces

void NamespacePhase(const Value& ns, const Path& path, Walk& walk) {
  const std::string_view phase = ns.FindString({"status", "phase"});
  const bool going = ns.Find({"metadata", "deletionTimestamp"}) != nullptr;
  if (phase == (going ? "Terminating" : "Active")) return;
  walk.Invalid(path["status"]["Phase"], phase,
               going ? "may only be 'Terminating' if `deletionTimestamp` is not empty"
                     : "may only be 'Active' if `deletionTimestamp` is empty");
}

constexpr NamedCheck kChecks[] = {
    {"configMap", ConfigMap},
    {"frozenData", FrozenData},
    {"limitRange", LimitRange},
    {"namespacePhase", NamespacePhase},
    {"nodeResources", NodeResources},
    {"nodeUpdate", NodeUpdate},
    {"podCidrs", PodCidrs},
    {"quotaAmounts", QuotaAmounts},
    {"quotaScopes", QuotaScopes},
    {"quotaUpdate", QuotaUpdate},
    {"secret", Secret},
    {"taints", Taints},
};

}  // namespace

std::span<const NamedCheck> CoreChecks() { return kChecks; }

}  // namespace kulisse::openapi
