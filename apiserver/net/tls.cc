#include "apiserver/net/tls.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <mutex>
#include <unordered_map>

#include "base/limits.h"

namespace kulisse::apiserver::net {

namespace {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using SslContextHandle = std::unique_ptr<SSL_CTX, Deleter<SSL_CTX_free>>;
using SslHandle = std::unique_ptr<SSL, Deleter<SSL_free>>;
using StoreHandle = std::unique_ptr<X509_STORE, Deleter<X509_STORE_free>>;
using StoreContextHandle = std::unique_ptr<X509_STORE_CTX, Deleter<X509_STORE_CTX_free>>;

// What Go's net/http answers to plain HTTP on a TLS port.
constexpr std::string_view kPlainHttpAnswer =
    "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";

std::string LastError() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "unknown error";
}

std::string Text(const ASN1_STRING* string) {
  unsigned char* utf8 = nullptr;
  const int size = ASN1_STRING_to_UTF8(&utf8, string);
  if (size < 0) return {};
  std::string text(reinterpret_cast<const char*>(utf8), static_cast<size_t>(size));
  OPENSSL_free(utf8);
  return text;
}

std::string Sha256(const X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  X509_digest(certificate, EVP_sha256(), digest.data(), &size);
  std::string text;
  for (unsigned i = 0; i < size; ++i) text += fmt::format("{:02x}", digest[i]);
  return text;
}

ClientCertificate Describe(const X509* certificate) {
  ClientCertificate result;
  result.sha256 = Sha256(certificate);
  const X509_NAME* subject = X509_get_subject_name(certificate);
  for (int i = 0; i < X509_NAME_entry_count(subject); ++i) {
    const X509_NAME_ENTRY* entry = X509_NAME_get_entry(subject, i);
    const int kind = OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry));
    // The last common name counts, as in Go.
    if (kind == NID_commonName) result.common_name = Text(X509_NAME_ENTRY_get_data(entry));
    if (kind == NID_organizationName) {
      result.organizations.push_back(Text(X509_NAME_ENTRY_get_data(entry)));
    }
  }
  return result;
}

std::optional<SystemTime> EndOf(const X509* certificate) {
  std::tm tm{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &tm) != 1) return std::nullopt;
  return SystemTime(std::chrono::seconds(timegm(&tm)));
}

// Client certificates that have been verified: clients open many connections with the same one, and
// a chain costs two public-key operations. Threads: any. Limits: kVerifiedCertificatesMax.
class VerifiedCertificates {
 public:
  // `key` is a certificate in DER. The answer may have ended since.
  std::optional<Peer> Find(const std::string& key) {
    const std::lock_guard lock(mutex_);
    const auto it = peers_.find(key);
    if (it == peers_.end()) return std::nullopt;
    return it->second;
  }

  void Add(std::string key, const Peer& peer) {
    const std::lock_guard lock(mutex_);
    if (peers_.size() >= kVerifiedCertificatesMax) peers_.clear();
    peers_.insert_or_assign(std::move(key), peer);
  }

 private:
  std::mutex mutex_;
  std::unordered_map<std::string, Peer> peers_;
};

std::string Der(const X509* certificate) {
  std::string bytes(static_cast<size_t>(std::max(i2d_X509(certificate, nullptr), 0)), '\0');
  auto* out = reinterpret_cast<unsigned char*>(bytes.data());
  if (!bytes.empty()) i2d_X509(certificate, &out);
  return bytes;
}

// The write side of a TLS connection's socket. As BIO_s_socket(), but told what follows: the kernel
// then waits, and sends the records of a piece together.
class SocketWriter {
 public:
  explicit SocketWriter(int descriptor) : descriptor_(descriptor) {}

  // A BIO that writes here; it borrows this.
  BIO* MakeBio() {
    BIO* bio = BIO_new(Method());
    if (bio == nullptr) throw std::bad_alloc();
    BIO_set_data(bio, this);
    BIO_set_init(bio, 1);
    return bio;
  }
  void SetMoreFollows(bool more_follows) { flags_ = more_follows ? MSG_MORE : 0; }

 private:
  static const BIO_METHOD* Method() {
    static const BIO_METHOD* const method = [] {
      BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket writer");
      if (made == nullptr) throw std::bad_alloc();
      BIO_meth_set_write(made, Write);
      BIO_meth_set_ctrl(made, [](BIO*, int command, long, void*) -> long {
        return command == BIO_CTRL_FLUSH ? 1 : 0;
      });
      return made;
    }();
    return method;
  }

  static int Write(BIO* bio, const char* bytes, int size) {
    const auto& self = *static_cast<const SocketWriter*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    const ssize_t sent =
        ::send(self.descriptor_, bytes, static_cast<size_t>(size), MSG_NOSIGNAL | self.flags_);
    const bool again = errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
    if (sent < 0 && again) BIO_set_retry_write(bio);
    return static_cast<int>(sent);
  }

  int descriptor_;
  int flags_ = 0;
};

class TlsStream final : public ByteStream {
 public:
  TlsStream(SSL_CTX* context, X509_STORE* client_roots, VerifiedCertificates& verified,
            int descriptor)
      : client_roots_(client_roots),
        verified_(verified),
        descriptor_(descriptor),
        writer_(descriptor),
        ssl_(SSL_new(context)) {
    if (ssl_ == nullptr || SSL_set_rfd(ssl_.get(), descriptor) != 1) throw std::bad_alloc();
    SSL_set0_wbio(ssl_.get(), writer_.MakeBio());
    SSL_set_accept_state(ssl_.get());
  }

  IoResult Handshake() override {
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl_.get());
    if (result == 1) return {};
    const bool plain_http = ERR_GET_REASON(ERR_peek_error()) == SSL_R_HTTP_REQUEST;
    const IoResult outcome = Failure(result);
    if (outcome.state == IoState::kFailed && plain_http) {
      [[maybe_unused]] const auto sent =
          ::send(descriptor_, kPlainHttpAnswer.data(), kPlainHttpAnswer.size(), MSG_NOSIGNAL);
    }
    return outcome;
  }

  IoResult Read(std::span<char> buffer) override {
    ERR_clear_error();
    size_t bytes = 0;
    const int result = SSL_read_ex(ssl_.get(), buffer.data(), buffer.size(), &bytes);
    return result == 1 ? IoResult{IoState::kDone, bytes} : Failure(result);
  }

  IoResult Write(std::string_view bytes) override {
    ERR_clear_error();
    size_t written = 0;
    writer_.SetMoreFollows(bytes.size() > SSL3_RT_MAX_PLAIN_LENGTH);  // one record a call
    const int result = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &written);
    writer_.SetMoreFollows(false);
    return result == 1 ? IoResult{IoState::kDone, written} : Failure(result);
  }

  [[nodiscard]] bool HasBuffered() const override { return SSL_has_pending(ssl_.get()) == 1; }

  void Shutdown() override {
    ERR_clear_error();
    if (!broken_ && SSL_is_init_finished(ssl_.get())) SSL_shutdown(ssl_.get());
    ::shutdown(descriptor_, SHUT_WR);
  }

  Peer VerifyPeer(SystemTime now) override {
    Peer peer;
    X509* certificate = SSL_get0_peer_certificate(ssl_.get());
    if (certificate == nullptr) return peer;
    std::string der = Der(certificate);
    if (const auto known = verified_.Find(der); known && now <= known->valid_until) return *known;
    const auto end = EndOf(certificate);
    if (!end || !Verifies(certificate, now)) {
      peer.invalid = true;
      return peer;
    }
    peer.certificate = Describe(certificate);
    peer.valid_until = *end;
    verified_.Add(std::move(der), peer);
    return peer;
  }

 private:
  // As kube-apiserver's x509 authenticator: signed by one of the roots, for client authentication.
  bool Verifies(X509* certificate, SystemTime now) {
    const StoreContextHandle verifier(X509_STORE_CTX_new());
    if (verifier == nullptr || X509_STORE_CTX_init(verifier.get(), client_roots_, certificate,
                                                   SSL_get_peer_cert_chain(ssl_.get())) != 1) {
      return false;
    }
    X509_STORE_CTX_set_default(verifier.get(), "ssl_client");
    X509_STORE_CTX_set_flags(verifier.get(), X509_V_FLAG_PARTIAL_CHAIN);
    X509_STORE_CTX_set_time(
        verifier.get(), 0,
        std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count());
    const bool ok = X509_verify_cert(verifier.get()) == 1;
    ERR_clear_error();
    return ok;
  }

  IoResult Failure(int result) {
    switch (SSL_get_error(ssl_.get(), result)) {
      case SSL_ERROR_WANT_READ:
        return {IoState::kWantRead};
      case SSL_ERROR_WANT_WRITE:
        return {IoState::kWantWrite};
      case SSL_ERROR_ZERO_RETURN:
        return {IoState::kEnd};
      default:
        broken_ = true;  // SSL_shutdown() is not allowed any more
        return {IoState::kFailed};
    }
  }

  X509_STORE* client_roots_;
  VerifiedCertificates& verified_;
  int descriptor_;
  bool broken_ = false;
  SocketWriter writer_;
  SslHandle ssl_;
};

// Picks http/1.1; a client that offers only others (h2) is told so by an alert.
int SelectProtocol(SSL*, const unsigned char** out, unsigned char* out_size,
                   const unsigned char* offered, unsigned int offered_size, void*) {
  static constexpr std::string_view kHttp11 = "http/1.1";
  for (unsigned int at = 0; at < offered_size; at += offered[at] + 1U) {
    const std::string_view name(reinterpret_cast<const char*>(offered + at + 1), offered[at]);
    if (name != kHttp11) continue;
    *out = offered + at + 1;
    *out_size = offered[at];
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

class OpenSslContext final : public TlsContext {
 public:
  OpenSslContext() : context_(SSL_CTX_new(TLS_server_method())), client_roots_(X509_STORE_new()) {
    if (context_ == nullptr || client_roots_ == nullptr) throw std::bad_alloc();
  }

  std::unique_ptr<ByteStream> MakeStream(int descriptor) override {
    return std::make_unique<TlsStream>(context_.get(), client_roots_.get(), verified_, descriptor);
  }

  void Configure() {
    SSL_CTX* context = context_.get();
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    // The order that Go's servers have on machines with AES instructions.
    SSL_CTX_set_ciphersuites(context,
                             "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
                             "TLS_CHACHA20_POLY1305_SHA256");
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE |
                                     SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    // One read() takes all records that are there, instead of two for each.
    SSL_CTX_set_read_ahead(context, 1);
    // No resumption: Kubernetes' clients never ask for it, and a ticket, which contains the
    // client's certificate, is a third of the cost of a handshake.
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(context, 0);
    SSL_CTX_set_alpn_select_cb(context, SelectProtocol, nullptr);
  }

  std::string LoadCertificate(const TlsFiles& files) {
    if (SSL_CTX_use_certificate_chain_file(context_.get(), files.certificate_file.c_str()) != 1) {
      return "cannot use the certificate " + files.certificate_file + ": " + LastError();
    }
    if (SSL_CTX_use_PrivateKey_file(context_.get(), files.key_file.c_str(), SSL_FILETYPE_PEM) !=
        1) {
      return "cannot use the key " + files.key_file + ": " + LastError();
    }
    return {};
  }

  // Any certificate passes the handshake; VerifyPeer() judges it.
  std::string LoadClientRoots(const std::string& file) {
    STACK_OF(X509_NAME)* names = SSL_load_client_CA_file(file.c_str());
    if (names == nullptr || X509_STORE_load_file(client_roots_.get(), file.c_str()) != 1) {
      sk_X509_NAME_pop_free(names, X509_NAME_free);
      return "cannot use the client CA " + file + ": " + LastError();
    }
    SSL_CTX_set_client_CA_list(context_.get(), names);
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_cert_verify_callback(
        context_.get(), [](X509_STORE_CTX*, void*) { return 1; }, nullptr);
    return {};
  }

 private:
  SslContextHandle context_;
  StoreHandle client_roots_;
  VerifiedCertificates verified_;
};

}  // namespace

std::expected<std::unique_ptr<TlsContext>, std::string> TlsContext::Create(const TlsFiles& files) {
  auto context = std::make_unique<OpenSslContext>();
  ERR_clear_error();
  context->Configure();
  if (std::string error = context->LoadCertificate(files); !error.empty()) {
    return std::unexpected(std::move(error));
  }
  if (!files.client_ca_file.empty()) {
    if (std::string error = context->LoadClientRoots(files.client_ca_file); !error.empty()) {
      return std::unexpected(std::move(error));
    }
  }
  return context;
}

}  // namespace kulisse::apiserver::net
