// When objects go: grace periods, finalizers, propagation. Upstream: registry/rest/delete.go and
// registry/generic/registry/store.go.
// Threads: pure functions.
#pragma once

#include "apiserver/registry/resource_store.h"
#include "base/json/value.h"
#include "openapi/catalog.h"

namespace kulisse::apiserver {

// Whether an object that is being deleted has nothing left that holds it.
[[nodiscard]] bool IsReadyToBeRemoved(const openapi::ResourceInfo& resource,
                                      const json::Value& object);

// 409 when the object (with metadata.uid and resourceVersion) is not the one that the client means.
[[nodiscard]] Result<void> CheckPreconditions(const Preconditions& preconditions,
                                              const json::Value& object,
                                              const openapi::ResourceInfo& resource);

}  // namespace kulisse::apiserver
