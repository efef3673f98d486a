// Rules of apps/v1, replication controllers, disruption budgets and autoscalers.
// Upstream: pkg/apis/{apps,core,policy,autoscaling}/validation.
#include "openapi/validation/workloads.h"

#include <algorithm>

#include "base/json/write.h"
#include "base/text.h"
#include "openapi/quantity.h"
#include "openapi/validation/go_diff.h"
#include "openapi/validation/resources.h"

namespace kulisse::openapi {

namespace {

constexpr std::string_view kMismatch = "`selector` does not match template `labels`";

TypeId SelectorType() {
  static const TypeId kType = TypeOf("io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector");
  return kType;
}

TypeId TemplateType() {
  static const TypeId kType = TypeOf("core.v1.PodTemplateSpec");
  return kType;
}

bool MatchesRequirement(const Value& requirement, const Value* labels) {
  const Value* label = labels == nullptr ? nullptr : labels->Find(Text(requirement, "key"));
  const std::string_view op = Text(requirement, "operator");
  if (op == "Exists") return label != nullptr;
  if (op == "DoesNotExist") return label == nullptr;
  const auto values = List(requirement, "values");
  const bool in = label != nullptr && std::ranges::find(values, *label) != values.end();
  return in == (op == "In");
}

bool IsEverything(const Value* selector) {
  return selector != nullptr && IsEmpty(selector->Find("matchLabels")) &&
         IsEmpty(selector->Find("matchExpressions"));
}

const Value* LabelsOf(const Value& pod_template) {
  return Member(Part(pod_template, "metadata"), "labels");
}

void CheckMatch(const Value& spec, const Path& path, Walk& walk) {
  const Value* labels = LabelsOf(Part(spec, "template"));
  if (SelectorMatches(Member(spec, "selector"), labels)) return;
  walk.Invalid(path["template"]["metadata"]["labels"], labels, kMismatch);
}

// The selector is there, well-formed and not empty. Whether it can be used.
bool CheckSelector(std::string_view kind, const Value& spec, const Path& path, Walk& walk) {
  const Path at = path["selector"];
  const Value* selector = Member(spec, "selector");
  if (selector == nullptr) {
    walk.Required(at);
    return true;
  }
  walk.Struct(*selector, SelectorType(), at);
  if (IsEverything(selector)) {
    walk.Invalid(at, *selector, fmt::format("empty selector is invalid for {}", kind));
  }
  return HasKnownOperators(*selector);
}

// Selector and template of deployments and replica sets.
void CheckReplicated(const Value& spec, const Path& path, Walk& walk) {
  if (!CheckSelector("deployment", spec, path, walk)) {
    walk.Invalid(path["selector"], *Member(spec, "selector"), "invalid label selector");
    return;
  }
  if (!IsEverything(Member(spec, "selector"))) CheckMatch(spec, path, walk);
  walk.Struct(Part(spec, "template"), TemplateType(), path["template"]);
  CheckTemplateOf("ReplicaSet", spec, path, walk);
}

void DeploymentSpec(const Value& spec, const Path& path, Walk& walk) {
  CheckReplicated(spec, path, walk);
}

void ReplicaSetSpec(const Value& spec, const Path& path, Walk& walk) {
  CheckReplicated(spec, path, walk);
}

void DeploymentStrategy(const Value& spec, const Path& at, Walk& walk) {
  const Path path = at["strategy"];
  const Value& strategy = Part(spec, "strategy");
  const std::string_view type = Text(strategy, "type");
  const Value* rolling = Member(strategy, "rollingUpdate");
  if (type == "Recreate") {
    if (rolling != nullptr) {
      walk.Forbidden(path["rollingUpdate"],
                     "may not be specified when strategy `type` is 'Recreate'");
    }
  } else if (type != "RollingUpdate") {
    walk.NotSupported(path, strategy, TypeOf("apps.v1.DeploymentStrategy"),
                      {"Recreate", "RollingUpdate"});
  } else if (rolling == nullptr) {
    walk.Required(path["rollingUpdate"], "this should be defaulted and never be nil");
  } else {
    const Path rolling_at = path["rollingUpdate"];
    const Value* unavailable = Member(*rolling, "maxUnavailable");
    const Value* surge = Member(*rolling, "maxSurge");
    CheckIntOrPercent(unavailable, rolling_at["maxUnavailable"], walk);
    CheckIntOrPercent(surge, rolling_at["maxSurge"], walk);
    if (IntOrPercentValue(unavailable) == 0 && IntOrPercentValue(surge) == 0) {
      walk.Invalid(rolling_at["maxUnavailable"], unavailable, "may not be 0 when `maxSurge` is 0");
    }
    CheckAtMost100Percent(unavailable, rolling_at["maxUnavailable"], walk);
  }
}

void ProgressDeadline(const Value& spec, const Path& path, Walk& walk) {
  const auto deadline = Int(spec, "progressDeadlineSeconds");
  if (!deadline || *deadline > Int(spec, "minReadySeconds").value_or(0)) return;
  walk.Invalid(path["progressDeadlineSeconds"], *deadline, "must be greater than minReadySeconds");
}

void DaemonSetSpec(const Value& spec, const Path& path, Walk& walk) {
  const Value* selector = Member(spec, "selector");
  if (selector != nullptr) walk.Struct(*selector, SelectorType(), path["selector"]);
  if (selector == nullptr || HasKnownOperators(*selector)) CheckMatch(spec, path, walk);
  if (IsEverything(selector)) {
    walk.Invalid(path["selector"], *selector, "empty selector is invalid for daemonset");
  }
  walk.Struct(Part(spec, "template"), TemplateType(), path["template"]);
  CheckTemplateOf("DaemonSet", spec, path, walk);
}

void DaemonSetStrategy(const Value& spec, const Path& at, Walk& walk) {
  const Path path = at["updateStrategy"];
  const Value& strategy = Part(spec, "updateStrategy");
  const std::string_view type = Text(strategy, "type");
  if (type == "OnDelete") return;
  if (type != "RollingUpdate") {
    return walk.NotSupported(path, strategy, TypeOf("apps.v1.DaemonSetUpdateStrategy"),
                             {"RollingUpdate", "OnDelete"});
  }
  const Path rolling_at = path["rollingUpdate"];
  const Value* rolling = Member(strategy, "rollingUpdate");
  if (rolling == nullptr) return walk.Required(rolling_at);
  const Value* unavailable = Member(*rolling, "maxUnavailable");
  const Value* surge = Member(*rolling, "maxSurge");
  CheckIntOrPercent(unavailable, rolling_at["maxUnavailable"], walk);
  CheckIntOrPercent(surge, rolling_at["maxSurge"], walk);
  CheckAtMost100Percent(unavailable, rolling_at["maxUnavailable"], walk);
  CheckAtMost100Percent(surge, rolling_at["maxSurge"], walk);
  const bool has_unavailable = IntOrPercentValue(unavailable) != 0;
  const bool has_surge = IntOrPercentValue(surge) != 0;
  if (has_unavailable && has_surge) {
    walk.Invalid(rolling_at["maxSurge"], surge, "may not be set when maxUnavailable is non-zero");
  } else if (!has_unavailable && !has_surge) {
    walk.Required(rolling_at["maxUnavailable"], "cannot be 0 when maxSurge is 0");
  }
}

// --- stateful sets

void StatefulSetStrategy(const Value& spec, const Path& at, Walk& walk) {
  const Path path = at["updateStrategy"];
  const Value& strategy = Part(spec, "updateStrategy");
  const std::string_view type = Text(strategy, "type");
  const Value* rolling = Member(strategy, "rollingUpdate");
  const Path rolling_at = path["rollingUpdate"];
  static const TypeId kStrategy = TypeOf("apps.v1.StatefulSetUpdateStrategy");
  static const TypeId kRolling = TypeOf("apps.v1.RollingUpdateStatefulSetStrategy");
  if (type.empty()) {
    walk.Required(path);
  } else if (type == "OnDelete") {
    if (rolling != nullptr) {
      walk.Invalid(rolling_at, *rolling, kRolling,
                   "only allowed for updateStrategy 'RollingUpdate'");
    }
  } else if (type != "RollingUpdate") {
    walk.Invalid(path, strategy, kStrategy, "must be 'RollingUpdate' or 'OnDelete'");
  } else if (rolling != nullptr) {
    walk.Struct(*rolling, kRolling, rolling_at);
    const Value* unavailable = Member(*rolling, "maxUnavailable");
    if (unavailable == nullptr) return;
    CheckIntOrPercent(unavailable, rolling_at["maxUnavailable"], walk);
    if (IntOrPercentValue(unavailable) == 0) {
      walk.Invalid(rolling_at["maxUnavailable"], *unavailable, "cannot be 0");
    }
    CheckAtMost100Percent(unavailable, rolling_at["maxUnavailable"], walk);
  }
}

void StatefulSetSpec(const Value& spec, const Path& path, Walk& walk) {
  const bool usable = CheckSelector("statefulset", spec, path, walk);
  if (!usable) {
    walk.Invalid(path["selector"], *Member(spec, "selector"), "");
  } else {
    if (!IsEverything(Member(spec, "selector"))) CheckMatch(spec, path, walk);
    walk.SetClaimTemplates(Member(spec, "volumeClaimTemplates"));
    walk.Struct(Part(spec, "template"), TemplateType(), path["template"]);
    walk.SetClaimTemplates(nullptr);
  }
  CheckTemplateOf("StatefulSet", spec, path, walk);
}

void ManagementPolicy(const Value& spec, const Path& path, Walk& walk) {
  const std::string_view policy = Text(spec, "podManagementPolicy");
  if (policy.empty()) {
    walk.Required(path["podManagementPolicy"]);
  } else if (policy != "OrderedReady" && policy != "Parallel") {
    walk.Invalid(path["podManagementPolicy"], policy, "must be 'OrderedReady' or 'Parallel'");
  }
}

void ClaimTemplates(const Value& set, const Path& path, Walk& walk) {
  static const TypeId kSpec = TypeOf("core.v1.PersistentVolumeClaimSpec");
  if (walk.old() != nullptr) return;
  const Path spec_at = path["spec"];
  const Path claims = spec_at["volumeClaimTemplates"];
  size_t index = 0;
  for (const Value& claim : List(Part(set, "spec"), "volumeClaimTemplates")) {
    const Path at = claims[index++];
    walk.Struct(Part(claim, "spec"), kSpec, at["spec"]);
  }
}

void StatefulSetUpdate(const Value& set, const Path& path, Walk& walk) {
  const Value& spec = Part(set, "spec");
  const Value& old = Part(*walk.old(), "spec");
  for (const std::string_view field :
       {"selector", "serviceName", "podManagementPolicy", "volumeClaimTemplates"}) {
    if (SameMember(spec, old, field)) continue;
    return walk.Forbidden(
        path["spec"],
        "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
        "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and "
        "'minReadySeconds' are forbidden");
  }
}

// --- counters of status

void CollisionCount(const Value& object, const Path& path, Walk& walk) {
  const auto now = Int(Part(object, "status"), "collisionCount");
  const auto before = Int(Part(*walk.old(), "status"), "collisionCount");
  if (!before || (now && *now >= *before)) return;
  walk.Invalid(path["status"]["collisionCount"], now.value_or(0), "cannot be decremented");
}

void DeploymentStatus(const Value& status, const Path& path, Walk& walk) {
  CheckNotAbove(status, {"updatedReplicas", "readyReplicas", "availableReplicas"}, "replicas",
                "cannot be greater than status.replicas", path, walk);
  CheckNotAbove(status, {"availableReplicas"}, "readyReplicas",
                "cannot be greater than readyReplicas", path, walk);
}

void ReplicaSetStatus(const Value& status, const Path& path, Walk& walk) {
  CheckNotAbove(status, {"fullyLabeledReplicas", "readyReplicas", "availableReplicas"}, "replicas",
                "cannot be greater than status.replicas", path, walk);
  CheckNotAbove(status, {"availableReplicas"}, "readyReplicas",
                "cannot be greater than readyReplicas", path, walk);
}

void StatefulSetStatus(const Value& status, const Path& path, Walk& walk) {
  CheckNotAbove(status,
                {"readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"},
                "replicas", "cannot be greater than status.replicas", path, walk);
  CheckNotAbove(status, {"availableReplicas"}, "readyReplicas",
                "cannot be greater than status.readyReplicas", path, walk);
}

// --- replication controllers

void ControllerSpec(const Value& spec, const Path& path, Walk& walk) {
  const Value* selector = Member(spec, "selector");
  if (IsEmpty(selector)) walk.Required(path["selector"]);
  if (const Value* replicas = Member(spec, "replicas"); replicas == nullptr) {
    walk.Required(path["replicas"]);
  } else if (replicas->AsInt() < 0) {
    walk.Invalid(path["replicas"], replicas->AsInt(), "must be greater than or equal to 0");
  }
  const Value* pod = Member(spec, "template");
  const Path at = path["template"];
  if (pod == nullptr) return walk.Required(at);
  const Value* labels = LabelsOf(*pod);
  const bool matches = selector == nullptr ||
                       std::ranges::all_of(selector->members(), [&](const json::Member& member) {
                         return labels != nullptr && Same(labels->Find(member.name), &member.value);
                       });
  if (!matches) walk.Invalid(at["metadata"]["labels"], labels, kMismatch);
  walk.Struct(*pod, TemplateType(), at);
  CheckTemplateOf("ReplicationController", spec, path, walk);
}

void ControllerRevisionData(const Value& revision, const Path& path, Walk& walk) {
  const Value* data = Member(revision, "data");
  if (data == nullptr) {
    walk.Required(path["data"], "data is mandatory");
  } else if (!data->IsObject()) {
    walk.Required(path["data"], "data must be a valid JSON object");
  }
}

// --- disruption budgets

void DisruptionBudget(const Value& spec, const Path& path, Walk& walk) {
  const Value* available = Member(spec, "minAvailable");
  const Value* unavailable = Member(spec, "maxUnavailable");
  if (available != nullptr && unavailable != nullptr) {
    walk.Invalid(path, spec, TypeOf("policy.v1.PodDisruptionBudgetSpec"),
                 "minAvailable and maxUnavailable cannot be both set");
  }
  CheckIntOrPercent(available, path["minAvailable"], walk);
  CheckAtMost100Percent(available, path["minAvailable"], walk);
  CheckIntOrPercent(unavailable, path["maxUnavailable"], walk);
  CheckAtMost100Percent(unavailable, path["maxUnavailable"], walk);
}

// --- horizontal pod autoscalers

void GroupVersion(const Value& reference, const Path& path, Walk& walk) {
  const std::string_view version = Text(reference, "apiVersion");
  if (std::ranges::count(version, '/') <= 1) return;
  walk.Invalid(path["apiVersion"], version,
               fmt::format("unexpected GroupVersion string: {}", version));
}

// What is scaled has a group, but for replication controllers.
void ScaleTarget(const Value& spec, const Path& path, Walk& walk) {
  const Value& target = Part(spec, "scaleTargetRef");
  const std::string_view version = Text(target, "apiVersion");
  const std::string_view kind = Text(target, "kind");
  if (version.find('/') != std::string_view::npos || kind == "ReplicationController") return;
  if (walk.old() != nullptr) {
    const Value& old = Part(Part(*walk.old(), "spec"), "scaleTargetRef");
    if (Text(old, "apiVersion") == version && Text(old, "kind") == kind) return;
  }
  walk.Invalid(path["scaleTargetRef"]["apiVersion"], version, "apiVersion must specify API group");
}

void AutoscalerReplicas(const Value& spec, const Path& path, Walk& walk) {
  const auto min = Int(spec, "minReplicas");
  const int64_t max = Int(spec, "maxReplicas").value_or(0);
  if (min && *min < 1) {
    walk.Invalid(path["minReplicas"], *min, "must be greater than or equal to 1");
  }
  if (max == 0) {
    walk.Required(path["maxReplicas"], "must be set and greater than 0");
  } else if (max < 0) {
    walk.Invalid(path["maxReplicas"], max, "must be greater than or equal to 1");
  }
  if (min && max < *min) {
    walk.Invalid(path["maxReplicas"], max, "must be greater than or equal to `minReplicas`");
  }
}

void ScaleToZero(const Value& spec, const Path& path, Walk& walk) {
  if (Int(spec, "minReplicas") != 0) return;
  const auto metrics = List(spec, "metrics");
  const bool outside = std::ranges::any_of(metrics, [](const Value& metric) {
    return Text(metric, "type") == "Object" || Text(metric, "type") == "External";
  });
  if (outside) return;
  walk.Forbidden(path["metrics"],
                 "must specify at least one Object or External metric to support scaling to zero "
                 "replicas");
}

struct MetricSource {
  std::string_view type;
  std::string_view field;
};
constexpr MetricSource kMetricSources[] = {
    {"Object", "object"},
    {"External", "external"},
    {"Pods", "pods"},
    {"Resource", "resource"},
    {"ContainerResource", "containerResource"},
};

void CheckMetricTarget(const Value& source, std::string_view field, const Path& at, Walk& walk) {
  const Value& target = Part(source, "target");
  const Path path = at["target"];
  const bool value = Member(target, "value") != nullptr;
  const bool average = Member(target, "averageValue") != nullptr;
  const bool utilization = Member(target, "averageUtilization") != nullptr;
  if (field == "object") {
    if (!value && !average) {
      walk.Required(path["averageValue"], "must set either a target value or averageValue");
    }
  } else if (field == "external") {
    if (!value && !average) {
      walk.Required(path["averageValue"],
                    "must set either a target value for metric or a per-pod target");
    }
    if (value && average) {
      walk.Forbidden(path["value"],
                     "may not set both a target value for metric and a per-pod target");
    }
  } else if (field == "pods") {
    if (!average) {
      walk.Required(path["averageValue"], "must specify a positive target averageValue");
    }
  } else if (!utilization && !average) {
    walk.Required(path["averageUtilization"],
                  "must set either a target raw value or a target utilization");
  } else if (utilization && average) {
    walk.Forbidden(path["averageValue"],
                   "may not set both a target raw value and a target utilization");
  }
}

void Metric(const Value& metric, const Path& path, Walk& walk) {
  static const std::vector<std::string> kTypes = {"ContainerResource", "External", "Object", "Pods",
                                                  "Resource"};
  static const TypeId kTypeIds[] = {
      TypeOf("autoscaling.v2.ObjectMetricSource"), TypeOf("autoscaling.v2.ExternalMetricSource"),
      TypeOf("autoscaling.v2.PodsMetricSource"), TypeOf("autoscaling.v2.ResourceMetricSource"),
      TypeOf("autoscaling.v2.ContainerResourceMetricSource")};
  const std::string_view type = Text(metric, "type");
  if (type.empty()) walk.Required(path["type"], "must specify a metric source type");
  const auto* expected = std::ranges::find(kMetricSources, type, &MetricSource::type);
  const bool known = expected != std::end(kMetricSources);
  if (!known) walk.NotSupported(path["type"], type, kTypes);
  size_t present = 0;
  for (size_t i = 0; i < std::size(kMetricSources); ++i) {
    const Value* source = Member(metric, kMetricSources[i].field);
    if (source == nullptr) continue;
    if (++present > 1) continue;
    const Path at = path[kMetricSources[i].field];
    walk.Struct(*source, kTypeIds[i], at);
    CheckMetricTarget(*source, kMetricSources[i].field, at, walk);
  }
  if (!known) return walk.NotSupported(path["type"], type, kTypes);
  if (Member(metric, expected->field) == nullptr) {
    walk.Required(path[expected->field], "must populate information for the given metric source");
  }
  if (present == 1) return;
  for (const MetricSource& source : kMetricSources) {
    if (source.field == expected->field || Member(metric, source.field) == nullptr) continue;
    walk.Forbidden(path[source.field], "must populate the given metric source only");
  }
}

void MetricTarget(const Value& target, const Path& path, Walk& walk) {
  const std::string_view type = Text(target, "type");
  if (type.empty()) walk.Required(path["type"], "must specify a metric target type");
  if (type != "Utilization" && type != "Value" && type != "AverageValue") {
    walk.Invalid(path["type"], type, "must be either Utilization, Value, or AverageValue");
  }
  for (const std::string_view field : {"value", "averageValue"}) {
    const auto amount = Quantity::Parse(Text(target, field));
    if (amount && amount->Sign() != 1) {
      walk.Invalid(path[field], Text(target, field), "must be positive");
    }
  }
}

void MetricResourceName(const Value& name, const Path& path, Walk& walk) {
  if (name.IsString() && name.size() > 0) CheckContainerResourceName(name.AsString(), path, walk);
}

constexpr NamedCheck kChecks[] = {
    {"autoscalerReplicas", AutoscalerReplicas},
    {"claimTemplates", ClaimTemplates},
    {"collisionCount", CollisionCount},
    {"controllerRevisionData", ControllerRevisionData},
    {"controllerSpec", ControllerSpec},
    {"daemonSetSpec", DaemonSetSpec},
    {"daemonSetStrategy", DaemonSetStrategy},
    {"deploymentSpec", DeploymentSpec},
    {"deploymentStatus", DeploymentStatus},
    {"deploymentStrategy", DeploymentStrategy},
    {"disruptionBudget", DisruptionBudget},
    {"groupVersion", GroupVersion},
    {"managementPolicy", ManagementPolicy},
    {"metric", Metric},
    {"metricResourceName", MetricResourceName},
    {"metricTarget", MetricTarget},
    {"progressDeadline", ProgressDeadline},
    {"replicaSetSpec", ReplicaSetSpec},
    {"replicaSetStatus", ReplicaSetStatus},
    {"scaleTarget", ScaleTarget},
    {"scaleToZero", ScaleToZero},
    {"statefulSetSpec", StatefulSetSpec},
    {"statefulSetStatus", StatefulSetStatus},
    {"statefulSetStrategy", StatefulSetStrategy},
    {"statefulSetUpdate", StatefulSetUpdate},
};

}  // namespace

bool SelectorMatches(const Value* selector, const Value* labels) {
  if (selector == nullptr) return false;
  for (const json::Member& label : Map(*selector, "matchLabels")) {
    const Value* value = labels == nullptr ? nullptr : labels->Find(label.name);
    if (value == nullptr || !(*value == label.value)) return false;
  }
  return std::ranges::all_of(List(*selector, "matchExpressions"), [&](const Value& requirement) {
    return MatchesRequirement(requirement, labels);
  });
}

bool HasKnownOperators(const Value& selector) {
  return std::ranges::all_of(List(selector, "matchExpressions"), [](const Value& requirement) {
    const std::string_view op = Text(requirement, "operator");
    const bool with_values = op == "In" || op == "NotIn";
    if (!with_values && op != "Exists" && op != "DoesNotExist") return false;
    return with_values != IsEmpty(requirement.Find("values")) &&
           FindFormat("qualified-name")(Text(requirement, "key")).empty();
  });
}

void CheckIntOrPercent(const Value* value, const Path& path, Walk& walk) {
  if (value == nullptr) return;
  if (value->IsString()) return walk.Check(path, value->AsString(), Percent);
  if (value->IsInt() && value->AsInt() < 0) {
    walk.Invalid(path, value->AsInt(), "must be greater than or equal to 0");
  }
}

int64_t IntOrPercentValue(const Value* value) {
  if (value == nullptr) return 0;
  if (value->IsInt()) return value->AsInt();
  if (!value->IsString()) return 0;
  std::string_view text = value->AsString();
  if (text.ends_with('%')) text.remove_suffix(1);
  return ParseInt64(text).value_or(0);
}

void CheckAtMost100Percent(const Value* value, const Path& path, Walk& walk) {
  if (value == nullptr || !value->IsString() || !Percent(value->AsString()).empty()) return;
  if (IntOrPercentValue(value) > 100) {
    walk.Invalid(path, value->AsString(), "must not be greater than 100%");
  }
}

void CheckNotAbove(const Value& status, std::initializer_list<std::string_view> fields,
                   std::string_view limit, std::string_view detail, const Path& path, Walk& walk) {
  const int64_t most = Int(status, limit).value_or(0);
  for (const std::string_view field : fields) {
    const int64_t count = Int(status, field).value_or(0);
    if (count > most) walk.Invalid(path[field], count, detail);
  }
}

void CheckTemplateOf(std::string_view kind, const Value& spec, const Path& path, Walk& walk) {
  const Value& pod = Part(Part(spec, "template"), "spec");
  const Path at = path["template"];
  const std::string_view policy = Text(pod, "restartPolicy");
  if (policy != "Always") walk.NotSupported(at["spec"]["restartPolicy"], policy, {"Always"});
  if (Member(pod, "activeDeadlineSeconds") == nullptr) return;
  walk.Forbidden(at["spec"]["activeDeadlineSeconds"],
                 fmt::format("activeDeadlineSeconds in {} is not Supported", kind));
}

std::span<const NamedCheck> WorkloadChecks() { return kChecks; }

}  // namespace kulisse::openapi
