#include "openapi/validation/expressions.h"

#include <span>

#include "openapi/cel/names.h"

namespace kulisse::openapi {

void CheckExpression(std::string_view text, std::string_view value, ExpressionPlace place,
                     const Path& path, Walk& walk) {
  static constexpr std::string_view kAdmission[] = {
      "object", "oldObject", "request", "params", "namespaceObject", "authorizer", "variables"};
  static constexpr std::string_view kDevice[] = {"device"};
  const auto variables = place == ExpressionPlace::kAdmission
                             ? std::span<const std::string_view>(kAdmission)
                             : std::span<const std::string_view>(kDevice);
  if (const auto errors = cel::FindNameErrors(text, variables)) {
    walk.Invalid(path, value, "compilation failed: " + *errors);
  }
}

}  // namespace kulisse::openapi
