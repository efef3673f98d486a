// The listener over TLS, and who its clients are.
#include "apiserver/net/tls.h"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <fstream>
#include <thread>

#include "base/limits.h"
#include "test/unit/apiserver/net/net_support.h"

namespace kulisse::apiserver::net {
namespace {

constexpr std::string_view kGet = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";

HttpResponse WhoAmI(const HttpRequest& request) {
  std::string who = "nobody";
  if (request.client_certificate) {
    who = request.client_certificate->common_name;
    for (const std::string& group : request.client_certificate->organizations) who += "," + group;
  }
  return TextResponse(who + (request.client_certificate_invalid ? ",invalid" : ""));
}

class TlsTest : public testing::Test {
 protected:
  [[nodiscard]] TlsClientOptions As(const std::string& name) const {
    TlsClientOptions options;
    options.certificate_file = pki_.path(name + ".crt");
    options.key_file = pki_.path(name + ".key");
    return options;
  }
  [[nodiscard]] ServerOptions Options() const {
    return {.address = "127.0.0.1", .port = 0, .tls = pki_.files(), .threads = 1};
  }

  TestPki pki_;
};

TEST_F(TlsTest, TellsWhoTheClientIs) {
  TestServer server(WhoAmI, Options());
  TestClient anonymous(server, TlsClientOptions{});
  EXPECT_EQ(anonymous.Exchange(kGet).body, "nobody");
  struct Row {
    std::string_view name, want;
  };
  constexpr Row kRows[] = {
      {"client", "jane,system:masters"}, {"foreign", "nobody,invalid"},
      {"expired", "nobody,invalid"},     {"wrong-use", "nobody,invalid"},
      {"short", "jane,system:masters"},
  };
  for (const Row& row : kRows) {
    TestClient client(server, As(std::string(row.name)));
    ASSERT_TRUE(client.connected()) << row.name;
    for (int i = 0; i < 2; ++i) EXPECT_EQ(client.Exchange(kGet).body, row.want) << row.name;
  }
}

TEST_F(TlsTest, ForgetsAnIdentityThatExpiresWhileConnected) {
  TestServer server(WhoAmI, Options());
  TestClient client(server, As("short"));
  EXPECT_EQ(client.Exchange(kGet).body, "jane,system:masters");
  for (int i = 0; i < 13; ++i) {
    server.runtime().RunFor(5min);
    ASSERT_EQ(client.Exchange(kGet).status, 200);
  }
  EXPECT_EQ(client.Exchange(kGet).body, "nobody,invalid");
}

TEST_F(TlsTest, VerifiesACertificateAgainOnceItHasExpired) {
  TestServer server(WhoAmI, Options());
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(TestClient(server, As("short")).Exchange(kGet).body, "jane,system:masters");
  }
  server.runtime().RunFor(65min);
  EXPECT_EQ(TestClient(server, As("short")).Exchange(kGet).body, "nobody,invalid");
}

TEST_F(TlsTest, ResumesNoSession) {
  TestServer server(WhoAmI, Options());
  TestClient first(server, As("client"));
  EXPECT_EQ(first.Exchange(kGet).body, "jane,system:masters");
  void* session = first.TakeSession();
  TlsClientOptions options = As("client");
  options.session = session;
  TestClient second(server, options);
  EXPECT_FALSE(second.resumed());
  EXPECT_EQ(second.Exchange(kGet).body, "jane,system:masters");
  SSL_SESSION_free(static_cast<SSL_SESSION*>(session));
}

TEST_F(TlsTest, SpeaksOnlyHttp11AndTls12OrLater) {
  TestServer server(WhoAmI, Options());
  TlsClientOptions options;
  options.protocols = {"h2", "http/1.1"};
  EXPECT_EQ(TestClient(server, options).protocol(), "http/1.1");
  options.protocols = {"h2"};
  EXPECT_FALSE(TestClient(server, options).connected());
  options.protocols = {};
  options.version_max = TLS1_2_VERSION;
  EXPECT_EQ(TestClient(server, options).Exchange(kGet).body, "nobody");
  options.version_max = TLS1_1_VERSION;
  EXPECT_FALSE(TestClient(server, options).connected());
}

TEST_F(TlsTest, TellsAPlainHttpClientWhatIsWrong) {
  TestServer server(WhoAmI, Options());
  TestClient client(server);
  client.Send(kGet);
  EXPECT_EQ(client.ReadToEnd(),
            "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n");
}

TEST_F(TlsTest, GivesUpOnAHandshakeThatDoesNotEnd) {
  TestServer server(WhoAmI, Options());
  TestClient client(server);
  server.AwaitConnections(1);
  server.runtime().RunFor(kTlsHandshakeTimeMax + 1s);
  EXPECT_EQ(client.ReadToEnd(), "");
  server.AwaitConnections(0);
}

TEST_F(TlsTest, CarriesLargeBodiesBothWays) {
  TestServer server(EchoRequest, Options());
  TestClient client(server, TlsClientOptions{});
  const std::string body(kRequestBodyBytesMax, 'b');
  for (int i = 0; i < 3; ++i) {
    client.Send("PUT /p HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) +
                "\r\n\r\n" + body);
    const TestResponse response = client.ReadResponse();
    EXPECT_TRUE(response.whole);
    EXPECT_EQ(response.body.size(), body.size() + 7);
  }
}

TEST_F(TlsTest, AnswersPipelinedRequestsOfOneRecord) {
  TestServer server(EchoRequest, Options());
  TestClient client(server, TlsClientOptions{});
  std::string requests;
  for (int i = 0; i < 300; ++i) {
    requests += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: a\r\n\r\n";
  }
  client.Send(requests);
  for (int i = 0; i < 300; ++i) {
    ASSERT_EQ(client.ReadResponse().body, "GET /" + std::to_string(i) + " ");
  }
}

TEST_F(TlsTest, StreamsAndNoticesThatTheClientLeft) {
  const auto feed = std::make_shared<TestFeed>();
  TestServer server(
      [&](const HttpRequest&) {
        HttpResponse response;
        response.stream = TestFeed::MakeSource(feed);
        return response;
      },
      Options());
  TestClient client(server, TlsClientOptions{});
  client.Send(kGet);
  EXPECT_EQ(client.ReadHead().status, 200);
  feed->Push("event");
  EXPECT_EQ(client.ReadChunk(), "event");
  const std::string large(1'000'000, 'l');
  feed->Push(large);
  std::string got;
  while (got.size() < large.size()) got += client.ReadChunk().value_or("end");
  EXPECT_EQ(got, large);
  client.Close();
  feed->AwaitDestroyed();
}

TEST_F(TlsTest, SaysWhichFileIsWrong) {
  struct Row {
    std::string TlsFiles::* file;
    std::string path, want;
  };
  std::ofstream(pki_.path("text")) << "hello";
  const std::string missing = pki_.path("missing");
  const std::string text = pki_.path("text");
  const Row kRows[] = {
      {&TlsFiles::certificate_file, missing, "cannot use the certificate " + missing},
      {&TlsFiles::certificate_file, text, "cannot use the certificate " + text},
      {&TlsFiles::key_file, missing, "cannot use the key " + missing},
      {&TlsFiles::key_file, pki_.path("client.key"),
       "cannot use the key " + pki_.path("client.key")},
      {&TlsFiles::client_ca_file, text, "cannot use the client CA " + text},
  };
  for (const Row& row : kRows) {
    TlsFiles files = pki_.files();
    files.*row.file = row.path;
    const auto context = TlsContext::Create(files);
    ASSERT_FALSE(context.has_value());
    EXPECT_TRUE(context.error().starts_with(row.want)) << context.error();
  }
}

}  // namespace
}  // namespace kulisse::apiserver::net
