// A small HTTP/1.1 client over TLS for load: one connection, blocking, one request at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

// Of OpenSSL, whose headers stay in client.cc.
struct ssl_st;
struct ssl_ctx_st;

namespace kulisse::bench {

// Where a server is and how to prove who asks: the first cluster and user of a kubeconfig.
struct Target {
  std::string host;
  std::string port;
  std::string ca_pem;
  std::string certificate_pem;
  std::string key_pem;
};

// Ends the program with a message when the file has no https server or no client certificate.
Target ReadKubeconfig(const std::string& path);

// Shared by all connections; the server's certificate is verified.
// Threads: any.
class TlsContext {
 public:
  explicit TlsContext(const Target& target);
  [[nodiscard]] ssl_ctx_st* get() const { return context_.get(); }

 private:
  std::unique_ptr<ssl_ctx_st, void (*)(ssl_ctx_st*)> context_;
};

// Threads: one at a time. Errors: all of them end the program, a load without its server is none.
class Connection {
 public:
  Connection(const Target& target, const TlsContext& tls);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  struct Request {
    std::string_view method;
    std::string target;
    std::string_view content_type;  // empty: no body
    std::string_view body;
    std::string_view accept = "application/json";
  };

  // Sends and reads the whole answer; returns its body. An answer of 300 and above ends the
  // program.
  std::string Exchange(const Request& request);

  // Sends, and gives the body to `consume` as it comes, until that returns false or it ends.
  void Stream(const Request& request, const std::function<bool(std::string_view)>& consume);

 private:
  void Send(const Request& request);
  void ReadHead();
  void ReadMore();
  // Takes `count` bytes off the buffer, reading more where there are too few.
  std::string Take(size_t count);
  std::string TakeLine();

  const Target& target_;
  ssl_st* ssl_ = nullptr;
  std::string buffer_;  // received, not yet consumed
  size_t consumed_ = 0;
  int status_ = 0;
  bool chunked_ = false;
  uint64_t length_ = 0;
};

[[noreturn]] void Fail(const std::string& message);

}  // namespace kulisse::bench
