#include "certs/certificate.h"

#include <gtest/gtest.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace kulisse::certs {
namespace {

const SystemTime kNow(std::chrono::seconds(1'800'000'000));

CertificateSpec AuthoritySpec() {
  return {.use = CertificateSpec::Use::kAuthority,
          .common_name = "kubernetes",
          .organization = "",
          .hosts = {},
          .not_before = kNow,
          .not_after = kNow + std::chrono::hours(48)};
}

CertificateSpec ServerSpec() {
  return {.use = CertificateSpec::Use::kServer,
          .common_name = "kube-apiserver",
          .organization = "",
          .hosts = {"localhost", "kubernetes.default", "127.0.0.1", "::1"},
          .not_before = kNow,
          .not_after = kNow + std::chrono::hours(24)};
}

// What OpenSSL's verifier says: X509_V_OK or the reason.
int Verify(const Certificate& authority, const Certificate& leaf, int purpose, SystemTime now,
           const char* host) {
  X509_STORE* store = X509_STORE_new();
  X509_STORE_add_cert(store, authority.get());
  X509_STORE_CTX* context = X509_STORE_CTX_new();
  X509_STORE_CTX_init(context, store, leaf.get(), nullptr);
  X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context);
  X509_VERIFY_PARAM_set_purpose(parameters, purpose);
  X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_X509_STRICT);
  X509_VERIFY_PARAM_set_time(
      parameters, std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count());
  if (host != nullptr) X509_VERIFY_PARAM_set1_host(parameters, host, 0);
  X509_verify_cert(context);
  const int error = X509_STORE_CTX_get_error(context);
  X509_STORE_CTX_free(context);
  X509_STORE_free(store);
  return error;
}

class CertificateTest : public testing::Test {
 protected:
  PrivateKey authority_key_ = PrivateKey::Generate();
  Certificate authority_ =
      Certificate::Issue(AuthoritySpec(), authority_key_, nullptr, authority_key_);
  PrivateKey key_ = PrivateKey::Generate();
  Certificate server_ = Certificate::Issue(ServerSpec(), key_, &authority_, authority_key_);
};

TEST_F(CertificateTest, StrictVerifierAcceptsTheServerCertificate) {
  EXPECT_EQ(Verify(authority_, server_, X509_PURPOSE_SSL_SERVER, kNow, "localhost"), X509_V_OK);
}

TEST_F(CertificateTest, VerifierRefusesOtherHostsTimesAndPurposes) {
  EXPECT_EQ(Verify(authority_, server_, X509_PURPOSE_SSL_SERVER, kNow, "example.com"),
            X509_V_ERR_HOSTNAME_MISMATCH);
  EXPECT_EQ(Verify(authority_, server_, X509_PURPOSE_SSL_SERVER, kNow + std::chrono::hours(25),
                   "localhost"),
            X509_V_ERR_CERT_HAS_EXPIRED);
  EXPECT_EQ(Verify(authority_, server_, X509_PURPOSE_SSL_CLIENT, kNow, nullptr),
            X509_V_ERR_INVALID_PURPOSE);
}

TEST_F(CertificateTest, CoversItsNamesAndAddressesOnly) {
  for (const char* host : {"localhost", "kubernetes.default", "127.0.0.1", "::1"}) {
    EXPECT_TRUE(server_.Covers(host)) << host;
  }
  for (const char* host : {"kube-apiserver", "example.com", "127.0.0.2", "::2", ""}) {
    EXPECT_FALSE(server_.Covers(host)) << host;
  }
}

TEST_F(CertificateTest, PemReadsBackAsTheSameKeyAndCertificate) {
  const auto key = PrivateKey::FromPem(key_.ToPem());
  ASSERT_TRUE(key.has_value()) << key.error();
  const auto certificate = Certificate::FromPem(server_.ToPem());
  ASSERT_TRUE(certificate.has_value()) << certificate.error();
  EXPECT_TRUE(certificate->BelongsTo(*key));
  EXPECT_EQ(certificate->not_before(), kNow);
  EXPECT_EQ(certificate->not_after(), kNow + std::chrono::hours(24));
  EXPECT_EQ(key->PublicToPem(), key_.PublicToPem());
  EXPECT_FALSE(certificate->is_authority());
  EXPECT_TRUE(authority_.is_authority());
}

TEST_F(CertificateTest, AnotherAuthorityOfTheSameNameDidNotSignIt) {
  const PrivateKey other_key = PrivateKey::Generate();
  const Certificate other = Certificate::Issue(AuthoritySpec(), other_key, nullptr, other_key);
  EXPECT_TRUE(server_.IsSignedBy(authority_));
  EXPECT_FALSE(server_.IsSignedBy(other));
  EXPECT_FALSE(server_.BelongsTo(other_key));
}

TEST(PrivateKeyTest, RefusesWhatIsNoKey) {
  const PrivateKey key = PrivateKey::Generate();
  for (const std::string& text :
       {std::string(), std::string("-----BEGIN PRIVATE KEY-----\n"), key.PublicToPem(),
        key.ToPem().substr(0, 80), std::string(1000, '\0'),
        std::string("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE "
                    "KEY-----\n")}) {
    EXPECT_FALSE(PrivateKey::FromPem(text).has_value()) << text;
    EXPECT_FALSE(Certificate::FromPem(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace kulisse::certs
