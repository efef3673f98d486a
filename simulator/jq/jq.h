// Jq is one compiled jq expression that runs on parsed objects, with the language and semantics of
// gojq 0.12.19: its whole core language and its built-in functions.
//
// Refused by name, at compile time: what has no meaning in a server (`input`, `env`, `halt`,
// `debug` …) and modules. Differences from gojq: integers beyond 64 bits become doubles (gojq has
// big ints), local time is UTC, and messages about regular expressions are RE2's.
//
// Owns: its program. Immutable but for a cache of regular expressions. Threads: any.
// Limits: kExpressionBytesMax, kExpressionNodesMax, kExpressionDepthMax when compiled;
// kExpressionStepsMax, kExpressionMemoryBytesMax, kExpressionStackBytesMax of one evaluation.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/value.h"
#include "base/time.h"

namespace kulisse::simulator {

class Jq {
 public:
  // The error says what is wrong, and where: "function not defined: foo/0 (at 4)".
  [[nodiscard]] static std::expected<Jq, std::string> Compile(std::string_view text);

  Jq(Jq&&) noexcept;
  Jq& operator=(Jq&&) noexcept;
  ~Jq();

  // Appends all results. They lie in `input`, in `arena` or in the expression itself. On a runtime
  // error the results of this call are taken back and the error is returned; callers in stages
  // treat it as "no result", as KWOK does.
  //
  // Numbers are as gojq has them, which KWOK's rules tell apart: those of the input are doubles,
  // what the expression computes with integers is an Int.
  //
  // `now` is what the function of that name gives; without it, calling it is an error.
  [[nodiscard]] std::expected<void, std::string> Evaluate(
      const json::Value& input, json::Arena& arena, std::vector<const json::Value*>* results,
      std::optional<SystemTime> now = std::nullopt) const;

 private:
  struct Compiled;
  explicit Jq(std::unique_ptr<Compiled> compiled);

  std::unique_ptr<Compiled> compiled_;
};

}  // namespace kulisse::simulator
