#include "apiserver/net/server.h"

#include <algorithm>
#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <future>
#include <limits>
#include <mutex>
#include <vector>

#include "apiserver/net/connection.h"
#include "apiserver/net/loop.h"
#include "apiserver/net/tls.h"
#include "base/limits.h"
#include "base/log.h"

namespace kulisse::apiserver::net {

namespace {

using boost::asio::ip::tcp;
using Acceptor = boost::asio::basic_socket_acceptor<tcp, boost::asio::io_context::executor_type>;

constexpr int kBacklog = 4096;

std::string ToText(const tcp::endpoint& endpoint) {
  const std::string address = endpoint.address().to_string();
  const std::string port = std::to_string(endpoint.port());
  return endpoint.address().is_v6() ? "[" + address + "]:" + port : address + ":" + port;
}

DurabilityGate WithDefaults(DurabilityGate gate) {
  if (!gate.durable) {
    gate.durable = [] { return storage::Revision{std::numeric_limits<uint64_t>::max()}; };
  }
  return gate;
}

class ServerImpl final : public Server {
 public:
  ServerImpl(const ServerOptions& options, HttpHandler& handler, DurabilityGate gate,
             Runtime& runtime)
      : runtime_(runtime),
        gate_(WithDefaults(std::move(gate))),
        ticker_(std::make_shared<Ticker>(this)) {
    const Services services{handler, gate_, stats_};
    for (int i = 0; i < std::max(1, options.threads); ++i) {
      loops_.push_back(std::make_unique<Loop>(services, runtime.MonotonicNow(), runtime.Now()));
    }
    acceptor_.emplace(loops_.front()->context().get_executor());
  }

  ~ServerImpl() override { Stop(); }

  // Says why not.
  std::string Listen(const ServerOptions& options) {
    if (options.tls) {
      auto tls = TlsContext::Create(*options.tls);
      if (!tls) return tls.error();
      tls_ = std::move(*tls);
    }
    boost::system::error_code error;
    const auto address = boost::asio::ip::make_address(options.address, error);
    if (error) return "not an IP address: " + options.address;
    const tcp::endpoint endpoint(address, options.port);
    acceptor_->open(endpoint.protocol(), error);
    if (!error) acceptor_->set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_->bind(endpoint, error);
    if (!error) acceptor_->listen(kBacklog, error);
    if (!error) port_ = acceptor_->local_endpoint(error).port();
    if (error) return "cannot listen on " + ToText(endpoint) + ": " + error.message();
    return {};
  }

  void Run() {
    running_ = true;
    for (const auto& loop : loops_) loop->Start();
    loops_.front()->Post([this] { Accept(); });
    const std::lock_guard lock(ticker_->mutex);
    ScheduleTick();
  }

  [[nodiscard]] uint16_t port() const override { return port_; }
  [[nodiscard]] const ServerStats& stats() const override { return stats_; }

  void Stop() override {
    if (!std::exchange(running_, false)) return;
    {
      const std::lock_guard lock(ticker_->mutex);
      ticker_->server = nullptr;
      runtime_.Cancel(ticker_->timer);
    }
    CloseAcceptor();
    std::promise<void> drained;
    std::atomic<size_t> left = loops_.size();
    for (const auto& loop : loops_) {
      loop->Drain([&] {
        if (left.fetch_sub(1) == 1) drained.set_value();
      });
    }
    drained.get_future().wait_for(kDrainTimeMax);
    for (const auto& loop : loops_) loop->Stop();
  }

 private:
  // What the timer holds: it may fire while the server goes away.
  struct Ticker {
    explicit Ticker(ServerImpl* s) : server(s) {}
    std::mutex mutex;
    ServerImpl* server;  // null when it has stopped
    TimerId timer = 0;
  };

  // REQUIRES: ticker_->mutex is held.
  void ScheduleTick() {
    ticker_->timer = runtime_.ScheduleAfter(kClockTick, [ticker = ticker_] {
      const std::lock_guard lock(ticker->mutex);
      if (ticker->server != nullptr) ticker->server->Tick();
    });
  }

  void Tick() {
    for (const auto& loop : loops_) loop->Tick(runtime_.MonotonicNow(), runtime_.Now());
    loops_.front()->Post([this] {
      if (accept_paused_) Accept();
    });
    ScheduleTick();
  }

  // Waits until no connection can be accepted any more.
  void CloseAcceptor() {
    std::promise<void> closed;
    loops_.front()->Post([this, &closed] {
      boost::system::error_code ignored;
      acceptor_->close(ignored);
      closed.set_value();
    });
    closed.get_future().wait();
  }

  // On the first loop. Connections go to the loops in turn.
  void Accept() {
    accept_paused_ = stats_.connections_open.load(std::memory_order_relaxed) >=
                     static_cast<int64_t>(kConnectionsMax);
    if (accept_paused_ || !acceptor_->is_open()) return;
    Loop& loop = *loops_[next_loop_];
    next_loop_ = (next_loop_ + 1) % loops_.size();
    acceptor_->async_accept(
        loop.context().get_executor(),
        [this, &loop](const boost::system::error_code& error, Connection::Socket socket) {
          if (error == boost::asio::error::operation_aborted) return;
          if (error) {
            // Out of descriptors, mostly: the next tick tries again.
            log::Write(log::Level::kWarning, "net", "cannot accept", {{"error", error.message()}});
            accept_paused_ = true;
            return;
          }
          Adopt(loop, std::move(socket));
          Accept();
        });
  }

  void Adopt(Loop& loop, Connection::Socket socket) {
    boost::system::error_code error;
    const tcp::endpoint remote = socket.remote_endpoint(error);
    if (!error) socket.native_non_blocking(true, error);
    if (!error) socket.set_option(tcp::no_delay(true), error);
    if (error) return;  // the client is gone already
    stats_.connections_accepted.fetch_add(1, std::memory_order_relaxed);
    loop.Post([this, &loop, remote = ToText(remote), socket = std::move(socket)]() mutable {
      const int descriptor = socket.native_handle();
      auto stream = tls_ != nullptr ? tls_->MakeStream(descriptor) : MakePlainStream(descriptor);
      std::make_shared<Connection>(loop, std::move(socket), std::move(stream), std::move(remote))
          ->Start();
    });
  }

  Runtime& runtime_;
  const DurabilityGate gate_;
  ServerStats stats_;
  std::unique_ptr<TlsContext> tls_;
  std::vector<std::unique_ptr<Loop>> loops_;
  std::optional<Acceptor> acceptor_;
  uint16_t port_ = 0;
  size_t next_loop_ = 0;        // first loop's
  bool accept_paused_ = false;  // first loop's
  bool running_ = false;
  std::shared_ptr<Ticker> ticker_;
};

}  // namespace

std::expected<std::unique_ptr<Server>, std::string> Server::Start(const ServerOptions& options,
                                                                  HttpHandler& handler,
                                                                  DurabilityGate gate,
                                                                  Runtime& runtime) {
  auto server = std::make_unique<ServerImpl>(options, handler, std::move(gate), runtime);
  if (std::string error = server->Listen(options); !error.empty()) {
    return std::unexpected(std::move(error));
  }
  server->Run();
  return server;
}

}  // namespace kulisse::apiserver::net
