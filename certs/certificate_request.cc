#include "certs/certificate_request.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>

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

}  // namespace

std::expected<std::vector<std::string>, std::string> OrganizationsOfRequest(
    const std::string& pem) {
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
  char* name = nullptr;
  char* header = nullptr;
  unsigned char* bytes = nullptr;
  long size = 0;
  const bool read = PEM_read_bio(bio.get(), &name, &header, &bytes, &size) == 1;
  const PemText name_owner(name);
  const PemText header_owner(header);
  const PemBytes bytes_owner(bytes);
  ERR_clear_error();
  if (!read || std::string_view(name) != "CERTIFICATE REQUEST") {
    return std::unexpected("PEM block type must be CERTIFICATE REQUEST");
  }
  const unsigned char* next = bytes;
  const Request request(d2i_X509_REQ(nullptr, &next, size), X509_REQ_free);
  ERR_clear_error();
  if (request == nullptr) return std::unexpected("asn1: structure error");
  const X509_NAME* subject = X509_REQ_get_subject_name(request.get());
  std::vector<std::string> organizations;
  for (int at = -1;;) {
    at = X509_NAME_get_index_by_NID(subject, NID_organizationName, at);
    if (at < 0) break;
    organizations.push_back(ToUtf8(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at))));
  }
  return organizations;
}

}  // namespace kulisse::certs
