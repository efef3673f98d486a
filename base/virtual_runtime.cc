#include "base/virtual_runtime.h"

namespace kulisse {

namespace {

constexpr SystemTime kStart =
    std::chrono::sys_days(std::chrono::year(2026) / std::chrono::January / 1);

}  // namespace

VirtualRuntime::VirtualRuntime(uint64_t seed) : random_(seed) {}

SystemTime VirtualRuntime::Now() const { return kStart + MonotonicNow().time_since_epoch(); }

MonotonicTime VirtualRuntime::MonotonicNow() const { return now_; }

uint64_t VirtualRuntime::RandomBits() { return random_.Next(); }

void VirtualRuntime::Post(Callback callback) { posted_.push_back(std::move(callback)); }

TimerId VirtualRuntime::ScheduleAfter(Duration delay, Callback callback) {
  return timers_.Add(MonotonicNow() + std::max(delay, Duration(0)), std::move(callback));
}

bool VirtualRuntime::Cancel(TimerId timer) { return timers_.Cancel(timer); }

void VirtualRuntime::RunFor(Duration duration) {
  const MonotonicTime end = MonotonicNow() + duration;
  while (true) {
    if (!posted_.empty()) {
      Callback callback = std::move(posted_.front());
      posted_.pop_front();
      callback();
      continue;
    }
    if (auto due = timers_.TakeDue(MonotonicNow())) {
      (*due)();
      continue;
    }
    const auto next = timers_.NextDue();
    if (!next || *next > end) break;
    now_ = *next;
  }
  now_ = end;
}

}  // namespace kulisse
