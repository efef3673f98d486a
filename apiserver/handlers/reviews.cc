#include "apiserver/handlers/reviews.h"

#include <fmt/format.h>

#include "apiserver/handlers/body.h"
#include "apiserver/handlers/encoder.h"
#include "apiserver/registry/field_manager.h"
#include "base/assert.h"
#include "openapi/typed.h"

namespace kulisse::apiserver {

namespace {

json::Value Strings(const std::vector<std::string>& texts, json::Arena& arena) {
  json::Value list = json::Value::Array();
  for (const std::string& text : texts) list.PushBack(json::Value::String(text, arena), arena);
  return list;
}

json::Value UserObject(const UserInfo& user, json::Arena& arena) {
  json::Value object = json::Value::Object();
  object.Set("username", json::Value::String(user.name, arena), arena);
  if (!user.uid.empty()) object.Set("uid", json::Value::String(user.uid, arena), arena);
  object.Set("groups", Strings(user.groups, arena), arena);
  for (const auto& [key, values] : user.extra) {
    object.SetDefaultObject("extra", arena).Set(key, Strings(values, arena), arena);
  }
  return object;
}

// What the spec of an access review asks.
Attributes AttributesOf(const json::Value& spec, UserInfo user) {
  Attributes attributes;
  attributes.user = std::move(user);
  if (const json::Value* resource = spec.Find("resourceAttributes")) {
    attributes.is_resource = true;
    attributes.verb = resource->FindString({"verb"});
    attributes.group = resource->FindString({"group"});
    attributes.resource = resource->FindString({"resource"});
    attributes.subresource = resource->FindString({"subresource"});
    attributes.ns = resource->FindString({"namespace"});
    attributes.name = resource->FindString({"name"});
  } else {
    attributes.path = spec.FindString({"nonResourceAttributes", "path"});
    attributes.verb = spec.FindString({"nonResourceAttributes", "verb"});
  }
  return attributes;
}

UserInfo UserOf(const json::Value& spec) {
  UserInfo user;
  user.name = spec.FindString({"user"});
  user.uid = spec.FindString({"uid"});
  if (const json::Value* groups = spec.Find("groups")) {
    for (const json::Value& group : groups->elements()) user.groups.emplace_back(group.AsString());
  }
  return user;
}

void ReviewToken(const Authenticator& authenticator, json::Document& review) {
  HttpRequest request;
  const std::string token(review.root.FindString({"spec", "token"}));
  request.headers.emplace_back("Authorization", "Bearer " + token);
  const auto user = authenticator.Authenticate(request);
  json::Arena& arena = review.arena;
  json::Value status = json::Value::Object();
  if (user && user->name != kAnonymousUser) {
    status.Set("authenticated", json::Value::Bool(true), arena);
    status.Set("user", UserObject(*user, arena), arena);
    // Whom the token is for: static tokens are for anybody.
    if (user->IsIn("system:serviceaccounts")) {
      status.Set("audiences", Strings({std::string(ServiceAccountTokens::kIssuer)}, arena), arena);
    }
  } else {
    status.Set("user", json::Value::Object(), arena);
    status.Set("error", json::Value::StringRef("invalid bearer token"), arena);
  }
  review.root.Set("status", std::move(status), arena);
}

Result<void> CheckAccessSpec(const openapi::ResourceInfo& resource, const json::Value& spec) {
  const bool has_resource = spec.Find("resourceAttributes") != nullptr;
  const bool has_path = spec.Find("nonResourceAttributes") != nullptr;
  if (has_resource != has_path) return {};
  return std::unexpected(Status::Invalid(
      resource.group_kind(), "",
      {FieldError::Invalid("spec.resourceAttributes", "null",
                           has_resource ? "cannot be specified in combination with "
                                          "nonResourceAttributes"
                                        : "exactly one of nonResourceAttributes or "
                                          "resourceAttributes must be specified")}));
}

}  // namespace

bool IsReview(const openapi::ResourceInfo& resource) {
  return resource.group == "authentication.k8s.io" || resource.group == "authorization.k8s.io";
}

Result<HttpResponse> HandleReview(RequestState& state, const ResourceStore& store,
                                  const Authenticator& authenticator,
                                  const Authorizer& authorizer) {
  const openapi::ResourceInfo& resource = *state.resource;
  KULISSE_TRY(RequireObjectView(state.representation));
  KULISSE_ASSIGN(const WriteOptions options, ParseWriteOptions(state.info.query, "CreateOptions",
                                                               state.request.Find("User-Agent")));
  const ExpectedKind kind{resource.group, resource.version, resource.kind, resource.type};
  KULISSE_ASSIGN(json::Document review,
                 DecodeBody(state.request, kind, options.field_validation, store.catalog(),
                            store.types(), &state.warnings));
  json::Arena& arena = review.arena;
  FieldManager manager(store.catalog(), store.types(), resource,
                       {.manager = options.field_manager, .served = nullptr, .subresource = {}},
                       store.runtime().Now());
  SetManagedFields(manager.Create(review), review);
  const json::Value& spec = review.root.SetDefaultObject("spec", arena);
  json::Value status = json::Value::Object();
  if (resource.kind == "TokenReview") {
    ReviewToken(authenticator, review);
  } else if (resource.kind == "SelfSubjectReview") {
    review.root.Remove("spec");
    status.Set("userInfo", UserObject(state.user, arena), arena);
    review.root.Set("status", std::move(status), arena);
  } else if (resource.kind == "SelfSubjectRulesReview") {
    return std::unexpected(Status::Plain(
        501,
        "SelfSubjectRulesReview is not supported by this version of Kulisse: authorization "
        "by rules is not there yet"));
  } else {
    KULISSE_TRY(CheckAccessSpec(resource, spec));
    const bool self = resource.kind == "SelfSubjectAccessReview";
    const auto decision =
        authorizer.Authorize(AttributesOf(spec, self ? state.user : UserOf(spec)));
    status.Set("allowed", json::Value::Bool(decision == Authorizer::Decision::kAllow), arena);
    review.root.Set("status", std::move(status), arena);
  }
  if (resource.kind == "SelfSubjectReview") {
    review.root.SetDefaultObject("metadata", arena)
        .Set("creationTimestamp", json::Value::String(FormatTime(store.runtime().Now()), arena),
             arena);
  }
  const auto normalized =
      openapi::Normalize(review.root, resource.type, store.types(), arena, nullptr);
  KULISSE_ASSERT(normalized.has_value());
  HttpResponse response;
  response.status = 201;
  response.headers.emplace_back("Content-Type", state.representation.content_type());
  response.body = EncodeDocument(review.root, resource.api_version(), resource.kind, resource.type,
                                 state.representation, store.types());
  return response;
}

}  // namespace kulisse::apiserver
