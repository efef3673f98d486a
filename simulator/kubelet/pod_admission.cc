#include "simulator/kubelet/pod_admission.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

#include "apiserver/admission/resource_list.h"
#include "base/text.h"

namespace kulisse::simulator {

namespace {

using apiserver::ResourceList;
using json::Value;

// From here on priorities are those of the system.
constexpr int64_t kCriticalPriority = 2'000'000'000;
constexpr std::array<std::string_view, 3> kPressures = {"MemoryPressure", "DiskPressure",
                                                        "PIDPressure"};
constexpr std::string_view kOsLabel = "kubernetes.io/os";

std::span<const Value> List(const Value& object, std::initializer_list<std::string_view> path) {
  const Value* list = object.Find(path);
  return list == nullptr ? std::span<const Value>() : list->elements();
}

int64_t IntAt(const Value& object, std::string_view field) {
  const Value* value = object.Find(field);
  return value != nullptr && value->IsInt() ? value->AsInt() : 0;
}

int64_t AmountOf(std::string_view resource, const openapi::Quantity& quantity) {
  return resource == "cpu" ? quantity.MilliValue() : quantity.Value();
}

// --- node affinity

bool MatchesExpression(const Value& expression, const Value* value) {
  const std::string_view op = expression.FindString({"operator"});
  const auto values = List(expression, {"values"});
  const bool listed = value != nullptr && std::ranges::any_of(values, [&](const Value& entry) {
                        return entry == *value;
                      });
  if (op == "In") return listed;
  if (op == "NotIn") return !listed;
  if (op == "Exists") return value != nullptr;
  if (op == "DoesNotExist") return value == nullptr;
  if (value == nullptr || values.size() != 1) return false;
  const auto have = ParseInt64(value->AsString());
  const auto bound = ParseInt64(values[0].AsString());
  if (!have || !bound) return false;
  return op == "Gt" ? *have > *bound : op == "Lt" && *have < *bound;
}

bool MatchesTerm(const Value& term, const Value& node) {
  const auto expressions = List(term, {"matchExpressions"});
  const auto fields = List(term, {"matchFields"});
  if (expressions.empty() && fields.empty()) return false;
  return std::ranges::all_of(
             expressions,
             [&](const Value& expression) {
               return MatchesExpression(
                   expression, node.Find({"metadata", "labels", expression.FindString({"key"})}));
             }) &&
         std::ranges::all_of(fields, [&](const Value& field) {
           return field.FindString({"key"}) == "metadata.name" &&
                  MatchesExpression(field, node.Find({"metadata", "name"}));
         });
}

bool MatchesAffinity(const Value& pod, const Value& node) {
  if (const Value* selector = pod.Find({"spec", "nodeSelector"})) {
    for (const json::Member& label : selector->members()) {
      const Value* have = node.Find({"metadata", "labels", label.name});
      if (have == nullptr || !(*have == label.value)) return false;
    }
  }
  const Value* required = pod.Find(
      {"spec", "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution"});
  return required == nullptr ||
         std::ranges::any_of(List(*required, {"nodeSelectorTerms"}),
                             [&](const Value& term) { return MatchesTerm(term, node); });
}

// --- taints

bool Tolerates(const Value& pod, std::string_view key, std::string_view value,
               std::string_view effect) {
  return std::ranges::any_of(List(pod, {"spec", "tolerations"}), [&](const Value& toleration) {
    const std::string_view own_effect = toleration.FindString({"effect"});
    const std::string_view own_key = toleration.FindString({"key"});
    if (!own_effect.empty() && own_effect != effect) return false;
    if (!own_key.empty() && own_key != key) return false;
    return toleration.FindString({"operator"}) == "Exists" ||
           (!own_key.empty() && toleration.FindString({"value"}) == value);
  });
}

bool ToleratesNode(const Value& pod, const Value& node) {
  return std::ranges::all_of(List(node, {"spec", "taints"}), [&](const Value& taint) {
    const std::string_view effect = taint.FindString({"effect"});
    return effect != "NoExecute" ||
           Tolerates(pod, taint.FindString({"key"}), taint.FindString({"value"}), effect);
  });
}

// --- the checks, in a kubelet's order

std::optional<PodRejection> RejectByPressure(const Value& pod, const Value& node) {
  const auto pressures = PressuresOf(node);
  if (pressures.empty() || IsCriticalPod(pod)) return std::nullopt;
  if (pressures.size() == 1 && pressures[0] == kPressures[0]) {
    if (pod.FindString({"status", "qosClass"}) != "BestEffort" ||
        Tolerates(pod, "node.kubernetes.io/memory-pressure", "", "NoSchedule")) {
      return std::nullopt;
    }
  }
  return PodRejection{"Evicted",
                      fmt::format("The node had condition: [{}]. ", fmt::join(pressures, " "))};
}

std::optional<PodRejection> RejectByOs(const Value& pod, const Value& node) {
  std::string_view os = node.FindString({"status", "nodeInfo", "operatingSystem"});
  if (os.empty()) os = "linux";
  const std::string_view label = pod.FindString({"metadata", "labels", kOsLabel});
  if (!label.empty() && label != os) {
    return PodRejection{
        "PodOSSelectorNodeLabelDoesNotMatch",
        "Failed to admit pod as the `kubernetes.io/os` label doesn't match node label"};
  }
  const std::string_view wanted = pod.FindString({"spec", "os", "name"});
  if (!wanted.empty() && wanted != os) {
    return PodRejection{"PodOSNotSupported",
                        "Failed to admit pod as the OS field doesn't match node OS"};
  }
  return std::nullopt;
}

PodRejection OutOf(std::string_view resource, int64_t requested, int64_t used, int64_t capacity) {
  return {fmt::format("OutOf{}", resource),
          fmt::format("Node didn't have enough resource: {}, requested: {}, used: {}, capacity: {}",
                      resource, requested, used, capacity)};
}

std::optional<PodRejection> RejectByRoom(const PodDemand& demand, const Value& node,
                                         const NodeUse& use) {
  const Value* listed = node.Find({"status", "allocatable"});
  if (listed == nullptr) return std::nullopt;  // the node has not said yet
  const ResourceList allocatable = apiserver::ResourceListOf(listed);
  const auto capacity = [&](std::string_view resource) {
    const auto it = allocatable.find(resource);
    return it == allocatable.end() ? 0 : AmountOf(resource, it->second);
  };
  const auto count = static_cast<int64_t>(use.count());
  if (count + 1 > capacity("pods")) return OutOf("pods", 1, count, capacity("pods"));
  for (const auto& [resource, requested] : demand.amounts) {
    const bool unknown = resource.contains('/') && !allocatable.contains(resource);
    if (requested == 0 || unknown) continue;  // what nodes do not have the cluster may
    const int64_t used = use.Used(resource);
    if (requested > capacity(resource) - used) {
      return OutOf(resource, requested, used, capacity(resource));
    }
  }
  return std::nullopt;
}

PodRejection Failed(std::string_view predicate, std::string_view what) {
  return {std::string(predicate), fmt::format("Predicate {} failed: {}", predicate, what)};
}

}  // namespace

PodDemand DemandOf(const Value& pod) {
  PodDemand demand;
  const Value* spec = pod.Find("spec");
  if (spec == nullptr) return demand;
  ResourceList requests = apiserver::PodResources(*spec, "requests");
  apiserver::Add(&requests, apiserver::ResourceListOf(spec->Find("overhead")));
  // A kubelet looks at these first.
  for (const std::string_view first : {"cpu", "memory", "ephemeral-storage"}) {
    const auto it = requests.find(first);
    if (it == requests.end()) continue;
    demand.amounts.emplace_back(first, AmountOf(first, it->second));
    requests.erase(it);
  }
  for (const auto& [resource, quantity] : requests) {
    demand.amounts.emplace_back(resource, AmountOf(resource, quantity));
  }
  for (const std::string_view list : {"containers", "initContainers"}) {
    for (const Value& container : List(*spec, {list})) {
      const bool once =
          list == "initContainers" && container.FindString({"restartPolicy"}) != "Always";
      for (const Value& port : List(container, {"ports"})) {
        const int64_t number = IntAt(port, "hostPort");
        if (number == 0 || once) continue;
        std::string address(port.FindString({"hostIP"}));
        if (address == "0.0.0.0") address.clear();
        const std::string_view protocol = port.FindString({"protocol"});
        demand.ports.emplace_back(address, protocol.empty() ? "TCP" : protocol, number);
      }
    }
  }
  return demand;
}

void NodeUse::Add(const std::string& pod, PodDemand demand) {
  Remove(pod);
  for (const auto& [resource, amount] : demand.amounts) used_[resource] += amount;
  for (const HostPort& port : demand.ports) ports_.insert(port);
  pods_.emplace(pod, std::move(demand));
}

void NodeUse::Remove(const std::string& pod) {
  const auto it = pods_.find(pod);
  if (it == pods_.end()) return;
  for (const auto& [resource, amount] : it->second.amounts) used_[resource] -= amount;
  for (const HostPort& port : it->second.ports) ports_.extract(port);
  pods_.erase(it);
}

int64_t NodeUse::Used(std::string_view resource) const {
  const auto it = used_.find(resource);
  return it == used_.end() ? 0 : it->second;
}

bool NodeUse::Conflicts(const HostPort& wanted) const {
  return std::ranges::any_of(ports_, [&](const HostPort& used) {
    const auto& [address, protocol, port] = used;
    const auto& [own_address, own_protocol, own_port] = wanted;
    return port == own_port && protocol == own_protocol &&
           (address == own_address || address.empty() || own_address.empty());
  });
}

std::vector<std::string> NodeUse::Pods() const {
  std::vector<std::string> names;
  for (const auto& [name, demand] : pods_) names.push_back(name);
  std::ranges::sort(names);  // the same in every run
  return names;
}

std::optional<PodRejection> Reject(const Value& pod, const Value& node, const NodeUse& use) {
  if (auto rejected = RejectByPressure(pod, node)) return rejected;
  if (auto rejected = RejectByOs(pod, node)) return rejected;
  const PodDemand demand = DemandOf(pod);
  if (auto rejected = RejectByRoom(demand, node, use)) return rejected;
  if (!MatchesAffinity(pod, node)) {
    return Failed("NodeAffinity", "node(s) didn't match Pod's node affinity/selector");
  }
  if (std::ranges::any_of(demand.ports,
                          [&](const HostPort& port) { return use.Conflicts(port); })) {
    return Failed("NodePorts", "node(s) didn't have free ports for the requested pod ports");
  }
  if (!ToleratesNode(pod, node)) {
    return Failed("TaintToleration", "node(s) had taints that the pod didn't tolerate");
  }
  return std::nullopt;
}

bool IsCriticalPod(const Value& pod) {
  const Value* spec = pod.Find("spec");
  if (spec != nullptr && IntAt(*spec, "priority") >= kCriticalPriority) return true;
  const std::string_view source =
      pod.FindString({"metadata", "annotations", "kubernetes.io/config.source"});
  return (!source.empty() && source != "api") ||
         pod.Find({"metadata", "annotations", "kubernetes.io/config.mirror"}) != nullptr;
}

std::vector<std::string> PressuresOf(const Value& node) {
  std::vector<std::string> found;
  for (const std::string_view pressure : kPressures) {
    for (const Value& condition : List(node, {"status", "conditions"})) {
      if (condition.FindString({"type"}) == pressure &&
          condition.FindString({"status"}) == "True") {
        found.emplace_back(pressure);
      }
    }
  }
  return found;
}

}  // namespace kulisse::simulator
