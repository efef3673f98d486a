#include "apiserver/net/response_encoder.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "apiserver/net/web_socket_frames.h"
#include "base/assert.h"
#include "base/limits.h"

namespace kulisse::apiserver::net {

namespace {

using State = BodySource::State;

// A body up to this size goes out in one piece with its head.
constexpr size_t kJoinBodyBytesMax = 32 * 1024;
// A source is asked again until a piece has this size, so that many small events share a write.
constexpr size_t kPieceBytesMin = kResponseChunkBytes;
// "0000ffff\r\n": room for the size before a chunk.
constexpr size_t kChunkDigits = 8;
constexpr size_t kChunkHeadBytes = kChunkDigits + 2;

struct ReasonPhraseRow {
  int status;
  std::string_view text;
};
constexpr ReasonPhraseRow kReasonPhrases[] = {
    {101, "Switching Protocols"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {413, "Request Entity Too Large"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {422, "Unprocessable Entity"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
};

std::string_view ReasonPhrase(int status) {
  for (const ReasonPhraseRow& row : kReasonPhrases) {
    if (row.status == status) return row.text;
  }
  return "Status";
}

void AppendNumber(std::string* out, uint64_t value, int base = 10) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, base).ptr;
  out->append(digits.data(), end);
}

// Header text can come from requests; a line break in it would start a header of its own.
void AppendHeaderText(std::string* out, std::string_view text) {
  const size_t begin = out->size();
  *out += text;
  std::replace_if(
      out->begin() + static_cast<ptrdiff_t>(begin), out->end(),
      [](char c) { return c == '\r' || c == '\n' || c == '\0'; }, ' ');
}

void AppendHeader(std::string* out, std::string_view name, std::string_view value) {
  AppendHeaderText(out, name);
  *out += ": ";
  AppendHeaderText(out, value);
  *out += "\r\n";
}

// Hands out a body in pieces, so that compressing a large one does not hold up the loop.
class StringSource final : public BodySource {
 public:
  explicit StringSource(std::string body) : body_(std::move(body)) {}

  State Read(std::string* out) override {
    const std::string_view piece = std::string_view(body_).substr(at_, kResponseChunkBytes);
    *out += piece;
    at_ += piece.size();
    return at_ == body_.size() ? State::kEnd : State::kMore;
  }
  void SetWaker(std::function<void()>) override {}

 private:
  std::string body_;
  size_t at_ = 0;
};

bool HasNoBody(int status) { return status == 204 || status == 304; }

}  // namespace

void ResponseEncoder::Start(HttpResponse response, const AnswerForm& form, std::string_view date) {
  KULISSE_ASSERT(response.deferred == nullptr);
  Reset();
  response_ = std::move(response);
  form_ = form;
  date_ = date;
  if (HasNoBody(response_.status)) {
    response_.stream.reset();
    response_.body.clear();
  }
  response_.compressible = response_.compressible && form_.accepts_gzip && !form_.head_only;
  if (response_.stream == nullptr && response_.compressible &&
      response_.body.size() >= kGzipBodyBytesMin) {
    response_.stream = std::make_unique<StringSource>(std::move(response_.body));
  }
}

void ResponseEncoder::Reset() {
  response_ = {};
  framing_ = Framing::kUndecided;
  body_pending_ = false;
  raw_ = {};
  gzip_.reset();
}

State ResponseEncoder::Next(std::string* out, bool ending) {
  KULISSE_ASSERT(out->empty());
  if (body_pending_) {
    *out = std::move(response_.body);
    body_pending_ = false;
    return State::kEnd;
  }
  if (framing_ == Framing::kUndecided) return Decide(out, ending);
  if (framing_ == Framing::kMessages) return NextMessages(out, ending);
  return gzip_ != nullptr ? NextGzip(out, ending) : NextPlain(out, ending);
}

State ResponseEncoder::Read(std::string* out, bool ending) {
  const State state = response_.stream->Read(out);
  return state == State::kWait && ending ? State::kEnd : state;
}

State ResponseEncoder::Decide(std::string* out, bool ending) {
  if (response_.stream == nullptr) {
    framing_ = Framing::kLength;
    WriteHead(out, response_.body.size());
    if (form_.head_only) return State::kEnd;
    if (response_.body.size() > kJoinBodyBytesMax) {
      body_pending_ = true;
      return State::kMore;
    }
    *out += response_.body;
    return State::kEnd;
  }
  if (response_.status == 101) {
    framing_ = Framing::kMessages;
    form_.keep_alive = false;
    WriteHead(out, 0);
    return State::kMore;
  }
  if (form_.head_only) {
    framing_ = Framing::kChunked;
    WriteHead(out, 0);
    return State::kEnd;
  }
  const State state = Read(&raw_, ending);
  const bool large = response_.compressible && raw_.size() >= kGzipBodyBytesMin;
  if (state == State::kEnd && !large) {
    response_.stream.reset();
    response_.body = std::move(raw_);
    return Decide(out, ending);
  }
  // Nothing is sent of a compressible answer until its form is known.
  if (response_.compressible && !large && state != State::kEnd) return state;
  framing_ = form_.http11 ? Framing::kChunked : Framing::kUntilClose;
  if (framing_ == Framing::kUntilClose) form_.keep_alive = false;
  if (large) gzip_ = std::make_unique<Gzip>();
  WriteHead(out, 0);
  const size_t mark = OpenChunk(out);
  if (gzip_ != nullptr) {
    gzip_->Append(raw_, state == State::kEnd ? Gzip::Flush::kFinish : Gzip::Flush::kNone, out);
  } else {
    *out += raw_;
  }
  raw_ = {};
  CloseChunk(out, mark);
  if (state == State::kEnd && framing_ == Framing::kChunked) *out += "0\r\n\r\n";
  return state;
}

State ResponseEncoder::NextPlain(std::string* out, bool ending) {
  const size_t mark = OpenChunk(out);
  State state = State::kMore;
  while (state == State::kMore && out->size() < kPieceBytesMin) {
    const size_t before = out->size();
    state = Read(out, ending);
    if (out->size() == before) break;  // a source that has nothing yet: let others run
  }
  CloseChunk(out, mark);
  if (state == State::kEnd && framing_ == Framing::kChunked) *out += "0\r\n\r\n";
  return state;
}

State ResponseEncoder::NextGzip(std::string* out, bool ending) {
  raw_.clear();
  const State state = Read(&raw_, ending);
  const size_t mark = OpenChunk(out);
  const auto flush = state == State::kEnd    ? Gzip::Flush::kFinish
                     : state == State::kWait ? Gzip::Flush::kSync
                                             : Gzip::Flush::kNone;
  if (!raw_.empty() || state == State::kEnd) gzip_->Append(raw_, flush, out);
  CloseChunk(out, mark);
  if (state == State::kEnd && framing_ == Framing::kChunked) *out += "0\r\n\r\n";
  return state;
}

State ResponseEncoder::NextMessages(std::string* out, bool ending) {
  State state = State::kMore;
  while (state == State::kMore && out->size() < kPieceBytesMin) {
    const size_t before = raw_.size();
    state = Read(&raw_, ending);
    if (raw_.size() == before) break;
    raw_.erase(0, AppendMessages(raw_, response_.messages, out));
  }
  if (state != State::kMore && raw_.empty()) raw_ = {};  // its room: it may wait for long
  if (state == State::kEnd) AppendClose(CloseCode::kNormal, out);
  return state;
}

void ResponseEncoder::WriteHead(std::string* out, size_t length) {
  const bool sends_gzip = gzip_ != nullptr;
  *out += "HTTP/1.1 ";
  AppendNumber(out, static_cast<uint64_t>(response_.status));
  *out += ' ';
  *out += ReasonPhrase(response_.status);
  *out += "\r\n";
  for (const Header& header : response_.headers) AppendHeader(out, header.first, header.second);
  if (framing_ == Framing::kMessages) {
    *out += "\r\n";
    return;
  }
  if (sends_gzip) {
    AppendHeader(out, "Content-Encoding", "gzip");
    const Header varies{"Vary", "Accept-Encoding"};
    if (std::ranges::find(response_.headers, varies) == response_.headers.end()) {
      AppendHeader(out, varies.first, varies.second);
    }
  }
  AppendHeader(out, "Date", date_);
  if (framing_ == Framing::kChunked) *out += "Transfer-Encoding: chunked\r\n";
  if (framing_ == Framing::kLength && !HasNoBody(response_.status)) {
    *out += "Content-Length: ";
    AppendNumber(out, length);
    *out += "\r\n";
  }
  if (!form_.keep_alive) {
    *out += "Connection: close\r\n";
  } else if (!form_.http11) {
    *out += "Connection: keep-alive\r\n";
  }
  *out += "\r\n";
}

size_t ResponseEncoder::OpenChunk(std::string* out) const {
  if (framing_ == Framing::kChunked) out->append(kChunkHeadBytes, '0');
  return out->size();
}

// Writes the size before the chunk's data, or takes the room for it away when there is no data.
void ResponseEncoder::CloseChunk(std::string* out, size_t mark) const {
  if (framing_ != Framing::kChunked) return;
  const size_t begin = mark - kChunkHeadBytes;
  const size_t size = out->size() - mark;
  if (size == 0) {
    out->resize(begin);
    return;
  }
  std::array<char, kChunkDigits> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), size, 16);
  KULISSE_ASSERT(end.ec == std::errc());
  // Leading zeros fill the room: RFC 9112 7.1 allows any number of digits.
  const auto used = static_cast<size_t>(end.ptr - digits.data());
  out->replace(begin + kChunkDigits - used, used, digits.data(), used);
  out->replace(begin + kChunkDigits, 2, "\r\n");
  *out += "\r\n";
}

}  // namespace kulisse::apiserver::net
