#include "apiserver/registry/subresource_rules.h"

#include <span>
#include <vector>

#include "apiserver/registry/certificate_requests.h"
#include "apiserver/registry/kind_rules.h"
#include "apiserver/registry/pod_subresources.h"

namespace kulisse::apiserver {

namespace {

using openapi::ResourceInfo;

// What a write of the status leaves of the metadata (upstream: most kinds nothing).
std::span<const std::string_view> KeptMetadata(const ResourceInfo& resource) {
  static constexpr std::string_view kOwners[] = {"ownerReferences"};
  static constexpr std::string_view kLabels[] = {"labels"};
  static constexpr std::string_view kAll[] = {"labels", "annotations", "finalizers",
                                              "ownerReferences"};
  if (RulesOf(resource).status_keeps_metadata) return kAll;
  if (resource.storage_name == "pods") return kOwners;
  if (resource.storage_name == "deployments.apps") return kLabels;
  return {};
}

// All but metadata and status.
void RestoreSpec(json::Document& object, const json::Value& old) {
  const auto is_spec = [](std::string_view name) {
    return name != "metadata" && name != "status" && name != "kind" && name != "apiVersion";
  };
  std::vector<std::string_view> names;
  for (const json::Member& member : object.root.members()) {
    if (is_spec(member.name)) names.push_back(member.name);
  }
  for (const json::Member& member : old.members()) {
    if (is_spec(member.name)) names.push_back(member.name);
  }
  for (const std::string_view name : names) CopyOrRemove(object.root, old, name, object.arena);
}

void RestoreForStatus(json::Document& object, const json::Value& old, const ResourceInfo& resource,
                      SystemTime now) {
  RestoreSpec(object, old);
  json::Value& metadata = object.root.SetDefaultObject("metadata", object.arena);
  for (const std::string_view name : KeptMetadata(resource)) {
    CopyOrRemove(metadata, *old.Find("metadata"), name, object.arena);
  }
  if (resource.storage_name == "pods") KeepObservedGenerations(object, old);
  if (resource.storage_name == kCertificateRequests) {
    KeepApproval(object, old);
    StampConditions(object, old, now);
  }
}

}  // namespace

void CopyOrRemove(json::Value& to, const json::Value& from, std::string_view name,
                  json::Arena& arena) {
  if (const json::Value* value = from.Find(name)) {
    to.Set(name, value->CloneSharingStrings(arena), arena);
  } else {
    to.Remove(name);
  }
}

void RestoreUntouchable(json::Document& object, const json::Value& old,
                        const ResourceInfo& resource, std::string_view subresource,
                        SystemTime now) {
  if (subresource.empty()) {
    if (resource.FindSubresource("status") != nullptr) {
      CopyOrRemove(object.root, old, "status", object.arena);
    }
    if (resource.storage_name == kCertificateRequests) RestoreSpec(object, old);
  } else if (subresource == "status") {
    RestoreForStatus(object, old, resource, now);
  } else if (subresource == "finalize") {
    CopyOrRemove(object.root, old, "status", object.arena);
  } else if (subresource == "approval") {
    RestoreSpec(object, old);
    KeepAllButConditions(object, old, now);
  } else if (subresource == "ephemeralcontainers") {
    KeepAllButEphemeralContainers(object, old);
  } else if (subresource == "resize") {
    KeepAllButResources(object, old);
  }
}

bool ChangesSpec(std::string_view subresource) {
  return subresource.empty() || subresource == "ephemeralcontainers" || subresource == "resize";
}

void ValidateSubresourceUpdate(const json::Value& object, const json::Value& old,
                               const ResourceInfo& resource, std::string_view subresource,
                               FieldErrors* errors) {
  if (resource.storage_name == kCertificateRequests) {
    ValidateApproval(object, old, subresource == "approval", errors);
  } else if (subresource == "ephemeralcontainers") {
    ValidateEphemeralContainers(object, old, errors);
  } else if (subresource == "resize") {
    ValidateResize(object, old, errors);
  }
}

}  // namespace kulisse::apiserver
