#include "certs/digest.h"

#include <openssl/evp.h>

#include <array>

#include "base/assert.h"

namespace kulisse::certs {

namespace {

std::string Digest(std::string_view bytes, const EVP_MD* algorithm) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned int size = 0;
  const int ok = EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, algorithm, nullptr);
  KULISSE_ASSERT(ok == 1);
  return {reinterpret_cast<const char*>(digest.data()), size};
}

}  // namespace

std::string Sha1(std::string_view bytes) { return Digest(bytes, EVP_sha1()); }
std::string Sha256(std::string_view bytes) { return Digest(bytes, EVP_sha256()); }
std::string Sha512(std::string_view bytes) { return Digest(bytes, EVP_sha512()); }

}  // namespace kulisse::certs
