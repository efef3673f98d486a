// Mailbox takes wake-ups for connections from any thread to their loop. Many wake-ups of one
// connection between two rounds of the loop count as one.
//
// Threads: Push() from any; the rest as said.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace kulisse::apiserver::net {

class Connection;

// What wakers hold on to: it outlives the connection, which leaves it by setting `connection` to
// null. `connection` is touched on the loop only.
struct WakeTarget {
  explicit WakeTarget(Connection* c) : connection(c) {}
  std::atomic<bool> pending = false;
  Connection* connection;
};

class Mailbox {
 public:
  // `notify` gets the loop to call Take() soon; called with each first letter after a Take().
  explicit Mailbox(std::function<void()> notify) : notify_(std::move(notify)) {}

  void Push(const std::shared_ptr<WakeTarget>& target) {
    if (target->pending.exchange(true, std::memory_order_acq_rel)) return;
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    targets_.push_back(target);
    if (targets_.size() == 1) notify_();
  }

  // On the loop. Each target may be pushed again from now on.
  [[nodiscard]] std::vector<std::shared_ptr<WakeTarget>> Take() {
    std::vector<std::shared_ptr<WakeTarget>> taken;
    const std::lock_guard lock(mutex_);
    taken.swap(targets_);
    return taken;
  }

  // From now on letters are thrown away and `notify` is not called.
  void Close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    targets_.clear();
  }

 private:
  const std::function<void()> notify_;
  std::mutex mutex_;
  bool closed_ = false;
  std::vector<std::shared_ptr<WakeTarget>> targets_;
};

}  // namespace kulisse::apiserver::net
