#include "cmd/client/http_client.h"

#include <fmt/format.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <deque>
#include <utility>

namespace kulisse::cmd {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using Outcome = std::expected<void, std::string>;

Outcome SetUp(const ServerAccess& access, asio::ssl::context& tls) {
  error_code error;
  if (access.ca_pem.empty()) {
    tls.set_default_verify_paths(error);
  } else {
    tls.add_certificate_authority(asio::buffer(access.ca_pem), error);
  }
  if (error) return std::unexpected("kubeconfig: the certificate authority is no PEM certificate");
  if (!access.certificate_pem.empty()) {
    tls.use_certificate_chain(asio::buffer(access.certificate_pem), error);
    if (!error) tls.use_private_key(asio::buffer(access.key_pem), asio::ssl::context::pem, error);
    if (error) return std::unexpected("kubeconfig: the client's certificate and key are not good");
  }
  tls.set_verify_mode(access.verify ? asio::ssl::verify_peer : asio::ssl::verify_none);
  return {};
}

}  // namespace

// What all connections share.
struct HttpClient::Transport {
  asio::io_context io;
  asio::ssl::context tls{asio::ssl::context::tls_client};
};

// One kept connection. REQUIRES: what is queued is sent before answers are read.
class HttpClient::Connection {
 public:
  Connection(const ServerAccess& access, Transport& transport)
      : access_(access), stream_(transport.io, transport.tls) {}

  Outcome Open() {
    error_code error;
    tcp::resolver resolver(stream_.get_executor());
    const auto found = resolver.resolve(access_.host, access_.port, error);
    if (error) return std::unexpected("cannot resolve " + access_.host);
    asio::connect(stream_.next_layer(), found, error);
    if (!error) stream_.next_layer().set_option(tcp::no_delay(true), error);
    if (error) {
      return std::unexpected(
          fmt::format("cannot connect to {}:{}: {}", access_.host, access_.port, error.message()));
    }
    return access_.tls ? StartTls() : Outcome();
  }

  void Queue(const HttpRequest& request) {
    outgoing_ +=
        fmt::format("{} {} HTTP/1.1\r\nHost: {}:{}\r\nAccept: {}\r\nUser-Agent: kulisse\r\n",
                    request.method, request.target, access_.host, access_.port, request.accept);
    if (!access_.token.empty())
      outgoing_ += fmt::format("Authorization: Bearer {}\r\n", access_.token);
    if (!request.body.empty()) {
      outgoing_ += fmt::format("Content-Type: application/json\r\nContent-Length: {}\r\n",
                               request.body.size());
    }
    outgoing_ += "\r\n";
    outgoing_ += request.body;
  }
  [[nodiscard]] size_t queued_bytes() const { return outgoing_.size(); }

  Outcome Send() {
    error_code error;
    WithStream([&](auto& stream) { asio::write(stream, asio::buffer(outgoing_), error); });
    if (error) return std::unexpected("the server closed the connection");
    outgoing_.clear();
    return {};
  }

  std::expected<HttpAnswer, std::string> ReadAnswer() {
    http::response_parser<http::string_body> parser;
    parser.body_limit(kAnswerBytesMax);
    error_code error;
    WithStream([&](auto& stream) { http::read(stream, incoming_, parser, error); });
    if (error == http::error::end_of_stream || error == asio::error::connection_reset ||
        error == asio::error::eof || error == asio::ssl::error::stream_truncated) {
      return std::unexpected("the server closed the connection");
    }
    if (error) return std::unexpected("this is no Kubernetes API server: " + error.message());
    return HttpAnswer{.status = static_cast<int>(parser.get().result_int()),
                      .body = std::move(parser.get().body())};
  }

  std::deque<HttpRequest> under_way;

 private:
  Outcome StartTls() {
    const std::string& name = access_.server_name.empty() ? access_.host : access_.server_name;
    if (access_.verify) stream_.set_verify_callback(asio::ssl::host_name_verification(name));
    error_code error;
    asio::ip::make_address(name, error);
    if (error) SSL_set_tlsext_host_name(stream_.native_handle(), name.c_str());
    stream_.handshake(asio::ssl::stream_base::client, error);
    if (!error) return {};
    const long verified = SSL_get_verify_result(stream_.native_handle());
    return std::unexpected(fmt::format(
        "{}:{}: {}", access_.host, access_.port,
        verified != X509_V_OK ? X509_verify_cert_error_string(verified) : error.message()));
  }

  template <class Action>
  void WithStream(const Action& action) {
    if (access_.tls) {
      action(stream_);
    } else {
      action(stream_.next_layer());
    }
  }

  const ServerAccess& access_;
  asio::ssl::stream<tcp::socket> stream_;  // without TLS its socket alone is used
  std::string outgoing_;
  boost::beast::flat_buffer incoming_;
};

HttpClient::HttpClient(ServerAccess access)
    : access_(std::move(access)),
      transport_(std::make_unique<Transport>()),
      connections_(kConnections) {}

HttpClient::~HttpClient() = default;

std::expected<std::unique_ptr<HttpClient>, std::string> HttpClient::Create(ServerAccess access) {
  std::unique_ptr<HttpClient> client(new HttpClient(std::move(access)));
  if (client->access_.tls) {
    if (auto set = SetUp(client->access_, client->transport_->tls); !set) {
      return std::unexpected(set.error());
    }
  }
  return client;
}

std::expected<HttpClient::Connection*, std::string> HttpClient::At(size_t index) {
  std::unique_ptr<Connection>& connection = connections_[index];
  if (connection) return connection.get();
  auto opened = std::make_unique<Connection>(access_, *transport_);
  if (auto done = opened->Open(); !done) return std::unexpected(done.error());
  connection = std::move(opened);
  return connection.get();
}

std::expected<HttpAnswer, std::string> HttpClient::Exchange(const HttpRequest& request) {
  const auto connection = At(0);
  if (!connection) return std::unexpected(connection.error());
  (*connection)->Queue(request);
  if (auto sent = (*connection)->Send(); !sent) return std::unexpected(sent.error());
  return (*connection)->ReadAnswer();
}

std::expected<bool, std::string> HttpClient::Fill(size_t index, const Next& next) {
  Connection* connection = nullptr;
  for (size_t i = 0; i < kPipelineRequests; ++i) {
    auto request = next();
    if (!request) break;
    if (connection == nullptr) {
      const auto opened = At(index);
      if (!opened) return std::unexpected(opened.error());
      connection = *opened;
    }
    connection->Queue(*request);
    connection->under_way.push_back(std::move(*request));
    if (connection->queued_bytes() >= kPipelineBytes) break;
  }
  if (connection == nullptr) return false;
  if (auto sent = connection->Send(); !sent) return std::unexpected(sent.error());
  return true;
}

Outcome HttpClient::Drain(size_t index, const HttpClient::Done& done) {
  if (!connections_[index]) return {};
  Connection& connection = *connections_[index];
  while (!connection.under_way.empty()) {
    const auto answer = connection.ReadAnswer();
    if (!answer) return std::unexpected(answer.error());
    const HttpRequest request = std::move(connection.under_way.front());
    connection.under_way.pop_front();
    done(request, *answer);
  }
  return {};
}

Outcome HttpClient::ExchangeAll(const Next& next, const HttpClient::Done& done) {
  bool more = true;
  while (more) {
    more = false;
    for (size_t i = 0; i < kConnections; ++i) {
      if (auto drained = Drain(i, done); !drained) return drained;
      const auto filled = Fill(i, next);
      if (!filled) return std::unexpected(filled.error());
      more = more || *filled;
    }
  }
  for (size_t i = 0; i < kConnections; ++i) {
    if (auto drained = Drain(i, done); !drained) return drained;
  }
  return {};
}

}  // namespace kulisse::cmd
