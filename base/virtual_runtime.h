// VirtualRuntime is a Runtime whose time stands still until somebody moves it: a test or a
// simulation runs days in seconds, the same way each time.
//
// Threads: one, the caller of RunFor() is the loop; clocks may be read from any.
#pragma once

#include <atomic>
#include <deque>

#include "base/random.h"
#include "base/runtime.h"
#include "base/timer_queue.h"

namespace kulisse {

class VirtualRuntime final : public Runtime {
 public:
  // Starts at 2026-01-01T00:00:00Z.
  explicit VirtualRuntime(uint64_t seed);

  [[nodiscard]] SystemTime Now() const override;
  [[nodiscard]] MonotonicTime MonotonicNow() const override;
  uint64_t RandomBits() override;
  void Post(Callback callback) override;
  TimerId ScheduleAfter(Duration delay, Callback callback) override;
  bool Cancel(TimerId timer) override;

  // Runs everything that is due within `duration`, moving time from timer to timer.
  void RunFor(Duration duration);
  // Runs what is due now, and what that posts, without moving time.
  void RunReady() { RunFor(Duration(0)); }

 private:
  Random random_;
  std::atomic<MonotonicTime> now_;
  std::deque<Callback> posted_;
  TimerQueue timers_;
};

}  // namespace kulisse
