// ResourceHandlers answers the requests for resources: one function per verb, the same for every
// kind. Upstream: apiserver/pkg/endpoints/handlers.
//
// Borrows: the resource store. Threads: any; each request is handled on its connection's loop.
// Errors: statuses, encoded by the caller.
#pragma once

#include <string>
#include <vector>

#include "apiserver/authn/user.h"
#include "apiserver/chain/request_info.h"
#include "apiserver/handlers/body.h"
#include "apiserver/handlers/negotiation.h"
#include "apiserver/handlers/options.h"
#include "apiserver/http.h"
#include "apiserver/registry/resource_store.h"
#include "apiserver/service_account/service_account_tokens.h"

namespace kulisse::apiserver {

// One request on its way through the chain.
struct RequestState {
  HttpRequest request;
  RequestInfo info;
  UserInfo user;
  std::string audit_id;
  const openapi::ResourceInfo* resource = nullptr;
  const openapi::SubresourceInfo* subresource = nullptr;  // null for the object itself
  Representation representation;
  std::vector<std::string> warnings;
  bool is_web_socket = false;  // the answer is its handshake, and has the headers of that alone
};

class ResourceHandlers {
 public:
  ResourceHandlers(ResourceStore& store, ServiceAccountTokens& tokens)
      : store_(store), tokens_(tokens) {}

  // REQUIRES: state.resource is set and has the verb.
  Result<HttpResponse> Handle(RequestState& state);

 private:
  Result<HttpResponse> Get(RequestState& state);
  Result<HttpResponse> List(RequestState& state);
  Result<HttpResponse> Watch(RequestState& state);
  Result<HttpResponse> Create(RequestState& state);
  Result<HttpResponse> Update(RequestState& state);
  Result<HttpResponse> Patch(RequestState& state);
  Result<HttpResponse> Delete(RequestState& state);
  Result<HttpResponse> DeleteCollection(RequestState& state);
  Result<HttpResponse> GetScale(RequestState& state);
  Result<HttpResponse> WriteScale(RequestState& state, bool patch);
  Result<HttpResponse> CreateSubresource(RequestState& state);
  Result<HttpResponse> CreateBinding(RequestState& state, const WriteOptions& options,
                                     const json::Value& binding, std::string_view pod);

  Result<HttpResponse> CreateEviction(RequestState& state, WriteOptions options,
                                      const json::Value& eviction);

  // The list at a revision that may not be there yet.
  Result<HttpResponse> ListAt(RequestState& state, const ListOptions& options);
  // The mutation of a PUT: the object of the body takes the place of the current one.
  Mutation ReplaceWith(const json::Document& replacement, const openapi::ResourceInfo& served,
                       std::string_view name) const;
  // PATCH with application/apply-patch+yaml, of the object or a part of it, and of its scale.
  Result<HttpResponse> Apply(RequestState& state, std::string_view subresource);
  Result<HttpResponse> ApplyScale(RequestState& state);
  // The mutation of a PATCH by its content type; what it needs to see is noted in the context.
  Result<Mutation> PatchMutation(RequestState& state, const openapi::ResourceInfo& resource,
                                 FieldValidation validation, RequestContext* context);
  RequestContext Context(RequestState& state, const WriteOptions& options) const;
  HttpResponse ObjectResponse(const RequestState& state, int code, const storage::Record& record,
                              storage::Revision revision) const;
  // A Status as the whole answer.
  HttpResponse StatusResponse(const RequestState& state, int code, std::string_view json) const;
  Result<HttpResponse> CreateToken(RequestState& state);
  // What creates of bindings and evictions answer.
  HttpResponse CreatedStatus(const RequestState& state, storage::Revision revision) const;
  HttpResponse ScaleResponse(const RequestState& state, const storage::Record& record) const;
  // What is refused until it is built.
  static Status NotSupported(const RequestState& state);
  static ObjectName NameOf(const RequestState& state);

  ResourceStore& store_;
  ServiceAccountTokens& tokens_;
};

// The body of a list: streamed from a snapshot.
[[nodiscard]] Result<HttpResponse> MakeListResponse(ResourceStore& store, const RequestState& state,
                                                    const ListOptions& options,
                                                    storage::SnapshotPtr snapshot,
                                                    std::string_view after, uint64_t returned);
// The body of a watch.
[[nodiscard]] Result<HttpResponse> MakeWatchResponse(ResourceStore& store,
                                                     const RequestState& state,
                                                     const ListOptions& options);
// 400 when the object of a body has another name than the URL, or, if it must say one, none.
[[nodiscard]] Result<void> CheckNameOfUrl(std::string_view name, std::string_view url_name);
[[nodiscard]] Result<void> RequireNameOfUrl(std::string_view name, std::string_view url_name);
// The same for its namespace; one that is not said is that of the URL.
[[nodiscard]] Result<void> CheckNamespaceOfUrl(const json::Value& object,
                                               std::string_view url_namespace);
// Applies a patch to an object with kind and apiVersion, and brings it into canonical form.
[[nodiscard]] Result<void> ApplyPatch(std::string_view media_type, const json::Value& patch,
                                      const ExpectedKind& kind, FieldValidation validation,
                                      const openapi::TypeTable& types, json::Document& object,
                                      std::vector<std::string>* warnings);

// The Scale of a workload, without kind and apiVersion, and how it is written back: the replicas of
// the object that it scales.
[[nodiscard]] json::Document ScaleOf(const json::Value& object);
[[nodiscard]] Result<void> CheckScale(const json::Value& scale, std::string_view name);

}  // namespace kulisse::apiserver
