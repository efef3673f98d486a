#include "apiserver/handlers/api_handler.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>

#include "apiserver/handlers/continue_token.h"
#include "apiserver/handlers/encoder.h"
#include "apiserver/handlers/reviews.h"
#include "apiserver/handlers/usage.h"
#include "apiserver/registry/object_meta.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/text.h"

namespace kulisse::apiserver {

namespace {

constexpr std::string_view kTextPlain = "text/plain; charset=utf-8";

HttpResponse NotFoundPage() {
  HttpResponse response;
  response.status = 404;
  response.headers = {{"Content-Type", std::string(kTextPlain)},
                      {"X-Content-Type-Options", "nosniff"}};
  response.body = "404 page not found\n";
  return response;
}

// The text of a Warning header: quoted, without control characters.
std::string WarningHeader(std::string_view text) {
  std::string out = "299 - \"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return out + '"';
}

// The kinds that upstream has deprecated say so in every answer.
void WarnOfDeprecation(RequestState& state) {
  const std::string_view resource = state.resource->resource;
  if (!state.resource->group.empty()) return;
  if (resource == "endpoints") {
    state.warnings.emplace_back(
        "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice");
  } else if (resource == "componentstatuses") {
    state.warnings.emplace_back("v1 ComponentStatus is deprecated in v1.19+");
  }
}

bool IsLongRunning(const RequestState& state) { return state.info.verb == "watch"; }

// Rows that somebody serves.
std::vector<const openapi::ResourceInfo*> ServedRows(const ApiHandlerParts& parts) {
  auto rows = DiscoveryRows(parts.store.catalog());
  if (parts.usage == nullptr) {
    std::erase_if(rows, [](const openapi::ResourceInfo* row) { return row->aggregated; });
  }
  return rows;
}

// Whether the method fits the form of the path: a collection or one object.
bool MethodFitsPath(const RequestInfo& info, std::string_view method, bool has_name) {
  if (!info.subresource.empty()) return true;
  if (method == "POST") return !has_name;
  if (method == "PUT" || method == "PATCH") return has_name;
  return method == "GET" || method == "DELETE";
}

}  // namespace

// Upstream's order where it has the same filter.
const std::array<ApiHandler::Filter, 6> ApiHandler::kChain = {{
    {"cors", &ApiHandler::AnswerPreflight},           // browsers ask before they say who they are
    {"authenticate", &ApiHandler::Authenticate},      // who; 401
    {"authorize", &ApiHandler::Authorize},            // may they; 403 before anything is looked up
    {"resource", &ApiHandler::ServeResource},         // /api/v1/…, /apis/G/V/…
    {"non-resource", &ApiHandler::ServeNonResource},  // health, discovery, version, metrics
    {"unknown", &ApiHandler::RefuseUnknown},          // 404
}};

ApiHandler::ApiHandler(const ApiHandlerParts& parts)
    : parts_(parts),
      resources_(parts.store, parts.tokens),
      discovery_rows_(ServedRows(parts)),
      openapi_(discovery_rows_),
      started_(HttpDate(parts.store.runtime().Now())) {}

HttpResponse ApiHandler::Handle(HttpRequest request) {
  Runtime& runtime = parts_.store.runtime();
  const MonotonicTime start = runtime.MonotonicNow();
  RequestState state;
  state.request = std::move(request);
  state.info = ParseRequestInfo(state.request);
  const std::string_view given = state.request.Find("Audit-Id");
  state.audit_id = given.empty() ? NewUuid(runtime) : std::string(given);
  HttpResponse response;
  try {
    response = RunChain(state);
  } catch (const std::exception& error) {
    log::Error("apiserver", "a handler threw",
               {{"error", error.what()}, {"target", state.request.target}});
    parts_.metrics
        .CounterOf("apiserver_request_aborts_total", "Requests that ended in an exception.", "")
        .Increment();
    response = ErrorResponse(state, Status::InternalError("unexpected failure"));
  }
  if (response.deferred == nullptr) {
    Finish(state, &response);
    const auto seconds = std::chrono::duration<double>(runtime.MonotonicNow() - start).count();
    Count(state, response.status, seconds);
  }
  return response;
}

HttpResponse ApiHandler::RunChain(RequestState& state) {
  for (const Filter& filter : kChain) {
    if (Answer answer = (this->*filter.run)(state)) return std::move(*answer);
  }
  return NotFoundPage();
}

void ApiHandler::Finish(const RequestState& state, HttpResponse* response) {
  if (state.is_web_socket) return;
  response->headers.emplace_back("Audit-Id", state.audit_id);
  parts_.cors.AddHeaders(state.request, &response->headers);
  const bool has_cache_control = std::ranges::any_of(
      response->headers, [](const Header& header) { return header.first == "Cache-Control"; });
  if (!has_cache_control) response->headers.emplace_back("Cache-Control", "no-cache, private");
  std::vector<std::string> seen;
  for (const std::string& warning : state.warnings) {
    if (std::ranges::find(seen, warning) != seen.end()) continue;
    seen.push_back(warning);
    response->headers.emplace_back("Warning", WarningHeader(warning));
  }
}

ApiHandler::RequestSeries ApiHandler::SeriesOf(const RequestState& state, int code) {
  const RequestInfo& info = state.info;
  const bool known = state.resource != nullptr;
  const std::string_view scope = !known               ? ""
                                 : !info.name.empty() ? "resource"
                                 : !info.ns.empty()   ? "namespace"
                                                      : "cluster";
  const std::string_view verb = known || info.verb == "get" ? std::string_view(info.verb) : "other";
  SeriesKey key{state.resource, state.subresource, std::string(verb), scope, code};
  const std::lock_guard lock(series_mutex_);
  const auto it = series_.find(key);
  if (it != series_.end()) return it->second;

  std::string upper(verb);
  std::ranges::transform(upper, upper.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  const std::string what =
      fmt::format(R"(component="apiserver",group="{}",resource="{}",scope="{}",subresource="{}",)"
                  R"(verb="{}",version="{}")",
                  known ? info.group : "", known ? info.resource : "", scope,
                  state.subresource == nullptr ? "" : state.subresource->name, upper,
                  known ? info.version : "");
  const RequestSeries series{
      &parts_.metrics.CounterOf("apiserver_request_total", "Requests by verb, resource and code.",
                                fmt::format(R"(code="{}",{})", code, what)),
      &parts_.metrics.HistogramOf("apiserver_request_duration_seconds",
                                  "Time to make an answer, by verb and resource.", what)};
  series_.emplace(std::move(key), series);
  return series;
}

void ApiHandler::Count(const RequestState& state, int code, double seconds) {
  const RequestSeries series = SeriesOf(state, code);
  series.requests->Increment();
  if (!IsLongRunning(state)) series.seconds->Observe(seconds);
}

HttpResponse ApiHandler::ErrorResponse(const RequestState& state, const Status& status) const {
  const Representation representation = FormatForErrors(state.request, state.info.query);
  HttpResponse response;
  response.status = status.code;
  response.headers.emplace_back("Content-Type", representation.content_type());
  if (status.details && status.details->retry_after_seconds > 0) {
    response.headers.emplace_back("Retry-After",
                                  std::to_string(status.details->retry_after_seconds));
  }
  response.body = EncodeStatus(ToJson(status), representation, parts_.store.types());
  return response;
}

ApiHandler::Answer ApiHandler::AnswerPreflight(RequestState& state) {
  if (!parts_.cors.IsPreflight(state.request)) return std::nullopt;
  HttpResponse response;
  response.status = 204;
  return response;
}

ApiHandler::Answer ApiHandler::Authenticate(RequestState& state) {
  auto user = parts_.authenticator.Authenticate(state.request);
  if (!user) return ErrorResponse(state, user.error());
  state.user = std::move(*user);
  return std::nullopt;
}

ApiHandler::Answer ApiHandler::Authorize(RequestState& state) {
  const RequestInfo& info = state.info;
  Attributes attributes;
  attributes.user = state.user;
  attributes.verb = info.verb;
  attributes.group = info.group;
  attributes.resource = info.resource;
  attributes.subresource = info.subresource;
  attributes.ns = info.ns;
  attributes.name = info.name;
  attributes.path = info.path;
  attributes.is_resource = info.is_resource;
  const auto allowed = CheckAllowed(parts_.authorizer, attributes);
  if (allowed) return std::nullopt;
  HttpResponse response = ErrorResponse(state, allowed.error());
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  return response;
}

ApiHandler::Answer ApiHandler::ServeResource(RequestState& state) {
  const RequestInfo& info = state.info;
  if (!info.is_resource) return std::nullopt;
  const openapi::Catalog& catalog = parts_.store.catalog();
  if (!info.group.empty() && !catalog.HasGroup(info.group)) return NotFoundPage();
  state.resource = catalog.Find(info.group, info.version, info.resource);
  if (state.resource != nullptr && state.resource->aggregated && parts_.usage == nullptr) {
    return NotFoundPage();
  }
  // The path's name, not the one of a field selector.
  const bool below_namespace =
      info.parts.size() > 1 && info.parts[0] == "namespaces" && info.resource != "namespaces";
  const size_t depth = info.parts.size() - (below_namespace ? 2 : 0);
  const bool has_name = depth >= 2;
  const openapi::ResourceInfo* resource = state.resource;
  // What is behind a proxy may have any path.
  if (resource == nullptr || (depth > 3 && info.subresource != "proxy") ||
      (below_namespace && !resource->namespaced) ||
      (resource->namespaced && !below_namespace && has_name)) {
    return ErrorResponse(state, Status::UnknownResource());
  }
  if (!info.subresource.empty()) {
    state.subresource = resource->FindSubresource(info.subresource);
    if (state.subresource == nullptr) return ErrorResponse(state, Status::UnknownResource());
  }
  if (resource->namespaced && !below_namespace && state.request.method != "GET") {
    return ErrorResponse(state, Status::MethodNotAllowed());
  }
  if (!MethodFitsPath(info, state.request.method, has_name)) {
    return ErrorResponse(state, Status::MethodNotAllowed());
  }
  if (!has_name) state.info.name.clear();
  WarnOfDeprecation(state);
  return ServeKnownResource(state);
}

HttpResponse ApiHandler::ServeKnownResource(RequestState& state) {
  static constexpr std::pair<std::string_view, openapi::Verb> kVerbs[] = {
      {"create", openapi::Verb::kCreate},
      {"delete", openapi::Verb::kDelete},
      {"deletecollection", openapi::Verb::kDeleteCollection},
      {"get", openapi::Verb::kGet},
      {"list", openapi::Verb::kList},
      {"patch", openapi::Verb::kPatch},
      {"update", openapi::Verb::kUpdate},
      {"watch", openapi::Verb::kWatch}};
  const RequestInfo& info = state.info;
  const auto verb = std::ranges::find(kVerbs, std::string_view(info.verb),
                                      [](const auto& row) { return row.first; });
  const bool served = verb != std::end(kVerbs) && state.request.method != "HEAD" &&
                      (state.subresource == nullptr ? state.resource->Has(verb->second)
                                                    : state.subresource->Has(verb->second));
  if (!served && info.verb == "watch") {
    return ErrorResponse(state,
                         Status::MethodNotSupported(state.resource->group_resource(), "watch"));
  }
  if (!served) return ErrorResponse(state, Status::MethodNotAllowed());
  if (info.subresource == "proxy" && state.resource->resource == "nodes") {
    auto page = ReadNodePage(parts_.store, parts_.usage, state);
    return page ? std::move(*page) : ErrorResponse(state, page.error());
  }
  auto representation = Negotiate(state.request, info.query, info.verb, state.resource->custom);
  if (!representation) return ErrorResponse(state, representation.error());
  state.representation = *representation;

  // A read of a revision that has not come waits for it a little.
  if ((info.verb == "get" || info.verb == "list") && !state.resource->aggregated) {
    const auto asked = ParseUint64(info.query.Text("resourceVersion"));
    storage::Store& store = parts_.store.store();
    if (asked && *asked > store.head().value) {
      HttpResponse response;
      response.deferred = std::make_unique<Deferred>();
      response.deferred->revision = {*asked};
      response.deferred->timeout = kFutureRevisionWaitMax;
      response.deferred->make = [this, waiting = std::move(state)]() mutable {
        auto result = resources_.Handle(waiting);
        HttpResponse late = result ? std::move(*result) : ErrorResponse(waiting, result.error());
        Finish(waiting, &late);
        Count(waiting, late.status, 0);
        return late;
      };
      return response;
    }
  }
  auto result = IsReview(*state.resource)
                    ? HandleReview(state, parts_.store, parts_.authenticator, parts_.authorizer)
                : state.resource->aggregated ? ReadUsage(parts_.store, *parts_.usage, state)
                                             : resources_.Handle(state);
  return result ? std::move(*result) : ErrorResponse(state, result.error());
}

ApiHandler::Answer ApiHandler::RefuseUnknown(RequestState& state) {
  // A known group with an unknown version gets a Status, anything else plain text.
  const auto parts = Split(std::string_view(state.info.path).substr(1), '/');
  const bool known_group =
      parts.size() == 3 && parts[0] == "apis" && parts_.store.catalog().HasGroup(parts[1]);
  if (known_group || (parts.size() == 2 && parts[0] == "api")) {
    return ErrorResponse(state, Status::UnknownResource());
  }
  return NotFoundPage();
}

}  // namespace kulisse::apiserver
