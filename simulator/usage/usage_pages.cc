#include "simulator/usage/usage_pages.h"

#include <fmt/format.h>

#include <cmath>

#include "apiserver/registry/object_encoding.h"
#include "base/json/write.h"
#include "base/time.h"
#include "simulator/usage/metric_text.h"

namespace kulisse::simulator {

namespace {

using json::Value;

constexpr std::string_view kCpu = "cpu";
constexpr std::string_view kMemory = "memory";

uint64_t Rounded(double number) {
  constexpr double kMax = 9.2e18;
  return number > 0 ? static_cast<uint64_t>(std::fmin(number, kMax)) : 0;
}

std::string Quoted(std::string_view text) {
  std::string out;
  json::AppendString(text, &out);
  return out;
}

std::string TextAt(const Value& object, std::initializer_list<std::string_view> path) {
  return Quoted(object.FindString(path));
}

// The cpu and memory of a Summary. Simulated memory is all in use.
std::string LoadText(const std::string& time, double cores, double core_seconds, double bytes) {
  constexpr double kNano = 1e9;
  return fmt::format(
      R"("cpu":{{"time":{0},"usageNanoCores":{1},"usageCoreNanoSeconds":{2}}},)"
      R"("memory":{{"time":{0},"usageBytes":{3},"workingSetBytes":{3},"rssBytes":{3}}})",
      time, Rounded(cores * kNano), Rounded(core_seconds * kNano), Rounded(bytes));
}

}  // namespace

std::optional<std::vector<UsagePages::Container>> UsagePages::PodUsage(const storage::Record& pod) {
  if (pod.Field("status.phase") != "Running") return std::nullopt;
  const json::Document object = apiserver::DecodeObject(pod);
  UsageModel::Scope scope(model_);
  std::vector<Container> containers;
  for (const Value& container : ContainersOf(object.root)) {
    containers.push_back({std::string(container.FindString({"name"})),
                          {model_.ContainerUsage(scope, object.root, container, kCpu),
                           model_.ContainerUsage(scope, object.root, container, kMemory)}});
  }
  return containers;
}

UsagePages::Amounts UsagePages::NodeUsage(std::string_view node) {
  UsageModel::Scope scope(model_);
  Amounts sum;
  model_.ForEachRunningPod(node, [&](const Value& pod) {
    for (const Value& container : ContainersOf(pod)) {
      sum.cpu_cores += model_.ContainerUsage(scope, pod, container, kCpu);
      sum.memory_bytes += model_.ContainerUsage(scope, pod, container, kMemory);
    }
  });
  return sum;
}

std::optional<UsagePages::Page> UsagePages::Render(const MetricPage& page,
                                                   const std::string& node) {
  const storage::RecordPtr record = model_.store().Get({"nodes", "", node});
  if (!record) return std::nullopt;
  const json::Document object = apiserver::DecodeObject(*record);
  return Page{"text/plain; version=0.0.4; charset=utf-8", RenderMetrics(model_, page, object.root)};
}

std::optional<UsagePages::Page> UsagePages::MetricsPage(std::string_view path) {
  const UsageRulesPtr rules = model_.rules();
  for (const auto& page : rules->pages) {
    if (const auto node = page->NodeOf(path)) return Render(*page, *node);
  }
  return std::nullopt;
}

std::optional<UsagePages::Page> UsagePages::NodePage(std::string_view node, std::string_view path) {
  const std::string name(node);
  if (path == "/healthz") return Page{"text/plain; charset=utf-8", "ok"};
  if (path == "/stats/summary") {
    const storage::RecordPtr record = model_.store().Get({"nodes", "", name});
    if (!record) return std::nullopt;
    return Page{"application/json", Summary(name, apiserver::DecodeObject(*record).root)};
  }
  // A kubelet has /metrics/resource where the page, which stands for all nodes', has
  // /metrics/nodes/NAME/metrics/resource; KWOK's server has the latter behind the proxy, too.
  const std::string whole = fmt::format("/metrics/nodes/{}{}", node, path);
  const UsageRulesPtr rules = model_.rules();
  for (const std::string_view asked : {std::string_view(whole), path}) {
    for (const auto& page : rules->pages) {
      if (page->NodeOf(asked) == name) return Render(*page, name);
    }
  }
  return std::nullopt;
}

std::string UsagePages::Targets(std::string_view scheme, std::string_view host) {
  std::string out = "[";
  const auto add = [&](const MetricPage& page, const std::string& path) {
    fmt::format_to(std::back_inserter(out),
                   R"({}{{"targets":[{}],"labels":{{"__metrics_path__":{},"__scheme__":{},)"
                   R"("metrics_name":{}}}}})",
                   out.size() > 1 ? "," : "", Quoted(host), Quoted(path), Quoted(scheme),
                   Quoted(page.name));
  };
  const storage::SnapshotPtr snapshot = model_.store().Latest();
  const UsageRulesPtr rules = model_.rules();
  for (const auto& page : rules->pages) {
    if (!page->has_node()) {
      add(*page, page->path);
      continue;
    }
    const auto cursor = snapshot->Scan("nodes", "", "");
    while (cursor->Next()) {
      add(*page, page->PathOf(cursor->key().substr(std::string_view("nodes/").size())));
    }
  }
  return out + "]\n";
}

std::string UsagePages::PodSummary(UsageModel::Scope& scope, const json::Value& pod,
                                   const std::string& time) {
  const std::string start = TextAt(pod, {"status", "startTime"});
  double cores = 0;
  double core_seconds = 0;
  double bytes = 0;
  std::string containers;
  for (const Value& container : ContainersOf(pod)) {
    const double cpu = model_.ContainerUsage(scope, pod, container, kCpu);
    const double total = model_.ContainerCumulativeUsage(scope, pod, container, kCpu);
    const double memory = model_.ContainerUsage(scope, pod, container, kMemory);
    fmt::format_to(std::back_inserter(containers), R"({}{{"name":{},"startTime":{},{}}})",
                   containers.empty() ? "" : ",", TextAt(container, {"name"}), start,
                   LoadText(time, cpu, total, memory));
    cores += cpu;
    core_seconds += total;
    bytes += memory;
  }
  return fmt::format(
      R"({{"podRef":{{"name":{},"namespace":{},"uid":{}}},"startTime":{},"containers":[{}],{}}})",
      TextAt(pod, {"metadata", "name"}), TextAt(pod, {"metadata", "namespace"}),
      TextAt(pod, {"metadata", "uid"}), start, containers,
      LoadText(time, cores, core_seconds, bytes));
}

std::string UsagePages::Summary(const std::string& name, const json::Value& node) {
  UsageModel::Scope scope(model_);
  const std::string time = Quoted(FormatTime(model_.runtime().Now()));
  std::string pods;
  model_.ForEachRunningPod(name, [&](const Value& pod) {
    if (!pods.empty()) pods += ',';
    pods += PodSummary(scope, pod, time);
  });
  const Amounts amounts = NodeUsage(name);
  const double core_seconds = model_.NodeCumulativeUsage(scope, name, kCpu);
  return fmt::format(R"({{"node":{{"nodeName":{},"startTime":{},{}}},"pods":[{}]}})", Quoted(name),
                     TextAt(node, {"metadata", "creationTimestamp"}),
                     LoadText(time, amounts.cpu_cores, core_seconds, amounts.memory_bytes), pods);
}

}  // namespace kulisse::simulator
