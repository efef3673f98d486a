// Connection is the state machine of one client: handshake, then requests one after the other, each
// read whole, handled, held back until it is durable, and answered. It runs until the socket or the
// answer is not ready, arms a wait, and is run again from there.
//
// Owns: socket, byte stream, and the answer with its source while it is sent.
// Borrows: its loop.
// Threads: its loop's only.
// Errors: a socket that fails closes the connection; a request that makes no sense is answered and
//   then the connection closes; a handler that throws gives a 500.
// Limits: all of "apiserver/net" in base/limits.h.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "apiserver/http.h"
#include "apiserver/net/byte_stream.h"
#include "apiserver/net/loop.h"
#include "apiserver/net/request_parser.h"
#include "apiserver/net/response_encoder.h"
#include "apiserver/net/web_socket_frames.h"

namespace kulisse::apiserver::net {

class Connection final : public std::enable_shared_from_this<Connection> {
 public:
  using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp,
                                                  boost::asio::io_context::executor_type>;

  // REQUIRES: `stream` works on the socket's descriptor.
  Connection(Loop& loop, Socket socket, std::unique_ptr<ByteStream> stream,
             std::string remote_address);
  ~Connection();

  // Joins the loop and begins.
  void Start();
  // Something that the connection may wait for has happened: durability, or the source has more.
  void OnWake();
  void OnDeadline();
  // The server stops.
  void Drain();
  // Drops everything at once. Does nothing the second time.
  void Close();

  // A wake-up means that its source has more, and is not urgent.
  [[nodiscard]] bool waits_for_stream() const { return phase_ == Phase::kWriting; }
  [[nodiscard]] MonotonicTime deadline() const { return deadline_; }
  [[nodiscard]] size_t index() const { return index_; }
  void set_index(size_t index) { index_ = index; }

 private:
  enum class Phase : uint8_t {
    kHandshake,
    kReading,  // between requests or within one
    kHolding,  // the answer is deferred or not durable
    kWriting,
    kLinger,  // all is said; what the client still sends is thrown away
    kClosed,
  };

  // Runs phases until one has to wait.
  void Advance();
  // Each returns whether to go on at once; if not, a wait is armed.
  bool Handshake();
  bool ReadRequest();
  bool Hold();
  bool Write();
  bool Linger();

  void Consume(std::string_view bytes);
  void HandleRequest();
  [[nodiscard]] HttpResponse CallHandler(HttpRequest request);
  void Refuse(Refusal refusal);
  void BeginAnswer(HttpResponse response);
  bool FinishAnswer();
  // Gives a large buffer back while there is nothing to write.
  void ReleaseBuffer();
  // Writes out_; false when it has to wait (or has closed).
  bool Flush();
  // Takes what the client of a WebSocket has sent, and answers into out_; false: closed.
  bool TakeFrames();
  // A peer that closes ends the wait for an answer; pipelined bytes are kept.
  void WatchForClose();
  bool ReadAhead();
  // False: not ready, a wait is armed, or closed.
  bool CheckIo(const IoResult& result);

  void WaitReadable();
  void WaitWritable();
  void Yield();
  void SetDeadline(Duration after_now);
  void ClearDeadline() { deadline_ = MonotonicTime::max(); }
  [[nodiscard]] std::function<void()> MakeWaker();

  Loop& loop_;
  Socket socket_;
  std::unique_ptr<ByteStream> stream_;
  const std::string remote_address_;
  std::shared_ptr<WakeTarget> wake_target_;  // made when first needed
  Peer peer_;

  Phase phase_ = Phase::kHandshake;
  MonotonicTime deadline_ = MonotonicTime::max();
  size_t index_ = 0;
  bool may_read_ = true;  // worth a try before waiting
  bool waiting_readable_ = false;
  bool waiting_writable_ = false;
  bool yielded_ = false;

  std::string in_;  // received, not parsed yet
  RequestParser parser_;
  AnswerForm form_;
  HttpResponse held_;
  bool hold_registered_ = false;  // the gate was told to wake us
  bool hold_timed_out_ = false;
  ResponseEncoder encoder_;
  std::unique_ptr<WebSocketReader> web_socket_;  // while the answer is one
  BodySource::State source_state_ = BodySource::State::kEnd;
  bool counted_stream_ = false;
  bool refused_ = false;  // the client may still be sending
  std::string out_;
  size_t out_written_ = 0;
};

}  // namespace kulisse::apiserver::net
