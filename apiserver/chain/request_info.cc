#include "apiserver/chain/request_info.h"

#include "base/text.h"
#include "openapi/selector.h"

namespace kulisse::apiserver {

namespace {

std::string VerbOf(std::string_view method) {
  if (method == "POST") return "create";
  if (method == "GET" || method == "HEAD") return "get";
  if (method == "PUT") return "update";
  if (method == "PATCH") return "patch";
  if (method == "DELETE") return "delete";
  return "";
}

// A GET or DELETE of a collection has a verb of its own.
void SetCollectionVerb(RequestInfo* info) {
  if (!info->name.empty()) return;
  if (info->verb == "get") {
    info->verb = info->query.Bool("watch") ? "watch" : "list";
    // A field selector on the name makes it a request for one object, for authorization.
    const auto selector = openapi::FieldSelector::Parse(info->query.Text("fieldSelector"));
    if (!selector) return;
    for (const auto& term : selector->terms()) {
      if (term.field == "metadata.name" && term.equal) info->name = term.value;
    }
  } else if (info->verb == "delete") {
    info->verb = "deletecollection";
  }
}

}  // namespace

Query::Query(std::string_view raw) {
  for (const std::string_view part : Split(raw, '&')) {
    if (part.empty()) continue;
    const size_t equals = part.find('=');
    auto name = PercentDecode(part.substr(0, equals), true);
    auto value = PercentDecode(
        equals == std::string_view::npos ? std::string_view() : part.substr(equals + 1), true);
    if (name && value) parameters_.emplace_back(std::move(*name), std::move(*value));
  }
}

std::optional<std::string_view> Query::Get(std::string_view name) const {
  for (const auto& [key, value] : parameters_) {
    if (key == name) return value;
  }
  return std::nullopt;
}

std::string_view Query::Text(std::string_view name) const {
  return Get(name).value_or(std::string_view());
}

bool Query::Bool(std::string_view name) const {
  const auto value = Get(name);
  if (!value) return false;
  return *value != "false" && *value != "0" && !EqualsIgnoreCase(*value, "false");
}

std::vector<std::string> Query::All(std::string_view name) const {
  std::vector<std::string> values;
  for (const auto& [key, value] : parameters_) {
    if (key == name) values.push_back(value);
  }
  return values;
}

RequestInfo ParseRequestInfo(const HttpRequest& request) {
  RequestInfo info;
  info.query = Query(request.query());
  info.path = PercentDecode(request.path(), false).value_or(std::string(request.path()));
  info.verb = ToLower(request.method);
  // Names may hold escaped slashes: split before decoding.
  std::vector<std::string> parts;
  std::string_view raw = request.path();
  while (raw.starts_with('/')) raw.remove_prefix(1);
  while (raw.ends_with('/')) raw.remove_suffix(1);
  for (const std::string_view part : Split(raw, '/')) {
    parts.push_back(PercentDecode(part, false).value_or(std::string(part)));
  }
  size_t at = 0;
  if (parts.size() >= 3 && parts[0] == "api") {
    info.version = parts[1];
    at = 2;
  } else if (parts.size() >= 4 && parts[0] == "apis") {
    info.group = parts[1];
    info.version = parts[2];
    at = 3;
  } else {
    return info;
  }
  info.verb = VerbOf(request.method);
  if (parts[at] == "watch" && parts.size() > at + 1) {  // the old form of ?watch=1
    info.verb = "watch";
    ++at;
  }
  const bool old_watch = info.verb == "watch";
  info.is_resource = true;
  std::vector<std::string> rest(parts.begin() + static_cast<ptrdiff_t>(at), parts.end());
  info.parts = rest;
  if (rest[0] == "namespaces") {
    if (rest.size() > 1) {
      info.ns = rest[1];
      const bool own = rest.size() == 2 || rest[2] == "status" || rest[2] == "finalize";
      if (!own) rest.erase(rest.begin(), rest.begin() + 2);
    }
  }
  info.resource = rest[0];
  if (rest.size() > 1) info.name = rest[1];
  if (rest.size() > 2) info.subresource = rest[2];
  info.watches_one = old_watch && !info.name.empty();
  if (!old_watch) SetCollectionVerb(&info);
  return info;
}

}  // namespace kulisse::apiserver
