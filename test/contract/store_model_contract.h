// The part of the store's contract that random operations check, against a model.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "test/contract/store_contract.h"

namespace kulisse::storage {

// Random operations on the store and on a model: a map of objects, and a list of events.
class ModelRun {
 public:
  ModelRun(StoreContract* suite, uint64_t seed) : suite_(*suite), random_(seed) { NoteState(); }

  void Step() {
    switch (random_.Below(20)) {
      case 0:
        watcher_ = nullptr;
        suite_.Reopen();
        break;
      case 1:
      case 2:
        CheckWatch();
        break;
      case 3:
        CheckList();
        break;
      case 4:
        CheckPast();
        break;
      default:
        Write();
    }
  }

  void Write() {
    if (random_.Below(4) == 0) return Apply(nullptr);
    const TestObject object{random_.Text(random_.Below(40), "abc"), random_.Text(1, "xy"),
                            random_.Text(1, "pq")};
    Apply(&object);
  }

  void CheckWatch() {
    AwaitDurable(suite_.store(), suite_.store().head());
    if (watcher_ == nullptr || random_.Below(3) == 0) {
      seen_ = random_.Below(events_.size() + 1);
      const uint64_t from = seen_ == 0 ? 1 : events_[seen_ - 1].first;
      watcher_ = WatchFrom(suite_.store(), "pods", "", {from});
    }
    for (const EventPtr& event : ReadAll(*watcher_)) {
      ASSERT_LT(seen_, events_.size());
      ASSERT_EQ(Printed(*event), events_[seen_++].second);
    }
    ASSERT_EQ(seen_, events_.size());
    ASSERT_EQ(watcher_->position(), suite_.store().head());
  }

  void CheckList() { CheckSnapshot(*suite_.store().Latest(), objects_); }

  // A random revision gives the model's state of then, or nothing when that was replaced before
  // what the log keeps.
  void CheckPast() {
    AwaitDurable(suite_.store(), suite_.store().head());
    const size_t at = random_.Below(states_.size());
    const bool newest = at + 1 == states_.size();
    const uint64_t end = newest ? suite_.store().head().value + 1 : states_[at + 1].revision;
    const Revision revision{states_[at].revision + random_.Below(end - states_[at].revision)};
    const auto snapshot = suite_.store().At("pods", revision);
    if (!snapshot) {
      ASSERT_EQ(snapshot.error().kind, StoreError::Kind::kCompacted);
      ASSERT_FALSE(newest);
      ASSERT_GT(suite_.runtime_.MonotonicNow() - states_[at + 1].since,
                suite_.options_.history_log_age_max);
      ASSERT_GT(snapshot.error().bound, revision);
      ++forgotten_;
      return;
    }
    ++found_;
    ASSERT_EQ((*snapshot)->revision(), revision);
    CheckSnapshot(**snapshot, states_[at].objects);
  }
  int found() const { return found_; }
  int forgotten() const { return forgotten_; }

 private:
  using Objects = std::map<std::string, TestObject>;
  struct State {
    uint64_t revision;
    MonotonicTime since;
    Objects objects;
  };

  static void CheckSnapshot(const Snapshot& snapshot, const Objects& objects) {
    std::string want;
    for (const auto& [name, object] : objects) {
      want += (want.empty() ? "" : " ") + ("pods/default/" + name) + "=" + object.text;
    }
    ASSERT_EQ(Listed(snapshot, "pods", ""), want);
    ASSERT_EQ(snapshot.Count("pods", ""), objects.size());
  }

  void Apply(const TestObject* object) {
    const std::string name = random_.Text(1, "abcdefgh");
    const auto it = objects_.find(name);
    const bool was_there = it != objects_.end();
    const bool changes = object == nullptr ? was_there : !was_there || it->second != *object;
    const Revision before = suite_.store().head();
    const Committed committed = storage::Write(suite_.store(), {"pods", "default", name}, object);
    ASSERT_EQ(committed.changed, changes);
    ASSERT_EQ(suite_.store().head().value, before.value + (changes ? 1 : 0));
    if (!changes) return;
    const TestObject shown = object == nullptr ? it->second : *object;
    std::string text = (object == nullptr ? "-"
                        : was_there       ? "~"
                                          : "+") +
                       name + "=" + shown.text + "@" + std::to_string(committed.revision.value);
    if (was_there && (it->second.app != shown.app || it->second.phase != shown.phase)) {
      text += "(was " + it->second.app + ")";
    }
    events_.emplace_back(committed.revision.value, text);
    if (object == nullptr) {
      objects_.erase(it);
    } else {
      objects_[name] = *object;
    }
    NoteState();
  }

  void NoteState() {
    states_.push_back({suite_.store().head().value, suite_.runtime_.MonotonicNow(), objects_});
  }

  StoreContract& suite_;
  Random random_;
  Objects objects_;
  std::vector<State> states_;      // after each commit
  int found_ = 0, forgotten_ = 0;  // by CheckPast()
  std::vector<std::pair<uint64_t, std::string>> events_;
  std::unique_ptr<Watcher> watcher_;
  size_t seen_ = 0;  // events that watcher_ has given
};

TEST_P(StoreContract, RandomOperationsAgreeWithAModel) {
  for (const uint64_t seed : {1, 2, 3, 4}) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    fixture_ = GetParam().make();
    // Small on odd seeds: watchers then read from the log.
    Open({.directory = {}, .history_ring_bytes_max = seed % 2 == 0 ? kHistoryRingBytesMax : 4096});
    ModelRun run(this, seed);
    for (int step = 0; step < 400 && !HasFatalFailure(); ++step) run.Step();
    run.CheckWatch();
    run.CheckList();
    for (int i = 0; i < 100 && !HasFatalFailure(); ++i) run.CheckPast();
    store_.reset();
    if (HasFatalFailure()) return;
  }
}

// Writes over minutes with a log of one minute: what of the past can be read is right, all of the
// last minute can, and states from before the log are refused.
TEST_P(StoreContract, ListsOfThePastAgreeWithAModelWhileTheLogForgets) {
  for (const uint64_t seed : {1, 2, 3, 4}) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    fixture_ = GetParam().make();
    Open({.directory = {}, .history_log_age_max = std::chrono::minutes(1)});
    ModelRun run(this, seed);
    Random random(seed);
    for (int step = 0; step < 400 && !HasFatalFailure(); ++step) {
      run.Write();
      runtime_.RunFor(std::chrono::seconds(random.Below(5)));
      if (step % 100 == 99) Reopen();
      if (step % 5 == 4) run.CheckPast();
    }
    EXPECT_GT(run.found(), 0);
    EXPECT_GT(run.forgotten(), 0);
    store_.reset();
    if (HasFatalFailure()) return;
  }
}

}  // namespace kulisse::storage
