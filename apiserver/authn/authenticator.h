// Authenticator says who sent a request: by the client certificate that TLS verified, by a bearer
// token, or nobody (system:anonymous); on the insecure port everybody is system:unsecured. The
// order and the treatment of malformed headers are kube-apiserver's.
//
// Threads: immutable; Authenticate() from any thread.
// Errors: 401 Unauthorized for credentials that are there but not good; missing or malformed ones
//   make the request anonymous, and authorization decides.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "apiserver/authn/token_file.h"
#include "apiserver/authn/user.h"
#include "apiserver/http.h"
#include "base/result.h"

namespace kulisse::apiserver {

// Whom a token names, and for which audiences of those that were asked for.
struct TokenUser {
  UserInfo user;
  std::vector<std::string> audiences;
};

// TokenAuthenticator recognizes bearer tokens of one kind.
class TokenAuthenticator {
 public:
  virtual ~TokenAuthenticator() = default;
  // The user, or nothing for a token that is another's, or no good.
  [[nodiscard]] virtual std::optional<UserInfo> Authenticate(std::string_view token) const = 0;
  // The same of a token for one of these audiences instead of for this server.
  [[nodiscard]] virtual std::optional<TokenUser> AuthenticateFor(
      std::string_view token, std::span<const std::string> audiences) const = 0;
};

class Authenticator {
 public:
  // `issued`: recognizes tokens that the file does not have; may be null.
  explicit Authenticator(TokenFile tokens, const TokenAuthenticator* issued = nullptr);

  [[nodiscard]] Result<UserInfo> Authenticate(const HttpRequest& request) const;
  // What a TokenReview tells about a token as it would stand in a header. Tokens of the file are
  // for `own`.
  [[nodiscard]] Result<TokenUser> Review(std::string_view token,
                                         std::span<const std::string> audiences,
                                         std::string_view own) const;

 private:
  [[nodiscard]] std::optional<UserInfo> Recognize(std::string_view token) const;

  TokenFile tokens_;
  const TokenAuthenticator* issued_;
};

}  // namespace kulisse::apiserver
