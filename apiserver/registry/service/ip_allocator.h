// IpAllocator gives out the addresses of services. Each is an IPAddress object, and so is there
// after a restart and never given twice; ServiceCIDR objects say which there are. Upstream:
// pkg/registry/core/service/ipallocator (MetaAllocator).
//
// Borrows: the resource store. Threads: any, no state of its own.
// Errors: kFull, or what is wrong with an address in upstream's words.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "apiserver/registry/resource_store.h"
#include "apiserver/registry/service/ip_range.h"

namespace kulisse::apiserver {

struct IpError {
  bool full = false;
  std::string text;
};

class IpAllocator {
 public:
  explicit IpAllocator(ResourceStore& store);

  // Takes `address` for the service. With `dry_run` it only looks whether there is a range for it.
  std::expected<void, IpError> Allocate(const IpAddress& address, const ObjectName& service,
                                        bool dry_run);
  // Takes any address of the family. With `dry_run` the answer is the network's own address.
  std::expected<IpAddress, IpError> AllocateNext(std::string_view family, const ObjectName& service,
                                                 bool dry_run);
  void Release(std::string_view address);

  // Makes objects and services agree: removes addresses of services that are gone, and makes those
  // that are missing. A crash between two writes leaves such. `in_use`: of all services.
  struct Use {
    std::string address;
    ObjectName service;
  };
  void Repair(const std::vector<Use>& in_use);

 private:
  // The ranges that may be given from: those of ServiceCIDRs that are ready and not going.
  [[nodiscard]] std::vector<IpRange> ReadyRanges() const;
  // Makes the object; false when it is there already.
  Result<bool> Take(const IpAddress& address, const ObjectName& service);
  // Takes a free one of the addresses at offsets [begin, end) from the network's own.
  std::expected<IpAddress, IpError> TakeBetween(const IpRange& range, uint64_t begin, uint64_t end,
                                                const ObjectName& service);

  ResourceStore& store_;
  const openapi::ResourceInfo& addresses_;
  const openapi::ResourceInfo& ranges_;
};

}  // namespace kulisse::apiserver
