// JSON web tokens (RFC 7515, 7519) as kube-apiserver signs and reads them: compact, ES256 with an
// elliptic key, RS256 with an RSA key.
//
// Threads: any; immutable. Errors: nothing, for a token that is not ours or was changed.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "certs/certificate.h"

namespace kulisse::certs {

class JwtKey {
 public:
  explicit JwtKey(PrivateKey key);

  // `claims` is a JSON object.
  [[nodiscard]] std::string Sign(std::string_view claims) const;
  // The claims of a token that this key signed; what they say is the caller's to judge.
  [[nodiscard]] std::optional<std::string> Verify(std::string_view token) const;
  // {"keys":[…]}: the public key for others (RFC 7517).
  [[nodiscard]] std::string KeySet() const;
  [[nodiscard]] std::string_view algorithm() const { return elliptic_ ? "ES256" : "RS256"; }

 private:
  PrivateKey key_;
  bool elliptic_;
  std::string id_;      // of the key: its public part's SHA-256
  std::string header_;  // encoded
};

}  // namespace kulisse::certs
