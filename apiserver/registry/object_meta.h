// Metadata rules that hold for every kind. Upstream: apimachinery/pkg/api/validation/objectmeta.go
// and util/validation; texts are those that clients see.
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "apiserver/registry/kind_rules.h"
#include "base/json/value.h"
#include "base/runtime.h"
#include "base/status.h"

namespace kulisse::apiserver {

// A random UUID (version 4): uids of objects, audit ids.
[[nodiscard]] std::string NewUuid(Runtime& runtime);

// A name for an object that gives its beginning alone: that and five random characters.
[[nodiscard]] std::string GenerateName(std::string_view base, Runtime& runtime);

// What is wrong with a name, in upstream's words; empty when nothing is.
[[nodiscard]] std::vector<std::string> CheckName(NameRule rule, std::string_view name);

// The metadata of a new object (also one with generateName still to be drawn).
void ValidateObjectMeta(const json::Value& metadata, NameRule rule, FieldErrors* errors);
// What an update may not change.
void ValidateObjectMetaUpdate(const json::Value& metadata, const json::Value& old,
                              FieldErrors* errors);
// Label map at `path`, also of pod templates and selectors.
void ValidateLabels(const json::Value* labels, const std::string& path, FieldErrors* errors);

}  // namespace kulisse::apiserver
