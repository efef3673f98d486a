// What every Store must do, whatever its engine: a suite with the engine as parameter. A program
// that includes this instantiates StoreContract with the fixtures that it has.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <future>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "base/random.h"
#include "base/virtual_runtime.h"
#include "storage/store.h"

namespace kulisse::storage {

// An object as tests think of it. The label "app" and the field "phase" are selectable.
struct TestObject {
  std::string text;
  std::string app = "a";
  std::string phase = "p";
  bool operator==(const TestObject&) const = default;
};

// Puts or, with null, deletes; waits until it is durable.
inline Committed Write(Store& store, const Key& key, const TestObject* object) {
  std::string json, uid;
  const auto done = store.GuaranteedUpdate(key, [&](const RecordPtr& current) -> Result<Change> {
    if (object == nullptr) {
      return Change{.kind = current == nullptr ? Change::Kind::kNone : Change::Kind::kDelete,
                    .content = {}};
    }
    json = R"({"metadata":{"name":")" + key.name + R"("},"text":")" + object->text + R"("})";
    uid = "uid-of-" + key.name;
    RecordContent content;
    content.labels = {{"app", object->app}};
    content.fields = {{"phase", object->phase}};
    content.uid = uid;
    content.rv_offset = static_cast<uint32_t>(json.find("},"));
    content.json = json;
    return Change{.kind = Change::Kind::kPut, .content = content};
  });
  if (!done) {
    ADD_FAILURE() << done.error().message;
    return {};
  }
  return *done;
}

inline void AwaitDurable(Store& store, Revision revision) {
  std::promise<void> durable;
  store.WhenDurable(revision, [&] { durable.set_value(); });
  durable.get_future().wait();
}

inline Committed Put(Store& store, const Key& key, const TestObject& object) {
  const Committed committed = Write(store, key, &object);
  AwaitDurable(store, committed.revision);
  return committed;
}

inline Committed Delete(Store& store, const Key& key) {
  const Committed committed = Write(store, key, nullptr);
  AwaitDurable(store, committed.revision);
  return committed;
}

inline TestObject ObjectOf(const Record& record) {
  const std::string_view json = record.json();
  const size_t at = json.find(R"("text":")") + 8;
  return {.text = std::string(json.substr(at, json.size() - at - 2)),
          .app = std::string(record.Label("app").value_or("")),
          .phase = std::string(record.Field("phase").value_or(""))};
}

// "a=text b=text" of what a scan gives.
inline std::string Listed(const Snapshot& snapshot, std::string_view resource, std::string_view ns,
                          std::string_view after = "") {
  std::string text;
  const auto cursor = snapshot.Scan(resource, ns, after);
  while (const RecordPtr record = cursor->Next()) {
    if (!text.empty()) text += ' ';
    text += std::string(cursor->key()) + '=' + ObjectOf(*record).text;
  }
  return text;
}

// "+a=text@5 ~a=text@6(was old labels) -a=text@7": events with the name, text and revision.
inline std::string Printed(const Event& event) {
  constexpr std::string_view kSigns = "+~-";
  std::string text(1, kSigns[static_cast<size_t>(event.type)]);
  text += event.key.name + '=' + ObjectOf(*event.object).text + '@' +
          std::to_string(event.revision.value);
  if (event.previous != nullptr) text += "(was " + ObjectOf(*event.previous).app + ")";
  return text;
}

// Everything that is there for the watcher now.
inline std::vector<EventPtr> ReadAll(Watcher& watcher) {
  std::vector<EventPtr> all;
  for (;;) {
    auto events = watcher.Read();
    if (!events) {
      ADD_FAILURE() << "the watcher left the history at " << events.error().bound.value;
      return all;
    }
    if (events->empty()) return all;
    all.insert(all.end(), events->begin(), events->end());
  }
}

inline std::string PrintAll(Watcher& watcher) {
  std::string text;
  for (const EventPtr& event : ReadAll(watcher)) {
    text += (text.empty() ? "" : " ") + Printed(*event);
  }
  return text;
}

inline std::unique_ptr<Watcher> WatchFrom(Store& store, std::string_view resource,
                                          std::string_view ns, Revision from) {
  auto watcher = store.Watch(resource, ns, from);
  if (!watcher) {
    ADD_FAILURE() << "compacted at " << watcher.error().bound.value;
    return nullptr;
  }
  return std::move(*watcher);
}

// Where a store lives; each is a new place.
class StoreFixture {
 public:
  virtual ~StoreFixture() = default;
  // The same data each time it is called.
  virtual std::unique_ptr<Store> Open(StoreOptions options, Runtime& runtime) = 0;
};

struct StoreFixtureMaker {
  std::string name;
  std::function<std::unique_ptr<StoreFixture>()> make;
};

class StoreContract : public testing::TestWithParam<StoreFixtureMaker> {
 public:
  void Open(const StoreOptions& options = {}) {
    options_ = options;
    store_ = fixture_->Open(options, runtime_);
    ASSERT_NE(store_, nullptr);
  }
  void Reopen() {
    store_.reset();
    Open(options_);
  }
  Store& store() { return *store_; }
  SnapshotPtr PastOf(std::string_view resource, Revision revision) {
    auto snapshot = store().At(resource, revision);
    if (snapshot) return *snapshot;
    ADD_FAILURE() << "no state at " << revision.value << ", but at "
                  << snapshot.error().bound.value;
    return store().Latest();
  }
  static Key Pod(const std::string& name, const std::string& ns = "default") {
    return {"pods", ns, name};
  }

  VirtualRuntime runtime_{1};
  std::unique_ptr<StoreFixture> fixture_ = GetParam().make();
  StoreOptions options_;
  std::unique_ptr<Store> store_;
};

TEST_P(StoreContract, EachCommitTakesTheNextRevision) {
  Open();
  const Revision start = store().head();
  EXPECT_GE(start.value, 1u);
  EXPECT_EQ(Put(store(), Pod("a"), {"1"}).revision.value, start.value + 1);
  EXPECT_EQ(Put(store(), {"nodes", "", "n"}, {"1"}).revision.value, start.value + 2);
  EXPECT_EQ(Delete(store(), Pod("a")).revision.value, start.value + 3);
  EXPECT_EQ(store().head().value, start.value + 3);
  EXPECT_EQ(store().durable(), store().head());
}

TEST_P(StoreContract, GetGivesWhatWasPutWithItsRevision) {
  Open();
  EXPECT_EQ(store().Get(Pod("a")), nullptr);
  const Committed put = Put(store(), Pod("a"), {"1", "x", "y"});
  EXPECT_TRUE(put.changed);
  const RecordPtr record = store().Get(Pod("a"));
  ASSERT_NE(record, nullptr);
  EXPECT_EQ(record->revision(), put.revision);
  EXPECT_EQ(ObjectOf(*record), (TestObject{"1", "x", "y"}));
  EXPECT_EQ(record->uid(), "uid-of-a");
  std::string whole;
  record->AppendObject("\"kind\":\"Pod\",", record->revision(), &whole);
  EXPECT_EQ(whole, R"({"kind":"Pod","metadata":{"name":"a","resourceVersion":")" +
                       std::to_string(put.revision.value) + R"("},"text":"1"})");
}

TEST_P(StoreContract, ReadersSeeACommitBeforeItIsDurable) {
  Open();
  const TestObject object{"1"};
  const Committed put = Write(store(), Pod("a"), &object);
  EXPECT_NE(store().Get(Pod("a")), nullptr);
  EXPECT_EQ(Listed(*store().Latest(), "pods", ""), "pods/default/a=1");
  AwaitDurable(store(), put.revision);
  EXPECT_GE(store().durable(), put.revision);
}

TEST_P(StoreContract, PuttingTheSameAgainIsNoCommit) {
  Open();
  const Committed first = Put(store(), Pod("a"), {"1"});
  const Committed again = Put(store(), Pod("a"), {"1"});
  EXPECT_FALSE(again.changed);
  EXPECT_EQ(again.revision, first.revision);
  EXPECT_EQ(store().head(), first.revision);
}

TEST_P(StoreContract, AnErrorOfTheChangeIsReturnedAndNothingIsWritten) {
  Open();
  const Revision head = store().head();
  const auto refused = store().GuaranteedUpdate(Pod("a"), [](const RecordPtr&) -> Result<Change> {
    return std::unexpected(Status::BadRequest("no"));
  });
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().message, "no");
  EXPECT_EQ(store().head(), head);
}

TEST_P(StoreContract, AnObjectOverTheLimitIsRefused) {
  Open();
  const std::string json = "{\"a\":\"" + std::string(kObjectBytesMax, 'x') + "\"}";
  const auto refused = store().GuaranteedUpdate(Pod("a"), [&](const RecordPtr&) -> Result<Change> {
    RecordContent content;
    content.rv_offset = 1;
    content.json = json;
    return Change{.kind = Change::Kind::kPut, .content = content};
  });
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, 413);
}

TEST_P(StoreContract, AChangeIsComputedAnewWhenTheObjectWasWrittenMeanwhile) {
  Open();
  Put(store(), Pod("a"), {"1"});
  std::vector<std::string> seen;
  std::string json;
  const auto done =
      store().GuaranteedUpdate(Pod("a"), [&](const RecordPtr& current) -> Result<Change> {
        seen.push_back(ObjectOf(*current).text);
        if (seen.size() == 1) Put(store(), Pod("a"), {"2"});
        json = R"({"text":")" + seen.back() + R"(+"})";
        RecordContent content;
        content.rv_offset = 1;
        content.json = json;
        return Change{.kind = Change::Kind::kPut, .content = content};
      });
  ASSERT_TRUE(done.has_value());
  EXPECT_EQ(seen, (std::vector<std::string>{"1", "2"}));
  EXPECT_EQ(ObjectOf(*store().Get(Pod("a"))).text, "2+");
}

TEST_P(StoreContract, AnObjectThatIsAlwaysWrittenMeanwhileEndsInConflict) {
  Open();
  Put(store(), Pod("a"), {"0"});
  int calls = 0;
  const auto done = store().GuaranteedUpdate(Pod("a"), [&](const RecordPtr&) -> Result<Change> {
    Put(store(), Pod("a"), {std::to_string(++calls)});
    return Change{.kind = Change::Kind::kDelete, .content = {}};
  });
  ASSERT_FALSE(done.has_value());
  EXPECT_TRUE(done.error().IsConflict());
  EXPECT_EQ(calls, kUpdateRetriesMax);
}

TEST_P(StoreContract, ListsAreInOrderOfNamespaceAndName) {
  Open();
  for (const auto& [ns, name] : std::vector<std::pair<std::string, std::string>>{
           {"b", "z"}, {"a", "b"}, {"a-b", "a"}, {"a", "a"}, {"a", "a-1"}, {"a", "a.1"}}) {
    Put(store(), Pod(name, ns), {"-"});
  }
  Put(store(), {"pods.other", "a", "x"}, {"-"});
  Put(store(), {"nodes", "", "n1"}, {"-"});
  const SnapshotPtr snapshot = store().Latest();
  EXPECT_EQ(Listed(*snapshot, "pods", ""),
            "pods/a-b/a=- pods/a/a=- pods/a/a-1=- pods/a/a.1=- pods/a/b=- pods/b/z=-");
  EXPECT_EQ(Listed(*snapshot, "pods", "a"), "pods/a/a=- pods/a/a-1=- pods/a/a.1=- pods/a/b=-");
  EXPECT_EQ(Listed(*snapshot, "pods", "", "pods/a/a-1"), "pods/a/a.1=- pods/a/b=- pods/b/z=-");
  EXPECT_EQ(Listed(*snapshot, "pods", "a", "pods/a/b"), "");
  EXPECT_EQ(Listed(*snapshot, "pods", "a", "pods/zzz"), "");
  EXPECT_EQ(Listed(*snapshot, "pods", "", "a"), Listed(*snapshot, "pods", ""));
  EXPECT_EQ(Listed(*snapshot, "nodes", ""), "nodes/n1=-");
  EXPECT_EQ(Listed(*snapshot, "none", ""), "");
  EXPECT_EQ(snapshot->Count("pods", ""), 6u);
  EXPECT_EQ(snapshot->Count("pods", "a"), 4u);
  EXPECT_EQ(snapshot->Count("pods", "none"), 0u);
  EXPECT_EQ(snapshot->Count("nodes", ""), 1u);
  EXPECT_EQ(store().Count("pods"), 6u);
}

TEST_P(StoreContract, ASnapshotDoesNotChange) {
  Open();
  Put(store(), Pod("a"), {"1"});
  Put(store(), Pod("b"), {"1"});
  const SnapshotPtr snapshot = store().Latest();
  Put(store(), Pod("a"), {"2"});
  Delete(store(), Pod("b"));
  Put(store(), Pod("c"), {"1"});
  EXPECT_EQ(Listed(*snapshot, "pods", ""), "pods/default/a=1 pods/default/b=1");
  EXPECT_EQ(ObjectOf(*snapshot->Get(Pod("b"))).text, "1");
  EXPECT_EQ(snapshot->Get(Pod("c")), nullptr);
  EXPECT_EQ(snapshot->Count("pods", ""), 2u);
  EXPECT_EQ(Listed(*store().Latest(), "pods", ""), "pods/default/a=2 pods/default/c=1");
}

TEST_P(StoreContract, ARevisionIsReadableWhileTheLogLeadsBackToIt) {
  Open();
  const Revision start = store().head();
  EXPECT_EQ(store().At("pods", {start.value + 1}).error().kind, StoreError::Kind::kFuture);
  const Revision first = Put(store(), Pod("a"), {"1"}).revision;
  const Revision second = Put(store(), Pod("b", "other"), {"1"}).revision;
  const Revision third = Put(store(), Pod("a"), {"2", "another label"}).revision;
  const Revision fourth = Delete(store(), Pod("b", "other")).revision;
  Put(store(), Pod("b", "other"), {"2"});
  Put(store(), {"nodes", "", "n"}, {"1"});
  for (int restarts = 0; restarts < 2; ++restarts) {
    EXPECT_EQ(Listed(*PastOf("pods", start), "pods", ""), "");
    EXPECT_EQ(Listed(*PastOf("pods", first), "pods", ""), "pods/default/a=1");
    EXPECT_EQ(Listed(*PastOf("pods", second), "pods", ""), "pods/default/a=1 pods/other/b=1");
    EXPECT_EQ(Listed(*PastOf("pods", third), "pods", ""), "pods/default/a=2 pods/other/b=1");
    EXPECT_EQ(Listed(*PastOf("pods", fourth), "pods", ""), "pods/default/a=2");
    EXPECT_EQ(Listed(*PastOf("pods", third), "pods", "other"), "pods/other/b=1");
    EXPECT_EQ(Listed(*PastOf("pods", third), "pods", "", "pods/default/a"), "pods/other/b=1");
    EXPECT_EQ(Listed(*PastOf("nodes", fourth), "nodes", ""), "");
    EXPECT_EQ(PastOf("pods", third)->Get(Pod("a"))->revision(), third);
    EXPECT_EQ(PastOf("pods", second)->Get(Pod("a"))->revision(), first);
    EXPECT_EQ(PastOf("pods", first)->Get(Pod("b", "other")), nullptr);
    EXPECT_EQ(PastOf("pods", second)->Count("pods", ""), 2u);
    EXPECT_EQ(PastOf("pods", fourth)->Count("pods", "other"), 0u);
    Reopen();
  }
}

TEST_P(StoreContract, ThePastOfAnObjectIsKnownHoweverLongItStoodStill) {
  Open();
  const Revision first = Put(store(), Pod("a"), {"1"}).revision;
  runtime_.RunFor(std::chrono::hours(1));
  Put(store(), {"nodes", "", "n"}, {"1"});  // the log forgets the first
  const Revision still = Put(store(), Pod("b"), {"1"}).revision;
  Put(store(), Pod("a"), {"2"});
  EXPECT_EQ(Listed(*PastOf("pods", still), "pods", ""), "pods/default/a=1 pods/default/b=1");
  EXPECT_EQ(PastOf("pods", still)->Get(Pod("a"))->revision(), first);
  // Watchers are not shown it: no selector can tell the two apart.
  Reopen();
  EXPECT_EQ(PrintAll(*WatchFrom(store(), "pods", "", still)),
            "~a=2@" + std::to_string(still.value + 1));
}

TEST_P(StoreContract, ARevisionFromBeforeTheLogIsReadableOnlyWhilePinned) {
  Open({.directory = {}, .snapshot_age_max = std::chrono::minutes(10)});
  const Revision first = Put(store(), Pod("a"), {"1"}).revision;
  const Revision second = Put(store(), Pod("a"), {"2"}).revision;
  Put(store(), Pod("a"), {"3"});
  store().Pin("pods", PastOf("pods", first));
  runtime_.RunFor(std::chrono::minutes(7));
  Put(store(), Pod("a"), {"4"});
  EXPECT_EQ(store().At("pods", second).error().kind, StoreError::Kind::kCompacted);
  EXPECT_EQ(Listed(*PastOf("pods", first), "pods", ""), "pods/default/a=1");  // ten more
  EXPECT_TRUE(store().At("nodes", first).has_value());  // there nothing is forgotten
  runtime_.RunFor(std::chrono::minutes(9));
  EXPECT_TRUE(store().At("pods", first).has_value());
  runtime_.RunFor(std::chrono::minutes(11));
  EXPECT_EQ(store().At("pods", first).error().kind, StoreError::Kind::kCompacted);
}

TEST_P(StoreContract, TheOldestPinnedSnapshotGoesWhenThereAreTooMany) {
  Open({.directory = {}, .history_log_age_max = {}});
  std::vector<Revision> revisions;
  for (size_t i = 0; i <= kSnapshotsMax; ++i) {
    revisions.push_back(Put(store(), Pod("a"), {std::to_string(i)}).revision);
    store().Pin("pods", store().Latest());
    runtime_.RunFor(std::chrono::seconds(1));
  }
  Put(store(), Pod("a"), {"last"});
  EXPECT_FALSE(store().At("pods", revisions[0]).has_value());
  EXPECT_TRUE(store().At("pods", revisions[1]).has_value());
}

TEST_P(StoreContract, AWatchShowsEachCommitOnceAndInOrder) {
  Open();
  const auto watcher = WatchFrom(store(), "pods", "", {1});
  EXPECT_EQ(PrintAll(*watcher), "");
  Put(store(), Pod("a"), {"1"});
  Put(store(), {"nodes", "", "n"}, {"1"});
  Put(store(), Pod("a"), {"2"});
  EXPECT_EQ(PrintAll(*watcher), "+a=1@2 ~a=2@4");
  Delete(store(), Pod("a"));
  EXPECT_EQ(PrintAll(*watcher), "-a=2@5");
  EXPECT_EQ(PrintAll(*watcher), "");
}

TEST_P(StoreContract, ADeleteCanShowAnotherLastState) {
  Open();
  Put(store(), Pod("a"), {"1"});
  const std::string json = R"({"text":"last"})";
  const auto deleted = store().GuaranteedUpdate(Pod("a"), [&](const RecordPtr&) -> Result<Change> {
    RecordContent content;
    content.rv_offset = 1;
    content.json = json;
    return Change{.kind = Change::Kind::kDelete, .content = content};
  });
  AwaitDurable(store(), deleted->revision);
  EXPECT_EQ(ObjectOf(*deleted->record).text, "last");
  EXPECT_EQ(store().Get(Pod("a")), nullptr);
  EXPECT_EQ(PrintAll(*WatchFrom(store(), "pods", "", {2})), "-a=last@3(was a)");
}

TEST_P(StoreContract, AnEventHasThePreviousStateOnlyWhenASelectorCouldTell) {
  Open();
  Put(store(), Pod("a"), {"1", "x"});
  Put(store(), Pod("a"), {"2", "x"});
  Put(store(), Pod("a"), {"2", "y"});
  Put(store(), Pod("a"), {"2", "y", "other phase"});
  const std::string all = "+a=1@2 ~a=2@3 ~a=2@4(was x) ~a=2@5(was y)";
  EXPECT_EQ(PrintAll(*WatchFrom(store(), "pods", "", {1})), all);
  Reopen();  // now from the log
  EXPECT_EQ(PrintAll(*WatchFrom(store(), "pods", "", {1})), all);
}

TEST_P(StoreContract, AWatchOfANamespaceShowsNoOther) {
  Open();
  const auto watcher = WatchFrom(store(), "pods", "x", {1});
  EXPECT_EQ(PrintAll(*watcher), "");
  Put(store(), Pod("a", "x"), {"1"});
  Put(store(), Pod("b", "y"), {"1"});
  EXPECT_EQ(PrintAll(*watcher), "+a=1@2");
  EXPECT_EQ(watcher->position().value, 3u);
  Reopen();
  EXPECT_EQ(PrintAll(*WatchFrom(store(), "pods", "y", {1})), "+b=1@3");
}

TEST_P(StoreContract, AWatchFromTheFutureWaitsForIt) {
  Open();
  const auto watcher = WatchFrom(store(), "pods", "", {3});
  EXPECT_EQ(PrintAll(*watcher), "");
  Put(store(), Pod("a"), {"2"});
  Put(store(), Pod("a"), {"3"});
  EXPECT_EQ(PrintAll(*watcher), "");
  Put(store(), Pod("a"), {"4"});
  EXPECT_EQ(PrintAll(*watcher), "~a=4@4");
}

TEST_P(StoreContract, TheWakerIsCalledOnceAfterEachEmptyRead) {
  Open();
  std::atomic<int> wakes = 0;
  auto watcher = WatchFrom(store(), "pods", "x", {1});
  watcher->SetWaker([&] { ++wakes; });
  Put(store(), Pod("a", "x"), {"1"});
  EXPECT_EQ(wakes, 0);  // nobody has found it empty yet
  EXPECT_EQ(ReadAll(*watcher).size(), 1u);
  Put(store(), Pod("a", "y"), {"1"});
  Put(store(), {"nodes", "", "a"}, {"1"});
  EXPECT_EQ(wakes, 0);  // nothing new for this one
  EXPECT_EQ(watcher->position(), store().head());
  Put(store(), Pod("a", "x"), {"2"});
  Put(store(), Pod("a", "x"), {"3"});
  EXPECT_EQ(wakes, 1);
  EXPECT_EQ(watcher->position().value, store().head().value - 2);
  EXPECT_EQ(ReadAll(*watcher).size(), 2u);
  watcher.reset();
  Put(store(), Pod("a", "x"), {"4"});
  EXPECT_EQ(wakes, 1);
}

TEST_P(StoreContract, ASlowWatcherReadsTheSameFromTheLog) {
  Open({.directory = {}, .history_ring_bytes_max = 2048});
  const auto watcher = WatchFrom(store(), "pods", "", {1});
  std::string want;
  const auto note = [&](const char* sign, const std::string& name, int i, Revision revision) {
    want += (want.empty() ? "" : " ") + (sign + name) + "=" + std::to_string(i) + "@" +
            std::to_string(revision.value);
  };
  const int kWrites = 3 * static_cast<int>(kWatchBatchEventsMax);
  Committed last;
  for (int i = 0; i < kWrites; ++i) {
    const std::string name = "p" + std::to_string(i % 7);
    const TestObject object{std::to_string(i)};
    last = Write(store(), Pod(name), &object);
    note(i < 7 ? "+" : "~", name, i, last.revision);
  }
  AwaitDurable(store(), last.revision);
  EXPECT_EQ(PrintAll(*watcher), want);
  EXPECT_EQ(PrintAll(*WatchFrom(store(), "pods", "", {1})), want);
  EXPECT_LE(WatchFrom(store(), "pods", "", {1})->Read()->size(), kWatchBatchEventsMax);
}

TEST_P(StoreContract, WatchesGoOnAfterARestart) {
  Open();
  Put(store(), Pod("a"), {"1"});
  const Revision seen = Put(store(), Pod("b"), {"1"}).revision;
  Delete(store(), Pod("a"));
  const Revision head = store().head();
  Reopen();
  EXPECT_EQ(store().head(), head);
  const auto watcher = WatchFrom(store(), "pods", "", seen);
  EXPECT_EQ(PrintAll(*watcher), "-a=1@4");
  Put(store(), Pod("b"), {"2"});
  EXPECT_EQ(PrintAll(*watcher), "~b=2@5");
  EXPECT_EQ(PrintAll(*WatchFrom(store(), "pods", "", {1})), "+a=1@2 +b=1@3 -a=1@4 ~b=2@5");
}

TEST_P(StoreContract, ARestartKeepsObjectsCountsAndRevision) {
  Open();
  Put(store(), Pod("a", "x"), {"1"});
  Put(store(), Pod("b", "x"), {"1"});
  Put(store(), Pod("b", "y"), {"1"});
  Put(store(), {"nodes", "", "n"}, {"1"});
  Delete(store(), Pod("a", "x"));
  const Revision head = store().head();
  const std::string listed = Listed(*store().Latest(), "pods", "");
  for (int restarts = 0; restarts < 2; ++restarts) {
    Reopen();
    EXPECT_EQ(store().head(), head);
    EXPECT_EQ(store().durable(), head);
    EXPECT_EQ(Listed(*store().Latest(), "pods", ""), listed);
    EXPECT_EQ(store().Count("pods"), 2u);
    EXPECT_EQ(store().Latest()->Count("pods", "x"), 1u);
    EXPECT_EQ(store().Count("nodes"), 1u);
  }
}

TEST_P(StoreContract, AWatcherFromBeforeTheLogIsTold) {
  Open({.directory = {}, .history_ring_bytes_max = 4096, .history_log_bytes_max = 64 * 1024});
  Put(store(), {"nodes", "", "quiet"}, {"1"});
  const auto stale = WatchFrom(store(), "pods", "", {1});
  Random random(7);
  Committed last;
  for (int i = 0; i < 400; ++i) {
    const TestObject object{random.Text(600, "abcdefghijklmnopqrstuvwxyz0123456789")};
    last = Write(store(), Pod("a"), &object);
  }
  AwaitDurable(store(), last.revision);
  const auto read = stale->Read();
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().kind, StoreError::Kind::kCompacted);
  const auto late = store().Watch("pods", "", {1});
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error().kind, StoreError::Kind::kCompacted);
  const Revision bound = late.error().bound;
  EXPECT_EQ(ReadAll(*WatchFrom(store(), "pods", "", bound)).size(),
            last.revision.value - bound.value);
  // Another resource has lost nothing.
  EXPECT_TRUE(store().Watch("secrets", "", {1}).has_value());
  Reopen();
  EXPECT_FALSE(store().Watch("pods", "", {1}).has_value());
}

TEST_P(StoreContract, TheLogForgetsWithAge) {
  Open({.directory = {},
        .history_ring_bytes_max = 0,
        .history_log_age_max = std::chrono::minutes(5)});
  const Revision old = Put(store(), Pod("a"), {"1"}).revision;
  runtime_.RunFor(std::chrono::minutes(4));
  Put(store(), Pod("a"), {"2"});
  EXPECT_TRUE(store().Watch("pods", "", {1}).has_value());
  runtime_.RunFor(std::chrono::minutes(2));
  Put(store(), Pod("a"), {"3"});
  EXPECT_FALSE(store().Watch("pods", "", {1}).has_value());
  EXPECT_EQ(PrintAll(*WatchFrom(store(), "pods", "", old)), "~a=2@3 ~a=3@4");
}

// Many threads add one to one number; no addition may be lost, and a watcher sees each.
TEST_P(StoreContract, ConcurrentWritersLoseNothing) {
  Open();
  constexpr int kThreads = 4, kAdditions = 50;
  Put(store(), Pod("n"), {"0"});
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kAdditions; ++i) {
        std::string json;
        const auto done =
            store().GuaranteedUpdate(Pod("n"), [&](const RecordPtr& current) -> Result<Change> {
              const int n = std::stoi(ObjectOf(*current).text);
              json = R"({"text":")" + std::to_string(n + 1) + R"("})";
              RecordContent content;
              content.rv_offset = 1;
              content.json = json;
              return Change{.kind = Change::Kind::kPut, .content = content};
            });
        ASSERT_TRUE(done.has_value());
        const TestObject own{std::to_string(i)};
        Write(store(), Pod("own" + std::to_string(t)), &own);
        EXPECT_EQ(ObjectOf(*store().Get(Pod("own" + std::to_string(t)))).text, own.text);
        EXPECT_GE(store().Latest()->Count("pods", ""), 2u);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  AwaitDurable(store(), store().head());
  EXPECT_EQ(ObjectOf(*store().Get(Pod("n"))).text, std::to_string(kThreads * kAdditions));
  uint64_t revision = 1;
  int n = 0;
  for (const EventPtr& event : ReadAll(*WatchFrom(store(), "pods", "", {1}))) {
    EXPECT_EQ(event->revision.value, ++revision);
    if (event->key.name != "n") continue;
    EXPECT_EQ(ObjectOf(*event->object).text, std::to_string(n++));
  }
  EXPECT_EQ(revision, store().head().value);
}

TEST_P(StoreContract, ObjectsStayReadableWhenADictionaryComesIntoUse) {
  Open();
  constexpr int kObjects = 600;
  Random random(3);
  const std::string common = random.Text(1'500, "abcdefghijklmnopqrstuvwxyz");
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < kObjects; ++i) {
      const TestObject object{common + std::to_string(round) + "-" + std::to_string(i)};
      Write(store(), Pod("p" + std::to_string(i)), &object);
    }
    AwaitDurable(store(), store().head());
    Reopen();  // ends the training, and reads back what it brought
    for (int i = 0; i < kObjects; ++i) {
      const RecordPtr record = store().Get(Pod("p" + std::to_string(i)));
      ASSERT_NE(record, nullptr);
      ASSERT_EQ(ObjectOf(*record).text, common + std::to_string(round) + "-" + std::to_string(i));
    }
  }
  EXPECT_EQ(ReadAll(*WatchFrom(store(), "pods", "", {1})).size(), 3u * kObjects);
}

}  // namespace kulisse::storage
