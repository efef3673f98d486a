// Profiles of pods that are kept in annotations. Internal to openapi/validation.
// Upstream: core/validation, ValidateSeccompPodAnnotations and ValidateAppArmorPodAnnotations.
// Threads: pure functions.
#pragma once

#include "openapi/validation/walk.h"

namespace kulisse::openapi {

// `path` is that of the annotations.
void CheckProfileAnnotations(const Value& annotations, const Value& spec, const Path& path,
                             Walk& walk);

}  // namespace kulisse::openapi
