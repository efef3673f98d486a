#include "apiserver/net/response_encoder.h"

#include <gtest/gtest.h>

#include <deque>

#include "base/limits.h"
#include "test/unit/apiserver/net/net_support.h"

namespace kulisse::apiserver::net {
namespace {

using State = BodySource::State;

struct Piece {
  std::string bytes;
  State state;
};

// A source that gives the pieces of a list, then ends.
class ListSource final : public BodySource {
 public:
  explicit ListSource(std::deque<Piece> pieces) : pieces_(std::move(pieces)) {}
  State Read(std::string* out) override {
    if (pieces_.empty()) return State::kEnd;
    const Piece piece = std::move(pieces_.front());
    pieces_.pop_front();
    *out += piece.bytes;
    return piece.state;
  }
  void SetWaker(std::function<void()>) override {}

 private:
  std::deque<Piece> pieces_;
};

HttpResponse Streamed(std::deque<Piece> pieces, bool compressible = false) {
  HttpResponse response;
  response.stream = std::make_unique<ListSource>(std::move(pieces));
  response.compressible = compressible;
  return response;
}

struct Encoded {
  std::string head;
  std::string body;  // as framed
  bool keep_alive = true;
  bool ended = false;
};

// Runs the encoder to its end, or to its first wait.
Encoded Encode(HttpResponse response, const AnswerForm& form, bool ending = false) {
  ResponseEncoder encoder;
  encoder.Start(std::move(response), form, "DATE");
  std::string all;
  State state = State::kMore;
  while (state == State::kMore) {
    std::string piece;
    state = encoder.Next(&piece, ending);
    all += piece;
  }
  const size_t end = all.find("\r\n\r\n");
  if (end == std::string::npos) return Encoded();
  return {.head = all.substr(0, end + 2),
          .body = all.substr(end + 4),
          .keep_alive = encoder.keep_alive(),
          .ended = state == State::kEnd};
}

std::string Dechunk(std::string_view framed) {
  std::string body;
  while (!framed.empty()) {
    const size_t line = framed.find("\r\n");
    const size_t size = std::stoul(std::string(framed.substr(0, line)), nullptr, 16);
    body += framed.substr(line + 2, size);
    EXPECT_EQ(framed.substr(line + 2 + size, 2), "\r\n");
    framed.remove_prefix(line + 4 + size);
    EXPECT_EQ(size == 0, framed.empty());
  }
  return body;
}

TEST(ResponseEncoderTest, WritesHeadAndBody) {
  const Encoded answer = Encode(TextResponse("hi", 201), {});
  EXPECT_EQ(answer.head,
            "HTTP/1.1 201 Created\r\nContent-Type: text/plain\r\nDate: DATE\r\n"
            "Content-Length: 2\r\n");
  EXPECT_EQ(answer.body, "hi");
  EXPECT_TRUE(answer.ended);
}

TEST(ResponseEncoderTest, SaysWhetherTheConnectionGoesOn) {
  struct Row {
    bool http11, keep_alive;
    std::string_view want;
  };
  constexpr Row kRows[] = {
      {true, true, ""},
      {true, false, "Connection: close\r\n"},
      {false, true, "Connection: keep-alive\r\n"},
      {false, false, "Connection: close\r\n"},
  };
  for (const Row& row : kRows) {
    const Encoded answer =
        Encode(TextResponse("x"), {.http11 = row.http11, .keep_alive = row.keep_alive});
    EXPECT_EQ(answer.head.substr(answer.head.find("Content-Length: 1\r\n") + 19), row.want);
  }
}

TEST(ResponseEncoderTest, NeutralisesLineBreaksInHeaders) {
  HttpResponse response = TextResponse("");
  response.headers.emplace_back("X-A", std::string("a\r\nSet-Cookie: b\0c", 18));
  response.headers.emplace_back("X-B\r\nX-C", "d");
  const Encoded answer = Encode(std::move(response), {});
  EXPECT_NE(answer.head.find("X-A: a  Set-Cookie: b c\r\n"), std::string::npos) << answer.head;
  EXPECT_NE(answer.head.find("X-B  X-C: d\r\n"), std::string::npos) << answer.head;
}

TEST(ResponseEncoderTest, SendsNoBodyWhereThereIsNone) {
  const Encoded no_content = Encode(TextResponse("x", 204), {});
  EXPECT_EQ(no_content.head.find("Content-Length"), std::string::npos);
  EXPECT_EQ(no_content.body, "");
  EXPECT_EQ(Encode(TextResponse("x", 304), {}).body, "");
  const Encoded head = Encode(TextResponse("four"), {.head_only = true});
  EXPECT_NE(head.head.find("Content-Length: 4\r\n"), std::string::npos);
  EXPECT_EQ(head.body, "");
}

TEST(ResponseEncoderTest, SendsLargeBodiesWhole) {
  const std::string body(1'000'000, 'x');
  const Encoded answer = Encode(TextResponse(body), {});
  EXPECT_NE(answer.head.find("Content-Length: 1000000\r\n"), std::string::npos);
  EXPECT_EQ(answer.body, body);
}

TEST(ResponseEncoderTest, GivesAShortStreamALength) {
  const Encoded answer = Encode(Streamed({{"abc", State::kEnd}}), {});
  EXPECT_NE(answer.head.find("Content-Length: 3\r\n"), std::string::npos);
  EXPECT_EQ(answer.body, "abc");
}

TEST(ResponseEncoderTest, SendsStreamsInChunks) {
  const Encoded answer =
      Encode(Streamed({{"abc", State::kMore}, {"", State::kMore}, {"defg", State::kMore}}), {});
  EXPECT_NE(answer.head.find("Transfer-Encoding: chunked\r\n"), std::string::npos);
  EXPECT_EQ(Dechunk(answer.body), "abcdefg");
  EXPECT_TRUE(answer.body.ends_with("\r\n0\r\n\r\n"));
  EXPECT_TRUE(answer.keep_alive);
}

TEST(ResponseEncoderTest, SendsTheHeadOfAStreamThatWaits) {
  const Encoded answer = Encode(Streamed({{"", State::kWait}}), {});
  EXPECT_NE(answer.head.find("Transfer-Encoding: chunked\r\n"), std::string::npos);
  EXPECT_EQ(answer.body, "");
  EXPECT_FALSE(answer.ended);
}

TEST(ResponseEncoderTest, EndsAWaitingStreamWhenTheServerStops) {
  const Encoded answer =
      Encode(Streamed({{"ab", State::kMore}, {"c", State::kWait}}), {}, /*ending=*/true);
  EXPECT_TRUE(answer.ended);
  EXPECT_EQ(Dechunk(answer.body), "abc");
  EXPECT_TRUE(answer.body.ends_with("0\r\n\r\n"));
}

TEST(ResponseEncoderTest, EndsAStreamForHttp10ByClosing) {
  const Encoded answer =
      Encode(Streamed({{"ab", State::kMore}, {"c", State::kEnd}}), {.http11 = false});
  EXPECT_EQ(answer.head.find("Transfer-Encoding"), std::string::npos);
  EXPECT_NE(answer.head.find("Connection: close\r\n"), std::string::npos);
  EXPECT_EQ(answer.body, "abc");
  EXPECT_FALSE(answer.keep_alive);
}

TEST(ResponseEncoderTest, JoinsWhatIsThereToOneChunk) {
  std::deque<Piece> pieces = {{"", State::kMore}};
  for (int i = 0; i < 50; ++i) pieces.push_back({std::string(1'000, 'e'), State::kMore});
  pieces.push_back({"", State::kWait});
  ResponseEncoder encoder;
  encoder.Start(Streamed(std::move(pieces)), {}, "DATE");
  std::string head;
  EXPECT_EQ(encoder.Next(&head, false), State::kMore);
  std::string chunk;
  EXPECT_EQ(encoder.Next(&chunk, false), State::kWait);
  EXPECT_EQ(chunk, "0000c350\r\n" + std::string(50'000, 'e') + "\r\n");
}

// --- gzip

struct GzipRow {
  std::string_view name;
  size_t bytes;
  bool compressible, accepts, want;
};
constexpr GzipRow kGzipRows[] = {
    {"large", kGzipBodyBytesMin, true, true, true},
    {"small", kGzipBodyBytesMin - 1, true, true, false},
    {"not asked", kGzipBodyBytesMin, true, false, false},
    {"not compressible", kGzipBodyBytesMin, false, true, false},
    {"several pieces", kResponseChunkBytes * 5 + 7, true, true, true},
};

void CheckGzip(const Encoded& answer, const GzipRow& row, const std::string& body) {
  EXPECT_EQ(
      answer.head.find("Content-Encoding: gzip\r\nVary: Accept-Encoding\r\n") != std::string::npos,
      row.want);
  const bool chunked = answer.head.find("Transfer-Encoding: chunked") != std::string::npos;
  const std::string bytes = chunked ? Dechunk(answer.body) : answer.body;
  EXPECT_EQ(row.want ? Gunzip(bytes) : bytes, body);
}

TEST(ResponseEncoderTest, CompressesLargeBodies) {
  for (const GzipRow& row : kGzipRows) {
    SCOPED_TRACE(row.name);
    const std::string body(row.bytes, 'b');
    HttpResponse response = TextResponse(body);
    response.compressible = row.compressible;
    CheckGzip(Encode(std::move(response), {.accepts_gzip = row.accepts}), row, body);
  }
}

TEST(ResponseEncoderTest, CompressesLargeStreams) {
  for (const GzipRow& row : kGzipRows) {
    SCOPED_TRACE(row.name);
    std::deque<Piece> pieces;
    for (size_t sent = 0; sent < row.bytes; sent += 1'000) {
      pieces.push_back({std::string(std::min<size_t>(1'000, row.bytes - sent), 's'), State::kMore});
    }
    CheckGzip(Encode(Streamed(std::move(pieces), row.compressible), {.accepts_gzip = row.accepts}),
              row, std::string(row.bytes, 's'));
  }
}

TEST(ResponseEncoderTest, GivesASmallCompressibleStreamALength) {
  const Encoded answer =
      Encode(Streamed({{"ab", State::kMore}, {"cd", State::kMore}}, true), {.accepts_gzip = true});
  EXPECT_NE(answer.head.find("Content-Length: 4\r\n"), std::string::npos);
  EXPECT_EQ(answer.body, "abcd");
}

}  // namespace
}  // namespace kulisse::apiserver::net
