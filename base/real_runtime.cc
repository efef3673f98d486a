#include "base/real_runtime.h"

#include <pthread.h>

namespace kulisse {

RealRuntime::RealRuntime(uint64_t seed) : random_(seed), thread_([this] { Run(); }) {
  pthread_setname_np(thread_.native_handle(), "control");
}

RealRuntime::~RealRuntime() { Stop(); }

SystemTime RealRuntime::Now() const { return std::chrono::system_clock::now(); }

MonotonicTime RealRuntime::MonotonicNow() const { return std::chrono::steady_clock::now(); }

uint64_t RealRuntime::RandomBits() {
  const std::lock_guard lock(random_mutex_);
  return random_.Next();
}

void RealRuntime::Post(Callback callback) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    posted_.push_back(std::move(callback));
  }
  wake_.notify_one();
}

TimerId RealRuntime::ScheduleAfter(Duration delay, Callback callback) {
  const MonotonicTime due = MonotonicNow() + delay;
  TimerId id = 0;
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return 0;
    const auto next = timers_.NextDue();
    first = !next || due < *next;
    id = timers_.Add(due, std::move(callback));
  }
  if (first) wake_.notify_one();
  return id;
}

bool RealRuntime::Cancel(TimerId timer) {
  const std::lock_guard lock(mutex_);
  return timers_.Cancel(timer);
}

void RealRuntime::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void RealRuntime::Run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    Callback callback;
    if (auto due = timers_.TakeDue(MonotonicNow())) {
      callback = std::move(*due);
    } else if (!posted_.empty()) {
      callback = std::move(posted_.front());
      posted_.pop_front();
    } else {
      if (const auto next = timers_.NextDue()) {
        wake_.wait_until(lock, *next);
      } else {
        wake_.wait(lock);
      }
      continue;
    }
    lock.unlock();
    callback();
    callback = nullptr;
    lock.lock();
  }
}

}  // namespace kulisse
