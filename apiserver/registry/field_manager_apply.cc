// Server-side apply of objects. Upstream: managedfields/internal (structuredmerge.go,
// lastappliedmanager.go).
#include <fmt/format.h>

#include "apiserver/registry/conversion.h"
#include "apiserver/registry/field_manager.h"
#include "apiserver/registry/last_applied.h"
#include "apiserver/registry/reset_fields.h"
#include "apiserver/registry/versioned_comparison.h"
#include "base/assert.h"
#include "openapi/defaulting.h"
#include "openapi/managed_fields/typed_object.h"
#include "openapi/typed.h"

namespace kulisse::apiserver {

namespace {

using openapi::ManagedFields;
using openapi::ResourceInfo;

// A kind as Go prints a GroupVersionKind: apps/v1, Kind=Deployment.
std::string KindText(std::string_view api_version, std::string_view kind) {
  const bool grouped = api_version.find('/') != api_version.npos;
  return fmt::format("{}{}, Kind={}", grouped || api_version.empty() ? "" : "/",
                     api_version.empty() ? "/" : api_version, kind);
}

// default/a; /v1, Kind=ConfigMap
std::string ConfigText(const json::Value& config) {
  return fmt::format("{}/{}; {}", config.FindString({"metadata", "namespace"}),
                     config.FindString({"metadata", "name"}),
                     KindText(config.FindString({"apiVersion"}), config.FindString({"kind"})));
}

}  // namespace

void SetKind(std::string_view api_version, std::string_view kind, json::Value& object,
             json::Arena& arena) {
  object.Set("kind", json::Value::String(kind, arena), arena);
  object.Set("apiVersion", json::Value::String(api_version, arena), arena);
}

Result<void> FieldManager::CheckConfig(const json::Value& config, std::string_view group,
                                       std::string_view version, std::string_view kind,
                                       openapi::TypeId type) const {
  const std::string_view api_version = config.FindString({"apiVersion"});
  const std::string wanted =
      group.empty() ? std::string(version) : fmt::format("{}/{}", group, version);
  if (api_version != wanted || config.FindString({"kind"}) != kind) {
    return std::unexpected(Status::BadRequest(fmt::format(
        "invalid object type: {}", KindText(api_version, config.FindString({"kind"})))));
  }
  const json::Value* managed = config.Find({"metadata", "managedFields"});
  if (managed != nullptr && managed->IsArray()) {
    return std::unexpected(Status::BadRequest("metadata.managedFields must be nil"));
  }
  const std::string error = openapi::ValidateTyped(config, type, types_);
  if (error.empty()) return {};
  return std::unexpected(Status::Plain(
      500, fmt::format("failed to create typed patch object ({}): {}", ConfigText(config), error)));
}

json::Value FieldManager::Served(const json::Value* live) {
  json::Value object;
  if (live == nullptr) {
    object = EmptyObject(served_.type, types_).Clone(arena_);
  } else if (&served_ == &stored_) {
    object = live->Clone(arena_);
  } else {
    json::Document copy;
    copy.root = live->Clone(copy.arena);
    ConvertFromStorage(served_, types_, copy);
    object = copy.root.Clone(arena_);
  }
  SetKind(served_.api_version(), served_.kind, object, arena_);
  return object;
}

std::optional<json::Value> FieldManager::Convert(const json::Value& value, std::string_view from,
                                                 std::string_view to) {
  const ResourceInfo* source = FindVersion(catalog_, stored_, from);
  const ResourceInfo* target = FindVersion(catalog_, stored_, to);
  if (source == nullptr || target == nullptr) return std::nullopt;
  json::Document copy;
  copy.root = value.Clone(copy.arena);
  if (!openapi::Normalize(copy.root, source->type, types_, copy.arena, nullptr)) {
    return std::nullopt;
  }
  if (source != &stored_) ConvertToStorage(*source, types_, copy);
  if (target != &stored_) ConvertFromStorage(*target, types_, copy);
  SetKind(target->api_version(), target->kind, copy.root, copy.arena);
  return copy.root.Clone(arena_);
}

Result<std::optional<json::Value>> FieldManager::ApplyWithMigration(openapi::Applier& applier,
                                                                    openapi::ApplyRequest request,
                                                                    ManagedFields* managed) {
  auto applied = applier.Apply(request, managed);
  if (applied) return std::move(*applied);
  std::vector<openapi::ApplyConflict> conflicts = std::move(applied).error();
  if (request.self.manager == kLastAppliedManager) {
    const auto allowed = LastAppliedFields(request.live, served_.type, types_, arena_);
    if (allowed) {
      std::erase_if(conflicts, [&](const openapi::ApplyConflict& conflict) {
        return allowed->Has(conflict.path);
      });
    }
    if (conflicts.empty()) {
      request.force = true;
      applied = applier.Apply(request, managed);
      KULISSE_ASSERT(applied.has_value());
      return std::move(*applied);
    }
  }
  return std::unexpected(openapi::ConflictStatus(conflicts));
}

Result<AppliedObject> FieldManager::Apply(std::string_view current, const json::Value* live,
                                          const AppliedConfig& applied) {
  KULISSE_TRY(
      CheckConfig(applied.config, served_.group, served_.version, served_.kind, served_.type));
  const json::Value before = Served(live);
  auto managed = ManagedFields::Parse(current, arena_);
  KULISSE_ASSERT(managed.has_value());
  if (managed->empty() && live != nullptr) {
    FieldWriter first = writer_;
    first.manager = kBeforeFirstApply;
    FieldManager tracker(catalog_, types_, stored_, first, ParseTime(now_).value_or(SystemTime()));
    const std::string text = tracker.Track({}, EmptyObject(stored_.type, types_), *live);
    managed = ManagedFields::Parse(arena_.Copy(text), arena_);
  }
  openapi::Applier applier(
      types_,
      [this](const json::Value& value, std::string_view from, std::string_view to) {
        return Convert(value, from, to);
      },
      [this](std::string_view api_version) -> std::optional<openapi::TypeId> {
        const ResourceInfo* row = FindVersion(catalog_, stored_, api_version);
        return row == nullptr ? std::nullopt : std::optional(row->type);
      },
      arena_);
  const IgnoredFields& ignored = IgnoredFieldsOf(stored_, writer_.subresource);
  const openapi::ApplyRequest request{.live = before,
                                      .config = applied.config,
                                      .self = Self(true),
                                      .now = now_,
                                      .force = applied.force,
                                      .reset = ignored.reset,
                                      .ignored = ignored.all,
                                      .system = SystemFields()};
  KULISSE_ASSIGN(const std::optional<json::Value> made,
                 ApplyWithMigration(applier, request, &*managed));
  AppliedObject result;
  json::Document& object = result.object;
  object.root = (made ? *made : before).Clone(object.arena);
  const auto normalized =
      openapi::Normalize(object.root, served_.type, types_, object.arena, nullptr);
  if (!normalized) {
    return std::unexpected(Status::Plain(
        500, fmt::format("failed to convert new object ({}) to proper version: unable to convert "
                         "unstructured object to {}: {}",
                         ConfigText(applied.config), KindText(served_.api_version(), served_.kind),
                         normalized.error())));
  }
  if (writer_.manager == kLastAppliedManager) UpdateLastApplied(applied.config, object);
  if (&served_ != &stored_) ConvertToStorage(served_, types_, object);
  result.managed_fields = managed->ToText();
  return result;
}

}  // namespace kulisse::apiserver
