#include "apiserver/registry/service/ip_allocator.h"

#include <algorithm>
#include <map>

#include "apiserver/registry/selectable_fields.h"
#include "base/assert.h"
#include "base/log.h"
#include "base/random.h"
#include "openapi/typed.h"

namespace kulisse::apiserver {

namespace {

constexpr std::string_view kFamilyLabel = "ipaddress.kubernetes.io/ip-family";
constexpr std::string_view kManagedByLabel = "ipaddress.kubernetes.io/managed-by";
constexpr std::string_view kManager = "ipallocator.k8s.io";
constexpr std::string_view kTaken = "provided IP is already allocated";
constexpr std::string_view kNoRange = "the provided network does not match the current range";

const openapi::ResourceInfo& NetworkingResource(const ResourceStore& store, std::string_view name) {
  const openapi::ResourceInfo* resource = store.catalog().Find("networking.k8s.io", "v1", name);
  KULISSE_ASSERT(resource != nullptr);
  return *resource->storage;
}

RequestContext Internal() { return RequestContext::Internal("kube-apiserver"); }

// A ServiceCIDR without the condition counts as ready: the controller that sets it may be missing.
bool IsReady(const json::Value& range) {
  const json::Value* conditions = range.Find({"status", "conditions"});
  if (conditions == nullptr) return true;
  for (const json::Value& condition : conditions->elements()) {
    if (condition.FindString({"type"}) == "Ready") {
      return condition.FindString({"status"}) == "True";
    }
  }
  return true;
}

json::Document AddressObject(const IpAddress& address, const ObjectName& service) {
  json::Document object;
  json::Arena& arena = object.arena;
  object.root = json::Value::Object();
  json::Value& metadata = object.root.SetDefaultObject("metadata", arena);
  metadata.Set("name", json::Value::String(address.ToString(), arena), arena);
  json::Value& labels = metadata.SetDefaultObject("labels", arena);
  labels.Set(kFamilyLabel, json::Value::StringRef(address.family()), arena);
  labels.Set(kManagedByLabel, json::Value::StringRef(kManager), arena);
  json::Value& spec = object.root.SetDefaultObject("spec", arena);
  json::Value& parent = spec.SetDefaultObject("parentRef", arena);
  parent.Set("resource", json::Value::StringRef("services"), arena);
  parent.Set("namespace", json::Value::String(service.ns, arena), arena);
  parent.Set("name", json::Value::String(service.name, arena), arena);
  return object;
}

}  // namespace

IpAllocator::IpAllocator(ResourceStore& store)
    : store_(store),
      addresses_(NetworkingResource(store, "ipaddresses")),
      ranges_(NetworkingResource(store, "servicecidrs")) {}

std::vector<IpRange> IpAllocator::ReadyRanges() const {
  std::vector<IpRange> ranges;
  const storage::SnapshotPtr snapshot = store_.store().Latest();
  const auto cursor = snapshot->Scan(ranges_.storage_name, "", "");
  while (const storage::RecordPtr record = cursor->Next()) {
    if (record->deleting()) continue;
    const json::Document object = ResourceStore::Decode(*record);
    const json::Value* cidrs = object.root.Find({"spec", "cidrs"});
    if (cidrs == nullptr || !IsReady(object.root)) continue;
    for (const json::Value& cidr : cidrs->elements()) {
      if (auto range = IpRange::Parse(cidr.AsString())) ranges.push_back(*range);
    }
  }
  return ranges;
}

Result<bool> IpAllocator::Take(const IpAddress& address, const ObjectName& service) {
  json::Document object = AddressObject(address, service);
  const auto normalized =
      openapi::Normalize(object.root, addresses_.type, store_.types(), object.arena, nullptr);
  KULISSE_ASSERT(normalized.has_value());
  const auto created = store_.Create(Internal(), addresses_, "", std::move(object));
  if (created) return true;
  if (created.error().IsAlreadyExists()) return false;
  return std::unexpected(created.error());
}

std::expected<void, IpError> IpAllocator::Allocate(const IpAddress& address,
                                                   const ObjectName& service, bool dry_run) {
  const std::vector<IpRange> ranges = ReadyRanges();
  // A dry run looks at any range of the family alone, and not at what is taken, as upstream.
  const auto range = std::ranges::find_if(ranges, [&](const IpRange& r) {
    return dry_run ? r.network().v6 == address.v6 : r.Allocates(address);
  });
  if (range == ranges.end()) return std::unexpected(IpError{false, std::string(kNoRange)});
  if (!range->Allocates(address)) {
    return std::unexpected(IpError{false, "the provided IP (" + address.ToString() +
                                              ") is not in the valid range. The range of valid "
                                              "IPs is " +
                                              range->ToString()});
  }
  if (dry_run) return {};
  const Result<bool> taken = Take(address, service);
  if (!taken) return std::unexpected(IpError{false, taken.error().message});
  if (!*taken) return std::unexpected(IpError{false, std::string(kTaken)});
  return {};
}

std::expected<IpAddress, IpError> IpAllocator::TakeBetween(const IpRange& range, uint64_t begin,
                                                           uint64_t end,
                                                           const ObjectName& service) {
  if (begin >= end) return std::unexpected(IpError{true, {}});
  const uint64_t count = end - begin;
  const uint64_t start = Random(store_.runtime().RandomBits()).Below(count);
  for (uint64_t i = 0; i < count; ++i) {
    const IpAddress address = range.network().Plus(begin + (start + i) % count);
    if (store_.store().Get({addresses_.storage_name, "", address.ToString()}) != nullptr) continue;
    const Result<bool> taken = Take(address, service);
    if (!taken) return std::unexpected(IpError{false, taken.error().message});
    if (*taken) return address;
  }
  return std::unexpected(IpError{true, {}});
}

std::expected<IpAddress, IpError> IpAllocator::AllocateNext(std::string_view family,
                                                            const ObjectName& service,
                                                            bool dry_run) {
  for (const IpRange& range : ReadyRanges()) {
    if (range.network().family() != family) continue;
    if (dry_run) return range.network();
    const uint64_t first = 1;
    const uint64_t dynamic = first + range.static_size();
    const uint64_t end = first + range.size();
    auto address = TakeBetween(range, dynamic, end, service);
    if (!address && address.error().full) {
      address = TakeBetween(range, first, std::min(dynamic, end), service);
    }
    if (address || !address.error().full) return address;
  }
  return std::unexpected(IpError{true, {}});
}

void IpAllocator::Release(std::string_view address) {
  const auto parsed = IpAddress::Parse(address);
  if (!parsed) return;
  const auto deleted = store_.Delete(Internal(), addresses_, {"", parsed->ToString()}, {});
  if (!deleted && !deleted.error().IsNotFound()) {
    log::Warning("services", "an address could not be given back",
                 {{"address", address}, {"error", deleted.error().message}});
  }
}

void IpAllocator::Repair(const std::vector<Use>& in_use) {
  std::map<std::string, const ObjectName*> wanted;
  for (const Use& use : in_use) {
    if (const auto address = IpAddress::Parse(use.address)) {
      wanted.emplace(address->ToString(), &use.service);
    }
  }
  std::vector<std::string> unused;
  const storage::SnapshotPtr snapshot = store_.store().Latest();
  const auto cursor = snapshot->Scan(addresses_.storage_name, "", "");
  while (const storage::RecordPtr record = cursor->Next()) {
    const std::string name(SplitKey(addresses_, cursor->key()).name);
    const bool ours = record->Label(kManagedByLabel) == kManager;
    if (wanted.erase(name) == 0 && ours) unused.push_back(name);
  }
  for (const std::string& name : unused) Release(name);
  for (const auto& [name, service] : wanted) {
    const auto made = Take(*IpAddress::Parse(name), *service);
    if (!made) {
      log::Warning("services", "the address of a service could not be kept",
                   {{"address", name}, {"error", made.error().message}});
    }
  }
}

}  // namespace kulisse::apiserver
