// What RocksDB as an engine promises beyond the contract of stores.
#include "storage/rocksdb_engine.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <system_error>

#include "test/support/temp_directory.h"

namespace kulisse::storage {
namespace {

constexpr int kRows = 4'000;
constexpr int kRowsKept = 500;
constexpr size_t kRowBytes = 16 * 1024;
// Those, and what is not yet in lasting files.
constexpr size_t kBytesKept = 5 * kRowsKept * kRowBytes;
// RocksDB moves what is new into lasting files when it gets to it.
constexpr int kRoundsMax = 10'000;

class RocksDbEngineTest : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = OpenRocksDb(directory_.path());
    ASSERT_TRUE(opened.has_value()) << opened.error();
    engine_ = std::move(*opened);
  }

  static std::string Key(int row) { return fmt::format("leases/{:08}", row); }
  void Write(Batch batch) {
    const auto written = engine_->Write(std::move(batch), false);
    ASSERT_TRUE(written.has_value()) << written.error();
  }
  void WriteRows() {
    for (int row = 0; row < kRows; ++row) {
      Batch batch;
      batch.Put(Space::kEvents, Key(row), std::string(kRowBytes, 'x'));
      Write(std::move(batch));
    }
  }
  // Deletes all but the newest rows, and goes on deleting nothing until little is left of them.
  void DeleteRows() {
    Batch batch;
    batch.DeleteRange(Space::kEvents, Key(0), Key(kRows - kRowsKept));
    Write(std::move(batch));
    for (int round = 0; round < kRoundsMax && BytesOnDisk() > kBytesKept; ++round) {
      Batch next;
      next.DeleteRange(Space::kEvents, Key(kRows - kRowsKept), Key(kRows - kRowsKept));
      Write(std::move(next));
    }
  }
  static int Count(const EngineSnapshot& snapshot) {
    int rows = 0;
    for (auto cursor = snapshot.Scan(Space::kEvents, "", ""); cursor->Valid(); cursor->Next()) {
      ++rows;
    }
    return rows;
  }
  // Files may go while we look.
  size_t BytesOnDisk() {
    size_t bytes = 0;
    std::error_code gone;
    for (std::filesystem::directory_iterator entry(directory_.path(), gone), end;
         !gone && entry != end; entry.increment(gone)) {
      const auto size = entry->file_size(gone);
      if (!gone && entry->path().extension() == ".sst") bytes += size;
      gone.clear();
    }
    return bytes;
  }

  TempDirectory directory_;
  std::unique_ptr<Engine> engine_;
};

TEST_F(RocksDbEngineTest, DeletedEventsGiveTheirRoomBackAtOnce) {
  WriteRows();
  DeleteRows();
  EXPECT_LE(BytesOnDisk(), kBytesKept);
  EXPECT_EQ(Count(*engine_->TakeSnapshot()), kRowsKept);
}

TEST_F(RocksDbEngineTest, ASnapshotKeepsTheEventsThatItSees) {
  WriteRows();
  auto snapshot = engine_->TakeSnapshot();
  DeleteRows();
  EXPECT_EQ(Count(*snapshot), kRows);
  EXPECT_EQ(Count(*engine_->TakeSnapshot()), kRowsKept);
  snapshot.reset();
  DeleteRows();
  EXPECT_LE(BytesOnDisk(), kBytesKept);
}

}  // namespace
}  // namespace kulisse::storage
