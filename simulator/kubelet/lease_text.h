// How a kubelet renews its Lease: RenewalOf() any, RenewLeaseText() quickly one that nobody else
// has changed. Such a renewal moves two times only, which have one size each, so that it can be
// made in the JSON without parsing; the bytes are those that ResourceStore::Update() makes of
// RenewalOf().
//
// Threads: any. Errors: a lease that looks otherwise is left to Update().
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "apiserver/registry/resource_store.h"
#include "base/time.h"
#include "storage/record.h"

namespace kulisse::simulator {

// What a kubelet writes into its lease, and which manager of fields it is.
struct LeaseWrite {
  std::string_view manager;
  std::string_view node;
  std::chrono::seconds duration;
  SystemTime now;
};

// REQUIRES: what `write` refers to outlives the mutation.
[[nodiscard]] apiserver::Mutation RenewalOf(const LeaseWrite& write);

// `json` is the record's; it is changed when true is returned: the lease's holder and duration are
// the write's already, and its only manager is the write's, who owns them.
bool RenewLeaseText(const LeaseWrite& write, const storage::Record& lease, std::string* json);

}  // namespace kulisse::simulator
