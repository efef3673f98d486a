#include "openapi/validation/expressions.h"

#include <fmt/format.h>

#include <span>
#include <string>

#include "base/json/write.h"
#include "openapi/cel/names.h"

namespace kulisse::openapi {

namespace {

// As Go prints apiextensions.ValidationRule as JSON.
std::string ShowRule(const Value& rule) {
  struct Field {
    std::string_view go_name;
    std::string_view name;
    std::string_view missing;
  };
  constexpr Field kFields[] = {{"Rule", "rule", R"("")"},
                               {"Message", "message", R"("")"},
                               {"MessageExpression", "messageExpression", R"("")"},
                               {"Reason", "reason", "null"},
                               {"FieldPath", "fieldPath", R"("")"},
                               {"OptionalOldSelf", "optionalOldSelf", "null"}};
  std::string text;
  for (const Field& field : kFields) {
    const Value* value = Member(rule, field.name);
    text += fmt::format("{}\"{}\":{}", text.empty() ? "{" : ",", field.go_name,
                        value != nullptr ? json::ToString(*value) : std::string(field.missing));
  }
  return text + "}";
}

}  // namespace

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

void CheckSchemaRule(const Value& rule, const Path& path, Walk& walk) {
  constexpr std::string_view kVariables[] = {"self", "oldSelf"};
  if (const auto errors = cel::FindNameErrors(Text(rule, "rule"), kVariables)) {
    walk.InvalidText(path["rule"], ShowRule(rule), "compilation failed: " + *errors);
    return;
  }
  const std::string_view message = Text(rule, "messageExpression");
  if (message.empty()) return;
  if (const auto errors = cel::FindNameErrors(message, kVariables)) {
    walk.InvalidText(path["messageExpression"], ShowRule(rule),
                     "messageExpression compilation failed: " + *errors);
  }
}

}  // namespace kulisse::openapi
