// ApiHandler answers every request of the API server: it is the chain of filters that upstream
// writes inside-out (apiserver/pkg/server/config.go DefaultBuildHandlerChain), here one array from
// top to bottom; the first that answers ends it.
//
// Borrows: what ApiHandlerParts names. Threads: any; called on the I/O loops.
// Errors: encoded statuses. An exception becomes a 500 and is counted
//   (apiserver_request_aborts_total); there should be none.
#pragma once

#include <array>
#include <atomic>
#include <compare>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "apiserver/authn/authenticator.h"
#include "apiserver/authz/authorizer.h"
#include "apiserver/chain/cors.h"
#include "apiserver/discovery/discovery.h"
#include "apiserver/discovery/openapi_documents.h"
#include "apiserver/handlers/resource_handlers.h"
#include "apiserver/http.h"
#include "apiserver/service_account/service_account_tokens.h"
#include "apiserver/usage_source.h"
#include "base/metrics.h"

namespace kulisse::apiserver {

struct ApiHandlerParts {
  ResourceStore& store;
  const Authenticator& authenticator;
  const Authorizer& authorizer;
  ServiceAccountTokens& tokens;
  Metrics& metrics;
  // "host:port" as clients reach the server.
  std::function<std::string()> server_address;
  Cors cors = {};
  // Null: there are no metrics.k8s.io and no pages of kubelets.
  UsageSource* usage = nullptr;
};

class ApiHandler final : public HttpHandler {
 public:
  explicit ApiHandler(const ApiHandlerParts& parts);

  HttpResponse Handle(HttpRequest request) override;

  // /readyz passes only between SetReady(true) and SetReady(false).
  void SetReady(bool ready) { ready_.store(ready); }

 private:
  using Answer = std::optional<HttpResponse>;
  struct Filter {
    std::string_view name;
    Answer (ApiHandler::*run)(RequestState& state);
  };
  static const std::array<Filter, 6> kChain;

  Answer AnswerPreflight(RequestState& state);
  Answer Authenticate(RequestState& state);
  Answer Authorize(RequestState& state);
  Answer ServeNonResource(RequestState& state);
  Answer ServeResource(RequestState& state);
  Answer RefuseUnknown(RequestState& state);

  HttpResponse RunChain(RequestState& state);
  HttpResponse ServeKnownResource(RequestState& state);
  HttpResponse ErrorResponse(const RequestState& state, const Status& status) const;
  // A document of discovery, of that kind of meta v1.
  HttpResponse DocumentResponse(const RequestState& state, std::string_view kind,
                                std::string body) const;
  HttpResponse ServeHealth(const RequestState& state) const;
  Answer ServeDiscovery(const RequestState& state);
  Answer ServeAggregatedDiscovery(const RequestState& state);
  // What clients of other servers need to check tokens of service accounts.
  Answer ServeIssuer(const RequestState& state) const;
  Answer ServeOpenApi(const RequestState& state);
  void Finish(const RequestState& state, HttpResponse* response);
  // Where requests of one kind are counted; found once, used for each.
  struct RequestSeries {
    Metrics::Counter* requests;
    Metrics::Histogram* seconds;
  };
  struct SeriesKey {
    const openapi::ResourceInfo* resource;
    const openapi::SubresourceInfo* subresource;
    std::string verb;
    std::string_view scope;  // a literal
    int code;
    auto operator<=>(const SeriesKey&) const = default;
  };
  RequestSeries SeriesOf(const RequestState& state, int code);
  void Count(const RequestState& state, int code, double seconds);

  ApiHandlerParts parts_;
  ResourceHandlers resources_;
  std::vector<const openapi::ResourceInfo*> discovery_rows_;
  OpenApiDocuments openapi_;
  const std::string started_;  // as HTTP writes it
  std::atomic<bool> ready_{false};
  std::mutex series_mutex_;
  std::map<SeriesKey, RequestSeries> series_;
  std::once_flag aggregated_once_;
  AggregatedDiscovery aggregated_api_;
  AggregatedDiscovery aggregated_apis_;
};

}  // namespace kulisse::apiserver
