// Profiles of AppArmor, which pods once had in annotations: a new pod's annotations become the
// fields of its containers. Upstream: pkg/registry/core/pod, applyAppArmorVersionSkew. Threads:
// pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/value.h"

namespace kulisse::apiserver {

inline constexpr std::string_view kAppArmorAnnotation =
    "container.apparmor.security.beta.kubernetes.io/";

// The field that says what an annotation says, or nothing when it says nothing good.
[[nodiscard]] std::optional<json::Value> AppArmorProfileOf(std::string_view annotation,
                                                           json::Arena& arena);

// Gives containers of a new pod that have an annotation alone the field, and warns of it.
// `warnings` may be null.
void WriteAppArmorProfiles(json::Document& pod, std::vector<std::string>* warnings);

}  // namespace kulisse::apiserver
