// LocalWatcher reads on through both tiers of the history: from memory while it keeps up, from the
// log while it does not.
//
// Shares: the memory tier, so that it may end after its store. Borrows: the log, to read from it.
// Threads: as Watcher.
#pragma once

#include <memory>
#include <string>

#include "storage/event_log.h"
#include "storage/history.h"
#include "storage/store.h"

namespace kulisse::storage {

class LocalWatcher final : public Watcher {
 public:
  LocalWatcher(std::shared_ptr<History> history, const EventLog& log, std::string_view resource,
               std::string_view ns, Revision from);
  ~LocalWatcher() override;
  LocalWatcher(const LocalWatcher&) = delete;
  LocalWatcher& operator=(const LocalWatcher&) = delete;

  [[nodiscard]] std::expected<std::vector<EventPtr>, StoreError> Read() override;
  [[nodiscard]] Revision position() const override;
  void SetWaker(std::function<void()> waker) override;

 private:
  const std::shared_ptr<History> history_;
  const EventLog& log_;
  const std::string resource_;
  const std::string ns_;
  const History::CursorPtr cursor_;
};

}  // namespace kulisse::storage
