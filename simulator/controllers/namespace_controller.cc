#include "simulator/controllers/namespace_controller.h"

#include <algorithm>

#include "apiserver/registry/selectable_fields.h"
#include "base/assert.h"
#include "base/limits.h"
#include "base/log.h"

namespace kulisse::simulator {

namespace {

const openapi::ResourceInfo& Namespaces(const Client& client) {
  const openapi::ResourceInfo* resource = client.catalog().Find("", "v1", "namespaces");
  KULISSE_ASSERT(resource != nullptr);
  return *resource;
}

}  // namespace

NamespaceController::NamespaceController(Client& client, Runtime& runtime)
    : client_(client), runtime_(runtime), namespaces_(Namespaces(client)) {}

Callback NamespaceController::Guarded(std::function<void(NamespaceController&)> work) const {
  return [weak = std::weak_ptr(self_), work = std::move(work)] {
    if (const auto self = weak.lock()) work(**self);
  };
}

void NamespaceController::Start() {
  runtime_.Post(Guarded([](NamespaceController& self) { self.Begin(); }));
}

void NamespaceController::Begin() {
  const storage::SnapshotPtr snapshot = client_.store().Latest();
  const auto cursor = snapshot->Scan(namespaces_.storage_name, "", "");
  while (const storage::RecordPtr record = cursor->Next()) {
    if (!record->deleting()) continue;
    Reconcile(std::string(apiserver::SplitKey(namespaces_, cursor->key()).name));
  }
  auto watcher = client_.store().Watch(namespaces_.storage_name, "", snapshot->revision());
  KULISSE_ASSERT(watcher.has_value());  // from the latest revision
  watcher_ = std::move(*watcher);
  watcher_->SetWaker([weak = std::weak_ptr(self_), &runtime = runtime_] {
    runtime.Post([weak] {
      if (const auto self = weak.lock()) (*self)->ReadEvents();
    });
  });
  ReadEvents();
}

void NamespaceController::ReadEvents() {
  while (true) {
    const auto events = watcher_->Read();
    if (!events) {  // fell out of the history: begin anew
      watcher_ = nullptr;
      Begin();
      return;
    }
    if (events->empty()) return;
    for (const storage::EventPtr& event : *events) {
      if (event->type != storage::EventType::kDeleted && event->object->deleting()) {
        Reconcile(event->key.name);
      }
    }
  }
}

void NamespaceController::Reconcile(const std::string& name) {
  const storage::RecordPtr record = client_.Get(namespaces_, {"", name});
  if (record == nullptr || !record->deleting()) return;
  if (DeleteContent(name) > 0) {
    Retry(name);
  } else {
    Finalize(name);
  }
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

void NamespaceController::Finalize(const std::string& name) {
  const auto result = client_.Update(namespaces_, {"", name}, "finalize",
                                     [](json::Document& object) -> Result<void> {
                                       if (json::Value* spec = object.root.Find("spec"))
                                         spec->Remove("finalizers");
                                       return {};
                                     });
  if (!result && !result.error().IsNotFound()) {
    log::Warning("namespaces", "cannot finalize",
                 {{"namespace", name}, {"error", result.error().message}});
    Retry(name);
  }
}

void NamespaceController::Retry(const std::string& name) {
  runtime_.ScheduleAfter(kNamespaceRetryDelay,
                         Guarded([name](NamespaceController& self) { self.Reconcile(name); }));
}

}  // namespace kulisse::simulator
