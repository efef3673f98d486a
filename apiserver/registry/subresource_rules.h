// What an update through a subresource may change: status, finalize, approval, and of pods
// ephemeralcontainers and resize. Upstream: the StatusStrategy and its kin of each kind.
// Threads: pure functions.
#pragma once

#include <string_view>

#include "base/json/value.h"
#include "base/status.h"
#include "base/time.h"
#include "openapi/catalog.h"

namespace kulisse::apiserver {

// Gives `to` the member that `from` has, or none if it has none.
// REQUIRES: `from` lives as long as `to`, which shares its strings.
void CopyOrRemove(json::Value& to, const json::Value& from, std::string_view name,
                  json::Arena& arena);

// What the subresource ("": the object itself) may not touch gets its old value back.
// REQUIRES: `old` lives as long as `object`, which shares its strings.
void RestoreUntouchable(json::Document& object, const json::Value& old,
                        const openapi::ResourceInfo& resource, std::string_view subresource,
                        SystemTime now);

// Whether the subresource changes the object's spec, so that its generation grows.
[[nodiscard]] bool ChangesSpec(std::string_view subresource);

// The rules of changes that are the subresource's own.
void ValidateSubresourceUpdate(const json::Value& object, const json::Value& old,
                               const openapi::ResourceInfo& resource, std::string_view subresource,
                               FieldErrors* errors);

}  // namespace kulisse::apiserver
