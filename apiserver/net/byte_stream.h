// ByteStream is one side of a connection's socket: plain or TLS. Nothing here blocks; when the
// socket is not ready the caller waits for it and calls again.
//
// Borrows: the descriptor (non-blocking), which outlives it.
// Threads: one at a time.
// Errors: kFailed, with no more detail: the connection can only be closed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "apiserver/http.h"
#include "base/time.h"

namespace kulisse::apiserver::net {

enum class IoState : uint8_t {
  kDone,
  kWantRead,   // call again when the socket is readable
  kWantWrite,  // call again when it is writable
  kEnd,        // the peer has closed
  kFailed,
};

struct IoResult {
  IoState state = IoState::kDone;
  size_t bytes = 0;  // with kDone: > 0
};

// Who the peer is by its TLS certificate.
struct Peer {
  std::optional<ClientCertificate> certificate;
  bool invalid = false;
  SystemTime valid_until = SystemTime::max();
};

class ByteStream {
 public:
  virtual ~ByteStream() = default;
  virtual IoResult Handshake() = 0;
  // Verifies the peer's certificate at `now`. After the handshake.
  virtual Peer VerifyPeer(SystemTime now) = 0;
  virtual IoResult Read(std::span<char> buffer) = 0;
  virtual IoResult Write(std::string_view bytes) = 0;
  // Bytes were taken from the socket that Read() has not given yet.
  [[nodiscard]] virtual bool HasBuffered() const = 0;
  // Tells the peer that no more bytes come, as far as that goes without waiting.
  virtual void Shutdown() = 0;
};

[[nodiscard]] std::unique_ptr<ByteStream> MakePlainStream(int descriptor);

}  // namespace kulisse::apiserver::net
