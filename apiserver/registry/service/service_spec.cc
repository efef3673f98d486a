#include "apiserver/registry/service/service_spec.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "apiserver/registry/service/ip_range.h"

namespace kulisse::apiserver {

namespace {

std::vector<std::string> Strings(const json::Value* list) {
  std::vector<std::string> out;
  if (list == nullptr) return out;
  for (const json::Value& element : list->elements()) {
    if (element.IsString()) out.emplace_back(element.AsString());
  }
  return out;
}

int64_t IntOf(const json::Value& object, std::string_view name) {
  const json::Value* value = object.Find(name);
  return value != nullptr && value->IsInt() ? value->AsInt() : 0;
}

void SetText(json::Value& spec, std::string_view name, std::string_view text, json::Arena& arena) {
  if (text.empty()) {
    spec.Remove(name);
  } else {
    spec.Set(name, json::Value::String(text, arena), arena);
  }
}

void SetInt(json::Value& object, std::string_view name, int64_t number, json::Arena& arena) {
  if (number == 0) {
    object.Remove(name);
  } else {
    object.Set(name, json::Value::Int(number), arena);
  }
}

void SetList(json::Value& spec, std::string_view name, const std::vector<std::string>& texts,
             json::Arena& arena) {
  if (texts.empty()) {
    spec.Remove(name);
    return;
  }
  json::Value list = json::Value::Array();
  for (const std::string& text : texts) list.PushBack(json::Value::String(text, arena), arena);
  spec.Set(name, std::move(list), arena);
}

bool Has(const std::vector<int64_t>& list, int64_t number) {
  return std::ranges::find(list, number) != list.end();
}

bool IsIpv6(std::string_view text) {
  const auto address = IpAddress::Parse(text);
  return address && address->v6;
}

FieldError InvalidList(std::string path, const std::vector<std::string>& list,
                       std::string_view detail) {
  return FieldError::Invalid(std::move(path), PrintList(list), detail);
}

// clusterIP is the first of clusterIPs.
void CheckSingularAndPlural(const ServiceSpec& service, FieldErrors* errors) {
  const std::string path = "spec.clusterIPs";
  if (service.cluster_ip.empty()) {
    if (!service.cluster_ips.empty()) {
      errors->push_back(InvalidList(path, service.cluster_ips,
                                    "must be empty when `clusterIP` is not specified"));
    }
  } else if (service.cluster_ips.empty()) {
    errors->push_back(FieldError::Required(path));
  } else if (service.cluster_ips[0] != service.cluster_ip) {
    errors->push_back(InvalidList(path, service.cluster_ips, "first value must match `clusterIP`"));
  }
}

void CheckFamilies(const ServiceSpec& service, FieldErrors* errors) {
  std::set<std::string_view> seen;
  for (size_t i = 0; i < service.ip_families.size(); ++i) {
    const std::string& family = service.ip_families[i];
    const std::string path = fmt::format("spec.ipFamilies[{}]", i);
    if (family != kIpv4 && family != kIpv6) {
      errors->push_back(FieldError::NotSupported(path, GoQuote(family), {"IPv4", "IPv6"}));
    }
    if (!seen.insert(family).second) {
      errors->push_back(FieldError::Duplicate(path, GoQuote(family)));
    }
  }
  const auto& policy = service.ip_family_policy;
  if (policy && *policy != "SingleStack" && *policy != "PreferDualStack" &&
      *policy != "RequireDualStack") {
    errors->push_back(
        FieldError::NotSupported("spec.ipFamilyPolicy", GoQuote(*policy),
                                 {"PreferDualStack", "RequireDualStack", "SingleStack"}));
  }
}

// Returns whether the addresses are good enough to look at what they say together.
bool CheckAddresses(const ServiceSpec& service, const ServiceSpec* old, FieldErrors* errors) {
  bool good = true;
  const std::vector<std::string>& ips = service.cluster_ips;
  for (size_t i = 0; i < ips.size(); ++i) {
    if (i == 0 && ips[0] == kHeadless) {
      if (ips.size() == 1) continue;
      good = false;
      errors->push_back(
          InvalidList("spec.clusterIPs", ips, "'None' must be the first and only value"));
      continue;
    }
    if (old != nullptr && std::ranges::find(old->cluster_ips, ips[i]) != old->cluster_ips.end()) {
      continue;
    }
    const std::string_view wrong = CheckIpAddress(ips[i]);
    if (wrong.empty()) continue;
    good = false;
    errors->push_back(
        FieldError::Invalid(fmt::format("spec.clusterIPs[{}]", i), GoQuote(ips[i]), wrong));
  }
  if (ips.size() > 2) {
    errors->push_back(InvalidList("spec.clusterIPs", ips, "may only hold up to 2 values"));
  }
  return good;
}

// Lists of an update: nothing is exchanged, and only the second is added or removed.
struct PairRule {
  const std::vector<std::string>& now;
  const std::vector<std::string>& before;
  std::string_view field;
  std::string_view noun;
  bool same_index;  // errors of equal lengths name the element, not the first one
};

void CheckPairUpdate(const PairRule& rule, const ServiceSpec& service,
                     const std::vector<std::string>& printed, FieldErrors* errors) {
  const auto path = [&](size_t i) { return fmt::format("spec.{}[{}]", rule.field, i); };
  if (rule.before.size() == rule.now.size()) {
    for (size_t i = 0; i < rule.now.size(); ++i) {
      if (rule.now[i] == rule.before[i]) continue;
      errors->push_back(
          InvalidList(path(rule.same_index ? i : 0), rule.now, "may not change once set"));
    }
    return;
  }
  const bool released = rule.before.size() > rule.now.size();
  if (released && service.cluster_ips.empty()) {
    errors->push_back(
        InvalidList(path(0), rule.now, fmt::format("primary {} can not be unset", rule.noun)));
  }
  if (!rule.now.empty() && !rule.before.empty() && rule.now[0] != rule.before[0]) {
    errors->push_back(InvalidList(path(0), printed, "may not change once set"));
  }
  if (released && rule.now.size() == 1 && service.ip_family_policy != "SingleStack") {
    const std::string policy =
        service.ip_family_policy ? GoQuote(*service.ip_family_policy) : "null";
    errors->push_back(FieldError::Invalid(
        "spec.ipFamilyPolicy", policy,
        fmt::format("must be set to 'SingleStack' when releasing the secondary {}", rule.noun)));
  }
}

}  // namespace

std::string PrintList(const std::vector<std::string>& list) {
  if (list.empty()) return "null";
  std::string out;
  for (const std::string& text : list) out += (out.empty() ? "[" : ",") + GoQuote(text);
  return out + "]";
}

ServiceSpec ServiceSpec::Read(const json::Value& service) {
  ServiceSpec out;
  const json::Value* spec = service.Find("spec");
  if (spec == nullptr) return out;
  out.type = spec->FindString({"type"});
  out.cluster_ip = spec->FindString({"clusterIP"});
  out.cluster_ips = Strings(spec->Find("clusterIPs"));
  out.ip_families = Strings(spec->Find("ipFamilies"));
  if (const json::Value* policy = spec->Find("ipFamilyPolicy"); policy && policy->IsString()) {
    out.ip_family_policy = policy->AsString();
  }
  if (const json::Value* ports = spec->Find("ports")) {
    for (const json::Value& port : ports->elements()) {
      out.ports.push_back({std::string(port.FindString({"name"})),
                           std::string(port.FindString({"protocol"})), IntOf(port, "port"),
                           IntOf(port, "nodePort")});
    }
  }
  out.external_traffic_policy = spec->FindString({"externalTrafficPolicy"});
  if (const json::Value* name = spec->Find("loadBalancerClass"); name && name->IsString()) {
    out.load_balancer_class = name->AsString();
  }
  if (const json::Value* draws = spec->Find("allocateLoadBalancerNodePorts");
      draws && draws->IsBool()) {
    out.allocate_node_ports = draws->AsBool();
  }
  out.health_check_node_port = IntOf(*spec, "healthCheckNodePort");
  const json::Value* selector = spec->Find("selector");
  out.has_selector = selector != nullptr && selector->size() > 0;
  const json::Value* external = spec->Find("externalIPs");
  out.has_external_ips = external != nullptr && external->size() > 0;
  return out;
}

void ServiceSpec::Write(json::Document& service) const {
  json::Arena& arena = service.arena;
  json::Value& spec = service.root.SetDefaultObject("spec", arena);
  SetText(spec, "clusterIP", cluster_ip, arena);
  SetList(spec, "clusterIPs", cluster_ips, arena);
  SetList(spec, "ipFamilies", ip_families, arena);
  SetText(spec, "ipFamilyPolicy", ip_family_policy.value_or(""), arena);
  if (json::Value* list = spec.Find("ports")) {
    size_t i = 0;
    for (json::Value& port : list->elements()) {
      if (i < ports.size() && port.IsObject()) SetInt(port, "nodePort", ports[i].node_port, arena);
      ++i;
    }
  }
  SetText(spec, "externalTrafficPolicy", external_traffic_policy, arena);
  // Upstream stores this field of external names, and never shows it.
  if (IsExternalName()) spec.Remove("internalTrafficPolicy");
  if (!load_balancer_class) spec.Remove("loadBalancerClass");
  if (!allocate_node_ports) spec.Remove("allocateLoadBalancerNodePorts");
  SetInt(spec, "healthCheckNodePort", health_check_node_port, arena);
}

std::vector<int64_t> ServiceSpec::NodePorts() const {
  std::vector<int64_t> out;
  for (const ServicePort& port : ports) {
    if (port.node_port != 0) out.push_back(port.node_port);
  }
  return out;
}

void NormalizeClusterIps(ServiceSpec& service, const ServiceSpec* old) {
  if (old == nullptr) {
    if (!service.cluster_ip.empty() && service.cluster_ips.empty()) {
      service.cluster_ips = {service.cluster_ip};
    }
    return;
  }
  if (service.cluster_ips.empty() && old->cluster_ip == service.cluster_ip) {
    service.cluster_ips = old->cluster_ips;
  }
  // A client that knows clusterIP alone cleared or changed it.
  if (old->cluster_ip == service.cluster_ip || old->cluster_ips != service.cluster_ips) return;
  if (service.cluster_ip.empty()) {
    service.cluster_ips.clear();
  } else {
    service.cluster_ips = {service.cluster_ip};
  }
}

void KeepAllocatedValues(ServiceSpec& service, const ServiceSpec& old) {
  if (!old.IsExternalName() && !service.IsExternalName()) {
    if (service.cluster_ip.empty()) service.cluster_ip = old.cluster_ip;
    if (service.cluster_ips.empty()) service.cluster_ips = old.cluster_ips;
  }
  if (old.DrawsNodePorts() && service.DrawsNodePorts()) {
    // Ports are the same by their names; one that the update still uses stays where it is.
    const std::vector<int64_t> before = old.NodePorts();
    const std::vector<int64_t> now = service.NodePorts();
    for (ServicePort& port : service.ports) {
      if (port.node_port != 0) continue;
      // The last of that name: names are unique but for the one port that has none.
      for (const ServicePort& known : old.ports) {
        const bool used = Has(before, known.node_port) && Has(now, known.node_port);
        if (known.name == port.name && !used) port.node_port = known.node_port;
      }
    }
  }
  if (old.NeedsHealthCheckPort() && service.NeedsHealthCheckPort() &&
      service.health_check_node_port == 0) {
    service.health_check_node_port = old.health_check_node_port;
  }
}

void DropTypeDependentFields(ServiceSpec& service, const ServiceSpec& old) {
  if (!old.IsExternalName() && service.IsExternalName()) {
    if (service.SameClusterIps(old)) {
      service.cluster_ip.clear();
      service.cluster_ips.clear();
    }
    if (service.ip_families == old.ip_families) service.ip_families.clear();
    if (service.ip_family_policy == old.ip_family_policy) service.ip_family_policy.reset();
  }
  if (old.UsesNodePorts() && !service.UsesNodePorts()) {
    const std::vector<int64_t> before = old.NodePorts();
    if (std::ranges::all_of(service.NodePorts(), [&](int64_t p) { return Has(before, p); })) {
      for (ServicePort& port : service.ports) port.node_port = 0;
    }
  }
  if (old.NeedsHealthCheckPort() && !service.NeedsHealthCheckPort() &&
      service.health_check_node_port == old.health_check_node_port) {
    service.health_check_node_port = 0;
  }
  if (old.IsLoadBalancer() && !service.IsLoadBalancer()) {
    if (service.allocate_node_ports == old.allocate_node_ports) service.allocate_node_ports.reset();
    if (service.load_balancer_class == old.load_balancer_class) service.load_balancer_class.reset();
  }
  if (old.IsExternal() && !service.IsExternal() &&
      service.external_traffic_policy == old.external_traffic_policy) {
    service.external_traffic_policy.clear();
  }
}

FieldErrors CheckClusterIpFields(const ServiceSpec& service, const ServiceSpec* old) {
  FieldErrors errors;
  if (service.IsExternalName()) return errors;
  CheckSingularAndPlural(service, &errors);
  CheckFamilies(service, &errors);
  if (!CheckAddresses(service, old, &errors)) return errors;
  const std::vector<std::string>& ips = service.cluster_ips;
  if (ips.size() > 1) {
    const auto v6 = static_cast<size_t>(std::ranges::count_if(ips, IsIpv6));
    if (v6 == 0 || v6 == ips.size()) {
      errors.push_back(InvalidList("spec.clusterIPs", ips,
                                   "may specify no more than one IP for each IP family"));
    }
  }
  if (service.IsHeadless()) return errors;
  for (size_t i = 0; i < std::min(ips.size(), service.ip_families.size()); ++i) {
    const std::string& family = service.ip_families[i];
    if ((family != kIpv4 && family != kIpv6) || IsIpv6(ips[i]) == (family == kIpv6)) continue;
    errors.push_back(FieldError::Invalid(
        fmt::format("spec.clusterIPs[{}]", i), GoQuote(ips[i]),
        fmt::format("expected an {} value as indicated by `ipFamilies[{}]`", family, i)));
  }
  return errors;
}

FieldErrors CheckClusterIpUpdate(const ServiceSpec& service, const ServiceSpec& old) {
  FieldErrors errors;
  if (service.IsExternalName() || old.IsExternalName()) return errors;
  if (!service.IsHeadless() || !old.IsHeadless()) {
    CheckPairUpdate({service.cluster_ips, old.cluster_ips, "clusterIPs", "clusterIP", true},
                    service, service.cluster_ips, &errors);
  }
  if (!service.IsHeadless() && !old.IsHeadless()) {
    CheckPairUpdate({service.ip_families, old.ip_families, "ipFamilies", "ipFamily", false},
                    service, service.cluster_ips, &errors);
  }
  return errors;
}

}  // namespace kulisse::apiserver
