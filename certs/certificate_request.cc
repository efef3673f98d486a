#include "certs/certificate_request.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>
#include <optional>

#include "base/status.h"

namespace kulisse::certs {

namespace {

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
using Request = std::unique_ptr<X509_REQ, decltype(&X509_REQ_free)>;
using PemText = std::unique_ptr<char, decltype([](char* text) { OPENSSL_free(text); })>;
using PemBytes =
    std::unique_ptr<unsigned char, decltype([](unsigned char* bytes) { OPENSSL_free(bytes); })>;

std::string ToUtf8(const ASN1_STRING* text) {
  unsigned char* bytes = nullptr;
  const int size = ASN1_STRING_to_UTF8(&bytes, text);
  const PemBytes owner(bytes);
  if (size < 0) return "";
  return {reinterpret_cast<const char*>(bytes), static_cast<size_t>(size)};
}

// A block of PEM text.
struct Block {
  std::string type;
  bool has_headers = false;
  std::vector<unsigned char> bytes;
};

// The next block, or nothing.
std::optional<Block> TakeBlock(BIO* bio) {
  char* name = nullptr;
  char* header = nullptr;
  unsigned char* bytes = nullptr;
  long size = 0;
  const bool read = PEM_read_bio(bio, &name, &header, &bytes, &size) == 1;
  const PemText name_owner(name);
  const PemText header_owner(header);
  const PemBytes bytes_owner(bytes);
  ERR_clear_error();
  if (!read) return std::nullopt;
  return Block{name, *header != '\0', {bytes, bytes + size}};
}

std::expected<Request, std::string> ParseRequest(const std::string& pem) {
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
  const auto block = TakeBlock(bio.get());
  if (!block || block->type != "CERTIFICATE REQUEST") {
    return std::unexpected("PEM block type must be CERTIFICATE REQUEST");
  }
  const unsigned char* next = block->bytes.data();
  Request request(d2i_X509_REQ(nullptr, &next, static_cast<long>(block->bytes.size())),
                  X509_REQ_free);
  ERR_clear_error();
  if (request == nullptr) return std::unexpected("asn1: structure error");
  if (next != block->bytes.data() + block->bytes.size()) {
    return std::unexpected("asn1: syntax error: trailing data");
  }
  return request;
}

// Why a signature is no good, as the verifier of the key's kind says it.
std::string SignatureError(const EVP_PKEY* key) {
  switch (EVP_PKEY_base_id(key)) {
    case EVP_PKEY_RSA:
      return "crypto/rsa: verification error";
    case EVP_PKEY_EC:
      return "x509: ECDSA verification failure";
    case EVP_PKEY_ED25519:
      return "x509: Ed25519 verification failure";
    default:
      return "x509: cannot verify signature: algorithm unimplemented";
  }
}

}  // namespace

std::expected<std::vector<std::string>, std::string> OrganizationsOfRequest(
    const std::string& pem) {
  const auto request = ParseRequest(pem);
  if (!request) return std::unexpected(request.error());
  const X509_NAME* subject = X509_REQ_get_subject_name(request->get());
  std::vector<std::string> organizations;
  for (int at = -1;;) {
    at = X509_NAME_get_index_by_NID(subject, NID_organizationName, at);
    if (at < 0) break;
    organizations.push_back(ToUtf8(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at))));
  }
  return organizations;
}

std::string CheckRequest(const std::string& pem) {
  const auto request = ParseRequest(pem);
  if (!request) return request.error();
  EVP_PKEY* key = X509_REQ_get0_pubkey(request->get());
  if (key == nullptr) {
    ERR_clear_error();
    return "x509: cannot verify signature: algorithm unimplemented";
  }
  const bool good = X509_REQ_verify(request->get(), key) == 1;
  ERR_clear_error();
  return good ? "" : SignatureError(key);
}

std::string CheckCertificates(const std::string& pem) {
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
  size_t blocks = 0;
  while (const auto block = TakeBlock(bio.get())) {
    if (block->type != "CERTIFICATE") {
      return fmt::format("only CERTIFICATE PEM blocks are allowed, found {}", GoQuote(block->type));
    }
    if (block->has_headers) return "no PEM block headers are permitted";
    const unsigned char* next = block->bytes.data();
    const std::unique_ptr<X509, decltype(&X509_free)> certificate(
        d2i_X509(nullptr, &next, static_cast<long>(block->bytes.size())), X509_free);
    ERR_clear_error();
    if (certificate == nullptr) return "x509: malformed certificate";
    ++blocks;
  }
  return blocks > 0 ? "" : "must contain at least one CERTIFICATE PEM block";
}

}  // namespace kulisse::certs
