// What writes of pods/status, pods/ephemeralcontainers and pods/resize may change. Upstream:
// pkg/registry/core/pod/strategy.go, ValidatePodEphemeralContainersUpdate, ValidatePodResize.
// Threads: pure functions.
#pragma once

#include "base/json/value.h"
#include "base/status.h"

namespace kulisse::apiserver {

// Status: an observedGeneration that the writer left out, there and in conditions.
void KeepObservedGenerations(json::Document& pod, const json::Value& old);
void KeepAllButEphemeralContainers(json::Document& pod, const json::Value& old);
// Containers that are not those of the old pod stay, for the validation to refuse.
void KeepAllButResources(json::Document& pod, const json::Value& old);

void ValidateEphemeralContainers(const json::Value& pod, const json::Value& old,
                                 FieldErrors* errors);
void ValidateResize(const json::Value& pod, const json::Value& old, FieldErrors* errors);

}  // namespace kulisse::apiserver
