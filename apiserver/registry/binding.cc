// pods/binding: how a scheduler gives a pod its node. Upstream: registry/core/pod/storage.
#include <fmt/format.h>

#include "apiserver/registry/resource_store.h"
#include "base/assert.h"

namespace kulisse::apiserver {

namespace {

// Sets the condition PodScheduled=True.
void SetScheduled(json::Document& pod, SystemTime now) {
  json::Arena& arena = pod.arena;
  json::Value& status = pod.root.SetDefaultObject("status", arena);
  json::Value* conditions = status.Find("conditions");
  if (conditions == nullptr || !conditions->IsArray()) {
    conditions = &status.Set("conditions", json::Value::Array(), arena);
  }
  json::Value condition = json::Value::Object();
  condition.Set("type", json::Value::StringRef("PodScheduled"), arena);
  condition.Set("status", json::Value::StringRef("True"), arena);
  condition.Set("lastProbeTime", json::Value(), arena);
  condition.Set("lastTransitionTime", json::Value::String(FormatTime(now), arena), arena);
  for (json::Value& existing : conditions->elements()) {
    if (existing.FindString({"type"}) != "PodScheduled") continue;
    if (existing.FindString({"status"}) != "True") existing = std::move(condition);
    return;
  }
  conditions->PushBack(std::move(condition), arena);
}

// The binding may say which pod it means (upstream: storage preconditions).
Result<void> CheckBoundObject(const json::Value& binding, const json::Value& pod) {
  const auto check = [&](std::string_view field, std::string_view text) -> Result<void> {
    const std::string_view wanted = binding.FindString({"metadata", field});
    const std::string_view is = pod.FindString({"metadata", field});
    if (wanted.empty() || wanted == is) return {};
    const std::string_view name = pod.FindString({"metadata", "name"});
    return std::unexpected(Status::Conflict(
        {"", "pods"}, name,
        fmt::format("Precondition failed: {} in precondition: {}, {} in object meta: {}", text,
                    wanted, text, is)));
  };
  KULISSE_TRY(check("uid", "UID"));
  return check("resourceVersion", "ResourceVersion");
}

}  // namespace

Result<WriteResult> ResourceStore::Bind(const RequestContext& context, const ObjectName& name,
                                        const json::Value& binding) {
  const openapi::ResourceInfo* pods = catalog_.Find("", "v1", "pods");
  KULISSE_ASSERT(pods != nullptr);
  const GroupResource resource{"", "pods/binding"};
  const std::string_view kind = binding.FindString({"target", "kind"});
  const std::string_view node = binding.FindString({"target", "name"});
  FieldErrors errors;
  if (!kind.empty() && kind != "Node") {
    errors.push_back(FieldError::NotSupported("target.kind", GoQuote(kind), {"Node", "<empty>"}));
  }
  if (node.empty()) errors.push_back(FieldError::Required("target.name"));
  if (!errors.empty()) {
    // Upstream returns the list itself, which reaches the client as a plain 500.
    std::string text = errors[0].path + ": " + errors[0].detail;
    for (size_t i = 1; i < errors.size(); ++i) {
      text += ", " + errors[i].path + ": " + errors[i].detail;
    }
    return std::unexpected(Status::Plain(500, errors.size() > 1 ? "[" + text + "]" : text));
  }
  json::Document admitted;
  admitted.root = binding.Clone(admitted.arena);
  if (admission_ != nullptr) {
    AdmissionAttributes attributes{AdmissionOperation::kCreate,
                                   *pods,
                                   "binding",
                                   name.ns,
                                   name.name,
                                   &admitted,
                                   nullptr,
                                   context};
    KULISSE_TRY(admission_->Mutate(attributes));
    KULISSE_TRY(admission_->Validate(attributes));
  }
  return Update(context, *pods, name, "binding", [&](json::Document& pod) -> Result<void> {
    KULISSE_TRY(CheckBoundObject(binding, pod.root));
    const std::string_view bound = pod.root.FindString({"spec", "nodeName"});
    if (pod.root.Find({"metadata", "deletionTimestamp"}) != nullptr) {
      return std::unexpected(Status::Conflict(
          resource, name.name,
          fmt::format("pod {} is being deleted, cannot be assigned to a host", name.name)));
    }
    if (!bound.empty()) {
      return std::unexpected(Status::Conflict(
          resource, name.name,
          fmt::format("pod {} is already assigned to node {}", name.name, GoQuote(bound))));
    }
    if (const json::Value* gates = pod.root.Find({"spec", "schedulingGates"});
        gates != nullptr && gates->size() > 0) {
      return std::unexpected(
          Status::Conflict(resource, name.name,
                           fmt::format("pod {} has non-empty .spec.schedulingGates", name.name)));
    }
    pod.root.SetDefaultObject("spec", pod.arena)
        .Set("nodeName", json::Value::String(node, pod.arena), pod.arena);
    json::Value& metadata = pod.root.SetDefaultObject("metadata", pod.arena);
    for (const std::string_view map : {"annotations", "labels"}) {
      const json::Value* given = admitted.root.Find({"metadata", map});
      if (given == nullptr || given->size() == 0) continue;
      json::Value& own = metadata.SetDefaultObject(map, pod.arena);
      for (const json::Member& member : given->members()) {
        own.Set(member.name, member.value.Clone(pod.arena), pod.arena);
      }
    }
    if (json::Value* status = pod.root.Find("status")) status->Remove("nominatedNodeName");
    SetScheduled(pod, runtime_.Now());
    return {};
  });
}

}  // namespace kulisse::apiserver
