#include "apiserver/registry/deletion.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "apiserver/registry/kind_rules.h"
#include "apiserver/registry/object_encoding.h"
#include "apiserver/registry/resource_store.h"
#include "apiserver/registry/strategy.h"
#include "base/assert.h"
#include "openapi/typed.h"

namespace kulisse::apiserver {

namespace {

using openapi::ResourceInfo;
using storage::Change;
using storage::RecordPtr;

constexpr std::string_view kOrphan = "orphan";
constexpr std::string_view kForeground = "foregroundDeletion";

bool HasFinalizer(const json::Value& metadata, std::string_view name) {
  const json::Value* finalizers = metadata.Find("finalizers");
  if (finalizers == nullptr) return false;
  return std::ranges::any_of(finalizers->elements(), [name](const json::Value& finalizer) {
    return finalizer.IsString() && finalizer.AsString() == name;
  });
}

void RemoveFinalizer(json::Value& metadata, std::string_view name) {
  json::Value* finalizers = metadata.Find("finalizers");
  if (finalizers == nullptr) return;
  for (size_t i = finalizers->size(); i-- > 0;) {
    if (finalizers->elements()[i].AsString() == name) finalizers->EraseElement(i);
  }
  if (finalizers->size() == 0) metadata.Remove("finalizers");
}

// The finalizers by which the garbage collector learns what to do with dependents.
void SetPropagation(json::Document& object, const ResourceInfo& resource,
                    const DeleteOptions& options) {
  json::Value& metadata = *object.root.Find("metadata");
  std::string_view wanted;
  if (options.propagation_policy) {
    if (*options.propagation_policy == "Orphan") wanted = kOrphan;
    if (*options.propagation_policy == "Foreground") wanted = kForeground;
  } else if (HasFinalizer(metadata, kOrphan)) {
    wanted = kOrphan;
  } else if (HasFinalizer(metadata, kForeground)) {
    wanted = kForeground;
  } else if (RulesOf(resource).orphans_by_default) {
    wanted = kOrphan;
  }
  for (const std::string_view name : {kOrphan, kForeground}) {
    if (name != wanted) RemoveFinalizer(metadata, name);
  }
  if (wanted.empty() || HasFinalizer(metadata, wanted)) return;
  json::Value* finalizers = metadata.Find("finalizers");
  if (finalizers == nullptr) {
    finalizers = &metadata.Set("finalizers", json::Value::Array(), object.arena);
  }
  finalizers->PushBack(json::Value::StringRef(wanted), object.arena);
}

int64_t IntAt(const json::Value& object, std::string_view name, int64_t missing) {
  const json::Value* value = object.Find(name);
  return value != nullptr && value->IsInt() ? value->AsInt() : missing;
}

// Marks the object as being deleted, or shortens the time it has left.
void MarkDeleting(json::Document& object, const ResourceInfo& resource, int64_t grace_seconds,
                  SystemTime now) {
  json::Value& metadata = *object.root.Find("metadata");
  json::Arena& arena = object.arena;
  const std::string_view since = metadata.FindString({"deletionTimestamp"});
  SystemTime end = now + std::chrono::seconds(grace_seconds);
  if (!since.empty()) {
    const int64_t old_grace = IntAt(metadata, "deletionGracePeriodSeconds", 0);
    if (grace_seconds >= old_grace) return;
    const auto old_end = ParseTime(since);
    if (old_end) end = *old_end + std::chrono::seconds(grace_seconds - old_grace);
  } else if (const int64_t generation = IntAt(metadata, "generation", 0); generation > 0) {
    metadata.Set("generation", json::Value::Int(generation + 1), arena);
  }
  metadata.Set("deletionTimestamp", json::Value::String(FormatTime(end), arena), arena);
  // Namespaces say nothing of grace.
  if (resource.storage_name == "namespaces") return;
  metadata.Set("deletionGracePeriodSeconds", json::Value::Int(grace_seconds), arena);
}

}  // namespace

Result<void> CheckPreconditions(const Preconditions& preconditions, const json::Value& object,
                                const ResourceInfo& resource) {
  // Upstream names the kind here, not the resource.
  const GroupResource kind{resource.group, resource.kind};
  const std::string_view name = object.FindString({"metadata", "name"});
  const std::string_view uid = object.FindString({"metadata", "uid"});
  if (preconditions.uid && *preconditions.uid != uid && resource.storage_name == "namespaces") {
    return std::unexpected(Status::Conflict(
        resource.group_resource(), name,
        fmt::format("Precondition failed: UID in precondition: {}, UID in object meta: {}",
                    *preconditions.uid, uid)));
  }
  if (preconditions.uid && *preconditions.uid != uid) {
    return std::unexpected(Status::Conflict(
        kind, name,
        fmt::format("the UID in the precondition ({}) does not match the UID in record ({}). The "
                    "object might have been deleted and then recreated",
                    *preconditions.uid, uid)));
  }
  const std::string_view revision = object.FindString({"metadata", "resourceVersion"});
  if (preconditions.resource_version && *preconditions.resource_version != revision) {
    return std::unexpected(Status::Conflict(
        kind, name,
        fmt::format("the ResourceVersion in the precondition ({}) does not match the "
                    "ResourceVersion in record ({}). The object might have been modified",
                    *preconditions.resource_version, revision)));
  }
  return {};
}

bool IsReadyToBeRemoved(const ResourceInfo& resource, const json::Value& object) {
  const json::Value* metadata = object.Find("metadata");
  if (metadata == nullptr || metadata->Find("deletionTimestamp") == nullptr) return false;
  const json::Value* finalizers = metadata->Find("finalizers");
  if (finalizers != nullptr && finalizers->size() > 0) return false;
  if (IntAt(*metadata, "deletionGracePeriodSeconds", 0) != 0) return false;
  return StrategyOf(resource).ReadyToBeDeleted(object);
}

Result<WriteResult> ResourceStore::Delete(const RequestContext& context,
                                          const ResourceInfo& resource, const ObjectName& name,
                                          const DeleteOptions& options) {
  const bool is_namespace = resource.storage_name == "namespaces";
  AdmissionAttributes attributes{
      AdmissionOperation::kDelete, resource, "", name.ns, name.name, nullptr, nullptr, context};
  if (admission_ != nullptr) KULISSE_TRY(admission_->Mutate(attributes));
  std::unique_ptr<EncodedObject> encoded;
  json::Document object;
  bool removes = false;
  const auto change = [&](const RecordPtr& current) -> Result<Change> {
    if (current == nullptr) {
      return std::unexpected(
          Status::NotFound(Named(context, resource).group_resource(), name.name));
    }
    object = DecodeObject(*current);
    KULISSE_TRY(CheckPreconditions(options.preconditions, object.root, resource));
    attributes.old = &object.root;
    if (admission_ != nullptr) KULISSE_TRY(admission_->Validate(attributes));
    const Strategy& strategy = StrategyOf(resource);
    SetPropagation(object, resource, options);
    const auto grace = strategy.GracePeriodSeconds(object.root, options.grace_period_seconds);
    const bool had_begun = object.root.Find({"metadata", "deletionTimestamp"}) != nullptr;
    MarkDeleting(object, resource, grace.value_or(0), runtime_.Now());
    if (is_namespace) {
      object.root.SetDefaultObject("status", object.arena)
          .Set("phase", json::Value::StringRef("Terminating"), object.arena);
    }
    const auto normalized =
        openapi::Normalize(object.root, resource.type, types_, object.arena, nullptr);
    KULISSE_ASSERT(normalized.has_value());
    removes = IsReadyToBeRemoved(resource, object.root);
    encoded = std::make_unique<EncodedObject>();
    if (removes && !had_begun && !grace) {
      // It goes at once: the last state is the one that was there. Kinds with grace show theirs.
      return Change{Change::Kind::kDelete, std::nullopt};
    }
    EncodeObject(resource, object.root, current->managed_fields(), encoded.get());
    return Change{removes ? Change::Kind::kDelete : Change::Kind::kPut, encoded->content};
  };
  const storage::Key key{resource.storage_name, name.ns, name.name};
  WriteResult result;
  if (context.dry_run) {
    const RecordPtr current = store_.Get(key);
    KULISSE_ASSIGN(const Change wanted, change(current));
    result.record = current;
    if (wanted.content) result.record = DryRunRecord(*wanted.content, current->revision());
    result.deleted = removes;
    return result;
  }
  KULISSE_ASSIGN(storage::Committed committed, store_.GuaranteedUpdate(key, change));
  if (admission_ != nullptr) admission_->Committed(resource, key);
  result.record = std::move(committed.record);
  result.revision = committed.revision;
  result.changed = committed.changed;
  result.deleted = removes;
  if (removes && AllocatorOf(resource) != nullptr) AllocatorOf(resource)->Release(object.root);
  return result;
}

}  // namespace kulisse::apiserver
