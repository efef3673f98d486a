// Runtime is where time, randomness, timers and posted work come from, and nowhere else: a real one
// (RealRuntime), or a virtual one (VirtualRuntime) that runs a whole cluster on one thread at any
// speed, the same way each time for the same seed.
//
// Threads: every method may be called from any thread. Callbacks run one at a time on the
//   runtime's loop (the control loop), never inside the call that scheduled them.
// Errors: none; callbacks must not throw.
#pragma once

#include <cstdint>
#include <functional>

#include "base/time.h"

namespace kulisse {

using Callback = std::move_only_function<void()>;

// Names a pending timer; 0 names none.
using TimerId = uint64_t;

class Runtime {
 public:
  virtual ~Runtime() = default;

  [[nodiscard]] virtual SystemTime Now() const = 0;
  [[nodiscard]] virtual MonotonicTime MonotonicNow() const = 0;
  // 64 random bits; not for keys.
  virtual uint64_t RandomBits() = 0;

  // Runs `callback` on the loop as soon as what was posted before has run.
  virtual void Post(Callback callback) = 0;
  // Runs it on the loop after `delay` (at once when it is not positive). Timers due at the same
  // time fire in the order in which they were made.
  virtual TimerId ScheduleAfter(Duration delay, Callback callback) = 0;
  // Returns whether the timer was still pending; its callback then never runs.
  virtual bool Cancel(TimerId timer) = 0;
};

}  // namespace kulisse
