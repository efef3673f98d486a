// pods/eviction: a delete that disruption budgets may refuse. Upstream:
// pkg/registry/core/pod/storage/eviction.go.
// Threads: any.
#pragma once

#include "apiserver/registry/resource_store.h"

namespace kulisse::apiserver {

// Deletes the pod with `options`, after the budget that covers it has counted the disruption.
// 429 with the budget's name while it does not allow one; 500 when two budgets cover the pod.
[[nodiscard]] Result<WriteResult> EvictPod(ResourceStore& store, const RequestContext& context,
                                           const ObjectName& name, const DeleteOptions& options);

}  // namespace kulisse::apiserver
