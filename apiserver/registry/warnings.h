// What is allowed but seldom meant: warnings that kubectl prints about an object just written
// (upstream: WarningsOnCreate and WarningsOnUpdate of the kinds' strategies, api/pod/warnings.go).
//
// Threads: pure functions. Errors: none. Cost: nothing for kinds without warnings; a look at each
// container for those with pods.
#pragma once

#include <string>
#include <vector>

#include "base/json/value.h"
#include "openapi/catalog.h"

namespace kulisse::apiserver {

// About a valid object; `old` is null for a new one. A warning that is there already is not added
// again, as writes may be tried more than once.
void AddWarnings(const openapi::ResourceInfo& resource, const json::Value& object,
                 const json::Value* old, std::vector<std::string>* warnings);

// What a delete that names no propagation policy warns of, or "".
[[nodiscard]] std::string_view DeleteWarning(const openapi::ResourceInfo& resource);

}  // namespace kulisse::apiserver
