// HttpClient speaks HTTP/1.1 with a Kubernetes API server, over TLS or without: one request, or
// thousands a second over a few connections that are kept, several requests at a time on each.
//
// Owns: its connections. Threads: one. Waits for the server; no timeouts.
// Errors: what keeps an answer from coming, in words; an answer of any status is none.
// Limits: kConnections connections; kPipelineRequests requests and kPipelineBytes bytes are on
//   their way on one, so that neither side waits for the other to read; kAnswerBytesMax.
#pragma once

#include <cstddef>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cmd/client/kubeconfig.h"

namespace kulisse::cmd {

struct HttpRequest {
  std::string_view method = "GET";
  std::string target = {};  // "/api/v1/nodes"
  std::string body = {};    // JSON; "" for none
  std::string_view accept = "application/json";
};

struct HttpAnswer {
  int status = 0;
  std::string body;
};

class HttpClient {
 public:
  static constexpr size_t kConnections = 8;
  static constexpr size_t kPipelineRequests = 16;
  static constexpr size_t kPipelineBytes = 32 * 1024;
  static constexpr size_t kAnswerBytesMax = size_t{1} << 30;

  [[nodiscard]] static std::expected<std::unique_ptr<HttpClient>, std::string> Create(
      ServerAccess access);
  ~HttpClient();

  [[nodiscard]] std::expected<HttpAnswer, std::string> Exchange(const HttpRequest& request);

  // Sends all requests that `next` gives until there is none, and tells of each answer. They are
  // in no order. A connection that breaks ends it: what was on its way may have been done.
  using Next = std::function<std::optional<HttpRequest>()>;
  using Done = std::function<void(const HttpRequest& request, const HttpAnswer& answer)>;
  [[nodiscard]] std::expected<void, std::string> ExchangeAll(const Next& next, const Done& done);

 private:
  class Connection;
  struct Transport;  // of Asio, whose headers stay in http_client.cc

  explicit HttpClient(ServerAccess access);
  // The connection of that number, open.
  std::expected<Connection*, std::string> At(size_t index);
  // Sends as much as may be on its way on the connection; returns whether there was any.
  std::expected<bool, std::string> Fill(size_t index, const Next& next);
  // Reads the answers to all that is on its way on it.
  std::expected<void, std::string> Drain(size_t index, const Done& done);

  const ServerAccess access_;
  const std::unique_ptr<Transport> transport_;
  std::vector<std::unique_ptr<Connection>> connections_;
};

}  // namespace kulisse::cmd
