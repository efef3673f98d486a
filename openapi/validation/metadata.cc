// Parts that many types have: label selectors, node selectors, annotations of templates.
// Upstream: apimachinery/pkg/apis/meta/v1/validation; core/validation.
#include "base/text.h"
#include "openapi/label_syntax.h"
#include "openapi/validation/walk.h"

namespace kulisse::openapi {

namespace {

constexpr size_t kAnnotationsBytesMax = 256 * 1024;

constexpr std::string_view kValuesRequired = "must be specified when `operator` is 'In' or 'NotIn'";
constexpr std::string_view kValuesForbidden =
    "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";

void CheckLabelValues(const Value& requirement, const Path& path, Walk& walk) {
  const Path list = path["values"];
  size_t index = 0;
  for (const Value& value : List(requirement, "values")) {
    const Path at = list[index++];
    if (value.IsString()) walk.Check(at, value.AsString(), LabelValueErrors);
  }
}

void LabelRequirement(const Value& requirement, const Path& path, Walk& walk) {
  const std::string_view op = Text(requirement, "operator");
  const bool has_values = !IsEmpty(requirement.Find("values"));
  if (op == "In" || op == "NotIn") {
    if (!has_values) walk.Required(path["values"], kValuesRequired);
  } else if (op == "Exists" || op == "DoesNotExist") {
    if (has_values) walk.Forbidden(path["values"], kValuesForbidden);
  } else {
    walk.Invalid(path["operator"], op, "not a valid selector operator");
  }
  walk.Check(path["key"], Text(requirement, "key"), LabelKeyErrors);
  CheckLabelValues(requirement, path, walk);
}

void NodeRequirement(const Value& requirement, const Path& path, bool values, Walk& walk) {
  const std::string_view op = Text(requirement, "operator");
  const size_t count = List(requirement, "values").size();
  if (op == "In" || op == "NotIn") {
    if (count == 0) walk.Required(path["values"], kValuesRequired);
  } else if (op == "Exists" || op == "DoesNotExist") {
    if (count > 0) walk.Forbidden(path["values"], kValuesForbidden);
  } else if (op == "Gt" || op == "Lt") {
    if (count != 1) {
      walk.Required(path["values"],
                    "must be specified single value when `operator` is 'Lt' or 'Gt'");
    }
  } else {
    walk.Invalid(path["operator"], op, "not a valid selector operator");
  }
  walk.Check(path["key"], Text(requirement, "key"), LabelKeyErrors);
  if (values) CheckLabelValues(requirement, path, walk);
}

void NodeFieldRequirement(const Value& requirement, const Path& path, Walk& walk) {
  const std::string_view op = Text(requirement, "operator");
  const auto values = List(requirement, "values");
  if (op == "In" || op == "NotIn") {
    if (values.size() != 1) {
      walk.Required(path["values"],
                    "must be only one value when `operator` is 'In' or 'NotIn' for node field "
                    "selector");
    }
  } else {
    walk.Invalid(path["operator"], op, "not a valid selector operator");
  }
  const std::string_view key = Text(requirement, "key");
  if (key != "metadata.name") {
    return walk.Invalid(path["key"], key, "not a valid field selector key");
  }
  const Path list = path["values"];
  size_t index = 0;
  for (const Value& value : values) {
    const Path at = list[index++];
    if (value.IsString()) walk.Check(at, value.AsString(), Dns1123Subdomain);
  }
}

void CheckNodeTerm(const Value& term, const Path& path, bool values, Walk& walk) {
  const Path expressions = path["matchExpressions"];
  size_t index = 0;
  for (const Value& requirement : List(term, "matchExpressions")) {
    NodeRequirement(requirement, expressions[index++], values, walk);
  }
  const Path fields = path["matchFields"];
  index = 0;
  for (const Value& requirement : List(term, "matchFields")) {
    NodeFieldRequirement(requirement, fields[index++], walk);
  }
}

void NodeTerm(const Value& term, const Path& path, Walk& walk) {
  CheckNodeTerm(term, path, true, walk);
}

// Terms that are only preferred may have any values.
void PreferredNodeTerm(const Value& term, const Path& path, Walk& walk) {
  CheckNodeTerm(term, path, false, walk);
}

void TopologyTerm(const Value& term, const Path& path, Walk& walk) {
  NameSet keys;
  const Path list = path["matchLabelExpressions"];
  size_t index = 0;
  for (const Value& requirement : List(term, "matchLabelExpressions")) {
    const Path at = list[index++];
    const auto values = List(requirement, "values");
    const Path values_path = at["values"];
    if (values.empty()) walk.Required(values_path);
    NameSet seen;
    size_t value_index = 0;
    for (const Value& value : values) {
      const Path value_at = values_path[value_index++];
      if (value.IsString() && !seen.Insert(value.AsString())) {
        walk.Duplicate(value_at, value.AsString());
      }
    }
    const std::string_view key = Text(requirement, "key");
    walk.Check(at["key"], key, LabelKeyErrors);
    if (!keys.Insert(key)) walk.Duplicate(at["key"], key);
  }
}

void Annotations(const Value& annotations, const Path& path, Walk& walk) {
  size_t total = 0;
  for (const json::Member& member : annotations.members()) {
    walk.Check(path, member.name, AnnotationKey);
    total += member.name.size() + member.value.size();
  }
  if (total > kAnnotationsBytesMax) walk.TooLong(path, kAnnotationsBytesMax);
}

void Condition(const Value& condition, const Path& path, Walk& walk) {
  const std::string_view reason = Text(condition, "reason");
  if (reason.empty()) {
    walk.Required(path["reason"]);
  } else {
    walk.Check(path["reason"], reason, ConditionReason);
    if (reason.size() > 1024) walk.TooLong(path["reason"], 1024);
  }
}

constexpr NamedCheck kChecks[] = {
    {"annotations", Annotations},
    {"condition", Condition},
    {"labelRequirement", LabelRequirement},
    {"nodeTerm", NodeTerm},
    {"preferredNodeTerm", PreferredNodeTerm},
    {"topologyTerm", TopologyTerm},
};

}  // namespace

std::span<const NamedCheck> MetaChecks() { return kChecks; }

}  // namespace kulisse::openapi
