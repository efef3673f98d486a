// ResourceStore is the one implementation of create, get, list, update, delete and watch for all
// kinds (upstream: registry/generic/registry.Store). Strategies add what differs per kind. HTTP
// handlers and in-process clients (the simulator) call it alike, with parsed objects.
//
// Borrows: store, catalog, types and runtime, which must outlive it.
// Threads: any. Errors: the Status that a client of the real server would see.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apiserver/admission/chain.h"
#include "apiserver/registry/allocator.h"
#include "apiserver/registry/empty_lists.h"
#include "base/json/value.h"
#include "base/result.h"
#include "base/runtime.h"
#include "openapi/catalog.h"
#include "storage/store.h"

namespace kulisse::apiserver {

// Who asks and how; what strategies and admission may look at.
struct RequestContext {
  std::string user;
  std::string uid;
  std::vector<std::string> groups;
  std::map<std::string, std::vector<std::string>> extra;
  std::string field_manager;
  // The row of the request, whose version its fields are managed in; null for the stored version.
  const openapi::ResourceInfo* served = nullptr;
  // The mutation of an update looks at metadata.managedFields.
  bool shows_managed_fields = false;
  bool dry_run = false;
  // The write comes through /scale, which changes its object's replicas.
  bool scales = false;
  // metadata.managedFields of the object that is written are what it shall have.
  bool gives_managed_fields = false;
  // A new object keeps the status it comes with; for parts of this process alone.
  bool keep_status = false;
  // Objects are not validated: those of a new cluster, whose endpoints may be on loopback.
  bool trusted = false;
  // Warnings for the client (Warning headers), added to by whoever has one.
  std::vector<std::string>* warnings = nullptr;

  // The identity of parts of this process: system:masters.
  static RequestContext Internal(std::string_view component);
};

// The resource as the client named it: events of either group are kept as one kind.
[[nodiscard]] inline const openapi::ResourceInfo& Named(const RequestContext& context,
                                                        const openapi::ResourceInfo& resource) {
  return context.served == nullptr ? resource : *context.served;
}

struct ObjectName {
  std::string ns;  // "" at cluster scope
  std::string name;
};

struct Preconditions {
  std::optional<std::string> uid;
  std::optional<std::string> resource_version;
};

struct DeleteOptions {
  std::optional<int64_t> grace_period_seconds;
  Preconditions preconditions;
  // "Foreground", "Background", "Orphan"; nothing: the kind's default.
  std::optional<std::string> propagation_policy;
};

struct WriteResult {
  storage::RecordPtr record;
  storage::Revision revision;  // the answer may leave when this is durable
  bool created = false;
  bool changed = false;
  // Whether a delete removed the object, or only began to (finalizers, grace).
  bool deleted = false;
};

// Computes the new object from the current one, in place. May run several times; an error that it
// returns is the answer.
using Mutation = std::function<Result<void>(json::Document& object)>;

// Changes the JSON of the record to what Update() with the same purpose would make of it, managers
// included, by replacing times with others of their size; false when it cannot tell.
using Renewal = std::function<bool(const storage::Record& current, std::string* json)>;

class ResourceStore {
 public:
  ResourceStore(storage::Store& store, const openapi::Catalog& catalog,
                const openapi::TypeTable& types, Runtime& runtime);
  ~ResourceStore();

  // Asks `allocator` about every write of services. Before any request.
  void SetServiceAllocator(Allocator& allocator) { service_allocator_ = &allocator; }
  // Writes pass this chain from now on. Before the first write; it must outlive the store.
  void UseAdmission(const AdmissionChain& admission) { admission_ = &admission; }

  // `object` is in canonical form of the resource's type. Its metadata.namespace must be `ns` or
  // empty.
  Result<WriteResult> Create(const RequestContext& context, const openapi::ResourceInfo& resource,
                             std::string_view ns, json::Document object);

  // The record as stored, or 404.
  Result<storage::RecordPtr> Get(const openapi::ResourceInfo& resource, const ObjectName& name);

  // Changes the object, or one part of it: `subresource` is "" or "status" …: the strategy keeps
  // what that part may not change. Removing the last finalizer of an object being deleted deletes
  // it. `unconditional`: metadata.resourceVersion in the mutated object is not compared.
  Result<WriteResult> Update(const RequestContext& context, const openapi::ResourceInfo& resource,
                             const ObjectName& name, std::string_view subresource,
                             const Mutation& mutation);

  // Update() by a part of this process to an object that it wrote before and often writes: when
  // `renewal` can tell the new JSON, and admission does not care, nothing is parsed.
  Result<WriteResult> Renew(const RequestContext& context, const openapi::ResourceInfo& resource,
                            const ObjectName& name, const Renewal& renewal,
                            const Mutation& mutation);

  Result<WriteResult> Delete(const RequestContext& context, const openapi::ResourceInfo& resource,
                             const ObjectName& name, const DeleteOptions& options);

  // Gives a pod its node (pods/binding). `binding` is the decoded Binding.
  Result<WriteResult> Bind(const RequestContext& context, const ObjectName& name,
                           const json::Value& binding);

  // The object of a record as a document, metadata.resourceVersion included, without kind,
  // apiVersion and metadata.managedFields.
  [[nodiscard]] static json::Document Decode(const storage::Record& record);

  [[nodiscard]] storage::Store& store() { return store_; }
  [[nodiscard]] const openapi::Catalog& catalog() const { return catalog_; }
  [[nodiscard]] const openapi::TypeTable& types() const { return types_; }
  [[nodiscard]] Runtime& runtime() const { return runtime_; }

 private:
  // What upstream's BeforeCreate does before the strategy.
  Result<void> PrepareForCreate(const RequestContext& context,
                                const openapi::ResourceInfo& resource, std::string_view ns,
                                json::Document& object) const;
  // Validates and commits an object that has its name.
  Result<WriteResult> CreateNamed(const RequestContext& context,
                                  const openapi::ResourceInfo& resource, std::string_view ns,
                                  std::string_view managed_fields, const EmptyLists& empty_lists,
                                  json::Document& object);
  // What upstream's BeforeUpdate does: restores, generation, validation.
  // `claim` holds what an allocator gave; it replaces that of an earlier try.
  Result<void> PrepareForUpdate(const RequestContext& context,
                                const openapi::ResourceInfo& resource, const ObjectName& name,
                                std::string_view subresource, const storage::Record& current,
                                const json::Value& old, const EmptyLists& empty_lists,
                                json::Document& object,
                                std::unique_ptr<Allocator::Claim>* claim) const;
  // The allocator of the kind, or null.
  [[nodiscard]] Allocator* AllocatorOf(const openapi::ResourceInfo& resource) const {
    return &resource == services_ ? service_allocator_ : nullptr;
  }

  storage::Store& store_;
  const openapi::Catalog& catalog_;
  const openapi::TypeTable& types_;
  Runtime& runtime_;
  const openapi::ResourceInfo* services_;
  Allocator* service_allocator_ = nullptr;
  const AdmissionChain* admission_ = nullptr;
};

}  // namespace kulisse::apiserver
