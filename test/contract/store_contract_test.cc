// The store's contract over each engine and durability.
#include "storage/local_store.h"
#include "storage/memory_engine.h"
#include "test/contract/store_model_contract.h"
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

// With kMemory the committing thread writes; with another durability the memory engine sits behind
// a writer thread, as RocksDB does.
class OnMemory final : public StoreFixture {
 public:
  explicit OnMemory(Durability durability) : durability_(durability) {}
  std::unique_ptr<Store> Open(StoreOptions options, Runtime& runtime) override {
    options.durability = durability_;
    auto store = LocalStore::Open(std::make_unique<BorrowedEngine>(engine_), options, runtime);
    return store ? std::move(*store) : nullptr;
  }

 private:
  const Durability durability_;
  MemoryEngine engine_;
};

class OnRocksDb final : public StoreFixture {
 public:
  explicit OnRocksDb(Durability durability) : durability_(durability) {}
  std::unique_ptr<Store> Open(StoreOptions options, Runtime& runtime) override {
    options.durability = durability_;
    options.directory = directory_.path();
    auto store = Store::Open(options, runtime);
    if (!store) ADD_FAILURE() << store.error();
    return store ? std::move(*store) : nullptr;
  }

 private:
  const Durability durability_;
  TempDirectory directory_;
};

template <class Fixture>
StoreFixtureMaker Maker(const std::string& name, Durability durability) {
  return {name, [durability] { return std::make_unique<Fixture>(durability); }};
}

INSTANTIATE_TEST_SUITE_P(Engines, StoreContract,
                         testing::Values(Maker<OnMemory>("Memory", Durability::kMemory),
                                         Maker<OnMemory>("MemoryWithWriterThread",
                                                         Durability::kBuffered),
                                         Maker<OnRocksDb>("RocksDbBuffered", Durability::kBuffered),
                                         Maker<OnRocksDb>("RocksDbSync", Durability::kSync)),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace kulisse::storage
