#include "apiserver/authn/authenticator.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "apiserver/websocket.h"
#include "base/text.h"

namespace kulisse::apiserver {

namespace {

// The token of the first Authorization header. Upstream: bearertoken.go splits at single blanks,
// so that "Bearer  x" has an empty token and what follows a second blank is ignored.
std::optional<std::string> TokenOf(std::string_view value) {
  const std::vector<std::string_view> parts = Split(value, ' ');
  if (parts.size() < 2 || !EqualsIgnoreCase(parts[0], "bearer") || parts[1].empty()) {
    return std::nullopt;
  }
  return std::string(parts[1]);
}

std::optional<std::string> BearerToken(const HttpRequest& request) {
  for (const auto& [name, text] : request.headers) {
    if (EqualsIgnoreCase(name, "Authorization")) return TokenOf(TrimSpace(text));
  }
  return std::nullopt;
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

UserInfo Anonymous() {
  return {.name = std::string(kAnonymousUser),
          .uid = "",
          .groups = {std::string(kUnauthenticatedGroup)}};
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
  return Anonymous();
}

Result<TokenUser> Authenticator::Review(std::string_view token,
                                        std::span<const std::string> audiences,
                                        std::string_view own) const {
  const std::optional<std::string> bearer = TokenOf("Bearer " + std::string(token));
  if (!bearer) return TokenUser{Anonymous(), {audiences.begin(), audiences.end()}};
  if (const UserInfo* user = tokens_.Find(*bearer)) {
    if (std::ranges::find(audiences, own) != audiences.end()) {
      return TokenUser{WithAuthenticatedGroup(*user), {std::string(own)}};
    }
  } else if (issued_ != nullptr) {
    if (auto found = issued_->AuthenticateFor(*bearer, audiences)) {
      found->user = WithAuthenticatedGroup(std::move(found->user));
      return std::move(*found);
    }
  }
  return std::unexpected(Status::Unauthorized());
}

}  // namespace kulisse::apiserver
