// NamespaceController empties namespaces that are being deleted and lets them go, as
// kube-controller-manager's does: pods first, then everything else, then spec.finalizers.
// What finalizers or grace still hold is tried again with every change in the namespace's objects.
//
// Borrows: client and runtime, which must outlive it.
// Threads: the runtime's loop; construction and destruction while it does not run, or on it.
// Errors: logged; the namespace is tried again after kNamespaceRetryDelay.
#pragma once

#include <memory>
#include <string>

#include "base/runtime.h"
#include "simulator/client/client.h"

namespace kulisse::simulator {

class NamespaceController : public std::enable_shared_from_this<NamespaceController> {
 public:
  static std::shared_ptr<NamespaceController> Create(Client& client, Runtime& runtime);

  // Begins with the namespaces there are. On the loop.
  void Start();
  // No callback runs afterwards. On the loop, or when it has ended.
  void Stop();

 private:
  NamespaceController(Client& client, Runtime& runtime);
  void ReadEvents();
  void Reconcile(const std::string& name);
  // Deletes what is in the namespace; returns how many objects are left.
  uint64_t DeleteContent(const std::string& name);
  void Finalize(const std::string& name);
  void Retry(const std::string& name);

  Client& client_;
  Runtime& runtime_;
  const openapi::ResourceInfo& namespaces_;
  std::unique_ptr<storage::Watcher> watcher_;
  bool stopped_ = false;
};

}  // namespace kulisse::simulator
