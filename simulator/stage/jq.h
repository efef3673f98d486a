// Jq is one compiled jq expression: a tree that runs on parsed objects, with gojq's semantics.
//
// Supported: `.`, `.a.b`, `."a"`, `.["a"]`, `.[n]`, `.[]` (also written `.a.[]`), `?`, pipes,
// commas, parentheses, literals, `[…]`, `==` `!=` `<` `<=` `>` `>=`, `and` `or`, `//`, `+` `-`, and
// the functions that jq_parser.cc lists. Everything else of the language is refused by name at
// compile time: an expression that compiles means what it means to gojq.
//
// One difference is wanted: gojq sees the numbers of an object as floats and computed ones as ints,
// and prints both; here a number is a number.
//
// Owns: its tree. Immutable. Threads: any.
// Limits: kExpressionBytesMax, kExpressionNodesMax, kExpressionDepthMax; kExpressionStepsMax steps
// of one evaluation.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/value.h"

namespace kulisse::simulator {

struct JqNode;

class Jq {
 public:
  // The error says what is wrong, and where: "`reduce` is not supported (at 4)".
  [[nodiscard]] static std::expected<Jq, std::string> Compile(std::string_view text);

  Jq(Jq&&) noexcept;
  Jq& operator=(Jq&&) noexcept;
  ~Jq();

  // Appends all results. They lie in `input`, in `arena` or in the expression itself. On a runtime
  // error the results of this call are taken back and the error is returned; callers in stages
  // treat it as "no result", as KWOK does.
  [[nodiscard]] std::expected<void, std::string> Evaluate(
      const json::Value& input, json::Arena& arena, std::vector<const json::Value*>* results) const;

 private:
  explicit Jq(std::unique_ptr<const JqNode> root);

  std::unique_ptr<const JqNode> root_;
};

}  // namespace kulisse::simulator
