#include "storage/watcher.h"

#include <utility>

namespace kulisse::storage {

LocalWatcher::LocalWatcher(std::shared_ptr<History> history, const EventLog& log,
                           std::string_view resource, std::string_view ns, Revision from)
    : history_(std::move(history)),
      log_(log),
      resource_(resource),
      ns_(ns),
      cursor_(history_->Open(resource, ns, from)) {}

LocalWatcher::~LocalWatcher() { history_->Close(cursor_); }

std::expected<std::vector<EventPtr>, StoreError> LocalWatcher::Read() {
  for (;;) {
    History::ReadResult recent = history_->Read(cursor_, kWatchBatchEventsMax);
    if (!recent.behind) return std::move(recent.events);
    auto past = log_.Read(
        resource_, ns_,
        {.after = recent.position, .up_to = recent.published, .events_max = kWatchBatchEventsMax});
    if (!past) {
      return std::unexpected(StoreError{
          .kind = StoreError::Kind::kCompacted, .asked = recent.position, .bound = past.error()});
    }
    history_->MoveTo(cursor_, past->reached);
    if (!past->events.empty()) return std::move(past->events);
  }
}

Revision LocalWatcher::position() const { return history_->Position(cursor_); }

void LocalWatcher::SetWaker(std::function<void()> waker) {
  history_->SetWaker(cursor_, std::move(waker));
}

}  // namespace kulisse::storage
