#include "apiserver/registry/certificate_requests.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <vector>

#include "base/text.h"
#include "certs/certificate_request.h"

namespace kulisse::apiserver {

namespace {

std::span<const json::Value> Conditions(const json::Value& object) {
  const json::Value* conditions = object.Find({"status", "conditions"});
  return conditions == nullptr ? std::span<const json::Value>() : conditions->elements();
}

std::vector<const json::Value*> ConditionsOf(const json::Value& object, std::string_view type) {
  std::vector<const json::Value*> found;
  for (const json::Value& condition : Conditions(object)) {
    if (condition.FindString({"type"}) == type) found.push_back(&condition);
  }
  return found;
}

bool SameConditions(const std::vector<const json::Value*>& a,
                    const std::vector<const json::Value*>& b) {
  return std::ranges::equal(a, b, [](const auto* x, const auto* y) { return *x == *y; });
}

json::Value Strings(const std::vector<std::string>& texts, json::Arena& arena) {
  json::Value list = json::Value::Array();
  for (const std::string& text : texts) list.PushBack(json::Value::String(text, arena), arena);
  return list;
}

}  // namespace

void SetRequester(const RequestContext& context, json::Document& request) {
  json::Arena& arena = request.arena;
  json::Value& spec = request.root.SetDefaultObject("spec", arena);
  for (const std::string_view name : {"username", "uid", "groups", "extra"}) spec.Remove(name);
  spec.Set("username", json::Value::String(context.user, arena), arena);
  if (!context.uid.empty()) spec.Set("uid", json::Value::String(context.uid, arena), arena);
  if (!context.groups.empty()) spec.Set("groups", Strings(context.groups, arena), arena);
  for (const auto& [key, values] : context.extra) {
    spec.SetDefaultObject("extra", arena).Set(key, Strings(values, arena), arena);
  }
}

void StampConditions(json::Document& request, const json::Value& old, SystemTime now) {
  json::Value* conditions = request.root.Find({"status", "conditions"});
  if (conditions == nullptr) return;
  json::Arena& arena = request.arena;
  for (json::Value& condition : conditions->elements()) {
    if (!condition.IsObject()) continue;
    if (condition.FindString({"lastUpdateTime"}).empty()) {
      condition.Set("lastUpdateTime", json::Value::String(FormatTime(now), arena), arena);
    }
    if (!condition.FindString({"lastTransitionTime"}).empty()) continue;
    std::string since = FormatTime(now);
    for (const json::Value& before : Conditions(old)) {
      const std::string_view time = before.FindString({"lastTransitionTime"});
      if (before.FindString({"type"}) == condition.FindString({"type"}) &&
          before.FindString({"status"}) == condition.FindString({"status"}) && !time.empty()) {
        since = time;
        break;
      }
    }
    condition.Set("lastTransitionTime", json::Value::String(since, arena), arena);
  }
}

void KeepApproval(json::Document& request, const json::Value& old) {
  json::Value* conditions = request.root.Find({"status", "conditions"});
  if (conditions == nullptr) return;
  for (const std::string_view type : {"Approved", "Denied"}) {
    const auto before = ConditionsOf(old, type);
    if (before.size() != ConditionsOf(request.root, type).size()) continue;
    size_t next = 0;
    for (json::Value& condition : conditions->elements()) {
      if (condition.FindString({"type"}) != type) continue;
      condition = before[next++]->Clone(request.arena);
    }
  }
}

void KeepAllButConditions(json::Document& request, const json::Value& old, SystemTime now) {
  json::Arena& arena = request.arena;
  StampConditions(request, old, now);
  json::Value conditions;
  if (const json::Value* wanted = request.root.Find({"status", "conditions"})) {
    conditions = wanted->Clone(arena);
  }
  request.root.Remove("status");
  if (const json::Value* status = old.Find("status")) {
    request.root.Set("status", status->Clone(arena), arena);
  }
  json::Value& status = request.root.SetDefaultObject("status", arena);
  if (conditions.IsArray()) {
    status.Set("conditions", std::move(conditions), arena);
  } else {
    status.Remove("conditions");
  }
}

void ValidateRequest(const json::Value& request, FieldErrors* errors) {
  const json::Value* encoded = request.Find({"spec", "request"});
  const bool given = encoded != nullptr && encoded->IsString();
  const std::string wrong =
      certs::CheckRequest(given ? Base64Decode(encoded->AsString()).value_or("") : "");
  if (wrong.empty()) return;
  errors->push_back(
      FieldError::Invalid("spec.request", given ? GoQuote(encoded->AsString()) : "null", wrong));
}

void ValidateApproval(const json::Value& request, const json::Value& old, bool approves,
                      FieldErrors* errors) {
  const auto refuse = [errors](std::string_view field, std::string_view why) {
    errors->push_back(FieldError::Forbidden(fmt::format("status.{}", field), why));
  };
  for (const std::string_view type : {"Approved", "Denied", "Failed"}) {
    if (ConditionsOf(request, type).size() >= ConditionsOf(old, type).size()) continue;
    refuse("conditions", fmt::format("updates may not remove a condition of type \"{}\"", type));
  }
  for (const std::string_view type : {"Approved", "Denied"}) {
    const auto now = ConditionsOf(request, type);
    const auto before = ConditionsOf(old, type);
    if (approves || now.size() < before.size() || SameConditions(now, before)) continue;
    refuse("conditions", fmt::format("updates may not {} a condition of type \"{}\"",
                                     now.size() > before.size() ? "add" : "modify", type));
  }
  const std::string_view certificate = request.FindString({"status", "certificate"});
  const std::string_view had = old.FindString({"status", "certificate"});
  if (certificate == had) return;
  if (!certificate.empty()) {
    const std::string wrong = certs::CheckCertificates(Base64Decode(certificate).value_or(""));
    if (!wrong.empty()) {
      errors->push_back(FieldError::Invalid("status.certificate", "\"<certificate data>\"", wrong));
    }
  }
  if (approves) {
    refuse("certificate", "updates may not set certificate content");
  } else if (!had.empty()) {
    refuse("certificate", "updates may not modify existing certificate content");
  }
}

}  // namespace kulisse::apiserver
