// The values of defaults in schemas of custom resources: what the schema would refuse in an object,
// it refuses in itself. Rules of expressions are not evaluated.
// Upstream: apiextensions-apiserver/pkg/apiserver/schema/defaulting/validation.go.
//
// Threads: pure functions.
#pragma once

#include "openapi/validation/walk.h"

namespace kulisse::openapi {

// Of the schema of a whole object, and of those within it. REQUIRES: it is structural.
void CheckSchemaDefaults(const Value& schema, const Path& path, Walk& walk);

}  // namespace kulisse::openapi
