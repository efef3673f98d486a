#include <gtest/gtest.h>

#include "base/virtual_runtime.h"
#include "storage/store.h"

namespace kulisse::storage {
namespace {

RecordContent Content(std::string_view json) {
  return {.labels = {}, .fields = {}, .uid = "u", .rv_offset = 1, .json = json};
}

TEST(StoreSmokeTest, WritesReadsListsAndWatches) {
  VirtualRuntime runtime(1);
  auto opened = Store::Open({.directory = "", .durability = Durability::kMemory}, runtime);
  ASSERT_TRUE(opened.has_value());
  Store& store = **opened;
  auto watcher = store.Watch("pods", "", store.head());
  ASSERT_TRUE(watcher.has_value());
  int wakes = 0;
  (*watcher)->SetWaker([&] { ++wakes; });
  EXPECT_TRUE((*watcher)->Read()->empty());
  for (int i = 0; i < 3; ++i) {
    auto done = store.GuaranteedUpdate({"pods", "default", "a" + std::to_string(i)},
                                       [](const RecordPtr&) -> Result<Change> {
                                         return Change{Change::Kind::kPut, Content("{\"x\":1}")};
                                       });
    ASSERT_TRUE(done.has_value());
    EXPECT_TRUE(done->changed);
  }
  EXPECT_EQ(wakes, 1);
  EXPECT_EQ((*watcher)->Read()->size(), 3u);
  auto cursor = store.Latest()->Scan("pods", "", "");
  int n = 0;
  while (cursor->Next()) ++n;
  EXPECT_EQ(n, 3);
  EXPECT_EQ(store.Count("pods"), 3u);
  EXPECT_EQ(store.durable(), store.head());
}

}  // namespace
}  // namespace kulisse::storage
