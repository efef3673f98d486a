// Event is one commit as watchers see it.
//
// Owns: shares its records. Immutable but for the cache of encodings. Threads: any.
#pragma once

#include <cstdint>
#include <forward_list>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "storage/key.h"
#include "storage/record.h"
#include "storage/revision.h"

namespace kulisse::storage {

enum class EventType : uint8_t { kAdded, kModified, kDeleted };

struct Event {
  EventType type = EventType::kAdded;
  Revision revision;
  Key key;
  // The new state; for kDeleted the last one (its own revision is older than the event's, and the
  // wire shows the event's).
  RecordPtr object;
  // The state before, only where its labels or selectable fields differ from object's: a watcher
  // with a selector then sees the object enter or leave. Null means "no selector can tell".
  RecordPtr previous;

  // The bytes of this event in one representation, made by the first who asks and shared by the
  // rest; they stay where they are as long as the event. `id` names the representation (format,
  // version, columns …); the maker must be pure.
  template <class Make>
  [[nodiscard]] const std::string& Encoding(uint64_t id, const Make& make) const {
    // The maker runs under the lock: of many watchers that ask at once, one makes, the rest wait
    // for it instead of making the same.
    const std::lock_guard lock(encodings_mutex_);
    for (const auto& [known, bytes] : encodings_) {
      if (known == id) return bytes;
    }
    return encodings_.emplace_front(id, make()).second;
  }

 private:
  mutable std::mutex encodings_mutex_;
  mutable std::forward_list<std::pair<uint64_t, std::string>> encodings_;
};

using EventPtr = std::shared_ptr<const Event>;

}  // namespace kulisse::storage
