// Rules of what extends the API: webhooks, admission policies, API services.
// Upstream: pkg/apis/admissionregistration/validation, kube-aggregator.
#include <algorithm>

#include "base/text.h"
#include "openapi/label_syntax.h"
#include "openapi/validation/expressions.h"
#include "openapi/validation/walk.h"
#include "openapi/validation/webhook_client.h"

namespace kulisse::openapi {

namespace {

constexpr size_t kConditionsMax = 64;
constexpr std::string_view kNoExpression = "expression is not specified";

// An expression that must be there; `text` is what is compiled and quoted.
cel::Type AdmissionExpression(const AdmissionExpressions& expressions, std::string_view text,
                              ExpressionResult result, const Path& path, std::string_view missing,
                              Walk& walk) {
  if (!TrimSpace(text).empty()) return expressions.Check(text, text, result, path, walk);
  walk.Required(path, missing);
  return cel::Type::Dyn();
}

bool HasWildcard(std::span<const Value> list) {
  return std::ranges::any_of(
      list, [](const Value& value) { return value.IsString() && value.AsString() == "*"; });
}

// --- rules of what is matched

void CheckAlone(const Value& rule, std::string_view field, std::string_view what, const Path& path,
                Walk& walk) {
  const auto list = List(rule, field);
  if (list.empty()) return walk.Required(path[field]);
  if (list.size() == 1 || !HasWildcard(list)) return;
  walk.Invalid(path[field], *rule.Find(field),
               fmt::format("if '*' is present, must not specify other {}", what));
}

void CheckRuleResources(const Value& rule, const Path& path, Walk& walk) {
  const auto resources = List(rule, "resources");
  const Path list = path["resources"];
  if (resources.empty()) walk.Required(list);
  NameSet whole;       // "pods" of "pods/*"
  NameSet everywhere;  // "status" of "*/status"
  bool all = false;
  bool star = false;
  bool plain = false;
  size_t index = 0;
  for (const Value& value : resources) {
    const Path at = list[index++];
    const std::string_view text = value.AsString();
    if (text.empty()) {
      walk.Required(at);
      continue;
    }
    all = all || text == "*/*";
    star = star || text == "*";
    const size_t slash = text.find('/');
    if (slash == std::string_view::npos) {
      plain = text != "*";
      continue;
    }
    const std::string_view resource = text.substr(0, slash);
    const std::string_view sub = text.substr(slash + 1);
    if (whole.Has(resource)) {
      walk.Invalid(at, text,
                   fmt::format("if '{}/*' is present, must not specify {}", resource, text));
    }
    if (everywhere.Has(sub)) {
      walk.Invalid(at, text, fmt::format("if '*/{}' is present, must not specify {}", sub, text));
    }
    if (sub == "*") whole.Insert(resource);
    if (resource == "*") everywhere.Insert(sub);
  }
  if (resources.size() > 1 && all) {
    walk.Invalid(list, *rule.Find("resources"),
                 "if '*/*' is present, must not specify other resources");
  }
  if (star && plain) {
    walk.Invalid(list, *rule.Find("resources"),
                 "if '*' is present, must not specify other resources without subresources");
  }
}

void AdmissionRule(const Value& rule, const Path& path, Walk& walk) {
  CheckAlone(rule, "operations", "operations", path, walk);
  const Path operations = path["operations"];
  size_t index = 0;
  for (const Value& operation : List(rule, "operations")) {
    walk.Enum(operations[index++], operation.AsString(),
              {"*", "CONNECT", "CREATE", "DELETE", "UPDATE"});
  }
  CheckAlone(rule, "apiGroups", "API groups", path, walk);
  CheckAlone(rule, "apiVersions", "API versions", path, walk);
  const Path versions = path["apiVersions"];
  index = 0;
  for (const Value& version : List(rule, "apiVersions")) {
    if (version.size() == 0) walk.Required(versions[index]);
    ++index;
  }
  CheckRuleResources(rule, path, walk);
  if (Member(rule, "scope") != nullptr) {
    walk.Enum(path["scope"], Text(rule, "scope"), {"*", "Cluster", "Namespaced"});
  }
}

void NamedRule(const Value& rule, const Path& path, Walk& walk) {
  NameSet names;
  const Path list = path["resourceNames"];
  size_t index = 0;
  for (const Value& name : List(rule, "resourceNames")) {
    const Path at = list[index++];
    walk.Check(at, name.AsString(), PathSegmentName);
    if (!names.Insert(name.AsString())) walk.Duplicate(at, name.AsString());
  }
  AdmissionRule(rule, path, walk);
}

void MatchCondition(const Value& condition, const AdmissionExpressions& expressions,
                    const Path& path, Walk& walk) {
  AdmissionExpression(expressions, TrimSpace(Text(condition, "expression")),
                      ExpressionResult::kBool, path["expression"], {}, walk);
  const std::string_view name = Text(condition, "name");
  if (name.empty()) {
    walk.Required(path["name"]);
  } else {
    walk.Check(path["name"], name, LabelKeyErrors);
  }
}

void CheckConditions(const Value& object, bool has_params, const Path& path, Walk& walk) {
  const auto conditions = List(object, "matchConditions");
  const Path list = path["matchConditions"];
  if (conditions.size() > kConditionsMax) {
    walk.TooMany(list, conditions.size(), kConditionsMax);
  }
  if (conditions.empty()) return;
  const AdmissionExpressions expressions({.has_params = has_params});
  NameSet names;
  size_t index = 0;
  for (const Value& condition : conditions) {
    const Path at = list[index++];
    MatchCondition(condition, expressions, at, walk);
    const std::string_view name = Text(condition, "name");
    if (!name.empty() && !names.Insert(name)) walk.Duplicate(at["name"], name);
  }
}

// --- webhooks

void FullyQualifiedName(const Value& value, const Path& path, Walk& walk) {
  const std::string_view name = value.AsString();
  if (name.empty()) return walk.Required(path);
  const Messages messages = Dns1123Subdomain(name);
  if (!messages.empty()) {
    walk.Invalid(path, name, Join(messages, ","));
  } else if (std::ranges::count(name, '.') < 2) {
    walk.Invalid(path, name, "should be a domain with at least three segments separated by dots");
  }
}

void ReviewVersions(const Value& hook, const Path& path, Walk& walk) {
  const auto versions = List(hook, "admissionReviewVersions");
  const Path list = path["admissionReviewVersions"];
  if (versions.empty()) return walk.Required(list, "must specify one of v1, v1beta1");
  NameSet seen;
  size_t index = 0;
  for (const Value& version : versions) {
    const Path at = list[index++];
    if (!seen.Insert(version.AsString())) {
      walk.Invalid(at, version.AsString(), "duplicate version");
    } else {
      walk.Check(at, version.AsString(), Dns1035Label);
    }
  }
  if (seen.Has("v1") || seen.Has("v1beta1")) return;
  walk.Invalid(list, *hook.Find("admissionReviewVersions"),
               "must include at least one of v1, v1beta1");
}

void CheckWebhooks(const Value& configuration, TypeId type, const Path& path, Walk& walk) {
  NameSet names;
  const Path list = path["webhooks"];
  size_t index = 0;
  for (const Value& hook : List(configuration, "webhooks")) {
    const Path at = list[index++];
    walk.Struct(hook, type, at);
    CheckWebhookClient(Part(hook, "clientConfig"), at["clientConfig"], walk);
    CheckConditions(hook, false, at, walk);
    ReviewVersions(hook, at, walk);
    const std::string_view name = Text(hook, "name");
    if (!name.empty() && !names.Insert(name)) walk.Duplicate(at["name"], name);
  }
}

void ValidatingWebhooks(const Value& configuration, const Path& path, Walk& walk) {
  static const TypeId kHook = TypeOf("admissionregistration.v1.ValidatingWebhook");
  CheckWebhooks(configuration, kHook, path, walk);
}

void MutatingWebhooks(const Value& configuration, const Path& path, Walk& walk) {
  static const TypeId kHook = TypeOf("admissionregistration.v1.MutatingWebhook");
  CheckWebhooks(configuration, kHook, path, walk);
}

// --- policies

void ParamKind(const Value& kind, const Path& path, Walk& walk) {
  const std::string_view version = Text(kind, "apiVersion");
  const Path at = path["apiVersion"];
  const auto slashes = std::ranges::count(version, '/');
  if (version.empty()) {
    walk.Required(at);
  } else if (slashes > 1) {
    walk.Invalid(at, version, fmt::format("unexpected GroupVersion string: {}", version));
  } else {
    const size_t slash = version.find('/');
    const std::string_view group = slash == version.npos ? "" : version.substr(0, slash);
    const std::string_view name = slash == version.npos ? version : version.substr(slash + 1);
    const Messages bad_group = group.empty() ? Messages() : Dns1123Subdomain(group);
    const Messages bad_name = Dns1035Label(name);
    if (!bad_group.empty()) walk.Invalid(at, group, Join(bad_group, ","));
    if (name.empty()) {
      walk.Invalid(at, version, "version must be specified");
    } else if (!bad_name.empty()) {
      walk.Invalid(at, name, Join(bad_name, ","));
    }
  }
  const std::string_view name = Text(kind, "kind");
  if (name.empty()) return walk.Required(path["kind"]);
  const Messages messages = Dns1035Label(ToLower(name));
  if (messages.empty()) return;
  walk.Invalid(path["kind"], name,
               "may have mixed case, but should otherwise match: " + Join(messages, ","));
}

void Variable(const Value& variable, const Path& path, AdmissionExpressions& expressions,
              Walk& walk) {
  const std::string_view name = Text(variable, "name");
  if (TrimSpace(name).empty()) {
    walk.Required(path["name"], "name is not specified");
  } else if (!CIdentifier(name).empty()) {
    walk.Invalid(path["name"], name, "must be a valid CEL identifier");
  }
  const std::string_view text = Text(variable, "expression");
  const cel::Type type = AdmissionExpression(expressions, text, ExpressionResult::kAny,
                                             path["expression"], kNoExpression, walk);
  if (!TrimSpace(text).empty()) expressions.AddVariable(name, type);
}

void Variables(const Value& spec, const Path& path, AdmissionExpressions& expressions, Walk& walk) {
  const Path list = path["variables"];
  size_t index = 0;
  for (const Value& variable : List(spec, "variables")) {
    Variable(variable, list[index++], expressions, walk);
  }
}

void Validation(const Value& validation, const AdmissionExpressions& expressions,
                const AdmissionExpressions& messages, const Path& path, Walk& walk) {
  AdmissionExpression(expressions, Text(validation, "expression"), ExpressionResult::kBool,
                      path["expression"], kNoExpression, walk);
  for (const std::string_view field : {"messageExpression", "message"}) {
    const std::string_view text = Text(validation, field);
    if (!text.empty() && TrimSpace(text).empty()) {
      walk.Invalid(path[field], text, "must be non-empty if specified");
    } else if (field == "messageExpression" && !text.empty()) {
      messages.Check(text, text, ExpressionResult::kString, path[field], walk);
    } else if (field == "message" && TrimSpace(text).find_first_of("\r\n") != text.npos) {
      walk.Invalid(path[field], text, "must not contain line breaks");
    }
  }
  if (Member(validation, "reason") == nullptr) return;
  walk.Enum(path["reason"], Text(validation, "reason"),
            {"Forbidden", "Invalid", "RequestEntityTooLarge"});
}

void AuditAnnotations(const Value& policy, const AdmissionExpressions& expressions,
                      const Path& path, Walk& walk) {
  const Value& spec = Part(policy, "spec");
  const Path at = path["spec"];
  const auto annotations = List(spec, "auditAnnotations");
  if (annotations.empty() && IsEmpty(spec.Find("validations"))) {
    constexpr std::string_view kOne =
        "validations or auditAnnotations must contain at least one item";
    walk.Required(at["validations"], kOne);
    walk.Required(at["auditAnnotations"], kOne);
    return;
  }
  const Path list = at["auditAnnotations"];
  const std::string_view name = policy.FindString({"metadata", "name"});
  NameSet keys;
  size_t index = 0;
  for (const Value& annotation : annotations) {
    const Path annotation_at = list[index++];
    const std::string_view key = Text(annotation, "key");
    const std::string qualified = fmt::format("{}/{}", name, key);
    if (name.empty()) {
      walk.Invalid(annotation_at["key"], key, "requires metadata.name be non-empty");
    } else {
      walk.Check(annotation_at["key"], qualified, LabelKeyErrors);
    }
    const std::string_view value = Text(annotation, "valueExpression");
    if (TrimSpace(value).empty()) {
      walk.Required(annotation_at["valueExpression"], "valueExpression is not specified");
    } else {
      expressions.Check(TrimSpace(value), value, ExpressionResult::kStringOrNull,
                        annotation_at["valueExpression"], walk);
    }
    if (!keys.Insert(key)) walk.Duplicate(annotation_at["key"], key);
  }
}

// The expressions of a policy, in the order in which they see each other.
void ValidatingPolicy(const Value& policy, const Path& path, Walk& walk) {
  const Value& spec = Part(policy, "spec");
  const Path at = path["spec"];
  const bool has_params = Member(spec, "paramKind") != nullptr;
  const bool has_variables = !List(spec, "variables").empty();
  CheckConditions(spec, has_params, at, walk);
  AdmissionExpressions expressions({.has_params = has_params, .has_variables = has_variables});
  AdmissionExpressions messages(
      {.has_params = has_params, .has_authorizer = false, .has_variables = has_variables});
  Variables(spec, at, expressions, walk);
  messages.AddVariablesOf(expressions);
  const Path list = at["validations"];
  size_t index = 0;
  for (const Value& validation : List(spec, "validations")) {
    Validation(validation, expressions, messages, list[index++], walk);
  }
  AuditAnnotations(policy, expressions, path, walk);
}

void ConstraintRules(const Value& constraints, const Path& path, Walk& walk) {
  if (IsEmpty(constraints.Find("resourceRules"))) walk.Required(path["resourceRules"]);
}

void MutatingOperations(const Value& rules, const Path& path, Walk& walk) {
  for (const Value& rule : List(rules, "resourceRules")) {
    for (const Value& operation : List(rule, "operations")) {
      walk.Enum(path["resourceRules"]["operations"], operation.AsString(),
                {"*", "CONNECT", "CREATE", "UPDATE"});
    }
  }
}

void Mutation(const Value& mutation, const AdmissionExpressions& expressions, const Path& path,
              Walk& walk) {
  struct Row {
    std::string_view type;
    std::string_view field;
    std::string_view other;
    ExpressionResult result;
  };
  constexpr Row kRows[] = {
      {"JSONPatch", "jsonPatch", "applyConfiguration", ExpressionResult::kPatches},
      {"ApplyConfiguration", "applyConfiguration", "jsonPatch", ExpressionResult::kObject}};
  const std::string_view type = Text(mutation, "patchType");
  if (type.empty()) return walk.Required(path["patchType"]);
  const auto* row = std::ranges::find(kRows, type, &Row::type);
  if (row == std::end(kRows)) {
    return walk.NotSupported(path["patchType"], type, {"ApplyConfiguration", "JSONPatch"});
  }
  const Value* given = Member(mutation, row->field);
  if (given == nullptr) {
    walk.Required(path[row->field], fmt::format("must be specified when patchType is {}", type));
  } else {
    AdmissionExpression(expressions, TrimSpace(Text(*given, "expression")), row->result,
                        path[row->field]["expression"], {}, walk);
  }
  if (Member(mutation, row->other) == nullptr) return;
  const std::string shown = fmt::format("{{{}}}", row->other);
  walk.Invalid(path[row->other], std::string_view(shown),
               fmt::format("must not be specified when patchType is {}", type));
}

void MutatingPolicy(const Value& spec, const Path& path, Walk& walk) {
  const bool has_params = Member(spec, "paramKind") != nullptr;
  CheckConditions(spec, has_params, path, walk);
  AdmissionExpressions expressions({.has_params = has_params, .has_variables = true});
  Variables(spec, path, expressions, walk);
  const auto mutations = List(spec, "mutations");
  const Path list = path["mutations"];
  if (mutations.empty()) walk.Required(list, "mutations must contain at least one item");
  size_t index = 0;
  for (const Value& mutation : mutations) Mutation(mutation, expressions, list[index++], walk);
}

void ParamRef(const Value& reference, const Path& path, Walk& walk) {
  constexpr std::string_view kExclusive = "name and selector are mutually exclusive";
  static const TypeId kSelector = TypeOf("io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector");
  const std::string_view name = Text(reference, "name");
  const Value* selector = Member(reference, "selector");
  if (!name.empty()) {
    walk.Check(path["name"], name, PathSegmentName);
    if (selector != nullptr) walk.Forbidden(path["name"], kExclusive);
  }
  if (selector != nullptr) {
    walk.Struct(*selector, kSelector, path["selector"]);
    if (!name.empty()) walk.Forbidden(path["selector"], kExclusive);
  }
  if (name.empty() && selector == nullptr) {
    walk.Required(path, "one of name or selector must be specified");
  }
  const std::string_view action = Text(reference, "parameterNotFoundAction");
  if (action.empty()) {
    walk.Required(path["parameterNotFoundAction"]);
  } else {
    walk.Enum(path["parameterNotFoundAction"], action, {"Deny", "Allow"});
  }
}

void ValidationActions(const Value& spec, const Path& path, Walk& walk) {
  const auto actions = List(spec, "validationActions");
  const Path list = path["validationActions"];
  NameSet seen;
  size_t index = 0;
  for (const Value& action : actions) {
    const Path at = list[index++];
    walk.Enum(at, action.AsString(), {"Audit", "Deny", "Warn"});
    if (!seen.Insert(action.AsString())) walk.Duplicate(at, action.AsString());
  }
  if (seen.Has("Deny") && seen.Has("Warn")) {
    walk.Invalid(list, *spec.Find("validationActions"),
                 "must not contain both Deny and Warn (repeating the same validation failure "
                 "information in the API response and headers serves no purpose)");
  }
  if (actions.empty()) walk.Required(list, "at least one validation action is required");
}

// --- API services

void ApiServiceName(const Value& service, const Path& path, Walk& walk) {
  const Value& spec = Part(service, "spec");
  const std::string wanted = fmt::format("{}.{}", Text(spec, "version"), Text(spec, "group"));
  const std::string_view name = service.FindString({"metadata", "name"});
  if (name.empty() || !PathSegmentName(name).empty() || name == wanted) return;
  walk.Invalid(path["metadata"]["name"], name,
               fmt::format("must be `spec.version+\".\"+spec.group`: {}", GoQuote(wanted)));
}

void ApiService(const Value& spec, const Path& path, Walk& walk) {
  const std::string_view group = Text(spec, "group");
  const std::string_view version = Text(spec, "version");
  if (group.empty() && version != "v1") {
    walk.Required(path["group"], "only v1 may have an empty group and it better be legacy kube");
  }
  if (!group.empty()) walk.Check(path["group"], group, Dns1123Subdomain);
  walk.Check(path["version"], version, Dns1035Label);
  const int64_t minimum = Int(spec, "groupPriorityMinimum").value_or(0);
  const int64_t priority = Int(spec, "versionPriority").value_or(0);
  if (minimum <= 0 || minimum > 20000) {
    walk.Invalid(path["groupPriorityMinimum"], minimum, "must be positive and less than 20000");
  }
  if (priority <= 0 || priority > 1000) {
    walk.Invalid(path["versionPriority"], priority, "must be positive and less than 1000");
  }
  const Value* service = Member(spec, "service");
  const std::string_view bundle = Text(spec, "caBundle");
  const bool insecure = True(spec, "insecureSkipTLSVerify");
  const Path insecure_at = path["insecureSkipTLSVerify"];
  if (service == nullptr) {
    if (!bundle.empty()) {
      const std::string size = fmt::format("{} bytes", bundle.size() / 4 * 3);
      walk.Invalid(path["caBundle"], std::string_view(size),
                   "local APIServices may not have a caBundle");
    }
    if (insecure) {
      walk.Invalid(insecure_at, Value::Bool(true),
                   "local APIServices may not have insecureSkipTLSVerify");
    }
    return;
  }
  for (const std::string_view field : {"namespace", "name"}) {
    if (Text(*service, field).empty()) walk.Required(path["service"][field]);
  }
  const int64_t port = Int(*service, "port").value_or(0);
  if (const Messages messages = PortNumber(port); !messages.empty()) {
    walk.Invalid(path["service"]["port"], port, "port is not valid: " + messages[0]);
  }
  if (insecure && !bundle.empty()) {
    walk.Invalid(insecure_at, Value::Bool(true), "may not be true if caBundle is present");
  }
}

constexpr NamedCheck kChecks[] = {
    {"admissionRule", AdmissionRule},
    {"apiService", ApiService},
    {"apiServiceName", ApiServiceName},
    {"constraintRules", ConstraintRules},
    {"fullyQualifiedName", FullyQualifiedName},
    {"mutatingOperations", MutatingOperations},
    {"mutatingWebhooks", MutatingWebhooks},
    {"mutatingPolicy", MutatingPolicy},
    {"namedRule", NamedRule},
    {"paramKind", ParamKind},
    {"paramRef", ParamRef},
    {"validatingWebhooks", ValidatingWebhooks},
    {"validatingPolicy", ValidatingPolicy},
    {"validationActions", ValidationActions},
};

}  // namespace

std::span<const NamedCheck> ExtensionChecks() { return kChecks; }

}  // namespace kulisse::openapi
