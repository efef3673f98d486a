// The form in which expressions are evaluated: names are slots, overloads are found, constant
// regular expressions compiled. Internal to this folder.
// Threads: immutable once made.
#pragma once

#include <re2/re2.h>

#include <deque>
#include <memory>
#include <vector>

#include "openapi/cel/ast.h"
#include "openapi/cel/environment.h"
#include "openapi/go_regex.h"

namespace kulisse::openapi::cel {

enum class PlanOp : uint8_t {
  kConstant,
  kSlot,
  kSelect,  // children[0].constant
  kHas,
  kIndex,
  kAnd,
  kOr,
  kNotStrictlyFalse,
  kConditional,
  kEquals,
  kNotEquals,
  kOperator,
  kCall,
  kMatches,  // with a constant pattern
  kList,
  kMap,
  kFold,  // children as those of a comprehension
};

struct PlanNode {
  PlanOp op = PlanOp::kConstant;
  Operator operation = Operator::kAdd;  // of kOperator
  bool grows_list = false;              // of kFold: the accumulator is a list that grows
  int slot = 0;    // of kSlot; of kFold: of its variable, the accumulator's is next
  Value constant;  // of kConstant; of kSelect and kHas: the field
  std::vector<const PlanNode*> children;
  const Function* function = nullptr;     // of kCall
  std::vector<const Overload*> matches;   // of kCall
  std::unique_ptr<const re2::RE2> regex;  // of kMatches
};

struct Plan {
  std::deque<PlanNode> nodes;
  json::Arena texts;
  const PlanNode* root = nullptr;
  size_t variables = 0;
  size_t slots = 0;  // variables, then those of macros
  Type type;
};

// REQUIRES: the tree was checked, and nothing was wrong.
[[nodiscard]] std::unique_ptr<const Plan> MakePlan(const Environment& environment, const Ast& ast);

// Go's regexp.MatchString.
[[nodiscard]] Value MatchRegex(const re2::RE2& regex, std::string_view pattern,
                               std::string_view text, Evaluation& evaluation);

}  // namespace kulisse::openapi::cel
