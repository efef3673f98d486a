#include "apiserver/registry/service/service_allocator.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/assert.h"
#include "base/log.h"
#include "base/text.h"

namespace kulisse::apiserver {

namespace {

constexpr std::string_view kSingleStack = "SingleStack";
constexpr std::string_view kPreferDualStack = "PreferDualStack";
constexpr std::string_view kRequireDualStack = "RequireDualStack";
constexpr std::string_view kPolicyPath = "spec.ipFamilyPolicy";

std::string_view OtherFamily(std::string_view family) { return family == kIpv4 ? kIpv6 : kIpv4; }

std::unexpected<Status> Invalid(std::string_view name, const FieldErrors& errors) {
  return std::unexpected(Status::Invalid({"", "Service"}, name, errors));
}

std::unexpected<Status> InvalidPort(std::string_view name, size_t index, int64_t port,
                                    std::string_view why) {
  return Invalid(name, {FieldError::Invalid(fmt::format("spec.ports[{}].nodePort", index),
                                            std::to_string(port), why)});
}

// Services whose two families follow the cluster are not changed by writes of other fields.
bool KeepsPreferDualStack(const ServiceSpec& service, const ServiceSpec* old) {
  return old != nullptr && service.ip_family_policy == kPreferDualStack &&
         old->ip_family_policy.value_or(std::string(kPreferDualStack)) == kPreferDualStack &&
         old->type == service.type && !service.IsExternalName() &&
         old->cluster_ips == service.cluster_ips && old->ip_families == service.ip_families;
}

FieldError PolicyError(const ServiceSpec& service, std::string_view why) {
  return FieldError::Invalid(std::string(kPolicyPath), GoQuote(*service.ip_family_policy), why);
}

bool IsReduced(const std::vector<std::string>& now, const std::vector<std::string>& before) {
  return now.size() < before.size() && !now.empty();
}

// An update to one family gives the second one up; to more than one it may not.
void ApplyPolicyToUpdate(ServiceSpec& service, const ServiceSpec& old, FieldErrors* errors) {
  if (service.ip_family_policy == kSingleStack) {
    if (service.cluster_ips == old.cluster_ips && service.cluster_ips.size() > 1) {
      service.cluster_ips.resize(1);
    }
    if (service.ip_families == old.ip_families && service.ip_families.size() > 1) {
      service.ip_families.resize(1);
    }
    return;
  }
  if (IsReduced(service.cluster_ips, old.cluster_ips)) {
    errors->push_back(
        PolicyError(service, "must be 'SingleStack' to release the secondary cluster IP"));
  }
  if (IsReduced(service.ip_families, old.ip_families)) {
    errors->push_back(
        PolicyError(service, "must be 'SingleStack' to release the secondary IP family"));
  }
}

// Ports of the same number share the port of the nodes, as those of different protocols do.
Result<void> TakeNewPorts(ServiceSpec& service, std::string_view name, PortOperation& operation) {
  std::map<int64_t, int64_t> given;
  for (size_t i = 0; i < service.ports.size(); ++i) {
    ServicePort& port = service.ports[i];
    if (port.node_port == 0 && !service.DrawsNodePorts()) continue;
    const auto known = given.find(port.port);
    if (known != given.end()) {
      if (port.node_port == 0) port.node_port = known->second;
      if (port.node_port == known->second) continue;
      if (auto taken = operation.Allocate(port.node_port); !taken) {
        return InvalidPort(name, i, port.node_port, taken.error());
      }
      continue;
    }
    const auto wanted = std::ranges::find_if(service.ports, [&](const ServicePort& p) {
      return p.port == port.port && p.node_port != 0;
    });
    if (wanted != service.ports.end()) {
      if (auto taken = operation.Allocate(wanted->node_port); !taken) {
        return InvalidPort(name, i, wanted->node_port, taken.error());
      }
      port.node_port = wanted->node_port;
    } else {
      auto drawn = operation.AllocateNext();
      if (!drawn) {
        return std::unexpected(
            Status::InternalError("failed to allocate a nodePort: " + drawn.error()));
      }
      port.node_port = *drawn;
    }
    given.emplace(port.port, port.node_port);
  }
  return {};
}

Result<void> TakeChangedPorts(ServiceSpec& service, const ServiceSpec& old, std::string_view name,
                              PortOperation& operation) {
  const std::vector<int64_t> before = old.NodePorts();
  std::vector<int64_t> taken_now;
  std::vector<std::pair<std::string_view, int64_t>> seen;
  for (size_t i = 0; i < service.ports.size(); ++i) {
    ServicePort& port = service.ports[i];
    if (port.node_port == 0) {
      if (!service.DrawsNodePorts()) continue;
      auto drawn = operation.AllocateNext();
      if (!drawn) {
        return std::unexpected(
            Status::InternalError("failed to allocate a nodePort: " + drawn.error()));
      }
      port.node_port = *drawn;
    } else if (std::ranges::find(before, port.node_port) == before.end() &&
               std::ranges::find(taken_now, port.node_port) == taken_now.end()) {
      if (auto taken = operation.Allocate(port.node_port); !taken) {
        return InvalidPort(name, i, port.node_port, taken.error());
      }
      taken_now.push_back(port.node_port);
    }
    const std::pair<std::string_view, int64_t> key{port.protocol, port.node_port};
    if (std::ranges::find(seen, key) != seen.end()) {
      return std::unexpected(Status::Plain(
          500, fmt::format("duplicate nodePort: {{{} {}}}", port.protocol, port.node_port)));
    }
    seen.push_back(key);
  }
  const std::vector<int64_t> now = service.NodePorts();
  for (const int64_t port : before) {
    if (std::ranges::find(now, port) == now.end()) operation.ReleaseLater(port);
  }
  return {};
}

Result<void> TakeHealthCheckPort(ServiceSpec& service, PortOperation& operation) {
  if (service.health_check_node_port != 0) {
    const auto taken = operation.Allocate(service.health_check_node_port);
    if (taken) return {};
    return std::unexpected(Status::InternalError(
        fmt::format("failed to allocate requested HealthCheck NodePort {}: {}",
                    service.health_check_node_port, taken.error())));
  }
  const auto drawn = operation.AllocateNext();
  if (!drawn) {
    return std::unexpected(Status::InternalError(
        fmt::format("failed to allocate a HealthCheck NodePort 0: {}", drawn.error())));
  }
  service.health_check_node_port = *drawn;
  return {};
}

ObjectName NameOf(const json::Value& object) {
  return {std::string(object.FindString({"metadata", "namespace"})),
          std::string(object.FindString({"metadata", "name"}))};
}

}  // namespace

class ServiceAllocator::ServiceClaim final : public Claim {
 public:
  ServiceClaim(IpAllocator& ip_allocator, PortAllocator& port_allocator, ObjectName name, bool dry)
      : dry_run(dry), service(std::move(name)), ports(port_allocator, dry), ips_(ip_allocator) {}
  ~ServiceClaim() override {
    if (kept_ || dry_run) return;
    for (const std::string& address : taken_ips) ips_.Release(address);
  }
  void Keep() override {
    kept_ = true;
    ports.Keep();
    if (dry_run) return;
    for (const std::string& address : released_ips) ips_.Release(address);
  }

  const bool dry_run;
  const ObjectName service;
  PortOperation ports;
  std::vector<std::string> taken_ips;
  std::vector<std::string> released_ips;

 private:
  IpAllocator& ips_;
  bool kept_ = false;
};

std::expected<std::vector<std::string>, std::string> ServiceNetwork::ParseRanges(
    std::string_view text) {
  std::vector<std::string> ranges;
  std::vector<std::string_view> families;
  for (const std::string_view part : Split(text, ',')) {
    const auto range = IpRange::Parse(TrimSpace(part));
    if (!range) {
      return std::unexpected(
          fmt::format("\"{}\" is not a range of addresses such as 10.96.0.0/16", part));
    }
    if (range->size() == 0) {
      return std::unexpected(fmt::format("\"{}\" has no address to give out", part));
    }
    const std::string_view family = range->network().family();
    if (std::ranges::find(families, family) != families.end()) {
      return std::unexpected(std::string("two ranges must be one of IPv4 and one of IPv6"));
    }
    families.push_back(family);
    ranges.push_back(range->ToString());
  }
  return ranges;
}

ServiceAllocator::ServiceAllocator(ResourceStore& store, const ServiceNetwork& network)
    : store_(store), ips_(store), ports_(network.node_ports, store.runtime()) {
  for (const std::string& text : network.cluster_ip_ranges) {
    const auto range = IpRange::Parse(text);
    KULISSE_ASSERT(range.has_value());
    families_.emplace_back(range->network().family());
  }
}

bool ServiceAllocator::Serves(std::string_view family) const {
  return std::ranges::find(families_, family) != families_.end();
}

void ServiceAllocator::Restore() {
  std::vector<IpAllocator::Use> in_use;
  const storage::SnapshotPtr snapshot = store_.store().Latest();
  const auto cursor = snapshot->Scan("services", "", "");
  while (const storage::RecordPtr record = cursor->Next()) {
    const json::Document object = ResourceStore::Decode(*record);
    const ServiceSpec service = ServiceSpec::Read(object.root);
    for (const int64_t port : service.NodePorts()) (void)ports_.Allocate(port);
    if (service.health_check_node_port != 0) (void)ports_.Allocate(service.health_check_node_port);
    if (!service.HasClusterIps()) continue;
    for (const std::string& ip : service.cluster_ips) in_use.push_back({ip, NameOf(object.root)});
  }
  ips_.Repair(in_use);
}

FieldErrors ServiceAllocator::InferFamilies(ServiceSpec& service, const ServiceSpec* old) const {
  FieldErrors errors;
  if (old != nullptr) ApplyPolicyToUpdate(service, *old, &errors);
  if (service.ip_family_policy == kSingleStack) {
    if (service.cluster_ips.size() == 2) {
      errors.push_back(PolicyError(service,
                                   "must be 'RequireDualStack' or 'PreferDualStack' when multiple "
                                   "cluster IPs are specified"));
    }
    if (service.ip_families.size() == 2) {
      errors.push_back(PolicyError(service,
                                   "must be 'RequireDualStack' or 'PreferDualStack' when multiple "
                                   "IP families are specified"));
    }
  }
  for (size_t i = 0; i < service.cluster_ips.size(); ++i) {
    if (service.cluster_ips[i] == kHeadless) break;
    if (i < service.ip_families.size()) continue;
    const auto address = IpAddress::Parse(service.cluster_ips[i]);
    const std::string_view family = address && address->v6 ? kIpv6 : kIpv4;
    if (Serves(family)) {
      service.ip_families.emplace_back(family);
    } else {
      errors.push_back(
          FieldError::Invalid(fmt::format("spec.clusterIPs[{}]", i), PrintList(service.cluster_ips),
                              fmt::format("{} is not configured on this cluster", family)));
    }
  }
  return errors;
}

FieldErrors ServiceAllocator::CheckConfigured(const ServiceSpec& service) const {
  FieldErrors errors;
  if (service.ip_family_policy == kRequireDualStack && families_.size() < 2) {
    errors.push_back(
        PolicyError(service, "this cluster is not configured for dual-stack services"));
  }
  for (size_t i = 0; i < service.ip_families.size(); ++i) {
    if (Serves(service.ip_families[i])) continue;
    errors.push_back(FieldError::Invalid(fmt::format("spec.ipFamilies[{}]", i),
                                         GoQuote(service.ip_families[i]),
                                         "not configured on this cluster"));
  }
  return errors;
}

void ServiceAllocator::InitHeadlessFamilies(ServiceSpec& service) const {
  if (service.ip_families.empty()) service.ip_families.push_back(families_[0]);
  if (service.ip_families.size() < 2 && service.ip_family_policy != kSingleStack) {
    service.ip_families.emplace_back(OtherFamily(service.ip_families[0]));
  }
}

Result<void> ServiceAllocator::InitFamilies(ServiceSpec& service, const ServiceSpec* old,
                                            std::string_view name) const {
  if (service.IsExternalName() || KeepsPreferDualStack(service, old)) return {};
  const bool selects_nothing = service.IsHeadless() && !service.has_selector;
  if (!service.ip_family_policy) {
    if (old != nullptr && old->ip_family_policy) {
      service.ip_family_policy = old->ip_family_policy;
    } else {
      service.ip_family_policy = selects_nothing ? kRequireDualStack : kSingleStack;
    }
  }
  if (const FieldErrors errors = CheckClusterIpFields(service, old); !errors.empty()) {
    return Invalid(name, errors);
  }
  if (const FieldErrors errors = InferFamilies(service, old); !errors.empty()) {
    return Invalid(name, errors);
  }
  if (selects_nothing) {
    InitHeadlessFamilies(service);
    return {};
  }
  if (const FieldErrors errors = CheckConfigured(service); !errors.empty()) {
    return Invalid(name, errors);
  }
  if (service.ip_families.empty()) service.ip_families.push_back(families_[0]);
  if (service.ip_family_policy != kSingleStack && service.ip_families.size() == 1 &&
      families_.size() == 2) {
    service.ip_families.emplace_back(OtherFamily(service.ip_families[0]));
  }
  return {};
}

Result<void> ServiceAllocator::TakeIps(ServiceSpec& service, size_t first, ServiceClaim& claim) {
  if (service.cluster_ips.size() < service.ip_families.size()) {
    service.cluster_ips.resize(service.ip_families.size());
  }
  for (size_t i = first; i < service.ip_families.size(); ++i) {
    std::string& ip = service.cluster_ips[i];
    const auto refuse = [&](std::string_view why) {
      return Invalid(claim.service.name,
                     {FieldError::Invalid("spec.clusterIPs", PrintList(service.cluster_ips), why)});
    };
    if (ip.empty()) {
      const auto drawn = ips_.AllocateNext(service.ip_families[i], claim.service, claim.dry_run);
      if (!drawn && drawn.error().full) {
        return std::unexpected(Status::InternalError(
            fmt::format("failed to allocate a serviceIP for Service {}: range is full",
                        GoQuote(claim.service.name))));
      }
      if (!drawn) return refuse("failed to allocate IP: " + drawn.error().text);
      ip = drawn->ToString();
    } else {
      const auto address = IpAddress::Parse(ip);
      if (!address) {
        return std::unexpected(Status::InternalError("failed to parse service IP " + GoQuote(ip)));
      }
      const auto taken = ips_.Allocate(*address, claim.service, claim.dry_run);
      if (!taken) {
        return refuse(fmt::format("failed to allocate IP {}: {}", ip, taken.error().text));
      }
    }
    claim.taken_ips.push_back(ip);
    if (i == 0) service.cluster_ip = ip;
  }
  return {};
}

Result<void> ServiceAllocator::UpdateIps(ServiceSpec& service, const ServiceSpec* old,
                                         ServiceClaim& claim) {
  if (old == nullptr || (old->IsExternalName() && !service.IsExternalName())) {
    const bool none = service.IsExternalName() ||
                      (!service.cluster_ips.empty() && service.cluster_ips[0] == kHeadless);
    return none ? Result<void>() : TakeIps(service, 0, claim);
  }
  if (!old->HasClusterIps() || KeepsPreferDualStack(service, old)) return {};
  if (service.IsExternalName()) {
    claim.released_ips = old->cluster_ips;
  } else if (old->ip_families.size() == 1 && service.ip_families.size() == 2) {
    return TakeIps(service, 1, claim);
  } else if (old->ip_families.size() == 2 && service.ip_families.size() == 1 &&
             old->cluster_ips.size() == 2) {
    claim.released_ips = {old->cluster_ips[1]};
  }
  return {};
}

Result<void> ServiceAllocator::UpdatePorts(ServiceSpec& service, const ServiceSpec* old,
                                           ServiceClaim& claim) {
  PortOperation& ports = claim.ports;
  if (old != nullptr && old->UsesNodePorts() && !service.UsesNodePorts()) {
    for (const int64_t port : old->NodePorts()) ports.ReleaseLater(port);
  }
  if (service.UsesNodePorts()) {
    KULISSE_TRY(old == nullptr ? TakeNewPorts(service, claim.service.name, ports)
                               : TakeChangedPorts(service, *old, claim.service.name, ports));
  }
  const bool needed = old != nullptr && old->NeedsHealthCheckPort();
  if (!needed && service.NeedsHealthCheckPort()) return TakeHealthCheckPort(service, ports);
  if (needed && !service.NeedsHealthCheckPort()) ports.ReleaseLater(old->health_check_node_port);
  return {};
}

Result<std::unique_ptr<Allocator::Claim>> ServiceAllocator::Allocate(const RequestContext& context,
                                                                     json::Document& object,
                                                                     const json::Value* old) {
  ServiceSpec service = ServiceSpec::Read(object.root);
  ServiceSpec before;
  if (old != nullptr) before = ServiceSpec::Read(*old);
  const ServiceSpec* was = old == nullptr ? nullptr : &before;
  auto claim = std::make_unique<ServiceClaim>(ips_, ports_, NameOf(object.root), context.dry_run);
  if (was != nullptr) KeepAllocatedValues(service, before);
  NormalizeClusterIps(service, was);
  KULISSE_TRY(InitFamilies(service, was, claim->service.name));
  KULISSE_TRY(UpdateIps(service, was, *claim));
  KULISSE_TRY(UpdatePorts(service, was, *claim));
  if (was != nullptr) {
    DropTypeDependentFields(service, before);
    // Upstream clears what a load balancer said when there is none any more.
    if (before.IsLoadBalancer() && !service.IsLoadBalancer()) {
      object.root.SetDefaultObject("status", object.arena)
          .Set("loadBalancer", json::Value::Object(), object.arena);
    }
  }
  service.Write(object);
  return claim;
}

void ServiceAllocator::Release(const json::Value& object) {
  const ServiceSpec service = ServiceSpec::Read(object);
  if (service.HasClusterIps()) {
    for (const std::string& ip : service.cluster_ips) ips_.Release(ip);
  }
  for (const int64_t port : service.NodePorts()) ports_.Release(port);
  if (service.NeedsHealthCheckPort()) ports_.Release(service.health_check_node_port);
  // Endpoints do not outlive their service, so that one of the same name begins without any.
  const openapi::ResourceInfo* endpoints = store_.catalog().Find("", "v1", "endpoints");
  KULISSE_ASSERT(endpoints != nullptr);
  const ObjectName name = NameOf(object);
  if (store_.store().Get({endpoints->storage_name, name.ns, name.name}) == nullptr) return;
  const auto deleted =
      store_.Delete(RequestContext::Internal("kube-apiserver"), *endpoints, name, {});
  if (!deleted && !deleted.error().IsNotFound()) {
    log::Warning("services", "endpoints of a deleted service could not be deleted",
                 {{"service", name.name}, {"error", deleted.error().message}});
  }
}

}  // namespace kulisse::apiserver
