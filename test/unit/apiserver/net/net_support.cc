#include "test/unit/apiserver/net/net_support.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/text.h"
#include "certs/certificate.h"

namespace kulisse::apiserver::net {

namespace {

constexpr auto kWaitMax = std::chrono::seconds(20);

void WriteFile(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

SystemTime Year(int year) {
  return std::chrono::sys_days(std::chrono::year(year) / std::chrono::January / 1);
}

}  // namespace

// --- PKI

TestPki::TestPki() {
  std::string pattern = std::filesystem::temp_directory_path() / "kulisse_net_XXXXXX";
  folder_ = mkdtemp(pattern.data());
  using certs::Certificate;
  using certs::CertificateSpec;
  using certs::PrivateKey;
  const PrivateKey ca_key = PrivateKey::Generate();
  CertificateSpec spec{.use = CertificateSpec::Use::kAuthority,
                       .common_name = "test-ca",
                       .organization = "",
                       .hosts = {},
                       .not_before = Year(2020),
                       .not_after = Year(2040)};
  const Certificate ca = Certificate::Issue(spec, ca_key, nullptr, ca_key);
  WriteFile(path("ca.crt"), ca.ToPem());
  const auto issue = [&](const std::string& name, const Certificate* issuer,
                         const PrivateKey& issuer_key) {
    const PrivateKey key = PrivateKey::Generate();
    WriteFile(path(name + ".crt"), Certificate::Issue(spec, key, issuer, issuer_key).ToPem());
    WriteFile(path(name + ".key"), key.ToPem());
  };
  spec.use = CertificateSpec::Use::kServer;
  spec.common_name = "localhost";
  spec.hosts = {"localhost", "127.0.0.1"};
  issue("server", &ca, ca_key);
  spec.use = CertificateSpec::Use::kClient;
  spec.common_name = "jane";
  spec.organization = "system:masters";
  spec.hosts = {};
  issue("client", &ca, ca_key);
  // Client certificates that must not count.
  const PrivateKey foreign_key = PrivateKey::Generate();
  spec.use = CertificateSpec::Use::kAuthority;
  const Certificate foreign = Certificate::Issue(spec, foreign_key, nullptr, foreign_key);
  spec.use = CertificateSpec::Use::kClient;
  issue("foreign", &foreign, foreign_key);
  spec.not_after = Year(2025);
  issue("expired", &ca, ca_key);
  // VirtualRuntime begins on 2026-01-01.
  spec.not_after = Year(2026) + std::chrono::hours(1);
  issue("short", &ca, ca_key);
  spec.use = CertificateSpec::Use::kServer;
  spec.not_after = Year(2040);
  issue("wrong-use", &ca, ca_key);
}

TestPki::~TestPki() { std::filesystem::remove_all(folder_); }

// --- answers

HttpResponse TextResponse(std::string body, int status) {
  HttpResponse response;
  response.status = status;
  response.headers.emplace_back("Content-Type", "text/plain");
  response.body = std::move(body);
  return response;
}

HttpResponse EchoRequest(const HttpRequest& request) {
  return TextResponse(request.method + " " + request.target + " " + request.body);
}

DurabilityGate TestGate::gate() {
  return {.durable =
              [this] {
                const std::lock_guard lock(mutex_);
                return storage::Revision{durable_};
              },
          .when_durable =
              [this](storage::Revision revision, Callback callback) {
                const std::lock_guard lock(mutex_);
                if (revision.value <= durable_) {
                  callback();
                } else {
                  waiters_.emplace(revision.value, std::move(callback));
                }
                changed_.notify_all();
              }};
}

void TestGate::Set(uint64_t revision) {
  const std::lock_guard lock(mutex_);
  durable_ = revision;
  const auto end = waiters_.upper_bound(revision);
  for (auto it = waiters_.begin(); it != end; ++it) it->second();
  waiters_.erase(waiters_.begin(), end);
}

void TestGate::AwaitWaiter() {
  std::unique_lock lock(mutex_);
  EXPECT_TRUE(changed_.wait_for(lock, kWaitMax, [this] { return !waiters_.empty(); }));
}

class TestFeed::Source final : public BodySource {
 public:
  explicit Source(std::shared_ptr<TestFeed> feed) : feed_(std::move(feed)) {}
  ~Source() override {
    const std::lock_guard lock(feed_->mutex_);
    feed_->destroyed_ = true;
    feed_->changed_.notify_all();
  }
  State Read(std::string* out) override {
    const std::lock_guard lock(feed_->mutex_);
    ++feed_->reads_;
    *out += std::exchange(feed_->bytes_, {});
    return feed_->ended_ ? State::kEnd : State::kWait;
  }
  void SetWaker(std::function<void()> waker) override {
    const std::lock_guard lock(feed_->mutex_);
    feed_->waker_ = std::move(waker);
  }

 private:
  std::shared_ptr<TestFeed> feed_;
};

std::unique_ptr<BodySource> TestFeed::MakeSource(std::shared_ptr<TestFeed> feed) {
  return std::make_unique<Source>(std::move(feed));
}

void TestFeed::Push(std::string bytes) {
  {
    const std::lock_guard lock(mutex_);
    bytes_ += bytes;
  }
  Wake();
}

void TestFeed::End() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  Wake();
}

void TestFeed::Wake() {
  std::function<void()> waker;
  {
    const std::lock_guard lock(mutex_);
    waker = waker_;
  }
  if (waker) waker();
}

void TestFeed::AwaitDestroyed() {
  std::unique_lock lock(mutex_);
  EXPECT_TRUE(changed_.wait_for(lock, kWaitMax, [this] { return destroyed_; }));
}

int TestFeed::reads() {
  const std::lock_guard lock(mutex_);
  return reads_;
}

// --- server

TestServer::TestServer(FunctionHandler::Function handler, ServerOptions options,
                       DurabilityGate gate)
    : handler_(std::move(handler)) {
  // OpenSSL's writes in the client's threads.
  std::signal(SIGPIPE, SIG_IGN);
  auto server = Server::Start(options, handler_, std::move(gate), runtime_);
  if (!server) throw std::runtime_error(server.error());
  server_ = std::move(*server);
}

void TestServer::AwaitConnections(int64_t count) {
  while (server_->stats().connections_open.load() != count) std::this_thread::yield();
}

// --- client

std::string TestResponse::Find(std::string_view name) const {
  for (const Header& header : headers) {
    if (EqualsIgnoreCase(header.first, name)) return header.second;
  }
  return {};
}

bool TestResponse::Has(std::string_view name) const {
  return std::ranges::any_of(
      headers, [name](const Header& header) { return EqualsIgnoreCase(header.first, name); });
}

struct TestClient::Tls {
  SSL_CTX* context = nullptr;
  SSL* ssl = nullptr;
  ~Tls() {
    SSL_free(ssl);
    SSL_CTX_free(context);
  }
};

TestClient::TestClient(TestServer& server) { Connect(server.server().port()); }

TestClient::TestClient(TestServer& server, const TlsClientOptions& options) {
  Connect(server.server().port());
  tls_ = std::make_unique<Tls>();
  tls_->context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_options(tls_->context, SSL_OP_IGNORE_UNEXPECTED_EOF);
  if (options.version_max != 0) {
    SSL_CTX_set_min_proto_version(tls_->context, 0);
    SSL_CTX_set_max_proto_version(tls_->context, options.version_max);
    SSL_CTX_set_cipher_list(tls_->context, "ALL:@SECLEVEL=0");
  }
  if (!options.certificate_file.empty()) {
    EXPECT_EQ(SSL_CTX_use_certificate_chain_file(tls_->context, options.certificate_file.c_str()),
              1);
    EXPECT_EQ(
        SSL_CTX_use_PrivateKey_file(tls_->context, options.key_file.c_str(), SSL_FILETYPE_PEM), 1);
  }
  tls_->ssl = SSL_new(tls_->context);
  std::string protocols;
  for (const std::string& protocol : options.protocols) {
    protocols += static_cast<char>(protocol.size());
    protocols += protocol;
  }
  if (!protocols.empty()) {
    SSL_set_alpn_protos(tls_->ssl, reinterpret_cast<const unsigned char*>(protocols.data()),
                        static_cast<unsigned>(protocols.size()));
  }
  if (options.session != nullptr) {
    SSL_set_session(tls_->ssl, static_cast<SSL_SESSION*>(options.session));
  }
  SSL_set_fd(tls_->ssl, descriptor_);
  connected_ = SSL_connect(tls_->ssl) == 1;
}

TestClient::~TestClient() { Close(); }

void TestClient::Connect(uint16_t port) {
  descriptor_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const timeval limit{.tv_sec = kWaitMax.count(), .tv_usec = 0};
  setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  EXPECT_EQ(::connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
}

std::string TestClient::protocol() const {
  const unsigned char* name = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(tls_->ssl, &name, &size);
  return std::string(reinterpret_cast<const char*>(name), size);
}

bool TestClient::resumed() const { return SSL_session_reused(tls_->ssl) == 1; }
void* TestClient::TakeSession() const { return SSL_get1_session(tls_->ssl); }

bool TestClient::Send(std::string_view bytes) {
  if (bytes.empty()) return true;
  if (tls_ != nullptr) {
    return SSL_write(tls_->ssl, bytes.data(), static_cast<int>(bytes.size())) ==
           static_cast<int>(bytes.size());
  }
  while (!bytes.empty()) {
    const ssize_t n = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

void TestClient::CloseWrite() { ::shutdown(descriptor_, SHUT_WR); }

void TestClient::Close() {
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
}

bool TestClient::Fill() {
  char bytes[16 * 1024];
  const ssize_t n = tls_ != nullptr ? SSL_read(tls_->ssl, bytes, sizeof bytes)
                                    : ::recv(descriptor_, bytes, sizeof bytes, 0);
  if (n <= 0) return false;
  buffer_.append(bytes, static_cast<size_t>(n));
  return true;
}

std::optional<std::string> TestClient::ReadLine() {
  size_t end = 0;
  while ((end = buffer_.find("\r\n")) == std::string::npos) {
    if (!Fill()) return std::nullopt;
  }
  std::string line = buffer_.substr(0, end);
  buffer_.erase(0, end + 2);
  return line;
}

std::string TestClient::ReadBytes(size_t count) {
  while (buffer_.size() < count && Fill()) {
  }
  std::string bytes = buffer_.substr(0, count);
  buffer_.erase(0, count);
  return bytes;
}

std::string TestClient::ReadToEnd() {
  while (Fill()) {
  }
  return std::exchange(buffer_, {});
}

TestResponse TestClient::ReadHead() {
  TestResponse response;
  const auto status_line = ReadLine();
  if (!status_line) return response;
  EXPECT_TRUE(status_line->starts_with("HTTP/1.1 ")) << *status_line;
  response.status = static_cast<int>(ParseInt64(status_line->substr(9, 3)).value_or(0));
  while (const auto line = ReadLine()) {
    if (line->empty()) return response;
    const size_t colon = line->find(": ");
    EXPECT_NE(colon, std::string::npos) << *line;
    response.headers.emplace_back(line->substr(0, colon), line->substr(colon + 2));
  }
  response.status = 0;
  return response;
}

std::optional<std::string> TestClient::ReadChunk() {
  const auto size_line = ReadLine();
  if (!size_line) return std::nullopt;
  const size_t size = std::stoul(*size_line, nullptr, 16);
  std::string chunk = ReadBytes(size);
  if (chunk.size() < size || ReadLine() != "") return std::nullopt;
  return chunk;
}

TestResponse TestClient::ReadResponse(bool head_only) {
  TestResponse response = ReadHead();
  if (response.status == 0) return response;
  if (head_only || response.status == 204 || response.status == 304 || response.status == 100) {
    response.whole = true;
  } else if (response.Find("Transfer-Encoding") == "chunked") {
    while (const auto chunk = ReadChunk()) {
      response.body += *chunk;
      response.whole = chunk->empty();
      if (response.whole) break;
    }
  } else if (response.Has("Content-Length")) {
    const size_t length = std::stoul(response.Find("Content-Length"));
    response.body = ReadBytes(length);
    response.whole = response.body.size() == length;
  } else {
    response.body = ReadToEnd();
    response.whole = true;
  }
  return response;
}

std::string Gunzip(std::string_view bytes) {
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string out;
  int result = Z_OK;
  while (result == Z_OK) {
    char piece[16 * 1024];
    stream.next_out = reinterpret_cast<Bytef*>(piece);
    stream.avail_out = sizeof piece;
    result = inflate(&stream, Z_NO_FLUSH);
    out.append(piece, sizeof piece - stream.avail_out);
  }
  EXPECT_EQ(result, Z_STREAM_END);
  inflateEnd(&stream);
  return out;
}

}  // namespace kulisse::apiserver::net
