// Fills in what the API server fills in for every built-in kind: `replicas: 1`, pull policies,
// probe periods … What is said by "type, field, value" is data (openapi/facts/defaults.tsv and the
// `+default` markers of the type table), applied by one walk over the object; the rest is a small
// set of functions that the same file names (default_functions.h).
// Upstream: kubernetes/pkg/apis/*/v*/defaults.go, zz_generated.defaults.go, and those parts of
// conversion.go that a client can see (serviceAccount, stringData).
//
// What depends on the clock, on other objects or on the request is not defaulting.
//
// Threads: pure functions.
#pragma once

#include "base/json/value.h"
#include "openapi/type_table.h"

namespace kulisse::openapi {

// REQUIRES: object is in canonical form of the type; it is afterwards too.
void ApplyDefaults(json::Value& object, TypeId type, const TypeTable& table, json::Arena& arena);

}  // namespace kulisse::openapi
