#include "apiserver/registry/autoscaling_conversion.h"

#include <array>
#include <cctype>
#include <optional>
#include <span>
#include <string>

#include "base/json/parse.h"
#include "base/json/write.h"

namespace kulisse::apiserver {

namespace {

constexpr std::string_view kMetrics = "autoscaling.alpha.kubernetes.io/metrics";
constexpr std::string_view kCurrentMetrics = "autoscaling.alpha.kubernetes.io/current-metrics";
constexpr std::string_view kBehavior = "autoscaling.alpha.kubernetes.io/behavior";
constexpr std::string_view kConditions = "autoscaling.alpha.kubernetes.io/conditions";
constexpr int64_t kCpuPercentDefault = 80;

// A field of one kind of metric: its names in v1, and where v2 has it. An empty `outer` stands for
// "target" in a spec and "current" in a status.
struct MetricField {
  std::string_view kind;
  std::string_view v1_spec;
  std::string_view v1_status;
  std::string_view outer;
  std::string_view inner;
  bool always_in_spec = false;  // v1 shows it as "0" when it is not there
  bool always_in_status = false;
};

constexpr auto kMetricFields = std::to_array<MetricField>({
    {"object", "target", "target", "describedObject", ""},
    {"object", "metricName", "metricName", "metric", "name"},
    {"object", "targetValue", "currentValue", "", "value", true, true},
    {"object", "selector", "selector", "metric", "selector"},
    {"object", "averageValue", "averageValue", "", "averageValue"},
    {"pods", "metricName", "metricName", "metric", "name"},
    {"pods", "targetAverageValue", "currentAverageValue", "", "averageValue", true, true},
    {"pods", "selector", "selector", "metric", "selector"},
    {"resource", "name", "name", "name", ""},
    {"resource", "targetAverageUtilization", "currentAverageUtilization", "", "averageUtilization"},
    {"resource", "targetAverageValue", "currentAverageValue", "", "averageValue", false, true},
    {"containerResource", "name", "name", "name", ""},
    {"containerResource", "targetAverageUtilization", "currentAverageUtilization", "",
     "averageUtilization"},
    {"containerResource", "targetAverageValue", "currentAverageValue", "", "averageValue", false,
     true},
    {"containerResource", "container", "container", "container", ""},
    {"external", "metricName", "metricName", "metric", "name"},
    {"external", "metricSelector", "metricSelector", "metric", "selector"},
    {"external", "targetValue", "currentValue", "", "value", false, true},
    {"external", "targetAverageValue", "currentAverageValue", "", "averageValue"},
});

std::string WithFirst(std::string_view name, int (*change)(int)) {
  std::string out(name);
  if (!out.empty()) out[0] = static_cast<char>(change(static_cast<unsigned char>(out[0])));
  return out;
}
std::string Lower(std::string_view name) { return WithFirst(name, std::tolower); }
std::string Upper(std::string_view name) { return WithFirst(name, std::toupper); }

std::span<json::Value> Elements(json::Value* list) {
  return list == nullptr ? std::span<json::Value>() : list->elements();
}

// The percentage of a metric of the whole pod's CPU, or null.
const json::Value* CpuPercent(const json::Value& metric, std::string_view group) {
  if (metric.FindString({"type"}) != "Resource" ||
      metric.FindString({"resource", "name"}) != "cpu") {
    return nullptr;
  }
  return metric.Find({"resource", group, "averageUtilization"});
}

json::Value MetricToV1(const json::Value& metric, bool spec, json::Arena& arena) {
  const std::string kind = Lower(metric.FindString({"type"}));
  json::Value out = json::Value::Object();
  out.Set("type", json::Value::String(metric.FindString({"type"}), arena), arena);
  const json::Value* source = metric.Find(kind);
  if (source == nullptr) return out;
  json::Value& fields = out.SetDefaultObject(kind, arena);
  for (const MetricField& field : kMetricFields) {
    if (field.kind != kind) continue;
    const std::string_view outer =
        !field.outer.empty() ? field.outer : std::string_view(spec ? "target" : "current");
    const json::Value* value = source->Find(outer);
    if (value != nullptr && !field.inner.empty()) value = value->Find(field.inner);
    const std::string_view name = spec ? field.v1_spec : field.v1_status;
    if (value != nullptr) {
      fields.Set(name, value->Clone(arena), arena);
    } else if (spec ? field.always_in_spec : field.always_in_status) {
      fields.Set(name, json::Value::StringRef("0"), arena);
    }
  }
  return out;
}

// What a target of v2 is, which v1 leaves to be seen from its fields.
std::string_view TargetType(std::string_view kind, const json::Value& target) {
  if (target.Find("averageUtilization") != nullptr) return "Utilization";
  const bool value = target.Find("value") != nullptr;
  const bool average = target.Find("averageValue") != nullptr;
  if (kind == "object") return average ? "AverageValue" : "Value";
  if (kind == "external") return value ? "Value" : "AverageValue";
  return "AverageValue";
}

json::Value MetricFromV1(const json::Value& metric, bool spec, json::Arena& arena) {
  const std::string kind = Lower(metric.FindString({"type"}));
  const std::string_view group = spec ? "target" : "current";
  json::Value out = json::Value::Object();
  out.Set("type", json::Value::String(metric.FindString({"type"}), arena), arena);
  const json::Value* source = metric.Find(kind);
  if (source == nullptr || !source->IsObject()) return out;
  json::Value& fields = out.SetDefaultObject(kind, arena);
  fields.SetDefaultObject(group, arena);
  for (const MetricField& field : kMetricFields) {
    if (field.kind != kind) continue;
    const json::Value* value = source->Find(spec ? field.v1_spec : field.v1_status);
    if (value == nullptr || value->IsNull()) continue;
    const std::string_view outer = field.outer.empty() ? group : field.outer;
    if (field.inner.empty()) {
      fields.Set(outer, value->Clone(arena), arena);
    } else {
      fields.SetDefaultObject(outer, arena).Set(field.inner, value->Clone(arena), arena);
    }
  }
  if (spec) {
    json::Value& target = *fields.Find(group);
    target.Set("type", json::Value::StringRef(TargetType(kind, target)), arena);
  }
  return out;
}

// The annotation of the behavior has the names of Go's fields, and all of them.
json::Value BehaviorToGo(const json::Value& behavior, json::Arena& arena) {
  json::Value out = json::Value::Object();
  for (const std::string_view direction : {"scaleUp", "scaleDown"}) {
    const json::Value* rules = behavior.Find(direction);
    json::Value& to = out.Set(Upper(direction), json::Value(), arena);
    if (rules == nullptr) continue;
    to = json::Value::Object();
    for (const std::string_view name :
         {"stabilizationWindowSeconds", "selectPolicy", "policies", "tolerance"}) {
      const json::Value* value = rules->Find(name);
      json::Value& copy =
          to.Set(Upper(name), value == nullptr ? json::Value() : value->Clone(arena), arena);
      for (json::Value& policy : copy.elements()) {
        json::Value renamed = json::Value::Object();
        for (json::Member& member : policy.members()) {
          renamed.Set(Upper(member.name), std::move(member.value), arena);
        }
        policy = std::move(renamed);
      }
    }
  }
  return out;
}

json::Value FromGoNames(const json::Value& value, json::Arena& arena) {
  if (value.IsArray()) {
    json::Value out = json::Value::Array();
    for (const json::Value& element : value.elements()) {
      out.PushBack(FromGoNames(element, arena), arena);
    }
    return out;
  }
  if (!value.IsObject()) return value.Clone(arena);
  json::Value out = json::Value::Object();
  for (const json::Member& member : value.members()) {
    if (!member.value.IsNull()) {
      out.Set(Lower(member.name), FromGoNames(member.value, arena), arena);
    }
  }
  return out;
}

void Annotate(json::Document& object, std::string_view name, const json::Value& value) {
  object.root.SetDefaultObject("metadata", object.arena)
      .SetDefaultObject("annotations", object.arena)
      .Set(name, json::Value::String(json::ToString(value), object.arena), object.arena);
}

void DropAnnotations(json::Document& object) {
  json::Value* metadata = object.root.Find("metadata");
  json::Value* annotations = metadata == nullptr ? nullptr : metadata->Find("annotations");
  if (annotations == nullptr) return;
  for (const std::string_view name : {kMetrics, kCurrentMetrics, kBehavior, kConditions}) {
    annotations->Remove(name);
  }
  if (annotations->size() == 0) metadata->Remove("annotations");
}

// What an annotation says; one that cannot be read is passed over.
std::optional<json::Document> ReadAnnotation(const json::Document& object, std::string_view name) {
  const std::string_view text = object.root.FindString({"metadata", "annotations", name});
  if (text.empty()) return std::nullopt;
  auto parsed = json::Parse(text);
  if (!parsed) return std::nullopt;
  return std::move(*parsed);
}

json::Value CpuMetric(int64_t percent, bool spec, json::Arena& arena) {
  json::Value metric = json::Value::Object();
  metric.Set("type", json::Value::StringRef("Resource"), arena);
  json::Value& resource = metric.SetDefaultObject("resource", arena);
  resource.Set("name", json::Value::StringRef("cpu"), arena);
  json::Value& target = resource.SetDefaultObject(spec ? "target" : "current", arena);
  if (spec) target.Set("type", json::Value::StringRef("Utilization"), arena);
  target.Set("averageUtilization", json::Value::Int(percent), arena);
  return metric;
}

// Takes a percentage out of its field of v1.
std::optional<int64_t> TakePercent(json::Value& parent, std::string_view name) {
  const json::Value* value = parent.Find(name);
  if (value == nullptr) return std::nullopt;
  const std::optional<int64_t> percent =
      value->IsInt() ? std::optional(value->AsInt()) : std::nullopt;
  parent.Remove(name);
  return percent;
}

json::Value MetricsFromV1(const json::Value& metrics, bool spec, json::Arena& arena) {
  json::Value list = json::Value::Array();
  for (const json::Value& metric : metrics.elements()) {
    list.PushBack(MetricFromV1(metric, spec, arena), arena);
  }
  return list;
}

void SpecFromV1(json::Document& object) {
  json::Arena& arena = object.arena;
  json::Value& spec = object.root.SetDefaultObject("spec", arena);
  json::Value metrics = json::Value::Array();
  if (const auto others = ReadAnnotation(object, kMetrics); others && others->root.IsArray()) {
    metrics = MetricsFromV1(others->root, true, arena);
  }
  if (const auto percent = TakePercent(spec, "targetCPUUtilizationPercentage")) {
    metrics.PushBack(CpuMetric(*percent, true, arena), arena);
  }
  if (metrics.size() == 0) metrics.PushBack(CpuMetric(kCpuPercentDefault, true, arena), arena);
  spec.Set("metrics", std::move(metrics), arena);
  if (const auto behavior = ReadAnnotation(object, kBehavior); behavior && behavior->root.size()) {
    spec.Set("behavior", FromGoNames(behavior->root, arena), arena);
  }
}

void StatusFromV1(json::Document& object) {
  json::Arena& arena = object.arena;
  json::Value& status = object.root.SetDefaultObject("status", arena);
  json::Value metrics = json::Value::Array();
  if (const auto percent = TakePercent(status, "currentCPUUtilizationPercentage")) {
    metrics.PushBack(CpuMetric(*percent, false, arena), arena);
  }
  if (const auto all = ReadAnnotation(object, kCurrentMetrics); all && all->root.IsArray()) {
    metrics = MetricsFromV1(all->root, false, arena);
  }
  status.Set("currentMetrics", metrics.size() == 0 ? json::Value() : std::move(metrics), arena);
  if (const auto list = ReadAnnotation(object, kConditions); list && list->root.IsArray()) {
    status.Set("conditions", list->root.Clone(arena), arena);
  }
}

}  // namespace

void AutoscalerToV1(json::Document& object) {
  json::Arena& arena = object.arena;
  DropAnnotations(object);
  if (json::Value* spec = object.root.Find("spec")) {
    json::Value others = json::Value::Array();
    bool found = false;
    for (const json::Value& metric : Elements(spec->Find("metrics"))) {
      const json::Value* percent = CpuPercent(metric, "target");
      if (percent == nullptr) {
        others.PushBack(MetricToV1(metric, true, arena), arena);
      } else if (!found) {
        found = true;
        spec->Set("targetCPUUtilizationPercentage", percent->Clone(arena), arena);
      }
    }
    if (others.size() > 0) Annotate(object, kMetrics, others);
    if (const json::Value* behavior = spec->Find("behavior"); behavior && behavior->IsObject()) {
      Annotate(object, kBehavior, BehaviorToGo(*behavior, arena));
    }
    spec->Remove("metrics");
    spec->Remove("behavior");
  }
  if (json::Value* status = object.root.Find("status")) {
    json::Value all = json::Value::Array();
    for (const json::Value& metric : Elements(status->Find("currentMetrics"))) {
      if (const json::Value* percent = CpuPercent(metric, "current")) {
        status->Set("currentCPUUtilizationPercentage", percent->Clone(arena), arena);
      }
      all.PushBack(MetricToV1(metric, false, arena), arena);
    }
    if (all.size() > 0) Annotate(object, kCurrentMetrics, all);
    const json::Value* conditions = status->Find("conditions");
    if (conditions != nullptr && conditions->size() > 0) {
      Annotate(object, kConditions, *conditions);
    }
    status->Remove("currentMetrics");
    status->Remove("conditions");
  }
}

void AutoscalerFromV1(json::Document& object) {
  SpecFromV1(object);
  StatusFromV1(object);
  DropAnnotations(object);
}

}  // namespace kulisse::apiserver
