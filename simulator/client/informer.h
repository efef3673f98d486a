// Informer tells of the objects of one resource: of all that are there, then of every change, in
// order. A controller looks at the world when it is told, never at the event alone.
//
// Borrows: store and runtime, which must outlive it.
// Threads: the runtime's loop; construction and destruction while it does not run, or on it.
// Errors: none. When changes came faster than they were read it lists anew; what was deleted
//   meanwhile is then not told one by one, but Handlers::listed is called again.
#pragma once

#include <functional>
#include <memory>

#include "base/runtime.h"
#include "openapi/catalog.h"
#include "storage/store.h"

namespace kulisse::simulator {

class Informer {
 public:
  struct Handlers {
    // `record` is null when the object is gone.
    std::function<void(const storage::Key& key, const storage::RecordPtr& record)> changed;
    // All that was there has been told. May be empty.
    std::function<void()> listed = {};
  };

  Informer(storage::Store& store, const openapi::ResourceInfo& resource, Runtime& runtime,
           Handlers handlers);
  Informer(const Informer&) = delete;
  Informer& operator=(const Informer&) = delete;

  // Has the loop begin.
  void Start();

 private:
  void List();
  void ReadEvents();
  // A callback for the loop that does nothing once this object is gone.
  Callback Guarded(void (Informer::*work)()) const;

  storage::Store& store_;
  const openapi::ResourceInfo& resource_;
  Runtime& runtime_;
  const Handlers handlers_;
  std::shared_ptr<Informer*> self_ = std::make_shared<Informer*>(this);
  std::unique_ptr<storage::Watcher> watcher_;
};

}  // namespace kulisse::simulator
