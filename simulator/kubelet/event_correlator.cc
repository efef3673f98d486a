#include "simulator/kubelet/event_correlator.h"

#include <algorithm>

#include "simulator/limits.h"

namespace kulisse::simulator {
namespace {

using std::chrono::minutes;

constexpr size_t kMessagesToCombine = 10;
constexpr Duration kSimilarInterval = minutes(10);
constexpr std::string_view kCombined = "(combined from similar events): ";
// One event costs what five minutes bring in.
constexpr Duration kEventCost = minutes(5);
constexpr Duration kBudgetMax = 25 * kEventCost;

}  // namespace

EventCorrelator::EventCorrelator()
    : similar_(kEventsRememberedMax),
      known_(kEventsRememberedMax),
      budgets_(kEventsRememberedMax) {}

std::optional<EventCorrelator::Event> EventCorrelator::Correlate(const Occurrence& occurrence,
                                                                 std::string_view name,
                                                                 SystemTime now) {
  std::string key(occurrence.object);
  key.append(1, '\n').append(occurrence.type);
  const std::string type_key = key;
  key.append(1, '\n').append(occurrence.reason);
  Event event{.name = std::string(name),
              .count = 1,
              .first = now,
              .message = std::string(occurrence.message),
              .combined = IsOneOfMany(key, occurrence.message, now)};
  if (event.combined) {
    event.message.insert(0, kCombined);
  } else {
    key.append(1, '\n').append(occurrence.message);
  }
  Known& known = known_[key];
  if (known.count > 0) {
    event.name = known.name;
    event.count = known.count + 1;
    event.first = known.first;
  }
  known = {.name = event.name, .count = event.count, .first = event.first};
  if (!Spend(type_key, now)) return std::nullopt;
  return event;
}

bool EventCorrelator::IsOneOfMany(const std::string& reason_key, std::string_view message,
                                  SystemTime now) {
  Similar& similar = similar_[reason_key];
  if (now - similar.last > kSimilarInterval) similar.messages.clear();
  similar.last = now;
  similar.messages.emplace(message);
  if (similar.messages.size() < kMessagesToCombine) return false;
  similar.messages.erase(similar.messages.begin());  // any: they are only counted
  return true;
}

bool EventCorrelator::Spend(const std::string& type_key, SystemTime now) {
  Budget& budget = budgets_[type_key];
  if (!budget.begun) budget = {.begun = true, .left = kBudgetMax, .last = now};
  if (now > budget.last) {
    budget.left = std::min<Duration>(kBudgetMax, budget.left + (now - budget.last));
    budget.last = now;
  }
  if (budget.left < kEventCost) return false;
  budget.left -= kEventCost;
  return true;
}

}  // namespace kulisse::simulator
