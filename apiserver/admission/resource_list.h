// ResourceList is an amount of each of some resources ({"cpu":"1","memory":"1Gi"}), and what a pod
// asks for in all. Upstream: v1.ResourceList, component-helpers/resource.
// Threads: values.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/json/value.h"
#include "openapi/quantity.h"

namespace kulisse::apiserver {

using ResourceList = std::map<std::string, openapi::Quantity, std::less<>>;

// The list that an object holds; empty for null and for what is no list.
[[nodiscard]] ResourceList ResourceListOf(const json::Value* list);

void Add(ResourceList* to, const ResourceList& more);
// Raises each amount of `to` to at least that of `other`.
void RaiseTo(ResourceList* to, const ResourceList& other);

// What all containers of a pod ask for together (`field`: "requests" or "limits"): the sum of those
// that run beside each other, or what an init container needs before, whichever is more; amounts
// that the pod says as a whole take their place.
[[nodiscard]] ResourceList PodResources(const json::Value& pod_spec, std::string_view field);

}  // namespace kulisse::apiserver
