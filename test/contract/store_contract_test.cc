// The store's contract over each engine and durability.
#include "test/contract/store_contract.h"

#include "storage/local_store.h"
#include "storage/memory_engine.h"
#include "test/support/temp_directory.h"

namespace kulisse::storage {
namespace {

// Passes everything on to an engine that outlives it, as a file outlives its process.
class BorrowedEngine final : public Engine {
 public:
  explicit BorrowedEngine(Engine& engine) : engine_(engine) {}
  [[nodiscard]] std::expected<std::optional<std::string>, EngineError> Get(
      Space space, std::string_view key) const override {
    return engine_.Get(space, key);
  }
  [[nodiscard]] std::shared_ptr<const EngineSnapshot> TakeSnapshot() const override {
    return engine_.TakeSnapshot();
  }
  [[nodiscard]] std::expected<void, EngineError> Write(Batch batch, bool sync) override {
    return engine_.Write(std::move(batch), sync);
  }
  void Close() override {}

 private:
  Engine& engine_;
};

struct OnMemory {
  std::unique_ptr<Store> Open(StoreOptions options, Runtime& runtime) const {
    options.durability = Durability::kMemory;
    auto store = LocalStore::Open(std::make_unique<BorrowedEngine>(*engine), options, runtime);
    return store ? std::move(*store) : nullptr;
  }
  std::unique_ptr<Engine> engine = std::make_unique<MemoryEngine>();
};

// The memory engine behind a writer thread, as RocksDB is.
struct OnMemoryWithWriterThread {
  std::unique_ptr<Store> Open(StoreOptions options, Runtime& runtime) const {
    options.durability = Durability::kBuffered;
    auto store = LocalStore::Open(std::make_unique<BorrowedEngine>(*engine), options, runtime);
    return store ? std::move(*store) : nullptr;
  }
  std::unique_ptr<Engine> engine = std::make_unique<MemoryEngine>();
};

template <Durability durability>
struct OnRocksDb {
  std::unique_ptr<Store> Open(StoreOptions options, Runtime& runtime) const {
    options.durability = durability;
    options.directory = directory->path();
    auto store = Store::Open(options, runtime);
    if (!store) ADD_FAILURE() << store.error();
    return store ? std::move(*store) : nullptr;
  }
  std::unique_ptr<TempDirectory> directory = std::make_unique<TempDirectory>();
};

using Stores = testing::Types<OnMemory, OnMemoryWithWriterThread, OnRocksDb<Durability::kBuffered>,
                              OnRocksDb<Durability::kSync>>;
INSTANTIATE_TYPED_TEST_SUITE_P(Engines, StoreContract, Stores);

}  // namespace
}  // namespace kulisse::storage
