#include "apiserver/admission/resource_list.h"

#include "apiserver/admission/fields.h"

namespace kulisse::apiserver {

ResourceList ResourceListOf(const json::Value* list) {
  ResourceList result;
  if (list == nullptr) return result;
  for (const json::Member& member : list->members()) {
    if (!member.value.IsString()) continue;
    if (const auto amount = openapi::Quantity::Parse(member.value.AsString())) {
      result.emplace(member.name, *amount);
    }
  }
  return result;
}

void Add(ResourceList* to, const ResourceList& more) {
  for (const auto& [name, amount] : more) {
    const auto [it, is_new] = to->emplace(name, amount);
    if (!is_new) it->second += amount;
  }
}

void RaiseTo(ResourceList* to, const ResourceList& other) {
  for (const auto& [name, amount] : other) {
    const auto [it, is_new] = to->emplace(name, amount);
    if (!is_new && amount > it->second) it->second = amount;
  }
}

ResourceList PodResources(const json::Value& pod_spec, std::string_view field) {
  ResourceList total;
  for (const json::Value& container : ListAt(pod_spec, "containers")) {
    Add(&total, ResourceListOf(container.Find({"resources", field})));
  }
  ResourceList sidecars;  // init containers that go on running
  ResourceList initial;
  for (const json::Value& container : ListAt(pod_spec, "initContainers")) {
    ResourceList own = ResourceListOf(container.Find({"resources", field}));
    if (container.FindString({"restartPolicy"}) == "Always") {
      Add(&total, own);
      Add(&sidecars, own);
      RaiseTo(&initial, sidecars);
    } else {
      Add(&own, sidecars);
      RaiseTo(&initial, own);
    }
  }
  RaiseTo(&total, initial);
  for (const auto& [name, amount] : ResourceListOf(pod_spec.Find({"resources", field}))) {
    if (name == "cpu" || name == "memory" || name.starts_with("hugepages-")) total[name] = amount;
  }
  return total;
}

}  // namespace kulisse::apiserver
