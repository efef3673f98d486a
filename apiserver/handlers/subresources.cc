// Subresources that are kinds of their own: scale, and what is created below an object (binding,
// eviction …).
#include <fmt/format.h>

#include "apiserver/handlers/encoder.h"
#include "apiserver/handlers/resource_handlers.h"
#include "apiserver/registry/eviction.h"
#include "apiserver/registry/field_manager.h"
#include "apiserver/registry/object_encoding.h"
#include "base/assert.h"
#include "base/json/parse.h"
#include "base/json/write.h"
#include "openapi/defaulting.h"
#include "openapi/selector.h"
#include "openapi/typed.h"

namespace kulisse::apiserver {

namespace {

using openapi::ResourceInfo;

int64_t IntAt(const json::Value& object, std::initializer_list<std::string_view> path) {
  const json::Value* value = object.Find(path);
  return value != nullptr && value->IsInt() ? value->AsInt() : 0;
}

// The selector of a workload as Scale shows it: text. Replication controllers have a plain map.
std::string SelectorText(const json::Value& object) {
  const json::Value* selector = object.Find({"spec", "selector"});
  if (selector == nullptr) return "";
  json::Document wrapped;
  const bool plain =
      selector->Find("matchLabels") == nullptr && selector->Find("matchExpressions") == nullptr;
  wrapped.root = json::Value::Object();
  if (plain) {
    wrapped.root.Set("matchLabels", selector->Clone(wrapped.arena), wrapped.arena);
  } else {
    wrapped.root = selector->Clone(wrapped.arena);
  }
  const auto parsed = openapi::LabelSelector::FromObject(wrapped.root);
  return parsed ? parsed->ToString() : "";
}

ExpectedKind ScaleKind(const openapi::SubresourceInfo& subresource) {
  return {"autoscaling", "v1", "Scale", subresource.type};
}

}  // namespace

// The Scale of an object, without kind and apiVersion (upstream: registry/apps/*/storage).
json::Document ScaleOf(const json::Value& object) {
  json::Document scale;
  json::Arena& arena = scale.arena;
  scale.root = json::Value::Object();
  json::Value& metadata = scale.root.SetDefaultObject("metadata", arena);
  for (const std::string_view name : {"name", "namespace", "uid", "creationTimestamp"}) {
    if (const json::Value* value = object.Find({"metadata", name})) {
      metadata.Set(name, value->Clone(arena), arena);
    }
  }
  json::Value& spec = scale.root.SetDefaultObject("spec", arena);
  if (const int64_t replicas = IntAt(object, {"spec", "replicas"}); replicas != 0) {
    spec.Set("replicas", json::Value::Int(replicas), arena);
  }
  json::Value& status = scale.root.SetDefaultObject("status", arena);
  status.Set("replicas", json::Value::Int(IntAt(object, {"status", "replicas"})), arena);
  if (const std::string text = SelectorText(object); !text.empty()) {
    status.Set("selector", json::Value::String(text, arena), arena);
  }
  return scale;
}

Result<void> CheckScale(const json::Value& scale, std::string_view name) {
  const int64_t replicas = IntAt(scale, {"spec", "replicas"});
  if (replicas >= 0) return {};
  return std::unexpected(
      Status::Invalid({"autoscaling", "Scale"}, name,
                      {FieldError::Invalid("spec.replicas", std::to_string(replicas),
                                           "must be greater than or equal to 0")}));
}

HttpResponse ResourceHandlers::ScaleResponse(const RequestState& state,
                                             const storage::Record& record) const {
  // A Scale is shown as if it were stored, so that every representation has it.
  ResourceInfo scales;
  scales.group = "autoscaling";
  scales.version = "v1";
  scales.resource = "scales";
  scales.kind = "Scale";
  scales.type = state.subresource->type;
  scales.verbs = 1 << static_cast<int>(openapi::Verb::kGet);
  scales.storage_name = "scales.autoscaling";
  scales.storage = &scales;
  const json::Document scale = ScaleOf(ResourceStore::Decode(record).root);
  EncodedObject encoded;
  EncodeObject(scales, scale.root, "", &encoded);
  HttpResponse response;
  response.headers.emplace_back("Content-Type", state.representation.content_type());
  response.body = Encoder(scales, store_.types(), state.representation, store_.runtime())
                      .Object(*DryRunRecord(encoded.content, record.revision()), record.revision());
  response.after = record.revision();
  return response;
}

Result<HttpResponse> ResourceHandlers::GetScale(RequestState& state) {
  KULISSE_ASSIGN(const storage::RecordPtr record, store_.Get(*state.resource, NameOf(state)));
  return ScaleResponse(state, *record);
}

Result<HttpResponse> ResourceHandlers::WriteScale(RequestState& state, bool patch) {
  KULISSE_ASSIGN(const WriteOptions options,
                 ParseWriteOptions(state.info.query, patch ? "PatchOptions" : "UpdateOptions",
                                   state.request.Find("User-Agent")));
  const ExpectedKind kind = ScaleKind(*state.subresource);
  json::Document body;
  std::string media_type;
  if (patch) {
    media_type = MediaTypeOf(state.request);
    if (media_type != "application/json-patch+json" &&
        media_type != "application/merge-patch+json" &&
        media_type != "application/strategic-merge-patch+json") {
      return std::unexpected(Status::UnsupportedMediaType("415: Unsupported Media Type"));
    }
    auto parsed = json::Parse(state.request.body);
    if (!parsed) {
      return std::unexpected(
          Status::BadRequest(fmt::format("error decoding patch: {}", parsed.error().message)));
    }
    body = std::move(*parsed);
  } else {
    KULISSE_ASSIGN(body, DecodeBody(state.request, kind, options.field_validation, store_.catalog(),
                                    store_.types(), &state.warnings));
  }
  const auto mutation = [&](json::Document& object) -> Result<void> {
    json::Document scale = ScaleOf(object.root);
    if (patch) {
      KULISSE_TRY(ApplyPatch(media_type, body.root, kind, options.field_validation, store_.types(),
                             scale, &state.warnings));
    }
    const json::Value& wanted = patch ? scale.root : body.root;
    KULISSE_TRY(CheckNameOfUrl(wanted.FindString({"metadata", "name"}), state.info.name));
    KULISSE_TRY(CheckScale(wanted, state.info.name));
    const std::string_view revision = wanted.FindString({"metadata", "resourceVersion"});
    if (!revision.empty()) {
      object.root.SetDefaultObject("metadata", object.arena)
          .Set("resourceVersion", json::Value::String(revision, object.arena), object.arena);
    }
    object.root.SetDefaultObject("spec", object.arena)
        .Set("replicas", json::Value::Int(IntAt(wanted, {"spec", "replicas"})), object.arena);
    return {};
  };
  RequestContext context = Context(state, options);
  context.scales = true;
  KULISSE_ASSIGN(const WriteResult result,
                 store_.Update(context, *state.resource, NameOf(state), "", mutation));
  return ScaleResponse(state, *result.record);
}

Result<HttpResponse> ResourceHandlers::CreateSubresource(RequestState& state) {
  const std::string_view name = state.subresource->name;
  if (name == "token") return CreateToken(state);
  if (name != "binding" && name != "eviction") return std::unexpected(NotSupported(state));
  const bool binding = name == "binding";
  KULISSE_ASSIGN(const WriteOptions options, ParseWriteOptions(state.info.query, "CreateOptions",
                                                               state.request.Find("User-Agent")));
  ExpectedKind kind{"", "v1", "Binding", state.subresource->type};
  if (!binding) kind = {"policy", "v1", "Eviction", state.subresource->type, "v1beta1"};
  KULISSE_ASSIGN(const json::Document object,
                 DecodeBody(state.request, kind, options.field_validation, store_.catalog(),
                            store_.types(), &state.warnings));
  const std::string_view own_name = object.root.FindString({"metadata", "name"});
  // A body without a name gets that of the URL.
  if (!own_name.empty() && own_name != state.info.name) {
    return std::unexpected(
        Status::BadRequest(fmt::format("name in URL does not match name in {} object", kind.kind)));
  }
  return binding ? CreateBinding(state, options, object.root, state.info.name)
                 : CreateEviction(state, options, object.root);
}

Result<HttpResponse> ResourceHandlers::CreateEviction(RequestState& state, WriteOptions options,
                                                      const json::Value& eviction) {
  constexpr std::string_view kBreaking = "ignoreStoreReadErrorWithClusterBreakingPotential";
  DeleteRequest request;
  if (const json::Value* body = eviction.Find("deleteOptions")) {
    if (const json::Value* breaking = body->Find(kBreaking);
        breaking != nullptr && breaking->IsBool() && breaking->AsBool()) {
      return std::unexpected(Status::Invalid(
          {"policy", "Eviction"}, state.info.name,
          {FieldError::Invalid(fmt::format("deleteOptions.{}", kBreaking), "true",
                               "can not be set for pod eviction, try after removing the option")}));
    }
    KULISSE_ASSIGN(request, ParseDeleteOptions(state.info.query, body));
  }
  options.dry_run = options.dry_run || request.dry_run;
  KULISSE_ASSIGN(const WriteResult result,
                 EvictPod(store_, Context(state, options), NameOf(state), request.options));
  return CreatedStatus(state, result.revision);
}

Result<HttpResponse> ResourceHandlers::CreateToken(RequestState& state) {
  KULISSE_TRY(RequireObjectView(state.representation));
  KULISSE_ASSIGN(const WriteOptions options, ParseWriteOptions(state.info.query, "CreateOptions",
                                                               state.request.Find("User-Agent")));
  const openapi::ResourceInfo* kind =
      store_.catalog().FindKind("authentication.k8s.io", "v1", "TokenReview");
  KULISSE_ASSERT(kind != nullptr);
  openapi::ResourceInfo requests = *kind;  // tokens are asked for as if they were of this kind
  requests.kind = "TokenRequest";
  requests.type = state.subresource->type;
  requests.storage = &requests;
  KULISSE_ASSIGN(
      json::Document request,
      DecodeBody(state.request, {"authentication.k8s.io", "v1", "TokenRequest", requests.type},
                 options.field_validation, store_.catalog(), store_.types(), &state.warnings));
  openapi::ApplyDefaults(request.root, requests.type, store_.types(), request.arena);
  FieldManager manager(
      store_.catalog(), store_.types(), requests,
      {.manager = options.field_manager, .served = nullptr, .subresource = "token"},
      store_.runtime().Now());
  SetManagedFields(manager.Create(request), request);
  KULISSE_TRY(tokens_.Issue(NameOf(state), request));
  const auto normalized =
      openapi::Normalize(request.root, requests.type, store_.types(), request.arena, nullptr);
  KULISSE_ASSERT(normalized.has_value());
  HttpResponse response;
  response.status = 201;
  response.headers.emplace_back("Content-Type", state.representation.content_type());
  response.body = EncodeDocument(request.root, "authentication.k8s.io/v1", "TokenRequest",
                                 requests.type, state.representation, store_.types());
  return response;
}

HttpResponse ResourceHandlers::CreatedStatus(const RequestState& state,
                                             storage::Revision revision) const {
  HttpResponse response = StatusResponse(
      state, 201,
      R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Success","code":201})");
  response.after = revision;
  return response;
}

Result<HttpResponse> ResourceHandlers::CreateBinding(RequestState& state,
                                                     const WriteOptions& options,
                                                     const json::Value& binding,
                                                     std::string_view pod) {
  KULISSE_ASSIGN(const WriteResult result,
                 store_.Bind(Context(state, options), {state.info.ns, std::string(pod)}, binding));
  return CreatedStatus(state, result.revision);
}

}  // namespace kulisse::apiserver
