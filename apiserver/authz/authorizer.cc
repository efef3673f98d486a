#include "apiserver/authz/authorizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <span>
#include <string_view>

namespace kulisse::apiserver {

namespace {

// Paths that may be read; one that ends in '*' stands for all that begin so.
constexpr std::string_view kPublicPaths[] = {"/healthz", "/livez", "/readyz", "/version",
                                             "/version/"};
constexpr std::string_view kDiscoveryPaths[] = {"/api",    "/api/*",   "/apis",
                                                "/apis/*", "/openapi", "/openapi/*"};

// What service accounts may read besides: how others check their tokens (bootstrap role
// system:service-account-issuer-discovery).
constexpr std::string_view kIssuerPaths[] = {"/.well-known/openid-configuration",
                                             "/.well-known/openid-configuration/",
                                             "/openid/v1/jwks", "/openid/v1/jwks/"};

// Reviews that who is authenticated may create: they only tell about the user.
struct SelfReview {
  std::string_view group;
  std::string_view resource;
};
constexpr SelfReview kSelfReviews[] = {{"authorization.k8s.io", "selfsubjectaccessreviews"},
                                       {"authorization.k8s.io", "selfsubjectrulesreviews"},
                                       {"authentication.k8s.io", "selfsubjectreviews"}};

bool PathMatches(std::string_view pattern, std::string_view path) {
  if (!pattern.ends_with('*')) return path == pattern;
  pattern.remove_suffix(1);
  return path.starts_with(pattern);
}

template <size_t N>
bool AnyMatches(const std::string_view (&patterns)[N], std::string_view path) {
  return std::any_of(std::begin(patterns), std::end(patterns),
                     [&](std::string_view pattern) { return PathMatches(pattern, path); });
}

bool IsSelfReview(const Attributes& attributes) {
  return attributes.verb == "create" && attributes.subresource.empty() &&
         std::any_of(std::begin(kSelfReviews), std::end(kSelfReviews), [&](const SelfReview& row) {
           return row.group == attributes.group && row.resource == attributes.resource;
         });
}

std::string ForbiddenCause(const Attributes& attributes) {
  const std::string user = GoQuote(attributes.user.name);
  if (!attributes.is_resource) {
    return fmt::format("User {} cannot {} path {}", user, attributes.verb,
                       GoQuote(attributes.path));
  }
  std::string resource = attributes.resource;
  if (!attributes.subresource.empty()) resource += "/" + attributes.subresource;
  const std::string scope = attributes.ns.empty()
                                ? "at the cluster scope"
                                : fmt::format("in the namespace {}", GoQuote(attributes.ns));
  return fmt::format("User {} cannot {} resource {} in API group {} {}", user, attributes.verb,
                     GoQuote(resource), GoQuote(attributes.group), scope);
}

}  // namespace

Authorizer::Decision BootstrapAuthorizer::Authorize(const Attributes& attributes) const {
  using enum Decision;
  if (attributes.user.IsIn(kMastersGroup)) return kAllow;
  const bool authenticated = attributes.user.IsIn(kAuthenticatedGroup);
  if (attributes.is_resource) {
    return authenticated && IsSelfReview(attributes) ? kAllow : kNoOpinion;
  }
  if (attributes.verb != "get") return kNoOpinion;
  if (AnyMatches(kPublicPaths, attributes.path)) return kAllow;
  if (authenticated && AnyMatches(kDiscoveryPaths, attributes.path)) return kAllow;
  return attributes.user.IsIn("system:serviceaccounts") && AnyMatches(kIssuerPaths, attributes.path)
             ? kAllow
             : kNoOpinion;
}

RuleList BootstrapAuthorizer::RulesFor(const UserInfo& user, std::string_view /*ns*/) const {
  RuleList rules;
  const auto add_paths = [&rules](std::vector<std::string> verbs, auto... lists) {
    RuleList::Paths row{std::move(verbs), {}};
    (row.paths.insert(row.paths.end(), lists.begin(), lists.end()), ...);
    rules.paths.push_back(std::move(row));
  };
  if (user.IsIn(kMastersGroup)) {
    rules.resources.push_back({{"*"}, {"*"}, {"*"}});
    rules.paths.push_back({{"*"}, {"*"}});
  }
  if (user.IsIn(kAuthenticatedGroup)) {
    for (const SelfReview& review : kSelfReviews) {
      if (!rules.resources.empty() && rules.resources.back().groups[0] == review.group) {
        rules.resources.back().resources.emplace_back(review.resource);
      } else {
        rules.resources.push_back(
            {{"create"}, {std::string(review.group)}, {std::string(review.resource)}});
      }
    }
    add_paths({"get"}, std::span(kDiscoveryPaths), std::span(kPublicPaths));
  }
  if (user.IsIn("system:serviceaccounts")) add_paths({"get"}, std::span(kIssuerPaths));
  add_paths({"get"}, std::span(kPublicPaths));
  return rules;
}

Result<void> CheckAllowed(const Authorizer& authorizer, const Attributes& attributes) {
  if (authorizer.Authorize(attributes) == Authorizer::Decision::kAllow) return {};
  return std::unexpected(ForbiddenStatus(attributes));
}

Status ForbiddenStatus(const Attributes& attributes) {
  return Status::Forbidden({attributes.group, attributes.resource}, attributes.name,
                           ForbiddenCause(attributes));
}

}  // namespace kulisse::apiserver
