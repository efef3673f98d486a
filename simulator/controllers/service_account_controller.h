// ServiceAccountController gives every namespace what pods in it need: the service account
// "default" and, when there is a certificate authority, the config map "kube-root-ca.crt" with its
// certificate; both come back when somebody deletes or changes them. It is what
// kube-controller-manager's serviceaccount and root-ca-certificate-publisher controllers do.
//
// Borrows: client and runtime, which must outlive it.
// Threads: the runtime's loop; construction and destruction while it does not run, or on it.
// Errors: logged; the namespace is tried again a second later.
#pragma once

#include <memory>
#include <string>

#include "simulator/client/client.h"
#include "simulator/client/informer.h"

namespace kulisse::simulator {

class ServiceAccountController {
 public:
  // `root_ca`: the certificate in PEM; "" publishes none.
  ServiceAccountController(Client& client, Runtime& runtime, std::string root_ca);

  ServiceAccountController(const ServiceAccountController&) = delete;
  ServiceAccountController& operator=(const ServiceAccountController&) = delete;

  // Has the loop begin, with the namespaces there are.
  void Start();

 private:
  void NamespaceChanged(const std::string& name, const storage::RecordPtr& record);
  void Reconcile(const std::string& ns);
  // Whether there is no need to try again.
  bool EnsureAccount(const std::string& ns);
  bool EnsureRootCa(const std::string& ns);
  [[nodiscard]] Result<void> SetRootCa(json::Document& config_map) const;

  Client& client_;
  Runtime& runtime_;
  const std::string root_ca_;
  const openapi::ResourceInfo& namespaces_;
  const openapi::ResourceInfo& accounts_;
  const openapi::ResourceInfo& config_maps_;
  Informer namespace_informer_;
  Informer account_informer_;
  Informer config_map_informer_;
  std::shared_ptr<ServiceAccountController*> self_ =
      std::make_shared<ServiceAccountController*>(this);
};

}  // namespace kulisse::simulator
