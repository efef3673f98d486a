// Rules of services. Upstream: core/validation, validateService and around it.
#include <algorithm>

#include "base/text.h"
#include "openapi/label_syntax.h"
#include "openapi/validation/endpoints.h"
#include "openapi/validation/walk.h"

namespace kulisse::openapi {

namespace {

constexpr int64_t kAffinitySecondsMax = 86400;
constexpr std::string_view kSourceRanges = "service.beta.kubernetes.io/load-balancer-source-ranges";
constexpr std::string_view kOnlyLoadBalancer = "may only be used when `type` is 'LoadBalancer'";

bool IsHeadless(const Value& spec) {
  const auto ips = List(spec, "clusterIPs");
  return ips.size() == 1 && ips[0].IsString() && ips[0].AsString() == "None";
}

bool IsLoadBalancer(const Value& spec) { return Text(spec, "type") == "LoadBalancer"; }

bool IsExternallyAccessible(const Value& spec) {
  const std::string_view type = Text(spec, "type");
  return type == "LoadBalancer" || type == "NodePort" ||
         (type == "ClusterIP" && !IsEmpty(spec.Find("externalIPs")));
}

bool NeedsHealthCheck(const Value& spec) {
  return IsLoadBalancer(spec) && Text(spec, "externalTrafficPolicy") == "Local";
}

bool Contains(std::span<const Value> list, std::string_view text) {
  return std::ranges::any_of(
      list, [&](const Value& value) { return value.IsString() && value.AsString() == text; });
}

const Value* OldSpec(const Walk& walk) {
  return walk.old() == nullptr ? nullptr : Member(*walk.old(), "spec");
}

void ServiceType(const Value& spec, const Path& path, Walk& walk) {
  const std::string_view type = Text(spec, "type");
  if (IsEmpty(spec.Find("ports")) && !IsHeadless(spec) && type != "ExternalName") {
    walk.Required(path["ports"]);
  }
  if ((type == "LoadBalancer" || type == "NodePort") && IsHeadless(spec)) {
    walk.Invalid(path["clusterIPs"][size_t{0}], "None",
                 fmt::format("may not be set to 'None' for {} services", type));
  }
  if (type != "ExternalName") return;
  for (const std::string_view field : {"clusterIPs", "ipFamilies", "ipFamilyPolicy"}) {
    if (IsEmpty(spec.Find(field))) continue;
    walk.Forbidden(path[field], "may not be set for ExternalName services");
  }
  std::string_view name = Text(spec, "externalName");
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.empty()) {
    walk.Required(path["externalName"]);
  } else {
    walk.Check(path["externalName"], name, Dns1123Subdomain);
  }
}

void ServicePorts(const Value& spec, const Path& path, Walk& walk) {
  static const TypeId kPort = TypeOf("core.v1.ServicePort");
  const auto ports = List(spec, "ports");
  const Path list = path["ports"];
  NameSet names;
  size_t index = 0;
  for (const Value& port : ports) {
    const Path at = list[index++];
    const std::string_view name = Text(port, "name");
    if (name.empty()) {
      if (ports.size() > 1) walk.Required(at["name"]);
    } else {
      walk.Check(at["name"], name, Dns1123Label);
      if (!names.Insert(name)) walk.Duplicate(at["name"], name);
    }
    walk.Struct(port, kPort, at);
  }
}

void SessionAffinity(const Value& spec, const Path& path, Walk& walk) {
  const std::string_view affinity = Text(spec, "sessionAffinity");
  const Value* config = Member(spec, "sessionAffinityConfig");
  const Path at = path["sessionAffinityConfig"];
  constexpr std::string_view kWhen = "when session affinity type is ClientIP";
  if (affinity == "None" && config != nullptr) {
    walk.Forbidden(at, "must not be set when session affinity is None");
  }
  if (affinity != "ClientIP") return;
  if (config == nullptr) return walk.Required(at, kWhen);
  const Value* client = Member(*config, "clientIP");
  const Path client_at = at["clientIP"];
  if (client == nullptr) return walk.Required(client_at, kWhen);
  const auto seconds = Int(*client, "timeoutSeconds");
  if (!seconds) return walk.Required(client_at["timeoutSeconds"], kWhen);
  if (*seconds > 0 && *seconds <= kAffinitySecondsMax) return;
  walk.Invalid(client_at["timeoutSeconds"], *seconds,
               fmt::format("must be greater than 0 and less than {}", kAffinitySecondsMax));
}

// --- cluster addresses

void CheckFamilies(const Value& spec, const Path& path, Walk& walk) {
  NameSet seen;
  const Path list = path["ipFamilies"];
  size_t index = 0;
  for (const Value& family : List(spec, "ipFamilies")) {
    const Path at = list[index++];
    walk.Enum(at, family.AsString(), {"IPv4", "IPv6"});
    if (!seen.Insert(family.AsString())) walk.Duplicate(at, family.AsString());
  }
  if (Member(spec, "ipFamilyPolicy") == nullptr) return;
  walk.Enum(path["ipFamilyPolicy"], Text(spec, "ipFamilyPolicy"),
            {"PreferDualStack", "RequireDualStack", "SingleStack"});
}

// Whether all are addresses.
bool CheckAddresses(const Value& spec, const Path& list, Walk& walk) {
  const auto ips = List(spec, "clusterIPs");
  const Value* old = OldSpec(walk);
  bool valid = true;
  for (size_t i = 0; i < ips.size(); ++i) {
    const std::string_view ip = ips[i].AsString();
    if (i == 0 && ip == "None") {
      if (ips.size() == 1) continue;
      walk.Invalid(list, *spec.Find("clusterIPs"), "'None' must be the first and only value");
      valid = false;
      continue;
    }
    if (old != nullptr && Contains(List(*old, "clusterIPs"), ip)) continue;
    const Messages messages = Ip(ip);
    walk.Messages(list[i], ip, messages);
    valid = valid && messages.empty();
  }
  return valid;
}

void ClusterIps(const Value& spec, const Path& path, Walk& walk) {
  if (Text(spec, "type") == "ExternalName") return;
  const auto ips = List(spec, "clusterIPs");
  const Path list = path["clusterIPs"];
  const std::string_view primary = Text(spec, "clusterIP");
  if (primary.empty() && !ips.empty()) {
    walk.Invalid(list, *spec.Find("clusterIPs"), "must be empty when `clusterIP` is not specified");
  } else if (!primary.empty() && ips.empty()) {
    walk.Required(list);
  } else if (!primary.empty() && ips[0].AsString() != primary) {
    walk.Invalid(list, *spec.Find("clusterIPs"), "first value must match `clusterIP`");
  }
  CheckFamilies(spec, path, walk);
  const bool valid = CheckAddresses(spec, list, walk);
  if (ips.size() > 2) walk.Invalid(list, *spec.Find("clusterIPs"), "may only hold up to 2 values");
  if (!valid) return;
  if (ips.size() > 1) {
    const auto v4 = std::ranges::count_if(
        ips, [](const Value& ip) { return ParseIp(ip.AsString()).value_or(IpAddress()).v4; });
    if (v4 == 0 || v4 == static_cast<long>(ips.size())) {
      walk.Invalid(list, *spec.Find("clusterIPs"),
                   "may specify no more than one IP for each IP family");
    }
  }
  const auto families = List(spec, "ipFamilies");
  if (IsHeadless(spec)) return;
  for (size_t i = 0; i < ips.size() && i < families.size(); ++i) {
    const bool v4 = ParseIp(ips[i].AsString()).value_or(IpAddress()).v4;
    const std::string_view family = families[i].AsString();
    if ((family == "IPv4" && v4) || (family == "IPv6" && !v4)) continue;
    walk.Invalid(list[i], ips[i].AsString(),
                 fmt::format("expected an {} value as indicated by `ipFamilies[{}]`", family, i));
  }
}

void ExternalIps(const Value& spec, const Path& path, Walk& walk) {
  const Value* old = OldSpec(walk);
  const Path list = path["externalIPs"];
  size_t index = 0;
  for (const Value& ip : List(spec, "externalIPs")) {
    const Path at = list[index++];
    const bool known = old != nullptr && Contains(List(*old, "externalIPs"), ip.AsString());
    const Messages messages = known ? Messages() : Ip(ip.AsString());
    walk.Messages(at, ip.AsString(), messages);
    if (messages.empty()) CheckEndpointIp(ip.AsString(), at, walk);
  }
}

// --- ports of nodes and of the service come once per protocol

void UniquePorts(const Value& spec, const Path& path, Walk& walk) {
  static const TypeId kPort = TypeOf("core.v1.ServicePort");
  const auto ports = List(spec, "ports");
  const Path list = path["ports"];
  std::unordered_set<std::string> seen;
  for (size_t i = 0; i < ports.size(); ++i) {
    const Path at = list[i];
    const int64_t node_port = Int(ports[i], "nodePort").value_or(0);
    if (node_port == 0) continue;
    if (Text(spec, "type") == "ClusterIP") {
      walk.Forbidden(at["nodePort"], "may not be used when `type` is 'ClusterIP'");
    }
  }
  for (size_t i = 0; i < ports.size(); ++i) {
    const Path at = list[i];
    const int64_t node_port = Int(ports[i], "nodePort").value_or(0);
    if (node_port == 0) continue;
    if (!seen.insert(fmt::format("{}/{}", Text(ports[i], "protocol"), node_port)).second) {
      walk.Duplicate(at["nodePort"], node_port);
    }
  }
  seen.clear();
  for (size_t i = 0; i < ports.size(); ++i) {
    const int64_t port = Int(ports[i], "port").value_or(0);
    const std::string_view protocol = Text(ports[i], "protocol");
    if (seen.insert(fmt::format("{}/{}", protocol, port)).second) continue;
    json::Arena arena;
    Value shown = Value::Object();
    shown.AppendRef("protocol", Value::StringRef(protocol), arena);
    shown.AppendRef("port", Value::Int(port), arena);
    walk.Duplicate(list[i], shown, kPort, "");
  }
}

// --- load balancers and traffic

void CheckRangesAnnotation(const Value& service, const Path& path, Walk& walk) {
  const std::string_view text = service.FindString({"metadata", "annotations", kSourceRanges});
  if (service.Find({"metadata", "annotations", kSourceRanges}) == nullptr) return;
  const Path annotations = path["metadata"];
  const Path list = annotations["annotations"];
  const Path at = list.Key(kSourceRanges);
  if (!IsLoadBalancer(Part(service, "spec"))) walk.Forbidden(at, kOnlyLoadBalancer);
  if (walk.old() != nullptr &&
      walk.old()->FindString({"metadata", "annotations", kSourceRanges}) == text) {
    return;
  }
  const std::string_view trimmed = TrimSpace(text);
  if (trimmed.empty()) return;
  for (const std::string_view cidr : Split(trimmed, ',')) walk.Check(at, TrimSpace(cidr), Cidr);
}

void SourceRanges(const Value& service, const Path& path, Walk& walk) {
  const Value& spec = Part(service, "spec");
  const auto ranges = List(spec, "loadBalancerSourceRanges");
  if (ranges.empty()) return CheckRangesAnnotation(service, path, walk);
  const Path spec_at = path["spec"];
  const Path list = spec_at["LoadBalancerSourceRanges"];
  if (!IsLoadBalancer(spec)) walk.Forbidden(list, kOnlyLoadBalancer);
  const Value* old = OldSpec(walk);
  size_t index = 0;
  for (const Value& range : ranges) {
    const Path at = list[index++];
    const std::string_view cidr = TrimSpace(range.AsString());
    if (old != nullptr && Contains(List(*old, "loadBalancerSourceRanges"), cidr)) continue;
    walk.Check(at, cidr, Cidr);
  }
}

void LoadBalancer(const Value& spec, const Path& path, Walk& walk) {
  const bool is = IsLoadBalancer(spec);
  const bool allocates = Member(spec, "allocateLoadBalancerNodePorts") != nullptr;
  if (allocates && !is) walk.Forbidden(path["allocateLoadBalancerNodePorts"], kOnlyLoadBalancer);
  if (!allocates && is) walk.Required(Path("allocateLoadBalancerNodePorts"));
  if (Member(spec, "loadBalancerClass") == nullptr) return;
  if (is) {
    walk.Check(path["loadBalancerClass"], Text(spec, "loadBalancerClass"), LabelKeyErrors);
  } else {
    walk.Forbidden(path["loadBalancerClass"], kOnlyLoadBalancer);
  }
}

void Traffic(const Value& spec, const Path& path, Walk& walk) {
  const std::string_view policy = Text(spec, "externalTrafficPolicy");
  const Path at = path["externalTrafficPolicy"];
  if (!IsExternallyAccessible(spec)) {
    if (!policy.empty()) {
      walk.Invalid(at, policy, "may only be set for externally-accessible services");
    }
  } else if (policy.empty()) {
    walk.Required(at);
  } else {
    walk.Enum(at, policy, {"Cluster", "Local"});
  }
  const int64_t port = Int(spec, "healthCheckNodePort").value_or(0);
  const Path port_at = path["healthCheckNodePort"];
  if (!NeedsHealthCheck(spec)) {
    if (port != 0) {
      walk.Invalid(port_at, port,
                   "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is "
                   "'Local'");
    }
  } else if (port == 0) {
    walk.Required(port_at);
  } else {
    for (const std::string& message : PortNumber(port)) walk.Invalid(port_at, port, message);
  }
  const std::string_view type = Text(spec, "type");
  const bool known = type == "NodePort" || type == "LoadBalancer" || type == "ClusterIP";
  if (known && Member(spec, "internalTrafficPolicy") == nullptr) {
    walk.Required(path["internalTrafficPolicy"]);
  }
}

// --- updates

// What becomes of its addresses is for those who allocate them.
void ServiceUpdate(const Value& service, const Path& path, Walk& walk) {
  const Value& spec = Part(service, "spec");
  const Value& old = Part(*walk.old(), "spec");
  const Path at = path["spec"];
  if (IsLoadBalancer(spec) && IsLoadBalancer(old) && !SameMember(spec, old, "loadBalancerClass")) {
    walk.Invalid(at["loadBalancerClass"], Member(spec, "loadBalancerClass"),
                 "may not change once set");
  }
  if (NeedsHealthCheck(spec) && NeedsHealthCheck(old) &&
      !SameMember(spec, old, "healthCheckNodePort")) {
    walk.Forbidden(at["healthCheckNodePort"], "field is immutable");
  }
}

void LoadBalancerStatus(const Value& service, const Path& path, Walk& walk) {
  const Value& balancer = Part(Part(service, "status"), "loadBalancer");
  const auto ingresses = List(balancer, "ingress");
  const Path status = path["status"];
  const Path balancer_at = status["loadBalancer"];
  const Path list = balancer_at["ingress"];
  if (!IsLoadBalancer(Part(service, "spec")) && !ingresses.empty()) {
    return walk.Forbidden(list, "may only be used when `spec.type` is 'LoadBalancer'");
  }
  size_t index = 0;
  for (const Value& ingress : ingresses) {
    const Path at = list[index++];
    const std::string_view ip = Text(ingress, "ip");
    if (!ip.empty()) walk.Check(at["ip"], ip, Ip);
    if (Member(ingress, "ipMode") == nullptr) {
      if (!ip.empty()) walk.Required(at["ipMode"], "must be specified when `ip` is set");
    } else if (ip.empty()) {
      walk.Forbidden(at["ipMode"], "may not be specified when `ip` is not set");
    } else {
      walk.Enum(at["ipMode"], Text(ingress, "ipMode"), {"Proxy", "VIP"});
    }
    CheckIngressHostname(ingress, at, walk);
  }
}

constexpr NamedCheck kChecks[] = {
    {"clusterIps", ClusterIps},       {"externalIps", ExternalIps},
    {"loadBalancer", LoadBalancer},   {"loadBalancerStatus", LoadBalancerStatus},
    {"servicePorts", ServicePorts},   {"serviceType", ServiceType},
    {"serviceUpdate", ServiceUpdate}, {"sessionAffinity", SessionAffinity},
    {"sourceRanges", SourceRanges},   {"traffic", Traffic},
    {"uniquePorts", UniquePorts},
};

}  // namespace

std::span<const NamedCheck> ServiceChecks() { return kChecks; }

}  // namespace kulisse::openapi
