// CelEnvironment is the CEL of stages: the standard library, one variable `self`, and the types and
// functions that KWOK adds. Node and Pod are typed: their fields are checked when a stage is
// loaded, missing ones have the zero value of their type (a missing pointer is null), has() means
// "not zero", and only the fields of the types that KWOK names can be selected (conditions, taints
// and container statuses cannot). Objects of any other kind are maps.
//
// Functions: Now(), Rand(), SinceSecond(self), UnixSecond(time), Quantity(text), the latter three
// also as methods; quantities add, subtract, negate, compare, and are multiplied and divided by
// numbers; double(quantity) and string(quantity).
// Upstream: kwok pkg/utils/cel. Where that makes useful expressions impossible (a comparison of
// quantities is an int to its checker, so no && can follow), this allows them.
//
// Borrows: the Runtime, for time and randomness. Expressions must not outlive the environment.
// Threads: any, once made. Errors: texts; those of compiling have places and carets.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/json/value.h"
#include "base/runtime.h"
#include "base/time.h"
#include "openapi/cel/environment.h"

namespace kulisse::simulator {

// A compiled expression of a stage. Immutable. Threads: any.
class CelExpression {
 public:
  // Evaluates on an object of the kind that it was compiled for, and converts as KWOK does: true is
  // 1 where a number is wanted; a number that is wanted as a duration is nanoseconds, and a string
  // is Go's "1m30s". Other types are errors.
  [[nodiscard]] std::expected<bool, std::string> AsBool(const json::Value& self) const;
  [[nodiscard]] std::expected<int64_t, std::string> AsInt64(const json::Value& self) const;
  [[nodiscard]] std::expected<double, std::string> AsFloat64(const json::Value& self) const;
  [[nodiscard]] std::expected<Duration, std::string> AsDuration(const json::Value& self) const;
  [[nodiscard]] std::expected<std::string, std::string> AsString(const json::Value& self) const;
  // The type's name and the value as CEL source, or "error" and its text: for people and tests.
  [[nodiscard]] std::pair<std::string, std::string> Show(const json::Value& self) const;

 private:
  friend class CelEnvironment;
  CelExpression(openapi::cel::Program program, const openapi::cel::JsonType* self)
      : program_(std::move(program)), self_(self) {}
  [[nodiscard]] openapi::cel::Value Evaluate(const json::Value& self,
                                             openapi::cel::Evaluation& evaluation) const;

  openapi::cel::Program program_;
  const openapi::cel::JsonType* self_;
};

class CelEnvironment {
 public:
  explicit CelEnvironment(Runtime& runtime);
  CelEnvironment(const CelEnvironment&) = delete;
  CelEnvironment& operator=(const CelEnvironment&) = delete;
  ~CelEnvironment();

  // `api_group` and `kind` as in a stage's resourceRef: "v1", "Pod".
  [[nodiscard]] std::expected<CelExpression, std::string> Compile(std::string_view expression,
                                                                  std::string_view api_group,
                                                                  std::string_view kind) const;

 private:
  class Types;
  struct ForKind {
    std::unique_ptr<openapi::cel::Environment> environment;
    const openapi::cel::JsonType* self = nullptr;
  };
  [[nodiscard]] ForKind MakeFor(const openapi::cel::JsonType* self, Runtime& runtime) const;

  std::unique_ptr<const Types> types_;
  ForKind pod_;
  ForKind node_;
  ForKind any_;
};

}  // namespace kulisse::simulator
