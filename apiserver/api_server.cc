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
      handler_({resources_, authenticator_, authorizer_, tokens_, metrics_, [this] {
                  return fmt::format("{}:{}", options_.advertise_address, options_.advertise_port);
                }}) {
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

void ApiServer::StartInProcess() {
  service_allocator_.Restore();
  CreateBootstrapObjects(resources_, {options_.advertise_address, options_.advertise_port,
                                      options_.services.cluster_ip_ranges});
}

std::expected<void, std::string> ApiServer::Listen(const net::ServerOptions& options) {
  auto server = net::Server::Start(options, handler_,
                                   {[this] { return store_.durable(); },
                                    [this](storage::Revision revision, Callback callback) {
                                      store_.WhenDurable(revision, std::move(callback));
                                    }},
                                   runtime_);
  if (!server) return std::unexpected(server.error());
  server_ = std::move(*server);
  options_.advertise_port = server_->port();
  StartInProcess();
  return {};
}

void ApiServer::Stop() {
  handler_.SetReady(false);
  if (server_ != nullptr) server_->Stop();
  server_ = nullptr;
}

}  // namespace kulisse::apiserver
