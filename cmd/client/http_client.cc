#include "cmd/client/http_client.h"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <deque>
#include <utility>

#include "base/text.h"

namespace kulisse::cmd {

namespace {

constexpr size_t kReadBytes = 64 * 1024;
constexpr size_t kLineBytesMax = 64 * 1024;

using Bio = std::unique_ptr<BIO, int (*)(BIO*)>;
using Certificate = std::unique_ptr<X509, void (*)(X509*)>;
using Key = std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)>;
using Outcome = std::expected<void, std::string>;

Bio MemoryBio(const std::string& pem) {
  return {BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free};
}

// Every certificate of the PEM is an authority.
bool AddAuthorities(const std::string& pem, SSL_CTX* context) {
  const Bio bio = MemoryBio(pem);
  size_t count = 0;
  while (true) {
    const Certificate ca(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr), X509_free);
    if (!ca) break;
    if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context), ca.get()) != 1) return false;
    ++count;
  }
  ERR_clear_error();  // the end of the PEM is an error of its own
  return count > 0;
}

bool UseCertificate(const ServerAccess& access, SSL_CTX* context) {
  const Bio certificate_bio = MemoryBio(access.certificate_pem);
  const Bio key_bio = MemoryBio(access.key_pem);
  const Certificate certificate(PEM_read_bio_X509(certificate_bio.get(), nullptr, nullptr, nullptr),
                                X509_free);
  const Key key(PEM_read_bio_PrivateKey(key_bio.get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
  return certificate && key && SSL_CTX_use_certificate(context, certificate.get()) == 1 &&
         SSL_CTX_use_PrivateKey(context, key.get()) == 1;
}

Outcome SetUp(const ServerAccess& access, SSL_CTX* context) {
  if (!access.ca_pem.empty()) {
    if (!AddAuthorities(access.ca_pem, context)) {
      return std::unexpected("kubeconfig: the certificate authority is no PEM certificate");
    }
  } else {
    SSL_CTX_set_default_verify_paths(context);
  }
  if (!access.certificate_pem.empty() && !UseCertificate(access, context)) {
    return std::unexpected("kubeconfig: the client's certificate and key are not good");
  }
  SSL_CTX_set_verify(context, access.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  return {};
}

std::expected<int, std::string> Connect(const ServerAccess& access) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(access.host.c_str(), access.port.c_str(), &hints, &found) != 0) {
    return std::unexpected("cannot resolve " + access.host);
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> guard(found, freeaddrinfo);
  int error = 0;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    const int fd = socket(one->ai_family, one->ai_socktype | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, one->ai_addr, one->ai_addrlen) == 0) {
      const int on = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
      return fd;
    }
    error = errno;
    if (fd >= 0) close(fd);
  }
  return std::unexpected(
      fmt::format("cannot connect to {}:{}: {}", access.host, access.port, std::strerror(error)));
}

bool IsHeader(std::string_view line, std::string_view name) {
  if (line.size() <= name.size() || line[name.size()] != ':') return false;
  for (size_t i = 0; i < name.size(); ++i) {
    const char c = line[i];
    if ((c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c) != name[i]) return false;
  }
  return true;
}

std::string_view HeaderValue(std::string_view line) {
  line.remove_prefix(line.find(':') + 1);
  while (line.starts_with(' ')) line.remove_prefix(1);
  return line;
}

}  // namespace

// One kept connection. REQUIRES: what is queued is sent before answers are read.
class HttpClient::Connection {
 public:
  Connection(const ServerAccess& access, int fd) : access_(access), fd_(fd) {}
  ~Connection() {
    SSL_free(ssl_);
    close(fd_);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  Outcome StartTls(SSL_CTX* context) {
    ssl_ = SSL_new(context);
    SSL_set_fd(ssl_, fd_);
    const std::string& name = access_.server_name.empty() ? access_.host : access_.server_name;
    X509_VERIFY_PARAM* verify = SSL_get0_param(ssl_);
    if (X509_VERIFY_PARAM_set1_ip_asc(verify, name.c_str()) != 1) {
      X509_VERIFY_PARAM_set1_host(verify, name.c_str(), name.size());
      SSL_set_tlsext_host_name(ssl_, name.c_str());
    }
    ERR_clear_error();
    if (SSL_connect(ssl_) == 1) return {};
    const long result = SSL_get_verify_result(ssl_);
    return std::unexpected(fmt::format(
        "{}:{}: {}", access_.host, access_.port,
        result != X509_V_OK ? X509_verify_cert_error_string(result) : "no TLS connection"));
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
    std::string_view rest = outgoing_;
    while (!rest.empty()) {
      const auto size = static_cast<int>(rest.size());
      const ssize_t sent = ssl_ != nullptr ? SSL_write(ssl_, rest.data(), size)
                                           : send(fd_, rest.data(), rest.size(), MSG_NOSIGNAL);
      if (sent <= 0) return std::unexpected("the server closed the connection");
      rest.remove_prefix(static_cast<size_t>(sent));
    }
    outgoing_.clear();
    return {};
  }

  std::expected<HttpAnswer, std::string> ReadAnswer() {
    HttpAnswer answer;
    std::string line;
    if (auto read = ReadLine(&line); !read) return std::unexpected(read.error());
    constexpr std::string_view kVersion = "HTTP/1.1 ";
    if (!line.starts_with(kVersion) || line.size() < kVersion.size() + 3) {
      return std::unexpected("this is no Kubernetes API server: " + line.substr(0, 80));
    }
    answer.status =
        static_cast<int>(ParseInt64(std::string_view(line).substr(kVersion.size(), 3)).value_or(0));
    bool chunked = false;
    size_t length = 0;
    while (true) {
      if (auto read = ReadLine(&line); !read) return std::unexpected(read.error());
      if (line.empty()) break;
      if (IsHeader(line, "transfer-encoding")) chunked = HeaderValue(line) == "chunked";
      if (IsHeader(line, "content-length")) {
        length = static_cast<size_t>(ParseInt64(HeaderValue(line)).value_or(0));
      }
    }
    auto body = chunked ? ReadChunks(&answer.body) : ReadBytes(length, &answer.body);
    if (!body) return std::unexpected(body.error());
    return answer;
  }

  std::deque<HttpRequest> under_way;

 private:
  Outcome ReadMore() {
    incoming_.erase(0, std::exchange(consumed_, 0));
    const size_t before = incoming_.size();
    incoming_.resize(before + kReadBytes);
    char* const to = incoming_.data() + before;
    const ssize_t count = ssl_ != nullptr ? SSL_read(ssl_, to, static_cast<int>(kReadBytes))
                                          : recv(fd_, to, kReadBytes, 0);
    incoming_.resize(before + static_cast<size_t>(std::max<ssize_t>(count, 0)));
    if (count <= 0) return std::unexpected("the server closed the connection");
    return {};
  }

  Outcome ReadLine(std::string* line) {
    size_t end = 0;
    while ((end = incoming_.find("\r\n", consumed_)) == std::string::npos) {
      if (incoming_.size() - consumed_ > kLineBytesMax) return std::unexpected("a header too long");
      if (auto read = ReadMore(); !read) return read;
    }
    *line = incoming_.substr(consumed_, end - consumed_);
    consumed_ = end + 2;
    return {};
  }

  Outcome ReadBytes(size_t count, std::string* out) {
    if (out->size() + count > kAnswerBytesMax) return std::unexpected("the answer is too long");
    while (incoming_.size() - consumed_ < count) {
      if (auto read = ReadMore(); !read) return read;
    }
    out->append(incoming_, consumed_, count);
    consumed_ += count;
    return {};
  }

  Outcome ReadChunks(std::string* out) {
    constexpr int kHex = 16;
    std::string line;
    while (true) {
      if (auto read = ReadLine(&line); !read) return read;
      size_t size = 0;
      const auto parsed = std::from_chars(line.data(), line.data() + line.size(), size, kHex);
      if (parsed.ec != std::errc()) return std::unexpected("a malformed answer");
      if (auto read = ReadBytes(size, out); !read) return read;
      if (auto read = ReadLine(&line); !read) return read;
      if (size == 0) return {};
    }
  }

  const ServerAccess& access_;
  const int fd_;
  SSL* ssl_ = nullptr;
  std::string outgoing_;
  std::string incoming_;
  size_t consumed_ = 0;  // of incoming_
};

HttpClient::HttpClient(ServerAccess access, TlsContext tls)
    : access_(std::move(access)), tls_(std::move(tls)), connections_(kConnections) {}

HttpClient::~HttpClient() = default;

std::expected<std::unique_ptr<HttpClient>, std::string> HttpClient::Create(ServerAccess access) {
  TlsContext tls(nullptr, SSL_CTX_free);
  if (access.tls) {
    tls.reset(SSL_CTX_new(TLS_client_method()));
    if (auto set = SetUp(access, tls.get()); !set) return std::unexpected(set.error());
  }
  return std::unique_ptr<HttpClient>(new HttpClient(std::move(access), std::move(tls)));
}

std::expected<HttpClient::Connection*, std::string> HttpClient::At(size_t index) {
  std::unique_ptr<Connection>& connection = connections_[index];
  if (connection) return connection.get();
  const auto fd = Connect(access_);
  if (!fd) return std::unexpected(fd.error());
  auto opened = std::make_unique<Connection>(access_, *fd);
  if (access_.tls) {
    if (auto done = opened->StartTls(tls_.get()); !done) return std::unexpected(done.error());
  }
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
