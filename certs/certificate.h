// Keys and certificates as values: P-256 keys, X.509 certificates signed by a CA, PEM text. The
// only header of this folder whose .cc file knows OpenSSL.
//
// Threads: immutable values; any thread.
// Errors: a text that says what is wrong, without a file name; the caller knows the file.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

// OpenSSL's types, so that its headers stay out of ours.
struct evp_pkey_st;
struct x509_st;

namespace kulisse::certs {

// A P-256 key pair, or any private key that OpenSSL reads.
class PrivateKey {
 public:
  static PrivateKey Generate();
  static std::expected<PrivateKey, std::string> FromPem(const std::string& pem);

  [[nodiscard]] std::string ToPem() const;        // SEC1, "BEGIN EC PRIVATE KEY"
  [[nodiscard]] std::string PublicToPem() const;  // "BEGIN PUBLIC KEY"
  [[nodiscard]] evp_pkey_st* get() const { return key_.get(); }

 private:
  explicit PrivateKey(std::shared_ptr<evp_pkey_st> key) : key_(std::move(key)) {}
  std::shared_ptr<evp_pkey_st> key_;
};

// What a new certificate says.
struct CertificateSpec {
  enum class Use : uint8_t { kAuthority, kServer, kClient };
  Use use = Use::kServer;
  std::string common_name;
  std::string organization;        // "" for none
  std::vector<std::string> hosts;  // DNS names and IP addresses for the subjectAltName
  SystemTime not_before;
  SystemTime not_after;
};

class Certificate {
 public:
  // Signs with the authority's key; `issuer` null makes it self-signed.
  static Certificate Issue(const CertificateSpec& spec, const PrivateKey& key,
                           const Certificate* issuer, const PrivateKey& issuer_key);
  static std::expected<Certificate, std::string> FromPem(const std::string& pem);

  [[nodiscard]] std::string ToPem() const;
  [[nodiscard]] SystemTime not_before() const;
  [[nodiscard]] SystemTime not_after() const;
  [[nodiscard]] bool is_authority() const;
  // Whether a client that connects to `host` (a DNS name or an IP address) accepts it.
  [[nodiscard]] bool Covers(const std::string& host) const;
  [[nodiscard]] bool BelongsTo(const PrivateKey& key) const;
  // Whether `authority` issued it, by name and by signature.
  [[nodiscard]] bool IsSignedBy(const Certificate& authority) const;
  [[nodiscard]] x509_st* get() const { return certificate_.get(); }

 private:
  explicit Certificate(std::shared_ptr<x509_st> certificate)
      : certificate_(std::move(certificate)) {}
  std::shared_ptr<x509_st> certificate_;
};

}  // namespace kulisse::certs
