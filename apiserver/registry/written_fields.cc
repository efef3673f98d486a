#include "apiserver/registry/written_fields.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "base/text.h"

namespace kulisse::apiserver {

namespace {

using json::Value;

constexpr std::string_view kControllerUid = "batch.kubernetes.io/controller-uid";
constexpr std::string_view kTemplateGeneration = "deprecated.daemonset.template.generation";

bool IsEmpty(const Value* list) { return list == nullptr || list->size() == 0; }

Value& ObjectAt(json::Document& document, std::initializer_list<std::string_view> path) {
  Value* value = &document.root;
  for (const std::string_view name : path) {
    value = &value->SetDefaultObject(name, document.arena);
  }
  return *value;
}

// A field of a feature that is off by default.
struct DisabledField {
  std::string_view storage_name;
  std::array<std::string_view, 4> path;
};

constexpr auto kDisabledFields = std::to_array<DisabledField>({
    {"statefulsets.apps", {"spec", "updateStrategy", "rollingUpdate", "maxUnavailable"}},
});

bool IsClaimOrSnapshot(const Value& source) {
  const std::string_view group = source.FindString({"apiGroup"});
  const std::string_view kind = source.FindString({"kind"});
  return (group.empty() && kind == "PersistentVolumeClaim") ||
         (group == "snapshot.storage.k8s.io" && kind == "VolumeSnapshot");
}

}  // namespace

void WriteJobSelector(json::Document& job) {
  const Value* manual = job.root.Find({"spec", "manualSelector"});
  if (manual != nullptr && manual->IsBool() && manual->AsBool()) return;
  json::Arena& arena = job.arena;
  const Value& metadata = ObjectAt(job, {"metadata"});
  const std::string name(metadata.FindString({"name"}));
  const std::string uid(metadata.FindString({"uid"}));
  Value& labels = ObjectAt(job, {"spec", "template", "metadata", "labels"});
  const auto set_default = [&](std::string_view key, std::string_view value) {
    if (labels.Find(key) == nullptr) labels.Set(key, Value::String(value, arena), arena);
  };
  set_default("job-name", name);
  set_default("batch.kubernetes.io/job-name", name);
  set_default("controller-uid", uid);
  set_default(kControllerUid, uid);
  Value& selected = ObjectAt(job, {"spec", "selector", "matchLabels"});
  if (selected.Find(kControllerUid) == nullptr) {
    selected.Set(kControllerUid, Value::String(uid, arena), arena);
  }
  if (IsEmpty(job.root.Find({"metadata", "labels"}))) {
    Value copy = job.root.Find({"spec", "template", "metadata", "labels"})->Clone(arena);
    ObjectAt(job, {"metadata"}).Set("labels", std::move(copy), arena);
  }
}

bool DropDeprecatedTopology(json::Document& slice) {
  Value* endpoints = slice.root.Find("endpoints");
  if (endpoints == nullptr || !endpoints->IsArray()) return false;
  bool dropped = false;
  for (Value& endpoint : endpoints->elements()) {
    dropped = dropped || endpoint.Find("deprecatedTopology") != nullptr;
    endpoint.Remove("deprecatedTopology");
  }
  return dropped;
}

void WriteTemplateGeneration(json::Document& daemon_set, const json::Value* old) {
  const std::initializer_list<std::string_view> path = {"metadata", "annotations",
                                                        kTemplateGeneration};
  const Value& given = old == nullptr ? daemon_set.root : *old;
  uint64_t generation = ParseUint64(given.FindString(path)).value_or(0);
  if (old == nullptr) {
    generation = std::max<uint64_t>(generation, 1);
  } else {
    const Value* now = daemon_set.root.Find({"spec", "template"});
    const Value* before = old->Find({"spec", "template"});
    if (now != nullptr && before != nullptr && !(*now == *before)) ++generation;
  }
  ObjectAt(daemon_set, {"metadata", "annotations"})
      .Set(kTemplateGeneration, Value::String(std::to_string(generation), daemon_set.arena),
           daemon_set.arena);
}

void WriteDataSources(json::Document& claim, const json::Value* old) {
  json::Arena& arena = claim.arena;
  Value& spec = ObjectAt(claim, {"spec"});
  const bool in_use = old != nullptr && (old->Find({"spec", "dataSource"}) != nullptr ||
                                         old->Find({"spec", "dataSourceRef"}) != nullptr);
  if (const Value* given = spec.Find("dataSource");
      given != nullptr && !in_use && !IsClaimOrSnapshot(*given)) {
    spec.Remove("dataSource");
  }
  const Value* source = spec.Find("dataSource");
  const Value* reference = spec.Find("dataSourceRef");
  if (source != nullptr && reference == nullptr) {
    spec.Set("dataSourceRef", source->Clone(arena), arena);
  } else if (source == nullptr && reference != nullptr &&
             reference->FindString({"namespace"}).empty()) {
    Value copy = reference->Clone(arena);
    copy.Remove("namespace");
    spec.Set("dataSource", std::move(copy), arena);
  }
}

void WritePhaseTransitionTime(json::Document& volume, const json::Value* old,
                              std::string_view now) {
  static constexpr std::string_view kField = "lastPhaseTransitionTime";
  Value& status = ObjectAt(volume, {"status"});
  std::string_view time = now;
  if (old != nullptr) {
    const std::string_view given = status.FindString({kField});
    const std::string_view before = old->FindString({"status", kField});
    const bool same_phase = status.FindString({"phase"}) == old->FindString({"status", "phase"});
    const bool set_by_client = !given.empty() && given != before;
    if (set_by_client || (same_phase && before.empty())) return;
    if (same_phase) time = before;
  }
  status.Set(kField, Value::String(time, volume.arena), volume.arena);
}

void WriteSchedulingGatedCondition(json::Document& pod) {
  if (IsEmpty(pod.root.Find({"spec", "schedulingGates"}))) return;
  json::Arena& arena = pod.arena;
  const std::string_view created = pod.root.FindString({"metadata", "creationTimestamp"});
  Value condition = Value::Object();
  for (const auto& [name, text] :
       std::initializer_list<std::pair<std::string_view, std::string_view>>{
           {"type", "PodScheduled"},
           {"status", "False"},
           {"lastTransitionTime", created},
           {"reason", "SchedulingGated"},
           {"message", "Scheduling is blocked due to non-empty scheduling gates"}}) {
    condition.Set(name, Value::String(text, arena), arena);
  }
  if (const Value* now = pod.root.Find({"metadata", "creationTimestamp"})) {
    condition.Set("lastTransitionTime", now->Clone(arena), arena);
  }
  Value conditions = Value::Array();
  conditions.PushBack(std::move(condition), arena);
  ObjectAt(pod, {"status"}).Set("conditions", std::move(conditions), arena);
}

void WriteLocalAvailable(json::Document& api_service) {
  json::Arena& arena = api_service.arena;
  if (const Value* spec = api_service.root.Find("spec")) {
    if (spec->Find("service") != nullptr) return;
  }
  const std::string_view now = api_service.root.FindString({"metadata", "creationTimestamp"});
  Value condition = Value::Object();
  condition.Set("type", Value::StringRef("Available"), arena);
  condition.Set("status", Value::StringRef("True"), arena);
  condition.Set("lastTransitionTime", Value::String(now, arena), arena);
  condition.Set("reason", Value::StringRef("Local"), arena);
  condition.Set("message", Value::StringRef("Local APIServices are always available"), arena);
  Value conditions = Value::Array();
  conditions.PushBack(std::move(condition), arena);
  ObjectAt(api_service, {"status"}).Set("conditions", std::move(conditions), arena);
}

void WriteStoredVersions(json::Document& definition) {
  const Value* versions = definition.root.Find({"spec", "versions"});
  if (versions == nullptr) return;
  const auto is_stored = [](const Value& version) {
    const Value* storage = version.Find("storage");
    return storage != nullptr && storage->IsBool() && storage->AsBool();
  };
  const auto version = std::ranges::find_if(versions->elements(), is_stored);
  if (version == versions->elements().end()) return;
  const std::string_view name = version->FindString({"name"});
  Value& status = ObjectAt(definition, {"status"});
  Value* stored = status.Find("storedVersions");
  if (stored == nullptr || !stored->IsArray()) {
    stored = &status.Set("storedVersions", Value::Array(), definition.arena);
  }
  const auto is_name = [name](const Value& element) { return element.AsString() == name; };
  if (std::ranges::any_of(stored->elements(), is_name)) return;
  stored->PushBack(Value::String(name, definition.arena), definition.arena);
}

void DropDisabledFields(std::string_view storage_name, json::Document& object,
                        const json::Value* old) {
  for (const DisabledField& field : kDisabledFields) {
    if (field.storage_name != storage_name) continue;
    const auto& [a, b, c, name] = field.path;
    if (old != nullptr && old->Find({a, b, c, name}) != nullptr) continue;
    if (Value* parent = object.root.Find({a, b, c})) parent->Remove(name);
  }
}

}  // namespace kulisse::apiserver
