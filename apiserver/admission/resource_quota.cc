// ResourceQuota: what is written in a namespace is charged to its quotas, and refused when one
// would be exceeded. Upstream: apiserver/pkg/admission/plugin/resourcequota.
//
// A charge is a write of the quota's status, before the object's own; it is taken back when that
// fails. Of racing writers each sees the charge of the one before. What goes is not given back
// here: recounting is a controller's work.
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "apiserver/admission/plugins.h"
#include "apiserver/admission/quota_usage.h"
#include "apiserver/registry/resource_store.h"
#include "base/assert.h"

namespace kulisse::apiserver {

namespace {

using Kind = AdmissionCache::Kind;
using openapi::Quantity;

std::string ToText(const ResourceList& list) {
  std::string text;
  for (const auto& [name, amount] : list) {
    text += fmt::format("{}{}={}", text.empty() ? "" : ",", name, amount.ToString());
  }
  return text;
}

ResourceList Mask(const ResourceList& list, const ResourceList& names) {
  ResourceList masked;
  for (const auto& [name, amount] : list) {
    if (names.contains(name)) masked.emplace(name, amount);
  }
  return masked;
}

// What `now` uses more than `before`; nothing for what it uses less.
ResourceList Increase(ResourceList now, const ResourceList& before) {
  for (const auto& [name, amount] : before) {
    const auto it = now.find(name);
    if (it != now.end()) it->second -= amount;
  }
  std::erase_if(now, [](const auto& entry) { return entry.second.Sign() <= 0; });
  return now;
}

class ResourceQuota final : public AdmissionPlugin {
 public:
  explicit ResourceQuota(const AdmissionParts& parts)
      : cache_(parts.cache),
        store_(parts.resources),
        runtime_(parts.runtime),
        quotas_(parts.resources.catalog().Find("", "v1", "resourcequotas")) {
    KULISSE_ASSERT(quotas_ != nullptr);
  }

  [[nodiscard]] AdmissionInterest Interest() const override { return {kOnCreate | kOnUpdate, {}}; }

  // Times weigh nothing.
  [[nodiscard]] bool IgnoresRenewals(const openapi::ResourceInfo& /*resource*/) const override {
    return true;
  }

  Result<void> Validate(const AdmissionAttributes& attributes) const override {
    if (attributes.ns.empty()) return {};
    const std::vector<CachedObjectPtr> quotas = cache_.List(Kind::kResourceQuotas, attributes.ns);
    if (quotas.empty() || !Concerns(attributes)) return {};
    struct Charge {
      CachedObjectPtr quota;
      ResourceList amounts;
    };
    std::vector<Charge> charges;
    for (const CachedObjectPtr& quota : quotas) {
      ResourceList amounts;
      KULISSE_TRY(Weigh(attributes, *quota, &amounts));
      if (!amounts.empty()) charges.push_back({quota, std::move(amounts)});
    }
    if (attributes.context.dry_run) return {};
    for (const Charge& charge : charges) {
      KULISSE_TRY(Take(attributes, charge.quota->name(), charge.amounts));
    }
    return {};
  }

 private:
  // Whether such a write can change what is used.
  static bool Concerns(const AdmissionAttributes& attributes) {
    const bool update = attributes.operation == AdmissionOperation::kUpdate;
    const std::string& kind = attributes.resource.storage_name;
    if (kind == "events") return false;
    if (attributes.subresource == "resize") return kind == "pods" && update;
    if (attributes.subresource == "status") return kind == "persistentvolumeclaims" && update;
    if (!attributes.subresource.empty()) return false;
    if (!update || kind == "services" || kind == "persistentvolumeclaims") return true;
    if (kind != "pods") return false;
    const json::Value* now = attributes.root().Find({"spec", "activeDeadlineSeconds"});
    const json::Value* before = attributes.old->Find({"spec", "activeDeadlineSeconds"});
    return (now == nullptr) != (before == nullptr);
  }

  // What the write takes of the quota, in `amounts`. Refuses what the quota cannot allow.
  Result<void> Weigh(const AdmissionAttributes& attributes, const CachedObject& quota,
                     ResourceList* amounts) const {
    const json::Value& root = quota.root();
    const ResourceList hard = ResourceListOf(root.Find({"status", "hard"}));
    const ResourceList used = ResourceListOf(root.Find({"status", "used"}));
    std::vector<std::string> limited;
    bool known = true;
    for (const auto& [name, amount] : hard) {
      if (!QuotaTracks(attributes.resource, name)) continue;
      limited.push_back(name);
      known &= used.contains(name);
    }
    if (limited.empty()) return {};
    if (!QuotaScopesMatch(root, attributes.resource, attributes.root())) return {};
    const std::string missing = MissingAmounts(attributes.resource, limited, attributes.root());
    if (!missing.empty()) {
      return std::unexpected(AdmissionForbidden(
          attributes, fmt::format("failed quota: {}: {}", quota.name(), missing)));
    }
    if (!known) {
      return std::unexpected(
          AdmissionForbidden(attributes, fmt::format("status unknown for quota: {}, resources: {}",
                                                     quota.name(), fmt::join(limited, ","))));
    }
    const SystemTime now = runtime_.Now();
    ResourceList before;
    if (attributes.old != nullptr && QuotaScopesMatch(root, attributes.resource, *attributes.old)) {
      before = UsageOf(attributes.resource, *attributes.old, now);
    }
    *amounts = Mask(Increase(UsageOf(attributes.resource, attributes.root(), now), before), hard);
    return Check(attributes, quota.name(), *amounts, used, hard);
  }

  static Result<void> Check(const AdmissionAttributes& attributes, std::string_view name,
                            const ResourceList& asked, const ResourceList& used,
                            const ResourceList& hard) {
    if (attributes.subresource == "status") return {};
    ResourceList exceeded;
    for (const auto& [resource, amount] : asked) {
      Quantity total = amount;
      if (const auto it = used.find(resource); it != used.end()) total += it->second;
      if (total > hard.at(resource)) exceeded.emplace(resource, amount);
    }
    if (exceeded.empty()) return {};
    return std::unexpected(AdmissionForbidden(
        attributes,
        fmt::format("exceeded quota: {}, requested: {}, used: {}, limited: {}", name,
                    ToText(exceeded), ToText(Mask(used, exceeded)), ToText(Mask(hard, exceeded)))));
  }

  // Charges the quota as it is now, and says how to take that back.
  Result<void> Take(const AdmissionAttributes& attributes, const std::string& quota,
                    const ResourceList& amounts) const {
    const ObjectName name{std::string(attributes.ns), quota};
    const auto taken = SetUsed(name, [&](const json::Value& current, ResourceList* used) {
      const ResourceList hard = ResourceListOf(current.Find({"status", "hard"}));
      const ResourceList asked = Mask(amounts, hard);
      auto allowed = Check(attributes, quota, asked, *used, hard);
      if (allowed) Add(used, asked);
      return allowed;
    });
    if (!taken) return taken;
    attributes.undo->push_back([this, name, amounts] {
      // A quota that is gone needs nothing back; any other failure is made good by the recount.
      (void)SetUsed(name, [&](const json::Value& /*current*/, ResourceList* used) {
        for (const auto& [resource, amount] : amounts) {
          if (const auto it = used->find(resource); it != used->end()) it->second -= amount;
        }
        return Result<void>();
      });
    });
    return {};
  }

  template <class Change>
  Result<void> SetUsed(const ObjectName& name, const Change& change) const {
    const auto written = store_.Update(
        RequestContext::Internal("kube-apiserver"), *quotas_, name, "status",
        [&](json::Document& object) -> Result<void> {
          ResourceList used = ResourceListOf(object.root.Find({"status", "used"}));
          KULISSE_TRY(change(object.root, &used));
          json::Value& list = object.root.SetDefaultObject("status", object.arena)
                                  .SetDefaultObject("used", object.arena);
          for (const auto& [resource, amount] : used) {
            list.Set(resource, json::Value::String(amount.ToString(), object.arena), object.arena);
          }
          return {};
        });
    if (!written && !written.error().IsNotFound()) return std::unexpected(written.error());
    return {};
  }

  const AdmissionCache& cache_;
  ResourceStore& store_;
  Runtime& runtime_;
  const openapi::ResourceInfo* quotas_;
};

}  // namespace

std::unique_ptr<AdmissionPlugin> MakeResourceQuota(const AdmissionOptions& /*options*/,
                                                   const AdmissionParts& parts) {
  return std::make_unique<ResourceQuota>(parts);
}

}  // namespace kulisse::apiserver
