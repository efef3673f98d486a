// Server listens on one address and answers HTTP/1.1 over TLS or plain TCP with a handler.
//
// TLS runs OpenSSL on the socket's descriptor; Beast parses heads; one io_context per thread, and a
// connection stays on its loop until it closes. Requests of a connection are answered in order
// (pipelining is safe). All limits are those of base/limits.h ("apiserver/net").
//
// Owns: its threads, sockets and connections. Borrows: handler and runtime. Wakers and gate
//   callbacks may be called at any time, also after its end: they then do nothing.
// Time: the runtime's, in ticks of kClockTick; timeouts are that coarse. Stop() alone waits by the
//   machine's clock.
// Threads: Start() and Stop() from one thread; the handler is called on the I/O loops.
// Errors: Start() says in words why it cannot listen.
#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>

#include "apiserver/http.h"
#include "base/runtime.h"

namespace kulisse::apiserver::net {

struct TlsFiles {
  std::string certificate_file;  // PEM chain
  std::string key_file;
  // Client certificates signed by it name the client (HttpRequest::client_certificate). As in
  // kube-apiserver, any other one ends in client_certificate_invalid, not in a failed handshake.
  std::string client_ca_file;
};

// What the listener counts. Threads: any.
struct ServerStats {
  std::atomic<int64_t> connections_open = 0;
  std::atomic<int64_t> connections_accepted = 0;
  std::atomic<int64_t> requests = 0;
  std::atomic<int64_t> requests_malformed = 0;  // answered here, the handler never saw them
  std::atomic<int64_t> streams_open = 0;
};

// Holds answers back until what they tell is durable. Store::durable and Store::WhenDurable.
struct DurabilityGate {
  std::function<storage::Revision()> durable;
  std::function<void(storage::Revision, Callback)> when_durable;
};

struct ServerOptions {
  std::string address = "127.0.0.1";
  uint16_t port = 0;            // 0: any free one
  std::optional<TlsFiles> tls;  // none: plain HTTP
  int threads = 1;
};

class Server {
 public:
  static std::expected<std::unique_ptr<Server>, std::string> Start(const ServerOptions& options,
                                                                   HttpHandler& handler,
                                                                   DurabilityGate gate,
                                                                   Runtime& runtime);
  virtual ~Server() = default;
  [[nodiscard]] virtual uint16_t port() const = 0;
  // Stops accepting, lets running answers end, ends watches (their streams close well-formed), and
  // closes what is left after kDrainTimeMax. The destructor does it too.
  virtual void Stop() = 0;
  [[nodiscard]] virtual const ServerStats& stats() const = 0;
};

}  // namespace kulisse::apiserver::net
