#include "simulator/kubelet/pod_addresses.h"

#include <algorithm>

#include "base/text.h"

namespace kulisse::simulator {

PodAddresses::PodAddresses(std::string_view shared, std::function<void(const std::string&)> wake)
    : wake_(std::move(wake)) {
  for (const std::string_view cidr : Split(shared, ',')) {
    if (!cidr.empty()) shared_.emplace_back(cidr);
  }
}

// --- nodes

PodAddresses::Node* PodAddresses::FindNode(const std::string& name) {
  const auto it = nodes_.find(name);
  return it == nodes_.end() ? nullptr : &it->second;
}

PodAddresses::Texts PodAddresses::CidrsOf(const std::string& node) const {
  const auto it = nodes_.find(node);
  return it == nodes_.end() ? Texts() : it->second.cidrs;
}

bool PodAddresses::HasCidrs(const std::string& node) const {
  const auto it = nodes_.find(node);
  return !shared_.empty() || (it != nodes_.end() && !it->second.cidrs.empty());
}

void PodAddresses::SetCidrs(const std::string& name, Texts cidrs) {
  Node& node = nodes_[name];
  if (node.cidrs != cidrs) {
    for (const std::string& cidr : cidrs) AddUser(cidr);
    // The pools of those before live as long as pods have addresses of them.
    std::ranges::move(node.cidrs, std::back_inserter(node.former));
    node.cidrs = std::move(cidrs);
    const Texts now = node.cidrs;
    for (const std::string& cidr : now) Wake(cidr);
  }
  Settle(name, node);
}

void PodAddresses::Settle(const std::string& name, Node& node) {
  std::erase_if(node.former, [&](const std::string& cidr) {
    const auto it = pools_.find(cidr);
    if (it != pools_.end() && it->second.addresses.used() > 0) return false;
    RemoveUser(cidr);
    return true;
  });
  if (node.cidrs.empty() && node.former.empty()) nodes_.erase(name);
}

void PodAddresses::ForgetNodes() {
  nodes_.clear();
  for (auto& [cidr, pool] : pools_) pool.users = 0;
}

void PodAddresses::AddUser(const std::string& cidr) {
  if (FindPool(cidr) != nullptr) ++pools_.find(cidr)->second.users;
}

void PodAddresses::RemoveUser(const std::string& cidr) {
  const auto it = pools_.find(cidr);
  if (it != pools_.end() && --it->second.users <= 0) pools_.erase(it);
}

// --- pools

IpPool* PodAddresses::FindPool(const std::string& cidr) {
  auto it = pools_.find(cidr);
  if (it == pools_.end()) {
    auto pool = IpPool::Parse(cidr);
    if (!pool) return nullptr;
    it = pools_.emplace(cidr, Pool{std::move(*pool)}).first;
  }
  return &it->second.addresses;
}

const PodAddresses::Texts& PodAddresses::ServingCidrs(const Node* node) const {
  return node == nullptr || node->cidrs.empty() ? shared_ : node->cidrs;
}

template <class Act>
void PodAddresses::ForPools(const Node* node, const Act& act) {
  const auto each = [&](const Texts& cidrs) {
    for (const std::string& cidr : cidrs) {
      if (IpPool* pool = FindPool(cidr)) act(cidr, *pool);
    }
  };
  each(ServingCidrs(node));
  if (node == nullptr) return;
  each(node->former);
  if (!node->cidrs.empty()) each(shared_);  // from before the node had its own
}

std::expected<PodAddresses::Texts, std::string> PodAddresses::Give(const std::string& node,
                                                                   const Texts& current,
                                                                   Taken* taken) {
  Texts given;
  for (const std::string& cidr : ServingCidrs(FindNode(node))) {
    IpPool* pool = FindPool(cidr);
    if (pool == nullptr) continue;
    const auto own = std::ranges::find_if(
        current, [&](const std::string& address) { return pool->Contains(address); });
    if (own != current.end()) {
      given.push_back(*own);
      continue;
    }
    auto address = pool->Take();
    if (!address) return std::unexpected(cidr);
    taken->emplace_back(cidr, *address);
    given.push_back(std::move(*address));
  }
  return given;
}

void PodAddresses::Return(const Taken& taken) {
  for (const auto& [cidr, address] : taken) {
    if (IpPool* pool = FindPool(cidr)) pool->Release(address);
  }
}

void PodAddresses::ForgetPods() {
  for (auto& [cidr, pool] : pools_) pool.addresses = *IpPool::Parse(cidr);
  waiting_.clear();
}

void PodAddresses::Mark(const std::string& node, const Texts& addresses) {
  ForPools(FindNode(node), [&](const std::string&, IpPool& pool) {
    for (const std::string& address : addresses) pool.MarkUsed(address);
  });
}

void PodAddresses::Release(const std::string& name, const Texts& addresses) {
  Node* node = FindNode(name);
  Texts freed;
  ForPools(node, [&](const std::string& cidr, IpPool& pool) {
    const size_t before = pool.used();
    for (const std::string& address : addresses) pool.Release(address);
    if (pool.used() < before) freed.push_back(cidr);
  });
  if (node != nullptr && !node->former.empty()) Settle(name, *node);
  for (const std::string& cidr : freed) Wake(cidr);
}

// --- who waits

void PodAddresses::Wait(const std::string& cidr, const std::string& pod) {
  waiting_[cidr].insert(pod);
}

void PodAddresses::StopWaiting(const std::string& pod) {
  if (waiting_.empty()) return;
  Texts cidrs;
  for (auto& [cidr, pods] : waiting_) {
    pods.erase(pod);
    cidrs.push_back(cidr);
  }
  std::erase_if(waiting_, [](const auto& entry) { return entry.second.empty(); });
  for (const std::string& cidr : cidrs) Wake(cidr);
}

// Names as many pods as there are free addresses: one that is named may be gone before it takes
// its.
void PodAddresses::Wake(const std::string& cidr) {
  const auto it = waiting_.find(cidr);
  if (it == waiting_.end()) return;
  const IpPool* pool = FindPool(cidr);
  size_t free = pool == nullptr ? 0 : pool->size() - pool->used();
  Texts woken;
  for (; free > 0 && !it->second.empty(); --free) {
    woken.push_back(*it->second.begin());
    it->second.erase(it->second.begin());
  }
  if (it->second.empty()) waiting_.erase(it);
  for (const std::string& pod : woken) wake_(pod);
}

}  // namespace kulisse::simulator
