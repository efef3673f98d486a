// ServiceSpec is what the addresses and ports of a service depend on, taken out of the object.
// Upstream: pkg/apis/core.ServiceSpec, pkg/registry/core/service/{strategy,storage}.
// Threads: values and pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/value.h"
#include "base/status.h"

namespace kulisse::apiserver {

inline constexpr std::string_view kHeadless = "None";
inline constexpr std::string_view kIpv4 = "IPv4";
inline constexpr std::string_view kIpv6 = "IPv6";

struct ServicePort {
  std::string name;
  std::string protocol;
  int64_t port = 0;
  int64_t node_port = 0;
};

struct ServiceSpec {
  std::string type;
  std::string cluster_ip;
  std::vector<std::string> cluster_ips;
  std::vector<std::string> ip_families;
  std::optional<std::string> ip_family_policy;
  std::vector<ServicePort> ports;
  std::string external_traffic_policy;
  std::optional<std::string> load_balancer_class;
  std::optional<bool> allocate_node_ports;
  int64_t health_check_node_port = 0;
  bool has_selector = false;
  bool has_external_ips = false;

  [[nodiscard]] static ServiceSpec Read(const json::Value& service);
  // Sets the fields above that may be given, kept or dropped; the client alone sets the others.
  void Write(json::Document& service) const;

  [[nodiscard]] bool IsExternalName() const { return type == "ExternalName"; }
  [[nodiscard]] bool IsLoadBalancer() const { return type == "LoadBalancer"; }
  // Whether its type uses ports of nodes.
  [[nodiscard]] bool UsesNodePorts() const { return type == "NodePort" || IsLoadBalancer(); }
  // Whether it is reached from outside of the cluster, so that its traffic policy counts.
  [[nodiscard]] bool IsExternal() const {
    return UsesNodePorts() || (type == "ClusterIP" && has_external_ips);
  }
  // Whether ports of nodes that it does not name are given to it.
  [[nodiscard]] bool DrawsNodePorts() const {
    return type == "NodePort" || (IsLoadBalancer() && allocate_node_ports.value_or(true));
  }
  [[nodiscard]] bool NeedsHealthCheckPort() const {
    return IsLoadBalancer() && external_traffic_policy == "Local";
  }
  [[nodiscard]] bool IsHeadless() const { return cluster_ip == kHeadless; }
  // Whether it has addresses of its own.
  [[nodiscard]] bool HasClusterIps() const {
    return !IsExternalName() && !cluster_ips.empty() && cluster_ips[0] != kHeadless;
  }
  [[nodiscard]] std::vector<int64_t> NodePorts() const;
  [[nodiscard]] bool SameClusterIps(const ServiceSpec& other) const {
    return cluster_ip == other.cluster_ip && cluster_ips == other.cluster_ips;
  }
};

// A list as field errors print it: `["10.96.0.1"]`.
[[nodiscard]] std::string PrintList(const std::vector<std::string>& list);

// A field that goes with another one gets its value, as far as what the client wants is clear.
// `old`: null for a create.
void NormalizeClusterIps(ServiceSpec& service, const ServiceSpec* old);
// What a client left out of an update keeps the value that was given to it.
void KeepAllocatedValues(ServiceSpec& service, const ServiceSpec& old);
// An update to a type that has no use for a field removes the field, unless it changes it too.
void DropTypeDependentFields(ServiceSpec& service, const ServiceSpec& old);

// The rules of clusterIP, clusterIPs, ipFamilies and ipFamilyPolicy among each other. `old`: null
// for a create.
[[nodiscard]] FieldErrors CheckClusterIpFields(const ServiceSpec& service, const ServiceSpec* old);
// What an update may not change of addresses and families.
[[nodiscard]] FieldErrors CheckClusterIpUpdate(const ServiceSpec& service, const ServiceSpec& old);

}  // namespace kulisse::apiserver
