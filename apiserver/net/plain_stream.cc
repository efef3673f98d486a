#include <sys/socket.h>

#include <cerrno>

#include "apiserver/net/byte_stream.h"

namespace kulisse::apiserver::net {

namespace {

class PlainStream final : public ByteStream {
 public:
  explicit PlainStream(int descriptor) : descriptor_(descriptor) {}

  IoResult Handshake() override { return {}; }
  Peer VerifyPeer(SystemTime) override { return {}; }
  [[nodiscard]] bool HasBuffered() const override { return false; }
  void Shutdown() override { ::shutdown(descriptor_, SHUT_WR); }

  IoResult Read(std::span<char> buffer) override {
    const ssize_t n = ::recv(descriptor_, buffer.data(), buffer.size(), 0);
    if (n == 0) return {IoState::kEnd};
    return Outcome(n, IoState::kWantRead);
  }

  IoResult Write(std::string_view bytes) override {
    return Outcome(::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL),
                   IoState::kWantWrite);
  }

 private:
  static IoResult Outcome(ssize_t n, IoState want) {
    if (n > 0) return {IoState::kDone, static_cast<size_t>(n)};
    const bool again = errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
    return {again ? want : IoState::kFailed};
  }

  int descriptor_;
};

}  // namespace

std::unique_ptr<ByteStream> MakePlainStream(int descriptor) {
  return std::make_unique<PlainStream>(descriptor);
}

}  // namespace kulisse::apiserver::net
