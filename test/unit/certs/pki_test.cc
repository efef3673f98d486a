#include "certs/pki.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <map>

#include "base/limits.h"
#include "certs/certificate.h"
#include "certs/private_file.h"

namespace kulisse::certs {
namespace {

constexpr const char* kNames[] = {"ca.key",    "ca.crt",    "apiserver.key", "apiserver.crt",
                                  "admin.key", "admin.crt", "sa.key",        "sa.pub"};

class PkiTest : public testing::Test {
 protected:
  [[nodiscard]] std::expected<PkiFiles, std::string> Ensure(std::vector<std::string> hosts = {}) {
    return EnsurePki({.directory = directory_, .hosts = std::move(hosts), .now = now_});
  }
  [[nodiscard]] std::string Path(const std::string& name) const { return directory_ + "/" + name; }
  [[nodiscard]] std::string Read(const std::string& name) const {
    return ReadSmallFile(Path(name)).value();
  }
  [[nodiscard]] Certificate Load(const std::string& name) const {
    return Certificate::FromPem(Read(name)).value();
  }
  [[nodiscard]] std::map<std::string, std::string> ReadAll() const {
    std::map<std::string, std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
      files[entry.path().filename()] = ReadSmallFile(entry.path()).value();
    }
    return files;
  }

  TemporaryDirectory temporary_ = TemporaryDirectory::Make().value();
  std::string directory_ = temporary_.path() + "/pki";
  SystemTime now_ = SystemTime(std::chrono::seconds(1'800'000'000));
};

TEST_F(PkiTest, MakesAllFilesForTheirOwnerOnly) {
  ASSERT_TRUE(Ensure().has_value());
  const auto files = ReadAll();
  EXPECT_EQ(files.size(), std::size(kNames));
  for (const char* name : kNames) {
    ASSERT_TRUE(files.contains(name)) << name;
    struct stat info = {};
    ASSERT_EQ(::stat(Path(name).c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u) << name;
  }
}

TEST_F(PkiTest, ServingCertificateCoversTheNamesOfTheCluster) {
  ASSERT_TRUE(Ensure({"192.0.2.7", "stage.example", "0.0.0.0", "::", ""}).has_value());
  const Certificate server = Load("apiserver.crt");
  EXPECT_TRUE(server.IsSignedBy(Load("ca.crt")));
  for (const char* host : {"localhost", "kubernetes", "kubernetes.default",
                           "kubernetes.default.svc", "kubernetes.default.svc.cluster.local",
                           "127.0.0.1", "::1", "10.96.0.1", "192.0.2.7", "stage.example"}) {
    EXPECT_TRUE(server.Covers(host)) << host;
  }
  EXPECT_FALSE(server.Covers("0.0.0.0"));
}

TEST_F(PkiTest, SecondStartChangesNothing) {
  ASSERT_TRUE(Ensure({"192.0.2.7"}).has_value());
  const auto before = ReadAll();
  now_ += std::chrono::hours(24);
  ASSERT_TRUE(Ensure({"192.0.2.7"}).has_value());
  EXPECT_EQ(ReadAll(), before);
}

TEST_F(PkiTest, NewHostGetsANewServingCertificateForTheSameKey) {
  ASSERT_TRUE(Ensure().has_value());
  auto before = ReadAll();
  ASSERT_TRUE(Ensure({"stage.example"}).has_value());
  auto after = ReadAll();
  EXPECT_TRUE(Load("apiserver.crt").Covers("stage.example"));
  EXPECT_NE(before["apiserver.crt"], after["apiserver.crt"]);
  before.erase("apiserver.crt");
  after.erase("apiserver.crt");
  EXPECT_EQ(before, after);
}

TEST_F(PkiTest, CertificatesNearTheirEndAreIssuedAnew) {
  ASSERT_TRUE(Ensure().has_value());
  const auto before = ReadAll();
  now_ += kCertificateValidity - kCertificateRenewalLead + std::chrono::hours(1);
  ASSERT_TRUE(Ensure().has_value());
  const auto after = ReadAll();
  for (const char* name : kNames) {
    const bool renewed = name == std::string("apiserver.crt") || name == std::string("admin.crt");
    EXPECT_EQ(before.at(name) != after.at(name), renewed) << name;
  }
  EXPECT_GT(Load("admin.crt").not_after() - now_, kCertificateRenewalLead);
}

TEST_F(PkiTest, NothingOutlivesTheAuthorityAndAnExpiredOneIsRefused) {
  ASSERT_TRUE(Ensure().has_value());
  const SystemTime end = Load("ca.crt").not_after();
  now_ = end - std::chrono::hours(1);
  ASSERT_TRUE(Ensure().has_value());
  EXPECT_EQ(Load("apiserver.crt").not_after(), end);
  now_ = end;
  const auto expired = Ensure();
  ASSERT_FALSE(expired.has_value());
  EXPECT_NE(expired.error().find(Path("ca.crt")), std::string::npos) << expired.error();
}

// A crash between two files leaves a beginning of this order; each must start.
TEST_F(PkiTest, StartsAfterACrashBetweenAnyTwoFiles) {
  ASSERT_TRUE(Ensure().has_value());
  const auto complete = ReadAll();
  for (size_t written = 0; written <= std::size(kNames); ++written) {
    SCOPED_TRACE(written);
    std::filesystem::remove_all(directory_);
    ASSERT_TRUE(MakePrivateDirectory(directory_).has_value());
    for (size_t i = 0; i < written; ++i) {
      ASSERT_TRUE(WritePrivateFile(Path(kNames[i]), complete.at(kNames[i])).has_value());
    }
    const auto files = Ensure();
    ASSERT_TRUE(files.has_value()) << files.error();
    EXPECT_EQ(ReadAll().size(), std::size(kNames));
    EXPECT_TRUE(Load("admin.crt").IsSignedBy(Load("ca.crt")));
  }
}

struct Damage {
  const char* name;   // the damaged file
  const char* bytes;  // its new text; null: removed
};

class PkiDamageTest : public PkiTest, public testing::WithParamInterface<Damage> {};

TEST_P(PkiDamageTest, IsRefusedByNameAndLeftAsItIs) {
  ASSERT_TRUE(Ensure().has_value());
  const Damage& damage = GetParam();
  if (damage.bytes == nullptr) {
    std::filesystem::remove(Path(damage.name));
  } else {
    ASSERT_TRUE(WritePrivateFile(Path(damage.name), damage.bytes).has_value());
  }
  const auto before = ReadAll();
  const auto files = Ensure();
  ASSERT_FALSE(files.has_value());
  EXPECT_NE(files.error().find(Path(damage.name)), std::string::npos) << files.error();
  EXPECT_EQ(ReadAll(), before);
}

constexpr const char* kBroken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
constexpr Damage kDamages[] = {
    {"ca.key", ""},
    {"ca.key", kBroken},
    {"ca.key", nullptr},
    {"ca.crt", ""},
    {"ca.crt", kBroken},
    {"apiserver.key", "x"},
    {"apiserver.key", nullptr},
    {"apiserver.crt", kBroken},
    {"admin.key", ""},
    {"admin.crt", "x"},
    {"sa.key", "x"},
    {"sa.key", nullptr},
    {"sa.pub", "x"},
};
INSTANTIATE_TEST_SUITE_P(Files, PkiDamageTest, testing::ValuesIn(kDamages));

struct Swap {
  const char* name;
  const char* other;
};

class PkiSwapTest : public PkiTest, public testing::WithParamInterface<Swap> {};

TEST_P(PkiSwapTest, FilesThatDoNotBelongTogetherAreRefused) {
  ASSERT_TRUE(Ensure().has_value());
  ASSERT_TRUE(WritePrivateFile(Path(GetParam().name), Read(GetParam().other)).has_value());
  const auto files = Ensure();
  ASSERT_FALSE(files.has_value());
  EXPECT_NE(files.error().find(GetParam().name), std::string::npos) << files.error();
}

constexpr Swap kSwaps[] = {{"ca.crt", "admin.crt"},        {"apiserver.crt", "admin.crt"},
                           {"admin.key", "apiserver.key"}, {"ca.key", "sa.key"},
                           {"apiserver.key", "sa.key"},    {"sa.key", "ca.key"}};
INSTANTIATE_TEST_SUITE_P(Files, PkiSwapTest, testing::ValuesIn(kSwaps));

TEST_F(PkiTest, RefusesCertificatesOfAnotherAuthority) {
  ASSERT_TRUE(Ensure().has_value());
  std::filesystem::remove(Path("ca.key"));
  std::filesystem::remove(Path("ca.crt"));
  const auto files = Ensure();
  ASSERT_FALSE(files.has_value());
  EXPECT_EQ(files.error(), Path("apiserver.crt") + " is not signed by " + Path("ca.crt"));
}

}  // namespace
}  // namespace kulisse::certs
