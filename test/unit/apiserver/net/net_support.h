// What the tests of the listener share: a server with a handler that is a function, a client that
// speaks bytes, and certificates.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apiserver/http.h"
#include "apiserver/net/server.h"
#include "base/virtual_runtime.h"

namespace kulisse::apiserver::net {

// A temporary folder with the files of a small PKI; times fit VirtualRuntime.
class TestPki {
 public:
  TestPki();
  ~TestPki();
  [[nodiscard]] std::string path(std::string_view file) const {
    return folder_ + "/" + std::string(file);
  }
  [[nodiscard]] TlsFiles files() const {
    return {path("server.crt"), path("server.key"), path("ca.crt")};
  }

 private:
  std::string folder_;
};

class FunctionHandler final : public HttpHandler {
 public:
  using Function = std::function<HttpResponse(HttpRequest)>;
  explicit FunctionHandler(Function function) : function_(std::move(function)) {}
  HttpResponse Handle(HttpRequest request) override { return function_(std::move(request)); }

 private:
  Function function_;
};

[[nodiscard]] HttpResponse TextResponse(std::string body, int status = 200);
// "METHOD target body".
[[nodiscard]] HttpResponse EchoRequest(const HttpRequest& request);

// A durable revision that the test moves.
class TestGate {
 public:
  [[nodiscard]] DurabilityGate gate();
  void Set(uint64_t revision);
  // Blocks until somebody waits for durability.
  void AwaitWaiter();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t durable_ = 0;
  std::multimap<uint64_t, Callback> waiters_;
};

// A source that the test feeds.
class TestFeed {
 public:
  [[nodiscard]] static std::unique_ptr<BodySource> MakeSource(std::shared_ptr<TestFeed> feed);
  void Push(std::string bytes);
  void End();
  // Calls the waker although nothing is new.
  void Wake();
  // Blocks until the connection has dropped the source.
  void AwaitDestroyed();
  [[nodiscard]] int reads();

 private:
  class Source;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string bytes_;
  bool ended_ = false;
  bool destroyed_ = false;
  int reads_ = 0;
  std::function<void()> waker_;
};

// Listens on a free port; time stands still but for RunFor().
class TestServer {
 public:
  explicit TestServer(FunctionHandler::Function handler, ServerOptions options = {},
                      DurabilityGate gate = {});
  [[nodiscard]] Server& server() { return *server_; }
  [[nodiscard]] VirtualRuntime& runtime() { return runtime_; }
  // Blocks until as many connections are open (or the test's time is up).
  void AwaitConnections(int64_t count);

 private:
  FunctionHandler handler_;
  VirtualRuntime runtime_{1};
  std::unique_ptr<Server> server_;
};

struct TestResponse {
  int status = 0;  // 0: the connection ended instead
  std::vector<Header> headers;
  std::string body;    // decoded from chunks
  bool whole = false;  // ended as its framing says

  [[nodiscard]] std::string Find(std::string_view name) const;
  [[nodiscard]] bool Has(std::string_view name) const;
};

struct TlsClientOptions {
  std::string certificate_file;
  std::string key_file;
  std::vector<std::string> protocols;  // ALPN
  int version_max = 0;
  void* session = nullptr;  // SSL_SESSION to resume
};

// A blocking connection. Every wait ends after 20 s, as if the server had closed.
class TestClient {
 public:
  explicit TestClient(TestServer& server);
  TestClient(TestServer& server, const TlsClientOptions& options);
  ~TestClient();
  TestClient(const TestClient&) = delete;

  // TLS only: whether the handshake went well.
  [[nodiscard]] bool connected() const { return connected_; }
  [[nodiscard]] std::string protocol() const;
  [[nodiscard]] bool resumed() const;
  // An SSL_SESSION that the caller frees.
  [[nodiscard]] void* TakeSession() const;

  bool Send(std::string_view bytes);
  void CloseWrite();
  void Close();
  // One answer; `head_only`: to a HEAD.
  [[nodiscard]] TestResponse ReadResponse(bool head_only = false);
  // Status line and headers; the body is left to ReadSome().
  [[nodiscard]] TestResponse ReadHead();
  // One chunk of a chunked answer; nothing when it has ended (or the connection has).
  [[nodiscard]] std::optional<std::string> ReadChunk();
  // Exactly as many bytes, or fewer at the end.
  [[nodiscard]] std::string ReadBytes(size_t count);
  [[nodiscard]] std::string ReadToEnd();
  TestResponse Exchange(std::string_view request) {
    Send(request);
    return ReadResponse();
  }

 private:
  void Connect(uint16_t port);
  bool Fill();
  [[nodiscard]] std::optional<std::string> ReadLine();

  int descriptor_ = -1;
  struct Tls;
  std::unique_ptr<Tls> tls_;
  bool connected_ = true;
  std::string buffer_;
};

[[nodiscard]] std::string Gunzip(std::string_view bytes);

}  // namespace kulisse::apiserver::net
