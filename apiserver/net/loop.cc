#include "apiserver/net/loop.h"

#include <pthread.h>

#include <csignal>

#include "apiserver/net/connection.h"
#include "base/assert.h"
#include "base/limits.h"

namespace kulisse::apiserver::net {

namespace {

// A read takes at most this much: four TLS records.
constexpr size_t kScratchBytes = 64 * 1024;
// Of a new buffer: a piece of an answer, and the event or object that fills it up.
constexpr size_t kBufferBytes = kResponseChunkBytes + 16 * 1024;
// Larger buffers are not kept.
constexpr size_t kSpareBytesMax = 256 * 1024;

}  // namespace

Loop::Loop(const Services& services, MonotonicTime now, SystemTime wall)
    : services_(services),
      work_(context_.get_executor()),
      mailbox_(std::make_shared<Mailbox>([this] { Post([this] { DeliverMail(); }); })),
      round_timer_(context_),
      scratch_(kScratchBytes) {
  SetClock(now, wall);
}

Loop::~Loop() {
  KULISSE_ASSERT(!thread_.joinable());
  mailbox_->Close();
}

void Loop::Start() {
  // Signals are for the main thread. SIGPIPE is blocked too: OpenSSL writes without MSG_NOSIGNAL.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { context_.run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void Loop::Stop() {
  if (!thread_.joinable()) return;
  Post([this] {
    mailbox_->Close();
    while (!connections_.empty()) connections_.back()->Close();
    work_.reset();
    context_.stop();
  });
  thread_.join();
}

void Loop::Tick(MonotonicTime now, SystemTime wall) {
  Post([this, now, wall] {
    SetClock(now, wall);
    Sweep();
  });
}

void Loop::SetClock(MonotonicTime now, SystemTime wall) {
  const bool new_second = date_.empty() || std::chrono::floor<std::chrono::seconds>(wall) !=
                                               std::chrono::floor<std::chrono::seconds>(wall_);
  now_ = now;
  wall_ = wall;
  if (new_second) date_ = HttpDate(wall);
}

void Loop::Drain(std::function<void()> drained) {
  Post([this, drained = std::move(drained)] {
    draining_ = true;
    drained_ = drained;
    // A copy: connections that close leave the list.
    const auto all = connections_;
    for (const auto& connection : all) connection->Drain();
    ReportIfDrained();
  });
}

void Loop::ReportIfDrained() {
  if (connections_.empty() && drained_) std::exchange(drained_, nullptr)();
}

void Loop::Add(std::shared_ptr<Connection> connection) {
  connection->set_index(connections_.size());
  connections_.push_back(std::move(connection));
  services_.stats.connections_open.fetch_add(1, std::memory_order_relaxed);
}

void Loop::Remove(Connection& connection) {
  const size_t index = connection.index();
  KULISSE_ASSERT(index < connections_.size() && connections_[index].get() == &connection);
  // The caller runs within the connection and holds it; here only the list lets go.
  std::swap(connections_[index], connections_.back());
  connections_[index]->set_index(index);
  connections_.pop_back();
  services_.stats.connections_open.fetch_sub(1, std::memory_order_relaxed);
  ReportIfDrained();
}

void Loop::NoteDeadline(MonotonicTime deadline) {
  next_deadline_ = std::min(next_deadline_, deadline);
}

std::string Loop::TakeBuffer() {
  std::string buffer = std::exchange(spare_buffer_, {});
  buffer.reserve(kBufferBytes);
  return buffer;
}

void Loop::GiveBuffer(std::string buffer) {
  if (buffer.capacity() > kSpareBytesMax || buffer.capacity() <= spare_buffer_.capacity()) return;
  buffer.clear();
  spare_buffer_ = std::move(buffer);
}

void Loop::Sweep() {
  if (now_ < next_deadline_) return;
  next_deadline_ = MonotonicTime::max();
  const auto all = connections_;
  for (const auto& connection : all) {
    if (connection->deadline() <= now_) {
      connection->OnDeadline();
    }
    next_deadline_ = std::min(next_deadline_, connection->deadline());
  }
}

void Loop::DeliverMail() {
  for (auto& target : mailbox_->Take()) {
    if (target->connection == nullptr) continue;
    if (target->connection->waits_for_stream()) {
      round_.push_back(std::move(target));  // stays pending until its round
    } else {
      target->pending.exchange(false, std::memory_order_acq_rel);
      target->connection->OnWake();
    }
  }
  if (!round_waits_) RunStreamRound();
}

void Loop::RunStreamRound() {
  const auto round = std::exchange(round_, {});
  for (const auto& target : round) {
    target->pending.exchange(false, std::memory_order_acq_rel);
    if (target->connection != nullptr) target->connection->OnWake();
  }
  round_waits_ = round.size() >= kStreamRoundPacedMin;
  if (!round_waits_) return;
  round_timer_.expires_after(kStreamRoundPeriod);
  round_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) RunStreamRound();
  });
}

}  // namespace kulisse::apiserver::net
