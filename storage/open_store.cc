#include "storage/local_store.h"
#include "storage/memory_engine.h"

namespace kulisse::storage {

std::optional<Durability> ParseDurability(std::string_view text) {
  if (text == "buffered") return Durability::kBuffered;
  if (text == "sync") return Durability::kSync;
  if (text == "memory") return Durability::kMemory;
  return std::nullopt;
}

std::expected<std::unique_ptr<Store>, std::string> Store::Open(const StoreOptions& options,
                                                               Runtime& runtime) {
  if (options.durability != Durability::kMemory) {
    return std::unexpected("no engine for files yet");
  }
  return LocalStore::Open(std::make_unique<MemoryEngine>(), options, runtime);
}

}  // namespace kulisse::storage
