// The frames of a WebSocket (RFC 6455) as a server needs them that sends messages and expects none.
//
// Threads: one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "apiserver/http.h"

namespace kulisse::apiserver::net {

// Why an end closes (RFC 6455 7.4.1).
enum class CloseCode : uint16_t {
  kNormal = 1000,
  kProtocolError = 1002,
  kTooBig = 1009,
};

// Appends the whole messages at the front of `bytes`, a frame each; returns how many bytes they
// were.
size_t AppendMessages(std::string_view bytes, Messages messages, std::string* out);
void AppendClose(CloseCode code, std::string* out);

// WebSocketReader takes what the client sends: pings are answered, messages are thrown away unread.
//
// Errors: what does not follow the protocol ends it, with a frame that says so.
// Limits: kWebSocketFrameBytesMax; it keeps at most a head and the payload of a control frame.
class WebSocketReader {
 public:
  // Appends the frames that answer. False: that was the last; the close frame is in *out.
  // REQUIRES: it was not false before.
  [[nodiscard]] bool Feed(std::string_view bytes, std::string* out);

 private:
  // What is wrong with the head as far as it is there.
  [[nodiscard]] std::optional<CloseCode> CheckHead() const;
  // Bytes that the head has, as its first two say.
  [[nodiscard]] size_t HeadSize() const;
  [[nodiscard]] uint64_t PayloadSize() const;
  [[nodiscard]] bool IsControl() const;
  // A frame is complete. False: it closes.
  [[nodiscard]] bool Finish(std::string* out);

  std::string head_;        // of the frame that is being read
  bool whole_ = false;      // the head is
  uint64_t remaining_ = 0;  // of the payload
  std::string control_;     // payload of a control frame, as sent
};

}  // namespace kulisse::apiserver::net
