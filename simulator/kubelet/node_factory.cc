#include "simulator/kubelet/node_factory.h"

#include <fmt/format.h>

#include <utility>

#include "base/assert.h"
#include "simulator/kubelet/ip_pool.h"

namespace kulisse::simulator {

namespace {

using json::Value;

constexpr std::string_view kFirstNodeIp = "192.0.2.1";

std::string NodeName(const NodeGroup& group, size_t index) {
  return fmt::format("{}-{}", group.name, index);
}

void SetTexts(Value& object, const NodeGroup::Texts& texts, json::Arena& arena) {
  for (const auto& [name, text] : texts) object.Set(name, Value::String(text, arena), arena);
}

void SetLabels(Value& labels, const NodeGroup& group, size_t index, json::Arena& arena) {
  const std::string name = NodeName(group, index);
  SetTexts(labels,
           {{"beta.kubernetes.io/arch", "amd64"},
            {"beta.kubernetes.io/os", "linux"},
            {"kubernetes.io/arch", "amd64"},
            {"kubernetes.io/hostname", name},
            {"kubernetes.io/os", "linux"},
            {"kubernetes.io/role", "agent"},
            {"node-role.kubernetes.io/agent", ""},
            {"type", "kwok"}},
           arena);
  const auto set = [&](std::string_view label, const std::string& text) {
    if (!text.empty()) labels.Set(label, Value::String(text, arena), arena);
  };
  if (!group.zones.empty()) {
    set("topology.kubernetes.io/zone", group.zones[index % group.zones.size()]);
  }
  set("topology.kubernetes.io/region", group.region);
  set("node.kubernetes.io/instance-type", group.type);
  SetTexts(labels, group.labels, arena);
}

void SetSpec(Value& node, const NodeGroup& group, const std::string& pod_cidr, json::Arena& arena) {
  if (pod_cidr.empty() && group.taints.empty()) return;
  Value& spec = node.SetDefaultObject("spec", arena);
  if (!pod_cidr.empty()) {
    spec.Set("podCIDR", Value::String(pod_cidr, arena), arena);
    Value cidrs = Value::Array();
    cidrs.PushBack(Value::String(pod_cidr, arena), arena);
    spec.Set("podCIDRs", std::move(cidrs), arena);
  }
  if (group.taints.empty()) return;
  Value taints = Value::Array();
  for (const NodeTaint& taint : group.taints) {
    Value& item = taints.PushBack(Value::Object(), arena);
    item.Set("key", Value::String(taint.key, arena), arena);
    if (!taint.value.empty()) item.Set("value", Value::String(taint.value, arena), arena);
    item.Set("effect", Value::String(taint.effect, arena), arena);
  }
  spec.Set("taints", std::move(taints), arena);
}

const openapi::ResourceInfo& Nodes(const Client& client) {
  const auto* resource = client.catalog().Find("", "v1", "nodes");
  KULISSE_ASSERT(resource != nullptr);
  return *resource;
}

}  // namespace

NodeFactory::NodeFactory(Client& client, NodeCidrs& cidrs) : client_(client), cidrs_(cidrs) {}

json::Document NodeFactory::MakeNode(const NodeGroup& group, size_t index, size_t address,
                                     const std::string& pod_cidr) {
  json::Document node;
  json::Arena& arena = node.arena;
  const auto text = [&](std::string_view value) { return Value::String(value, arena); };
  const std::string name = NodeName(group, index);
  node.root = Value::Object();
  Value& metadata = node.root.SetDefaultObject("metadata", arena);
  metadata.Set("name", text(name), arena);
  SetLabels(metadata.SetDefaultObject("labels", arena), group, index, arena);
  Value& annotations = metadata.SetDefaultObject("annotations", arena);
  SetTexts(annotations,
           {{"kwok.x-k8s.io/node", "fake"},
            {"metrics.k8s.io/resource-metrics-path",
             fmt::format("/metrics/nodes/{}/metrics/resource", name)},
            {"node.alpha.kubernetes.io/ttl", "0"}},
           arena);
  SetTexts(annotations, group.annotations, arena);
  SetSpec(node.root, group, pod_cidr, arena);
  Value& status = node.root.SetDefaultObject("status", arena);
  Value addresses = Value::Array();
  const auto add_address = [&](std::string_view type, std::string_view value) {
    Value& item = addresses.PushBack(Value::Object(), arena);
    item.Set("type", text(type), arena);
    item.Set("address", text(value), arena);
  };
  add_address("InternalIP", AddIp(kFirstNodeIp, address).value());
  add_address("Hostname", name);
  status.Set("addresses", std::move(addresses), arena);
  SetTexts(status.SetDefaultObject("capacity", arena), group.capacity, arena);
  Value& allocatable = status.SetDefaultObject("allocatable", arena);
  SetTexts(allocatable, group.capacity, arena);
  SetTexts(allocatable, group.allocatable, arena);
  Value& info = status.SetDefaultObject("nodeInfo", arena);
  info.Set("architecture", text("amd64"), arena);
  info.Set("operatingSystem", text("linux"), arena);
  return node;
}

std::vector<NodeFactory::Planned> NodeFactory::PlanMissing(std::span<const NodeGroup> groups) {
  const openapi::ResourceInfo& resource = Nodes(client_);
  const auto snapshot = client_.store().Latest();
  const auto cursor = snapshot->Scan(resource.storage_name, "", "");
  while (const storage::RecordPtr record = cursor->Next()) {
    const json::Document node = apiserver::ResourceStore::Decode(*record);
    cidrs_.MarkUsed(node.root.FindString({"spec", "podCIDR"}));
  }
  std::vector<Planned> plan;
  size_t address = 0;
  for (const NodeGroup& group : groups) {
    for (size_t index = 0; index < group.count; ++index, ++address) {
      if (client_.Get(resource, {"", NodeName(group, index)})) continue;
      plan.push_back({&group, index, address, cidrs_.Take().value_or("")});
    }
  }
  return plan;
}

Result<void> NodeFactory::Create(Client& client, std::span<const Planned> plan) {
  const openapi::ResourceInfo& resource = Nodes(client);
  for (const Planned& node : plan) {
    const auto created =
        client.Create(resource, "", MakeNode(*node.group, node.index, node.address, node.pod_cidr));
    if (!created && !created.error().IsAlreadyExists()) return std::unexpected(created.error());
  }
  return {};
}

}  // namespace kulisse::simulator
