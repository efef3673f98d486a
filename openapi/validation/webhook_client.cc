#include "openapi/validation/webhook_client.h"

#include <algorithm>

#include "base/text.h"

namespace kulisse::openapi {

namespace {

constexpr std::string_view kForm = "; desired format: https://host[/path]";

void CheckUrl(std::string_view url, const Path& path, Walk& walk) {
  const size_t colon = url.find("://");
  const std::string_view scheme = colon == url.npos ? "" : url.substr(0, colon);
  std::string_view rest = colon == url.npos ? url : url.substr(colon + 3);
  if (scheme != "https") {
    walk.Invalid(path, scheme, fmt::format("'https' is the only allowed URL scheme{}", kForm));
  }
  const size_t hash = rest.find('#');
  const std::string_view fragment = hash == rest.npos ? "" : rest.substr(hash + 1);
  rest = rest.substr(0, hash);
  const size_t question = rest.find('?');
  const std::string_view query = question == rest.npos ? "" : rest.substr(question + 1);
  rest = rest.substr(0, question);
  std::string_view host = scheme.empty() ? "" : rest.substr(0, rest.find('/'));
  const size_t at = host.find('@');
  const std::string_view user = at == host.npos ? "" : host.substr(0, at);
  if (at != host.npos) host = host.substr(at + 1);
  if (host.empty()) walk.Invalid(path, "", fmt::format("host must be specified{}", kForm));
  if (!user.empty()) {
    walk.Invalid(path, user, "user information is not permitted in the URL");
  }
  if (!fragment.empty()) walk.Invalid(path, fragment, "fragments are not permitted in the URL");
  if (!query.empty()) {
    walk.Invalid(path, query, "query parameters are not permitted in the URL");
  }
}

void CheckUrlPath(std::string_view text, const Path& path, Walk& walk) {
  if (text.empty() || text == "/") return;
  if (text == "//") return walk.Invalid(path, text, "segment[0] may not be empty");
  if (!text.starts_with('/')) walk.Invalid(path, text, "must start with a '/'");
  std::string_view steps = text.substr(1);
  if (steps.ends_with('/')) steps.remove_suffix(1);
  size_t index = 0;
  for (const std::string_view step : Split(steps, '/')) {
    const size_t i = index++;
    if (step.empty()) {
      walk.Invalid(path, text, fmt::format("segment[{}] may not be empty", i));
      continue;
    }
    for (const std::string& message : Dns1123Subdomain(step)) {
      walk.Invalid(path, text, fmt::format("segment[{}]: {}", i, message));
    }
  }
}

// The real server takes the one for the other.
void CheckServiceReference(const Value& service, const Path& path, Walk& walk) {
  if (Text(service, "namespace").empty()) walk.Required(path["name"]);
  if (Text(service, "name").empty()) walk.Required(path["namespace"]);
  const int64_t port = Int(service, "port").value_or(0);
  if (const Messages messages = PortNumber(port); !messages.empty()) {
    walk.Invalid(path["port"], port, "port is not valid: " + messages[0]);
  }
}

}  // namespace

void CheckWebhookClient(const Value& config, const Path& path, Walk& walk) {
  const Value* url = Member(config, "url");
  const Value* service = Member(config, "service");
  if ((url == nullptr) == (service == nullptr)) {
    walk.Required(path, "exactly one of url or service is required");
  } else if (url != nullptr) {
    CheckUrl(url->AsString(), path["url"], walk);
  } else {
    CheckServiceReference(*service, path["service"], walk);
    CheckUrlPath(Text(*service, "path"), path["service"]["path"], walk);
  }
}

}  // namespace kulisse::openapi
