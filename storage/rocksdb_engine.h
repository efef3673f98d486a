// RocksDbEngine keeps the bytes in RocksDB: a column family for each space, tuned to stay small
// beside 150,000 objects (docs/storage_format.md has the measurements).
//
// Owns: the directory's lock, the database and its background threads.
// Threads and errors: as Engine. Snapshots and cursors must be gone before Close().
#pragma once

#include <expected>
#include <memory>
#include <string>

#include "storage/engine.h"

namespace kulisse::storage {

// Opens or creates. A directory that is foreign, in use or corrupt is left as it was.
[[nodiscard]] std::expected<std::unique_ptr<Engine>, std::string> OpenRocksDb(
    const std::string& path);

}  // namespace kulisse::storage
