#include "apiserver/net/request_parser.h"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <cstring>

#include "base/assert.h"
#include "base/limits.h"
#include "base/text.h"

namespace kulisse::apiserver::net {

namespace {

namespace http = boost::beast::http;
using ErrorCode = boost::beast::error_code;

// Room that a body gets before its bytes are there; more only as they come.
constexpr size_t kBodyReserveBytes = 64 * 1024;

std::string_view View(boost::beast::string_view text) { return {text.data(), text.size()}; }

// Beast's head parser with our request as its target. Bodies never reach it.
class HeadParser final : public http::basic_parser<true> {
 public:
  explicit HeadParser(HttpRequest& request) : request_(request) {
    header_limit(static_cast<uint32_t>(kRequestHeadBytesMax) + 1);
    body_limit(boost::none);
    skip(true);
  }

  [[nodiscard]] int version() const { return version_; }

 private:
  void on_request_impl(http::verb, boost::beast::string_view method,
                       boost::beast::string_view target, int version, ErrorCode&) override {
    request_.method = View(method);
    request_.target = View(target);
    version_ = version;
  }
  void on_field_impl(http::field, boost::beast::string_view name, boost::beast::string_view value,
                     ErrorCode& error) override {
    if (request_.headers.size() == kRequestHeadersMax) {
      error = http::error::header_limit;
      return;
    }
    request_.headers.emplace_back(View(name), View(value));
  }
  void on_response_impl(int, boost::beast::string_view, int, ErrorCode&) override {}
  void on_header_impl(ErrorCode&) override {}
  void on_body_init_impl(const boost::optional<uint64_t>&, ErrorCode&) override {}
  size_t on_body_impl(boost::beast::string_view, ErrorCode&) override { return 0; }
  void on_chunk_header_impl(uint64_t, boost::beast::string_view, ErrorCode&) override {}
  size_t on_chunk_body_impl(uint64_t, boost::beast::string_view, ErrorCode&) override { return 0; }
  void on_finish_impl(ErrorCode&) override {}

  HttpRequest& request_;
  int version_ = 0;
};

// Bytes that a Host header may have (RFC 3986 host and port, as Go checks it).
bool IsHost(std::string_view value) {
  static constexpr std::string_view kMarks = "!$%&'()*+,-.:;=@[]_~";
  return std::ranges::all_of(value, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           kMarks.find(c) != std::string_view::npos;
  });
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool IsTextByte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
}

}  // namespace

size_t RequestParser::Feed(std::string_view bytes) {
  if (bytes.empty()) return 0;
  switch (state_) {
    case State::kIdle:
      state_ = State::kHead;
      [[fallthrough]];
    case State::kHead:
      return FeedHead(bytes);
    case State::kBody:
      return FeedBody(bytes);
    case State::kComplete:
    case State::kRefused:
      return 0;
  }
  return 0;
}

HttpRequest RequestParser::Take() {
  KULISSE_ASSERT(state_ == State::kComplete);
  HttpRequest request = std::move(request_);
  *this = RequestParser();
  return request;
}

void RequestParser::Refuse(int code, std::string text) {
  state_ = State::kRefused;
  refusal_ = {code, std::move(text)};
}

void RequestParser::RefuseBodySize() {
  Refuse(413, "limit is " + std::to_string(kRequestBodyBytesMax));
}

// --- head

size_t RequestParser::FeedHead(std::string_view bytes) {
  const size_t before = head_.size();
  const std::string_view taken = bytes.substr(0, kRequestHeadBytesMax - before);
  if (before > 0) head_ += taken;
  const std::string_view head = before > 0 ? std::string_view(head_) : taken;
  const size_t end = FindHeadEnd(head);
  if (state_ == State::kRefused) return bytes.size();
  if (end > 0) {
    ParseHead(head.substr(0, end));
    head_ = {};
    return end - before;
  }
  if (head.size() == kRequestHeadBytesMax) {
    Refuse(431, "Request Header Fields Too Large");
    return bytes.size();
  }
  if (before == 0) head_ = taken;
  return bytes.size();
}

size_t RequestParser::FindHeadEnd(std::string_view head) {
  while (true) {
    const size_t newline = head.find('\n', scanned_);
    if (newline == std::string_view::npos) return 0;
    const std::string_view line = head.substr(scanned_, newline - scanned_);
    if (!line.ends_with('\r')) {
      Refuse(400, "line without carriage return");
      return 0;
    }
    if (line.size() == 1) return newline + 1;
    // Beast unfolds continuation lines; RFC 9112 5.2 lets a server refuse them.
    if (line.front() == ' ' || line.front() == '\t') {
      Refuse(400, "folded header line");
      return 0;
    }
    scanned_ = newline + 1;
  }
}

void RequestParser::ParseHead(std::string_view head) {
  HeadParser parser(request_);
  ErrorCode error;
  const size_t used = parser.put(boost::asio::const_buffer(head.data(), head.size()), error);
  if (error == http::error::header_limit) return Refuse(431, "Request Header Fields Too Large");
  if (error == http::error::bad_version) return Refuse(505, "HTTP Version Not Supported");
  if (error || used != head.size() || !parser.is_header_done()) {
    return Refuse(400, "malformed request head");
  }
  http11_ = parser.version() == 11;
  keep_alive_ = parser.keep_alive();
  if (!CheckHost() || !NormalizeTarget() || !ChooseFraming() || !CheckExpect()) return;
  const bool has_body = part_ != BodyPart::kFixed || remaining_ > 0;
  state_ = has_body ? State::kBody : State::kComplete;
  if (part_ == BodyPart::kFixed) {
    request_.body.reserve(std::min<uint64_t>(remaining_, kBodyReserveBytes));
  }
}

bool RequestParser::CheckHost() {
  size_t hosts = 0;
  for (const Header& header : request_.headers) {
    if (!EqualsIgnoreCase(header.first, "Host")) continue;
    ++hosts;
    if (!IsHost(header.second)) {
      Refuse(400, "malformed Host header");
      return false;
    }
  }
  if (hosts > 1) Refuse(400, "too many Host headers");
  if (hosts == 0 && http11_) Refuse(400, "missing required Host header");
  return state_ != State::kRefused;
}

// "GET http://host/path" is for proxies, but a server must take it (RFC 9112 3.2.2).
bool RequestParser::NormalizeTarget() {
  std::string& target = request_.target;
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!EqualsIgnoreCase(std::string_view(target).substr(0, scheme.size()), scheme)) continue;
    const size_t path = target.find_first_of("/?", scheme.size());
    target.erase(0, path == std::string::npos ? target.size() : path);
    if (!target.starts_with('/')) target.insert(0, "/");
    return true;
  }
  if (target.starts_with('/') || target == "*") return true;
  Refuse(400, "malformed request target");
  return false;
}

bool RequestParser::CheckExpect() {
  for (const Header& header : request_.headers) {
    if (!EqualsIgnoreCase(header.first, "Expect")) continue;
    if (!EqualsIgnoreCase(header.second, "100-continue")) {
      Refuse(417, "Expectation Failed");
      return false;
    }
    expects_continue_ = http11_;
  }
  return true;
}

bool RequestParser::ChooseFraming() {
  std::optional<std::string_view> length;
  std::optional<std::string_view> encoding;
  for (const Header& header : request_.headers) {
    if (EqualsIgnoreCase(header.first, "Content-Length")) {
      if (length && *length != header.second) Refuse(400, "several Content-Length headers");
      length = header.second;
    } else if (EqualsIgnoreCase(header.first, "Transfer-Encoding")) {
      if (encoding) Refuse(501, "Unsupported transfer encoding");
      encoding = header.second;
    }
  }
  if (state_ == State::kRefused) return false;
  if (encoding) {
    if (length) {
      Refuse(400, "both Content-Length and Transfer-Encoding");
    } else if (!http11_) {
      Refuse(400, "Transfer-Encoding in HTTP/1.0");
    } else if (!EqualsIgnoreCase(*encoding, "chunked")) {
      Refuse(501, "Unsupported transfer encoding");
    }
    part_ = BodyPart::kChunkSize;
  } else if (length) {
    const auto value = ParseUint64(*length);
    if (!value || !std::ranges::all_of(*length, [](char c) { return c >= '0' && c <= '9'; })) {
      Refuse(400, "bad Content-Length");
    } else if (*value > kRequestBodyBytesMax) {
      RefuseBodySize();
    } else {
      remaining_ = *value;
    }
  }
  return state_ != State::kRefused;
}

// --- body

size_t RequestParser::FeedBody(std::string_view bytes) {
  size_t used = 0;
  while (used < bytes.size() && state_ == State::kBody) {
    const std::string_view rest = bytes.substr(used);
    size_t step = 0;
    switch (part_) {
      case BodyPart::kFixed:
        step = FeedFixed(rest);
        break;
      case BodyPart::kChunkData:
        step = FeedChunkData(rest);
        break;
      case BodyPart::kChunkSize:
        if (const auto line = FeedLine(rest, kChunkLineBytesMax, &step)) OnChunkSizeLine(*line);
        break;
      case BodyPart::kChunkEnd:
        // Room for CR and LF only: the line must be empty.
        if (FeedLine(rest, 2, &step)) part_ = BodyPart::kChunkSize;
        break;
      case BodyPart::kTrailer:
        if (const auto line = FeedLine(rest, kTrailerBytesMax - trailer_bytes_, &step)) {
          trailer_bytes_ += line->size() + 2;
          if (line->empty()) state_ = State::kComplete;
        }
        break;
    }
    used += step;
  }
  return state_ == State::kRefused ? bytes.size() : used;
}

size_t RequestParser::FeedFixed(std::string_view bytes) {
  const std::string_view taken = bytes.substr(0, remaining_);
  request_.body += taken;
  remaining_ -= taken.size();
  if (remaining_ == 0) state_ = State::kComplete;
  return taken.size();
}

size_t RequestParser::FeedChunkData(std::string_view bytes) {
  const std::string_view taken = bytes.substr(0, remaining_);
  request_.body += taken;
  remaining_ -= taken.size();
  if (remaining_ == 0) part_ = BodyPart::kChunkEnd;
  return taken.size();
}

std::optional<std::string> RequestParser::FeedLine(std::string_view bytes, size_t bytes_max,
                                                   size_t* used) {
  const size_t room = bytes_max - line_.size();
  const size_t newline = bytes.substr(0, room).find('\n');
  const bool whole = newline != std::string_view::npos;
  *used = whole ? newline + 1 : std::min(room, bytes.size());
  line_ += bytes.substr(0, *used);
  if (!whole) {
    if (line_.size() == bytes_max) Refuse(400, "malformed chunked encoding");
    return std::nullopt;
  }
  std::string line = std::move(line_);
  line_.clear();
  line.pop_back();
  if (!line.ends_with('\r') || !std::all_of(line.begin(), line.end() - 1, IsTextByte)) {
    Refuse(400, "malformed chunked encoding");
    return std::nullopt;
  }
  line.pop_back();
  return line;
}

void RequestParser::OnChunkSizeLine(std::string_view line) {
  const std::string_view digits = line.substr(0, line.find(';'));
  uint64_t size = 0;
  for (const char c : digits) {
    if (HexDigit(c) < 0) return Refuse(400, "malformed chunked encoding");
    size = size * 16 + static_cast<uint64_t>(HexDigit(c));
    if (size > kRequestBodyBytesMax) return RefuseBodySize();
  }
  if (digits.empty()) return Refuse(400, "malformed chunked encoding");
  if (request_.body.size() + size > kRequestBodyBytesMax) return RefuseBodySize();
  remaining_ = size;
  part_ = size > 0 ? BodyPart::kChunkData : BodyPart::kTrailer;
}

}  // namespace kulisse::apiserver::net
