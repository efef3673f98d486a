#include "simulator/client/informer.h"

#include <string>
#include <utility>

#include "apiserver/registry/selectable_fields.h"
#include "base/assert.h"

namespace kulisse::simulator {

Informer::Informer(storage::Store& store, const openapi::ResourceInfo& resource, Runtime& runtime,
                   Handlers handlers)
    : store_(store), resource_(resource), runtime_(runtime), handlers_(std::move(handlers)) {}

Callback Informer::Guarded(void (Informer::*work)()) const {
  return [weak = std::weak_ptr(self_), work] {
    if (const auto self = weak.lock()) ((*self)->*work)();
  };
}

void Informer::Start() { runtime_.Post(Guarded(&Informer::List)); }

void Informer::List() {
  const storage::SnapshotPtr snapshot = store_.Latest();
  const auto cursor = snapshot->Scan(resource_.storage_name, "", "");
  while (const storage::RecordPtr record = cursor->Next()) {
    const auto name = apiserver::SplitKey(resource_, cursor->key());
    handlers_.changed({resource_.storage_name, std::string(name.ns), std::string(name.name)},
                      record);
  }
  if (handlers_.listed) handlers_.listed();
  auto watcher = store_.Watch(resource_.storage_name, "", snapshot->revision());
  if (!watcher) {  // it took so long that the history has gone on
    Start();
    return;
  }
  watcher_ = std::move(*watcher);
  watcher_->SetWaker([weak = std::weak_ptr(self_), &runtime = runtime_] {
    runtime.Post([weak] {
      if (const auto self = weak.lock()) (*self)->ReadEvents();
    });
  });
  ReadEvents();
}

void Informer::ReadEvents() {
  while (true) {
    const auto events = watcher_->Read();
    if (!events) {  // fell out of the history: begin anew
      watcher_ = nullptr;
      List();
      return;
    }
    if (events->empty()) return;
    for (const storage::EventPtr& event : *events) {
      const bool gone = event->type == storage::EventType::kDeleted;
      handlers_.changed(event->key, gone ? nullptr : event->object);
    }
  }
}

}  // namespace kulisse::simulator
