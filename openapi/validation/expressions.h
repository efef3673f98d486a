// CEL expressions in policies, webhooks and device selectors: they must compile, and yield what is
// wanted. What they cost is not estimated.
// Upstream: apiserver/pkg/admission/plugin/cel, dynamic-resource-allocation/cel.
//
// Threads: one; what is shared is immutable.
#pragma once

#include <deque>
#include <string_view>

#include "openapi/cel/environment.h"
#include "openapi/validation/walk.h"

namespace kulisse::openapi {

// What an expression may yield.
enum class ExpressionResult : uint8_t { kAny, kBool, kString, kStringOrNull, kObject, kPatches };

// The expressions of one webhook or policy: they may name object, oldObject, request,
// namespaceObject, mostly authorizer, and what the policy adds.
class AdmissionExpressions {
 public:
  struct Options {
    bool has_params = false;
    bool has_authorizer = true;
    bool has_variables = false;
  };
  explicit AdmissionExpressions(Options options);
  AdmissionExpressions(const AdmissionExpressions&) = delete;
  AdmissionExpressions& operator=(const AdmissionExpressions&) = delete;

  // Refuses the value at `path` when `text` does not compile. `value` is what the refusal quotes.
  // Returns the type, dyn when it was refused.
  cel::Type Check(std::string_view text, std::string_view value, ExpressionResult result,
                  const Path& path, Walk& walk) const;
  // A variable of the policy, which the expressions after it may name.
  void AddVariable(std::string_view name, const cel::Type& type);
  void AddVariablesOf(const AdmissionExpressions& other);

 private:
  std::deque<cel::JsonType> types_;
  cel::JsonStruct variables_;
  cel::Environment environment_;
};

// A selector of devices.
void CheckDeviceExpression(std::string_view text, const Path& path, Walk& walk);

}  // namespace kulisse::openapi
