// The parser: the whole grammar of CEL. The macros has, all, exists, exists_one, map and
// filter are expanded; optional syntax (`a.?b`) is refused by name where it is not asked for.
// Upstream: cel-go parser/parser.go, parser/macro.go.
//
// Threads: pure functions. Errors: all that cel-go's later passes find; of syntax errors the first,
//   in ANTLR's words where they are simple.
// Limits: kCelCodePointsMax, kCelDepthMax.
#pragma once

#include <memory>
#include <vector>

#include "openapi/cel/ast.h"
#include "openapi/cel/source.h"

namespace kulisse::openapi::cel {

struct ParseOptions {
  // Takes `a.?b`, `a[?b]`, `[?a]` and `{?a: b}`. Such a tree can be checked, but not planned.
  bool optional_syntax = false;
};

// Appends what is wrong; the tree is only for use when nothing was.
[[nodiscard]] std::unique_ptr<Ast> Parse(const Source& source, std::vector<Issue>* issues,
                                         ParseOptions options = {});

// Expands a macro call in place of `call`. Returns null when there is no such macro; on an error
// appends it and returns a node of kind kError. `call` has the target first, if there is one.
[[nodiscard]] Expr* ExpandMacro(Ast& ast, const Expr& call, std::vector<Issue>* issues);

// The name of the variable in which macros gather their result; no identifier can be this.
inline constexpr std::string_view kAccumulator = "@result";

}  // namespace kulisse::openapi::cel
