// Requests and answers over real sockets, plain TCP.
#include "apiserver/net/server.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/limits.h"
#include "base/real_runtime.h"
#include "test/unit/apiserver/net/net_support.h"

namespace kulisse::apiserver::net {
namespace {

constexpr std::string_view kGet = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";

std::string Put(std::string_view headers, std::string_view body) {
  return "PUT /p HTTP/1.1\r\nHost: a\r\n" + std::string(headers) + "\r\n" + std::string(body);
}

TEST(ServerTest, AnswersAndKeepsTheConnection) {
  TestServer server(EchoRequest);
  TestClient client(server);
  for (int i = 0; i < 3; ++i) {
    const TestResponse response = client.Exchange(kGet);
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, "GET /x ");
    EXPECT_EQ(response.Find("Date"), "Thu, 01 Jan 2026 00:00:00 GMT");
    EXPECT_FALSE(response.Has("Connection"));
  }
  EXPECT_EQ(server.server().stats().connections_accepted, 1);
  EXPECT_EQ(server.server().stats().requests, 3);
}

TEST(ServerTest, TellsTheHandlerWhereTheRequestComesFrom) {
  TestServer server(
      [](const HttpRequest& request) { return TextResponse(request.remote_address); });
  TestClient client(server);
  EXPECT_TRUE(client.Exchange(kGet).body.starts_with("127.0.0.1:"));
}

TEST(ServerTest, ReadsRequestsThatArriveByteByByte) {
  TestServer server(EchoRequest);
  TestClient client(server);
  const std::string request =
      Put("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n2\r\nde\r\n0\r\nT: x\r\n\r\n");
  for (const char c : request + request) client.Send(std::string_view(&c, 1));
  EXPECT_EQ(client.ReadResponse().body, "PUT /p abcde");
  EXPECT_EQ(client.ReadResponse().body, "PUT /p abcde");
}

TEST(ServerTest, AnswersPipelinedRequestsInOrder) {
  TestServer server(EchoRequest);
  TestClient client(server);
  std::string requests;
  for (int i = 0; i < 500; ++i) {
    requests += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: a\r\n\r\n";
  }
  client.Send(requests);
  for (int i = 0; i < 500; ++i) {
    ASSERT_EQ(client.ReadResponse().body, "GET /" + std::to_string(i) + " ");
  }
}

TEST(ServerTest, ClosesWhenItIsAskedTo) {
  TestServer server(EchoRequest);
  for (const std::string_view request :
       {"GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "GET /x HTTP/1.0\r\n\r\n"}) {
    TestClient client(server);
    client.Send(std::string(request) + std::string(kGet));  // what follows is not answered
    const TestResponse response = client.ReadResponse();
    EXPECT_EQ(response.body, "GET /x ");
    EXPECT_EQ(response.Find("Connection"), "close");
    EXPECT_EQ(client.ReadToEnd(), "");
  }
}

TEST(ServerTest, KeepsHttp10ConnectionsThatAskForIt) {
  TestServer server(EchoRequest);
  TestClient client(server);
  for (int i = 0; i < 2; ++i) {
    const TestResponse response =
        client.Exchange("GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_EQ(response.body, "GET /x ");
    EXPECT_EQ(response.Find("Connection"), "keep-alive");
  }
}

TEST(ServerTest, TakesBodiesUpToTheLimitAndEchoesThem) {
  TestServer server(EchoRequest);
  TestClient client(server);
  const std::string body(kRequestBodyBytesMax, 'b');
  std::thread sender(
      [&] { client.Send(Put("Content-Length: " + std::to_string(body.size()) + "\r\n", body)); });
  const TestResponse response = client.ReadResponse();
  sender.join();
  EXPECT_TRUE(response.whole);
  EXPECT_EQ(response.body.size(), body.size() + 7);
}

// --- refusals

TEST(ServerTest, RefusesWhatMakesNoSenseAndCloses) {
  struct Row {
    std::string_view request;
    int status;
    std::string_view body;
  };
  constexpr Row kRows[] = {
      {"GET /x HTTP/1.1\r\n\r\n", 400, "400 missing required Host header"},
      {"GET /x HTTP/1.1\nHost: a\n\n", 400, "400 line without carriage return"},
      {"PUT /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501,
       "501 Unsupported transfer encoding"},
      {"GET /x HTTP/3.0\r\n\r\n", 505, "505 HTTP Version Not Supported"},
  };
  TestServer server(EchoRequest);
  for (const Row& row : kRows) {
    TestClient client(server);
    client.Send(std::string(row.request) + std::string(kGet));
    const TestResponse response = client.ReadResponse();
    EXPECT_EQ(response.status, row.status);
    EXPECT_EQ(response.body, row.body);
    EXPECT_EQ(response.Find("Connection"), "close");
    EXPECT_EQ(client.ReadToEnd(), "");
  }
  EXPECT_EQ(server.server().stats().requests, 0);
  EXPECT_EQ(server.server().stats().requests_malformed, 4);
}

TEST(ServerTest, RefusesAHugeHead) {
  TestServer server(EchoRequest);
  TestClient client(server);
  client.Send("GET /x HTTP/1.1\r\nHost: a\r\nX: " + std::string(2 * kRequestHeadBytesMax, 'x'));
  EXPECT_EQ(client.ReadResponse().status, 431);
  EXPECT_EQ(client.ReadToEnd(), "");
}

TEST(ServerTest, RefusesALargeBodyWithAStatusThatTheClientCanReadWhileItSends) {
  TestServer server(EchoRequest);
  for (const std::string_view headers :
       {"Content-Length: 4000000\r\n", "Transfer-Encoding: chunked\r\n"}) {
    TestClient client(server);
    client.Send(Put(headers, "3d0900\r\n" + std::string(4'000'000, 'b')));
    const TestResponse response = client.ReadResponse();
    EXPECT_EQ(response.status, 413);
    EXPECT_EQ(response.Find("Content-Type"), "application/json");
    EXPECT_EQ(response.body,
              R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",)"
              R"("message":"Request entity too large: limit is 3145728",)"
              R"("reason":"RequestEntityTooLarge","code":413})"
              "\n");
  }
}

TEST(ServerTest, TellsTheClientToGoOnOnlyWhenTheBodyWillBeRead) {
  TestServer server(EchoRequest);
  TestClient client(server);
  client.Send(Put("Content-Length: 2\r\nExpect: 100-continue\r\n", ""));
  EXPECT_EQ(client.ReadResponse().status, 100);
  client.Send("hi");
  EXPECT_EQ(client.ReadResponse().body, "PUT /p hi");
  // The body came along: nothing to say.
  client.Send(Put("Content-Length: 2\r\nExpect: 100-continue\r\n", "hi"));
  EXPECT_EQ(client.ReadResponse().status, 200);
  // No body.
  client.Send(Put("Content-Length: 0\r\nExpect: 100-continue\r\n", ""));
  EXPECT_EQ(client.ReadResponse().status, 200);
  // One that is refused.
  client.Send(Put("Content-Length: 4000000\r\nExpect: 100-continue\r\n", ""));
  EXPECT_EQ(client.ReadResponse().status, 413);
}

TEST(ServerTest, TurnsAnExceptionIntoAnInternalError) {
  TestServer server([](const HttpRequest&) -> HttpResponse { throw std::runtime_error("boom"); });
  TestClient client(server);
  for (int i = 0; i < 2; ++i) {
    const TestResponse response = client.Exchange(kGet);
    EXPECT_EQ(response.status, 500);
    EXPECT_NE(response.body.find(R"("reason":"InternalError")"), std::string::npos);
  }
}

TEST(ServerTest, SendsNoBodyToHead) {
  TestServer server(EchoRequest);
  TestClient client(server);
  client.Send("HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(client.ReadResponse(/*head_only=*/true).Find("Content-Length"), "8");
  EXPECT_EQ(client.Exchange(kGet).body, "GET /x ");
}

TEST(ServerTest, CompressesWhenAsked) {
  const std::string body(kGzipBodyBytesMin, 'z');
  TestServer server([&](const HttpRequest&) {
    HttpResponse response = TextResponse(body);
    response.compressible = true;
    return response;
  });
  TestClient client(server);
  const TestResponse packed =
      client.Exchange("GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n");
  EXPECT_EQ(packed.Find("Content-Encoding"), "gzip");
  EXPECT_EQ(Gunzip(packed.body), body);
  EXPECT_EQ(client.Exchange(kGet).body, body);
}

// --- time

TEST(ServerTest, ClosesAnIdleConnection) {
  TestServer server(EchoRequest);
  TestClient client(server);
  EXPECT_EQ(client.Exchange(kGet).status, 200);
  server.runtime().RunFor(kConnectionIdleTimeMax - 1s);
  EXPECT_EQ(client.Exchange(kGet).status, 200);
  server.runtime().RunFor(kConnectionIdleTimeMax + 1s);
  EXPECT_EQ(client.ReadToEnd(), "");
  server.AwaitConnections(0);
}

TEST(ServerTest, RefusesAClientThatDoesNotEndItsRequest) {
  for (const std::string& part : {std::string("GET / HT"), Put("Content-Length: 5\r\n", "abc")}) {
    TestServer server(EchoRequest);
    TestClient client(server);
    // The first answer shows that the server has read what was sent with it.
    client.Send(std::string(kGet) + part);
    EXPECT_EQ(client.ReadResponse().status, 200);
    server.runtime().RunFor(kRequestReadTimeMax + 1s);
    EXPECT_EQ(client.ReadResponse().status, 408);
    EXPECT_EQ(client.ReadToEnd(), "");
  }
}

TEST(ServerTest, DropsARefusedClientThatDoesNotClose) {
  TestServer server(EchoRequest);
  TestClient client(server);
  client.Send("GET / HTTP/1.1\r\n\r\n");
  EXPECT_EQ(client.ReadResponse().status, 400);
  EXPECT_EQ(client.ReadToEnd(), "");
  server.AwaitConnections(1);
  server.runtime().RunFor(kLingerTimeMax + 1s);
  server.AwaitConnections(0);
}

TEST(ServerTest, DropsAClientThatDoesNotRead) {
  TestServer server([](const HttpRequest&) { return TextResponse(std::string(64 << 20, 'x')); });
  TestClient client(server);
  client.Send(kGet);
  EXPECT_EQ(client.ReadHead().status, 200);
  // The socket's buffers fill up some time; from then on the deadline runs.
  while (server.server().stats().connections_open.load() > 0) {
    server.runtime().RunFor(kResponseWriteTimeMax + 1s);
    std::this_thread::yield();
  }
  EXPECT_LT(client.ReadToEnd().size(), size_t{64} << 20);
}

// --- many

TEST(ServerTest, ServesManyConnectionsOnSeveralLoops) {
  TestServer server(EchoRequest, {.address = "127.0.0.1", .port = 0, .tls = {}, .threads = 3});
  std::vector<std::unique_ptr<TestClient>> clients;
  for (int i = 0; i < 200; ++i) clients.push_back(std::make_unique<TestClient>(server));
  for (int round = 0; round < 3; ++round) {
    for (auto& client : clients) client->Send(kGet);
    for (auto& client : clients) ASSERT_EQ(client->ReadResponse().body, "GET /x ");
  }
  EXPECT_EQ(server.server().stats().connections_open, 200);
  clients.clear();
  server.AwaitConnections(0);
  EXPECT_EQ(server.server().stats().requests, 600);
}

// --- start and stop

TEST(ServerTest, SaysWhyItCannotListen) {
  FunctionHandler handler(EchoRequest);
  VirtualRuntime runtime(1);
  const auto start = [&](const ServerOptions& options) {
    return Server::Start(options, handler, {}, runtime).error();
  };
  ServerOptions options;
  options.address = "localhost";
  EXPECT_EQ(start(options), "not an IP address: localhost");
  TestServer other(EchoRequest);
  options.address = "127.0.0.1";
  options.port = other.server().port();
  EXPECT_EQ(start(options), "cannot listen on 127.0.0.1:" + std::to_string(options.port) +
                                ": Address already in use");
}

TEST(ServerTest, StopsAtOnceWhenConnectionsAreIdle) {
  TestServer server(EchoRequest);
  TestClient client(server);
  EXPECT_EQ(client.Exchange(kGet).status, 200);
  RealRuntime clock(1);
  const MonotonicTime begin = clock.MonotonicNow();
  server.server().Stop();
  EXPECT_LT(clock.MonotonicNow() - begin, kDrainTimeMax);
  EXPECT_EQ(client.ReadToEnd(), "");
  server.server().Stop();  // the second time does nothing
}

}  // namespace
}  // namespace kulisse::apiserver::net
