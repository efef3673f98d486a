// TimerQueue is the ordered set of pending timers that both runtimes share: a binary heap with
// lazy cancellation. Timers due at the same time come out in the order of their making.
// Threads: one at a time; the owner locks.
#pragma once

#include <cstdint>
#include <optional>
#include <queue>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/runtime.h"

namespace kulisse {

class TimerQueue {
 public:
  TimerId Add(MonotonicTime due, Callback callback) {
    const TimerId id = ++last_id_;
    heap_.push({due, id});
    callbacks_.emplace(id, std::move(callback));
    return id;
  }

  bool Cancel(TimerId id) { return callbacks_.erase(id) > 0; }

  // When the next timer is due; nothing when none is pending.
  [[nodiscard]] std::optional<MonotonicTime> NextDue() {
    DropCancelled();
    if (heap_.empty()) return std::nullopt;
    return heap_.top().due;
  }

  // The callback of the next timer if it is due at `now`.
  [[nodiscard]] std::optional<Callback> TakeDue(MonotonicTime now) {
    DropCancelled();
    if (heap_.empty() || heap_.top().due > now) return std::nullopt;
    const auto it = callbacks_.find(heap_.top().id);
    Callback callback = std::move(it->second);
    callbacks_.erase(it);
    heap_.pop();
    return callback;
  }

  [[nodiscard]] size_t size() const { return callbacks_.size(); }

 private:
  struct Entry {
    MonotonicTime due;
    TimerId id;
    bool operator<(const Entry& other) const {  // the heap's top is its greatest
      return due != other.due ? due > other.due : id > other.id;
    }
  };

  void DropCancelled() {
    while (!heap_.empty() && !callbacks_.contains(heap_.top().id)) heap_.pop();
  }

  std::priority_queue<Entry> heap_;
  std::unordered_map<TimerId, Callback> callbacks_;
  TimerId last_id_ = 0;
};

}  // namespace kulisse
