#include "cmd/client/kubeconfig.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "test/support/temp_directory.h"

namespace kulisse::cmd {
namespace {

class KubeconfigTest : public testing::Test {
 protected:
  std::string Write(const std::string& name, const std::string& text) {
    const std::string path = directory_.path() + "/" + name;
    std::ofstream(path) << text;
    return path;
  }
  // "host:port", or "error: …" without the folder.
  std::string Read(const std::string& paths) {
    const auto access = ReadKubeconfig(paths);
    if (access) return access->host + ":" + access->port;
    std::string error = access.error();
    const size_t at = error.find(directory_.path());
    if (at != error.npos) error.erase(at, directory_.path().size() + 1);
    return "error: " + error;
  }

  TempDirectory directory_;
};

TEST_F(KubeconfigTest, ReadsTheCurrentContext) {
  Write("ca.pem", "the authority");
  const auto access = ReadKubeconfig(Write("config", R"(
current-context: b
contexts:
- {name: a, context: {cluster: one, user: one}}
- {name: b, context: {cluster: two, user: two, namespace: team}}
clusters:
- {name: one, cluster: {server: "https://x:1"}}
- {name: two, cluster: {server: "https://[::1]:6443/", certificate-authority: ca.pem, tls-server-name: name}}
users:
- {name: two, user: {client-certificate-data: YWJj, client-key-data: ZGVm, token: secret}}
)"));
  ASSERT_TRUE(access.has_value()) << access.error();
  EXPECT_TRUE(access->tls);
  EXPECT_TRUE(access->verify);
  EXPECT_EQ(access->host, "::1");
  EXPECT_EQ(access->port, "6443");
  EXPECT_EQ(access->ca_pem, "the authority");
  EXPECT_EQ(access->certificate_pem, "abc");
  EXPECT_EQ(access->key_pem, "def");
  EXPECT_EQ(access->token, "secret");
  EXPECT_EQ(access->server_name, "name");
  EXPECT_EQ(access->ns, "team");
}

TEST_F(KubeconfigTest, TheFirstOfSeveralFilesThatSaysSomethingCounts) {
  const std::string first = Write("first", "current-context: a\nclusters: []\n");
  const std::string second = Write("second", R"(
current-context: b
contexts: [{name: a, context: {cluster: one}}]
clusters: [{name: one, cluster: {server: "http://localhost:8080"}}]
)");
  EXPECT_EQ(Read(directory_.path() + "/absent:" + first + ":" + second), "localhost:8080");
}

TEST_F(KubeconfigTest, SaysWhatItCannotUse) {
  struct Row {
    std::string text;
    std::string want;
  };
  const std::string context =
      "current-context: a\ncontexts: [{name: a, context: {cluster: one, user: u}}]\n";
  const std::string cluster = "clusters: [{name: one, cluster: {server: 'https://h'}}]\n";
  const std::vector<Row> rows = {
      {"{}", "error: config: there is no current-context"},
      {"a: b: c", "error: config: yaml: mapping values are not allowed in this context"},
      {"current-context: a\n", "error: config: there is no context \"a\""},
      {context, "error: config: there is no cluster \"one\""},
      {context + "clusters: [{name: one, cluster: {server: 'ftp://h'}}]",
       "error: config: server \"ftp://h\" is not https://HOST:PORT"},
      {context + "clusters: [{name: one, cluster: {server: 'https://h', proxy-url: 'http://p'}}]",
       "error: config: proxy-url is not supported"},
      {context + cluster, "error: config: there is no user \"u\""},
      {context + cluster + "users: [{name: u, user: {exec: {command: x}}}]",
       "error: config: users with exec are not supported; a client certificate or a token is"},
      {context + cluster + "users: [{name: u, user: {client-certificate: gone}}]",
       "error: config: cannot read gone"},
      {context + cluster + "users: [{name: u, user: {client-key-data: '?'}}]",
       "error: config: client-key-data is no base64"},
      {context + cluster + "users: [{name: u, user: {}}]", "h:443"},
  };
  for (const Row& row : rows) EXPECT_EQ(Read(Write("config", row.text)), row.want) << row.text;
  EXPECT_EQ(Read(directory_.path() + "/absent"), "error: cannot read the kubeconfig absent");
}

}  // namespace
}  // namespace kulisse::cmd
