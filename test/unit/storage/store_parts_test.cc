// The parts that the contract suite sees only from afar: garbage of the memory engine, counts that
// are shared, bytes that are made once, engines that fail.
#include <gtest/gtest.h>

#include <thread>

#include "base/limits.h"
#include "base/random.h"
#include "base/virtual_runtime.h"
#include "storage/dictionary_trainer.h"
#include "storage/history.h"
#include "storage/local_store.h"
#include "storage/memory_engine.h"
#include "storage/object_counts.h"

namespace kulisse::storage {
namespace {

std::expected<void, EngineError> PutOne(Engine& engine, const std::string& key,
                                        const std::string& value) {
  Batch batch;
  batch.Put(Space::kObjects, key, value);
  return engine.Write(std::move(batch), false);
}

TEST(MemoryEngineTest, KeepsOldVersionsOnlyForSnapshots) {
  MemoryEngine engine;
  ASSERT_TRUE(PutOne(engine, "a", "1"));
  auto first = engine.TakeSnapshot();
  ASSERT_TRUE(PutOne(engine, "a", "2"));
  auto second = engine.TakeSnapshot();
  Batch batch;
  batch.Delete(Space::kObjects, "a");
  ASSERT_TRUE(engine.Write(std::move(batch), false));
  EXPECT_EQ(**first->Get(Space::kObjects, "a"), "1");
  EXPECT_EQ(**second->Get(Space::kObjects, "a"), "2");
  EXPECT_FALSE(engine.Get(Space::kObjects, "a")->has_value());
  EXPECT_EQ(engine.VersionCount(), 3u);
  first.reset();
  EXPECT_EQ(**second->Get(Space::kObjects, "a"), "2");
  second.reset();
  EXPECT_EQ(engine.VersionCount(), 0u);
}

TEST(MemoryEngineTest, DeletesARangeWithoutItsEnd) {
  MemoryEngine engine;
  for (const char* key : {"a", "b", "c", "d"}) ASSERT_TRUE(PutOne(engine, key, key));
  Batch batch;
  batch.DeleteRange(Space::kObjects, "b", "d");
  ASSERT_TRUE(engine.Write(std::move(batch), false));
  std::string keys;
  const auto cursor = engine.TakeSnapshot()->Scan(Space::kObjects, "", "");
  for (; cursor->Valid(); cursor->Next()) keys += cursor->key();
  EXPECT_EQ(keys, "ad");
}

TEST(MemoryEngineTest, ALongScanSeesTheSnapshotWhileOthersWrite) {
  MemoryEngine engine;
  for (int i = 0; i < 300; ++i) ASSERT_TRUE(PutOne(engine, std::to_string(1000 + i), "old"));
  const auto cursor = engine.TakeSnapshot()->Scan(Space::kObjects, "", "");
  int rows = 0;
  for (; cursor->Valid(); cursor->Next(), ++rows) {
    EXPECT_EQ(cursor->value(), "old");
    ASSERT_TRUE(PutOne(engine, std::to_string(1299 - rows), "new"));
  }
  EXPECT_EQ(rows, 300);
}

TEST(EngineTest, APrefixEndsBeforeTheNextSibling) {
  EXPECT_EQ(PrefixEnd("pods/"), "pods0");
  EXPECT_EQ(PrefixEnd("a\xff"), "b");
  EXPECT_EQ(PrefixEnd("\xff"), "");
}

TEST(ObjectCountsTest, ASharedCopyDoesNotChange) {
  ObjectCounts counts;
  counts.Set("pods", "a", 3);
  counts.Set("pods", "b", 1);
  counts.Set("nodes", "", 5);
  const ObjectCounts copy = counts.Share();
  counts.Set("pods", "a", 0);
  counts.Set("secrets", "a", 9);
  EXPECT_EQ(copy.Of("pods", ""), 4u);
  EXPECT_EQ(copy.Of("pods", "a"), 3u);
  EXPECT_EQ(copy.Of("nodes", ""), 5u);
  EXPECT_EQ(copy.Of("secrets", ""), 0u);
  EXPECT_EQ(counts.Of("pods", ""), 1u);
  EXPECT_EQ(counts.Of("pods", "a"), 0u);
}

TEST(EventTest, EachEncodingIsMadeOnce) {
  const Event event;
  int made = 0;
  const auto make = [&] { return std::to_string(++made); };
  const std::string* first = &event.Encoding(1, make);
  EXPECT_EQ(event.Encoding(2, make), "2");
  EXPECT_EQ(&event.Encoding(1, make), first);
  EXPECT_EQ(made, 2);
}

EventPtr MakeEvent(const std::string& resource, uint64_t revision) {
  RecordContent content;
  content.json = "{}";
  content.rv_offset = 1;
  auto event = std::make_shared<Event>();
  event->revision = {revision};
  event->key = {resource, "ns", "name"};
  event->object = std::make_shared<const Record>(
      std::move(*Record::Decode(Record::Encode(content, {revision}))));
  return event;
}

TEST(HistoryTest, TheOldestEventOfAllGoesFirstAndOnlyItsReadersFallBehind) {
  History history(2'000, {0});  // room for three small events
  const auto rare = history.Open("nodes", "", {0});
  const auto busy = history.Open("pods", "", {0});
  const std::vector<EventPtr> node = {MakeEvent("nodes", 1)};
  history.Publish(node, {1});
  const auto later = history.Open("nodes", "", {1});
  for (uint64_t revision = 2; revision <= 6; ++revision) {
    const std::vector<EventPtr> pod = {MakeEvent("pods", revision)};
    history.Publish(pod, {revision});
  }
  EXPECT_TRUE(history.Read(rare, 10).behind);
  EXPECT_TRUE(history.Read(busy, 10).behind);
  const auto nothing_missed = history.Read(later, 10);
  EXPECT_FALSE(nothing_missed.behind);
  EXPECT_EQ(nothing_missed.position.value, 6u);
}

TEST(HistoryTest, AWakerThatComesLateIsCalledForWhatItMissed) {
  History history(1'000'000, {0});
  const auto cursor = history.Open("pods", "", {0});
  EXPECT_TRUE(history.Read(cursor, 10).events.empty());
  const std::vector<EventPtr> event = {MakeEvent("pods", 1)};
  history.Publish(event, {1});
  int wakes = 0;
  history.SetWaker(cursor, [&] { ++wakes; });
  EXPECT_EQ(wakes, 1);
}

TEST(DictionaryTrainerTest, TrainsFromTheObjectsOfAResourceOnceThereAreEnough) {
  MemoryEngine engine;
  ValueCodec codec;
  DictionaryTrainer trainer(engine, codec);
  Random random(5);
  const std::string common = random.Text(2'000, "abcdefghijklmnopqrstuvwxyz");
  std::string bytes, plain;
  for (size_t i = 0; i < 2 * kDictionaryObjectsMin; ++i) {
    const std::string json = "{" + common + random.Text(20, "0123456789") + "}";
    RecordContent content;
    content.json = json;
    content.rv_offset = 1;
    bytes = Record::Encode(content, {i});
    plain.clear();
    codec.Encode("pods", bytes, &plain);
    EXPECT_TRUE(trainer.Take().empty());  // none is due
    ASSERT_TRUE(PutOne(engine, "pods/ns/" + std::to_string(i), plain));
  }
  for (size_t i = 0; i < 2 * kDictionaryObjectsMin; ++i) trainer.Note("pods", bytes.size(), true);
  std::vector<Dictionary> finished;
  while (finished.empty()) {
    finished = trainer.Take();
    std::this_thread::yield();
  }
  ASSERT_EQ(finished.size(), 1u);
  EXPECT_EQ(finished[0].resource, "pods");
  EXPECT_EQ(finished[0].id, 1u);
  codec.Use(finished[0]);
  std::string value;
  codec.Encode("pods", bytes, &value);
  EXPECT_LT(value.size(), plain.size() / 4);
  EXPECT_EQ((*codec.Decode(value))->bytes(), bytes);
}

// Fails the n-th write.
class FaultyEngine final : public Engine {
 public:
  explicit FaultyEngine(int good_writes) : good_writes_(good_writes) {}
  [[nodiscard]] std::expected<std::optional<std::string>, EngineError> Get(
      Space space, std::string_view key) const override {
    return engine_.Get(space, key);
  }
  [[nodiscard]] std::shared_ptr<const EngineSnapshot> TakeSnapshot() const override {
    return engine_.TakeSnapshot();
  }
  [[nodiscard]] std::expected<void, EngineError> Write(Batch batch, bool sync) override {
    if (good_writes_-- == 0) return std::unexpected("disk full");
    return engine_.Write(std::move(batch), sync);
  }
  void Close() override {}

 private:
  MemoryEngine engine_;
  int good_writes_;
};

void WriteUntilItFails(int good_writes) {
  VirtualRuntime runtime(1);
  StoreOptions options;
  options.durability = Durability::kMemory;
  auto store = LocalStore::Open(std::make_unique<FaultyEngine>(good_writes), options, runtime);
  if (!store) {
    std::fprintf(stderr, "open refused: %s\n", store.error().c_str());
    std::_Exit(2);
  }
  for (int i = 0; i <= good_writes; ++i) {
    (void)(*store)->GuaranteedUpdate(
        {"pods", "ns", std::to_string(i)}, [](const RecordPtr&) -> Result<Change> {
          RecordContent content;
          content.json = "{}";
          content.rv_offset = 1;
          return Change{.kind = Change::Kind::kPut, .content = content};
        });
    std::fprintf(stderr, "acknowledged %d\n", i);
  }
}

TEST(FaultyEngineTest, AFailedWriteEndsTheProcessBeforeItIsAcknowledged) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  // The first write is that of opening.
  EXPECT_EXIT(WriteUntilItFails(0), testing::ExitedWithCode(2), "open refused: disk full");
  EXPECT_EXIT(WriteUntilItFails(1), testing::ExitedWithCode(1), "storage.*disk full");
  EXPECT_EXIT(WriteUntilItFails(3), testing::ExitedWithCode(1),
              "acknowledged 0\nacknowledged 1\n.*disk full");
}

}  // namespace
}  // namespace kulisse::storage
