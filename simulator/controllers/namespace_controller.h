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

#include "base/limits.h"
#include "base/runtime.h"
#include "simulator/client/client.h"
#include "simulator/client/informer.h"

namespace kulisse::simulator {

class NamespaceController {
 public:
  NamespaceController(Client& client, Runtime& runtime);
  NamespaceController(const NamespaceController&) = delete;
  NamespaceController& operator=(const NamespaceController&) = delete;

  // Has the loop begin, with the namespaces there are.
  void Start() { informer_.Start(); }

 private:
  // `delay`: until the next try, should one be needed.
  void Reconcile(const std::string& name, Duration delay = kNamespaceRetryDelay);
  // Deletes what is in the namespace; returns how many objects are left.
  uint64_t DeleteContent(const std::string& name);
  // Whether it needs no further try.
  bool Finalize(const std::string& name);
  void Retry(const std::string& name, Duration delay);

  Client& client_;
  Runtime& runtime_;
  const openapi::ResourceInfo& namespaces_;
  Informer informer_;
  std::shared_ptr<NamespaceController*> self_ = std::make_shared<NamespaceController*>(this);
};

}  // namespace kulisse::simulator
