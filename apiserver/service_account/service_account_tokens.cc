#include "apiserver/service_account/service_account_tokens.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "apiserver/registry/object_meta.h"
#include "base/assert.h"
#include "base/json/parse.h"
#include "base/json/write.h"
#include "base/limits.h"

namespace kulisse::apiserver {

namespace {

using std::chrono::seconds;

constexpr int64_t kSecondsMin = 10 * 60;
constexpr int64_t kSecondsMax = int64_t{1} << 32;
constexpr int64_t kSecondsDefault = 60 * 60;
// What admission asks for in volumes of pods; such tokens live longer, and say when to warn.
constexpr int64_t kSecondsOfVolumes = 60 * 60 + 7;
constexpr int64_t kSecondsExtended = 365 * 24 * 60 * 60;
// How far clocks may be apart, and how long a deleted object still counts.
constexpr int64_t kLeewaySeconds = 60;
constexpr std::string_view kPrivate = "kubernetes.io";

int64_t SecondsOf(SystemTime time) {
  return std::chrono::duration_cast<seconds>(time.time_since_epoch()).count();
}

int64_t IntAt(const json::Value& object, std::initializer_list<std::string_view> path,
              int64_t missing) {
  const json::Value* value = object.Find(path);
  return value != nullptr && value->IsInt() ? value->AsInt() : missing;
}

GroupKind RequestKind() { return {"authentication.k8s.io", "TokenRequest"}; }

json::Value Reference(std::string_view name, std::string_view uid, json::Arena& arena) {
  json::Value reference = json::Value::Object();
  reference.Set("name", json::Value::String(name, arena), arena);
  if (!uid.empty()) reference.Set("uid", json::Value::String(uid, arena), arena);
  return reference;
}

// The service account's own fields in the request's metadata, which may say them as well.
Result<void> FillMetadata(const ObjectName& name, const json::Value& account, SystemTime now,
                          json::Document& request) {
  json::Arena& arena = request.arena;
  json::Value& metadata = request.root.SetDefaultObject("metadata", arena);
  const std::string_view given = metadata.FindString({"name"});
  const std::string_view uid = account.FindString({"metadata", "uid"});
  const std::string_view given_uid = metadata.FindString({"uid"});
  if (!given_uid.empty() && given_uid != uid) {
    return std::unexpected(Status::Conflict(
        {"authentication.k8s.io", "TokenRequest"}, name.name,
        fmt::format("the UID in the token request ({}) does not match the UID of the service "
                    "account ({})",
                    given_uid, uid)));
  }
  if (given.empty()) metadata.Set("name", json::Value::String(name.name, arena), arena);
  metadata.Set("namespace", json::Value::String(name.ns, arena), arena);
  metadata.Set("uid", json::Value::String(uid, arena), arena);
  metadata.Set("creationTimestamp", json::Value::String(FormatTime(now), arena), arena);
  return {};
}

Result<void> CheckMetadata(const ObjectName& name, const json::Value& request) {
  const std::string_view ns = request.FindString({"metadata", "namespace"});
  if (!ns.empty() && ns != name.ns) {
    return std::unexpected(Status::BadRequest(
        "the namespace of the provided object does not match the namespace sent on the request"));
  }
  const std::string_view own = request.FindString({"metadata", "name"});
  if (own.empty() || own == name.name) return {};
  return std::unexpected(
      Status::Invalid(RequestKind(), name.name,
                      {FieldError::Invalid("metadata.name", GoQuote(own),
                                           "must match the service account name if specified")}));
}

Result<int64_t> LifeOf(const json::Value& request) {
  const int64_t life = IntAt(request, {"spec", "expirationSeconds"}, kSecondsDefault);
  const auto refuse = [&](std::string_view why) {
    return std::unexpected(Status::Invalid(
        RequestKind(), "",
        {FieldError::Invalid("spec.expirationSeconds", std::to_string(life), why)}));
  };
  if (life < kSecondsMin) return refuse("may not specify a duration less than 10 minutes");
  if (life > kSecondsMax) return refuse("may not specify a duration larger than 2^32 seconds");
  return life;
}

bool IsForUs(const json::Value* audiences) {
  return audiences != nullptr && std::ranges::all_of(audiences->elements(), [](const auto& a) {
           return a.IsString() && a.AsString() == ServiceAccountTokens::kIssuer;
         });
}

// Those of `wanted` that a token names, in its order.
std::vector<std::string> Intersection(const json::Value* audiences,
                                      std::span<const std::string> wanted) {
  std::vector<std::string> both;
  if (audiences == nullptr) return both;
  for (const json::Value& audience : audiences->elements()) {
    if (audience.IsString() && std::ranges::find(wanted, audience.AsString()) != wanted.end()) {
      both.emplace_back(audience.AsString());
    }
  }
  return both;
}

}  // namespace

ServiceAccountTokens::ServiceAccountTokens(ResourceStore& store, certs::PrivateKey key)
    : store_(store), key_(std::move(key)) {}

Result<json::Document> ServiceAccountTokens::Lookup(std::string_view resource,
                                                    const ObjectName& name) const {
  const openapi::ResourceInfo* row = store_.catalog().Find("", "v1", resource);
  KULISSE_ASSERT(row != nullptr);
  KULISSE_ASSIGN(const storage::RecordPtr record, store_.Get(*row, name));
  return ResourceStore::Decode(*record);
}

Result<void> ServiceAccountTokens::Bind(const ObjectName& name, const json::Value& reference,
                                        json::Document& claims) const {
  const std::string_view api_version = reference.FindString({"apiVersion"});
  const std::string_view kind = reference.FindString({"kind"});
  const std::string bound(reference.FindString({"name"}));
  const bool core = api_version.empty() || api_version == "v1";
  if (!core || (kind != "Pod" && kind != "Node" && kind != "Secret")) {
    const size_t slash = api_version.find('/');
    const bool grouped = slash != std::string_view::npos;
    return std::unexpected(Status::BadRequest(
        fmt::format("cannot bind token to object of type {}/{}, Kind={}",
                    grouped ? api_version.substr(0, slash) : "",
                    grouped ? api_version.substr(slash + 1) : api_version, kind)));
  }
  const std::string_view resource = kind == "Pod" ? "pods" : kind == "Node" ? "nodes" : "secrets";
  const std::string_view claim = resource.substr(0, resource.size() - 1);
  KULISSE_ASSIGN(const json::Document object,
                 Lookup(resource, {kind == "Node" ? "" : name.ns, bound}));
  const std::string_view uid = object.root.FindString({"metadata", "uid"});
  json::Arena& arena = claims.arena;
  json::Value& own = *claims.root.Find(kPrivate);
  if (kind == "Pod") {
    if (object.root.FindString({"spec", "serviceAccountName"}) != name.name) {
      return std::unexpected(Status::BadRequest(
          fmt::format("cannot bind token for serviceaccount {} to pod running with different "
                      "serviceaccount name.",
                      GoQuote(name.name))));
    }
    const std::string node_name(object.root.FindString({"spec", "nodeName"}));
    if (!node_name.empty()) {
      const auto node = Lookup("nodes", {"", node_name});
      own.Set("node",
              Reference(node_name, node ? node->root.FindString({"metadata", "uid"}) : "", arena),
              arena);
    }
  }
  own.Set(claim, Reference(bound, uid, arena), arena);
  const std::string_view wanted = reference.FindString({"uid"});
  if (wanted.empty() || wanted == uid) return {};
  return std::unexpected(Status::Conflict(
      {"", kind}, bound,
      fmt::format("the UID in the bound object reference ({}) does not match the UID in record. "
                  "The object might have been deleted and then recreated",
                  wanted)));
}

Result<void> ServiceAccountTokens::Issue(const ObjectName& name, json::Document& request) {
  KULISSE_TRY(CheckMetadata(name, request.root));
  KULISSE_ASSIGN(const json::Document account, Lookup("serviceaccounts", name));
  const SystemTime now = store_.runtime().Now();
  KULISSE_TRY(FillMetadata(name, account.root, now, request));
  KULISSE_ASSIGN(const int64_t life, LifeOf(request.root));

  json::Arena& arena = request.arena;
  json::Value& spec = request.root.SetDefaultObject("spec", arena);
  const json::Value* audiences = spec.Find("audiences");
  if (audiences == nullptr || audiences->size() == 0) {
    json::Value list = json::Value::Array();
    list.PushBack(json::Value::StringRef(kIssuer), arena);
    audiences = &spec.Set("audiences", std::move(list), arena);
  }
  json::Document claims;
  claims.root = json::Value::Object();
  json::Arena& memory = claims.arena;
  claims.root.Set("aud", audiences->Clone(memory), memory);
  json::Value& own = claims.root.SetDefaultObject(kPrivate, memory);
  own.Set("namespace", json::Value::String(name.ns, memory), memory);
  own.Set("serviceaccount",
          Reference(name.name, account.root.FindString({"metadata", "uid"}), memory), memory);
  bool volume = false;
  if (const json::Value* bound = spec.Find("boundObjectRef"); bound && bound->IsObject()) {
    KULISSE_TRY(Bind(name, *bound, claims));
    volume = own.Find("pod") != nullptr && life == kSecondsOfVolumes && IsForUs(audiences);
  }
  const int64_t issued = SecondsOf(now);
  if (volume) own.Set("warnafter", json::Value::Int(issued + life), memory);
  const int64_t end = issued + (volume ? kSecondsExtended : life);
  claims.root.Set("exp", json::Value::Int(end), memory);
  claims.root.Set("iat", json::Value::Int(issued), memory);
  claims.root.Set("iss", json::Value::StringRef(kIssuer), memory);
  claims.root.Set("jti", json::Value::String(NewUuid(store_.runtime()), memory), memory);
  claims.root.Set("nbf", json::Value::Int(issued), memory);
  claims.root.Set(
      "sub",
      json::Value::String(fmt::format("system:serviceaccount:{}:{}", name.ns, name.name), memory),
      memory);

  spec.Set("expirationSeconds", json::Value::Int(life), arena);
  json::Value status = json::Value::Object();
  status.Set("token", json::Value::String(key_.Sign(json::ToString(claims.root)), arena), arena);
  status.Set("expirationTimestamp", json::Value::String(FormatTime(now + seconds(life)), arena),
             arena);
  request.root.Set("status", std::move(status), arena);
  return {};
}

std::optional<std::string> ServiceAccountTokens::Claims(std::string_view token) const {
  {
    const std::lock_guard lock(mutex_);
    if (const auto known = checked_.find(token); known != checked_.end()) return known->second;
  }
  auto claims = key_.Verify(token);
  if (!claims) return std::nullopt;
  const std::lock_guard lock(mutex_);
  if (checked_.size() >= kCheckedTokensMax) checked_.clear();
  checked_.emplace(token, *claims);
  return claims;
}

bool ServiceAccountTokens::Lives(std::string_view resource, std::string_view ns,
                                 const json::Value* claim) const {
  if (claim == nullptr) return true;
  const auto object = Lookup(resource, {std::string(ns), std::string(claim->FindString({"name"}))});
  if (!object || object->root.FindString({"metadata", "uid"}) != claim->FindString({"uid"})) {
    return false;
  }
  const auto end = ParseTime(object->root.FindString({"metadata", "deletionTimestamp"}));
  return !end || store_.runtime().Now() <= *end + seconds(kLeewaySeconds);
}

std::optional<UserInfo> ServiceAccountTokens::Authenticate(std::string_view token) const {
  static const std::vector<std::string> kOwn = {std::string(kIssuer)};
  auto found = AuthenticateFor(token, kOwn);
  if (!found) return std::nullopt;
  return std::move(found->user);
}

std::optional<TokenUser> ServiceAccountTokens::AuthenticateFor(
    std::string_view token, std::span<const std::string> audiences) const {
  const auto text = Claims(token);
  if (!text) return std::nullopt;
  const auto parsed = json::Parse(*text);
  if (!parsed) return std::nullopt;
  const json::Value& claims = parsed->root;
  const int64_t now = SecondsOf(store_.runtime().Now());
  std::vector<std::string> granted = Intersection(claims.Find("aud"), audiences);
  if (claims.FindString({"iss"}) != kIssuer || granted.empty() ||
      now > IntAt(claims, {"exp"}, 0) + kLeewaySeconds ||
      now < IntAt(claims, {"nbf"}, 0) - kLeewaySeconds) {
    return std::nullopt;
  }
  const std::string ns(claims.FindString({kPrivate, "namespace"}));
  const json::Value* account = claims.Find({kPrivate, "serviceaccount"});
  const json::Value* pod = claims.Find({kPrivate, "pod"});
  const json::Value* node = claims.Find({kPrivate, "node"});
  if (account == nullptr || !Lives("serviceaccounts", ns, account) || !Lives("pods", ns, pod) ||
      !Lives("secrets", ns, claims.Find({kPrivate, "secret"})) ||
      // The node of a pod may be gone; that of a token that is bound to it may not.
      (pod == nullptr && !Lives("nodes", "", node))) {
    return std::nullopt;
  }
  UserInfo user;
  user.name = claims.FindString({"sub"});
  user.uid = account->FindString({"uid"});
  user.groups = {"system:serviceaccounts", "system:serviceaccounts:" + ns};
  user.extra[std::string(kCredentialId)] = {fmt::format("JTI={}", claims.FindString({"jti"}))};
  for (const auto& [name, object] : {std::pair("pod", pod), std::pair("node", node)}) {
    if (object == nullptr) continue;
    for (const std::string_view field : {"name", "uid"}) {
      const std::string_view value = object->FindString({field});
      if (value.empty()) continue;
      user.extra[fmt::format("authentication.kubernetes.io/{}-{}", name, field)] = {
          std::string(value)};
    }
  }
  return TokenUser{std::move(user), std::move(granted)};
}

std::string ServiceAccountTokens::Configuration(std::string_view address) const {
  return fmt::format(
      R"({{"issuer":"{}","jwks_uri":"https://{}/openid/v1/jwks","response_types_supported":)"
      R"(["id_token"],"subject_types_supported":["public"],)"
      R"("id_token_signing_alg_values_supported":["{}"]}})",
      kIssuer, address, key_.algorithm());
}

}  // namespace kulisse::apiserver
