// What the simulator costs by itself, in process CPU: stages matched and rendered, nodes made
// Ready, leases and heartbeats kept, pods run. The cluster lives on virtual time with the memory
// store.
//
//   simulator_bench [NODES] [PODS]    (5000 and 20000)
#include <fmt/format.h>
#include <malloc.h>
#include <time.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "base/assert.h"
#include "base/virtual_runtime.h"
#include "openapi/yaml.h"
#include "simulator/cluster.h"
#include "simulator/stage/lifecycle.h"

namespace kulisse::simulator {
namespace {

using namespace std::chrono_literals;

double CpuSeconds() {
  timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

// CPU seconds that `work` takes.
template <class Work>
double Measure(Work work) {
  const double before = CpuSeconds();
  work();
  return CpuSeconds() - before;
}

json::Document MakePod(size_t index, size_t nodes) {
  return std::move(*openapi::ParseYaml(fmt::format(
      "metadata: {{name: pod-{}, namespace: default, labels: {{app: bench}}}}\n"
      "spec: {{nodeName: node-{}, containers: [{{name: main, image: 'registry/app:1', resources: "
      "{{requests: {{cpu: 100m, memory: 64Mi}}}}}}]}}\nstatus: {{phase: Pending}}",
      index, index % nodes)));
}

class BenchEnvironment final : public TemplateEnvironment {
 public:
  [[nodiscard]] SystemTime Now() const override { return {}; }
  [[nodiscard]] SystemTime StartTime() const override { return {}; }
  uint64_t RandomBits() override { return 0; }
  [[nodiscard]] std::string NodeIP() const override { return "127.0.0.1"; }
  [[nodiscard]] std::string NodeName() const override { return ""; }
  [[nodiscard]] int64_t NodePort() const override { return 0; }
  std::vector<std::string> NodeIPsWith(std::string_view) override { return {"192.0.2.1"}; }
  std::expected<std::vector<std::string>, std::string> PodIPsWith(const PodReference&) override {
    return std::vector<std::string>{"10.244.0.1"};
  }
};

void MeasureStages() {
  VirtualRuntime runtime(1);
  const CelEnvironment cel(runtime);
  SimulatorConfig config;
  KULISSE_ASSERT(AddShippedStages(&config).has_value());
  std::vector<Lifecycle::StagePtr> stages;
  for (const StageSource& source : config.stages) {
    if (source.kind() != "Pod") continue;
    stages.push_back(std::make_shared<const Stage>(*Stage::Parse(source.object.root, cel)));
  }
  const Lifecycle lifecycle(std::move(stages));
  const json::Document pod = MakePod(0, 1);
  constexpr int kRounds = 50'000;
  size_t expressions = 0;
  for (const Lifecycle::StagePtr& stage : lifecycle.stages()) {
    expressions += stage->selector->match_expressions.size();
  }
  size_t matched = 0;
  const double match = Measure([&] {
    for (int i = 0; i < kRounds; ++i) matched = (*lifecycle.Next(pod.root, runtime))->stage;
  });
  fmt::print("match a pod against {} stages ({} jq expressions): {:.2f} us\n",
             lifecycle.stages().size(), expressions, match / kRounds * 1e6);
  const Stage& stage = *lifecycle.stages()[matched];
  const Template& body = std::get<PatchAction>(stage.actions[0]).body;
  BenchEnvironment environment;
  const double render = Measure([&] {
    for (int i = 0; i < kRounds; ++i) (void)body.Render(pod.root, environment);
  });
  const double value = Measure([&] {
    for (int i = 0; i < kRounds; ++i) {
      json::Arena arena;
      (void)body.RenderValue(pod.root, environment, arena);
    }
  });
  fmt::print("{}: render {:.2f} us, render and read {:.2f} us\n", stage.name,
             render / kRounds * 1e6, value / kRounds * 1e6);
}

// Bytes of the answer to a GET.
size_t Read(Cluster& cluster, const std::string& target) {
  apiserver::HttpRequest request;
  request.method = "GET";
  request.target = target;
  request.unsecured = true;
  apiserver::HttpResponse response = cluster.api().handler().Handle(std::move(request));
  KULISSE_ASSERT(response.status == 200);
  std::string body = std::move(response.body);
  while (response.stream && response.stream->Read(&body) == apiserver::BodySource::State::kMore) {
  }
  return body.size();
}

// What it costs to ask for the load of pods that run.
void MeasureUsage(Cluster& cluster, size_t nodes, size_t pods) {
  const double per_pod = 1e6 / static_cast<double>(pods);
  const double indexed =
      Measure([&] { (void)Read(cluster, "/metrics/nodes/node-0/metrics/resource"); });
  const double listed = Measure([&] { (void)Read(cluster, "/apis/metrics.k8s.io/v1beta1/pods"); });
  const double summed = Measure([&] { (void)Read(cluster, "/apis/metrics.k8s.io/v1beta1/nodes"); });
  const double scraped = Measure([&] {
    for (size_t i = 0; i < nodes; ++i) {
      (void)Read(cluster, fmt::format("/metrics/nodes/node-{}/metrics/resource", i));
    }
  });
  fmt::print(
      "usage: first question {:.1f} ms; per pod: listed {:.1f} us, summed by node {:.1f} us, "
      "scraped {:.1f} us\n",
      indexed * 1e3, listed * per_pod, summed * per_pod, scraped * per_pod);
}

// What the allocator has given out.
size_t AllocatedBytes() { return mallinfo2().uordblks; }

// What the simulator holds besides the store, for pods that run, and for pods that wait for a
// stage.
void MeasureMemory(size_t pods) {
  for (const bool waits : {false, true}) {
    VirtualRuntime runtime(1);
    storage::StoreOptions store_options;
    store_options.durability = storage::Durability::kMemory;
    auto store = storage::Store::Open(store_options, runtime);
    const auto options = [] {
      ClusterOptions made;
      made.nodes = 100;
      return made;
    };
    auto cluster = std::make_unique<Cluster>(options(), **store, runtime);
    (void)cluster->Start();
    const auto* resource = cluster->client().catalog().Find("", "v1", "pods");
    for (size_t i = 0; i < pods; ++i) {
      (void)cluster->client().Create(*resource, "default", MakePod(i, options().nodes));
    }
    runtime.RunFor(5s);
    // A new process on the same store.
    cluster.reset();
    ClusterOptions again = options();
    if (waits) {
      auto stage = openapi::ParseYaml(
          "{kind: Stage, apiVersion: kwok.x-k8s.io/v1alpha1, metadata: {name: w}, spec: "
          "{resourceRef: {kind: Pod}, selector: {}, delay: {durationMilliseconds: 3600000}}}");
      again.simulator.stages.push_back({"bench", std::move(*stage)});
    }
    cluster = std::make_unique<Cluster>(std::move(again), **store, runtime);
    const size_t before = AllocatedBytes();
    (void)cluster->Start();
    runtime.RunFor(5s);
    const double bytes = static_cast<double>(AllocatedBytes() - before);
    fmt::print("bytes for each pod that {}: {:.0f} ({} wait)\n", waits ? "waits" : "runs",
               bytes / static_cast<double>(pods), cluster->kubelet()->Player("Pod")->pending());
  }
}

void MeasureCluster(size_t nodes, size_t pods) {
  VirtualRuntime runtime(1);
  storage::StoreOptions store_options;
  store_options.durability = storage::Durability::kMemory;
  auto store = storage::Store::Open(store_options, runtime);
  ClusterOptions options;
  options.nodes = nodes;
  Cluster cluster(std::move(options), **store, runtime);
  const double made = Measure([&] { (void)cluster.Start(); });
  const double ready = Measure([&] { runtime.RunFor(20s); });
  fmt::print("{} nodes: made {:.1f} us, Ready with lease {:.1f} us each\n", nodes,
             made / static_cast<double>(nodes) * 1e6, ready / static_cast<double>(nodes) * 1e6);
  const uint64_t renewals = cluster.kubelet()->leases()->renewals();
  constexpr int kMinutes = 10;
  const double kept = Measure([&] { runtime.RunFor(std::chrono::minutes(kMinutes)); });
  const uint64_t renewed = cluster.kubelet()->leases()->renewals() - renewals;
  fmt::print(
      "leases and heartbeats of {} nodes: {:.2f} % of a core ({} renewals, {:.1f} us each)\n",
      nodes, kept / (kMinutes * 60) * 100, renewed, kept / static_cast<double>(renewed) * 1e6);
  const auto* resource = cluster.client().catalog().Find("", "v1", "pods");
  const double created = Measure([&] {
    for (size_t i = 0; i < pods; ++i) {
      (void)cluster.client().Create(*resource, "default", MakePod(i, nodes));
    }
  });
  const double run = Measure([&] { runtime.RunFor(1s); });
  fmt::print("{} pods: created {:.1f} us, Running {:.1f} us each; waiting stages: {}\n", pods,
             created / static_cast<double>(pods) * 1e6, run / static_cast<double>(pods) * 1e6,
             cluster.kubelet()->Player("Pod")->pending());
  MeasureUsage(cluster, nodes, pods);
}

}  // namespace
}  // namespace kulisse::simulator

int main(int argc, char** argv) {
  const auto argument = [&](int index, size_t otherwise) {
    return argc > index ? static_cast<size_t>(std::strtoul(argv[index], nullptr, 10)) : otherwise;
  };
  kulisse::simulator::MeasureStages();
  kulisse::simulator::MeasureMemory(argument(2, 20'000));
  kulisse::simulator::MeasureCluster(argument(1, 5'000), argument(2, 20'000));
  return 0;
}
