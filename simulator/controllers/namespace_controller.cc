#include "simulator/controllers/namespace_controller.h"

#include <algorithm>

#include "apiserver/registry/selectable_fields.h"
#include "base/limits.h"
#include "base/log.h"
#include "simulator/limits.h"

namespace kulisse::simulator {

NamespaceController::NamespaceController(Client& client, Runtime& runtime)
    : client_(client),
      runtime_(runtime),
      namespaces_(client.Resource("", "v1", "namespaces")),
      informer_(client.store(), namespaces_, runtime,
                {[this](const storage::Key& key, const storage::RecordPtr& record) {
                  if (record != nullptr && record->deleting()) Reconcile(key.name);
                }}) {}

void NamespaceController::Reconcile(const std::string& name, Duration delay) {
  const storage::RecordPtr record = client_.Get(namespaces_, {"", name});
  if (record == nullptr || !record->deleting()) return;
  if (DeleteContent(name) > 0 || !Finalize(name)) Retry(name, delay);
}

uint64_t NamespaceController::DeleteContent(const std::string& name) {
  std::vector<const openapi::ResourceInfo*> resources;
  for (const openapi::ResourceInfo& resource : client_.catalog().resources()) {
    if (resource.namespaced && resource.storage == &resource &&
        resource.Has(openapi::Verb::kDelete)) {
      resources.push_back(&resource);
    }
  }
  std::ranges::stable_partition(
      resources, [](const auto* resource) { return resource->storage_name == "pods"; });
  uint64_t left = 0;
  for (const openapi::ResourceInfo* resource : resources) {
    const storage::SnapshotPtr snapshot = client_.store().Latest();
    const auto cursor = snapshot->Scan(resource->storage_name, name, "");
    while (const storage::RecordPtr record = cursor->Next()) {
      const std::string object(apiserver::SplitKey(*resource, cursor->key()).name);
      const auto deleted = client_.DeleteGracefully(*resource, {name, object});
      if (!deleted || !*deleted) ++left;
    }
    // As upstream: nothing else goes while pods are there.
    if (resource->storage_name == "pods" && left > 0) break;
  }
  return left;
}

bool NamespaceController::Finalize(const std::string& name) {
  const auto result = client_.Update(namespaces_, {"", name}, "finalize",
                                     [](json::Document& object) -> Result<void> {
                                       if (json::Value* spec = object.root.Find("spec"))
                                         spec->Remove("finalizers");
                                       return {};
                                     });
  if (result || result.error().IsNotFound()) return true;
  log::Warning("namespaces", "cannot finalize",
               {{"namespace", name}, {"error", result.error().message}});
  return false;
}

void NamespaceController::Retry(const std::string& name, Duration delay) {
  const Duration next = std::min<Duration>(2 * delay, kNamespaceRetryDelayMax);
  runtime_.ScheduleAfter(delay, [weak = std::weak_ptr(self_), name, next] {
    if (const auto self = weak.lock()) (*self)->Reconcile(name, next);
  });
}

}  // namespace kulisse::simulator
