#include "storage/local_store.h"
#include "storage/memory_engine.h"
#include "storage/rocksdb_engine.h"

namespace kulisse::storage {

std::optional<Durability> ParseDurability(std::string_view text) {
  if (text == "buffered") return Durability::kBuffered;
  if (text == "sync") return Durability::kSync;
  if (text == "memory") return Durability::kMemory;
  return std::nullopt;
}

std::expected<std::unique_ptr<Store>, std::string> Store::Open(const StoreOptions& options,
                                                               Runtime& runtime) {
  if (options.durability == Durability::kMemory) {
    return LocalStore::Open(std::make_unique<MemoryEngine>(), options, runtime);
  }
  auto engine = OpenRocksDb(options.directory);
  if (!engine) return std::unexpected(engine.error());
  auto store = LocalStore::Open(std::move(*engine), options, runtime);
  if (!store) {
    return std::unexpected("data directory '" + options.directory +
                           "' holds a damaged store: " + store.error());
  }
  return store;
}

}  // namespace kulisse::storage
