// The rules of x-kubernetes-validations in the schemas of custom resources: expressions that must
// compile, seeing the object as its schema declares it. What they cost is not estimated.
// Upstream: apiextensions-apiserver/pkg/apiserver/schema/cel, apiserver/pkg/cel/common/schemas.go.
//
// Threads: pure functions.
#pragma once

#include <string>

#include "openapi/validation/walk.h"

namespace kulisse::openapi {

// Where a schema stands.
struct SchemaPlace {
  bool is_resource = false;  // it is that of a whole object, which has metadata
  std::string uncorrelated;  // path of the list around it whose old elements cannot be found; or ""
};

// The rules of the schema itself. REQUIRES: it is structural.
void CheckSchemaRules(const Value& schema, const SchemaPlace& place, const Path& path, Walk& walk);

}  // namespace kulisse::openapi
