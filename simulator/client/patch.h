// The patches that stages write, on parsed objects.
#pragma once

#include <cstdint>

#include "base/json/value.h"
#include "base/result.h"
#include "openapi/type_table.h"

namespace kulisse::simulator {

enum class PatchType : uint8_t { kJson, kMerge, kStrategic };

// Changes `object` in place and brings it into the canonical form of its type; unknown fields are
// dropped, as the API server does without strict validation.
[[nodiscard]] Result<void> ApplyPatch(PatchType type, const json::Value& patch,
                                      openapi::TypeId object_type, const openapi::TypeTable& types,
                                      json::Document& object);

}  // namespace kulisse::simulator
