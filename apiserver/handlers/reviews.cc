#include "apiserver/handlers/reviews.h"

#include <fmt/format.h>

#include "apiserver/handlers/body.h"
#include "apiserver/handlers/encoder.h"
#include "apiserver/registry/field_manager.h"
#include "base/assert.h"
#include "openapi/typed.h"
#include "openapi/validation/validation.h"

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
  const json::Value& spec = *review.root.Find("spec");
  std::vector<std::string> audiences;
  if (const json::Value* wanted = spec.Find("audiences")) {
    for (const json::Value& audience : wanted->elements()) {
      audiences.emplace_back(audience.AsString());
    }
  }
  if (audiences.empty()) audiences.emplace_back(ServiceAccountTokens::kIssuer);
  const auto found =
      authenticator.Review(spec.FindString({"token"}), audiences, ServiceAccountTokens::kIssuer);
  json::Arena& arena = review.arena;
  json::Value status = json::Value::Object();
  if (found) {
    status.Set("authenticated", json::Value::Bool(true), arena);
    status.Set("user", UserObject(found->user, arena), arena);
    status.Set("audiences", Strings(found->audiences, arena), arena);
  } else {
    status.Set("user", json::Value::Object(), arena);
    status.Set("error", json::Value::StringRef("invalid bearer token"), arena);
  }
  review.root.Set("status", std::move(status), arena);
}

// The review's own fields are not repeated.
void ReviewRules(const RuleList& rules, json::Document& review) {
  json::Arena& arena = review.arena;
  json::Value resources = json::Value::Array();
  for (const RuleList::Resources& rule : rules.resources) {
    json::Value row = json::Value::Object();
    row.Set("verbs", Strings(rule.verbs, arena), arena);
    row.Set("apiGroups", Strings(rule.groups, arena), arena);
    row.Set("resources", Strings(rule.resources, arena), arena);
    resources.PushBack(std::move(row), arena);
  }
  json::Value paths = json::Value::Array();
  for (const RuleList::Paths& rule : rules.paths) {
    json::Value row = json::Value::Object();
    row.Set("verbs", Strings(rule.verbs, arena), arena);
    row.Set("nonResourceURLs", Strings(rule.paths, arena), arena);
    paths.PushBack(std::move(row), arena);
  }
  json::Value status = json::Value::Object();
  status.Set("resourceRules", std::move(resources), arena);
  status.Set("nonResourceRules", std::move(paths), arena);
  status.Set("incomplete", json::Value::Bool(false), arena);
  review.root.Remove("metadata");
  review.root.Remove("spec");
  review.root.Set("status", std::move(status), arena);
}

void Canonicalize(json::Document& review, const openapi::ResourceInfo& resource,
                  const openapi::TypeTable& types) {
  const auto normalized =
      openapi::Normalize(review.root, resource.type, types, review.arena, nullptr);
  KULISSE_ASSERT(normalized.has_value());
}

// Refusals before a review is looked into.
Result<void> CheckReview(const RequestState& state, const openapi::TypeTable& types,
                         json::Document& review) {
  const openapi::ResourceInfo& resource = *state.resource;
  const std::string_view kind = resource.kind;
  const json::Value& spec = *review.root.Find("spec");
  if (kind == "TokenReview" && spec.FindString({"token"}).empty()) {
    return std::unexpected(
        Status::BadRequest("token is required for TokenReview in authentication"));
  }
  if (kind == "SelfSubjectRulesReview" && spec.FindString({"namespace"}).empty()) {
    return std::unexpected(Status::BadRequest("no namespace on request"));
  }
  if (resource.namespaced) {
    json::Value& metadata = review.root.SetDefaultObject("metadata", review.arena);
    const std::string_view ns = metadata.FindString({"namespace"});
    if (!ns.empty() && ns != state.info.ns) {
      return std::unexpected(Status::BadRequest(
          "the namespace of the provided object does not match the namespace sent on the request"));
    }
    metadata.Set("namespace", json::Value::String(state.info.ns, review.arena), review.arena);
    Canonicalize(review, resource, types);  // refusals print it
  }
  FieldErrors errors;
  openapi::ValidateCreate(review.root, resource.type, &errors);
  if (errors.empty()) return {};
  return std::unexpected(Status::Invalid({resource.group, ""}, "", errors));
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
  KULISSE_TRY(CheckReview(state, store.types(), review));
  json::Value status = json::Value::Object();
  if (resource.kind == "TokenReview") {
    ReviewToken(authenticator, review);
  } else if (resource.kind == "SelfSubjectReview") {
    review.root.Remove("spec");
    status.Set("userInfo", UserObject(state.user, arena), arena);
    review.root.Set("status", std::move(status), arena);
  } else if (resource.kind == "SelfSubjectRulesReview") {
    ReviewRules(authorizer.RulesFor(state.user, spec.FindString({"namespace"})), review);
  } else {
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
  Canonicalize(review, resource, store.types());
  HttpResponse response;
  response.status = 201;
  response.headers.emplace_back("Content-Type", state.representation.content_type());
  response.body = EncodeDocument(review.root, resource.api_version(), resource.kind, resource.type,
                                 state.representation, store.types());
  return response;
}

}  // namespace kulisse::apiserver
