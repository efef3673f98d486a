// What can be told of expressions that use macros or messages which are not here (optMap, sortBy,
// all with two variables, cel.bind, Object{…}): names that nothing declares.
//
// Threads: pure functions.
#pragma once

#include <span>
#include <vector>

#include "openapi/cel/ast.h"
#include "openapi/cel/environment.h"
#include "openapi/cel/source.h"

namespace kulisse::openapi::cel {

// Whether the checker cannot follow the expression.
[[nodiscard]] bool IsBeyondChecker(const Ast& ast);
// Appends the names that are no variable, no type and no prefix of Kubernetes' functions.
void FindUndeclaredNames(const Ast& ast, std::span<const Variable> variables,
                         std::vector<Issue>* issues);

}  // namespace kulisse::openapi::cel
