// Managers of what is written through /scale: they own the replicas of the workload. Upstream:
// managedfields/scalehandler.go, whose ways are kept where clients see them: a manager of updates
// that keeps the replicas through a write of the scale gets an entry of its own for them, without a
// time.
#include "apiserver/registry/field_manager.h"
#include "apiserver/registry/reset_fields.h"
#include "base/assert.h"

namespace kulisse::apiserver {

namespace {

using openapi::ManagedFields;
using openapi::ManagedFieldsEntry;
using openapi::ManagerId;

constexpr std::string_view kScaleVersion = "autoscaling/v1";
constexpr std::string_view kReplicas[] = {"f:spec", "f:replicas"};

openapi::FieldSet ReplicasField(json::Arena& arena) {
  openapi::FieldSet replicas;
  replicas.Insert(kReplicas, arena);
  return replicas;
}

// As a Scale shows them, where none are left out.
int64_t ReplicasOf(const json::Value& object) {
  const json::Value* replicas = object.Find({"spec", "replicas"});
  return replicas != nullptr && replicas->IsNumber() ? static_cast<int64_t>(replicas->AsDouble())
                                                     : 0;
}

ManagedFields Parse(std::string_view text, json::Arena& arena) {
  auto managed = ManagedFields::Parse(text, arena);
  KULISSE_ASSERT(managed.has_value());  // we wrote it
  return std::move(*managed);
}

// The managers of the workload's replicas as managers of the Scale.
ManagedFields ScaleManagers(const ManagedFields& workload, std::string_view api_version,
                            json::Arena& arena) {
  ManagedFields scale;
  for (const ManagedFieldsEntry& entry : workload.entries()) {
    if (entry.id.api_version != api_version || !entry.fields.Has(kReplicas)) continue;
    ManagerId id = entry.id;
    id.api_version = kScaleVersion;
    scale.entries().push_back({id, entry.time, ReplicasField(arena), {}});
  }
  return scale;
}

// The managers of the workload after a write of its Scale, whose managers are `scale` then.
std::string WorkloadManagers(ManagedFields workload, ManagedFields scale,
                             std::string_view api_version, json::Arena& arena) {
  const openapi::FieldSet replicas = ReplicasField(arena);
  std::erase_if(workload.entries(), [&](ManagedFieldsEntry& entry) {
    if (entry.id.api_version != api_version) return true;
    if (!entry.fields.Has(kReplicas)) return false;
    if (scale.Find(entry.id) != nullptr) {
      std::erase_if(scale.entries(),
                    [&](const ManagedFieldsEntry& kept) { return kept.id == entry.id; });
      return false;
    }
    entry.fields = Difference(entry.fields, replicas, arena);
    return entry.fields.empty();
  });
  for (const ManagedFieldsEntry& entry : scale.entries()) {
    if (!entry.fields.Has(kReplicas)) continue;
    ManagerId id = entry.id;
    id.api_version = api_version;
    workload.entries().push_back({id, {}, replicas, {}});
  }
  return workload.ToText();
}

}  // namespace

std::string FieldManager::UpdateScale(std::string_view current, const json::Value& old,
                                      const json::Value& object) {
  const std::string api_version = stored_.api_version();
  ManagedFields workload = Parse(current, arena_);
  ManagedFields scale = ScaleManagers(workload, api_version, arena_);
  if (!scale.empty() && ReplicasOf(old) != ReplicasOf(object)) {
    scale.entries().clear();
    ManagerId self = Self(false);
    self.api_version = kScaleVersion;
    if (ReplicasOf(object) != 0) {
      scale.entries().push_back({self, now_, ReplicasField(arena_), {}});
    }
  }
  return WorkloadManagers(std::move(workload), std::move(scale), api_version, arena_);
}

Result<std::pair<int64_t, std::string>> FieldManager::ApplyScale(std::string_view current,
                                                                 const json::Value& live_scale,
                                                                 openapi::TypeId scale_type,
                                                                 const AppliedConfig& applied) {
  KULISSE_TRY(CheckConfig(applied.config, "autoscaling", "v1", "Scale", scale_type));
  const std::string api_version = stored_.api_version();
  ManagedFields workload = Parse(current, arena_);
  ManagedFields scale = ScaleManagers(workload, api_version, arena_);
  if (scale.empty() && ReplicasOf(live_scale) != 0) {
    const ManagerId before{.manager = kBeforeFirstApply,
                           .applied = false,
                           .api_version = kScaleVersion,
                           .subresource = writer_.subresource};
    scale.entries().push_back({before, now_, ReplicasField(arena_), {}});
  }
  json::Value live = live_scale.Clone(arena_);
  SetKind(kScaleVersion, "Scale", live, arena_);
  openapi::Applier applier(
      types_,
      [this](const json::Value& value, std::string_view, std::string_view) {
        return std::optional(value.Clone(arena_));
      },
      [scale_type](std::string_view) { return std::optional(scale_type); }, arena_);
  const openapi::FieldSet none;
  ManagerId self = Self(true);
  self.api_version = kScaleVersion;
  const openapi::ApplyRequest request{.live = live,
                                      .config = applied.config,
                                      .self = self,
                                      .now = now_,
                                      .force = applied.force,
                                      .reset = none,
                                      .ignored = none,
                                      .system = SystemFields()};
  KULISSE_ASSIGN(const std::optional<json::Value> made,
                 ApplyWithMigration(applier, request, &scale));
  return std::pair(ReplicasOf(made ? *made : live),
                   WorkloadManagers(std::move(workload), std::move(scale), api_version, arena_));
}

}  // namespace kulisse::apiserver
