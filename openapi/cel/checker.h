// The type checker: finds what names mean, which overloads calls may mean, and what each expression
// yields, or says why it cannot.
// Upstream: cel-go checker/checker.go. Threads: pure function. Errors: all of an expression.
#pragma once

#include <vector>

#include "openapi/cel/ast.h"
#include "openapi/cel/environment.h"
#include "openapi/cel/source.h"

namespace kulisse::openapi::cel {

// Writes types, overloads and resolved names into the tree. Appends what is wrong.
void Check(const Environment& environment, Ast& ast, std::vector<Issue>* issues);

}  // namespace kulisse::openapi::cel
