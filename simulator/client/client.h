// Client is the API as parts of this process use it: the same ResourceStore that HTTP requests
// reach, with parsed objects and no HTTP. Its user is in system:masters.
//
// Borrows: the store, which must outlive it. Threads: any. Errors: Status, as over HTTP.
#pragma once

#include <string_view>

#include "apiserver/registry/resource_store.h"
#include "simulator/client/patch.h"

namespace kulisse::simulator {

class Client {
 public:
  // `component` is the name under which it acts: "system:kulisse:simulator".
  Client(apiserver::ResourceStore& store, std::string_view component);

  [[nodiscard]] const openapi::Catalog& catalog() const { return store_.catalog(); }
  // REQUIRES: the catalog has it.
  [[nodiscard]] const openapi::ResourceInfo& Resource(std::string_view group,
                                                      std::string_view version,
                                                      std::string_view resource) const;
  // The component, as managedFields name it.
  [[nodiscard]] std::string_view manager() const { return context_.field_manager; }
  [[nodiscard]] storage::Store& store() { return store_.store(); }

  // Null when there is none.
  [[nodiscard]] storage::RecordPtr Get(const openapi::ResourceInfo& resource,
                                       const apiserver::ObjectName& name) const;
  // The object need not be canonical.
  Result<apiserver::WriteResult> Create(const openapi::ResourceInfo& resource, std::string_view ns,
                                        json::Document object, std::string_view user = {});
  // `user`: in whose name; "" for the component's own. What users may do is not asked here.
  Result<apiserver::WriteResult> Patch(const openapi::ResourceInfo& resource,
                                       const apiserver::ObjectName& name,
                                       std::string_view subresource, PatchType type,
                                       const json::Value& patch, std::string_view user = {});
  // The same, but nothing is written when the patch would not change `seen`, the object as the
  // caller knows it, whatever has become of it since.
  Result<apiserver::WriteResult> PatchUnlessSame(const openapi::ResourceInfo& resource,
                                                 const apiserver::ObjectName& name,
                                                 std::string_view subresource, PatchType type,
                                                 const json::Value& patch, const json::Value& seen,
                                                 std::string_view user = {});
  Result<apiserver::WriteResult> Update(const openapi::ResourceInfo& resource,
                                        const apiserver::ObjectName& name,
                                        std::string_view subresource,
                                        const apiserver::Mutation& mutation,
                                        std::string_view user = {});
  // Update() of an object that this component writes often (ResourceStore::Renew).
  Result<apiserver::WriteResult> Renew(const openapi::ResourceInfo& resource,
                                       const apiserver::ObjectName& name,
                                       const apiserver::Renewal& renewal,
                                       const apiserver::Mutation& mutation) {
    return store_.Renew(context_, resource, name, renewal, mutation);
  }
  // Server-side apply to an object that is there, by force; `object` has kind and apiVersion.
  Result<apiserver::WriteResult> Apply(const openapi::ResourceInfo& resource,
                                       const apiserver::ObjectName& name,
                                       std::string_view subresource, std::string_view field_manager,
                                       const json::Value& object, std::string_view user = {});
  // Without grace; finalizers still hold the object. An object that is gone already is no error.
  Result<void> Delete(const openapi::ResourceInfo& resource, const apiserver::ObjectName& name);
  // With the object's own grace. Returns whether it is gone.
  Result<bool> DeleteGracefully(const openapi::ResourceInfo& resource,
                                const apiserver::ObjectName& name);

 private:
  [[nodiscard]] apiserver::RequestContext ContextOf(std::string_view user) const;

  apiserver::ResourceStore& store_;
  const apiserver::RequestContext context_;
};

}  // namespace kulisse::simulator
