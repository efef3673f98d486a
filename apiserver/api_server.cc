#include "apiserver/api_server.h"

#include <fmt/format.h>

#include "apiserver/registry/bootstrap.h"
#include "base/log.h"

namespace kulisse::apiserver {

ApiServer::ApiServer(ApiServerOptions options, storage::Store& store, Runtime& runtime)
    : options_(std::move(options)),
      store_(store),
      runtime_(runtime),
      resources_(store, openapi::Catalog::BuiltIn(), openapi::TypeTable::BuiltIn(), runtime),
      service_allocator_(resources_, options_.services),
      admission_cache_(store, resources_.catalog()),
      admission_(resources_.catalog(), admission_cache_),
      tokens_(resources_, options_.service_account_key ? *options_.service_account_key
                                                       : certs::PrivateKey::Generate()),
      authenticator_(options_.tokens, &tokens_),
      handler_({resources_, authenticator_, authorizer_, tokens_, metrics_,
                [this] { return Address(); }, options_.cors, options_.usage}),
      unsecured_handler_(handler_) {
  resources_.SetServiceAllocator(service_allocator_);
  AppendPlugins(options_.admission, {admission_cache_, resources_, runtime_, authorizer_},
                &admission_);
  resources_.UseAdmission(admission_);
  AddMetrics();
}

ApiServer::~ApiServer() { Stop(); }

void ApiServer::AddMetrics() {
  AddProcessMetrics(metrics_);
  metrics_.Gauge("apiserver_resource_objects", "Stored objects by resource.", [this] {
    Metrics::Series series;
    for (const openapi::ResourceInfo& resource : resources_.catalog().resources()) {
      if (resource.storage != &resource) continue;
      const uint64_t count = store_.Count(resource.storage_name);
      if (count == 0) continue;
      series.emplace_back(
          fmt::format(R"(group="{}",resource="{}")", resource.group, resource.resource),
          static_cast<double>(count));
    }
    return series;
  });
  metrics_.Gauge("kulisse_store_revision", "The newest commit.", [this] {
    return Metrics::Series{{"", static_cast<double>(store_.head().value)}};
  });
}

std::string ApiServer::Address() const {
  return fmt::format("{}:{}", options_.advertise_address, options_.advertise_port);
}

void ApiServer::StartInProcess() {
  service_allocator_.Restore();
  CreateBootstrapObjects(resources_, {options_.advertise_address, options_.advertise_port,
                                      options_.services.cluster_ip_ranges, options_.client_ca});
}

std::expected<std::unique_ptr<net::Server>, std::string> ApiServer::StartServer(
    const net::ServerOptions& options, HttpHandler& handler) {
  return net::Server::Start(options, handler,
                            {[this] { return store_.durable(); },
                             [this](storage::Revision revision, Callback callback) {
                               store_.WhenDurable(revision, std::move(callback));
                             }},
                            runtime_);
}

std::expected<void, std::string> ApiServer::ListenUnsecured(const net::ServerOptions& options) {
  auto server = StartServer(options, unsecured_handler_);
  if (!server) return std::unexpected(server.error());
  unsecured_server_ = std::move(*server);
  log::Warning("apiserver", "whoever reaches this port may do everything, without a credential",
               {{"address", options.address}, {"port", unsecured_server_->port()}});
  return {};
}

std::expected<void, std::string> ApiServer::Listen(const net::ServerOptions& options) {
  auto server = StartServer(options, handler_);
  if (!server) return std::unexpected(server.error());
  server_ = std::move(*server);
  options_.advertise_port = server_->port();
  StartInProcess();
  identity_ = std::make_unique<IdentityLease>(resources_, runtime_, Address());
  return {};
}

void ApiServer::Stop() {
  handler_.SetReady(false);
  identity_ = nullptr;
  for (auto* server : {&unsecured_server_, &server_}) {
    if (*server != nullptr) (*server)->Stop();
    *server = nullptr;
  }
}

}  // namespace kulisse::apiserver
