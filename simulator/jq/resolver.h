// Binds the names of a jq program: variables to slots, calls to definitions, native functions or
// the forms that the evaluator knows; and says which nodes have one result.
//
// A frame is made for each call of a definition and of each function passed to one. A name of an
// enclosing function is found by going up its frames (`level`).
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "simulator/jq/node.h"

namespace kulisse::simulator::jq {

// The error names what is not there: "function not defined: foo/1 (at 4)".
[[nodiscard]] std::expected<Program, std::string> Resolve(NodePtr root);

// "name/arity" of all functions, in order.
[[nodiscard]] std::vector<std::string> BuiltinNames();

}  // namespace kulisse::simulator::jq
