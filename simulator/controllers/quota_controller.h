// QuotaController counts what the namespaces with resource quotas use, and writes it into the
// quotas' status: at once for a new or changed quota, which admits nothing before, and from time to
// time for what was deleted or ended. It is kube-controller-manager's resourcequota controller.
//
// Borrows: client and runtime, which must outlive it.
// Threads: the runtime's loop; construction and destruction while it does not run, or on it.
// Errors: a quota that was charged meanwhile is counted again later; others are logged.
// Limits: every kQuotaRecountPeriod, when anything was written since.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <utility>

#include "apiserver/admission/resource_list.h"
#include "simulator/client/client.h"
#include "simulator/client/informer.h"

namespace kulisse::simulator {

class QuotaController {
 public:
  QuotaController(Client& client, Runtime& runtime);
  QuotaController(const QuotaController&) = delete;
  QuotaController& operator=(const QuotaController&) = delete;

  // Has the loop begin, with the quotas there are.
  void Start() { informer_.Start(); }

 private:
  void QuotaChanged(const storage::Key& key, const storage::RecordPtr& record);
  void Reconcile(const apiserver::ObjectName& name);
  // What objects in the namespace use of the quota.
  [[nodiscard]] apiserver::ResourceList Count(const std::string& ns, const json::Value& quota,
                                              const apiserver::ResourceList& hard) const;
  void RecountLater();
  void RecountAll();

  Client& client_;
  Runtime& runtime_;
  const openapi::ResourceInfo& quotas_;
  std::set<std::pair<std::string, std::string>> known_;  // namespace and name
  storage::Revision counted_;                            // nothing was written since
  bool waiting_ = false;                                 // for the next recount
  Informer informer_;
  std::shared_ptr<QuotaController*> self_ = std::make_shared<QuotaController*>(this);
};

}  // namespace kulisse::simulator
