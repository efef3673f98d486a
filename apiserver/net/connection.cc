#include "apiserver/net/connection.h"

#include <sys/socket.h>

#include <cerrno>
#include <exception>
#include <utility>

#include "apiserver/net/gzip.h"
#include "base/assert.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/status.h"

namespace kulisse::apiserver::net {

namespace {

// Buffers larger than this are given back while a connection waits.
constexpr size_t kIdleBufferBytesMax = 1024;
// After a piece of this size other connections get their turn.
constexpr size_t kTurnBytes = 64 * 1024;

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

HttpResponse StatusAnswer(const Status& status) {
  HttpResponse response;
  response.status = status.code;
  response.headers.emplace_back("Content-Type", "application/json");
  response.headers.emplace_back("Cache-Control", "no-cache, private");
  response.body = ToJson(status) + "\n";
  return response;
}

}  // namespace

Connection::Connection(Loop& loop, Socket socket, std::unique_ptr<ByteStream> stream,
                       std::string remote_address)
    : loop_(loop),
      socket_(std::move(socket)),
      stream_(std::move(stream)),
      remote_address_(std::move(remote_address)) {}

Connection::~Connection() { KULISSE_ASSERT(phase_ == Phase::kClosed); }

void Connection::Start() {
  loop_.Add(shared_from_this());
  SetDeadline(kTlsHandshakeTimeMax);
  Advance();
}

void Connection::OnWake() {
  // While the socket takes no more, there is no use in asking for more.
  if (waiting_writable_ || yielded_) return;
  if (phase_ == Phase::kHolding || phase_ == Phase::kWriting) Advance();
}

void Connection::OnDeadline() {
  ClearDeadline();
  switch (phase_) {
    case Phase::kHolding:
      hold_timed_out_ = true;
      Advance();
      break;
    case Phase::kReading:
      if (parser_.state() == RequestParser::State::kIdle) {
        Close();
      } else {
        Refuse({.code = 408, .text = "Request Timeout"});
        Advance();
      }
      break;
    case Phase::kHandshake:
    case Phase::kWriting:
    case Phase::kLinger:
    case Phase::kClosed:
      Close();
      break;
  }
}

void Connection::Drain() {
  const bool between_requests =
      phase_ == Phase::kReading && parser_.state() == RequestParser::State::kIdle && in_.empty();
  if (between_requests || phase_ == Phase::kHandshake || phase_ == Phase::kLinger) {
    stream_->Shutdown();
    Close();
  } else {
    OnWake();
  }
}

void Connection::Close() {
  if (phase_ == Phase::kClosed) return;
  const auto self = shared_from_this();  // the loop may hold the last reference
  phase_ = Phase::kClosed;
  ClearDeadline();
  if (wake_target_ != nullptr) wake_target_->connection = nullptr;
  if (std::exchange(counted_stream_, false)) loop_.services().stats.streams_open.fetch_sub(1);
  encoder_.Reset();
  held_ = {};
  boost::system::error_code ignored;
  socket_.close(ignored);
  loop_.Remove(*this);
}

void Connection::Advance() {
  const auto self = shared_from_this();
  bool go_on = true;
  while (go_on) {
    switch (phase_) {
      case Phase::kHandshake:
        go_on = Handshake();
        break;
      case Phase::kReading:
        go_on = ReadRequest();
        break;
      case Phase::kHolding:
        go_on = Hold();
        break;
      case Phase::kWriting:
        go_on = Write();
        break;
      case Phase::kLinger:
        go_on = Linger();
        break;
      case Phase::kClosed:
        return;
    }
  }
}

bool Connection::CheckIo(const IoResult& result) {
  switch (result.state) {
    case IoState::kDone:
      return true;
    case IoState::kWantRead:
      WaitReadable();
      return false;
    case IoState::kWantWrite:
      WaitWritable();
      return false;
    case IoState::kEnd:
    case IoState::kFailed:
      Close();
      return false;
  }
  return false;
}

bool Connection::Handshake() {
  if (!CheckIo(stream_->Handshake())) return false;
  peer_ = stream_->VerifyPeer(loop_.wall());
  phase_ = Phase::kReading;
  SetDeadline(kConnectionIdleTimeMax);
  return true;
}

// --- request

bool Connection::ReadRequest() {
  // A "100 Continue" that did not fit the socket.
  if (!Flush()) return false;
  if (!in_.empty()) {
    const std::string bytes = std::exchange(in_, {});
    Consume(bytes);
    return true;
  }
  if (!std::exchange(may_read_, true) && !stream_->HasBuffered()) {
    WaitReadable();
    return false;
  }
  const std::span<char> buffer = loop_.scratch();
  const IoResult result = stream_->Read(buffer);
  if (!CheckIo(result)) return false;
  Consume({buffer.data(), result.bytes});
  return true;
}

void Connection::Consume(std::string_view bytes) {
  using State = RequestParser::State;
  while (!bytes.empty() && phase_ == Phase::kReading) {
    const State before = parser_.state();
    bytes.remove_prefix(parser_.Feed(bytes));
    const State after = parser_.state();
    if (before == State::kIdle || (before != after && after == State::kBody)) {
      SetDeadline(kRequestReadTimeMax);
    }
    if (after == State::kRefused) {
      Refuse(parser_.refusal());
      return;
    }
    if (after == State::kComplete) {
      in_ = bytes;
      HandleRequest();
      return;
    }
    // A client that has begun to send the body does not wait for leave.
    if (after == State::kBody && before != State::kBody && bytes.empty() &&
        parser_.expects_continue()) {
      out_ = kContinue;
    }
  }
}

void Connection::Refuse(Refusal refusal) {
  loop_.services().stats.requests_malformed.fetch_add(1, std::memory_order_relaxed);
  parser_ = RequestParser();
  in_ = {};
  out_ = {};
  out_written_ = 0;
  form_ = {.http11 = true, .keep_alive = false};
  refused_ = true;
  if (refusal.code == 413) {
    BeginAnswer(StatusAnswer(Status::RequestEntityTooLarge(refusal.text)));
    return;
  }
  HttpResponse response;
  response.status = refusal.code;
  response.headers.emplace_back("Content-Type", "text/plain; charset=utf-8");
  response.body = std::to_string(refusal.code) + " " + refusal.text;
  BeginAnswer(std::move(response));
}

void Connection::HandleRequest() {
  form_.http11 = parser_.http11();
  form_.keep_alive = parser_.keep_alive() && !loop_.draining();
  HttpRequest request = parser_.Take();
  form_.accepts_gzip = AcceptsGzip(request.Find("Accept-Encoding"));
  form_.head_only = request.method == "HEAD";
  request.remote_address = remote_address_;
  const bool expired = loop_.wall() > peer_.valid_until;
  if (!expired) request.client_certificate = peer_.certificate;
  request.client_certificate_invalid = peer_.invalid || expired;
  loop_.services().stats.requests.fetch_add(1, std::memory_order_relaxed);
  ClearDeadline();
  held_ = CallHandler(std::move(request));
  hold_registered_ = false;
  phase_ = Phase::kHolding;
}

HttpResponse Connection::CallHandler(HttpRequest request) {
  try {
    return loop_.services().handler.Handle(std::move(request));
  } catch (const std::exception& error) {
    log::Write(log::Level::kError, "net", "a handler threw", {{"what", error.what()}});
    return StatusAnswer(Status::InternalError(error.what()));
  }
}

// --- answer

bool Connection::Hold() {
  const DurabilityGate& gate = loop_.services().gate;
  while (true) {
    const bool deferred = held_.deferred != nullptr;
    const storage::Revision needed = deferred ? held_.deferred->revision : held_.after;
    if (needed <= gate.durable() || (deferred && hold_timed_out_)) {
      hold_registered_ = false;
      hold_timed_out_ = false;
      ClearDeadline();
      if (!deferred) break;
      const std::unique_ptr<Deferred> ready = std::move(held_.deferred);
      try {
        held_ = ready->make();
      } catch (const std::exception& error) {
        log::Write(log::Level::kError, "net", "a handler threw", {{"what", error.what()}});
        held_ = StatusAnswer(Status::InternalError(error.what()));
      }
      continue;
    }
    if (!std::exchange(hold_registered_, true)) {
      if (deferred && held_.deferred->timeout) SetDeadline(*held_.deferred->timeout);
      gate.when_durable(needed, MakeWaker());
    }
    WatchForClose();
    return false;
  }
  BeginAnswer(std::exchange(held_, {}));
  return true;
}

void Connection::BeginAnswer(HttpResponse response) {
  if (response.stream != nullptr) {
    response.stream->SetWaker(MakeWaker());
    counted_stream_ = true;
    loop_.services().stats.streams_open.fetch_add(1, std::memory_order_relaxed);
  }
  if (response.status == 101) web_socket_ = std::make_unique<WebSocketReader>();
  encoder_.Start(std::move(response), form_, loop_.date());
  source_state_ = BodySource::State::kMore;
  phase_ = Phase::kWriting;
}

bool Connection::Write() {
  while (true) {
    const size_t piece = out_.size();
    if (!Flush()) return false;
    if (source_state_ == BodySource::State::kEnd) return FinishAnswer();
    if (source_state_ == BodySource::State::kMore && piece >= kTurnBytes) {
      Yield();
      return false;
    }
    if (out_.capacity() <= kIdleBufferBytesMax) out_ = loop_.TakeBuffer();
    try {
      source_state_ = encoder_.Next(&out_, loop_.draining());
    } catch (const std::exception& error) {
      log::Write(log::Level::kError, "net", "a stream threw", {{"what", error.what()}});
      Close();
      return false;
    }
    // The encoder's piece ends with a whole message: others may follow it.
    if (web_socket_ != nullptr && !TakeFrames()) return false;
    if (!out_.empty()) continue;
    if (source_state_ == BodySource::State::kMore) {
      Yield();
      return false;
    }
    if (source_state_ == BodySource::State::kWait) {
      ClearDeadline();
      ReleaseBuffer();
      WatchForClose();
      return false;
    }
  }
}

bool Connection::Flush() {
  while (out_written_ < out_.size()) {
    const IoResult result = stream_->Write(std::string_view(out_).substr(out_written_));
    if (!CheckIo(result)) {
      if (phase_ == Phase::kWriting && deadline_ == MonotonicTime::max()) {
        SetDeadline(kResponseWriteTimeMax);
      }
      return false;
    }
    out_written_ += result.bytes;
    if (phase_ == Phase::kWriting) ClearDeadline();
  }
  out_.clear();
  out_written_ = 0;
  return true;
}

void Connection::ReleaseBuffer() {
  if (out_.capacity() > kIdleBufferBytesMax) loop_.GiveBuffer(std::exchange(out_, {}));
}

bool Connection::FinishAnswer() {
  const bool keep_alive = encoder_.keep_alive() && !loop_.draining();
  encoder_.Reset();
  web_socket_.reset();
  if (std::exchange(counted_stream_, false)) loop_.services().stats.streams_open.fetch_sub(1);
  ReleaseBuffer();
  if (keep_alive) {
    phase_ = Phase::kReading;
    may_read_ = false;  // the client hardly has the answer yet
    SetDeadline(kConnectionIdleTimeMax);
    return true;
  }
  stream_->Shutdown();
  if (loop_.draining() && !refused_) {
    Close();
    return false;
  }
  phase_ = Phase::kLinger;
  SetDeadline(kLingerTimeMax);
  return true;
}

bool Connection::Linger() {
  while (true) {
    const std::span<char> buffer = loop_.scratch();
    // Below TLS: nobody reads these bytes.
    const ssize_t n = ::recv(socket_.native_handle(), buffer.data(), buffer.size(), 0);
    if (n > 0) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      WaitReadable();
    } else {
      Close();
    }
    return false;
  }
}

bool Connection::TakeFrames() {
  if (source_state_ == BodySource::State::kEnd) return true;
  if (!waiting_readable_) ReadAhead();
  if (phase_ == Phase::kClosed) return false;
  const std::string bytes = std::exchange(in_, {});
  if (!web_socket_->Feed(bytes, &out_)) source_state_ = BodySource::State::kEnd;
  return true;
}

void Connection::WatchForClose() {
  if (stream_->HasBuffered() && !waiting_readable_ && !ReadAhead()) return;
  if (in_.size() < kReadAheadBytesMax) WaitReadable();
}

bool Connection::ReadAhead() {
  while (in_.size() < kReadAheadBytesMax) {
    const std::span<char> buffer = loop_.scratch();
    const IoResult result = stream_->Read(buffer);
    if (!CheckIo(result)) return false;
    in_.append(buffer.data(), result.bytes);
  }
  return true;
}

// --- waits

void Connection::WaitReadable() {
  if (std::exchange(waiting_readable_, true)) return;
  socket_.async_wait(Socket::wait_read, [self = shared_from_this()](boost::system::error_code) {
    self->waiting_readable_ = false;
    const bool waits_for_answer =
        !self->waiting_writable_ && self->out_.empty() &&
        (self->phase_ == Phase::kHolding || self->phase_ == Phase::kWriting);
    if (waits_for_answer && self->yielded_) return;
    if (waits_for_answer && self->web_socket_ == nullptr) {
      self->ReadAhead();
    } else {
      self->Advance();
    }
  });
}

void Connection::WaitWritable() {
  if (std::exchange(waiting_writable_, true)) return;
  socket_.async_wait(Socket::wait_write, [self = shared_from_this()](boost::system::error_code) {
    self->waiting_writable_ = false;
    self->Advance();
  });
}

void Connection::Yield() {
  if (std::exchange(yielded_, true)) return;
  loop_.Post([self = shared_from_this()] {
    self->yielded_ = false;
    self->Advance();
  });
}

void Connection::SetDeadline(Duration after_now) {
  deadline_ = loop_.now() + after_now;
  loop_.NoteDeadline(deadline_);
}

std::function<void()> Connection::MakeWaker() {
  if (wake_target_ == nullptr) wake_target_ = std::make_shared<WakeTarget>(this);
  return [mailbox = loop_.mailbox(), target = wake_target_] { mailbox->Push(target); };
}

}  // namespace kulisse::apiserver::net
