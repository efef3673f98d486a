#include "apiserver/handlers/resource_handlers.h"

#include <fmt/format.h>

#include <algorithm>

#include "apiserver/handlers/component_statuses.h"
#include "apiserver/handlers/continue_token.h"
#include "apiserver/handlers/encoder.h"
#include "apiserver/registry/conversion.h"
#include "apiserver/registry/kind_rules.h"
#include "apiserver/registry/warnings.h"
#include "base/json/write.h"
#include "base/text.h"

namespace kulisse::apiserver {

namespace {

using openapi::ResourceInfo;
using storage::RecordPtr;

ExpectedKind ExpectedOf(const ResourceInfo& resource) {
  return {.group = resource.group,
          .version = resource.version,
          .kind = resource.kind,
          .type = resource.type,
          .custom = resource.custom};
}

// {"kind":"Status","status":"Success","details":{…}} of a delete that removed the object.
std::string SuccessStatus(const ResourceInfo& resource, std::string_view name,
                          std::string_view uid) {
  std::string out =
      R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Success","details":{"name":)";
  json::AppendString(name, &out);
  if (!resource.group.empty()) out += fmt::format(R"(,"group":"{}")", resource.group);
  out += fmt::format(R"(,"kind":"{}","uid":"{}"}}}})", resource.resource, uid);
  return out;
}

std::string ReplacedName(const json::Document& object) {
  return std::string(object.root.FindString({"metadata", "name"}));
}

}  // namespace

Status ResourceHandlers::NotSupported(const RequestState& state) {
  return Status::Plain(
      501, fmt::format("{} of {}/{} is not supported by this version of Kulisse", state.info.verb,
                       state.resource->resource, state.info.subresource));
}

ObjectName ResourceHandlers::NameOf(const RequestState& state) {
  return {state.resource->namespaced ? state.info.ns : std::string(), state.info.name};
}

RequestContext ResourceHandlers::Context(RequestState& state, const WriteOptions& options) const {
  RequestContext context;
  context.user = state.user.name;
  context.uid = state.user.uid;
  context.extra = state.user.extra;
  context.groups = state.user.groups;
  context.field_manager = options.field_manager;
  context.served = state.resource;
  context.dry_run = options.dry_run;
  context.warnings = &state.warnings;
  return context;
}

HttpResponse ResourceHandlers::ObjectResponse(const RequestState& state, int code,
                                              const storage::Record& record,
                                              storage::Revision revision) const {
  HttpResponse response;
  response.status = code;
  response.headers.emplace_back("Content-Type", state.representation.content_type());
  response.body = Encoder(*state.resource, store_.types(), state.representation, store_.runtime())
                      .Object(record, revision);
  response.after = revision;
  return response;
}

HttpResponse ResourceHandlers::StatusResponse(const RequestState& state, int code,
                                              std::string_view json) const {
  HttpResponse response;
  response.status = code;
  response.headers.emplace_back("Content-Type", state.representation.content_type());
  response.body = EncodeStatus(json, state.representation, store_.types());
  return response;
}

Result<HttpResponse> ResourceHandlers::Handle(RequestState& state) {
  KULISSE_TRY(CheckTimeout(state.info.query));
  const std::string& verb = state.info.verb;
  const std::string_view subresource =
      state.subresource == nullptr ? std::string_view() : state.subresource->name;
  static constexpr std::string_view kOfObjects[] = {
      "", "status", "scale", "finalize", "approval", "ephemeralcontainers", "resize"};
  const bool whole = std::ranges::find(kOfObjects, subresource) != std::end(kOfObjects);
  if (verb == "create") {
    return subresource.empty() ? Create(state) : CreateSubresource(state);
  }
  if (!whole) return std::unexpected(NotSupported(state));
  if (verb == "get") return subresource == "scale" ? GetScale(state) : Get(state);
  if (verb == "list") return List(state);
  if (verb == "watch") return Watch(state);
  if (verb == "update") return Update(state);
  if (verb == "patch") return Patch(state);
  if (verb == "delete") return Delete(state);
  if (verb == "deletecollection") return DeleteCollection(state);
  return std::unexpected(Status::MethodNotAllowed());
}

Result<HttpResponse> ResourceHandlers::Get(RequestState& state) {
  if (state.representation.view == View::kMetadataList) {
    return std::unexpected(Status::NotAcceptable(fmt::format(
        "you requested PartialObjectMetadataList, but the requested object is not a list (*{}.{})",
        PackageOf(state.resource->group), state.resource->kind)));
  }
  KULISSE_ASSIGN(const uint64_t asked,
                 ParseResourceVersion(state.info.query.Text("resourceVersion")));
  const uint64_t head = store_.store().head().value;
  if (asked > head) return std::unexpected(TooLargeRevision(asked, head));
  RecordPtr record;
  if (IsComponentStatus(*state.resource)) {
    record = ComponentStatuses()->Get({"", "", state.info.name});
    if (record == nullptr) {
      return std::unexpected(Status::NotFound({"", "componentstatus"}, state.info.name));
    }
  } else {
    KULISSE_ASSIGN(record, store_.Get(*state.resource, NameOf(state)));
  }
  HttpResponse response = ObjectResponse(state, 200, *record, record->revision());
  response.compressible = true;
  return response;
}

Result<HttpResponse> ResourceHandlers::Create(RequestState& state) {
  KULISSE_ASSIGN(const WriteOptions options, ParseWriteOptions(state.info.query, "CreateOptions",
                                                               state.request.Find("User-Agent")));
  KULISSE_ASSIGN(json::Document object,
                 DecodeBody(state.request, ExpectedOf(*state.resource), options.field_validation,
                            store_.catalog(), store_.types(), &state.warnings));
  if (state.resource->resource == "bindings") {
    return CreateBinding(state, options, object.root, ReplacedName(object));
  }
  const ResourceInfo& stored = *state.resource->storage;
  if (&stored != state.resource) ConvertToStorage(*state.resource, store_.types(), object);
  KULISSE_ASSIGN(const WriteResult result,
                 store_.Create(Context(state, options), stored, state.info.ns, std::move(object)));
  return ObjectResponse(state, 201, *result.record, result.record->revision());
}

Mutation ResourceHandlers::ReplaceWith(const json::Document& replacement,
                                       const ResourceInfo& served, std::string_view name) const {
  const ResourceInfo& resource = *served.storage;
  return [&replacement, &served, &resource, name](json::Document& object) -> Result<void> {
    const std::string_view uid = replacement.root.FindString({"metadata", "uid"});
    const std::string current_uid(object.root.FindString({"metadata", "uid"}));
    if (!uid.empty() && uid != current_uid) {
      const std::string_view ns = object.root.FindString({"metadata", "namespace"});
      const std::string key =
          fmt::format("/registry/{}{}{}/{}", EtcdName(resource), ns.empty() ? "" : "/", ns, name);
      return std::unexpected(Status::Conflict(
          served.group_resource(), name,
          fmt::format("StorageError: invalid object, Code: 4, Key: {}, ResourceVersion: 0, "
                      "AdditionalErrorMsg: Precondition failed: UID in precondition: {}, UID in "
                      "object meta: {}",
                      key, uid, current_uid)));
    }
    object = replacement.Clone();
    return {};
  };
}

Result<void> CheckNameOfUrl(std::string_view name, std::string_view url_name) {
  if (name == url_name) return {};
  return std::unexpected(Status::BadRequest(fmt::format(
      "the name of the object ({}) does not match the name on the URL ({})", name, url_name)));
}

Result<void> RequireNameOfUrl(std::string_view name, std::string_view url_name) {
  if (!name.empty()) return CheckNameOfUrl(name, url_name);
  return std::unexpected(Status::BadRequest(fmt::format(
      "the name of the object ({} based on URL) was undeterminable: name must be provided",
      url_name)));
}

Result<void> CheckNamespaceOfUrl(const json::Value& object, std::string_view url_namespace) {
  const std::string_view ns = object.FindString({"metadata", "namespace"});
  if (ns.empty() || ns == url_namespace) return {};
  return std::unexpected(Status::BadRequest(
      "the namespace of the provided object does not match the namespace sent on the request"));
}

Result<HttpResponse> ResourceHandlers::Update(RequestState& state) {
  const std::string_view subresource =
      state.subresource == nullptr ? std::string_view() : state.subresource->name;
  if (subresource == "scale") return WriteScale(state, false);
  KULISSE_ASSIGN(const WriteOptions options, ParseWriteOptions(state.info.query, "UpdateOptions",
                                                               state.request.Find("User-Agent")));
  KULISSE_ASSIGN(json::Document object,
                 DecodeBody(state.request, ExpectedOf(*state.resource), options.field_validation,
                            store_.catalog(), store_.types(), &state.warnings));
  const std::string name = ReplacedName(object);
  KULISSE_TRY(RequireNameOfUrl(name, state.info.name));
  KULISSE_TRY(CheckNamespaceOfUrl(object.root, NameOf(state).ns));
  json::Value& metadata = object.root.SetDefaultObject("metadata", object.arena);
  if (state.resource->namespaced) {
    metadata.Set("namespace", json::Value::String(state.info.ns, object.arena), object.arena);
  }
  const ResourceInfo& stored = *state.resource->storage;
  if (&stored != state.resource) ConvertToStorage(*state.resource, store_.types(), object);
  const RequestContext context = Context(state, options);
  auto result = store_.Update(context, stored, NameOf(state), subresource,
                              ReplaceWith(object, *state.resource, state.info.name));
  if (!result && result.error().IsNotFound() && subresource.empty() &&
      RulesOf(stored).create_on_update) {
    result = store_.Create(context, stored, state.info.ns, std::move(object));
  }
  if (!result) return std::unexpected(std::move(result).error());
  return ObjectResponse(state, result->created ? 201 : 200, *result->record,
                        result->record->revision());
}

namespace {

void WarnOfDelete(RequestState& state, const DeleteRequest& request) {
  const std::string_view warning = DeleteWarning(*state.resource);
  if (warning.empty() || request.options.propagation_policy) return;
  state.warnings.emplace_back(warning);
}

}  // namespace

Result<HttpResponse> ResourceHandlers::Delete(RequestState& state) {
  KULISSE_ASSIGN(const json::Document body, DecodeDeleteOptions(state.request, store_.types()));
  KULISSE_ASSIGN(
      const DeleteRequest request,
      ParseDeleteOptions(state.info.query, state.request.body.empty() ? nullptr : &body.root));
  WarnOfDelete(state, request);
  WriteOptions options;
  options.dry_run = request.dry_run;
  KULISSE_ASSIGN(const WriteResult result,
                 store_.Delete(Context(state, options), *state.resource->storage, NameOf(state),
                               request.options));
  if (result.deleted && !RulesOf(*state.resource).returns_deleted_object) {
    HttpResponse response = StatusResponse(
        state, 200, SuccessStatus(*state.resource, state.info.name, result.record->uid()));
    response.after = result.revision;
    return response;
  }
  HttpResponse response = ObjectResponse(
      state, 200, *result.record,
      result.deleted && result.changed ? result.revision : result.record->revision());
  response.after = result.revision;
  return response;
}

Result<HttpResponse> ResourceHandlers::DeleteCollection(RequestState& state) {
  KULISSE_ASSIGN(const json::Document body, DecodeDeleteOptions(state.request, store_.types()));
  KULISSE_ASSIGN(
      const DeleteRequest request,
      ParseDeleteOptions(state.info.query, state.request.body.empty() ? nullptr : &body.root));
  KULISSE_ASSIGN(ListOptions list, ParseListOptions(*state.resource, state.info, false));
  WarnOfDelete(state, request);
  list.limit = 0;
  WriteOptions options;
  options.dry_run = request.dry_run;
  const RequestContext context = Context(state, options);
  const ResourceInfo& stored = *state.resource->storage;
  const storage::SnapshotPtr snapshot = store_.store().Latest();
  const auto cursor = snapshot->Scan(stored.storage_name, state.info.ns, "");
  storage::Revision last;
  while (const RecordPtr record = cursor->Next()) {
    const NameView name = SplitKey(stored, cursor->key());
    if (!list.selection.Matches(stored, name.ns, name.name, *record)) continue;
    const auto result = store_.Delete(
        context, stored, {std::string(name.ns), std::string(name.name)}, request.options);
    if (result) {
      last = std::max(last, result->revision);
    } else if (!result.error().IsNotFound()) {
      return std::unexpected(result.error());
    }
  }
  // The answer is the list as it was.
  KULISSE_ASSIGN(HttpResponse response, MakeListResponse(store_, state, list, snapshot, "", 0));
  response.after = std::max(response.after, last);
  return response;
}

}  // namespace kulisse::apiserver
