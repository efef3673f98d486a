// EventCorrelator keeps events from flooding the store, by the rules of upstream's recorders
// (client-go tools/record):
// * what was said before is counted in the event that said it;
// * from the tenth message on that comes with the same reason within ten minutes of the last, all
//   are counted in one event, "(combined from similar events): " and the newest message;
// * an object gets 25 events of a type, then one in five minutes. Those left out are counted.
//
// Owns: what it remembers. Threads: one at a time.
// Limits: kEventsRememberedMax entries of each kind, some 3 MB when all are full; what is forgotten
// begins anew.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/time.h"
#include "simulator/kubelet/lru_cache.h"

namespace kulisse::simulator {

class EventCorrelator {
 public:
  EventCorrelator();

  struct Occurrence {
    std::string_view object;  // whatever names it and its kind
    std::string_view type, reason, message;
  };
  // The event that tells of an occurrence.
  struct Event {
    std::string name;
    int64_t count = 0;  // 1: it is new
    SystemTime first{};
    std::string message;
    bool combined = false;
  };
  // Nothing when there are too many. `name` is taken when the event is new.
  [[nodiscard]] std::optional<Event> Correlate(const Occurrence& occurrence, std::string_view name,
                                               SystemTime now);

 private:
  struct Similar {
    std::set<std::string> messages;
    SystemTime last{};
  };
  struct Known {
    std::string name;
    int64_t count = 0;
    SystemTime first{};
  };
  // What may be spent until the next event is too much.
  struct Budget {
    bool begun = false;
    Duration left{};
    SystemTime last{};
  };

  // Whether the message is one of too many.
  bool IsOneOfMany(const std::string& reason_key, std::string_view message, SystemTime now);
  bool Spend(const std::string& type_key, SystemTime now);

  LruCache<Similar> similar_;  // by object, type and reason
  LruCache<Known> known_;      // the same, and the message unless it is combined
  LruCache<Budget> budgets_;   // by object and type
};

}  // namespace kulisse::simulator
