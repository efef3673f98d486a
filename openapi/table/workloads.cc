// Controllers of pods: apps, batch, autoscaling, policy.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "openapi/selector.h"
#include "openapi/table/cells.h"

namespace kulisse::openapi::table {

namespace {

std::string Fraction(int64_t have, int64_t want) { return fmt::format("{}/{}", have, want); }

void PrintDeployment(const Value& object, Cells& row) {
  row.Name(object);
  row.Text(Fraction(NumberAt(object, {"status", "readyReplicas"}),
                    NumberAt(object, {"spec", "replicas"})));
  row.Number(NumberAt(object, {"status", "updatedReplicas"}));
  row.Number(NumberAt(object, {"status", "availableReplicas"}));
  row.Age(object);
  AppendContainers(object.Find({"spec", "template", "spec"}), row);
  const Value* selector = object.Find({"spec", "selector"});
  const Value none;
  const auto parsed = LabelSelector::FromObject(selector == nullptr ? none : *selector);
  row.Text(parsed ? parsed->ToString() : "<invalid>");
}

void PrintReplicas(const Value& object, Cells& row) {
  row.Name(object);
  row.Number(NumberAt(object, {"spec", "replicas"}));
  row.Number(NumberAt(object, {"status", "replicas"}));
  row.Number(NumberAt(object, {"status", "readyReplicas"}));
  row.Age(object);
  AppendContainers(object.Find({"spec", "template", "spec"}), row);
}

void PrintReplicaSet(const Value& object, Cells& row) {
  PrintReplicas(object, row);
  row.Text(SelectorText(object.Find({"spec", "selector"})));
}

void PrintReplicationController(const Value& object, Cells& row) {
  PrintReplicas(object, row);
  row.Text(LabelsText(object.Find({"spec", "selector"})));
}

void PrintStatefulSet(const Value& object, Cells& row) {
  row.Name(object);
  row.Text(Fraction(NumberAt(object, {"status", "readyReplicas"}),
                    NumberAt(object, {"spec", "replicas"})));
  row.Age(object);
  AppendContainers(object.Find({"spec", "template", "spec"}), row);
}

void PrintDaemonSet(const Value& object, Cells& row) {
  row.Name(object);
  for (const std::string_view count :
       {"desiredNumberScheduled", "currentNumberScheduled", "numberReady", "updatedNumberScheduled",
        "numberAvailable"}) {
    row.Number(NumberAt(object, {"status", count}));
  }
  row.Text(LabelsText(object.Find({"spec", "template", "spec", "nodeSelector"})));
  row.Age(object);
  AppendContainers(object.Find({"spec", "template", "spec"}), row);
  row.Text(SelectorText(object.Find({"spec", "selector"})));
}

void PrintControllerRevision(const Value& object, Cells& row) {
  std::string controller(kNone);
  for (const Value& owner : ListAt(object, {"metadata", "ownerReferences"})) {
    if (!BoolAt(owner, {"controller"})) continue;
    const std::string_view api_version = TextAt(owner, {"apiVersion"});
    const size_t slash = api_version.find('/');
    std::string kind(TextAt(owner, {"kind"}));
    if (slash != std::string_view::npos) kind.append(".").append(api_version.substr(0, slash));
    controller = fmt::format("{}/{}", ToLower(kind), TextAt(owner, {"name"}));
    break;
  }
  row.Name(object);
  row.Text(controller);
  row.Number(NumberAt(object, {"revision"}));
  row.Age(object);
}

std::string JobStatusText(const Value& job) {
  const auto has = [&job](std::string_view type) {
    for (const Value& condition : ListAt(job, {"status", "conditions"})) {
      if (TextAt(condition, {"type"}) == type) return TextAt(condition, {"status"}) == "True";
    }
    return false;
  };
  if (has("Complete")) return "Complete";
  if (has("Failed")) return "Failed";
  if (job.Find({"metadata", "deletionTimestamp"}) != nullptr) return "Terminating";
  for (const std::string_view type : {"Suspended", "FailureTarget", "SuccessCriteriaMet"}) {
    if (has(type)) return std::string(type);
  }
  return "Running";
}

void PrintJob(const Value& job, Cells& row) {
  const int64_t succeeded = NumberAt(job, {"status", "succeeded"});
  const int64_t parallelism = NumberAt(job, {"spec", "parallelism"});
  const Value* completions = job.Find({"spec", "completions"});
  const Value* started = job.Find({"status", "startTime"});
  const auto start_time = TimeOf(started);
  const auto end_time = TimeOf(job.Find({"status", "completionTime"}));
  row.Name(job);
  row.Text(JobStatusText(job));
  if (completions != nullptr && completions->IsInt()) {
    row.Text(Fraction(succeeded, completions->AsInt()));
  } else if (parallelism > 1) {
    row.Text(fmt::format("{}/1 of {}", succeeded, parallelism));
  } else {
    row.Text(Fraction(succeeded, 1));
  }
  row.Text(!start_time ? ""
           : !end_time ? row.Since(started)
                       : HumanDuration(*end_time - *start_time));
  row.Age(job);
  AppendContainers(job.Find({"spec", "template", "spec"}), row);
  row.Text(SelectorText(job.Find({"spec", "selector"})));
}

void PrintCronJob(const Value& object, Cells& row) {
  const Value* suspend = object.Find({"spec", "suspend"});
  const Value* last = object.Find({"status", "lastScheduleTime"});
  row.Name(object);
  row.Text(TextAt(object, {"spec", "schedule"}));
  row.Text(TextOr(TextAt(object, {"spec", "timeZone"}), kNone));
  row.Text(suspend == nullptr || !suspend->IsBool() ? kUnset
           : suspend->AsBool()                      ? "True"
                                                    : "False");
  row.Number(static_cast<int64_t>(ListAt(object, {"status", "active"}).size()));
  row.Text(TimeOf(last) ? row.Since(last) : std::string(kNone));
  row.Age(object);
  AppendContainers(object.Find({"spec", "jobTemplate", "spec", "template", "spec"}), row);
  row.Text(SelectorText(object.Find({"spec", "jobTemplate", "spec", "selector"})));
}

std::string_view QuantityAt(const Value* object, Path path) {
  const Value* value = object == nullptr ? nullptr : object->Find(path);
  return value != nullptr && value->IsString() ? value->AsString() : "<nil>";
}

std::string PercentAt(const Value* object, Path path, std::string_view fallback) {
  const Value* value = object == nullptr ? nullptr : object->Find(path);
  if (value == nullptr || !value->IsInt()) return std::string(fallback);
  return fmt::format("{}%", value->AsInt());
}

// "cpu: 10%/50%". Resource and ContainerResource metrics look the same.
std::string ResourceMetricText(const Value& source, const Value* current) {
  const std::string_view name = TextAt(source, {"name"});
  if (const Value* target = source.Find({"target", "averageValue"})) {
    const auto now =
        current == nullptr ? kUnknown : QuantityAt(current, {"current", "averageValue"});
    return fmt::format("{}: {}/{}", name, now, target->IsString() ? target->AsString() : "");
  }
  return fmt::format("{}: {}/{}", name,
                     PercentAt(current, {"current", "averageUtilization"}, kUnknown),
                     PercentAt(&source, {"target", "averageUtilization"}, "<auto>"));
}

// External and Object metrics: a value or an average.
std::string ValueMetricText(const Value& source, const Value* current) {
  if (source.Find({"target", "averageValue"}) != nullptr) {
    const bool known = current != nullptr && current->Find({"current", "averageValue"}) != nullptr;
    return fmt::format("{}/{} (avg)",
                       known ? QuantityAt(current, {"current", "averageValue"}) : kUnknown,
                       QuantityAt(&source, {"target", "averageValue"}));
  }
  return fmt::format("{}/{}",
                     current == nullptr ? kUnknown : QuantityAt(current, {"current", "value"}),
                     QuantityAt(&source, {"target", "value"}));
}

std::string MetricText(const Value& metric, const Value* status) {
  struct Source {
    std::string_view type;
    std::string_view field;
  };
  constexpr Source kSources[] = {{"External", "external"},
                                 {"Pods", "pods"},
                                 {"Object", "object"},
                                 {"Resource", "resource"},
                                 {"ContainerResource", "containerResource"}};
  const auto* source = std::ranges::find(kSources, TextAt(metric, {"type"}), &Source::type);
  const Value* wanted = source == std::end(kSources) ? nullptr : metric.Find(source->field);
  if (wanted == nullptr) return "<unknown type>";
  const Value* current = status == nullptr ? nullptr : status->Find(source->field);
  if (source->type == "Pods") {
    return fmt::format(
        "{}/{}", current == nullptr ? kUnknown : QuantityAt(current, {"current", "averageValue"}),
        QuantityAt(wanted, {"target", "averageValue"}));
  }
  if (source->type == "External" || source->type == "Object") {
    return ValueMetricText(*wanted, current);
  }
  return ResourceMetricText(*wanted, current);
}

std::string MetricsText(const Value& object) {
  constexpr size_t kShownMax = 2;
  // autoscaling/v1 knows one metric only.
  if (object.Find({"spec", "targetCPUUtilizationPercentage"}) != nullptr) {
    return fmt::format("cpu: {}/{}",
                       PercentAt(&object, {"status", "currentCPUUtilizationPercentage"}, kUnknown),
                       PercentAt(&object, {"spec", "targetCPUUtilizationPercentage"}, "<auto>"));
  }
  const auto metrics = ListAt(object, {"spec", "metrics"});
  const auto statuses = ListAt(object, {"status", "currentMetrics"});
  if (metrics.empty()) return std::string(kNone);
  std::vector<std::string> texts;
  for (size_t i = 0; i < std::min(metrics.size(), kShownMax); ++i) {
    texts.push_back(MetricText(metrics[i], i < statuses.size() ? &statuses[i] : nullptr));
  }
  const std::string shown = Join(texts, ", ");
  if (metrics.size() <= kShownMax) return shown;
  return fmt::format("{} + {} more...", shown, metrics.size() - kShownMax);
}

void PrintAutoscaler(const Value& object, Cells& row) {
  const Value* min = object.Find({"spec", "minReplicas"});
  row.Name(object);
  row.Text(fmt::format("{}/{}", TextAt(object, {"spec", "scaleTargetRef", "kind"}),
                       TextAt(object, {"spec", "scaleTargetRef", "name"})));
  row.Text(MetricsText(object));
  row.Text(min != nullptr && min->IsInt() ? std::to_string(min->AsInt()) : std::string(kUnset));
  row.Number(NumberAt(object, {"spec", "maxReplicas"}));
  row.Number(NumberAt(object, {"status", "currentReplicas"}));
  row.Age(object);
}

std::string IntOrStringText(const Value* value) {
  if (value == nullptr) return "N/A";
  if (value->IsInt()) return std::to_string(value->AsInt());
  return value->IsString() ? std::string(value->AsString()) : "N/A";
}

void PrintDisruptionBudget(const Value& object, Cells& row) {
  row.Name(object);
  row.Text(IntOrStringText(object.Find({"spec", "minAvailable"})));
  row.Text(IntOrStringText(object.Find({"spec", "maxUnavailable"})));
  row.Number(NumberAt(object, {"status", "disruptionsAllowed"}));
  row.Age(object);
}

void PrintScale(const Value& object, Cells& row) {
  row.Name(object);
  row.Number(NumberAt(object, {"spec", "replicas"}));
  row.Number(NumberAt(object, {"status", "replicas"}));
  row.Age(object);
}

constexpr Printer kPrinters[] = {
    {"", "replicationcontrollers", PrintReplicationController},
    {"apps", "controllerrevisions", PrintControllerRevision},
    {"apps", "daemonsets", PrintDaemonSet},
    {"apps", "deployments", PrintDeployment},
    {"apps", "replicasets", PrintReplicaSet},
    {"apps", "statefulsets", PrintStatefulSet},
    {"autoscaling", "horizontalpodautoscalers", PrintAutoscaler},
    {"autoscaling", "scales", PrintScale},
    {"batch", "cronjobs", PrintCronJob},
    {"batch", "jobs", PrintJob},
    {"policy", "poddisruptionbudgets", PrintDisruptionBudget},
};

}  // namespace

std::span<const Printer> WorkloadPrinters() { return kPrinters; }

}  // namespace kulisse::openapi::table
