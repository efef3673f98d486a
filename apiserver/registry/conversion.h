// Between the version in which objects of a resource are kept and the other versions in which they
// are served: autoscaling/v1 and v2, events of both groups. Upstream: pkg/apis/*/v*/conversion.go.
// Threads: pure functions.
#pragma once

#include "base/json/value.h"
#include "openapi/catalog.h"

namespace kulisse::apiserver {

// Changes the object in place; the result is in canonical form of the other version.
// REQUIRES: resource.storage != &resource, and the object is canonical.
void ConvertFromStorage(const openapi::ResourceInfo& resource, const openapi::TypeTable& types,
                        json::Document& object);
void ConvertToStorage(const openapi::ResourceInfo& resource, const openapi::TypeTable& types,
                      json::Document& object);

}  // namespace kulisse::apiserver
