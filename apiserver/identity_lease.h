// IdentityLease is the Lease in kube-system by which an API server shows that it is there:
// apiserver-HASH, with the hash of its host's name, renewed while it lives.
//
// Borrows: store and runtime, which must outlive it.
// Threads: construction and destruction from one thread, while the runtime's loop stands still;
//   it renews on that loop.
// Errors: a renewal that fails is logged and tried again at the next.
#pragma once

#include <memory>
#include <string>

#include "apiserver/registry/resource_store.h"
#include "base/runtime.h"

namespace kulisse::apiserver {

class IdentityLease {
 public:
  // Makes the lease, in place of one that a former process has left. `address` is "host:port" as
  // clients reach the server.
  IdentityLease(ResourceStore& store, Runtime& runtime, std::string address);
  // Removes it.
  ~IdentityLease();
  IdentityLease(const IdentityLease&) = delete;
  IdentityLease& operator=(const IdentityLease&) = delete;

  // The lease's name on a host of that name.
  [[nodiscard]] static std::string NameOn(std::string_view host);

 private:
  void Delete();
  Result<WriteResult> Create();
  void Renew();
  void RenewLater();

  ResourceStore& store_;
  Runtime& runtime_;
  const openapi::ResourceInfo& leases_;
  const std::string host_;
  const std::string address_;
  const ObjectName name_;
  const RequestContext context_;
  TimerId timer_ = 0;
  std::shared_ptr<IdentityLease*> self_ = std::make_shared<IdentityLease*>(this);
};

}  // namespace kulisse::apiserver
