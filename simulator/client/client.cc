#include "simulator/client/client.h"

#include <fmt/format.h>

#include <utility>

#include "apiserver/registry/field_manager.h"
#include "base/assert.h"
#include "base/json/write.h"
#include "openapi/patch/patch.h"
#include "openapi/typed.h"

namespace kulisse::simulator {

namespace {

Result<void> Canonicalize(openapi::TypeId type, const openapi::TypeTable& types,
                          json::Document& object,
                          std::optional<openapi::Touched> touched = std::nullopt) {
  openapi::NormalizeReport report;
  auto normalized = openapi::Normalize(object.root, type, types, object.arena, &report, touched);
  if (normalized) return {};
  return std::unexpected(
      Status::Invalid({"", ""}, "", {FieldError::Invalid("patch", "", normalized.error())}));
}

}  // namespace

Result<void> ApplyPatch(PatchType type, const json::Value& patch, openapi::TypeId object_type,
                        const openapi::TypeTable& types, json::Document& object) {
  json::Arena& arena = object.arena;
  switch (type) {
    case PatchType::kJson:
      KULISSE_TRY(openapi::ApplyJsonPatch(object.root, patch, arena));
      break;
    case PatchType::kMerge:
      KULISSE_TRY(openapi::ApplyMergePatch(object.root, patch, arena));
      break;
    case PatchType::kStrategic:
      KULISSE_TRY(openapi::ApplyStrategicMergePatch(object.root, patch, object_type, types, arena));
      break;
  }
  return Canonicalize(object_type, types, object, openapi::TouchedMembers(patch));
}

Client::Client(apiserver::ResourceStore& store, std::string_view component)
    : store_(store), context_(apiserver::RequestContext::Internal(component)) {}

const openapi::ResourceInfo& Client::Resource(std::string_view group, std::string_view version,
                                              std::string_view resource) const {
  const openapi::ResourceInfo* found = catalog().Find(group, version, resource);
  KULISSE_ASSERT(found != nullptr);
  return *found;
}

storage::RecordPtr Client::Get(const openapi::ResourceInfo& resource,
                               const apiserver::ObjectName& name) const {
  return store_.store().Get({resource.storage_name, name.ns, name.name});
}

apiserver::RequestContext Client::ContextOf(std::string_view user) const {
  apiserver::RequestContext context = context_;
  if (user.empty()) return context;
  context.user = user;
  context.groups = {"system:authenticated"};
  return context;
}

Result<apiserver::WriteResult> Client::Create(const openapi::ResourceInfo& resource,
                                              std::string_view ns, json::Document object,
                                              std::string_view user) {
  KULISSE_TRY(Canonicalize(resource.type, store_.types(), object));
  return store_.Create(ContextOf(user), resource, ns, std::move(object));
}

Result<apiserver::WriteResult> Client::Patch(const openapi::ResourceInfo& resource,
                                             const apiserver::ObjectName& name,
                                             std::string_view subresource, PatchType type,
                                             const json::Value& patch, std::string_view user) {
  return Update(
      resource, name, subresource,
      [&](json::Document& object) {
        return ApplyPatch(type, patch, resource.type, store_.types(), object);
      },
      user);
}

Result<apiserver::WriteResult> Client::PatchUnlessSame(const openapi::ResourceInfo& resource,
                                                       const apiserver::ObjectName& name,
                                                       std::string_view subresource, PatchType type,
                                                       const json::Value& patch,
                                                       const json::Value& seen,
                                                       std::string_view user) {
  const auto version_of = [](const json::Value& object) {
    return object.FindString({"metadata", "resourceVersion"});
  };
  const auto mutation = [&](json::Document& object) -> Result<void> {
    // Of the very object that was seen, the write itself finds out.
    if (version_of(object.root) != version_of(seen)) {
      json::Document patched;
      patched.root = seen.Clone(patched.arena);
      json::Document before;
      KULISSE_TRY(ApplyPatch(type, patch, resource.type, store_.types(), patched));
      before.root = seen.Clone(before.arena);
      KULISSE_TRY(Canonicalize(resource.type, store_.types(), before));
      if (patched.root == before.root) return {};
    }
    return ApplyPatch(type, patch, resource.type, store_.types(), object);
  };
  return Update(resource, name, subresource, mutation, user);
}

Result<apiserver::WriteResult> Client::Update(const openapi::ResourceInfo& resource,
                                              const apiserver::ObjectName& name,
                                              std::string_view subresource,
                                              const apiserver::Mutation& mutation,
                                              std::string_view user) {
  if (user.empty()) return store_.Update(context_, resource, name, subresource, mutation);
  return store_.Update(ContextOf(user), resource, name, subresource, mutation);
}

Result<apiserver::WriteResult> Client::Apply(const openapi::ResourceInfo& resource,
                                             const apiserver::ObjectName& name,
                                             std::string_view subresource,
                                             std::string_view field_manager,
                                             const json::Value& object, std::string_view user) {
  apiserver::RequestContext context = ContextOf(user);
  context.field_manager = field_manager;
  context.shows_managed_fields = true;
  context.gives_managed_fields = true;
  const auto apply = [&](json::Document& live) -> Result<void> {
    std::string managers;
    if (json::Value* metadata = live.root.Find("metadata")) {
      if (const json::Value* managed = metadata->Find("managedFields")) {
        managers = json::ToString(*managed);
      }
      metadata->Remove("managedFields");
    }
    apiserver::FieldManager manager(
        store_.catalog(), store_.types(), resource,
        {.manager = field_manager, .served = &resource, .subresource = subresource},
        store_.runtime().Now());
    KULISSE_ASSIGN(apiserver::AppliedObject applied,
                   manager.Apply(managers, &live.root, {.config = object, .force = true}));
    apiserver::SetManagedFields(applied.managed_fields, applied.object);
    live = std::move(applied.object);
    return {};
  };
  return store_.Update(context, resource, name, subresource, apply);
}

Result<bool> Client::DeleteGracefully(const openapi::ResourceInfo& resource,
                                      const apiserver::ObjectName& name) {
  apiserver::DeleteOptions options;
  options.propagation_policy = "Background";
  const auto result = store_.Delete(context_, resource, name, options);
  if (result) return result->deleted;
  if (result.error().IsNotFound()) return true;
  return std::unexpected(result.error());
}

Result<void> Client::Delete(const openapi::ResourceInfo& resource,
                            const apiserver::ObjectName& name) {
  apiserver::DeleteOptions options;
  options.grace_period_seconds = 0;
  auto result = store_.Delete(context_, resource, name, options);
  if (result || result.error().IsNotFound()) return {};
  return std::unexpected(std::move(result).error());
}

}  // namespace kulisse::simulator
