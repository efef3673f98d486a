// What is served besides resources: health, version, discovery, OpenAPI documents, metrics.
#include <fmt/format.h>

#include <algorithm>

#include "apiserver/handlers/api_handler.h"
#include "apiserver/handlers/encoder.h"
#include "apiserver/handlers/usage.h"
#include "base/json/write.h"
#include "base/text.h"

namespace kulisse::apiserver {

namespace {

constexpr std::string_view kTextPlain = "text/plain; charset=utf-8";

constexpr std::string_view kMetaTypes = "io.k8s.apimachinery.pkg.apis.meta.v1.";
constexpr std::string_view kAggregatedType = "io.k8s.api.apidiscovery.v2.APIGroupDiscoveryList";

// Paths of / besides those of the API groups.
constexpr std::string_view kOtherPaths[] = {"/healthz",
                                            "/healthz/etcd",
                                            "/healthz/log",
                                            "/healthz/ping",
                                            "/livez",
                                            "/livez/etcd",
                                            "/livez/log",
                                            "/livez/ping",
                                            "/metrics",
                                            "/openapi/v2",
                                            "/openapi/v3",
                                            "/openapi/v3/",
                                            "/readyz",
                                            "/readyz/etcd",
                                            "/readyz/etcd-readiness",
                                            "/readyz/informer-sync",
                                            "/readyz/log",
                                            "/readyz/ping",
                                            "/readyz/shutdown",
                                            "/version"};

HttpResponse Text(int code, std::string body) {
  HttpResponse response;
  response.status = code;
  response.headers = {{"Content-Type", std::string(kTextPlain)},
                      {"X-Content-Type-Options", "nosniff"}};
  response.body = std::move(body);
  return response;
}

struct HealthCheck {
  std::string_view name;
  bool ok;
};

}  // namespace

HttpResponse ApiHandler::DocumentResponse(const RequestState& state, std::string_view kind,
                                          std::string body) const {
  const auto form = NegotiateDocument(state.request, state.info.query);
  if (!form) return ErrorResponse(state, form.error());
  const openapi::TypeTable& types = parts_.store.types();
  HttpResponse response;
  response.headers.emplace_back("Content-Type", form->content_type());
  if (body.ends_with('\n')) body.pop_back();
  response.body = EncodeJson(body, types.Find(fmt::format("{}{}", kMetaTypes, kind)), *form, types);
  response.compressible = true;
  return response;
}

HttpResponse ApiHandler::ServeHealth(const RequestState& state) const {
  const std::string& path = state.info.path;
  const auto parts = Split(std::string_view(path).substr(1), '/');
  const std::string_view kind = parts[0];
  const bool ready = ready_.load();
  // The store answers as long as the process lives: it ends when it cannot write.
  std::vector<HealthCheck> checks = {{"ping", true}, {"log", true}, {"etcd", true}};
  if (kind == "readyz") {
    checks.insert(checks.end(),
                  {{"etcd-readiness", true}, {"informer-sync", true}, {"shutdown", ready}});
  }
  if (parts.size() > 1) {
    const auto check = std::ranges::find(checks, parts[1], &HealthCheck::name);
    if (check == checks.end()) return Text(404, "404 page not found\n");
    HttpResponse response;
    response.status = check->ok ? 200 : 500;
    response.headers.emplace_back("Content-Type", kTextPlain);
    response.body = check->ok ? "ok" : "internal server error: not ready\n";
    return response;
  }
  const std::vector<std::string> excluded = state.info.query.All("exclude");
  std::string listing;
  bool ok = true;
  for (const HealthCheck& check : checks) {
    if (std::ranges::find(excluded, check.name) != excluded.end()) {
      listing += fmt::format("[+]{} excluded: ok\n", check.name);
    } else if (check.ok) {
      listing += fmt::format("[+]{} ok\n", check.name);
    } else {
      ok = false;
      listing += fmt::format("[-]{} failed: reason withheld\n", check.name);
    }
  }
  if (!ok) return Text(500, fmt::format("{}{} check failed\n", listing, kind));
  if (!state.info.query.Get("verbose")) return Text(200, "ok");
  return Text(200, fmt::format("{}{} check passed\n", listing, kind));
}

ApiHandler::Answer ApiHandler::ServeAggregatedDiscovery(const RequestState& state) {
  const auto format = AggregatedDiscoveryFormat(state.request);
  if (!format) return std::nullopt;
  std::call_once(aggregated_once_, [this] {
    aggregated_api_ = AggregatedApi(discovery_rows_);
    aggregated_apis_ = AggregatedApis(discovery_rows_);
  });
  const AggregatedDiscovery& document =
      state.info.path.starts_with("/apis") ? aggregated_apis_ : aggregated_api_;
  Representation form;
  form.format = *format;
  HttpResponse response;
  response.headers = {
      {"Content-Type", std::string(form.content_type()).append(kAggregatedDiscovery)},
      {"Cache-Control", "public"},
      {"ETag", document.etag},
      {"Vary", "Accept"}};
  if (state.request.Find("If-None-Match") == document.etag) {
    response.status = 304;
    response.headers.erase(response.headers.begin());  // there is no content
    return response;
  }
  if (*format == Format::kJson) {
    response.body = document.body;
  } else {
    const openapi::TypeTable& types = parts_.store.types();
    const std::string_view json =
        std::string_view(document.body).substr(0, document.body.size() - 1);
    response.body = EncodeJson(json, types.Find(kAggregatedType), form, types);
  }
  response.compressible = true;
  return response;
}

ApiHandler::Answer ApiHandler::ServeDiscovery(const RequestState& state) {
  std::string_view path = state.info.path;
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  const bool discovers =
      path == "/api" || path == "/apis" || path.starts_with("/api/") || path.starts_with("/apis/");
  if (!discovers) return std::nullopt;
  const std::string_view method = state.request.method;
  if (method == "POST" || method == "PUT" || method == "PATCH") {
    return ErrorResponse(state, Status::MethodNotAllowed());
  }
  if (path == "/api" || path == "/apis") {
    if (Answer answer = ServeAggregatedDiscovery(state)) return answer;
    if (path == "/apis") {
      return DocumentResponse(state, "APIGroupList", ApiGroupList(discovery_rows_));
    }
    return DocumentResponse(state, "APIVersions", ApiVersions(parts_.server_address()));
  }
  const auto parts = Split(path.substr(1), '/');
  std::string_view kind = "APIResourceList";
  std::optional<std::string> body;
  if (parts.size() == 2 && parts[0] == "api") {
    body = ApiResourceList(discovery_rows_, "", parts[1]);
  } else if (parts.size() == 2 && parts[0] == "apis") {
    kind = "APIGroup";
    body = ApiGroup(discovery_rows_, parts[1]);
  } else if (parts.size() == 3 && parts[0] == "apis") {
    body = ApiResourceList(discovery_rows_, parts[1], parts[2]);
  }
  if (!body) return std::nullopt;
  return DocumentResponse(state, kind, std::move(*body));
}

ApiHandler::Answer ApiHandler::ServeIssuer(const RequestState& state) const {
  std::string_view path = state.info.path;
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  const bool keys = path == "/openid/v1/jwks";
  if (!keys && path != "/.well-known/openid-configuration") return std::nullopt;
  HttpResponse response;
  response.headers = {{"Content-Type", keys ? "application/jwk-set+json" : "application/json"},
                      {"Cache-Control", "public, max-age=3600"}};
  response.body =
      keys ? parts_.tokens.KeySet() : parts_.tokens.Configuration(parts_.server_address());
  return response;
}

ApiHandler::Answer ApiHandler::ServeNonResource(RequestState& state) {
  const std::string_view path = state.info.path;
  for (const std::string_view health : {"/healthz", "/livez", "/readyz"}) {
    if (path == health || (path.starts_with(health) && path[health.size()] == '/')) {
      return ServeHealth(state);
    }
  }
  if (path == "/version" || path == "/version/") {
    HttpResponse response;
    response.headers.emplace_back("Content-Type", "application/json");
    response.body = VersionInfo();
    return response;
  }
  if (path == "/metrics") {
    HttpResponse response;
    response.headers.emplace_back("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
    response.body = parts_.metrics.Render();
    response.compressible = true;
    return response;
  }
  if (path == "/") {
    HttpResponse response;
    response.headers.emplace_back("Content-Type", "application/json");
    response.body = RootPaths(discovery_rows_, kOtherPaths);
    return response;
  }
  if (parts_.usage != nullptr) {
    if (Answer answer = ReadMetricsPage(*parts_.usage, state)) return answer;
  }
  if (Answer answer = ServeIssuer(state)) return answer;
  if (path.starts_with("/openapi/")) return ServeOpenApi(state);
  return ServeDiscovery(state);
}

}  // namespace kulisse::apiserver
