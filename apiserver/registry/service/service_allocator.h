// ServiceAllocator gives services their addresses and node ports, and fills in the fields that
// follow from them. Upstream: pkg/registry/core/service/storage (alloc.go).
//
// Borrows: the resource store, which must outlive it. Threads: any.
// Errors: 422 as upstream; 500 when a range is used up.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "apiserver/registry/allocator.h"
#include "apiserver/registry/resource_store.h"
#include "apiserver/registry/service/ip_allocator.h"
#include "apiserver/registry/service/port_allocator.h"
#include "apiserver/registry/service/service_spec.h"

namespace kulisse::apiserver {

struct ServiceNetwork {
  // One range, or one of each family; the first one's family is the default. kind's default.
  std::vector<std::string> cluster_ip_ranges = {"10.96.0.0/16"};
  PortRange node_ports;

  // "10.96.0.0/16,fd00:10:96::/112": what is wrong with it, or nothing.
  static std::expected<std::vector<std::string>, std::string> ParseRanges(std::string_view text);
};

class ServiceAllocator final : public Allocator {
 public:
  // REQUIRES: ranges that ParseRanges() accepted.
  ServiceAllocator(ResourceStore& store, const ServiceNetwork& network);

  // Learns what the stored services have, and repairs what a crash left behind. Before any request,
  // once the ServiceCIDR objects are there.
  void Restore();

  Result<std::unique_ptr<Claim>> Allocate(const RequestContext& context, json::Document& object,
                                          const json::Value* old) override;
  void Release(const json::Value& object) override;

 private:
  class ServiceClaim;

  Result<void> InitFamilies(ServiceSpec& service, const ServiceSpec* old,
                            std::string_view name) const;
  // The part of InitFamilies for services without a selector and addresses.
  void InitHeadlessFamilies(ServiceSpec& service) const;
  [[nodiscard]] FieldErrors InferFamilies(ServiceSpec& service, const ServiceSpec* old) const;
  [[nodiscard]] FieldErrors CheckConfigured(const ServiceSpec& service) const;
  [[nodiscard]] bool Serves(std::string_view family) const;

  Result<void> UpdateIps(ServiceSpec& service, const ServiceSpec* old, ServiceClaim& claim);
  // Gives the service its addresses from the `first` on.
  Result<void> TakeIps(ServiceSpec& service, size_t first, ServiceClaim& claim);
  Result<void> UpdatePorts(ServiceSpec& service, const ServiceSpec* old, ServiceClaim& claim);

  ResourceStore& store_;
  IpAllocator ips_;
  PortAllocator ports_;
  std::vector<std::string> families_;  // that the cluster has; the default first
};

}  // namespace kulisse::apiserver
