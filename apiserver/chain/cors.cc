#include "apiserver/chain/cors.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

namespace kulisse::apiserver {

namespace {

// Upstream: apiserver/pkg/server/filters/cors.go.
constexpr std::string_view kMethods = "POST, GET, OPTIONS, PUT, DELETE, PATCH";
constexpr std::string_view kHeaders =
    "Content-Type, Content-Length, Accept-Encoding, X-CSRF-Token, Authorization, X-Requested-With, "
    "If-Modified-Since";

}  // namespace

std::expected<Cors, std::string> Cors::Parse(const std::vector<std::string>& patterns) {
  Cors cors;
  for (const std::string& pattern : patterns) {
    re2::RE2::Options options;
    options.set_log_errors(false);
    auto compiled = std::make_shared<const re2::RE2>(pattern, options);
    if (!compiled->ok()) {
      return std::unexpected(
          fmt::format("\"{}\" is not a regular expression: {}", pattern, compiled->error()));
    }
    const bool pins_start =
        pattern.find('^') != std::string::npos || pattern.find("//") != std::string::npos;
    const bool pins_end = pattern.find_first_of("$:") != std::string::npos;
    if (!pins_start || !pins_end) {
      return std::unexpected(fmt::format(
          "\"{}\" does not pin the whole host, as '//example\\.com(:|$)' does", pattern));
    }
    cors.patterns_.push_back(std::move(compiled));
  }
  return cors;
}

bool Cors::Allows(std::string_view origin) const {
  const re2::StringPiece text(origin.data(), origin.size());
  return !origin.empty() && std::ranges::any_of(patterns_, [&](const auto& pattern) {
    return re2::RE2::PartialMatch(text, *pattern);
  });
}

void Cors::AddHeaders(const HttpRequest& request, std::vector<Header>* headers) const {
  if (patterns_.empty()) return;
  const std::string_view origin = request.Find("Origin");
  if (!Allows(origin)) return;
  headers->insert(headers->end(), {{"Access-Control-Allow-Origin", std::string(origin)},
                                   {"Access-Control-Allow-Methods", std::string(kMethods)},
                                   {"Access-Control-Allow-Headers", std::string(kHeaders)},
                                   {"Access-Control-Expose-Headers", "Date"},
                                   {"Access-Control-Allow-Credentials", "true"}});
}

bool Cors::IsPreflight(const HttpRequest& request) const {
  return !patterns_.empty() && request.method == "OPTIONS" && Allows(request.Find("Origin"));
}

}  // namespace kulisse::apiserver
