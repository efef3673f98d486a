// Services, endpoints and networking.k8s.io.
#include <fmt/format.h>

#include "base/text.h"
#include "openapi/table/cells.h"

namespace kulisse::openapi::table {

namespace {

std::string ExternalIpText(const Value& service) {
  const std::string_view type = TextAt(service, {"spec", "type"});
  if (type == "ExternalName") return std::string(TextAt(service, {"spec", "externalName"}));
  const std::string given = JoinTexts(ListAt(service, {"spec", "externalIPs"}), ",");
  if (type == "ClusterIP" || type == "NodePort") return std::string(TextOr(given, kNone));
  if (type != "LoadBalancer") return std::string(kUnknown);
  const std::string balanced = LoadBalancerText(service);
  if (given.empty()) return std::string(TextOr(balanced, "<pending>"));
  return balanced.empty() ? given : balanced + "," + given;
}

void PrintService(const Value& service, Cells& row) {
  std::vector<std::string> ports;
  for (const Value& port : ListAt(service, {"spec", "ports"})) {
    const int64_t node_port = NumberAt(port, {"nodePort"});
    ports.push_back(fmt::format("{}{}/{}", NumberAt(port, {"port"}),
                                node_port > 0 ? fmt::format(":{}", node_port) : "",
                                TextAt(port, {"protocol"})));
  }
  const auto cluster_ips = ListAt(service, {"spec", "clusterIPs"});
  const std::string_view cluster_ip = !cluster_ips.empty() && cluster_ips[0].IsString()
                                          ? cluster_ips[0].AsString()
                                          : TextAt(service, {"spec", "clusterIP"});
  row.Name(service);
  row.Text(TextAt(service, {"spec", "type"}));
  row.Text(TextOr(cluster_ip, kNone));
  row.Text(ExternalIpText(service));
  row.Text(TextOr(Join(ports, ","), kNone));
  row.Age(service);
  row.Text(LabelsText(service.Find({"spec", "selector"})));
}

// IPv6 addresses come in brackets.
std::string HostAndPort(std::string_view host, int64_t port) {
  const bool v6 = host.find(':') != std::string_view::npos;
  return v6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

void PrintEndpoints(const Value& object, Cells& row) {
  std::vector<std::string> addresses;
  for (const Value& subset : ListAt(object, {"subsets"})) {
    const auto ports = ListAt(subset, {"ports"});
    for (const Value& port : ports) {
      for (const Value& address : ListAt(subset, {"addresses"})) {
        addresses.push_back(HostAndPort(TextAt(address, {"ip"}), NumberAt(port, {"port"})));
      }
    }
    if (!ports.empty()) continue;
    for (const Value& address : ListAt(subset, {"addresses"})) {
      addresses.emplace_back(TextAt(address, {"ip"}));
    }
  }
  row.Name(object);
  if (ListAt(object, {"subsets"}).empty()) {
    row.Text(kNone);
  } else {
    row.Text(addresses.empty() ? "" : FirstThree(addresses));
  }
  row.Age(object);
}

void PrintEndpointSlice(const Value& object, Cells& row) {
  std::vector<std::string> ports;
  for (const Value& port : ListAt(object, {"ports"})) {
    const Value* number = port.Find("port");
    const Value* name = port.Find("name");
    ports.push_back(number != nullptr && number->IsInt() ? std::to_string(number->AsInt())
                    : name != nullptr                    ? std::string(TextAt(port, {"name"}))
                                                         : "*");
  }
  std::vector<std::string> addresses;
  for (const Value& endpoint : ListAt(object, {"endpoints"})) {
    for (const Value& address : ListAt(endpoint, {"addresses"})) {
      if (address.IsString()) addresses.emplace_back(address.AsString());
    }
  }
  row.Name(object);
  row.Text(TextAt(object, {"addressType"}));
  row.Text(FirstThree(ports));
  row.Text(FirstThree(addresses));
  row.Age(object);
}

std::string HostsText(std::span<const Value> rules) {
  constexpr size_t kShownMax = 3;
  std::vector<std::string> hosts;
  bool more = false;
  for (const Value& rule : rules) {
    more = more || hosts.size() == kShownMax;
    const std::string_view host = TextAt(rule, {"host"});
    if (!more && !host.empty()) hosts.emplace_back(host);
  }
  if (hosts.empty()) return "*";
  if (!more) return Join(hosts, ",");
  return fmt::format("{} + {} more...", Join(hosts, ","), rules.size() - kShownMax);
}

void PrintIngress(const Value& object, Cells& row) {
  const Value* class_name = object.Find({"spec", "ingressClassName"});
  row.Name(object);
  row.Text(class_name == nullptr ? kNone : TextAt(object, {"spec", "ingressClassName"}));
  row.Text(HostsText(ListAt(object, {"spec", "rules"})));
  row.Text(LoadBalancerText(object));
  row.Text(ListAt(object, {"spec", "tls"}).empty() ? "80" : "80, 443");
  row.Age(object);
}

void PrintIngressClass(const Value& object, Cells& row) {
  std::string name(TextAt(object, {"metadata", "name"}));
  if (TextAt(object, {"metadata", "annotations", "ingressclass.kubernetes.io/is-default-class"}) ==
      "true") {
    name += " (default)";
  }
  std::string parameters(kNone);
  if (const Value* given = object.Find({"spec", "parameters"})) {
    parameters = TextAt(*given, {"kind"});
    if (given->Find("apiGroup") != nullptr) {
      parameters.append(".").append(TextAt(*given, {"apiGroup"}));
    }
    parameters.append("/").append(TextAt(*given, {"name"}));
  }
  row.Text(name);
  row.Text(TextAt(object, {"spec", "controller"}));
  row.Text(parameters);
  row.Age(object);
}

void PrintIpAddress(const Value& object, Cells& row) {
  std::string parent(kNone);
  if (const Value* reference = object.Find({"spec", "parentRef"})) {
    parent = TextAt(*reference, {"resource"});
    const std::string_view group = TextAt(*reference, {"group"});
    if (!group.empty()) parent.append(".").append(group);
    parent = ToLower(parent);
    const std::string_view in_namespace = TextAt(*reference, {"namespace"});
    if (!in_namespace.empty()) parent.append("/").append(in_namespace);
    parent.append("/").append(TextAt(*reference, {"name"}));
  }
  row.Name(object);
  row.Text(parent);
  row.Age(object);  // upstream has this cell though there is no column for it
}

void PrintNetworkPolicy(const Value& object, Cells& row) {
  row.Name(object);
  row.Text(SelectorText(object.Find({"spec", "podSelector"})));
  row.Age(object);
}

void PrintServiceCidr(const Value& object, Cells& row) {
  row.Name(object);
  row.Text(JoinTexts(ListAt(object, {"spec", "cidrs"}), ","));
  row.Age(object);
}

constexpr Printer kPrinters[] = {
    {"", "endpoints", PrintEndpoints},
    {"", "services", PrintService},
    {"discovery.k8s.io", "endpointslices", PrintEndpointSlice},
    {"networking.k8s.io", "ingressclasses", PrintIngressClass},
    {"networking.k8s.io", "ingresses", PrintIngress},
    {"networking.k8s.io", "ipaddresses", PrintIpAddress},
    {"networking.k8s.io", "networkpolicies", PrintNetworkPolicy},
    {"networking.k8s.io", "servicecidrs", PrintServiceCidr},
};

}  // namespace

std::span<const Printer> NetworkPrinters() { return kPrinters; }

}  // namespace kulisse::openapi::table
