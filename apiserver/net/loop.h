// Loop is one I/O thread with its io_context, the connections that live on it, their wake-ups, and
// a clock that moves in ticks.
//
// A connection has one deadline at a time. Deadlines are checked at a tick, and only when the
// earliest one may have come: no timer is made or cancelled per read or write.
//
// Owns: thread, connections. Borrows: what is in Services.
// Threads: Post(), Tick(), mailbox() and the constructor from any; the rest on the loop only.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "apiserver/http.h"
#include "apiserver/net/mailbox.h"
#include "apiserver/net/server.h"
#include "base/time.h"

namespace kulisse::apiserver::net {

// How often the clock of a loop moves.
inline constexpr auto kClockTick = std::chrono::milliseconds(250);
// After a round of wake-ups that served many streams the next one waits this long, so that events
// of a burst of writes share a write to each socket. What comes after a pause goes out at once.
inline constexpr auto kStreamRoundPeriod = std::chrono::milliseconds(2);
inline constexpr size_t kStreamRoundPacedMin = 8;

// What connections use that belongs to the server.
struct Services {
  HttpHandler& handler;
  const DurabilityGate& gate;
  ServerStats& stats;
};

class Loop {
 public:
  Loop(const Services& services, MonotonicTime now, SystemTime wall);
  // REQUIRES: Stop() was called, or Start() was not.
  ~Loop();

  void Start();
  // Closes all connections, ends the thread and joins it.
  void Stop();

  template <class Function>
  void Post(Function&& function) {
    boost::asio::post(context_, std::forward<Function>(function));
  }
  // Sets the clock and closes what is overdue.
  void Tick(MonotonicTime now, SystemTime wall);
  // Lets idle connections go, running answers end, and waiting streams end. Calls `drained` on the
  // loop when the last connection has closed, in Stop() at the latest. REQUIRES: called once.
  void Drain(std::function<void()> drained);
  [[nodiscard]] const std::shared_ptr<Mailbox>& mailbox() const { return mailbox_; }

  [[nodiscard]] boost::asio::io_context& context() { return context_; }
  [[nodiscard]] const Services& services() const { return services_; }
  [[nodiscard]] MonotonicTime now() const { return now_; }
  [[nodiscard]] SystemTime wall() const { return wall_; }
  // Value of the Date header.
  [[nodiscard]] std::string_view date() const { return date_; }
  [[nodiscard]] bool draining() const { return draining_; }
  // Where connections read to; its bytes are gone when the next one reads.
  [[nodiscard]] std::span<char> scratch() { return scratch_; }
  // A buffer to write an answer into, empty but with the room of the last one, and back again.
  [[nodiscard]] std::string TakeBuffer();
  void GiveBuffer(std::string buffer);

  void Add(std::shared_ptr<Connection> connection);
  void Remove(Connection& connection);
  // A connection has set its deadline to this.
  void NoteDeadline(MonotonicTime deadline);

 private:
  void SetClock(MonotonicTime now, SystemTime wall);
  void Sweep();
  // Wakes those who wait for durability at once, and streams in rounds.
  void DeliverMail();
  void RunStreamRound();
  void ReportIfDrained();

  const Services services_;
  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::shared_ptr<Mailbox> mailbox_;
  boost::asio::steady_timer round_timer_;
  bool round_waits_ = false;
  std::vector<std::shared_ptr<WakeTarget>> round_;        // woken streams for the next round
  std::vector<std::shared_ptr<Connection>> connections_;  // each knows its index
  MonotonicTime now_;
  SystemTime wall_;
  MonotonicTime next_deadline_ = MonotonicTime::max();
  std::string date_;
  bool draining_ = false;
  std::function<void()> drained_;  // null: not draining, or called already
  std::vector<char> scratch_;
  std::string spare_buffer_;
  std::thread thread_;
};

}  // namespace kulisse::apiserver::net
