// What an object uses of a resource quota, and which quotas are about it.
// Upstream: pkg/quota/v1/evaluator/core and apiserver/pkg/quota/v1/generic.
// Threads: pure functions. Limits: claims for devices count as objects, not by their devices.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "apiserver/admission/resource_list.h"
#include "base/json/value.h"
#include "base/time.h"
#include "openapi/catalog.h"

namespace kulisse::apiserver {

// What quotas count of the object: "count/pods", "pods", "requests.cpu" ….
[[nodiscard]] ResourceList UsageOf(const openapi::ResourceInfo& resource, const json::Value& object,
                                   SystemTime now);

// Whether a quota's amount of that name is about objects of the resource.
[[nodiscard]] bool QuotaTracks(const openapi::ResourceInfo& resource, std::string_view name);

// Whether the object is in all scopes of the quota.
[[nodiscard]] bool QuotaScopesMatch(const json::Value& quota, const openapi::ResourceInfo& resource,
                                    const json::Value& object);

// What containers of a pod leave out though the quota limits it: "must specify limits.cpu for: a";
// "" when nothing.
[[nodiscard]] std::string MissingAmounts(const openapi::ResourceInfo& resource,
                                         const std::vector<std::string>& limited,
                                         const json::Value& object);

}  // namespace kulisse::apiserver
