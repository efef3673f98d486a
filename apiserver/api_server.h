// ApiServer is the whole API of a cluster over a store: registry, bootstrap objects, handlers and,
// when it is told to listen, the HTTP server.
//
// Owns: all of these. Borrows: store and runtime, which must outlive it.
// Threads: Create(), Listen() and Stop() from one thread. handler() and resources() from any.
// Errors: in words, for a person who starts it.
#pragma once

#include <expected>
#include <memory>
#include <string>

#include "apiserver/admission/plugins.h"
#include "apiserver/authn/authenticator.h"
#include "apiserver/authz/authorizer.h"
#include "apiserver/handlers/api_handler.h"
#include "apiserver/identity_lease.h"
#include "apiserver/net/server.h"
#include "apiserver/registry/resource_store.h"
#include "apiserver/registry/service/service_allocator.h"
#include "apiserver/service_account/service_account_tokens.h"
#include "base/metrics.h"
#include "storage/store.h"

namespace kulisse::apiserver {

struct ApiServerOptions {
  TokenFile tokens;
  // Where clients reach it, for the kubernetes service; the port is replaced by Listen().
  std::string advertise_address = "127.0.0.1";
  uint16_t advertise_port = 6443;
  ServiceNetwork services;
  // Signs tokens of service accounts; without it, one that lasts as long as the process.
  std::optional<certs::PrivateKey> service_account_key = {};
  // REQUIRES: CheckPluginNames().
  AdmissionOptions admission = {};
  Cors cors = {};
  // The certificate that signs clients', in PEM, for servers that extend this one; "": none.
  std::string client_ca = {};
  // What pods and nodes use, or null; it must outlive the server.
  UsageSource* usage = nullptr;
};

// Gives what comes over a port without authentication to the server's own handler.
class UnsecuredHandler final : public HttpHandler {
 public:
  explicit UnsecuredHandler(HttpHandler& handler) : handler_(handler) {}
  HttpResponse Handle(HttpRequest request) override {
    request.unsecured = true;
    return handler_.Handle(std::move(request));
  }

 private:
  HttpHandler& handler_;
};

class ApiServer {
 public:
  ApiServer(ApiServerOptions options, storage::Store& store, Runtime& runtime);
  ~ApiServer();

  // Listens and makes the bootstrap objects.
  std::expected<void, std::string> Listen(const net::ServerOptions& options);
  // Listens on a second port, where whoever comes may do everything. After Listen().
  std::expected<void, std::string> ListenUnsecured(const net::ServerOptions& options);
  // Makes the bootstrap objects of a cluster that nobody reaches by HTTP.
  void StartInProcess();
  // /readyz passes from now on: what else the caller starts and writes is there.
  void SetReady() { handler_.SetReady(true); }
  void Stop();

  [[nodiscard]] uint16_t port() const { return options_.advertise_port; }
  // REQUIRES: ListenUnsecured() went well.
  [[nodiscard]] uint16_t unsecured_port() const { return unsecured_server_->port(); }
  [[nodiscard]] ResourceStore& resources() { return resources_; }
  [[nodiscard]] HttpHandler& handler() { return handler_; }
  [[nodiscard]] Metrics& metrics() { return metrics_; }

 private:
  void AddMetrics();
  [[nodiscard]] std::string Address() const;
  std::expected<std::unique_ptr<net::Server>, std::string> StartServer(
      const net::ServerOptions& options, HttpHandler& handler);

  ApiServerOptions options_;
  storage::Store& store_;
  Runtime& runtime_;
  Metrics metrics_;
  ResourceStore resources_;
  ServiceAllocator service_allocator_;
  AdmissionCache admission_cache_;
  AdmissionChain admission_;
  ServiceAccountTokens tokens_;
  Authenticator authenticator_;
  BootstrapAuthorizer authorizer_;
  ApiHandler handler_;
  UnsecuredHandler unsecured_handler_;
  std::unique_ptr<IdentityLease> identity_;  // while it listens
  std::unique_ptr<net::Server> server_;
  std::unique_ptr<net::Server> unsecured_server_;
};

}  // namespace kulisse::apiserver
