// Authenticator says who sent a request: by the client certificate that TLS verified, by a bearer
// token, or nobody (system:anonymous). The order and the treatment of malformed headers are
// kube-apiserver's.
//
// Threads: immutable; Authenticate() from any thread.
// Errors: 401 Unauthorized for credentials that are there but not good; missing or malformed ones
//   make the request anonymous, and authorization decides.
#pragma once

#include "apiserver/authn/token_file.h"
#include "apiserver/authn/user.h"
#include "apiserver/http.h"
#include "base/result.h"

namespace kulisse::apiserver {

class Authenticator {
 public:
  explicit Authenticator(TokenFile tokens);

  [[nodiscard]] Result<UserInfo> Authenticate(const HttpRequest& request) const;

 private:
  TokenFile tokens_;
};

}  // namespace kulisse::apiserver
