#include "apiserver/identity_lease.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <utility>

#include "apiserver/registry/object_meta.h"
#include "base/assert.h"
#include "base/json/parse.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/text.h"
#include "certs/digest.h"

namespace kulisse::apiserver {

namespace {

constexpr std::string_view kComponent = "kube-apiserver";

std::string HostName() {
  std::array<char, HOST_NAME_MAX + 1> name = {};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "localhost";
  return name.data();
}

const openapi::ResourceInfo& LeaseResource(const openapi::Catalog& catalog) {
  const auto* resource = catalog.Find("coordination.k8s.io", "v1", "leases");
  KULISSE_ASSERT(resource != nullptr);
  return *resource;
}

// RFC 4648, without padding, in lower case.
std::string Base32(std::string_view bytes) {
  constexpr std::string_view kDigits = "abcdefghijklmnopqrstuvwxyz234567";
  std::string out;
  uint32_t window = 0;
  int bits = 0;
  for (const char c : bytes) {
    window = window << 8 | static_cast<unsigned char>(c);
    for (bits += 8; bits >= 5; bits -= 5) out += kDigits[window >> (bits - 5) & 31];
  }
  if (bits > 0) out += kDigits[window << (5 - bits) & 31];
  return out;
}

}  // namespace

std::string IdentityLease::NameOn(std::string_view host) {
  // Upstream hashes both texts, each after its length in two bytes.
  std::string hashed;
  for (const std::string_view text : {host, kComponent}) {
    hashed += static_cast<char>(text.size() >> 8);
    hashed += static_cast<char>(text.size());
    hashed += text;
  }
  constexpr size_t kHashBytes = 16;
  return "apiserver-" + Base32(certs::Sha256(hashed).substr(0, kHashBytes));
}

IdentityLease::IdentityLease(ResourceStore& store, Runtime& runtime, std::string address)
    : store_(store),
      runtime_(runtime),
      leases_(LeaseResource(store.catalog())),
      host_(HostName()),
      address_(std::move(address)),
      name_{"kube-system", NameOn(host_)},
      context_(RequestContext::Internal(kComponent)) {
  Delete();
  Renew();
}

IdentityLease::~IdentityLease() {
  if (timer_ != 0) runtime_.Cancel(timer_);
  Delete();
}

void IdentityLease::Delete() {
  const auto deleted = store_.Delete(context_, leases_, name_, {});
  if (deleted || deleted.error().IsNotFound()) return;
  log::Warning("apiserver", "cannot remove the lease of this server",
               {{"error", deleted.error().message}});
}

Result<WriteResult> IdentityLease::Create() {
  auto lease = json::Parse(fmt::format(
      R"({{"metadata":{{"name":"{}","namespace":"{}",)"
      R"("labels":{{"apiserver.kubernetes.io/identity":"{}","kubernetes.io/hostname":{}}},)"
      R"("annotations":{{"kubernetes.io/peer-advertise-address":{}}}}},)"
      R"("spec":{{"holderIdentity":"{}_{}","leaseDurationSeconds":{},"renewTime":"{}"}}}})",
      name_.name, name_.ns, kComponent, GoQuote(host_), GoQuote(address_), name_.name,
      NewUuid(runtime_), std::chrono::seconds(kIdentityLeaseDuration).count(),
      FormatMicroTime(runtime_.Now())));
  KULISSE_ASSERT(lease.has_value());
  return store_.Create(context_, leases_, name_.ns, std::move(*lease));
}

void IdentityLease::Renew() {
  auto renewed =
      store_.Update(context_, leases_, name_, "", [&](json::Document& lease) -> Result<void> {
        lease.root.SetDefaultObject("spec", lease.arena)
            .Set("renewTime", json::Value::String(FormatMicroTime(runtime_.Now()), lease.arena),
                 lease.arena);
        return {};
      });
  if (!renewed && renewed.error().IsNotFound()) renewed = Create();
  if (!renewed) {
    log::Warning("apiserver", "cannot renew the lease of this server",
                 {{"error", renewed.error().message}});
  }
  RenewLater();
}

void IdentityLease::RenewLater() {
  timer_ = runtime_.ScheduleAfter(kIdentityLeaseRenewPeriod, [weak = std::weak_ptr(self_)] {
    if (const auto self = weak.lock()) (*self)->Renew();
  });
}

}  // namespace kulisse::apiserver
