#include "bench/macro/client.h"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>

namespace kulisse::bench {
namespace {

constexpr size_t kReadBytes = 64 * 1024;

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) Fail(fmt::format("cannot read {}", path));
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string DecodeBase64(std::string_view text) {
  std::string out(text.size() / 4 * 3 + 3, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(text.size()));
  if (size < 0) Fail("kubeconfig: bad base64");
  out.resize(static_cast<size_t>(size) - (text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0));
  return out;
}

// The scalar after `key:`, in block or flow style, or "".
std::string FindScalar(std::string_view text, std::string_view key) {
  const std::string wanted = fmt::format("{}:", key);
  for (size_t at = text.find(wanted); at != std::string_view::npos;
       at = text.find(wanted, at + 1)) {
    if (at > 0 && std::string_view(" {,\n").find(text[at - 1]) == std::string_view::npos) continue;
    const size_t begin = text.find_first_not_of(" \"", at + wanted.size());
    if (begin == std::string_view::npos) return "";
    return std::string(text.substr(begin, text.find_first_of(" \",}\n", begin) - begin));
  }
  return "";
}

std::string FindPem(std::string_view text, const std::string& key, const std::string& folder) {
  if (const std::string data = FindScalar(text, key + "-data"); !data.empty()) {
    return DecodeBase64(data);
  }
  const std::string file = FindScalar(text, key);
  if (file.empty()) Fail(fmt::format("kubeconfig: no {}", key));
  return ReadFile(file.starts_with('/') ? file : folder + file);
}

using Bio = std::unique_ptr<BIO, int (*)(BIO*)>;

Bio MemoryBio(const std::string& pem) {
  return {BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free};
}

int ConnectSocket(const Target& target) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(target.host.c_str(), target.port.c_str(), &hints, &found) != 0) {
    Fail("cannot resolve " + target.host);
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> guard(found, freeaddrinfo);
  const int fd = socket(found->ai_family, found->ai_socktype | SOCK_CLOEXEC, 0);
  if (fd < 0 || connect(fd, found->ai_addr, found->ai_addrlen) != 0) {
    Fail(fmt::format("cannot connect to {}:{}", target.host, target.port));
  }
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  return fd;
}

bool IsHeader(std::string_view line, std::string_view name) {
  if (line.size() < name.size()) return false;
  for (size_t i = 0; i < name.size(); ++i) {
    const char c = line[i];
    if ((c >= 'A' && c <= 'Z' ? c + 32 : c) != name[i]) return false;
  }
  return true;
}

}  // namespace

void Fail(const std::string& message) {
  std::fprintf(stderr, "kulisse_load: %s\n", message.c_str());
  std::exit(1);
}

Target ReadKubeconfig(const std::string& path) {
  const std::string text = ReadFile(path);
  const std::string folder = path.substr(0, path.rfind('/') + 1);
  const std::string url = FindScalar(text, "server");
  constexpr std::string_view kScheme = "https://";
  const size_t colon = url.rfind(':');
  if (!url.starts_with(kScheme) || colon <= kScheme.size()) {
    Fail("kubeconfig: no server https://HOST:PORT");
  }
  return {.host = url.substr(kScheme.size(), colon - kScheme.size()),
          .port = url.substr(colon + 1),
          .ca_pem = FindPem(text, "certificate-authority", folder),
          .certificate_pem = FindPem(text, "client-certificate", folder),
          .key_pem = FindPem(text, "client-key", folder)};
}

TlsContext::TlsContext(const Target& target)
    : context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free) {
  const Bio ca_bio = MemoryBio(target.ca_pem);
  const Bio certificate_bio = MemoryBio(target.certificate_pem);
  const Bio key_bio = MemoryBio(target.key_pem);
  X509* ca = PEM_read_bio_X509(ca_bio.get(), nullptr, nullptr, nullptr);
  X509* certificate = PEM_read_bio_X509(certificate_bio.get(), nullptr, nullptr, nullptr);
  EVP_PKEY* key = PEM_read_bio_PrivateKey(key_bio.get(), nullptr, nullptr, nullptr);
  const bool good = ca != nullptr && certificate != nullptr && key != nullptr &&
                    X509_STORE_add_cert(SSL_CTX_get_cert_store(get()), ca) == 1 &&
                    SSL_CTX_use_certificate(get(), certificate) == 1 &&
                    SSL_CTX_use_PrivateKey(get(), key) == 1;
  X509_free(ca);
  X509_free(certificate);
  EVP_PKEY_free(key);
  if (!good) Fail("kubeconfig: bad certificates");
  SSL_CTX_set_verify(get(), SSL_VERIFY_PEER, nullptr);
}

Connection::Connection(const Target& target, const TlsContext& tls) : target_(target) {
  ssl_ = SSL_new(tls.get());
  SSL_set_fd(ssl_, ConnectSocket(target));
  if (SSL_connect(ssl_) != 1) Fail("TLS handshake failed");
}

Connection::~Connection() {
  const int fd = SSL_get_fd(ssl_);
  SSL_free(ssl_);
  close(fd);
}

void Connection::Send(const Request& request) {
  std::string text = fmt::format("{} {} HTTP/1.1\r\nHost: {}:{}\r\nAccept: {}\r\n", request.method,
                                 request.target, target_.host, target_.port, request.accept);
  if (!request.content_type.empty()) {
    text += fmt::format("Content-Type: {}\r\nContent-Length: {}\r\n", request.content_type,
                        request.body.size());
  }
  text += "\r\n";
  text += request.body;
  if (SSL_write(ssl_, text.data(), static_cast<int>(text.size())) <= 0) Fail("write failed");
}

void Connection::ReadMore() {
  if (consumed_ > 0) {
    buffer_.erase(0, consumed_);
    consumed_ = 0;
  }
  const size_t before = buffer_.size();
  buffer_.resize(before + kReadBytes);
  const int count = SSL_read(ssl_, buffer_.data() + before, static_cast<int>(kReadBytes));
  if (count <= 0) Fail("the server closed the connection");
  buffer_.resize(before + static_cast<size_t>(count));
}

std::string Connection::Take(size_t count) {
  while (buffer_.size() - consumed_ < count) ReadMore();
  std::string out = buffer_.substr(consumed_, count);
  consumed_ += count;
  return out;
}

std::string Connection::TakeLine() {
  size_t end = buffer_.find("\r\n", consumed_);
  while (end == std::string::npos) {
    ReadMore();
    end = buffer_.find("\r\n", consumed_);
  }
  std::string line = buffer_.substr(consumed_, end - consumed_);
  consumed_ = end + 2;
  return line;
}

void Connection::ReadHead() {
  const std::string status_line = TakeLine();
  if (status_line.size() < 12) Fail("bad answer: " + status_line);
  status_ = std::atoi(status_line.c_str() + 9);
  chunked_ = false;
  length_ = 0;
  for (std::string line = TakeLine(); !line.empty(); line = TakeLine()) {
    if (IsHeader(line, "transfer-encoding: chunked")) chunked_ = true;
    if (IsHeader(line, "content-length: ")) length_ = std::strtoull(line.c_str() + 16, nullptr, 10);
  }
}

std::string Connection::Exchange(const Request& request) {
  std::string body;
  Stream(request, [&](std::string_view part) {
    body += part;
    return true;
  });
  return body;
}

void Connection::Stream(const Request& request,
                        const std::function<bool(std::string_view)>& consume) {
  Send(request);
  ReadHead();
  if (status_ >= 300) {
    Fail(fmt::format("{} {}: {} {}", request.method, request.target, status_,
                     chunked_ ? "" : Take(length_)));
  }
  if (!chunked_) {
    consume(Take(length_));
    return;
  }
  while (true) {
    const size_t size = std::strtoull(TakeLine().c_str(), nullptr, 16);
    const std::string chunk = Take(size);
    TakeLine();
    if (size == 0 || !consume(chunk)) return;
  }
}

}  // namespace kulisse::bench
