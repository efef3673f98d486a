// Answers that are not there at once: deferred, held back until durable, streamed.
#include <gtest/gtest.h>

#include <thread>

#include "apiserver/net/server.h"
#include "base/limits.h"
#include "test/unit/apiserver/net/net_support.h"

namespace kulisse::apiserver::net {
namespace {

constexpr std::string_view kGet = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";

HttpResponse StreamResponse(std::unique_ptr<BodySource> source) {
  HttpResponse response;
  response.headers.emplace_back("Content-Type", "application/json");
  response.stream = std::move(source);
  return response;
}

HttpResponse DeferredResponse(uint64_t revision, std::optional<Duration> timeout,
                              std::move_only_function<HttpResponse()> make) {
  HttpResponse response;
  response.deferred =
      std::make_unique<Deferred>(storage::Revision{revision}, timeout, std::move(make));
  return response;
}

// --- holding back

TEST(DurabilityTest, HoldsAnAnswerUntilItIsDurable) {
  TestGate gate;
  TestServer server(
      [](const HttpRequest&) {
        HttpResponse response = TextResponse("written");
        response.after = storage::Revision{7};
        return response;
      },
      {}, gate.gate());
  TestClient client(server);
  client.Send(kGet);
  gate.AwaitWaiter();
  gate.Set(6);
  gate.Set(7);
  EXPECT_EQ(client.ReadResponse().body, "written");
  // Now it is durable already.
  EXPECT_EQ(client.Exchange(kGet).body, "written");
}

TEST(DurabilityTest, MakesADeferredAnswerWhenTheRevisionIsThere) {
  TestGate gate;
  TestServer server(
      [](const HttpRequest&) {
        return DeferredResponse(3, 3s, [] {
          HttpResponse response = TextResponse("made");
          response.after = storage::Revision{4};
          return response;
        });
      },
      {}, gate.gate());
  TestClient client(server);
  client.Send(kGet);
  gate.AwaitWaiter();
  gate.Set(3);
  gate.AwaitWaiter();
  gate.Set(4);
  EXPECT_EQ(client.ReadResponse().body, "made");
}

TEST(DurabilityTest, MakesADeferredAnswerAfterItsTimeout) {
  TestGate gate;
  TestServer server(
      [](const HttpRequest&) {
        return DeferredResponse(3, 3s, [] { return TextResponse("late"); });
      },
      {}, gate.gate());
  TestClient client(server);
  client.Send(kGet);
  gate.AwaitWaiter();
  server.runtime().RunFor(4s);
  EXPECT_EQ(client.ReadResponse().body, "late");
  gate.Set(3);  // the waker of an answer that is gone does nothing
  EXPECT_EQ(client.Exchange(kGet).body, "late");
}

TEST(DurabilityTest, KeepsPipelinedRequestsWhileAnAnswerIsHeld) {
  TestGate gate;
  TestServer server(
      [](const HttpRequest& request) {
        HttpResponse response = EchoRequest(request);
        if (request.target == "/x") response.after = storage::Revision{1};
        return response;
      },
      {}, gate.gate());
  TestClient client(server);
  client.Send(kGet);
  gate.AwaitWaiter();
  client.Send("GET /y HTTP/1.1\r\nHost: a\r\n\r\nGET /z HTTP/1.1\r\nHost: a\r\n\r\n");
  gate.Set(1);
  for (const std::string_view want : {"GET /x ", "GET /y ", "GET /z "}) {
    EXPECT_EQ(client.ReadResponse().body, want);
  }
}

TEST(DurabilityTest, ForgetsAHeldAnswerWhenTheClientLeaves) {
  TestGate gate;
  TestServer server(
      [](const HttpRequest&) { return DeferredResponse(1, {}, [] { return TextResponse("x"); }); },
      {}, gate.gate());
  {
    TestClient client(server);
    client.Send(kGet);
    gate.AwaitWaiter();
  }
  server.AwaitConnections(0);
  gate.Set(1);
}

TEST(DurabilityTest, WakersMayOutliveTheServer) {
  TestGate gate;
  {
    TestServer server(
        [](const HttpRequest&) {
          return DeferredResponse(1, {}, [] { return TextResponse("x"); });
        },
        {}, gate.gate());
    TestClient client(server);
    client.Send(kGet);
    gate.AwaitWaiter();
  }
  gate.Set(1);
}

// --- streams

class StreamTest : public testing::Test {
 protected:
  std::shared_ptr<TestFeed> feed_ = std::make_shared<TestFeed>();
  TestServer server_{[this](const HttpRequest& request) {
    return request.target == "/x" ? StreamResponse(TestFeed::MakeSource(feed_))
                                  : EchoRequest(request);
  }};
};

TEST_F(StreamTest, SendsHeadAtOnceAndEachPieceAsItComes) {
  TestClient client(server_);
  client.Send(kGet);
  const TestResponse head = client.ReadHead();
  EXPECT_EQ(head.Find("Transfer-Encoding"), "chunked");
  EXPECT_EQ(server_.server().stats().streams_open, 1);
  for (const std::string event : {"one", "two", "three"}) {
    feed_->Push(event);
    EXPECT_EQ(client.ReadChunk(), event);
  }
  feed_->Push("last");
  feed_->End();
  std::string rest;
  while (const auto chunk = client.ReadChunk()) {
    if (chunk->empty()) break;
    rest += *chunk;
  }
  EXPECT_EQ(rest, "last");
  feed_->AwaitDestroyed();
  // The connection goes on.
  EXPECT_EQ(client.Exchange("GET /y HTTP/1.1\r\nHost: a\r\n\r\n").body, "GET /y ");
  EXPECT_EQ(server_.server().stats().streams_open, 0);
}

TEST_F(StreamTest, EndsAnHttp10StreamByClosing) {
  TestClient client(server_);
  client.Send("GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(client.ReadHead().Find("Connection"), "close");
  feed_->Push("abc");
  feed_->End();
  EXPECT_EQ(client.ReadToEnd(), "abc");
}

TEST_F(StreamTest, DropsTheSourceWhenTheClientLeaves) {
  TestClient client(server_);
  client.Send(kGet);
  EXPECT_EQ(client.ReadHead().status, 200);
  client.Close();
  feed_->AwaitDestroyed();
  server_.AwaitConnections(0);
  EXPECT_EQ(server_.server().stats().streams_open, 0);
  feed_->Wake();  // whoever still holds the waker may call it
}

TEST_F(StreamTest, ManyWakesReadFewTimes) {
  TestClient client(server_);
  client.Send(kGet);
  EXPECT_EQ(client.ReadHead().status, 200);
  // The loop is kept busy by its own wakes; they coalesce while it works.
  for (int i = 0; i < 100'000; ++i) feed_->Wake();
  feed_->Push("x");
  EXPECT_EQ(client.ReadChunk(), "x");
  EXPECT_LT(feed_->reads(), 100'000);
}

TEST_F(StreamTest, EndsStreamsWellFormedWhenTheServerStops) {
  TestClient client(server_);
  client.Send(kGet);
  EXPECT_EQ(client.ReadHead().status, 200);
  feed_->Push("x");
  EXPECT_EQ(client.ReadChunk(), "x");
  server_.server().Stop();
  EXPECT_EQ(client.ReadChunk(), "");
  EXPECT_EQ(client.ReadToEnd(), "");
  feed_->AwaitDestroyed();
}

TEST_F(StreamTest, ClosesAStreamWhoseSourceThrows) {
  class Throwing final : public BodySource {
   public:
    State Read(std::string* out) override {
      if (reads_++ > 0) throw std::runtime_error("boom");
      *out += "begin";
      return State::kMore;
    }
    void SetWaker(std::function<void()>) override {}

   private:
    int reads_ = 0;
  };
  TestServer server(
      [](const HttpRequest&) { return StreamResponse(std::make_unique<Throwing>()); });
  TestClient client(server);
  const TestResponse response = client.Exchange(kGet);
  EXPECT_EQ(response.body, "begin");
  EXPECT_FALSE(response.whole);
}

// A source without end that counts what it was asked for.
class Endless final : public BodySource {
 public:
  explicit Endless(std::atomic<size_t>& produced) : produced_(produced) {}
  State Read(std::string* out) override {
    out->append(kResponseChunkBytes, 'e');
    produced_ += kResponseChunkBytes;
    return State::kMore;
  }
  void SetWaker(std::function<void()>) override {}

 private:
  std::atomic<size_t>& produced_;
};

TEST(BackPressureTest, ProducesNoMoreThanTheClientReads) {
  std::atomic<size_t> produced = 0;
  TestServer server([&](const HttpRequest& request) {
    return request.target == "/x" ? StreamResponse(std::make_unique<Endless>(produced))
                                  : EchoRequest(request);
  });
  TestClient slow(server);
  slow.Send(kGet);
  size_t read = 0;
  for (int i = 0; i < 8; ++i) read += slow.ReadBytes(kResponseChunkBytes).size();
  // Another client's round trips give the loop time to do what it would do.
  TestClient other(server);
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(other.Exchange("GET /y HTTP/1.1\r\nHost: a\r\n\r\n").status, 200);
  }
  // What the kernel buffers between the two: 4 MB of send and 6 MB of receive buffer by default.
  EXPECT_LT(produced, read + (16 << 20));
}

TEST(BackPressureTest, DoesNotKeepOtherClientsWaiting) {
  std::atomic<size_t> produced = 0;
  TestServer server([&](const HttpRequest& request) {
    return request.target == "/x" ? StreamResponse(std::make_unique<Endless>(produced))
                                  : EchoRequest(request);
  });
  TestClient greedy(server);
  greedy.Send(kGet);
  std::atomic<bool> stop = false;
  std::thread reader([&] {
    while (!stop && !greedy.ReadBytes(1 << 20).empty()) {
    }
  });
  TestClient other(server);
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(other.Exchange("GET /y HTTP/1.1\r\nHost: a\r\n\r\n").status, 200);
  }
  stop = true;
  reader.join();
}

}  // namespace
}  // namespace kulisse::apiserver::net
