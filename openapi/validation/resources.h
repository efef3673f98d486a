// Names and amounts of resources, as several kinds check them. Internal to openapi/validation.
// Upstream: core/validation, validateResourceName and below; core/helper.
// Threads: pure functions.
#pragma once

#include <string_view>

#include "openapi/validation/walk.h"

namespace kulisse::openapi {

// The name is qualified, and a standard one when it has no prefix. Whether it is.
bool CheckResourceName(std::string_view name, const Path& path, Walk& walk);
void CheckContainerResourceName(std::string_view name, const Path& path, Walk& walk);
[[nodiscard]] bool IsStandardQuotaResource(std::string_view name);
void CheckQuotaResourceName(std::string_view name, const Path& path, Walk& walk);
// Not negative, and whole where the resource is counted.
void CheckResourceAmount(std::string_view name, std::string_view amount, const Path& path,
                         Walk& walk);
[[nodiscard]] bool IsOvercommitAllowed(std::string_view name);
[[nodiscard]] bool IsExtendedResource(std::string_view name);

}  // namespace kulisse::openapi
