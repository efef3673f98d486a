// ServiceAccountTokens issues and recognizes the tokens of service accounts. Upstream:
// pkg/registry/core/serviceaccount/storage/token.go, pkg/serviceaccount.
//
// Borrows: the resource store. Threads: any; a mutex guards what was checked lately.
// Errors: of a token request, the real server's; a token that is not good names nobody.
// Limits: kCheckedTokensMax.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "apiserver/authn/authenticator.h"
#include "apiserver/registry/resource_store.h"
#include "certs/jwt.h"

namespace kulisse::apiserver {

class ServiceAccountTokens final : public TokenAuthenticator {
 public:
  // Who issues, and whom tokens are for unless the request says otherwise.
  static constexpr std::string_view kIssuer = "https://kubernetes.default.svc.cluster.local";

  ServiceAccountTokens(ResourceStore& store, certs::PrivateKey key);

  // Completes a TokenRequest (in canonical form) for the service account `name`, with its token.
  Result<void> Issue(const ObjectName& name, json::Document& request);

  [[nodiscard]] std::optional<UserInfo> Authenticate(std::string_view token) const override;
  [[nodiscard]] std::optional<TokenUser> AuthenticateFor(
      std::string_view token, std::span<const std::string> audiences) const override;

  // The documents of OpenID discovery; `address` is "host:port" of this server.
  [[nodiscard]] std::string Configuration(std::string_view address) const;
  [[nodiscard]] std::string KeySet() const { return key_.KeySet(); }

 private:
  // The claims of a token that we signed, or nothing.
  [[nodiscard]] std::optional<std::string> Claims(std::string_view token) const;
  // The object of a kind, or 404.
  Result<json::Document> Lookup(std::string_view resource, const ObjectName& name) const;
  // Adds what a token is bound to as a claim.
  Result<void> Bind(const ObjectName& name, const json::Value& reference,
                    json::Document& claims) const;
  // Whether the object of a claim {name, uid} is there still.
  [[nodiscard]] bool Lives(std::string_view resource, std::string_view ns,
                           const json::Value* claim) const;

  ResourceStore& store_;
  const certs::JwtKey key_;
  mutable std::mutex mutex_;
  // Tokens whose signature is good, with their claims.
  mutable std::map<std::string, std::string, std::less<>> checked_;
};

}  // namespace kulisse::apiserver
