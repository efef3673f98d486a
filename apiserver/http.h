// Requests and answers of HTTP as everything above apiserver/net sees them: plain values, no Beast,
// no Asio. A handler is a synchronous function; what takes time is handed back to the edge as a
// BodySource (streams) or a Deferred (waits).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "storage/revision.h"

namespace kulisse::apiserver {

using Header = std::pair<std::string, std::string>;

// "Sun, 22 Nov 2026 21:24:20 GMT", as Date and Last-Modified have it.
[[nodiscard]] std::string HttpDate(SystemTime time);

// Who a verified TLS client certificate says the client is.
struct ClientCertificate {
  std::string common_name;
  std::vector<std::string> organizations;
  std::string sha256 = {};  // of the whole certificate, in hexadecimal
};

struct HttpRequest {
  std::string method;  // "GET"
  std::string target;  // as sent: path and, after '?', the query
  std::vector<Header> headers;
  std::string body;                                     // whole, decoded from chunks
  std::optional<ClientCertificate> client_certificate;  // only when it verified
  // A certificate was presented that is not signed by the client CA, or is not valid now.
  bool client_certificate_invalid = false;
  std::string remote_address;  // "127.0.0.1:51234"
  // Came over a port that asks nobody who they are: the client may do everything.
  bool unsecured = false;

  // The first header of that name (case does not matter), or "".
  [[nodiscard]] std::string_view Find(std::string_view name) const;
  [[nodiscard]] std::string_view path() const;   // raw, before '?'
  [[nodiscard]] std::string_view query() const;  // raw, after '?', or ""
};

// A body that is produced while it is sent: lists and watches.
// Threads: Read() on the connection's loop only. The waker may be called from any thread.
class BodySource {
 public:
  enum class State : uint8_t {
    kMore,  // bytes were appended; ask again when they are on their way
    kWait,  // nothing now; the waker will be called
    kEnd,   // that was all; a well-formed end
  };
  virtual ~BodySource() = default;
  // Appends at most about kResponseChunkBytes to *out.
  virtual State Read(std::string* out) = 0;
  // Given once before the first Read(). May be called more often than needed.
  virtual void SetWaker(std::function<void()> waker) = 0;
};

// How the bytes of a stream fall into messages.
enum class Messages : uint8_t {
  kNone,
  kLines,     // each ends with a line feed, which belongs to it; it is text
  kPrefixed,  // each after its size in four bytes, the highest first
};

struct HttpResponse;

// An answer that is not there yet: `make` is called on the connection's loop when the store's
// durable revision has reached `revision`, or after `timeout` (none: no limit), whichever is first.
struct Deferred {
  storage::Revision revision;
  std::optional<Duration> timeout;
  std::move_only_function<HttpResponse()> make;
};

struct HttpResponse {
  int status = 200;
  std::vector<Header> headers;  // Content-Type and so on; never length or transfer encoding
  std::string body;
  std::unique_ptr<BodySource> stream;  // when set, body is ignored and chunks are sent
  std::unique_ptr<Deferred> deferred;  // when set, all else is ignored
  // With status 101: the connection becomes a WebSocket, and the stream is sent as messages.
  Messages messages = Messages::kNone;
  // May be compressed when the client accepts it and it is large (get and list; never a watch).
  bool compressible = false;
  // The answer must not leave before this revision is durable.
  storage::Revision after;
};

// What the listener calls for each request, on the connection's I/O loop. Must not block for long
// and must not throw.
class HttpHandler {
 public:
  virtual ~HttpHandler() = default;
  virtual HttpResponse Handle(HttpRequest request) = 0;
};

}  // namespace kulisse::apiserver
