// Authenticator says who sent a request: by the client certificate that TLS verified, by a bearer
// token, or nobody (system:anonymous); on the insecure port everybody is system:unsecured. The
// order and the treatment of malformed headers are kube-apiserver's.
//
// Threads: immutable; Authenticate() from any thread.
// Errors: 401 Unauthorized for credentials that are there but not good; missing or malformed ones
//   make the request anonymous, and authorization decides.
#pragma once

#include <optional>
#include <string_view>

#include "apiserver/authn/token_file.h"
#include "apiserver/authn/user.h"
#include "apiserver/http.h"
#include "base/result.h"

namespace kulisse::apiserver {

// TokenAuthenticator recognizes bearer tokens of one kind.
class TokenAuthenticator {
 public:
  virtual ~TokenAuthenticator() = default;
  // The user, or nothing for a token that is another's, or no good.
  [[nodiscard]] virtual std::optional<UserInfo> Authenticate(std::string_view token) const = 0;
};

class Authenticator {
 public:
  // `issued`: recognizes tokens that the file does not have; may be null.
  explicit Authenticator(TokenFile tokens, const TokenAuthenticator* issued = nullptr);

  [[nodiscard]] Result<UserInfo> Authenticate(const HttpRequest& request) const;

 private:
  [[nodiscard]] std::optional<UserInfo> Recognize(std::string_view token) const;

  TokenFile tokens_;
  const TokenAuthenticator* issued_;
};

}  // namespace kulisse::apiserver
