#include "apiserver/authn/authenticator.h"

#include <optional>
#include <utility>
#include <vector>

#include "apiserver/websocket.h"
#include "base/text.h"

namespace kulisse::apiserver {

namespace {

// The token of the first Authorization header. Upstream: bearertoken.go splits at single blanks,
// so that "Bearer  x" has an empty token and what follows a second blank is ignored.
std::optional<std::string> BearerToken(const HttpRequest& request) {
  std::string_view value;
  for (const auto& [name, text] : request.headers) {
    if (!EqualsIgnoreCase(name, "Authorization")) continue;
    value = TrimSpace(text);
    break;
  }
  const std::vector<std::string_view> parts = Split(value, ' ');
  if (parts.size() < 2 || !EqualsIgnoreCase(parts[0], "bearer") || parts[1].empty()) {
    return std::nullopt;
  }
  return std::string(parts[1]);
}

// Upstream: group.AuthenticatedGroupAdder.
UserInfo WithAuthenticatedGroup(UserInfo user) {
  if (user.name == kAnonymousUser || user.IsIn(kAuthenticatedGroup) ||
      user.IsIn(kUnauthenticatedGroup)) {
    return user;
  }
  user.groups.emplace_back(kAuthenticatedGroup);
  return user;
}

}  // namespace

Authenticator::Authenticator(TokenFile tokens, const TokenAuthenticator* issued)
    : tokens_(std::move(tokens)), issued_(issued) {}

std::optional<UserInfo> Authenticator::Recognize(std::string_view token) const {
  if (const UserInfo* user = tokens_.Find(token)) return *user;
  return issued_ == nullptr ? std::nullopt : issued_->Authenticate(token);
}

Result<UserInfo> Authenticator::Authenticate(const HttpRequest& request) const {
  if (request.unsecured) {
    return UserInfo{.name = std::string(kUnsecuredUser),
                    .uid = "",
                    .groups = {std::string(kMastersGroup), std::string(kAuthenticatedGroup)}};
  }
  // A certificate without a common name names nobody: upstream goes on to the next method.
  if (request.client_certificate && !request.client_certificate->common_name.empty()) {
    const ClientCertificate& certificate = *request.client_certificate;
    UserInfo user{.name = certificate.common_name, .uid = "", .groups = certificate.organizations};
    user.extra[std::string(kCredentialId)] = {"X509SHA256=" + certificate.sha256};
    return WithAuthenticatedGroup(std::move(user));
  }
  bool refused = request.client_certificate_invalid;
  for (const auto read : {BearerToken, WebSocketToken}) {
    const std::optional<std::string> token = read(request);
    if (!token) continue;
    if (auto user = Recognize(*token)) return WithAuthenticatedGroup(std::move(*user));
    refused = true;
  }
  if (refused) return std::unexpected(Status::Unauthorized());
  return UserInfo{.name = std::string(kAnonymousUser),
                  .uid = "",
                  .groups = {std::string(kUnauthenticatedGroup)}};
}

}  // namespace kulisse::apiserver
