// Rules of endpoints, endpoint slices, ingresses, network policies and addresses.
// Upstream: pkg/apis/{core,discovery,networking}/validation.
#include <algorithm>

#include "base/text.h"
#include "openapi/label_syntax.h"
#include "openapi/validation/endpoints.h"
#include "openapi/validation/walk.h"

namespace kulisse::openapi {

namespace {

constexpr size_t kAddressesMax = 100;
constexpr size_t kHintsMax = 8;

// --- endpoints

void CheckSubset(const Value& subset, const Path& path, Walk& walk) {
  static const TypeId kAddress = TypeOf("core.v1.EndpointAddress");
  static const TypeId kPort = TypeOf("core.v1.EndpointPort");
  if (IsEmpty(subset.Find("addresses")) && IsEmpty(subset.Find("notReadyAddresses"))) {
    walk.Required(path, "must specify `addresses` or `notReadyAddresses`");
  }
  for (const std::string_view field : {"addresses", "notReadyAddresses"}) {
    const Path list = path[field];
    size_t index = 0;
    for (const Value& address : List(subset, field)) {
      walk.Struct(address, kAddress, list[index++]);
    }
  }
  const auto ports = List(subset, "ports");
  const Path list = path["ports"];
  size_t index = 0;
  for (const Value& port : ports) {
    const Path at = list[index++];
    if (ports.size() > 1 && Text(port, "name").empty()) walk.Required(at["name"]);
    walk.Struct(port, kPort, at);
  }
}

void Subsets(const Value& endpoints, const Path& path, Walk& walk) {
  if (walk.old() != nullptr && SameMember(endpoints, *walk.old(), "subsets")) return;
  const Path list = path["subsets"];
  size_t index = 0;
  for (const Value& subset : List(endpoints, "subsets")) {
    CheckSubset(subset, list[index++], walk);
  }
}

void EndpointIp(const Value& address, const Path& path, Walk& walk) {
  CheckEndpointIp(Text(address, "ip"), path["ip"], walk);
}

// --- endpoint slices

void CheckFqdn(std::string_view name, const Path& path, Walk& walk) {
  if (name.empty()) return walk.Required(path);
  if (name.ends_with('.')) name.remove_suffix(1);
  std::string all;
  for (const std::string& message : Dns1123Subdomain(name)) {
    all += (all.empty() ? "" : ",") + message;
  }
  if (!all.empty()) return walk.Invalid(path, name, all);
  const auto labels = Split(name, '.');
  if (labels.size() < 2) {
    return walk.Invalid(path, name,
                        "should be a domain with at least two segments separated by dots");
  }
  for (const std::string_view label : labels) walk.Check(path, label, Dns1123Label);
}

void CheckSliceAddress(std::string_view address, std::string_view type, const Path& list,
                       const Path& at, Walk& walk) {
  if (type == "FQDN") return CheckFqdn(address, at, walk);
  if (type != "IPv4" && type != "IPv6") return;
  const Messages messages = type == "IPv4" ? Ip(address) : CanonicalIp(address);
  walk.Messages(at, address, messages);
  if (!messages.empty()) return;
  if (ParseIp(address)->v4 != (type == "IPv4")) {
    walk.Invalid(list, address, fmt::format("must be an {} address", type));
  }
  CheckEndpointIp(address, at, walk);
}

void CheckHints(const Value& hints, std::string_view field, Format format, const Path& path,
                Walk& walk) {
  const auto names = List(hints, field);
  const Path list = path[field];
  if (names.size() > kHintsMax) walk.TooMany(list, names.size(), kHintsMax);
  NameSet seen;
  size_t index = 0;
  for (const Value& hint : names) {
    const Path element = list[index++];
    const Path at = element["name"];
    const std::string_view name = Text(hint, "name");
    if (!seen.Insert(name)) walk.Duplicate(at, name);
    walk.Check(at, name, format);
  }
}

void CheckSliceEndpoint(const Value& endpoint, std::string_view type, const Path& at, Walk& walk) {
  static const TypeId kEndpoint = TypeOf("discovery.v1.Endpoint");
  const auto addresses = List(endpoint, "addresses");
  const Path list = at["addresses"];
  if (addresses.empty()) {
    walk.Required(list, "must contain at least 1 address");
  } else if (addresses.size() > kAddressesMax) {
    walk.TooMany(list, addresses.size(), kAddressesMax);
  }
  size_t index = 0;
  for (const Value& address : addresses) {
    if (address.IsString()) CheckSliceAddress(address.AsString(), type, list, list[index], walk);
    ++index;
  }
  walk.Struct(endpoint, kEndpoint, at);
  if (const Value* hints = Member(endpoint, "hints")) {
    CheckHints(*hints, "forZones", LabelValueErrors, at["hints"], walk);
    CheckHints(*hints, "forNodes", Dns1123Subdomain, at["hints"], walk);
  }
}

void SliceEndpoints(const Value& slice, const Path& path, Walk& walk) {
  if (walk.old() != nullptr && SameMember(slice, *walk.old(), "endpoints")) return;
  const std::string_view type = Text(slice, "addressType");
  const Path list = path["endpoints"];
  size_t index = 0;
  for (const Value& endpoint : List(slice, "endpoints")) {
    CheckSliceEndpoint(endpoint, type, list[index++], walk);
  }
}

void SlicePorts(const Value& slice, const Path& path, Walk& walk) {
  static const TypeId kPort = TypeOf("discovery.v1.EndpointPort");
  NameSet names;
  const Path list = path["ports"];
  size_t index = 0;
  for (const Value& port : List(slice, "ports")) {
    const Path at = list[index++];
    const std::string_view name = Text(port, "name");
    if (!name.empty()) walk.Check(at["name"], name, Dns1123Label);
    if (!names.Insert(name)) walk.Duplicate(at["name"], name);
    walk.Struct(port, kPort, at);
  }
}

// --- ingresses

void IngressRules(const Value& spec, const Path& path, Walk& walk) {
  if (IsEmpty(spec.Find("rules")) && Member(spec, "defaultBackend") == nullptr) {
    walk.Invalid(path, spec.Find("rules"), "either `defaultBackend` or `rules` must be specified");
  }
}

void CheckHost(std::string_view host, const Path& path, Walk& walk) {
  const bool wildcard = host.find('*') != std::string_view::npos;
  walk.Check(path, host, wildcard ? WildcardDns1123Subdomain : Dns1123Subdomain);
}

void IngressHost(const Value& rule, const Path& path, Walk& walk) {
  const std::string_view host = Text(rule, "host");
  if (host.empty()) return;
  if (ParseIp(host)) {
    walk.Invalid(path["host"], host, "must be a DNS name, not an IP address");
  }
  CheckHost(host, path["host"], walk);
}

void IngressTlsHosts(const Value& tls, const Path& path, Walk& walk) {
  const Path list = path["hosts"];
  size_t index = 0;
  for (const Value& host : List(tls, "hosts")) CheckHost(host.AsString(), list[index++], walk);
}

void CheckExactPath(std::string_view text, const Path& path, Walk& walk) {
  if (!text.starts_with('/')) walk.Invalid(path, text, "must be an absolute path");
  for (const std::string_view part : {"//", "/./", "/../", "%2f", "%2F"}) {
    if (text.find(part) == std::string_view::npos) continue;
    walk.Invalid(path, text, fmt::format("must not contain '{}'", part));
  }
  for (const std::string_view end : {"/..", "/."}) {
    if (text.ends_with(end)) walk.Invalid(path, text, fmt::format("cannot end with '{}'", end));
  }
}

void IngressPath(const Value& rule, const Path& path, Walk& walk) {
  static const TypeId kBackend = TypeOf("networking.v1.IngressBackend");
  const std::string_view type = Text(rule, "pathType");
  const std::string_view text = Text(rule, "path");
  if (Member(rule, "pathType") == nullptr) {
    return walk.Required(path["pathType"], "pathType must be specified");
  }
  if (type == "Exact" || type == "Prefix") {
    CheckExactPath(text, path["path"], walk);
  } else if (type == "ImplementationSpecific") {
    if (!text.empty() && !text.starts_with('/')) {
      walk.Invalid(path["path"], text, "must be an absolute path");
    }
  } else {
    walk.NotSupported(path["pathType"], type, {"Exact", "ImplementationSpecific", "Prefix"});
  }
  walk.Struct(Part(rule, "backend"), kBackend, path["backend"]);
}

void CheckServiceBackend(const Value& service, const Path& path, Walk& walk) {
  const std::string_view name = Text(service, "name");
  const Path at = path["service"];
  if (name.empty()) {
    walk.Required(at["name"]);
  } else {
    walk.Check(at["name"], name, Dns1123Label);
  }
  const Value& port = Part(service, "port");
  const std::string_view port_name = Text(port, "name");
  const int64_t number = Int(port, "number").value_or(0);
  if (!port_name.empty() && number != 0) {
    walk.Invalid(path, "", "cannot set both port name & port number");
  } else if (!port_name.empty()) {
    walk.Check(at["port"]["name"], port_name, PortName);
  } else if (number != 0) {
    for (const std::string& message : PortNumber(number)) {
      walk.Invalid(at["port"]["number"], number, message);
    }
  } else {
    walk.Required(path, "port name or number is required");
  }
}

void IngressBackend(const Value& backend, const Path& path, Walk& walk) {
  static const TypeId kReference = TypeOf("core.v1.TypedLocalObjectReference");
  const Value* resource = Member(backend, "resource");
  const Value* service = Member(backend, "service");
  if (resource != nullptr && service != nullptr) {
    walk.Invalid(path, "", "cannot set both resource and service backends");
  } else if (resource != nullptr) {
    walk.Struct(*resource, kReference, path["resource"]);
  } else if (service != nullptr) {
    CheckServiceBackend(*service, path, walk);
  } else {
    walk.Invalid(path, "", "resource or service backend is required");
  }
}

void IngressClassAnnotation(const Value& ingress, const Path& /*path*/, Walk& walk) {
  constexpr std::string_view kAnnotation = "kubernetes.io/ingress.class";
  const Value* annotation = ingress.Find({"metadata", "annotations", kAnnotation});
  const Value* name = ingress.Find({"spec", "ingressClassName"});
  if (annotation == nullptr || name == nullptr || *annotation == *name) return;
  const Path annotations("annotations");
  walk.Invalid(annotations[kAnnotation], annotation->AsString(),
               "must match `ingressClassName` when both are specified");
}

void IngressStatus(const Value& status, const Path& path, Walk& walk) {
  const Path balancer = path["loadBalancer"];
  const Path list = balancer["ingress"];
  size_t index = 0;
  for (const Value& ingress : List(Part(status, "loadBalancer"), "ingress")) {
    const Path at = list[index++];
    const std::string_view ip = Text(ingress, "ip");
    if (!ip.empty()) walk.Check(at["ip"], ip, Ip);
    CheckIngressHostname(ingress, at, walk);
  }
}

void DomainPrefixedPath(const Value& value, const Path& path, Walk& walk) {
  const std::string_view text = value.AsString();
  const size_t slash = text.find('/');
  if (text.empty()) return walk.Required(path);
  if (slash == std::string_view::npos || slash == 0 || slash + 1 == text.size()) {
    return walk.Invalid(path, text, "must be a domain-prefixed path (such as \"acme.io/foo\")");
  }
  walk.Check(path, text.substr(0, slash), Dns1123Subdomain);
  const std::string_view rest = text.substr(slash + 1);
  const bool fits = std::ranges::all_of(rest, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("/-._~%!$&'()*+,;=:").find(c) != std::string_view::npos;
  });
  if (fits) return;
  walk.Invalid(path, rest,
               "Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')");
}

void ClassParameters(const Value& parameters, const Path& path, Walk& walk) {
  const std::string_view scope = Text(parameters, "scope");
  const Value* ns = Member(parameters, "namespace");
  if (Member(parameters, "scope") == nullptr) walk.Required(path["scope"]);
  if (scope == "Namespace") {
    if (ns == nullptr) {
      walk.Required(path["namespace"], "`parameters.scope` is set to 'Namespace'");
    } else {
      walk.Check(path["namespace"], ns->AsString(), Dns1123Label);
    }
  } else if (scope != "Cluster") {
    walk.NotSupported(path["scope"], scope, {"Cluster", "Namespace"});
  } else if (ns != nullptr) {
    walk.Forbidden(path["namespace"], "`parameters.scope` is set to 'Cluster'");
  }
}

// --- network policies

void PolicyPort(const Value& port, const Path& path, Walk& walk) {
  const Value* number = Member(port, "port");
  const auto end = Int(port, "endPort");
  if (number == nullptr) {
    if (end) {
      walk.Invalid(path["endPort"], *end, "may not be specified when `port` is not specified");
    }
  } else if (number->IsInt()) {
    for (const std::string& message : PortNumber(number->AsInt())) {
      walk.Invalid(path["port"], number->AsInt(), message);
    }
    if (!end) return;
    if (*end < number->AsInt()) {
      walk.Invalid(path["endPort"], number->AsInt(), "must be greater than or equal to `port`");
    }
    for (const std::string& message : PortNumber(*end))
      walk.Invalid(path["endPort"], *end, message);
  } else {
    if (end) {
      walk.Invalid(path["endPort"], *end, "may not be specified when `port` is non-numeric");
    }
    walk.Check(path["port"], number->AsString(), PortName);
  }
}

bool IsWithin(const IpAddress& inner, const IpAddress& outer) {
  IpAddress cut = inner;
  cut.prefix = outer.prefix;
  return inner.v4 == outer.v4 && cut.Masked().bytes == outer.Masked().bytes &&
         outer.prefix < inner.prefix;
}

void IpBlock(const Value& block, const Path& path, Walk& walk) {
  const std::string_view text = Text(block, "cidr");
  if (text.empty()) return walk.Required(path["cidr"]);
  walk.Check(path["cidr"], text, Cidr);
  const auto cidr = ParseCidr(text);
  if (!cidr) return;
  const Path list = path["except"];
  size_t index = 0;
  for (const Value& except : List(block, "except")) {
    const Path at = list[index++];
    walk.Check(at, except.AsString(), Cidr);
    const auto inner = ParseCidr(except.AsString());
    if (!inner || IsWithin(*inner, *cidr)) continue;
    walk.Invalid(at, except.AsString(), "must be a strict subset of `cidr`");
  }
}

void PolicyPeer(const Value& peer, const Path& path, Walk& walk) {
  const bool block = Member(peer, "ipBlock") != nullptr;
  const bool selects =
      Member(peer, "podSelector") != nullptr || Member(peer, "namespaceSelector") != nullptr;
  if (!block && !selects) walk.Required(path, "must specify a peer");
  if (block && selects) walk.Forbidden(path, "may not specify both ipBlock and another peer");
}

void PolicyTypes(const Value& spec, const Path& path, Walk& walk) {
  const Value* types = Member(spec, "policyTypes");
  if (types != nullptr && types->size() > 2) {
    walk.Invalid(path["policyTypes"], *types, "may not specify more than two policyTypes");
  }
}

// --- addresses of services

void CheckServiceCidrs(const Value& spec, const Path& path, Walk& walk) {
  const auto cidrs = List(spec, "cidrs");
  const Path list = path["cidrs"];
  if (cidrs.empty()) walk.Required(list, "at least one CIDR required");
  if (cidrs.size() > 2) {
    walk.Invalid(list, spec, TypeOf("networking.v1.ServiceCIDRSpec"),
                 "may only hold up to 2 values");
  }
  size_t index = 0;
  for (const Value& cidr : cidrs) walk.Check(list[index++], cidr.AsString(), CanonicalCidr);
  if (cidrs.size() != 2) return;
  const auto first = ParseCidr(cidrs[0].AsString());
  const auto second = ParseCidr(cidrs[1].AsString());
  if (!first || !second || first->v4 != second->v4) return;
  walk.Invalid(list, *spec.Find("cidrs"),
               "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and "
               "2001:db8::/64");
}

void ServiceCidr(const Value& object, const Path& path, Walk& walk) {
  if (walk.old() == nullptr) CheckServiceCidrs(Part(object, "spec"), path["spec"], walk);
}

void ServiceCidrUpdate(const Value& object, const Path& path, Walk& walk) {
  constexpr std::string_view kDetail = "field is immutable";
  const Value& spec = Part(object, "spec");
  const auto now = List(spec, "cidrs");
  const auto before = List(Part(*walk.old(), "spec"), "cidrs");
  const Path at = path["spec"];
  const Path list = at["cidrs"];
  const bool grows = before.size() == 1 && now.size() == 2;
  if (now.size() != before.size() && !grows) {
    return walk.Invalid(list, spec.Find("cidrs"), kDetail);
  }
  for (size_t i = 0; i < before.size(); ++i) {
    if (!(now[i] == before[i])) walk.Invalid(list[i], now[i].AsString(), kDetail);
  }
  if (grows) CheckServiceCidrs(spec, at, walk);
}

constexpr NamedCheck kChecks[] = {
    {"classParameters", ClassParameters},
    {"domainPrefixedPath", DomainPrefixedPath},
    {"endpointIp", EndpointIp},
    {"ingressBackend", IngressBackend},
    {"ingressClassAnnotation", IngressClassAnnotation},
    {"ingressHost", IngressHost},
    {"ingressPath", IngressPath},
    {"ingressRules", IngressRules},
    {"ingressStatus", IngressStatus},
    {"ingressTlsHosts", IngressTlsHosts},
    {"ipBlock", IpBlock},
    {"policyPeer", PolicyPeer},
    {"policyPort", PolicyPort},
    {"policyTypes", PolicyTypes},
    {"serviceCidr", ServiceCidr},
    {"serviceCidrUpdate", ServiceCidrUpdate},
    {"sliceEndpoints", SliceEndpoints},
    {"slicePorts", SlicePorts},
    {"subsets", Subsets},
};

}  // namespace

void CheckEndpointIp(std::string_view ip, const Path& path, Walk& walk) {
  const auto address = ParseIp(ip);
  if (!address) return walk.Invalid(path, ip, "must be a valid IP address");
  const auto& bytes = address->bytes;
  const uint8_t* v4 = bytes.data() + 12;
  const auto zero = [&](size_t end) {
    return std::all_of(bytes.begin(), bytes.begin() + static_cast<long>(end),
                       [](uint8_t b) { return b == 0; });
  };
  const bool unspecified = address->v4 ? v4[0] + v4[1] + v4[2] + v4[3] == 0 : zero(16);
  const bool loopback = address->v4 ? v4[0] == 127 : zero(15) && bytes[15] == 1;
  const bool local =
      address->v4 ? v4[0] == 169 && v4[1] == 254 : bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;
  const bool multicast = address->v4 ? v4[0] == 224 && v4[1] == 0 && v4[2] == 0
                                     : bytes[0] == 0xff && (bytes[1] & 0x0f) == 2;
  if (unspecified) walk.Invalid(path, ip, fmt::format("may not be unspecified ({})", ip));
  if (loopback) {
    walk.Invalid(path, ip, "may not be in the loopback range (127.0.0.0/8, ::1/128)");
  }
  if (local) {
    walk.Invalid(path, ip, "may not be in the link-local range (169.254.0.0/16, fe80::/10)");
  }
  if (multicast) {
    walk.Invalid(path, ip,
                 "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)");
  }
}

void CheckIngressHostname(const Value& ingress, const Path& path, Walk& walk) {
  const std::string_view name = Text(ingress, "hostname");
  if (name.empty()) return;
  walk.Check(path["hostname"], name, Dns1123Subdomain);
  if (ParseIp(name)) walk.Invalid(path["hostname"], name, "must be a DNS name, not an IP address");
}

std::span<const NamedCheck> NetworkChecks() { return kChecks; }

}  // namespace kulisse::openapi
