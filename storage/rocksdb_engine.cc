#include "storage/rocksdb_engine.h"

#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <array>
#include <deque>
#include <map>

#include "base/assert.h"
#include "storage/data_directory.h"

#ifdef __SANITIZE_THREAD__
// Debian's library is not instrumented: ThreadSanitizer sees what it copies, but not the atomics by
// which its memtable hands it over.
extern "C" [[gnu::visibility("default")]] const char* __tsan_default_suppressions() {
  return "race:librocksdb";
}
#endif

namespace kulisse::storage {
namespace {

constexpr size_t kKiB = 1024;
constexpr size_t kMiB = 1024 * kKiB;

constexpr size_t kBlockCacheBytes = 8 * kMiB;
constexpr size_t kBlockBytes = 16 * kKiB;
constexpr size_t kWriteBufferBytes = 2 * kMiB;
constexpr size_t kMetaWriteBufferBytes = 512 * kKiB;
// Memory grows in such steps, and each space that is written has taken at least one.
constexpr size_t kArenaBlockBytes = 256 * kKiB;
constexpr size_t kAllWriteBuffersBytes = 8 * kMiB;
// What a start may have to read again, and then keeps in memory until it is flushed.
constexpr size_t kWalBytesMax = 16 * kMiB;
constexpr size_t kTableFileBytes = 16 * kMiB;
constexpr size_t kFirstLevelBytes = 64 * kMiB;
// New events come behind all others of their resource: a compaction writes what is new, and the
// last file of each resource again. The less often, and the smaller that file, the better.
constexpr size_t kEventTableFileBytes = 4 * kMiB;
constexpr int kEventFilesToCompact = 8;
constexpr size_t kSyncStepBytes = 1 * kMiB;
constexpr int kOpenFilesMax = 256;
constexpr int kBackgroundJobsMax = 2;
constexpr double kBloomBitsPerKey = 10;
constexpr double kMemtableBloomRatio = 0.02;  // of its bytes

// RocksDB's own log is not for users; what matters comes back as a status.
class SilentLogger final : public rocksdb::Logger {
 public:
  SilentLogger() : rocksdb::Logger(rocksdb::InfoLogLevel::FATAL_LEVEL) {}
  using rocksdb::Logger::Logv;
  void Logv(const char* /*format*/, va_list /*arguments*/) override {}
};

rocksdb::DBOptions DatabaseOptions() {
  rocksdb::DBOptions options;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.info_log = std::make_shared<SilentLogger>();
  options.max_open_files = kOpenFilesMax;
  options.max_background_jobs = kBackgroundJobsMax;
  options.max_total_wal_size = kWalBytesMax;
  options.db_write_buffer_size = kAllWriteBuffersBytes;
  options.bytes_per_sync = kSyncStepBytes;
  options.wal_bytes_per_sync = kSyncStepBytes;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  // A killed process leaves half a record at the end of the log. Anything else that does not read
  // is damage: refuse it rather than forget commits in silence.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  // Recovery that fails half way must not have written tables.
  options.avoid_flush_during_recovery = true;
  return options;
}

rocksdb::ColumnFamilyOptions SpaceOptions(Space space,
                                          const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.block_size = kBlockBytes;
  table.cache_index_and_filter_blocks = true;
  table.format_version = 5;
  rocksdb::ColumnFamilyOptions options;
  options.target_file_size_base = kTableFileBytes;
  if (space == Space::kEvents) {
    options.target_file_size_base = kEventTableFileBytes;
    options.level0_file_num_compaction_trigger = kEventFilesToCompact;
  } else {  // events are only ever read in order
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(kBloomBitsPerKey));
  }
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  options.write_buffer_size = space == Space::kMeta ? kMetaWriteBufferBytes : kWriteBufferBytes;
  options.arena_block_size = kArenaBlockBytes;
  options.max_write_buffer_number = 3;
  options.max_bytes_for_level_base = kFirstLevelBytes;
  options.level_compaction_dynamic_level_bytes = true;
  // Values are compressed already, better than blocks of them could be.
  options.compression = rocksdb::kNoCompression;
  // A create first asks for a key that is not there.
  if (space == Space::kObjects) {
    options.memtable_whole_key_filtering = true;
    options.memtable_prefix_bloom_size_ratio = kMemtableBloomRatio;
  }
  return options;
}

// The database with its handles; snapshots share it, so that it goes after the last of them.
class Database {
 public:
  static rocksdb::Status Open(const std::string& path, std::shared_ptr<const Database>* out) {
    // Meta is the default family, which RocksDB wants to be there.
    constexpr std::array<const char*, kSpaces> kNames = {"default", "objects", "events"};
    const auto cache = rocksdb::NewLRUCache(kBlockCacheBytes);
    std::vector<rocksdb::ColumnFamilyDescriptor> families;
    for (size_t i = 0; i < kSpaces; ++i) {
      families.emplace_back(kNames[i], SpaceOptions(static_cast<Space>(i), cache));
    }
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* db = nullptr;
    const rocksdb::Status status =
        rocksdb::DB::Open(rocksdb::DBOptions(DatabaseOptions()), path, families, &handles, &db);
    if (status.ok()) *out = std::shared_ptr<const Database>(new Database(db, handles));
    return status;
  }

  ~Database() {
    for (rocksdb::ColumnFamilyHandle* handle : handles_) {
      if (handle != nullptr) db_->DestroyColumnFamilyHandle(handle);
    }
    db_->Close();
  }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  [[nodiscard]] rocksdb::DB& db() const { return *db_; }
  [[nodiscard]] rocksdb::ColumnFamilyHandle* space(Space space) const {
    return handles_[static_cast<size_t>(space)];
  }

  [[nodiscard]] std::expected<std::optional<std::string>, EngineError> Get(
      Space from, std::string_view key, const rocksdb::Snapshot* snapshot) const {
    rocksdb::ReadOptions options;
    options.snapshot = snapshot;
    std::string value;
    const rocksdb::Status status =
        db_->Get(options, space(from), rocksdb::Slice(key.data(), key.size()), &value);
    if (status.IsNotFound()) return std::nullopt;
    if (!status.ok()) return std::unexpected(status.ToString());
    return value;
  }

 private:
  Database(rocksdb::DB* db, const std::vector<rocksdb::ColumnFamilyHandle*>& handles) : db_(db) {
    KULISSE_ASSERT(handles.size() == kSpaces);
    std::copy(handles.begin(), handles.end(), handles_.begin());
  }

  const std::unique_ptr<rocksdb::DB> db_;
  std::array<rocksdb::ColumnFamilyHandle*, kSpaces> handles_{};
};
using DatabasePtr = std::shared_ptr<const Database>;

// An engine snapshot of RocksDB, released with its last user.
struct SnapshotPin {
  explicit SnapshotPin(DatabasePtr d)
      : database(std::move(d)), snapshot(database->db().GetSnapshot()) {}
  ~SnapshotPin() { database->db().ReleaseSnapshot(snapshot); }
  SnapshotPin(const SnapshotPin&) = delete;
  SnapshotPin& operator=(const SnapshotPin&) = delete;

  const DatabasePtr database;
  const rocksdb::Snapshot* const snapshot;
};

class RocksDbCursor final : public EngineCursor {
 public:
  RocksDbCursor(std::shared_ptr<const SnapshotPin> pin, Space space, std::string_view first,
                std::string_view end)
      : pin_(std::move(pin)), end_(end), end_slice_(end_) {
    rocksdb::ReadOptions options;
    options.snapshot = pin_->snapshot;
    options.fill_cache = false;  // a list must not push out what single reads use
    if (!end_.empty()) options.iterate_upper_bound = &end_slice_;
    iterator_.reset(pin_->database->db().NewIterator(options, pin_->database->space(space)));
    iterator_->Seek(rocksdb::Slice(first.data(), first.size()));
  }

  [[nodiscard]] bool Valid() const override { return iterator_->Valid(); }
  void Next() override { iterator_->Next(); }
  [[nodiscard]] std::string_view key() const override { return iterator_->key().ToStringView(); }
  [[nodiscard]] std::string_view value() const override {
    return iterator_->value().ToStringView();
  }
  [[nodiscard]] std::optional<EngineError> error() const override {
    const rocksdb::Status status = iterator_->status();
    if (status.ok()) return std::nullopt;
    return status.ToString();
  }

 private:
  const std::shared_ptr<const SnapshotPin> pin_;
  const std::string end_;
  const rocksdb::Slice end_slice_;  // RocksDB keeps its address
  std::unique_ptr<rocksdb::Iterator> iterator_;
};

class RocksDbSnapshot final : public EngineSnapshot {
 public:
  explicit RocksDbSnapshot(DatabasePtr database)
      : pin_(std::make_shared<const SnapshotPin>(std::move(database))) {}

  [[nodiscard]] std::expected<std::optional<std::string>, EngineError> Get(
      Space space, std::string_view key) const override {
    return pin_->database->Get(space, key, pin_->snapshot);
  }
  [[nodiscard]] std::unique_ptr<EngineCursor> Scan(Space space, std::string_view first,
                                                   std::string_view end) const override {
    return std::make_unique<RocksDbCursor>(pin_, space, first, end);
  }

 private:
  const std::shared_ptr<const SnapshotPin> pin_;
};

// Gives back the room of events that were deleted. RocksDB drops deleted rows when it happens to
// compact them, which for rows that nothing comes near any more is late; files that hold nothing
// else can go at once, when there is no snapshot left that sees the rows. Not for other spaces: a
// key of theirs may be written again, and would go with its file. Threads: the one that writes.
class DeletedEvents {
 public:
  // After the write that deleted the range.
  void Add(const Database& database, std::string first, std::string end) {
    waiting_.push_back({database.db().GetLatestSequenceNumber(), std::move(first), std::move(end)});
    uint64_t oldest = 0;  // snapshot; none: 0
    database.db().GetIntProperty(rocksdb::DB::Properties::kOldestSnapshotSequence, &oldest);
    while (!waiting_.empty() && (oldest == 0 || oldest >= waiting_.front().sequence)) {
      DeleteFiles(database, waiting_.front());
      waiting_.pop_front();
    }
  }

 private:
  struct Range {
    rocksdb::SequenceNumber sequence;
    std::string first;
    std::string end;
  };

  // With what was deleted before it: files begin in one range and end in the next.
  void DeleteFiles(const Database& database, Range& range) {
    for (auto it = gone_.upper_bound(range.first); it != gone_.begin();) {
      --it;
      if (it->second < range.first) break;
      range.first = it->first;
      range.end = std::max(range.end, it->second);
      it = gone_.erase(it);
    }
    const rocksdb::Slice first(range.first);
    const rocksdb::Slice end(range.end);
    // A failure costs room, and the next range tries again.
    rocksdb::DeleteFilesInRange(&database.db(), database.space(Space::kEvents), &first, &end, false)
        .PermitUncheckedError();
    gone_.emplace(std::move(range.first), std::move(range.end));
  }

  std::deque<Range> waiting_;
  std::map<std::string, std::string> gone_;  // first -> end, apart
};

class RocksDbEngine final : public Engine {
 public:
  RocksDbEngine(DataDirectory directory, DatabasePtr database)
      : directory_(std::move(directory)), database_(std::move(database)) {}

  [[nodiscard]] std::expected<std::optional<std::string>, EngineError> Get(
      Space space, std::string_view key) const override {
    KULISSE_ASSERT(database_ != nullptr);
    return database_->Get(space, key, nullptr);
  }

  [[nodiscard]] std::shared_ptr<const EngineSnapshot> TakeSnapshot() const override {
    KULISSE_ASSERT(database_ != nullptr);
    return std::make_shared<const RocksDbSnapshot>(database_);
  }

  [[nodiscard]] std::expected<void, EngineError> Write(Batch batch, bool sync) override {
    KULISSE_ASSERT(database_ != nullptr);
    rocksdb::WriteBatch writes;
    for (const Batch::Operation& operation : batch.operations()) {
      rocksdb::ColumnFamilyHandle* space = database_->space(operation.space);
      rocksdb::Status status;
      switch (operation.kind) {
        case Batch::Kind::kPut:
          status = writes.Put(space, operation.key, operation.value);
          break;
        case Batch::Kind::kDelete:
          status = writes.Delete(space, operation.key);
          break;
        case Batch::Kind::kDeleteRange:
          status = writes.DeleteRange(space, operation.key, operation.value);
          break;
      }
      if (!status.ok()) return std::unexpected(status.ToString());
    }
    rocksdb::WriteOptions options;
    options.sync = sync;
    const rocksdb::Status status = database_->db().Write(options, &writes);
    if (!status.ok()) return std::unexpected(status.ToString());
    for (const Batch::Operation& operation : batch.operations()) {
      if (operation.kind == Batch::Kind::kDeleteRange && operation.space == Space::kEvents) {
        deleted_events_.Add(*database_, operation.key, operation.value);
      }
    }
    return {};
  }

  void Close() override {
    database_.reset();
    directory_.reset();
  }

 private:
  std::optional<DataDirectory> directory_;
  DatabasePtr database_;
  DeletedEvents deleted_events_;
};

}  // namespace

std::expected<std::unique_ptr<Engine>, std::string> OpenRocksDb(const std::string& path) {
  auto directory = DataDirectory::Open(path);
  if (!directory) return std::unexpected(directory.error());
  DatabasePtr database;
  const rocksdb::Status status = Database::Open(path, &database);
  if (!status.ok()) {
    return std::unexpected(
        "data directory '" + path +
        "' cannot be opened, its files are damaged or not readable: " + status.ToString());
  }
  return std::make_unique<RocksDbEngine>(std::move(*directory), std::move(database));
}

}  // namespace kulisse::storage
