// MemoryEngine keeps the bytes in ordered maps, several versions of a key where snapshots still see
// the older ones. It is the engine of --in-memory and of tests.
//
// Owns: all rows; snapshots share them and may outlive the engine.
// Threads: as Engine; readers share one lock, Write() takes it alone.
// Limits: none; what is written stays in memory.
#pragma once

#include <memory>

#include "storage/engine.h"

namespace kulisse::storage {

class MemoryEngine final : public Engine {
 public:
  MemoryEngine();
  ~MemoryEngine() override;
  [[nodiscard]] std::expected<std::optional<std::string>, EngineError> Get(
      Space space, std::string_view key) const override;
  [[nodiscard]] std::shared_ptr<const EngineSnapshot> TakeSnapshot() const override;
  [[nodiscard]] std::expected<void, EngineError> Write(Batch batch, bool sync) override;
  void Close() override;

  // Rows and old versions that are kept; for tests of the garbage collection.
  [[nodiscard]] size_t VersionCount() const;

  class Rows;

 private:
  std::shared_ptr<Rows> rows_;
};

}  // namespace kulisse::storage
