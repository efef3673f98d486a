#include "apiserver/registry/resource_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "apiserver/registry/app_armor.h"
#include "apiserver/registry/certificate_requests.h"
#include "apiserver/registry/deletion.h"
#include "apiserver/registry/field_manager.h"
#include "apiserver/registry/kind_rules.h"
#include "apiserver/registry/object_encoding.h"
#include "apiserver/registry/object_meta.h"
#include "apiserver/registry/strategy.h"
#include "apiserver/registry/subresource_rules.h"
#include "apiserver/registry/warnings.h"
#include "apiserver/registry/written_fields.h"
#include "base/assert.h"
#include "base/text.h"
#include "openapi/defaulting.h"
#include "openapi/typed.h"
#include "openapi/validation/validation.h"

namespace kulisse::apiserver {

namespace {

using openapi::ResourceInfo;
using storage::Change;
using storage::Committed;
using storage::RecordPtr;

// The part of the object below `name` in the canonical form of an empty one.
void ResetField(json::Document& object, const ResourceInfo& resource, std::string_view name,
                const openapi::TypeTable& types) {
  const openapi::TypeInfo& type = types.Get(resource.type);
  if (type.custom) {
    object.root.Remove(name);
    return;
  }
  const int index = type.FindJson(name);
  if (index < 0) return;
  json::Value empty = json::Value::Object();
  const openapi::TypeId field_type = type.json_fields[static_cast<size_t>(index)].field->type;
  const auto normalized = openapi::Normalize(empty, field_type, types, object.arena, nullptr);
  KULISSE_ASSERT(normalized.has_value());
  object.root.Set(name, std::move(empty), object.arena);
}

// Puts members that were appended into their places. The object was canonical before we changed
// it, so this cannot fail.
void Canonicalize(json::Document& object, const ResourceInfo& resource,
                  const openapi::TypeTable& types,
                  std::optional<openapi::Touched> touched = std::nullopt) {
  const auto normalized =
      openapi::NormalizeStored(object.root, resource.type, types, object.arena, touched);
  KULISSE_ASSERT(normalized.has_value());
}

bool SameMember(const json::Value& a, const json::Value& b, std::string_view name) {
  const json::Value* x = a.Find(name);
  const json::Value* y = b.Find(name);
  if (x == nullptr || y == nullptr) return x == y;
  return *x == *y;
}

// Whether anything but metadata and status differs.
bool SpecChanged(const json::Value& a, const json::Value& b) {
  const auto differs = [](const json::Value& x, const json::Value& y) {
    for (const json::Member& member : x.members()) {
      if (member.name == "metadata" || member.name == "status" || member.name == "kind" ||
          member.name == "apiVersion") {
        continue;
      }
      if (!SameMember(x, y, member.name)) return true;
    }
    return false;
  };
  return differs(a, b) || differs(b, a);
}

json::Value& Metadata(json::Document& object) {
  return object.root.SetDefaultObject("metadata", object.arena);
}

// System fields of metadata after an update, the old ones, and the generation.
void RestoreSystemFields(json::Document& object, const json::Value& old) {
  json::Value& metadata = Metadata(object);
  const json::Value& before = *old.Find("metadata");
  for (const std::string_view name :
       {"generation", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"}) {
    CopyOrRemove(metadata, before, name, object.arena);
  }
  CopyOrRemove(metadata, before, "creationTimestamp", object.arena);
  for (const std::string_view name : {"name", "namespace", "uid"}) {
    if (metadata.FindString({name}).empty()) CopyOrRemove(metadata, before, name, object.arena);
  }
}

void BumpGeneration(json::Document& object, const json::Value& old, const ResourceInfo& resource,
                    const Strategy& strategy) {
  if (!resource.has_generation) return;
  json::Value& metadata = Metadata(object);
  const json::Value& before = *old.Find("metadata");
  if (!strategy.IsNewGeneration(object.root, old, SpecChanged(object.root, old))) return;
  const json::Value* generation = before.Find("generation");
  const int64_t next = generation != nullptr && generation->IsInt() ? generation->AsInt() + 1 : 1;
  metadata.Set("generation", json::Value::Int(next), object.arena);
}

Status AlreadyExists(const RequestContext& context, const ResourceInfo& resource,
                     const std::string& name, const storage::Record& current) {
  Status status = Status::AlreadyExists(Named(context, resource).group_resource(), name);
  if (!DecodeObject(current).root.FindString({"metadata", "deletionTimestamp"}).empty()) {
    status.message = "object is being deleted: " + status.message;
  }
  return status;
}

FieldWriter WriterOf(const RequestContext& context, std::string_view subresource) {
  return {.manager = context.field_manager,
          .served = context.served,
          .subresource = context.scales ? "scale" : subresource};
}

// Runs the mutation on a copy, which must not outlive `old`. Refusals may quote the object, so they
// are made on all of it.
Result<void> Mutate(const RequestContext& context, const Mutation& mutation,
                    const storage::Record& current, const json::Document& old,
                    json::Document& object) {
  const auto copy = [&] {
    object = {};
    object.root = old.root.CloneSharingStrings(object.arena);
  };
  copy();
  if (!context.shows_managed_fields) {
    if (mutation(object)) return {};
    copy();
  }
  SetManagedFields(current.managed_fields(), object);
  return mutation(object);
}

// A write that changes nothing but the times of managers changes nothing.
std::unique_ptr<EncodedObject> EncodeUpdate(const ResourceInfo& resource, const json::Value& object,
                                            std::string_view managed_fields,
                                            const storage::Record& current) {
  auto encoded = std::make_unique<EncodedObject>();
  EncodeObject(resource, object, managed_fields, encoded.get());
  const std::string_view before = current.managed_fields();
  if (managed_fields == before || !current.SameUnmanaged(encoded->content) ||
      !SameManagersButTimes(managed_fields, before)) {
    return encoded;
  }
  encoded = std::make_unique<EncodedObject>();
  EncodeObject(resource, object, before, encoded.get());
  return encoded;
}

// What the kind makes of a new object.
void PrepareNew(const RequestContext& context, const ResourceInfo& resource,
                json::Document& object) {
  if (resource.storage_name == "pods") WriteAppArmorProfiles(object, context.warnings);
  StrategyOf(resource).PrepareForCreate(object);
  DropDisabledFields(resource.storage_name, object, nullptr);
}

Result<void> ValidateNew(const RequestContext& context, const ResourceInfo& resource,
                         std::string_view name, const EmptyLists& empty_lists,
                         const json::Value& object) {
  const auto validate = [&](const json::Value& value, FieldErrors* errors) {
    ValidateObjectMeta(*value.Find("metadata"), NameRuleOf(Named(context, resource)), errors);
    if (context.trusted) return;
    if (resource.storage_name == kCertificateRequests) ValidateRequest(value, errors);
    openapi::ValidateCreate(value, resource.type, errors, Named(context, resource).type);
  };
  FieldErrors errors;
  validate(object, &errors);
  if (errors.empty()) return {};
  empty_lists.Word(object, validate, &errors);
  return std::unexpected(Status::Invalid(resource.group_kind(), name, errors));
}

// Refusals of an update that depend on resourceVersion; `named` is how the client names the kind.
Result<void> CheckResourceVersion(const json::Value& object, const storage::Record& current,
                                  const ResourceInfo& resource, const ResourceInfo& named,
                                  std::string_view name) {
  const std::string_view text = object.FindString({"metadata", "resourceVersion"});
  if (text.empty()) {
    if (RulesOf(resource).unconditional_update) return {};
    return std::unexpected(Status::Invalid(
        {resource.group, resource.resource}, name,
        {FieldError::Invalid("metadata.resourceVersion", "0", "must be specified for an update")}));
  }
  const auto revision = ParseUint64(text);
  if (!revision) {
    return std::unexpected(Status::Plain(
        500, fmt::format("strconv.ParseUint: parsing {}: invalid syntax", GoQuote(text))));
  }
  if (*revision != 0 && *revision != current.revision().value) {
    return std::unexpected(Status::Conflict(named.group_resource(), name, ""));
  }
  return {};
}

}  // namespace

RequestContext RequestContext::Internal(std::string_view component) {
  RequestContext context;
  context.user = component;
  context.groups = {"system:masters", "system:authenticated"};
  context.field_manager = component;
  return context;
}

ResourceStore::ResourceStore(storage::Store& store, const openapi::Catalog& catalog,
                             const openapi::TypeTable& types, Runtime& runtime)
    : store_(store),
      catalog_(catalog),
      types_(types),
      runtime_(runtime),
      services_(catalog.Find("", "v1", "services")) {}

ResourceStore::~ResourceStore() = default;

json::Document ResourceStore::Decode(const storage::Record& record) { return DecodeObject(record); }

Result<RecordPtr> ResourceStore::Get(const ResourceInfo& resource, const ObjectName& name) {
  RecordPtr record = store_.Get({resource.storage_name, name.ns, name.name});
  if (record == nullptr) {
    return std::unexpected(Status::NotFound(resource.group_resource(), name.name));
  }
  return record;
}

Result<void> ResourceStore::PrepareForCreate(const RequestContext& context,
                                             const ResourceInfo& resource, std::string_view ns,
                                             json::Document& object) const {
  json::Arena& arena = object.arena;
  json::Value& metadata = Metadata(object);
  if (resource.namespaced) {
    const std::string_view own = metadata.FindString({"namespace"});
    if (!own.empty() && own != ns) {
      return std::unexpected(Status::BadRequest(
          "the namespace of the provided object does not match the namespace sent on the request"));
    }
    metadata.Set("namespace", json::Value::String(ns, arena), arena);
  } else if (!metadata.FindString({"namespace"}).empty()) {
    return std::unexpected(Status::BadRequest(
        "the namespace of the provided object does not match the namespace sent on the request"));
  }
  if (resource.has_generation) {
    metadata.Set("generation", json::Value::Int(1), arena);
  }
  if (resource.FindSubresource("status") != nullptr && !context.keep_status &&
      !StrategyOf(resource).KeepsStatusOnCreate()) {
    ResetField(object, resource, "status", types_);
  }
  if (resource.storage_name == kCertificateRequests) SetRequester(context, object);
  metadata.Set("uid", json::Value::String(NewUuid(runtime_), arena), arena);
  metadata.Set("creationTimestamp", json::Value::String(FormatTime(runtime_.Now()), arena), arena);
  return {};
}

Result<WriteResult> ResourceStore::Create(const RequestContext& context,
                                          const ResourceInfo& resource, std::string_view ns,
                                          json::Document object) {
  for (const std::string_view name :
       {"deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"}) {
    Metadata(object).Remove(name);
  }
  KULISSE_TRY(PrepareForCreate(context, resource, ns, object));
  openapi::ApplyDefaults(object.root, resource.type, types_, object.arena);
  StrategyOf(resource).ApplyDefaults(object);
  const EmptyLists empty_lists(object, resource, types_);
  const std::string managed_fields =
      FieldManager(catalog_, types_, resource, WriterOf(context, ""), runtime_.Now())
          .Create(object, context.gives_managed_fields);
  const std::string given(object.root.FindString({"metadata", "name"}));
  const std::string base(object.root.FindString({"metadata", "generateName"}));
  if (admission_ != nullptr) {
    AdmissionAttributes attributes{
        AdmissionOperation::kCreate, resource, "", ns, given, &object, nullptr, context};
    KULISSE_TRY(admission_->Mutate(attributes));
  }
  const bool generate = given.empty() && !base.empty();
  for (int tries = 1;; ++tries) {
    if (generate) {
      const std::string name = GenerateName(base, runtime_);
      Metadata(object).Set("name", json::Value::String(name, object.arena), object.arena);
    }
    auto result = CreateNamed(context, resource, ns, managed_fields, empty_lists, object);
    if (result || !generate || !result.error().IsAlreadyExists()) return result;
    if (tries == kGenerateNameTriesMax) {
      Status status = std::move(result).error();
      status.message += ", the server was not able to generate a unique name for the object";
      return std::unexpected(std::move(status));
    }
  }
}

Result<WriteResult> ResourceStore::CreateNamed(const RequestContext& context,
                                               const ResourceInfo& resource, std::string_view ns,
                                               std::string_view managed_fields,
                                               const EmptyLists& empty_lists,
                                               json::Document& object) {
  PrepareNew(context, resource, object);
  std::unique_ptr<Allocator::Claim> claim;
  if (Allocator* allocator = AllocatorOf(resource)) {
    KULISSE_ASSIGN(claim, allocator->Allocate(context, object, nullptr));
  }
  Canonicalize(object, resource, types_);

  const std::string name(object.root.FindString({"metadata", "name"}));
  KULISSE_TRY(ValidateNew(context, resource, name, empty_lists, object.root));
  if (!object.root.FindString({"metadata", "resourceVersion"}).empty()) {
    return std::unexpected(
        Status::Plain(500, "resourceVersion should not be set on objects to be created"));
  }
  AddWarnings(resource, object.root, nullptr, context.warnings);

  UndoList undo;
  if (admission_ != nullptr) {
    const AdmissionAttributes attributes{AdmissionOperation::kCreate,
                                         resource,
                                         "",
                                         ns,
                                         name,
                                         &object,
                                         nullptr,
                                         context,
                                         undo.list()};
    KULISSE_TRY(admission_->Validate(attributes));
  }

  EncodedObject encoded;
  EncodeObject(resource, object.root, managed_fields, &encoded);
  const storage::Key key{resource.storage_name, std::string(ns), name};
  WriteResult result;
  result.created = true;
  result.changed = true;
  if (context.dry_run) {
    if (const RecordPtr current = store_.Get(key)) {
      return std::unexpected(AlreadyExists(context, resource, name, *current));
    }
    result.record = DryRunRecord(encoded.content, {});
    return result;
  }
  KULISSE_ASSIGN(Committed committed,
                 store_.GuaranteedUpdate(key, [&](const RecordPtr& current) -> Result<Change> {
                   if (current != nullptr) {
                     return std::unexpected(AlreadyExists(context, resource, name, *current));
                   }
                   return Change{Change::Kind::kPut, encoded.content};
                 }));
  if (claim != nullptr) claim->Keep();
  undo.Forget();
  if (admission_ != nullptr) admission_->Committed(resource, key);
  result.record = std::move(committed.record);
  result.revision = committed.revision;
  return result;
}

Result<void> ResourceStore::PrepareForUpdate(const RequestContext& context,
                                             const ResourceInfo& resource, const ObjectName& name,
                                             std::string_view subresource,
                                             const storage::Record& current, const json::Value& old,
                                             const EmptyLists& empty_lists, json::Document& object,
                                             std::unique_ptr<Allocator::Claim>* claim) const {
  KULISSE_TRY(
      CheckResourceVersion(object.root, current, resource, Named(context, resource), name.name));
  RestoreSystemFields(object, old);
  RestoreUntouchable(object, old, resource, subresource, runtime_.Now());
  const Strategy& strategy = StrategyOf(resource);
  if (subresource.empty()) strategy.PrepareForUpdate(object, old);
  if (subresource == "status") {
    strategy.PrepareForStatusUpdate(object, old, FormatTime(runtime_.Now()));
  }
  DropDisabledFields(resource.storage_name, object, &old);
  Allocator* const allocator = subresource.empty() ? AllocatorOf(resource) : nullptr;
  if (allocator != nullptr) {
    claim->reset();
    KULISSE_ASSIGN(*claim, allocator->Allocate(context, object, &old));
  }
  if (ChangesSpec(subresource)) BumpGeneration(object, old, resource, strategy);
  static constexpr std::array<std::string_view, 2> kOfStatus = {"metadata", "status"};
  Canonicalize(object, resource, types_,
               subresource == "status" ? std::optional<openapi::Touched>(kOfStatus) : std::nullopt);

  const auto validate = [&](const json::Value& value, FieldErrors* errors) {
    const json::Value& metadata = *value.Find("metadata");
    ValidateObjectMeta(metadata, RulesOf(resource).name_rule, errors);
    // Upstream validates metadata twice on updates, and clients see each cause twice.
    const FieldErrors again = *errors;
    errors->insert(errors->end(), again.begin(), again.end());
    ValidateObjectMetaUpdate(metadata, *old.Find("metadata"), errors);
    if (context.trusted) return;
    if (subresource.empty()) {
      strategy.ValidateUpdate(value, old, errors);
    } else {
      ValidateSubresourceUpdate(value, old, resource, subresource, errors);
    }
    openapi::ValidateUpdate(value, old, resource.type, subresource, errors,
                            Named(context, resource).type);
  };
  FieldErrors errors;
  validate(object.root, &errors);
  if (!errors.empty()) {
    empty_lists.Word(object.root, validate, &errors);
    return std::unexpected(Status::Invalid(resource.group_kind(), name.name, errors));
  }
  if (subresource.empty()) AddWarnings(resource, object.root, &old, context.warnings);
  return {};
}

Result<WriteResult> ResourceStore::Update(const RequestContext& context,
                                          const ResourceInfo& resource, const ObjectName& name,
                                          std::string_view subresource, const Mutation& mutation) {
  json::Document old;
  json::Document object;  // shares strings with `old`
  std::unique_ptr<EncodedObject> encoded;
  bool removes = false;
  std::unique_ptr<Allocator::Claim> claim;
  // A binding was admitted as one; that it changes the pod is not the client's doing.
  const AdmissionChain* admission = subresource == "binding" ? nullptr : admission_;
  UndoList undo;
  const auto change = [&](const RecordPtr& current) -> Result<Change> {
    if (current == nullptr) {
      return std::unexpected(
          Status::NotFound(Named(context, resource).group_resource(), name.name));
    }
    undo.Run();
    object = {};
    old = DecodeObject(*current);
    KULISSE_TRY(Mutate(context, mutation, *current, old, object));
    openapi::ApplyDefaults(object.root, resource.type, types_, object.arena);
    const EmptyLists empty_lists(object, resource, types_);
    const std::string managed_fields =
        FieldManager(catalog_, types_, resource, WriterOf(context, subresource), runtime_.Now())
            .Update(current->managed_fields(), old.root, object, context.gives_managed_fields);
    AdmissionAttributes attributes{AdmissionOperation::kUpdate,
                                   resource,
                                   subresource,
                                   name.ns,
                                   name.name,
                                   &object,
                                   &old.root,
                                   context,
                                   undo.list()};
    if (admission != nullptr) KULISSE_TRY(admission->Mutate(attributes));
    KULISSE_TRY(PrepareForUpdate(context, resource, name, subresource, *current, old.root,
                                 empty_lists, object, &claim));
    if (admission != nullptr) KULISSE_TRY(admission->Validate(attributes));
    encoded = EncodeUpdate(resource, object.root, managed_fields, *current);
    removes = IsReadyToBeRemoved(resource, object.root);
    // Watches see the last state that was stored, only the writer what it has made of it.
    if (removes) return Change{Change::Kind::kDelete, std::nullopt};
    return Change{Change::Kind::kPut, encoded->content};
  };
  const storage::Key key{resource.storage_name, name.ns, name.name};
  WriteResult result;
  if (context.dry_run) {
    const RecordPtr current = store_.Get(key);
    KULISSE_TRY(change(current));
    result.record = DryRunRecord(encoded->content, current->revision());
    result.changed = encoded->content.json != current->json();
    return result;
  }
  KULISSE_ASSIGN(Committed committed, store_.GuaranteedUpdate(key, change));
  if (claim != nullptr) claim->Keep();
  undo.Forget();
  if (admission_ != nullptr) admission_->Committed(resource, key);
  result.record = std::move(committed.record);
  result.revision = committed.revision;
  result.changed = committed.changed;
  result.deleted = removes && committed.changed;
  if (result.deleted) result.record = DryRunRecord(encoded->content, result.record->revision());
  if (result.deleted && AllocatorOf(resource) != nullptr) {
    AllocatorOf(resource)->Release(object.root);
  }
  return result;
}

Result<WriteResult> ResourceStore::Renew(const RequestContext& context,
                                         const ResourceInfo& resource, const ObjectName& name,
                                         const Renewal& renewal, const Mutation& mutation) {
  bool renewed = false;
  std::string json;
  const auto change = [&](const RecordPtr& current) -> Result<Change> {
    renewed = false;
    if (current == nullptr) return Change{};
    json = current->json();
    if (!renewal(*current, &json)) return Change{};
    KULISSE_ASSERT(json.size() == current->json().size());
    renewed = true;
    storage::RecordContent content = current->Content();
    content.json = json;
    return Change{Change::Kind::kPut, std::move(content)};
  };
  const storage::Key key{resource.storage_name, name.ns, name.name};
  if (admission_ == nullptr || admission_->IgnoresRenewals(resource)) {
    KULISSE_ASSIGN(Committed committed, store_.GuaranteedUpdate(key, change));
    if (renewed) {
      if (admission_ != nullptr) admission_->Committed(resource, key);
      WriteResult result;
      result.record = std::move(committed.record);
      result.revision = committed.revision;
      result.changed = committed.changed;
      return result;
    }
  }
  return Update(context, resource, name, "", mutation);
}

}  // namespace kulisse::apiserver
