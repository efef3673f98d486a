#include "storage/history.h"

#include <algorithm>

#include "base/assert.h"

namespace kulisse::storage {
namespace {

// Besides its bytes an event costs its key, its place and the records' own fields.
constexpr size_t kEventOverheadBytes = 512;

// Events keep the bytes that they were sent as, about as much again as the object.
size_t CostOf(const Event& event) {
  return kEventOverheadBytes + 2 * event.object->bytes().size() +
         (event.previous == nullptr ? 0 : event.previous->bytes().size());
}

}  // namespace

class History::Cursor {
 public:
  Cursor(Channel* c, std::string_view n, Revision after) : channel(c), ns(n), position(after) {}

  // Called without the history's lock.
  void Wake() {
    const std::lock_guard lock(waker_mutex);
    if (waker) {
      waker();
    } else {
      wake_missed = true;
    }
  }

  Channel* const channel;
  const std::string ns;
  // Guarded by the history's mutex.
  Revision position;
  bool waits = false;
  size_t waiting_index = 0;

  // Held while the waker runs, so that nobody takes the watcher from under it.
  std::mutex waker_mutex;
  std::function<void()> waker;
  bool wake_missed = false;
};

History::History(size_t bytes_max, Revision head)
    : bytes_max_(bytes_max), head_at_start_(head), published_(head) {}

History::Channel& History::ChannelLocked(std::string_view resource) {
  auto it = channels_.find(resource);
  if (it == channels_.end()) {
    it = channels_.emplace(resource, std::make_unique<Channel>()).first;
    it->second->floor = head_at_start_;
  }
  return *it->second;
}

void History::Publish(std::span<const EventPtr> events, Revision published) {
  std::vector<CursorPtr> woken;
  {
    const std::lock_guard lock(mutex_);
    for (const EventPtr& event : events) {
      KULISSE_ASSERT(event->revision > published_);
      Channel& channel = ChannelLocked(event->key.resource);
      channel.events.push_back(event);
      order_.push_back(&channel);
      bytes_ += CostOf(*event);
      const Revision before{event->revision.value - 1};
      WakeLocked(&channel, "", before, &woken);
      if (!event->key.ns.empty()) WakeLocked(&channel, event->key.ns, before, &woken);
      published_ = event->revision;
    }
    KULISSE_ASSERT(published >= published_);
    published_ = published;
    EvictLocked();
  }
  for (const CursorPtr& cursor : woken) cursor->Wake();
}

// Nothing concerned these cursors up to `before`.
void History::WakeLocked(Channel* channel, const std::string& ns, Revision before,
                         std::vector<CursorPtr>* woken) {
  const auto it = channel->waiting.find(ns);
  if (it == channel->waiting.end()) return;
  for (CursorPtr& cursor : it->second) {
    cursor->waits = false;
    cursor->position = std::max(cursor->position, before);
    woken->push_back(std::move(cursor));
  }
  channel->waiting.erase(it);
}

void History::EvictLocked() {
  while (bytes_ > bytes_max_ && !order_.empty()) {
    Channel& channel = *order_.front();
    const EventPtr& event = channel.events.front();
    channel.floor = event->revision;
    bytes_ -= CostOf(*event);
    channel.events.pop_front();
    order_.pop_front();
  }
}

Revision History::published() const {
  const std::lock_guard lock(mutex_);
  return published_;
}

History::CursorPtr History::Open(std::string_view resource, std::string_view ns, Revision after) {
  const std::lock_guard lock(mutex_);
  return std::make_shared<Cursor>(&ChannelLocked(resource), ns, after);
}

void History::StopWaitingLocked(const CursorPtr& cursor) {
  if (!cursor->waits) return;
  cursor->waits = false;
  const auto it = cursor->channel->waiting.find(cursor->ns);
  std::vector<CursorPtr>& waiting = it->second;
  waiting.back()->waiting_index = cursor->waiting_index;
  std::swap(waiting[cursor->waiting_index], waiting.back());
  waiting.pop_back();
  if (waiting.empty()) cursor->channel->waiting.erase(it);
}

void History::Close(const CursorPtr& cursor) {
  {
    const std::lock_guard lock(mutex_);
    StopWaitingLocked(cursor);
  }
  const std::lock_guard lock(cursor->waker_mutex);
  cursor->waker = nullptr;
}

void History::SetWaker(const CursorPtr& cursor, std::function<void()> waker) {
  const std::lock_guard lock(cursor->waker_mutex);
  cursor->waker = std::move(waker);
  if (cursor->wake_missed && cursor->waker) cursor->waker();
  cursor->wake_missed = false;
}

Revision History::Position(const CursorPtr& cursor) const {
  const std::lock_guard lock(mutex_);
  return cursor->waits ? std::max(cursor->position, published_) : cursor->position;
}

History::ReadResult History::Read(const CursorPtr& cursor, size_t events_max) {
  const std::lock_guard lock(mutex_);
  ReadResult result{.events = {}, .behind = false, .position = {}, .published = published_};
  if (cursor->waits) {
    // Nothing came since the last look, or it would not wait any more.
    cursor->position = std::max(cursor->position, published_);
  } else {
    const Channel& channel = *cursor->channel;
    result.behind = cursor->position < channel.floor;
    if (!result.behind) {
      auto it = std::upper_bound(
          channel.events.begin(), channel.events.end(), cursor->position,
          [](Revision revision, const EventPtr& event) { return revision < event->revision; });
      for (; it != channel.events.end() && result.events.size() < events_max; ++it) {
        if (cursor->ns.empty() || (*it)->key.ns == cursor->ns) result.events.push_back(*it);
      }
      cursor->position = it == channel.events.end() ? std::max(cursor->position, published_)
                                                    : result.events.back()->revision;
      if (result.events.empty()) {
        std::vector<CursorPtr>& waiting = cursor->channel->waiting[cursor->ns];
        cursor->waits = true;
        cursor->waiting_index = waiting.size();
        waiting.push_back(cursor);
      }
    }
  }
  result.position = cursor->position;
  return result;
}

void History::MoveTo(const CursorPtr& cursor, Revision position) {
  const std::lock_guard lock(mutex_);
  KULISSE_ASSERT(position >= cursor->position);
  cursor->position = position;
}

}  // namespace kulisse::storage
