// Autoscalers between autoscaling/v2, in which they are kept, and v1. What v1 has no field for is
// shown there in annotations, so that nothing is lost on the way back. Upstream:
// pkg/apis/autoscaling/v1/conversion.go.
// Threads: pure functions.
#pragma once

#include "base/json/value.h"

namespace kulisse::apiserver {

// Change the object in place; members may be out of their order afterwards.
void AutoscalerToV1(json::Document& object);
void AutoscalerFromV1(json::Document& object);

}  // namespace kulisse::apiserver
