// WebSockets: frames by themselves, and connections that have become one.
#include <gtest/gtest.h>

#include "apiserver/net/server.h"
#include "apiserver/net/web_socket_frames.h"
#include "base/limits.h"
#include "base/random.h"
#include "test/unit/apiserver/net/net_support.h"

namespace kulisse::apiserver::net {
namespace {

using namespace std::string_literals;

const std::string kPingHello = "\x89\x85\1\2\3\4\x69\x67\x6f\x68\x6e"s;  // masked with 1 2 3 4
const std::string kPongHello = "\x8a\x05hello"s;
const std::string kTextX = "\x81\x81\0\0\0\0x"s;
const std::string kClosed = "\x88\x02\x03\xe8"s;         // 1000
const std::string kProtocolError = "\x88\x02\x03\xea"s;  // 1002
const std::string kTooBig = "\x88\x02\x03\xf1"s;         // 1009

// What the reader answers, and "(end)" when it wants no more.
std::string Answers(std::string_view bytes) {
  WebSocketReader reader;
  std::string out;
  return reader.Feed(bytes, &out) ? out : out + "(end)";
}

TEST(WebSocketReaderTest, AnswersControlFramesAndThrowsTheRestAway) {
  const struct {
    std::string_view name;
    std::string sent, want;
  } rows[] = {
      {"nothing", "", ""},
      {"a ping", kPingHello, kPongHello},
      {"an empty ping", "\x89\x80\1\2\3\4"s, "\x8a\0"s},
      {"a pong", "\x8a\x81\1\2\3\4z"s, ""},
      {"text", kTextX, ""},
      {"a length in two bytes", "\x82\xfe\0\x7e\0\0\0\0"s + std::string(126, 'b') + kPingHello,
       kPongHello},
      {"a length in eight bytes", "\x82\xff\0\0\0\0\0\0\0\x03\0\0\0\0abc"s + kPingHello,
       kPongHello},
      {"a ping between the parts of a message",
       "\x01\x81\0\0\0\0a"s + kPingHello + "\x80\x81\0\0\0\0b"s, kPongHello},
      {"a close, and what follows", "\x88\x82\0\0\0\0\x03\xe9"s + kPingHello, kClosed + "(end)"},
      {"a close without a code", "\x88\x80\0\0\0\0"s, kClosed + "(end)"},
      {"not masked", "\x81\x01x", kProtocolError + "(end)"},
      {"a reserved bit", "\xc1\x81\0\0\0\0x"s, kProtocolError + "(end)"},
      {"an unknown opcode", "\x83\x80\0\0\0\0"s, kProtocolError + "(end)"},
      {"a ping in parts", "\x09\x80\0\0\0\0"s, kProtocolError + "(end)"},
      {"a ping that is too long", "\x89\xfe\0\x7e\0\0\0\0"s, kProtocolError + "(end)"},
      {"HTTP", "GET / HTTP/1.1\r\n", kProtocolError + "(end)"},
      {"too big", "\x82\xff\0\0\0\0\x02\0\0\x01\0\0\0\0"s, kTooBig + "(end)"},
      {"the biggest", "\x82\xff\0\0\0\0\x02\0\0\0\0\0\0\0"s, ""},
      {"a length beyond 63 bits", "\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0"s,
       kTooBig + "(end)"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(Answers(row.sent), row.want);
  }
}

// Goal: what a client says does not depend on how its bytes arrive.
// Method: frames of random kinds and sizes, some of them broken, whole and in random pieces.
TEST(WebSocketReaderTest, DoesNotDependOnHowBytesAreCut) {
  constexpr uint64_t kSeed = 7;
  SCOPED_TRACE(kSeed);
  Random random(kSeed);
  const std::string frames[] = {kPingHello, kTextX,
                                "\x82\xfe\0\x7e\1\2\3\4"s + std::string(126, 'b'),
                                "\x8a\x80\1\2\3\4"s, "\x80\x83\0\0\0\0abc"s};
  for (int round = 0; round < 500; ++round) {
    std::string sent;
    for (uint64_t i = random.Below(8); i > 0; --i) sent += frames[random.Below(std::size(frames))];
    if (random.Below(4) == 0) sent += "\xff";
    if (random.Below(4) == 0) sent += "\x88\x80\0\0\0\0"s;
    WebSocketReader reader;
    std::string out;
    bool open = true;
    for (std::string_view left = sent; !left.empty() && open;) {
      const std::string_view piece = left.substr(0, 1 + random.Below(9));
      open = reader.Feed(piece, &out);
      left.remove_prefix(piece.size());
    }
    EXPECT_EQ(open ? out : out + "(end)", Answers(sent));
  }
}

TEST(WebSocketMessagesTest, AreCutAtLinesOrByTheirPrefix) {
  std::string out;
  EXPECT_EQ(AppendMessages("{}\n{\"a\":1}\n{\"b", Messages::kLines, &out), 11U);
  EXPECT_EQ(out, "\x81\x03{}\n\x81\x08{\"a\":1}\n");
  out.clear();
  EXPECT_EQ(AppendMessages("\0\0\0\2ab\0\0\0\0\0\0\0\5c"s, Messages::kPrefixed, &out), 10U);
  EXPECT_EQ(out,
            "\x82\x02"
            "ab\x82\0"s);
}

TEST(WebSocketMessagesTest, WriteTheirLengthInTheFewestBytes) {
  for (const auto& [size, head] : {std::pair<size_t, std::string>{125, "\x81\x7d"},
                                   {126, "\x81\x7e\0\x7e"s},
                                   {65'535, "\x81\x7e\xff\xff"},
                                   {65'536, "\x81\x7f\0\0\0\0\0\x01\0\0"s}}) {
    const std::string message = std::string(size - 1, 'x') + "\n";
    std::string out;
    EXPECT_EQ(AppendMessages(message, Messages::kLines, &out), size);
    EXPECT_TRUE(out == head + message) << size;
  }
}

// --- on connections

constexpr std::string_view kUpgrade =
    "GET /x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

class WebSocketTest : public testing::Test {
 protected:
  static HttpResponse Upgraded(std::unique_ptr<BodySource> source) {
    HttpResponse response;
    response.status = 101;
    response.headers = {{"Upgrade", "websocket"}, {"Connection", "Upgrade"}};
    response.messages = Messages::kLines;
    response.stream = std::move(source);
    return response;
  }
  void Begin(TestClient& client) {
    client.Send(kUpgrade);
    EXPECT_EQ(client.ReadHead().status, 101);
  }

  std::shared_ptr<TestFeed> feed_ = std::make_shared<TestFeed>();
  TestServer server_{[this](const HttpRequest& request) {
    return request.target == "/x" ? Upgraded(TestFeed::MakeSource(feed_)) : EchoRequest(request);
  }};
};

TEST_F(WebSocketTest, TheHeadIsThatOfTheHandlerAlone) {
  TestClient client(server_);
  client.Send(kUpgrade);
  const TestResponse head = client.ReadHead();
  EXPECT_EQ(head.headers,
            (std::vector<Header>{{"Upgrade", "websocket"}, {"Connection", "Upgrade"}}));
}

TEST_F(WebSocketTest, SendsEachLineAsAMessageAndClosesAtTheEnd) {
  TestClient client(server_);
  Begin(client);
  feed_->Push("one\n");
  EXPECT_EQ(client.ReadBytes(6), "\x81\x04one\n");
  feed_->Push("two\nthr");
  EXPECT_EQ(client.ReadBytes(6), "\x81\x04two\n");
  feed_->Push("ee\n");
  feed_->End();
  EXPECT_EQ(client.ReadToEnd(), "\x81\x06three\n" + kClosed);
  feed_->AwaitDestroyed();
}

TEST_F(WebSocketTest, AnswersPingsBetweenMessages) {
  TestClient client(server_);
  client.Send(std::string(kUpgrade) + kPingHello);  // with the request already
  EXPECT_EQ(client.ReadHead().status, 101);
  EXPECT_EQ(client.ReadBytes(kPongHello.size()), kPongHello);
  feed_->Push("one\n");
  EXPECT_EQ(client.ReadBytes(6), "\x81\x04one\n");
  client.Send(kTextX + kPingHello);
  EXPECT_EQ(client.ReadBytes(kPongHello.size()), kPongHello);
}

TEST_F(WebSocketTest, ClosesWhenTheClientDoes) {
  TestClient client(server_);
  Begin(client);
  client.Send("\x88\x82\0\0\0\0\x03\xe9"s);
  EXPECT_EQ(client.ReadToEnd(), kClosed);
  feed_->AwaitDestroyed();
  EXPECT_EQ(server_.server().stats().streams_open, 0);
}

TEST_F(WebSocketTest, ClosesOnGarbage) {
  TestClient client(server_);
  Begin(client);
  client.Send("GET /y HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(client.ReadToEnd(), kProtocolError);
  feed_->AwaitDestroyed();
}

TEST_F(WebSocketTest, DropsTheSourceWhenTheClientLeaves) {
  TestClient client(server_);
  Begin(client);
  client.Close();
  feed_->AwaitDestroyed();
  server_.AwaitConnections(0);
}

TEST_F(WebSocketTest, ClosesWhenTheServerStops) {
  TestClient client(server_);
  Begin(client);
  feed_->Push("x\n");
  EXPECT_EQ(client.ReadBytes(4), "\x81\x02x\n");
  server_.server().Stop();
  EXPECT_EQ(client.ReadToEnd(), kClosed);
  feed_->AwaitDestroyed();
}

TEST_F(WebSocketTest, TakesAnyAmountThatTheClientSends) {
  TestClient client(server_);
  Begin(client);
  const std::string frame = "\x82\xff\0\0\0\0\0\x10\0\0\0\0\0\0"s + std::string(1 << 20, 'z');
  for (int i = 0; i < 8; ++i) ASSERT_TRUE(client.Send(frame));
  client.Send(kPingHello);
  EXPECT_EQ(client.ReadBytes(kPongHello.size()), kPongHello);
}

// A source without end, in lines.
class EndlessLines final : public BodySource {
 public:
  explicit EndlessLines(std::atomic<size_t>& produced) : produced_(produced) {}
  State Read(std::string* out) override {
    const size_t before = out->size();
    while (out->size() - before < kResponseChunkBytes) *out += std::string(1023, 'e') + "\n";
    produced_ += out->size() - before;
    return State::kMore;
  }
  void SetWaker(std::function<void()>) override {}

 private:
  std::atomic<size_t>& produced_;
};

TEST_F(WebSocketTest, ASlowClientHoldsTheSourceBackAndIsStillAnswered) {
  std::atomic<size_t> produced = 0;
  TestServer server([&](const HttpRequest& request) {
    return request.target == "/x" ? Upgraded(std::make_unique<EndlessLines>(produced))
                                  : EchoRequest(request);
  });
  TestClient slow(server);
  slow.Send(kUpgrade);
  TestClient other(server);
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(other.Exchange("GET /y HTTP/1.1\r\nHost: a\r\n\r\n").status, 200);
  }
  EXPECT_LT(produced, size_t{16} << 20);  // what the kernel buffers, and a piece
  EXPECT_EQ(slow.ReadHead().status, 101);
  slow.Send(kPingHello);
  // Between messages of a source that always has more, the pong comes.
  while (true) {
    const std::string head = slow.ReadBytes(2);
    ASSERT_EQ(head.size(), 2U);
    if (head == kPongHello.substr(0, 2)) break;
    ASSERT_EQ(head, "\x81\x7e");
    ASSERT_EQ(slow.ReadBytes(2 + 1024).size(), 1026U);
  }
  EXPECT_EQ(slow.ReadBytes(5), "hello");
}

}  // namespace
}  // namespace kulisse::apiserver::net
