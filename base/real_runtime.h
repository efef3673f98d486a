// RealRuntime runs callbacks on a thread of its own, by the machine's clocks.
//
// Owns: its thread, from the constructor to Stop() or the destructor.
// Threads: as Runtime. Stop() from any thread but the loop's own.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "base/random.h"
#include "base/runtime.h"
#include "base/timer_queue.h"

namespace kulisse {

class RealRuntime final : public Runtime {
 public:
  explicit RealRuntime(uint64_t seed);
  ~RealRuntime() override;

  [[nodiscard]] SystemTime Now() const override;
  [[nodiscard]] MonotonicTime MonotonicNow() const override;
  uint64_t RandomBits() override;
  void Post(Callback callback) override;
  TimerId ScheduleAfter(Duration delay, Callback callback) override;
  bool Cancel(TimerId timer) override;

  // Lets the running callback end, drops the rest and joins the thread. Further calls do nothing.
  void Stop();

 private:
  void Run();

  std::mutex random_mutex_;
  Random random_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Callback> posted_;
  TimerQueue timers_;
  bool stopping_ = false;

  std::thread thread_;  // last: starts when the rest is there
};

}  // namespace kulisse
