// TLS of the listener: its certificate, which clients it asks for one, and the streams on it.
//
// TLS 1.2 and later, HTTP/1.1 only (ALPN), no resumption. OpenSSL works on the socket's own
// descriptor and frees its buffers when idle: about 22 KB per connection.
//
// Threads: the context's methods from any thread after Create().
#pragma once

#include <expected>
#include <memory>
#include <string>

#include "apiserver/net/byte_stream.h"
#include "apiserver/net/server.h"

namespace kulisse::apiserver::net {

class TlsContext {
 public:
  // Says in words which file is wrong and why.
  static std::expected<std::unique_ptr<TlsContext>, std::string> Create(const TlsFiles& files);
  virtual ~TlsContext() = default;
  // The stream must not outlive the context.
  [[nodiscard]] virtual std::unique_ptr<ByteStream> MakeStream(int descriptor) = 0;
};

}  // namespace kulisse::apiserver::net
