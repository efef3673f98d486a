#include "apiserver/registry/conversion.h"

#include <array>

#include "base/assert.h"
#include "openapi/typed.h"

namespace kulisse::apiserver {

namespace {

struct Rename {
  std::string_view stored;
  std::string_view served;
};

// core/v1 Event as events.k8s.io/v1 names it.
constexpr auto kEventRenames = std::to_array<Rename>({
    {"involvedObject", "regarding"},
    {"message", "note"},
    {"source", "deprecatedSource"},
    {"firstTimestamp", "deprecatedFirstTimestamp"},
    {"lastTimestamp", "deprecatedLastTimestamp"},
    {"count", "deprecatedCount"},
    {"reportingComponent", "reportingController"},
});

void RenameMembers(json::Value& object, bool from_storage) {
  for (json::Member& member : object.members()) {
    for (const Rename& rename : kEventRenames) {
      if (member.name != (from_storage ? rename.stored : rename.served)) continue;
      member.name = from_storage ? rename.served : rename.stored;
      break;
    }
  }
}

// The CPU utilization metric of a v2 autoscaler, or null.
json::Value* FindCpuMetric(json::Value* metrics) {
  if (metrics == nullptr) return nullptr;
  for (json::Value& metric : metrics->elements()) {
    if (metric.FindString({"type"}) == "Resource" &&
        metric.FindString({"resource", "name"}) == "cpu") {
      return metric.Find("resource");
    }
  }
  return nullptr;
}

void AutoscalerToV1(json::Document& object) {
  json::Arena& arena = object.arena;
  if (json::Value* spec = object.root.Find("spec")) {
    if (json::Value* cpu = FindCpuMetric(spec->Find("metrics"))) {
      if (const json::Value* target = cpu->Find({"target", "averageUtilization"})) {
        spec->Set("targetCPUUtilizationPercentage", target->Clone(arena), arena);
      }
    }
    spec->Remove("metrics");
    spec->Remove("behavior");
  }
  if (json::Value* status = object.root.Find("status")) {
    if (json::Value* cpu = FindCpuMetric(status->Find("currentMetrics"))) {
      if (const json::Value* current = cpu->Find({"current", "averageUtilization"})) {
        status->Set("currentCPUUtilizationPercentage", current->Clone(arena), arena);
      }
    }
    status->Remove("currentMetrics");
    status->Remove("conditions");
  }
}

void AutoscalerFromV1(json::Document& object) {
  json::Arena& arena = object.arena;
  json::Value* spec = object.root.Find("spec");
  if (spec == nullptr) return;
  json::Value* percentage = spec->Find("targetCPUUtilizationPercentage");
  if (percentage == nullptr) return;
  json::Value target = json::Value::Object();
  target.Set("type", json::Value::StringRef("Utilization"), arena);
  target.Set("averageUtilization", percentage->Clone(arena), arena);
  json::Value resource = json::Value::Object();
  resource.Set("name", json::Value::StringRef("cpu"), arena);
  resource.Set("target", std::move(target), arena);
  json::Value metric = json::Value::Object();
  metric.Set("type", json::Value::StringRef("Resource"), arena);
  metric.Set("resource", std::move(resource), arena);
  json::Value metrics = json::Value::Array();
  metrics.PushBack(std::move(metric), arena);
  spec->Set("metrics", std::move(metrics), arena);
  spec->Remove("targetCPUUtilizationPercentage");
}

void Canonicalize(json::Document& object, openapi::TypeId type, const openapi::TypeTable& types) {
  const auto normalized = openapi::Normalize(object.root, type, types, object.arena, nullptr);
  KULISSE_ASSERT(normalized.has_value());
}

}  // namespace

void ConvertFromStorage(const openapi::ResourceInfo& resource, const openapi::TypeTable& types,
                        json::Document& object) {
  if (resource.storage_name == "events") {
    RenameMembers(object.root, true);
  } else {
    AutoscalerToV1(object);
  }
  Canonicalize(object, resource.type, types);
}

void ConvertToStorage(const openapi::ResourceInfo& resource, const openapi::TypeTable& types,
                      json::Document& object) {
  if (resource.storage_name == "events") {
    RenameMembers(object.root, false);
  } else {
    AutoscalerFromV1(object);
  }
  Canonicalize(object, resource.storage->type, types);
}

}  // namespace kulisse::apiserver
