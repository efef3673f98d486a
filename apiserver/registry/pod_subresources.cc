#include "apiserver/registry/pod_subresources.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

#include "apiserver/registry/strategy.h"

namespace kulisse::apiserver {

namespace {

constexpr std::string_view kMirrorAnnotation = "kubernetes.io/config.mirror";
constexpr std::string_view kContainerLists[] = {"initContainers", "containers"};

std::span<const json::Value> List(const json::Value& pod, std::string_view name) {
  const json::Value* list = pod.Find({"spec", name});
  return list == nullptr ? std::span<const json::Value>() : list->elements();
}

int64_t IntOf(const json::Value& object, std::string_view name) {
  const json::Value* value = object.Find(name);
  return value != nullptr && value->IsInt() ? value->AsInt() : 0;
}

bool IsStatic(const json::Value& pod) {
  return pod.Find({"metadata", "annotations", kMirrorAnnotation}) != nullptr;
}

// As CopyOrRemove(), from what may go before `to`.
void Copy(json::Value& to, const json::Value& from, std::string_view name, json::Arena& arena) {
  if (const json::Value* value = from.Find(name)) {
    to.Set(name, value->Clone(arena), arena);
  } else {
    to.Remove(name);
  }
}

// The old pod, with the metadata that only a status writer could change as it was.
void RestoreAroundSpec(json::Document& pod, const json::Value& old) {
  Copy(pod.root, old, "spec", pod.arena);
  Copy(pod.root, old, "status", pod.arena);
  json::Value& metadata = pod.root.SetDefaultObject("metadata", pod.arena);
  for (const std::string_view name : {"labels", "annotations", "finalizers", "ownerReferences"}) {
    Copy(metadata, *old.Find("metadata"), name, pod.arena);
  }
}

bool SameNames(std::span<const json::Value> a, std::span<const json::Value> b) {
  return std::ranges::equal(a, b, [](const json::Value& x, const json::Value& y) {
    return x.FindString({"name"}) == y.FindString({"name"});
  });
}

// Whether one of the old amounts is gone.
bool Removes(const json::Value& now, const json::Value& before, std::string_view kind) {
  const json::Value* old_list = before.Find({"resources", kind});
  if (old_list == nullptr) return false;
  return std::ranges::any_of(old_list->members(), [&](const json::Member& member) {
    return now.Find({"resources", kind, member.name}) == nullptr;
  });
}

// The container without what a resize may change.
json::Document WithoutAmounts(const json::Value& container) {
  json::Document copy;
  copy.root = container.Clone(copy.arena);
  copy.root.Remove("resizePolicy");
  json::Value* resources = copy.root.Find("resources");
  if (resources == nullptr) return copy;
  for (const std::string_view kind : {"requests", "limits"}) {
    json::Value* list = resources->Find(kind);
    if (list == nullptr) continue;
    list->Remove("cpu");
    list->Remove("memory");
    if (list->size() == 0) resources->Remove(kind);
  }
  return copy;
}

bool MayResize(const json::Value& pod) {
  const json::Value* statuses = pod.Find({"status", "containerStatuses"});
  if (statuses == nullptr) return true;
  for (const json::Value& status : statuses->elements()) {
    if (status.Find({"state", "running"}) != nullptr) return status.Find("resources") != nullptr;
  }
  return true;
}

void ValidateNames(const json::Value& pod, const json::Value& old, FieldErrors* errors) {
  for (const std::string_view list : {"containers", "initContainers"}) {
    const auto now = List(pod, list);
    const auto before = List(old, list);
    if (now.size() != before.size()) {
      errors->push_back(
          FieldError::Forbidden(fmt::format("spec.{}", list),
                                fmt::format("{} may not be added or removed on resize", list)));
      continue;
    }
    for (size_t i = 0; i < now.size(); ++i) {
      if (now[i].FindString({"name"}) == before[i].FindString({"name"})) continue;
      errors->push_back(
          FieldError::Forbidden(fmt::format("spec.{}[{}].name", list, i),
                                fmt::format("{} may not be renamed or reordered on resize", list)));
    }
  }
}

void ValidateAmounts(const json::Value& pod, const json::Value& old, FieldErrors* errors) {
  for (const std::string_view list : kContainerLists) {
    const auto now = List(pod, list);
    const auto before = List(old, list);
    for (size_t i = 0; i < now.size(); ++i) {
      const std::string path = fmt::format("spec.{}[{}].resources", list, i);
      if (Removes(now[i], before[i], "requests")) {
        errors->push_back(
            FieldError::Forbidden(path + ".requests", "resource requests cannot be removed"));
      }
      if (Removes(now[i], before[i], "limits")) {
        errors->push_back(
            FieldError::Forbidden(path + ".limits", "resource limits cannot be removed"));
      }
    }
  }
  for (const std::string_view list : {"containers", "initContainers"}) {
    const auto now = List(pod, list);
    const auto before = List(old, list);
    for (size_t i = 0; i < now.size(); ++i) {
      if (WithoutAmounts(now[i]).root == WithoutAmounts(before[i]).root) continue;
      if (list == "containers") {
        errors->push_back(
            FieldError::Forbidden("spec", "only cpu and memory resources are mutable"));
      } else {
        errors->push_back(FieldError::Forbidden(
            fmt::format("spec.initContainers[{}]", i),
            "only cpu and memory resources for init or sidecar containers are mutable"));
      }
    }
  }
}

}  // namespace

void KeepObservedGenerations(json::Document& pod, const json::Value& old) {
  constexpr std::string_view kName = "observedGeneration";
  json::Arena& arena = pod.arena;
  json::Value* status = pod.root.Find("status");
  const json::Value* before = old.Find("status");
  if (status == nullptr || !status->IsObject() || before == nullptr) return;
  if (IntOf(*status, kName) == 0 && IntOf(*before, kName) != 0) {
    status->Set(kName, json::Value::Int(IntOf(*before, kName)), arena);
  }
  json::Value* conditions = status->Find("conditions");
  const json::Value* old_conditions = before->Find("conditions");
  if (conditions == nullptr || old_conditions == nullptr) return;
  // Types may be there more than once; they go in pairs.
  std::map<std::string_view, std::vector<int64_t>> generations;
  for (const json::Value& condition : old_conditions->elements()) {
    generations[condition.FindString({"type"})].push_back(IntOf(condition, kName));
  }
  for (json::Value& condition : conditions->elements()) {
    auto& list = generations[condition.FindString({"type"})];
    if (list.empty()) continue;
    const int64_t generation = list.front();
    list.erase(list.begin());
    if (condition.IsObject() && IntOf(condition, kName) == 0 && generation != 0) {
      condition.Set(kName, json::Value::Int(generation), arena);
    }
  }
}

void KeepAllButEphemeralContainers(json::Document& pod, const json::Value& old) {
  constexpr std::string_view kName = "ephemeralContainers";
  json::Value wanted;
  if (const json::Value* list = pod.root.Find({"spec", kName})) wanted = list->Clone(pod.arena);
  RestoreAroundSpec(pod, old);
  json::Value& spec = pod.root.SetDefaultObject("spec", pod.arena);
  if (wanted.IsArray()) {
    spec.Set(kName, std::move(wanted), pod.arena);
  } else {
    spec.Remove(kName);
  }
}

void KeepAllButResources(json::Document& pod, const json::Value& old) {
  json::Arena& arena = pod.arena;
  for (const std::string_view list : kContainerLists) {
    if (List(pod.root, list).size() != List(old, list).size()) return;
  }
  json::Document wanted;
  wanted.root = pod.root.Clone(wanted.arena);
  RestoreAroundSpec(pod, old);
  json::Value& spec = pod.root.SetDefaultObject("spec", arena);
  if (const json::Value* resources = wanted.root.Find({"spec", "resources"})) {
    spec.Set("resources", resources->Clone(arena), arena);
  } else {
    spec.Remove("resources");
  }
  for (const std::string_view list : kContainerLists) {
    const auto now = List(wanted.root, list);
    if (!SameNames(now, List(old, list))) {
      spec.Set(list, wanted.root.Find({"spec", list})->Clone(arena), arena);
      continue;
    }
    json::Value* containers = spec.Find(list);
    for (size_t i = 0; i < now.size(); ++i) {
      json::Value& container = containers->elements()[i];
      for (const std::string_view field : {"resources", "resizePolicy"}) {
        Copy(container, now[i], field, arena);
      }
    }
  }
}

void ValidateEphemeralContainers(const json::Value& pod, const json::Value& old,
                                 FieldErrors* errors) {
  if (IsStatic(old)) {
    *errors = {FieldError::Forbidden("", "static pods do not support ephemeral containers")};
    return;
  }
  for (const json::Value& before : List(old, "ephemeralContainers")) {
    const std::string_view name = before.FindString({"name"});
    const auto list = List(pod, "ephemeralContainers");
    const auto now = std::ranges::find_if(
        list, [name](const json::Value& c) { return c.FindString({"name"}) == name; });
    if (now != list.end() && *now == before) continue;
    errors->push_back(
        FieldError::Forbidden("spec.ephemeralContainers",
                              fmt::format("existing ephemeral containers \"{}\" may not be {}\n",
                                          name, now == list.end() ? "removed" : "changed")));
  }
}

void ValidateResize(const json::Value& pod, const json::Value& old, FieldErrors* errors) {
  if (IsStatic(old)) {
    *errors = {FieldError::Forbidden("", "static pods cannot be resized")};
    return;
  }
  if (old.FindString({"spec", "os", "name"}) == "windows") {
    *errors = {FieldError::Forbidden("", "windows pods cannot be resized")};
    return;
  }
  static const json::Value kEmpty;
  const json::Value* spec = pod.Find("spec");
  const std::string_view qos = old.FindString({"status", "qosClass"});
  if (!qos.empty() && qos != PodQosClass(spec == nullptr ? kEmpty : *spec)) {
    errors->push_back(FieldError::Invalid("spec", GoQuote(qos),
                                          "Pod QOS Class may not change as a result of resizing"));
  }
  if (!MayResize(old)) {
    errors->push_back(
        FieldError::Forbidden("spec", "Pod running on node without support for resize"));
  }
  const size_t before = errors->size();
  ValidateNames(pod, old, errors);
  if (errors->size() == before) ValidateAmounts(pod, old, errors);
}

}  // namespace kulisse::apiserver
