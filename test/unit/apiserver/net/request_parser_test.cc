#include "apiserver/net/request_parser.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "base/random.h"

namespace kulisse::apiserver::net {
namespace {

using State = RequestParser::State;
using std::string_view_literals::operator""sv;

// What a parser made of some bytes: "GET /x [body]" for each request, with " close" when the
// connection may not go on, "…" for one that is not whole, "400 why" for a refusal.
class Transcript {
 public:
  void Feed(std::string_view bytes) {
    while (!bytes.empty() && parser_.state() != State::kRefused) {
      bytes.remove_prefix(parser_.Feed(bytes));
      if (parser_.state() != State::kComplete) continue;
      const bool keep_alive = parser_.keep_alive();
      const HttpRequest request = parser_.Take();
      text_ += request.method + " " + request.target + " [" + request.body + "]" +
               (keep_alive ? "" : " close") + "\n";
    }
  }
  [[nodiscard]] std::string Finish() {
    if (parser_.state() == State::kRefused) {
      text_ += std::to_string(parser_.refusal().code) + " " + parser_.refusal().text + "\n";
    } else if (parser_.state() != State::kIdle) {
      text_ += "…\n";
    }
    return text_;
  }

 private:
  RequestParser parser_;
  std::string text_;
};

std::string ParseWhole(std::string_view bytes) {
  Transcript transcript;
  transcript.Feed(bytes);
  return transcript.Finish();
}

std::string ParseByteByByte(std::string_view bytes) {
  Transcript transcript;
  for (size_t i = 0; i < bytes.size(); ++i) transcript.Feed(bytes.substr(i, 1));
  return transcript.Finish();
}

struct Row {
  std::string_view name, input, want;
};

// Goal: one way to read each request, and a refusal for what others might read differently.
// Method: codes are Go's (net/http 1.24) but where the note says "stricter".
constexpr Row kRows[] = {
    {"simple", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / []\n"},
    {"query", "GET /a?b=%2F&c HTTP/1.1\r\nHost: a\r\n\r\n", "GET /a?b=%2F&c []\n"},
    {"bad escapes are the handler's", "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", "GET /%zz []\n"},
    {"close", "GET / HTTP/1.1\r\nHost: a\r\nConnection: Close\r\n\r\n", "GET / [] close\n"},
    {"1.0 closes", "GET / HTTP/1.0\r\n\r\n", "GET / [] close\n"},
    {"1.0 kept", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "GET / []\n"},
    {"unknown method", "BREW /pot HTTP/1.1\r\nHost: a\r\n\r\n", "BREW /pot []\n"},
    {"absolute form", "GET http://a:1/x?y HTTP/1.1\r\nHost: a\r\n\r\n", "GET /x?y []\n"},
    {"absolute form, no path", "GET HTTPS://a HTTP/1.1\r\nHost: a\r\n\r\n", "GET / []\n"},
    {"absolute form, query", "GET http://a?y HTTP/1.1\r\nHost: a\r\n\r\n", "GET /?y []\n"},
    {"asterisk", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS * []\n"},
    {"length", "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", "PUT / [abc]\n"},
    {"length 0", "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", "PUT / []\n"},
    {"equal lengths",
     "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\ncontent-length: 1\r\n\r\nx", "PUT / [x]\n"},
    {"chunks",
     "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n00a\r\n0123456789"
     "\r\n0\r\n\r\n",
     "PUT / [abc0123456789]\n"},
    {"chunk extension",
     "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n1;a=\"b\"\r\nx\r\n0;c\r\n\r\n",
     "PUT / [x]\n"},
    {"trailers are dropped",
     "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nHost: b\r\nX: y\r\n\r\n"
     "GET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
     "PUT / []\nGET /2 []\n"},
    {"pipelined",
     "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nPUT /2 HTTP/1.1\r\nHost: a\r\nContent-Length: "
     "2\r\n\r\nhiGET "
     "/3 HTTP/1.1\r\nHost: a\r\n\r\nGET /4",
     "GET /1 []\nPUT /2 [hi]\nGET /3 []\n…\n"},
    {"short body", "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nab", "…\n"},

    {"no host", "GET / HTTP/1.1\r\n\r\n", "400 missing required Host header\n"},
    {"two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "400 too many Host headers\n"},
    {"bad host", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "400 malformed Host header\n"},
    {"bad target", "GET x HTTP/1.1\r\nHost: a\r\n\r\n", "400 malformed request target\n"},
    {"blank in target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", "505 HTTP Version Not Supported\n"},
    {"control in target", "GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n", "400 malformed request head\n"},
    {"no version", "GET /\r\nHost: a\r\n\r\n", "400 malformed request head\n"},
    {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505 HTTP Version Not Supported\n"},
    {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", "505 HTTP Version Not Supported\n"},
    {"lower case version", "GET / http/1.1\r\nHost: a\r\n\r\n", "505 HTTP Version Not Supported\n"},
    {"bad method", "G@T / HTTP/1.1\r\nHost: a\r\n\r\n", "400 malformed request head\n"},
    {"empty line first", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "400 malformed request head\n"},
    {"bare LF, stricter", "GET / HTTP/1.1\nHost: a\n\n", "400 line without carriage return\n"},
    {"bare LF within", "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n",
     "400 line without carriage return\n"},
    {"bare CR", "GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n", "400 malformed request head\n"},
    {"NUL in value", "GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n"sv,
     "400 malformed request head\n"},
    {"control in value", "GET / HTTP/1.1\r\nHost: a\r\nX: a\x7f\r\n\r\n",
     "400 malformed request head\n"},
    {"blank before colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", "400 malformed request head\n"},
    {"blank in name", "GET / HTTP/1.1\r\nHost: a\r\nX Y: z\r\n\r\n",
     "400 malformed request head\n"},
    {"empty name", "GET / HTTP/1.1\r\nHost: a\r\n: z\r\n\r\n", "400 malformed request head\n"},
    {"no colon", "GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n", "400 malformed request head\n"},
    {"folded, stricter", "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n",
     "400 folded header line\n"},
    {"folded Transfer-Encoding",
     "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
     "400 folded header line\n"},

    {"CL and TE, stricter",
     "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: "
     "chunked\r\n\r\n0\r\n\r\n",
     "400 malformed request head\n"},
    {"TE and CL, stricter",
     "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: "
     "1\r\n\r\n0\r\n\r\n",
     "400 malformed request head\n"},
    {"TE identity and CL",
     "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\nContent-Length: 1\r\n\r\nx",
     "400 both Content-Length and Transfer-Encoding\n"},
    {"two lengths", "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
     "400 malformed request head\n"},
    {"length list", "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\nx",
     "400 bad Content-Length\n"},
    {"length +1", "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\nx",
     "400 malformed request head\n"},
    {"length -1", "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\nx",
     "400 malformed request head\n"},
    {"length 0x1", "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\nx",
     "400 malformed request head\n"},
    {"empty length", "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n",
     "400 malformed request head\n"},
    {"huge length", "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\nx",
     "400 malformed request head\n"},
    {"too long", "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3145729\r\n\r\nx",
     "413 limit is 3145728\n"},
    {"TE gzip", "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\nx",
     "501 Unsupported transfer encoding\n"},
    {"TE gzip, chunked",
     "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
     "501 Unsupported transfer encoding\n"},
    {"TE chunked, gzip",
     "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
     "501 Unsupported transfer encoding\n"},
    {"TE chunked twice",
     "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"
     "0\r\n\r\n",
     "400 malformed request head\n"},
    {"TE xchunked", "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
     "501 Unsupported transfer encoding\n"},
    {"TE empty", "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\r\n0\r\n\r\n",
     "501 Unsupported transfer encoding\n"},
    {"1.0 chunked", "PUT / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     "400 Transfer-Encoding in HTTP/1.0\n"},
    {"chunk size with blank",
     "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1 \r\nx\r\n0\r\n\r\n",
     "400 malformed chunked encoding\n"},
    {"chunk size 0x1",
     "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\nx\r\n0\r\n\r\n",
     "400 malformed chunked encoding\n"},
    {"chunk size missing",
     "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n;a\r\nx\r\n0\r\n\r\n",
     "400 malformed chunked encoding\n"},
    {"chunk size -1",
     "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nx\r\n0\r\n\r\n",
     "400 malformed chunked encoding\n"},
    {"chunk size over 64 bits",
     "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000001\r\nx\r\n",
     "413 limit is 3145728\n"},
    {"chunk with bare LF",
     "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\nx\r\n0\r\n\r\n",
     "400 malformed chunked encoding\n"},
    {"bare CR in extension",
     "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;a\rb\r\nx\r\n0\r\n\r\n",
     "400 malformed chunked encoding\n"},
    {"chunk longer than its size",
     "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n0\r\n\r\n",
     "400 malformed chunked encoding\n"},
    {"trailer with bare LF",
     "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\n\r\n",
     "400 malformed chunked encoding\n"},
    {"other expectation", "PUT / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\nContent-Length: 1\r\n\r\nx",
     "417 Expectation Failed\n"},
};

TEST(RequestParserTest, ReadsOrRefusesTable) {
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(ParseWhole(row.input), row.want);
  }
}

TEST(RequestParserTest, DoesNotDependOnHowBytesArrive) {
  constexpr uint64_t kSeed = 123;
  Random cuts(kSeed);
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(ParseByteByByte(row.input), row.want);
    for (int round = 0; round < 20; ++round) {
      Transcript transcript;
      std::string_view rest = row.input;
      while (!rest.empty()) {
        const size_t piece = 1 + cuts.Below(rest.size());
        transcript.Feed(rest.substr(0, piece));
        rest.remove_prefix(piece);
      }
      EXPECT_EQ(transcript.Finish(), row.want);
    }
  }
}

TEST(RequestParserTest, GivesHeadersAsTheyWereSent) {
  RequestParser parser;
  const std::string_view head =
      "GET /a?b=c HTTP/1.1\r\nHost: h:1\r\nX-One:  two  words \t\r\nx-one: again\r\nEmpty:\r\n\r\n";
  EXPECT_EQ(parser.Feed(head), head.size());
  const HttpRequest request = parser.Take();
  EXPECT_EQ(request.path(), "/a");
  EXPECT_EQ(request.query(), "b=c");
  EXPECT_EQ(request.Find("x-ONE"), "two  words");
  EXPECT_EQ(request.Find("missing"), "");
  ASSERT_EQ(request.headers.size(), 4u);
  EXPECT_EQ(request.headers[2].second, "again");
  EXPECT_EQ(request.headers[3].second, "");
}

// --- limits: what is exactly at one passes, one more does not

std::string HeadOfSize(size_t size) {
  const std::string begin = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
  return begin + std::string(size - begin.size() - 4, 'x') + "\r\n\r\n";
}

TEST(RequestParserTest, LimitsTheHead) {
  EXPECT_EQ(ParseWhole(HeadOfSize(kRequestHeadBytesMax)), "GET / []\n");
  const std::string large = HeadOfSize(kRequestHeadBytesMax + 1);
  EXPECT_EQ(ParseWhole(large), "431 Request Header Fields Too Large\n");
  Transcript halves;
  halves.Feed(std::string_view(large).substr(0, large.size() / 2));
  halves.Feed(std::string_view(large).substr(large.size() / 2));
  EXPECT_EQ(halves.Finish(), "431 Request Header Fields Too Large\n");
}

TEST(RequestParserTest, LimitsTheNumberOfHeaders) {
  std::string head = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (size_t i = 1; i < kRequestHeadersMax; ++i) head += "a:\r\n";
  EXPECT_EQ(ParseWhole(head + "\r\n"), "GET / []\n");
  EXPECT_EQ(ParseWhole(head + "b:\r\n\r\n"), "431 Request Header Fields Too Large\n");
}

TEST(RequestParserTest, LimitsChunkedBodies) {
  const std::string head = "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string mebibyte = "100000\r\n" + std::string(1 << 20, 'x') + "\r\n";
  const std::string full = head + mebibyte + mebibyte + mebibyte;
  EXPECT_EQ(ParseWhole(full + "0\r\n\r\n"),
            "PUT / [" + std::string(kRequestBodyBytesMax, 'x') + "]\n");
  EXPECT_EQ(ParseWhole(full + "1\r\nx\r\n0\r\n\r\n"), "413 limit is 3145728\n");
}

TEST(RequestParserTest, LimitsChunkExtensionsAndTrailers) {
  const std::string head = "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  const auto chunk_line = [&](size_t size) {
    return head + "1;" + std::string(size - 4, 'e') + "\r\nx\r\n0\r\n\r\n";
  };
  EXPECT_EQ(ParseWhole(chunk_line(kChunkLineBytesMax)), "PUT / [x]\n");
  EXPECT_EQ(ParseWhole(chunk_line(kChunkLineBytesMax + 1)), "400 malformed chunked encoding\n");
  EXPECT_EQ(ParseByteByByte(chunk_line(kChunkLineBytesMax + 1)),
            "400 malformed chunked encoding\n");
  const auto trailers = [&](size_t size) {
    return head + "0\r\nT: " + std::string(size - 7, 't') + "\r\n\r\n";
  };
  EXPECT_EQ(ParseWhole(trailers(kTrailerBytesMax)), "PUT / []\n");
  EXPECT_EQ(ParseWhole(trailers(kTrailerBytesMax + 1)), "400 malformed chunked encoding\n");
}

TEST(RequestParserTest, StopsAfterTheHeadSoThatTheClientCanBeToldToGoOn) {
  RequestParser parser;
  const std::string head =
      "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n";
  EXPECT_EQ(parser.Feed(head + "x"), head.size());
  EXPECT_EQ(parser.state(), State::kBody);
  EXPECT_TRUE(parser.expects_continue());
  EXPECT_EQ(parser.Feed("x"), 1u);
  EXPECT_EQ(parser.Take().body, "x");
}

}  // namespace
}  // namespace kulisse::apiserver::net
