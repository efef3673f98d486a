#include "certs/kubeconfig.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/text.h"
#include "certs/private_file.h"

namespace kulisse::certs {
namespace {

TEST(ServerUrlTest, IsWhereAClientOfThisMachineConnects) {
  EXPECT_EQ(ServerUrl("127.0.0.1", 6443), "https://127.0.0.1:6443");
  EXPECT_EQ(ServerUrl("::1", 6443), "https://[::1]:6443");
  EXPECT_EQ(ServerUrl("0.0.0.0", 1), "https://127.0.0.1:1");
  EXPECT_EQ(ServerUrl("::", 1), "https://[::1]:1");
  EXPECT_EQ(ServerUrl("stage.example", 443), "https://stage.example:443");
}

class KubeconfigTest : public testing::Test {
 protected:
  TemporaryDirectory directory_ = TemporaryDirectory::Make().value();
  PkiFiles files_ = EnsurePki({.directory = directory_.path() + "/pki",
                               .hosts = {},
                               .now = SystemTime(std::chrono::seconds(1'800'000'000))})
                        .value();
};

// The value of `key` in the text, which has one "key: value" a line.
std::string ValueOf(const std::string& text, const std::string& key) {
  const size_t at = text.find(key + ": ");
  if (at == std::string::npos) return "";
  const size_t begin = at + key.size() + 2;
  return text.substr(begin, text.find('\n', begin) - begin);
}

TEST_F(KubeconfigTest, HoldsTheServerAndTheAdminsFiles) {
  const std::string text = KubeconfigText(files_, "https://127.0.0.1:6443").value();
  EXPECT_EQ(ValueOf(text, "server"), "https://127.0.0.1:6443");
  EXPECT_EQ(ValueOf(text, "current-context"), "kulisse");
  EXPECT_EQ(Base64Decode(ValueOf(text, "certificate-authority-data")),
            ReadSmallFile(files_.ca_certificate).value());
  EXPECT_EQ(Base64Decode(ValueOf(text, "client-certificate-data")),
            ReadSmallFile(files_.admin_certificate).value());
  EXPECT_EQ(Base64Decode(ValueOf(text, "client-key-data")),
            ReadSmallFile(files_.admin_key).value());
}

TEST_F(KubeconfigTest, IsWrittenForItsOwnerOnly) {
  const std::string path = directory_.path() + "/deep/down/kubeconfig";
  ASSERT_TRUE(WriteKubeconfig(path, files_, "https://127.0.0.1:6443").has_value());
  struct stat info = {};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  EXPECT_EQ(ReadSmallFile(path), KubeconfigText(files_, "https://127.0.0.1:6443"));
}

TEST_F(KubeconfigTest, SaysWhichFileItCouldNotRead) {
  files_.admin_key = "/nowhere/admin.key";
  const auto text = KubeconfigText(files_, "https://127.0.0.1:6443");
  ASSERT_FALSE(text.has_value());
  EXPECT_NE(text.error().find("/nowhere/admin.key"), std::string::npos);
}

}  // namespace
}  // namespace kulisse::certs
