#include "simulator/controllers/quota_controller.h"

#include <algorithm>

#include "apiserver/admission/quota_usage.h"
#include "base/limits.h"
#include "base/log.h"

namespace kulisse::simulator {

namespace {

using apiserver::ObjectName;
using apiserver::ResourceList;
using openapi::ResourceInfo;

json::Value ToValue(const ResourceList& list, json::Arena& arena) {
  json::Value value = json::Value::Object();
  for (const auto& [name, amount] : list) {
    value.Set(name, json::Value::String(amount.ToString(), arena), arena);
  }
  return value;
}

}  // namespace

QuotaController::QuotaController(Client& client, Runtime& runtime)
    : client_(client),
      runtime_(runtime),
      quotas_(client.Resource("", "v1", "resourcequotas")),
      informer_(client.store(), quotas_, runtime,
                {[this](const storage::Key& key, const storage::RecordPtr& record) {
                  QuotaChanged(key, record);
                }}) {}

void QuotaController::QuotaChanged(const storage::Key& key, const storage::RecordPtr& record) {
  if (record == nullptr) {
    known_.erase({key.ns, key.name});
    return;
  }
  known_.emplace(key.ns, key.name);
  RecountLater();
  const json::Document quota = apiserver::ResourceStore::Decode(*record);
  const ResourceList wanted = apiserver::ResourceListOf(quota.root.Find({"spec", "hard"}));
  if (wanted != apiserver::ResourceListOf(quota.root.Find({"status", "hard"}))) {
    Reconcile({key.ns, key.name});
  }
}

ResourceList QuotaController::Count(const std::string& ns, const json::Value& quota,
                                    const ResourceList& hard) const {
  ResourceList used;
  for (const auto& [name, amount] : hard) used.emplace(name, openapi::Quantity::FromInt(0));
  const storage::SnapshotPtr snapshot = client_.store().Latest();
  for (const ResourceInfo& resource : client_.catalog().resources()) {
    if (!resource.namespaced || resource.storage != &resource) continue;
    const bool tracked = std::ranges::any_of(
        hard, [&](const auto& entry) { return apiserver::QuotaTracks(resource, entry.first); });
    if (!tracked) continue;
    const auto cursor = snapshot->Scan(resource.storage_name, ns, "");
    while (const storage::RecordPtr record = cursor->Next()) {
      const json::Document object = apiserver::ResourceStore::Decode(*record);
      if (!apiserver::QuotaScopesMatch(quota, resource, object.root)) continue;
      for (const auto& [name, amount] : apiserver::UsageOf(resource, object.root, runtime_.Now())) {
        if (const auto it = used.find(name); it != used.end()) it->second += amount;
      }
    }
  }
  return used;
}

void QuotaController::Reconcile(const ObjectName& name) {
  const storage::RecordPtr record = client_.Get(quotas_, name);
  if (record == nullptr || record->deleting()) return;
  const json::Document quota = apiserver::ResourceStore::Decode(*record);
  const ResourceList hard = apiserver::ResourceListOf(quota.root.Find({"spec", "hard"}));
  const ResourceList used = Count(name.ns, quota.root, hard);
  if (used == apiserver::ResourceListOf(quota.root.Find({"status", "used"})) &&
      hard == apiserver::ResourceListOf(quota.root.Find({"status", "hard"}))) {
    return;
  }
  const std::string revision = std::to_string(record->revision().value);
  const auto written =
      client_.Update(quotas_, name, "status", [&](json::Document& object) -> Result<void> {
        json::Arena& arena = object.arena;
        // Refused when it was charged after it was read.
        object.root.SetDefaultObject("metadata", arena)
            .Set("resourceVersion", json::Value::String(revision, arena), arena);
        json::Value& status = object.root.SetDefaultObject("status", arena);
        status.Set("hard", ToValue(hard, arena), arena);
        status.Set("used", ToValue(used, arena), arena);
        return {};
      });
  if (written || written.error().IsNotFound()) return;
  if (written.error().IsConflict()) {
    counted_ = {};  // count again
    return;
  }
  log::Warning("quotas", "cannot write what is used",
               {{"namespace", name.ns}, {"quota", name.name}, {"error", written.error().message}});
}

void QuotaController::RecountLater() {
  if (waiting_) return;
  waiting_ = true;
  runtime_.ScheduleAfter(kQuotaRecountPeriod, [weak = std::weak_ptr(self_)] {
    if (const auto self = weak.lock()) (*self)->RecountAll();
  });
}

void QuotaController::RecountAll() {
  waiting_ = false;
  if (known_.empty()) return;
  const storage::Revision head = client_.store().head();
  if (head != counted_) {
    counted_ = head;
    const auto quotas = known_;
    for (const auto& [ns, name] : quotas) Reconcile({ns, name});
  }
  RecountLater();
}

}  // namespace kulisse::simulator
