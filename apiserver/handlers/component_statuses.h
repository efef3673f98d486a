// componentstatuses: the parts of the control plane, asked for their health when somebody reads.
// Threads: any.
#pragma once

#include "openapi/catalog.h"
#include "storage/store.h"

namespace kulisse::apiserver {

[[nodiscard]] bool IsComponentStatus(const openapi::ResourceInfo& resource);
// The state of all parts now, under their names and without a revision.
[[nodiscard]] storage::SnapshotPtr ComponentStatuses();

}  // namespace kulisse::apiserver
