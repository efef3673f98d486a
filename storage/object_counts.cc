#include "storage/object_counts.h"

namespace kulisse::storage {

ObjectCounts ObjectCounts::Share() {
  ObjectCounts copy = *this;
  ++generation_;
  return copy;
}

void ObjectCounts::Set(std::string_view resource, std::string_view ns, uint64_t count) {
  if (resources_generation_ != generation_) {
    resources_ = std::make_shared<Resources>(*resources_);
    resources_generation_ = generation_;
  }
  std::shared_ptr<Resource>& counts = (*resources_)[std::string(resource)];
  if (counts == nullptr || counts->generation != generation_) {
    counts = counts == nullptr ? std::make_shared<Resource>() : std::make_shared<Resource>(*counts);
    counts->generation = generation_;
  }
  auto it = counts->by_ns.find(ns);
  if (it == counts->by_ns.end()) it = counts->by_ns.emplace(ns, 0).first;
  counts->total += count - it->second;
  it->second = count;
  if (count == 0) counts->by_ns.erase(it);
}

uint64_t ObjectCounts::Exact(std::string_view resource, std::string_view ns) const {
  const auto counts = resources_->find(resource);
  if (counts == resources_->end()) return 0;
  const auto it = counts->second->by_ns.find(ns);
  return it == counts->second->by_ns.end() ? 0 : it->second;
}

uint64_t ObjectCounts::Of(std::string_view resource, std::string_view ns) const {
  if (!ns.empty()) return Exact(resource, ns);
  const auto counts = resources_->find(resource);
  return counts == resources_->end() ? 0 : counts->second->total;
}

}  // namespace kulisse::storage
