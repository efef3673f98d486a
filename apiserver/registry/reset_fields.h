// Which fields a write through a resource or subresource never owns: those that the server sets,
// and those that the strategy puts back. Upstream: the strategies' GetResetFields and
// managedfields/internal/stripmeta.go.
//
// Threads: rows are made once; any.
#pragma once

#include <string_view>

#include "openapi/catalog.h"
#include "openapi/managed_fields/field_set.h"

namespace kulisse::apiserver {

// Paths that are left out with all that is below them.
struct IgnoredFields {
  openapi::FieldSet reset;  // what the strategy puts back
  openapi::FieldSet all;    // with what the server sets
};
[[nodiscard]] const IgnoredFields& IgnoredFieldsOf(const openapi::ResourceInfo& resource,
                                                   std::string_view subresource);

// metadata's own system fields, as members alone: those that no apply owns.
[[nodiscard]] const openapi::FieldSet& SystemFields();

// Whether managers of the subresource's writes are recorded: of what is updated or patched.
[[nodiscard]] bool KeepsManagers(std::string_view subresource);

}  // namespace kulisse::apiserver
