// The past: the state of one resource at an old revision, made from a later one and the log of
// events between the two (ADR 0019).
//
// One engine snapshot has everything: objects, counts, events and floors, all as of the revision
// that it was written at. The first event of each object behind the asked revision says what the
// object was before, and that lies over the objects as an Overlay.
#pragma once

#include <expected>
#include <memory>
#include <string_view>

#include "storage/engine.h"
#include "storage/snapshot.h"
#include "storage/store.h"
#include "storage/value_codec.h"

namespace kulisse::storage {

// Shares: the engine's snapshot. Borrows: the codec.
// Errors: kFuture when the engine has not come to the revision, kCompacted when the log does not go
// back to it; EndProcess() when the engine cannot be read.
// Limits: some 100 bytes for each object that was written since; the objects themselves are read
// when the snapshot is.
[[nodiscard]] std::expected<SnapshotPtr, StoreError> TakePastSnapshot(
    std::shared_ptr<const EngineSnapshot> engine, std::string_view resource, Revision revision,
    const ValueCodec& codec);

}  // namespace kulisse::storage
