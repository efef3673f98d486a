// What differs between two objects of a type, as sets of fields; and the set of all fields of an
// object. Upstream: structured-merge-diff/typed/compare.go and tofieldset.go.
//
// Sets refer to names within the objects: these and the arena must outlive them.
// Threads: pure functions.
#pragma once

#include "base/json/value.h"
#include "openapi/managed_fields/field_set.h"
#include "openapi/managed_fields/schema.h"

namespace kulisse::openapi {

struct Comparison {
  FieldSet added;
  FieldSet modified;
  FieldSet removed;

  [[nodiscard]] bool empty() const { return added.empty() && modified.empty() && removed.empty(); }
};

// `ignored`: paths of fields that are left out, with all below them.
// REQUIRES: both objects fit the type; lists may hold keys twice.
[[nodiscard]] Comparison CompareObjects(const json::Value& before, const json::Value& after,
                                        TypeId type, const TypeTable& table,
                                        const FieldSet& ignored, json::Arena& arena);

// The leaves of the object, and elements and map keys on the way to them.
[[nodiscard]] FieldSet FieldsOf(const json::Value& object, TypeId type, const TypeTable& table,
                                json::Arena& arena);

}  // namespace kulisse::openapi
