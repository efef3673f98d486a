// kubectl's annotation of client-side apply, which server-side apply by the manager "kubectl"
// honours and keeps up to date. Upstream: managedfields/internal/lastapplied*.go.
//
// Threads: pure functions.
#pragma once

#include <optional>
#include <string_view>

#include "base/json/value.h"
#include "openapi/managed_fields/field_set.h"
#include "openapi/type_table.h"

namespace kulisse::apiserver {

inline constexpr std::string_view kLastAppliedManager = "kubectl";

// The fields that client-side apply set and that still are as it set them; nothing when the object
// has no such annotation, or one of another version. `live` has its apiVersion.
[[nodiscard]] std::optional<openapi::FieldSet> LastAppliedFields(const json::Value& live,
                                                                 openapi::TypeId type,
                                                                 const openapi::TypeTable& types,
                                                                 json::Arena& arena);

// Where the object has the annotation, it becomes the configuration; without one when that is too
// long for annotations.
void UpdateLastApplied(const json::Value& config, json::Document& object);

}  // namespace kulisse::apiserver
