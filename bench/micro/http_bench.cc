// What the listener costs by itself, with a handler that does nothing: server CPU per request and
// per delivered watch event, and memory per idle connection. The clients are other processes.
//
//   http_bench [smoke]                              all measurements (smoke: small, for tests)
//   http_bench serve PORT [CERT KEY [CLIENT_CA]]    serves until Enter is pressed (for wrk, curl)
//
// Paths: /small (3 KB), /large (compressible), /echo, /who, /endless, /watch.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <malloc.h>
#include <openssl/ssl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <mutex>
#include <thread>
#include <vector>

#include "apiserver/net/server.h"
#include "base/limits.h"
#include "base/real_runtime.h"
#include "certs/certificate.h"

namespace kulisse::apiserver::net {
namespace {

constexpr size_t kEventBytes = 4'096;
constexpr int kWatchers = 100;

// The events that all watchers get; each source is a cursor on it.
class EventLog {
 public:
  void Append() {
    std::vector<std::function<void()>> wakers;
    {
      const std::lock_guard lock(mutex_);
      ++size_;
      wakers = wakers_;
    }
    for (const auto& waker : wakers) waker();
  }
  [[nodiscard]] uint64_t size() {
    const std::lock_guard lock(mutex_);
    return size_;
  }
  void AddWaker(std::function<void()> waker) {
    const std::lock_guard lock(mutex_);
    wakers_.push_back(std::move(waker));
  }
  [[nodiscard]] size_t watchers() {
    const std::lock_guard lock(mutex_);
    return wakers_.size();
  }
  [[nodiscard]] const std::string& event() const { return event_; }

 private:
  const std::string event_ = std::string(kEventBytes - 1, 'e') + "\n";
  std::mutex mutex_;
  uint64_t size_ = 0;
  std::vector<std::function<void()>> wakers_;
};

class WatchSource final : public BodySource {
 public:
  explicit WatchSource(EventLog& log) : log_(log), at_(log.size()) {}
  State Read(std::string* out) override {
    const uint64_t end = log_.size();
    const uint64_t last = std::min(end, at_ + kResponseChunkBytes / kEventBytes);
    for (; at_ < last; ++at_) *out += log_.event();
    return at_ == end ? State::kWait : State::kMore;
  }
  void SetWaker(std::function<void()> waker) override { log_.AddWaker(std::move(waker)); }

 private:
  EventLog& log_;
  uint64_t at_;
};

class EndlessSource final : public BodySource {
 public:
  State Read(std::string* out) override {
    out->append(64 * 1024, 'x');
    return State::kMore;
  }
  void SetWaker(std::function<void()>) override {}
};

class BenchHandler final : public HttpHandler {
 public:
  HttpResponse Handle(HttpRequest request) override {
    HttpResponse response;
    response.headers.emplace_back("Content-Type", "application/json");
    if (request.path() == "/large") {
      for (int i = 0; i < 32'768; ++i) response.body += fmt::format("{{\"item\":{:5}}}", i);
      response.compressible = true;
    } else if (request.path() == "/echo") {
      response.body = std::move(request.body);
    } else if (request.path() == "/who") {
      response.body =
          request.client_certificate ? request.client_certificate->common_name : "anonymous";
      response.body += request.client_certificate_invalid ? " invalid\n" : "\n";
    } else if (request.path() == "/endless") {
      response.stream = std::make_unique<EndlessSource>();
    } else if (request.path() == "/watch") {
      response.stream = std::make_unique<WatchSource>(log_);
    } else {
      response.body = small_;
    }
    return response;
  }
  [[nodiscard]] EventLog& log() { return log_; }

 private:
  const std::string small_ = std::string(3'000, 's');
  EventLog log_;
};

// --- client side, in processes of its own

class Client {
 public:
  Client(uint16_t port, SSL_CTX* tls) : descriptor_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      std::exit(1);
    }
    if (tls == nullptr) return;
    ssl_ = SSL_new(tls);
    SSL_set_fd(ssl_, descriptor_);
    if (SSL_connect(ssl_) != 1) std::exit(1);
  }
  ~Client() {
    SSL_free(ssl_);
    ::close(descriptor_);
  }
  Client(const Client&) = delete;

  void Get(std::string_view path) {
    const std::string request = fmt::format(
        "GET {} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\nAccept: "
        "application/json\r\nAccept-Encoding: gzip\r\n\r\n",
        path);
    if (ssl_ != nullptr) {
      SSL_write(ssl_, request.data(), static_cast<int>(request.size()));
    } else if (::write(descriptor_, request.data(), request.size()) < 0) {
      std::exit(1);
    }
  }
  // Reads at least so many bytes.
  void Read(size_t bytes) {
    char buffer[16 * 1024];
    while (bytes > 0) {
      const ssize_t n = ssl_ != nullptr ? SSL_read(ssl_, buffer, sizeof buffer)
                                        : ::read(descriptor_, buffer, sizeof buffer);
      if (n <= 0) std::exit(1);
      bytes -= std::min(bytes, static_cast<size_t>(n));
    }
  }

 private:
  int descriptor_;
  SSL* ssl_ = nullptr;
};

// client PORT tls|plain get|watch|idle CONNECTIONS COUNT: what each connection reads or asks.
int RunClient(char** argv) {
  const auto port = static_cast<uint16_t>(std::atoi(argv[2]));
  SSL_CTX* tls = std::string_view(argv[3]) == "tls" ? SSL_CTX_new(TLS_client_method()) : nullptr;
  const std::string_view what = argv[4];
  const int connections = std::atoi(argv[5]);
  const auto count = static_cast<size_t>(std::atoll(argv[6]));
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < connections; ++i) clients.push_back(std::make_unique<Client>(port, tls));
  std::vector<std::thread> threads;
  if (what == "idle") {
    for (auto& client : clients) {
      client->Get("/small");
      client->Read(3'000);
    }
    std::cin.get();
  }
  for (auto& client : clients) {
    if (what == "idle") break;
    threads.emplace_back([&, client = client.get()] {
      if (what == "watch") {
        client->Get("/watch");
        client->Read(count * kEventBytes);
        return;
      }
      for (size_t i = 0; i < count; ++i) {
        client->Get("/small");
        client->Read(3'001);  // the head comes in the same write: one read gives all
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  return 0;
}

class ClientProcess {
 public:
  ClientProcess(uint16_t port, bool tls, const std::string& what, int connections, size_t count) {
    std::string arguments[] = {"http_bench",          "client", std::to_string(port),
                               tls ? "tls" : "plain", what,     std::to_string(connections),
                               std::to_string(count)};
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    if (::pipe(input_) != 0) std::exit(1);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input_[0], STDIN_FILENO);
    posix_spawn_file_actions_addclose(&actions, input_[1]);
    if (posix_spawn(&pid_, "/proc/self/exe", &actions, nullptr, argv.data(), environ) != 0) {
      std::exit(1);
    }
    posix_spawn_file_actions_destroy(&actions);
  }
  void Join() {
    ::close(input_[0]);
    ::close(input_[1]);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    if (status != 0) std::cerr << "a client failed\n";
  }

 private:
  int input_[2] = {};
  pid_t pid_ = 0;
};

// --- measurements

double CpuMicroseconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto micros = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
  };
  return micros(usage.ru_utime) + micros(usage.ru_stime);
}

size_t ResidentBytes() {
  malloc_trim(0);
  std::ifstream file("/proc/self/statm");
  size_t total = 0;
  size_t resident = 0;
  file >> total >> resident;
  return resident * static_cast<size_t>(::sysconf(_SC_PAGESIZE));
}

struct Sizes {
  size_t requests = 2'000;  // per connection
  size_t events = 2'000;
  int idle = 1'000;
};

void MeasureGets(Server& server, bool tls, const Sizes& sizes) {
  constexpr int kConnections = 16;
  const double before = CpuMicroseconds();
  ClientProcess(server.port(), tls, "get", kConnections, sizes.requests).Join();
  const double cpu = CpuMicroseconds() - before;
  const auto requests = static_cast<double>(sizes.requests) * kConnections;
  fmt::print("get {:5}  3 KB, {} connections: {:.1f} us CPU per request, handshakes included\n",
             tls ? "tls" : "plain", kConnections, cpu / requests);
}

void MeasureWatch(Server& server, BenchHandler& handler, bool tls, int per_second,
                  const Sizes& sizes) {
  const size_t watchers_before = handler.log().watchers();
  ClientProcess clients(server.port(), tls, "watch", kWatchers, sizes.events);
  while (handler.log().watchers() < watchers_before + kWatchers) std::this_thread::yield();
  const double before = CpuMicroseconds();
  const auto begin = std::chrono::steady_clock::now();
  std::mutex mutex;
  std::condition_variable never;
  std::unique_lock lock(mutex);
  for (size_t i = 0; i < sizes.events; ++i) {
    never.wait_until(lock, begin + std::chrono::microseconds(1'000'000 * i / per_second));
    handler.log().Append();
  }
  clients.Join();
  const double cpu = CpuMicroseconds() - before;
  const double wall =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const double delivered = static_cast<double>(sizes.events) * kWatchers;
  fmt::print(
      "watch {:5} {} watchers, {} B events, {}/s asked, {:.0f}/s done: {:.2f} us CPU per "
      "delivered event\n",
      tls ? "tls" : "plain", kWatchers, kEventBytes, per_second,
      static_cast<double>(sizes.events) / wall, cpu / delivered);
}

void MeasureIdle(Server& server, bool tls, const Sizes& sizes) {
  const size_t before = ResidentBytes();
  const int64_t requests = server.stats().requests;
  ClientProcess clients(server.port(), tls, "idle", sizes.idle, 0);
  while (server.stats().requests.load() < requests + sizes.idle) std::this_thread::yield();
  const size_t after = ResidentBytes();
  clients.Join();
  while (server.stats().connections_open.load() > 0) std::this_thread::yield();
  fmt::print("idle {:5} {:.1f} KB resident per connection, of {}\n", tls ? "tls" : "plain",
             (static_cast<double>(after) - static_cast<double>(before)) / 1024 / sizes.idle,
             sizes.idle);
}

// A self-signed serving certificate in a folder that goes with the process.
class TemporaryCertificate {
 public:
  TemporaryCertificate() {
    std::string pattern = std::filesystem::temp_directory_path() / "kulisse_bench_XXXXXX";
    folder_ = mkdtemp(pattern.data());
    const certs::PrivateKey key = certs::PrivateKey::Generate();
    certs::CertificateSpec spec;
    spec.common_name = "localhost";
    spec.hosts = {"localhost"};
    spec.not_before = std::chrono::sys_days(std::chrono::year(2020) / 1 / 1);
    spec.not_after = std::chrono::sys_days(std::chrono::year(2040) / 1 / 1);
    std::ofstream(folder_ + "/crt") << certs::Certificate::Issue(spec, key, nullptr, key).ToPem();
    std::ofstream(folder_ + "/key") << key.ToPem();
  }
  ~TemporaryCertificate() { std::filesystem::remove_all(folder_); }
  [[nodiscard]] TlsFiles files() const { return {folder_ + "/crt", folder_ + "/key", ""}; }

 private:
  std::string folder_;
};

int MeasureAll(const Sizes& sizes) {
  const TemporaryCertificate certificate;
  RealRuntime runtime(1);
  for (const bool tls : {false, true}) {
    BenchHandler handler;
    ServerOptions options;
    if (tls) options.tls = certificate.files();
    auto server = Server::Start(options, handler, {}, runtime);
    if (!server) {
      std::cerr << server.error() << "\n";
      return 1;
    }
    MeasureIdle(**server, tls, sizes);
    MeasureGets(**server, tls, sizes);
    for (const int per_second : {1'000, 5'000, 1'000'000}) {
      MeasureWatch(**server, handler, tls, per_second, sizes);
    }
  }
  return 0;
}

int Serve(int argc, char** argv) {
  BenchHandler handler;
  RealRuntime runtime(1);
  ServerOptions options;
  options.port = static_cast<uint16_t>(std::atoi(argv[2]));
  if (argc >= 5) options.tls = TlsFiles{argv[3], argv[4], argc >= 6 ? argv[5] : ""};
  auto server = Server::Start(options, handler, {}, runtime);
  if (!server) {
    std::cerr << server.error() << "\n";
    return 1;
  }
  std::cout << "port " << (*server)->port() << ", Enter stops" << std::endl;
  std::cin.get();
  return 0;
}

}  // namespace
}  // namespace kulisse::apiserver::net

int main(int argc, char** argv) {
  using kulisse::apiserver::net::MeasureAll;
  using kulisse::apiserver::net::RunClient;
  using kulisse::apiserver::net::Serve;
  const std::string_view mode = argc > 1 ? argv[1] : "";
  if (mode == "serve" && argc >= 3) return Serve(argc, argv);
  if (mode == "client" && argc == 7) return RunClient(argv);
  if (mode == "smoke") return MeasureAll({.requests = 10, .events = 10, .idle = 10});
  if (mode.empty()) return MeasureAll({});
  std::cerr << "usage: http_bench [smoke | serve PORT [CERT KEY [CLIENT_CA]]]\n";
  return 2;
}
