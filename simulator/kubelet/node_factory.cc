#include "simulator/kubelet/node_factory.h"

#include <fmt/format.h>

#include <utility>

#include "base/assert.h"
#include "simulator/kubelet/ip_pool.h"

namespace kulisse::simulator {

namespace {

using json::Value;

constexpr size_t kZones = 3;
constexpr std::string_view kFirstNodeIp = "192.0.2.1";

std::string NodeName(size_t index) { return fmt::format("node-{}", index); }

const openapi::ResourceInfo& Nodes(const Client& client) {
  const auto* resource = client.catalog().Find("", "v1", "nodes");
  KULISSE_ASSERT(resource != nullptr);
  return *resource;
}

}  // namespace

NodeFactory::NodeFactory(Client& client, NodeCidrs& cidrs) : client_(client), cidrs_(cidrs) {}

json::Document NodeFactory::MakeNode(size_t index, const std::string& pod_cidr) {
  json::Document node;
  json::Arena& arena = node.arena;
  const auto text = [&](std::string_view value) { return Value::String(value, arena); };
  const std::string name = NodeName(index);
  node.root = Value::Object();
  Value& metadata = node.root.SetDefaultObject("metadata", arena);
  metadata.Set("name", text(name), arena);
  Value& labels = metadata.SetDefaultObject("labels", arena);
  labels.Set("beta.kubernetes.io/arch", text("amd64"), arena);
  labels.Set("beta.kubernetes.io/os", text("linux"), arena);
  labels.Set("kubernetes.io/arch", text("amd64"), arena);
  labels.Set("kubernetes.io/hostname", text(name), arena);
  labels.Set("kubernetes.io/os", text("linux"), arena);
  labels.Set("kubernetes.io/role", text("agent"), arena);
  labels.Set("node-role.kubernetes.io/agent", text(""), arena);
  labels.Set("topology.kubernetes.io/zone", text(fmt::format("zone-{}", index % kZones)), arena);
  labels.Set("type", text("kwok"), arena);
  Value& annotations = metadata.SetDefaultObject("annotations", arena);
  annotations.Set("kwok.x-k8s.io/node", text("fake"), arena);
  annotations.Set("metrics.k8s.io/resource-metrics-path",
                  text(fmt::format("/metrics/nodes/{}/metrics/resource", name)), arena);
  annotations.Set("node.alpha.kubernetes.io/ttl", text("0"), arena);
  if (!pod_cidr.empty()) {
    Value& spec = node.root.SetDefaultObject("spec", arena);
    spec.Set("podCIDR", text(pod_cidr), arena);
    Value cidrs = Value::Array();
    cidrs.PushBack(text(pod_cidr), arena);
    spec.Set("podCIDRs", std::move(cidrs), arena);
  }
  Value& status = node.root.SetDefaultObject("status", arena);
  Value addresses = Value::Array();
  const auto add_address = [&](std::string_view type, std::string_view address) {
    Value& item = addresses.PushBack(Value::Object(), arena);
    item.Set("type", text(type), arena);
    item.Set("address", text(address), arena);
  };
  add_address("InternalIP", AddIp(kFirstNodeIp, index).value());
  add_address("Hostname", name);
  status.Set("addresses", std::move(addresses), arena);
  for (const std::string_view kind : {"capacity", "allocatable"}) {
    Value& resources = status.SetDefaultObject(kind, arena);
    resources.Set("cpu", text("32"), arena);
    resources.Set("memory", text("256Gi"), arena);
    resources.Set("pods", text("110"), arena);
  }
  Value& info = status.SetDefaultObject("nodeInfo", arena);
  info.Set("architecture", text("amd64"), arena);
  info.Set("operatingSystem", text("linux"), arena);
  return node;
}

Result<size_t> NodeFactory::CreateMissing(size_t count) {
  const openapi::ResourceInfo& resource = Nodes(client_);
  const auto snapshot = client_.store().Latest();
  const auto cursor = snapshot->Scan(resource.storage_name, "", "");
  while (const storage::RecordPtr record = cursor->Next()) {
    const json::Document node = apiserver::ResourceStore::Decode(*record);
    cidrs_.MarkUsed(node.root.FindString({"spec", "podCIDR"}));
  }
  size_t made = 0;
  for (size_t index = 0; index < count; ++index) {
    if (client_.Get(resource, {"", NodeName(index)})) continue;
    const std::string cidr = cidrs_.Take().value_or("");
    const auto created = client_.Create(resource, "", MakeNode(index, cidr));
    if (!created && !created.error().IsAlreadyExists()) return std::unexpected(created.error());
    ++made;
  }
  return made;
}

}  // namespace kulisse::simulator
