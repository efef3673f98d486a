// When objects go: grace periods, finalizers, propagation. Upstream: registry/rest/delete.go and
// registry/generic/registry/store.go.
// Threads: pure functions.
#pragma once

#include "base/json/value.h"
#include "openapi/catalog.h"

namespace kulisse::apiserver {

// Whether an object that is being deleted has nothing left that holds it.
[[nodiscard]] bool IsReadyToBeRemoved(const openapi::ResourceInfo& resource,
                                      const json::Value& object);

}  // namespace kulisse::apiserver
