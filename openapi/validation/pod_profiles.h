// Profiles of pods that are kept in annotations. Internal to openapi/validation.
// Upstream: core/validation, ValidateSeccompPodAnnotations and ValidateAppArmorPodAnnotations.
// Threads: pure functions.
#pragma once

#include "openapi/validation/walk.h"

namespace kulisse::openapi {

// `path` is that of the annotations.
void CheckProfileAnnotations(const Value& annotations, const Value& spec, const Path& path,
                             Walk& walk);

// Of a new pod: where both an annotation and a field name an AppArmor profile, they name the same.
void CheckProfilesMatch(const Value& pod, const Path& path, Walk& walk);

}  // namespace kulisse::openapi
