// Commit is one change on its way from the commit path to the engine.
// Threads: immutable once its revision is set, any.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "storage/event.h"

namespace kulisse::storage {

struct Commit {
  std::string encoded_key;  // EncodeKey() of event->key
  EventPtr event;
  RecordPtr before;          // the state that it replaces; null when there was none
  uint64_t count_after = 0;  // objects of the resource in the namespace

  // Null when the object is gone.
  [[nodiscard]] RecordPtr state() const {
    return event->type == EventType::kDeleted ? nullptr : event->object;
  }
};
using CommitPtr = std::shared_ptr<const Commit>;

}  // namespace kulisse::storage
