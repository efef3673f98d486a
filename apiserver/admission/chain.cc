#include "apiserver/admission/chain.h"

#include <algorithm>

namespace kulisse::apiserver {

Status AdmissionForbidden(const AdmissionAttributes& attributes, std::string_view cause) {
  std::string_view name = attributes.name;
  if (name.empty() && attributes.object != nullptr) {
    name = attributes.root().FindString({"metadata", "name"});
    if (name.empty()) name = attributes.root().FindString({"metadata", "generateName"});
  }
  if (name.empty()) name = "Unknown";
  return Status::Forbidden(attributes.resource.group_resource(), name, cause);
}

AdmissionChain::AdmissionChain(const openapi::Catalog& catalog, AdmissionCache& cache)
    : cache_(cache) {
  for (const openapi::ResourceInfo& resource : catalog.resources()) {
    if (resource.storage == &resource) by_resource_[&resource] = {};
  }
}

void AdmissionChain::Append(std::unique_ptr<AdmissionPlugin> plugin) {
  const AdmissionInterest interest = plugin->Interest();
  const Entry entry{plugin.get(), interest.operations};
  const auto& names = interest.storage_names;
  if (names.empty()) of_any_.push_back(entry);
  for (auto& [resource, entries] : by_resource_) {
    const bool wanted =
        names.empty() || std::ranges::find(names, resource->storage_name) != names.end();
    if (wanted) entries.push_back(entry);
  }
  plugins_.push_back(std::move(plugin));
}

const AdmissionChain::Entries& AdmissionChain::Of(const openapi::ResourceInfo& resource) const {
  const auto it = by_resource_.find(resource.storage);
  return it == by_resource_.end() ? of_any_ : it->second;
}

Result<void> AdmissionChain::Mutate(AdmissionAttributes& attributes) const {
  for (const Entry& entry : Of(attributes.resource)) {
    if ((entry.operations & static_cast<uint8_t>(attributes.operation)) == 0) continue;
    KULISSE_TRY(entry.plugin->Mutate(attributes));
  }
  return {};
}

Result<void> AdmissionChain::Validate(const AdmissionAttributes& attributes) const {
  for (const Entry& entry : Of(attributes.resource)) {
    if ((entry.operations & static_cast<uint8_t>(attributes.operation)) == 0) continue;
    KULISSE_TRY(entry.plugin->Validate(attributes));
  }
  return {};
}

bool AdmissionChain::IgnoresRenewals(const openapi::ResourceInfo& resource) const {
  return std::ranges::all_of(Of(resource), [&](const Entry& entry) {
    return (entry.operations & kOnUpdate) == 0 || entry.plugin->IgnoresRenewals(resource);
  });
}

void UndoList::Run() {
  for (const Undo& undo : list_) undo();
  list_.clear();
}

}  // namespace kulisse::apiserver
