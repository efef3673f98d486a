#include "certs/jwt.h"

#include <fmt/format.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <array>
#include <memory>
#include <vector>

#include "base/assert.h"
#include "base/text.h"
#include "certs/digest.h"

namespace kulisse::certs {

namespace {

constexpr size_t kNumberBytes = 32;  // of each half of an ES256 signature

struct Free {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  void operator()(ECDSA_SIG* signature) const { ECDSA_SIG_free(signature); }
  void operator()(BIGNUM* number) const { BN_free(number); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

std::string_view View(const std::vector<unsigned char>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string KeyId(EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  KULISSE_ASSERT(size > 0);
  const std::string digest =
      Sha256({reinterpret_cast<const char*>(der), static_cast<size_t>(size)});
  OPENSSL_free(der);
  return Base64UrlEncode(digest);
}

// OpenSSL's form of an ECDSA signature as the two numbers of a token, and back.
std::string ToNumbers(const std::vector<unsigned char>& der) {
  const unsigned char* at = der.data();
  const Owned<ECDSA_SIG> signature(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  KULISSE_ASSERT(signature != nullptr);
  std::vector<unsigned char> out(2 * kNumberBytes);
  BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), out.data(), kNumberBytes);
  BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), out.data() + kNumberBytes, kNumberBytes);
  return std::string(View(out));
}

std::vector<unsigned char> FromNumbers(std::string_view numbers) {
  if (numbers.size() != 2 * kNumberBytes) return {};
  const auto* bytes = reinterpret_cast<const unsigned char*>(numbers.data());
  const Owned<ECDSA_SIG> signature(ECDSA_SIG_new());
  BIGNUM* r = BN_bin2bn(bytes, kNumberBytes, nullptr);
  BIGNUM* s = BN_bin2bn(bytes + kNumberBytes, kNumberBytes, nullptr);
  ECDSA_SIG_set0(signature.get(), r, s);  // owns both
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(signature.get(), &der);
  std::vector<unsigned char> out(der, der + (size > 0 ? size : 0));
  OPENSSL_free(der);
  return out;
}

// A number of the public key, big-endian; at least `bytes` long.
std::string PublicNumber(EVP_PKEY* key, const char* name, size_t bytes) {
  BIGNUM* number = nullptr;
  KULISSE_ASSERT(EVP_PKEY_get_bn_param(key, name, &number) == 1);
  const Owned<BIGNUM> owned(number);
  std::vector<unsigned char> out(std::max(bytes, static_cast<size_t>(BN_num_bytes(number))));
  BN_bn2binpad(number, out.data(), static_cast<int>(out.size()));
  return Base64UrlEncode(View(out));
}

}  // namespace

JwtKey::JwtKey(PrivateKey key)
    : key_(std::move(key)),
      elliptic_(EVP_PKEY_get_base_id(key_.get()) == EVP_PKEY_EC),
      id_(KeyId(key_.get())),
      header_(Base64UrlEncode(fmt::format(R"({{"alg":"{}","kid":"{}"}})", algorithm(), id_))) {}

std::string JwtKey::Sign(std::string_view claims) const {
  const std::string text = header_ + "." + Base64UrlEncode(claims);
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  const Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
  KULISSE_ASSERT(EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) ==
                 1);
  size_t size = 0;
  KULISSE_ASSERT(EVP_DigestSign(context.get(), nullptr, &size, bytes, text.size()) == 1);
  std::vector<unsigned char> signature(size);
  KULISSE_ASSERT(EVP_DigestSign(context.get(), signature.data(), &size, bytes, text.size()) == 1);
  signature.resize(size);
  return text + "." +
         Base64UrlEncode(elliptic_ ? ToNumbers(signature) : std::string(View(signature)));
}

std::optional<std::string> JwtKey::Verify(std::string_view token) const {
  const size_t end = token.rfind('.');
  const size_t begin = token.find('.');
  if (end == std::string_view::npos || begin == end) return std::nullopt;
  // The key decides the algorithm, never the token.
  if (token.substr(0, begin) != header_) return std::nullopt;
  const auto signature = Base64UrlDecode(token.substr(end + 1));
  auto claims = Base64UrlDecode(token.substr(begin + 1, end - begin - 1));
  if (!signature || !claims) return std::nullopt;
  std::vector<unsigned char> bytes(signature->begin(), signature->end());
  if (elliptic_) bytes = FromNumbers(*signature);
  if (bytes.empty()) return std::nullopt;
  const std::string_view text = token.substr(0, end);
  const Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
  KULISSE_ASSERT(EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) ==
                 1);
  const bool good =
      EVP_DigestVerify(context.get(), bytes.data(), bytes.size(),
                       reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1;
  if (!good) return std::nullopt;
  return std::move(*claims);
}

std::string JwtKey::KeySet() const {
  std::string numbers;
  if (elliptic_) {
    numbers = fmt::format(R"("kty":"EC","kid":"{}","crv":"P-256","alg":"ES256","x":"{}","y":"{}")",
                          id_, PublicNumber(key_.get(), OSSL_PKEY_PARAM_EC_PUB_X, kNumberBytes),
                          PublicNumber(key_.get(), OSSL_PKEY_PARAM_EC_PUB_Y, kNumberBytes));
  } else {
    numbers = fmt::format(R"("kty":"RSA","kid":"{}","alg":"RS256","n":"{}","e":"{}")", id_,
                          PublicNumber(key_.get(), OSSL_PKEY_PARAM_RSA_N, 0),
                          PublicNumber(key_.get(), OSSL_PKEY_PARAM_RSA_E, 0));
  }
  return fmt::format(R"({{"keys":[{{"use":"sig",{}}}]}})", numbers);
}

}  // namespace kulisse::certs
