#include "certs/certificate.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <ctime>
#include <utility>

#include "base/assert.h"

namespace kulisse::certs {

namespace {

constexpr int kSerialBits = 159;  // RFC 5280: at most 20 bytes, positive

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* pointer) const {
    Free(pointer);
  }
};
template <class T, auto Free>
using Owned = std::unique_ptr<T, Deleter<Free>>;
using Bio = Owned<BIO, BIO_free_all>;

Bio ReadBio(const std::string& text) {
  Bio bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  KULISSE_ASSERT(bio != nullptr);
  return bio;
}

Bio WriteBio() {
  Bio bio(BIO_new(BIO_s_mem()));
  KULISSE_ASSERT(bio != nullptr);
  return bio;
}

std::string Text(const Bio& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<size_t>(size)};
}

bool IsIpAddress(const std::string& host) {
  const Owned<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free> address(a2i_IPADDRESS(host.c_str()));
  if (address == nullptr) ERR_clear_error();
  return address != nullptr;
}

// Does not ask a terminal for the password of an encrypted key.
int NoPassword(char*, int, int, void*) { return -1; }

SystemTime ToSystemTime(const ASN1_TIME* time) {
  std::tm parts = {};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return SystemTime::min();
  return SystemTime(std::chrono::seconds(timegm(&parts)));
}

void SetTime(ASN1_TIME* target, SystemTime time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time.time_since_epoch());
  KULISSE_ASSERT(ASN1_TIME_set(target, static_cast<time_t>(seconds.count())) != nullptr);
}

void SetSerial(X509* certificate) {
  const Owned<BIGNUM, BN_free> number(BN_new());
  KULISSE_ASSERT(BN_rand(number.get(), kSerialBits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1);
  KULISSE_ASSERT(BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr);
}

void AddName(X509_NAME* name, const char* field, const std::string& value) {
  if (value.empty()) return;
  KULISSE_ASSERT(X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
                                            reinterpret_cast<const unsigned char*>(value.data()),
                                            static_cast<int>(value.size()), -1, 0) == 1);
}

void AddExtension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Owned<X509_EXTENSION, X509_EXTENSION_free> extension(
      X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  KULISSE_ASSERT(extension != nullptr);
  KULISSE_ASSERT(X509_add_ext(certificate, extension.get(), -1) == 1);
}

std::string AlternativeNames(const std::vector<std::string>& hosts) {
  std::string text;
  for (const std::string& host : hosts) {
    if (!text.empty()) text += ',';
    text += IsIpAddress(host) ? "IP:" : "DNS:";
    text += host;
  }
  return text;
}

// The order of the extensions is that of RFC 5280; strict verifiers (Python 3.13) want all of them.
void AddExtensions(X509* certificate, X509* issuer, const CertificateSpec& spec) {
  using enum CertificateSpec::Use;
  const bool authority = spec.use == kAuthority;
  AddExtension(certificate, issuer, NID_basic_constraints,
               authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
  AddExtension(
      certificate, issuer, NID_key_usage,
      authority ? "critical,digitalSignature,keyCertSign,cRLSign" : "critical,digitalSignature");
  if (!authority) {
    AddExtension(certificate, issuer, NID_ext_key_usage,
                 spec.use == kServer ? "serverAuth" : "clientAuth");
  }
  AddExtension(certificate, issuer, NID_subject_key_identifier, "hash");
  if (!authority) AddExtension(certificate, issuer, NID_authority_key_identifier, "keyid:always");
  if (!spec.hosts.empty()) {
    AddExtension(certificate, issuer, NID_subject_alt_name, AlternativeNames(spec.hosts));
  }
}

}  // namespace

PrivateKey PrivateKey::Generate() {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  KULISSE_ASSERT(key != nullptr);
  return PrivateKey(std::shared_ptr<EVP_PKEY>(key, EVP_PKEY_free));
}

std::expected<PrivateKey, std::string> PrivateKey::FromPem(const std::string& pem) {
  const Bio bio = ReadBio(pem);
  EVP_PKEY* key = PEM_read_bio_PrivateKey(bio.get(), nullptr, NoPassword, nullptr);
  ERR_clear_error();
  if (key == nullptr) return std::unexpected("is not an unencrypted private key in PEM form");
  return PrivateKey(std::shared_ptr<EVP_PKEY>(key, EVP_PKEY_free));
}

std::string PrivateKey::ToPem() const {
  const Bio bio = WriteBio();
  // Not as PKCS #8: fabric8's Java client takes "BEGIN PRIVATE KEY" for an RSA key.
  KULISSE_ASSERT(PEM_write_bio_PrivateKey_traditional(bio.get(), key_.get(), nullptr, nullptr, 0,
                                                      nullptr, nullptr) == 1);
  return Text(bio);
}

std::string PrivateKey::PublicToPem() const {
  const Bio bio = WriteBio();
  KULISSE_ASSERT(PEM_write_bio_PUBKEY(bio.get(), key_.get()) == 1);
  return Text(bio);
}

Certificate Certificate::Issue(const CertificateSpec& spec, const PrivateKey& key,
                               const Certificate* issuer, const PrivateKey& issuer_key) {
  std::shared_ptr<X509> made(X509_new(), X509_free);
  X509* certificate = made.get();
  KULISSE_ASSERT(certificate != nullptr);
  KULISSE_ASSERT(X509_set_version(certificate, X509_VERSION_3) == 1);
  SetSerial(certificate);
  SetTime(X509_getm_notBefore(certificate), spec.not_before);
  SetTime(X509_getm_notAfter(certificate), spec.not_after);
  X509_NAME* subject = X509_get_subject_name(certificate);
  AddName(subject, "O", spec.organization);
  AddName(subject, "CN", spec.common_name);
  X509* issuer_certificate = issuer != nullptr ? issuer->get() : certificate;
  KULISSE_ASSERT(X509_set_issuer_name(certificate, X509_get_subject_name(issuer_certificate)) == 1);
  KULISSE_ASSERT(X509_set_pubkey(certificate, key.get()) == 1);
  AddExtensions(certificate, issuer_certificate, spec);
  KULISSE_ASSERT(X509_sign(certificate, issuer_key.get(), EVP_sha256()) > 0);
  return Certificate(std::move(made));
}

std::expected<Certificate, std::string> Certificate::FromPem(const std::string& pem) {
  const Bio bio = ReadBio(pem);
  X509* certificate = PEM_read_bio_X509(bio.get(), nullptr, NoPassword, nullptr);
  ERR_clear_error();
  if (certificate == nullptr) return std::unexpected("is not a certificate in PEM form");
  return Certificate(std::shared_ptr<X509>(certificate, X509_free));
}

std::string Certificate::ToPem() const {
  const Bio bio = WriteBio();
  KULISSE_ASSERT(PEM_write_bio_X509(bio.get(), certificate_.get()) == 1);
  return Text(bio);
}

SystemTime Certificate::not_before() const {
  return ToSystemTime(X509_get0_notBefore(certificate_.get()));
}

SystemTime Certificate::not_after() const {
  return ToSystemTime(X509_get0_notAfter(certificate_.get()));
}

bool Certificate::is_authority() const { return X509_check_ca(certificate_.get()) == 1; }

bool Certificate::Covers(const std::string& host) const {
  if (IsIpAddress(host)) return X509_check_ip_asc(certificate_.get(), host.c_str(), 0) == 1;
  return X509_check_host(certificate_.get(), host.data(), host.size(),
                         X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, nullptr) == 1;
}

bool Certificate::BelongsTo(const PrivateKey& key) const {
  const bool belongs = X509_check_private_key(certificate_.get(), key.get()) == 1;
  ERR_clear_error();
  return belongs;
}

bool Certificate::IsSignedBy(const Certificate& authority) const {
  const bool is_signed = X509_check_issued(authority.get(), certificate_.get()) == X509_V_OK &&
                         X509_verify(certificate_.get(), X509_get0_pubkey(authority.get())) == 1;
  ERR_clear_error();
  return is_signed;
}

}  // namespace kulisse::certs
