// RequestParser turns the bytes of a connection into requests, and refuses what could be understood
// in two ways (request smuggling). The result never depends on how the bytes are cut into pieces.
//
// Beast's parser reads a head once all of it is there; what it is lax about is checked here, and
// bodies are decoded here: Boost 1.81 takes any chunk extension, a Transfer-Encoding other than
// chunked, chunks in HTTP/1.0, folded lines, and no Host.
//
// Threads: one at a time.
// Errors: refusal() says what to answer; the connection is then of no more use.
// Limits: kRequestHeadBytesMax, kRequestHeadersMax, kRequestBodyBytesMax, kChunkLineBytesMax,
//   kTrailerBytesMax.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "apiserver/http.h"

namespace kulisse::apiserver::net {

// Why a request is not taken: the answer's code, and a text for people.
struct Refusal {
  int code = 400;
  std::string text;
};

class RequestParser {
 public:
  enum class State : uint8_t {
    kIdle,      // no byte of a request seen
    kHead,      // within request line and headers
    kBody,      // head complete, body is not
    kComplete,  // Take() the request
    kRefused,
  };

  // Returns how many bytes were used: fewer than all when the head has just ended (call again) or
  // the request is complete (the rest belongs to the next one).
  size_t Feed(std::string_view bytes);

  [[nodiscard]] State state() const { return state_; }
  // REQUIRES: kRefused.
  [[nodiscard]] const Refusal& refusal() const { return refusal_; }
  // The client waits for "100 Continue" before it sends the body. REQUIRES: kBody.
  [[nodiscard]] bool expects_continue() const { return expects_continue_; }
  // REQUIRES (all): head complete.
  [[nodiscard]] bool keep_alive() const { return keep_alive_; }
  [[nodiscard]] bool http11() const { return http11_; }

  // Hands out the request and starts over. REQUIRES: kComplete.
  [[nodiscard]] HttpRequest Take();

 private:
  enum class BodyPart : uint8_t {
    kFixed,
    kChunkSize,
    kChunkData,
    kChunkEnd,  // CRLF after the data
    kTrailer,
  };

  size_t FeedHead(std::string_view bytes);
  // Index just past the empty line that ends the head, 0 if it is not there yet. Refuses a bare LF.
  size_t FindHeadEnd(std::string_view head);
  void ParseHead(std::string_view head);
  bool CheckHost();
  bool NormalizeTarget();
  bool CheckExpect();
  bool ChooseFraming();
  size_t FeedBody(std::string_view bytes);
  size_t FeedFixed(std::string_view bytes);
  size_t FeedChunkData(std::string_view bytes);
  // Collects a line of at most bytes_max; when it is whole, gives it without CRLF.
  std::optional<std::string> FeedLine(std::string_view bytes, size_t bytes_max, size_t* used);
  void OnChunkSizeLine(std::string_view line);
  void Refuse(int code, std::string text);
  void RefuseBodySize();

  State state_ = State::kIdle;
  BodyPart part_ = BodyPart::kFixed;
  bool http11_ = true;
  bool keep_alive_ = true;
  bool expects_continue_ = false;
  size_t scanned_ = 0;      // of the head: up to the line that is not whole yet
  uint64_t remaining_ = 0;  // of the fixed body or the chunk
  size_t trailer_bytes_ = 0;
  std::string head_;  // only while a head came in pieces
  std::string line_;
  HttpRequest request_;
  Refusal refusal_;
};

}  // namespace kulisse::apiserver::net
