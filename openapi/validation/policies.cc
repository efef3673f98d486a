// Rules of kinds that say who may do what, and how much: RBAC, leases, classes, priorities, events.
// Upstream: pkg/apis/{rbac,coordination,node,scheduling,core}/validation.
#include <algorithm>

#include "base/text.h"
#include "openapi/label_syntax.h"
#include "openapi/validation/walk.h"
#include "openapi/validation/workloads.h"

namespace kulisse::openapi {

namespace {

constexpr std::string_view kRbacGroup = "rbac.authorization.k8s.io";
constexpr int64_t kUserPriorityMax = 1000000000;

// --- RBAC

void CheckPolicyRule(const Value& rule, bool namespaced, const Path& path, Walk& walk) {
  const Value* urls = Member(rule, "nonResourceURLs");
  const bool groups = !IsEmpty(rule.Find("apiGroups"));
  const bool resources = !IsEmpty(rule.Find("resources"));
  if (IsEmpty(rule.Find("verbs"))) {
    walk.Required(path["verbs"], "verbs must contain at least one value");
  }
  if (!IsEmpty(urls)) {
    if (namespaced) {
      walk.Invalid(path["nonResourceURLs"], *urls,
                   "namespaced rules cannot apply to non-resource URLs");
    }
    if (groups || resources || !IsEmpty(rule.Find("resourceNames"))) {
      walk.Invalid(path["nonResourceURLs"], *urls,
                   "rules cannot apply to both regular resources and non-resource URLs");
    }
    return;
  }
  if (!groups) {
    walk.Required(path["apiGroups"], "resource rules must supply at least one api group");
  }
  if (!resources) {
    walk.Required(path["resources"], "resource rules must supply at least one resource");
  }
}

void RoleRule(const Value& rule, const Path& path, Walk& walk) {
  CheckPolicyRule(rule, true, path, walk);
}

void ClusterRoleRule(const Value& rule, const Path& path, Walk& walk) {
  CheckPolicyRule(rule, false, path, walk);
}

void RoleSelector(const Value& selector, const Path& path, Walk& walk) {
  static const TypeId kSelector = TypeOf("io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector");
  walk.Struct(selector, kSelector, path);
  if (!HasKnownOperators(selector)) walk.Invalid(path, selector, "invalid label selector.");
}

void AggregationRule(const Value& rule, const Path& path, Walk& walk) {
  const auto selectors = List(rule, "clusterRoleSelectors");
  const Path list = path["clusterRoleSelectors"];
  if (selectors.empty()) {
    walk.Required(list, "at least one clusterRoleSelector required if aggregationRule is non-nil");
  }
  size_t index = 0;
  for (const Value& selector : selectors) RoleSelector(selector, list[index++], walk);
}

void CheckSubject(const Value& subject, bool namespaced, const Path& path, Walk& walk) {
  const std::string_view kind = Text(subject, "kind");
  const std::string_view name = Text(subject, "name");
  const std::string_view group = Text(subject, "apiGroup");
  if (name.empty()) walk.Required(path["name"]);
  if (kind == "ServiceAccount") {
    if (!name.empty()) walk.Check(path["name"], name, Dns1123Subdomain);
    if (!group.empty()) walk.NotSupported(path["apiGroup"], group, {""});
    if (!namespaced && Text(subject, "namespace").empty()) walk.Required(path["namespace"]);
  } else if (kind == "User" || kind == "Group") {
    if (group != kRbacGroup) {
      walk.NotSupported(path["apiGroup"], group, {std::string(kRbacGroup)});
    }
  } else {
    walk.NotSupported(path["kind"], kind, {"ServiceAccount", "User", "Group"});
  }
}

void Subject(const Value& subject, const Path& path, Walk& walk) {
  CheckSubject(subject, true, path, walk);
}

void ClusterSubject(const Value& subject, const Path& path, Walk& walk) {
  CheckSubject(subject, false, path, walk);
}

void RoleRefUpdate(const Value& binding, const Path& path, Walk& walk) {
  if (SameMember(binding, *walk.old(), "roleRef")) return;
  walk.Invalid(path["roleRef"], Part(binding, "roleRef"), TypeOf("rbac.v1.RoleRef"),
               "cannot change roleRef");
}

// --- runtime and priority classes

void UniqueTolerations(const Value& scheduling, const Path& path, Walk& walk) {
  static const TypeId kToleration = TypeOf("core.v1.Toleration");
  std::unordered_set<std::string> seen;
  const Path list = path["tolerations"];
  size_t index = 0;
  for (const Value& toleration : List(scheduling, "tolerations")) {
    const Path at = list[index++];
    const std::string key =
        fmt::format("{}\n{}\n{}\n{}", Text(toleration, "key"), Text(toleration, "operator"),
                    Text(toleration, "value"), Text(toleration, "effect"));
    if (!seen.insert(key).second) walk.Duplicate(at, toleration, kToleration, "");
  }
}

void Priority(const Value& priority, const Path& path, Walk& walk) {
  const std::string_view name = priority.FindString({"metadata", "name"});
  const int64_t value = Int(priority, "value").value_or(0);
  if (!name.starts_with("system-")) {
    if (value > kUserPriorityMax) {
      walk.Forbidden(
          path["value"],
          fmt::format("maximum allowed value of a user defined priority is {}", kUserPriorityMax));
    }
    return;
  }
  struct Row {
    std::string_view name;
    int64_t value;
  };
  constexpr Row kSystem[] = {{"system-node-critical", 2000001000},
                             {"system-cluster-critical", 2000000000}};
  const auto* row = std::ranges::find(kSystem, name, &Row::name);
  std::string error;
  if (row == std::end(kSystem)) {
    error = fmt::format("{} is not a known system priority class", name);
  } else if (row->value != value) {
    error = fmt::format("value of {} PriorityClass must be {}", name, row->value);
  } else if (True(priority, "globalDefault")) {
    error = fmt::format("globalDefault of {} PriorityClass must be false", name);
  }
  if (error.empty()) return;
  walk.Forbidden(path["metadata"]["name"],
                 "priority class names with 'system-' prefix are reserved for system use only. "
                 "error: " +
                     error);
}

void PriorityUpdate(const Value& priority, const Path& path, Walk& walk) {
  if (SameMember(priority, *walk.old(), "value")) return;
  walk.Forbidden(path["value"], "may not be changed in an update.");
}

// --- events

void CheckAtMost(const Value& event, std::string_view field, size_t max, const Path& path,
                 Walk& walk) {
  if (Text(event, field).size() <= max) return;
  walk.Invalid(path[field], "", fmt::format("can have at most {} characters", max));
}

bool IsStrict(const Walk& walk) {
  static const TypeId kEvent = TypeOf("events.v1.Event");
  return walk.served() == kEvent;
}

void CheckTimedEvent(const Value& event, const Path& path, Walk& walk) {
  const std::string_view ns = event.FindString({"metadata", "namespace"});
  const std::string_view about = event.FindString({"involvedObject", "namespace"});
  if (about.empty() && ns != "default" && ns != "kube-system") {
    walk.Invalid(path["involvedObject"]["namespace"], about, "does not match event.namespace");
  }
  const Path controller = path[IsStrict(walk) ? "reportingController" : "reportingComponent"];
  const std::string_view component = Text(event, "reportingComponent");
  if (component.empty()) walk.Required(controller);
  walk.Check(controller, component, LabelKeyErrors);
  if (Text(event, "reportingInstance").empty()) walk.Required(path["reportingInstance"]);
  CheckAtMost(event, "reportingInstance", 128, path, walk);
  if (Text(event, "action").empty()) walk.Required(path["action"]);
  CheckAtMost(event, "action", 128, path, walk);
  if (Text(event, "reason").empty()) walk.Required(path["reason"]);
  CheckAtMost(event, "reason", 128, path, walk);
  CheckAtMost(event, "message", 1024, path, walk);
}

void CheckSeries(const Value& event, const Path& path, Walk& walk) {
  const Value* series = Member(event, "series");
  if (series == nullptr) return;
  if (Int(*series, "count").value_or(0) < 2) {
    walk.Invalid(path["series.count"], "", "should be at least 2");
  }
  if (Text(*series, "lastObservedTime").empty()) walk.Required(path["series.lastObservedTime"]);
}

// What clients of events.k8s.io may not leave out, and what they may not say.
void CheckStrictly(const Value& event, const Path& path, Walk& walk) {
  CheckSeries(event, path, walk);
  if (Member(event, "eventTime") == nullptr) walk.Required(path["eventTime"]);
  const std::string_view type = Text(event, "type");
  if (type != "Normal" && type != "Warning") {
    walk.Invalid(path["type"], "", fmt::format("has invalid value: {}", type));
  }
  for (const std::string_view field : {"firstTimestamp", "lastTimestamp", "count"}) {
    if (Member(event, field) != nullptr) walk.Invalid(path[field], "", "needs to be unset");
  }
  if (Part(event, "source").size() > 0) walk.Invalid(path["source"], "", "needs to be unset");
}

void CheckStrictUpdate(const Value& event, const Value& old, const Path& path, Walk& walk) {
  static const TypeId kReference = TypeOf("core.v1.ObjectReference");
  static const TypeId kSource = TypeOf("core.v1.EventSource");
  if (!SameMember(event, old, "series")) CheckSeries(event, path, walk);
  const auto keep_text = [&](std::string_view field, std::string_view name) {
    if (Text(event, field) == Text(old, field)) return;
    walk.Invalid(path[name], Text(event, field), "field is immutable");
  };
  const auto keep_part = [&](std::string_view field, TypeId type) {
    if (SameMember(event, old, field)) return;
    walk.Invalid(path[field], Part(event, field), type, "field is immutable");
  };
  const auto keep = [&](std::string_view field) {
    walk.Immutable(path[field], Member(event, field), Member(old, field));
  };
  keep_part("involvedObject", kReference);
  keep_text("reason", "reason");
  keep_text("message", "message");
  keep_part("source", kSource);
  for (const std::string_view field : {"firstTimestamp", "lastTimestamp"}) keep(field);
  if (Int(event, "count").value_or(0) != Int(old, "count").value_or(0)) {
    walk.Invalid(path["count"], Int(event, "count").value_or(0), "field is immutable");
  }
  keep_text("reason", "reason");
  keep_text("type", "type");
  keep("eventTime");
  keep_text("action", "action");
  if (Member(event, "related") == nullptr) {
    keep("related");
  } else {
    keep_part("related", kReference);
  }
  keep_text("reportingComponent", "reportingController");
  keep_text("reportingInstance", "reportingInstance");
}

void CheckUntimedEvent(const Value& event, const Path& path, Walk& walk) {
  const std::string_view about = event.FindString({"involvedObject", "namespace"});
  const std::string_view own = event.FindString({"metadata", "namespace"});
  // Events about things at cluster scope are kept in "default".
  if (about == own || (about.empty() && own == "default")) return;
  walk.Invalid(path["involvedObject"]["namespace"], about, "does not match event.namespace");
}

void Event(const Value& event, const Path& path, Walk& walk) {
  if (Member(event, "eventTime") != nullptr) {
    CheckTimedEvent(event, path, walk);
  } else {
    CheckUntimedEvent(event, path, walk);
  }
  if (!IsStrict(walk)) return;
  if (walk.old() == nullptr) {
    CheckStrictly(event, path, walk);
  } else {
    CheckStrictUpdate(event, *walk.old(), path, walk);
  }
}

constexpr NamedCheck kChecks[] = {
    {"aggregationRule", AggregationRule},
    {"clusterRoleRule", ClusterRoleRule},
    {"clusterSubject", ClusterSubject},
    {"event", Event},
    {"priority", Priority},
    {"priorityUpdate", PriorityUpdate},
    {"roleRefUpdate", RoleRefUpdate},
    {"roleRule", RoleRule},
    {"subject", Subject},
    {"uniqueTolerations", UniqueTolerations},
};

}  // namespace

std::span<const NamedCheck> PolicyChecks() { return kChecks; }

}  // namespace kulisse::openapi
