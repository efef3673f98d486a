// CelEnvironment is the CEL of stages: the standard library, one variable `self`, and the types and
// functions that KWOK adds; and that of metrics and resource usage, whose variables are `node`,
// `pod` and `container`. Node and Pod are typed: their fields are checked when a stage is
// loaded, missing ones have the zero value of their type (a missing pointer is null), has() means
// "not zero", and only the fields of the types that KWOK names can be selected (conditions, taints
// and container statuses cannot). Objects of any other kind are maps.
//
// Functions: Now(), Rand(), SinceSecond(self), UnixSecond(time), Quantity(text), the latter three
// also as methods; quantities add, subtract, negate, compare, and are multiplied and divided by
// numbers; double(quantity) and string(quantity). What pods and nodes use: Usage("cpu") and
// CumulativeUsage("cpu") of a Pod (of one container with its name behind) or a Node, and
// StartedContainersTotal of a Node or its name. KWOK has these in metrics and usage alone; here
// stages of pods and nodes have them too.
// Upstream: kwok pkg/utils/cel. Where that makes useful expressions impossible (a comparison of
// quantities is an int to its checker, so no && can follow), this allows them.
//
// Borrows: the Runtime, for time and randomness, and the UsageFunctions. Expressions must not
//   outlive the environment.
// Threads: any, once made. Errors: texts; those of compiling have places and carets.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/json/value.h"
#include "base/runtime.h"
#include "base/time.h"
#include "openapi/cel/environment.h"

namespace kulisse::simulator {

// Answers what expressions ask about load.
// Threads: any, also within its own calls: usage may be an expression, too.
class UsageFunctions {
 public:
  enum class Mode : uint8_t { kNow, kCumulative };

  virtual ~UsageFunctions() = default;
  // Of a container, or without a name of all of the pod's. The object is null where there is none.
  virtual double PodUsage(const json::Value* pod, std::string_view resource,
                          std::optional<std::string_view> container, Mode mode,
                          openapi::cel::Evaluation& evaluation) = 0;
  virtual double NodeUsage(const json::Value* node, std::string_view resource, Mode mode,
                           openapi::cel::Evaluation& evaluation) = 0;
  virtual int64_t StartedContainers(std::string_view node) = 0;
};

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

// What expressions of metrics and usage see: null for what is not there.
struct UsageVariables {
  const json::Value* node = nullptr;
  const json::Value* pod = nullptr;
  const json::Value* container = nullptr;
};

// A compiled expression of a Metric or a resource usage. Immutable. Threads: any.
class UsageExpression {
 public:
  // Converts as CelExpression does.
  [[nodiscard]] std::expected<double, std::string> AsFloat64(
      const UsageVariables& variables, openapi::cel::Evaluation& evaluation) const;
  [[nodiscard]] std::expected<std::string, std::string> AsString(
      const UsageVariables& variables, openapi::cel::Evaluation& evaluation) const;
  // Whether the value may depend on the node.
  [[nodiscard]] bool mentions_node() const { return mentions_node_; }

 private:
  friend class CelEnvironment;
  using Types = std::array<const openapi::cel::JsonType*, 3>;  // of node, pod and container
  UsageExpression(openapi::cel::Program program, const Types& types, bool mentions_node)
      : program_(std::move(program)), types_(types), mentions_node_(mentions_node) {}
  [[nodiscard]] openapi::cel::Value Evaluate(const UsageVariables& variables,
                                             openapi::cel::Evaluation& evaluation) const;

  openapi::cel::Program program_;
  Types types_;
  bool mentions_node_;
};

class CelEnvironment {
 public:
  // `usage` may be null: then nothing uses anything.
  explicit CelEnvironment(Runtime& runtime, UsageFunctions* usage = nullptr);
  CelEnvironment(const CelEnvironment&) = delete;
  CelEnvironment& operator=(const CelEnvironment&) = delete;
  ~CelEnvironment();

  // `api_group` and `kind` as in a stage's resourceRef: "v1", "Pod".
  [[nodiscard]] std::expected<CelExpression, std::string> Compile(std::string_view expression,
                                                                  std::string_view api_group,
                                                                  std::string_view kind) const;
  [[nodiscard]] std::expected<UsageExpression, std::string> CompileUsage(
      std::string_view expression) const;

 private:
  class Types;
  // Whose expressions: a stage's, by the kind that it is about, or those of usage.
  enum class Scope : uint8_t { kPod, kNode, kAny, kUsage };
  struct Made {
    std::once_flag once;
    std::unique_ptr<openapi::cel::Environment> environment;
  };

  static const Types& BuiltInTypes();
  // The type of `self`. REQUIRES: not kUsage.
  [[nodiscard]] static const openapi::cel::JsonType* SelfOf(Scope scope);
  // Made when it is first asked for: most stages have no CEL.
  [[nodiscard]] const openapi::cel::Environment& For(Scope scope) const;
  [[nodiscard]] std::unique_ptr<openapi::cel::Environment> Make(Scope scope) const;

  Runtime& runtime_;
  UsageFunctions* const usage_;
  mutable std::array<Made, 4> made_;  // by scope
};

}  // namespace kulisse::simulator
