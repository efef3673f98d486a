// What managedFields add to a write: to a create, to an update of the status, to one that changes
// nothing, and what an apply costs. The object is the pod of test/golden/defaults/pod_rich.json.
#include <benchmark/benchmark.h>

#include <fstream>
#include <iterator>
#include <string>

#include "apiserver/registry/field_manager.h"
#include "base/assert.h"
#include "base/json/parse.h"

namespace kulisse {
namespace {

struct Sample {
  const openapi::ResourceInfo* pods;
  json::Document pod;
  json::Document running;  // the same with a status
  std::string created;     // managers after the create
  std::string updated;     // and after the kubelet's status
};

apiserver::FieldManager Manager(const Sample& sample, std::string_view name,
                                std::string_view subresource) {
  return {openapi::Catalog::BuiltIn(),
          openapi::TypeTable::BuiltIn(),
          *sample.pods,
          {.manager = name, .served = nullptr, .subresource = subresource},
          SystemTime()};
}

const Sample& PodSample() {
  static const Sample* const sample = [] {
    auto* made = new Sample;
    made->pods = openapi::Catalog::BuiltIn().Find("", "v1", "pods");
    std::ifstream in(KULISSE_SOURCE_DIR "/test/golden/defaults/pod_rich.json");
    auto golden = json::Parse(std::string(std::istreambuf_iterator<char>(in), {}));
    KULISSE_ASSERT(golden.has_value());
    made->pod.root = golden->root.Find("expected")->Clone(made->pod.arena);
    made->created = Manager(*made, "creator", "").Create(made->pod);
    made->running = made->pod.Clone();
    auto status = json::ParseInto(
        R"({"phase":"Running","conditions":[{"type":"Initialized","status":"True",)"
        R"("lastTransitionTime":"2026-01-01T00:00:00Z"},{"type":"Ready","status":"True",)"
        R"("lastTransitionTime":"2026-01-01T00:00:00Z"},{"type":"ContainersReady","status":"True",)"
        R"("lastTransitionTime":"2026-01-01T00:00:00Z"}],"podIP":"10.0.0.7","podIPs":[)"
        R"({"ip":"10.0.0.7"}],"startTime":"2026-01-01T00:00:00Z"})",
        made->running.arena);
    made->running.root.Set("status", std::move(*status), made->running.arena);
    made->updated =
        Manager(*made, "kubelet", "status").Update(made->created, made->pod.root, made->running);
    return made;
  }();
  return *sample;
}

void Create(benchmark::State& state) {
  const Sample& sample = PodSample();
  json::Document pod = sample.pod.Clone();
  for (auto _ : state) {
    benchmark::DoNotOptimize(Manager(sample, "creator", "").Create(pod));
  }
  state.counters["bytes"] = static_cast<double>(sample.created.size());
}
BENCHMARK(Create);

void UpdateStatus(benchmark::State& state) {
  const Sample& sample = PodSample();
  json::Document running = sample.running.Clone();
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        Manager(sample, "kubelet", "status").Update(sample.created, sample.pod.root, running));
  }
}
BENCHMARK(UpdateStatus);

void UpdateStatusAgain(benchmark::State& state) {
  const Sample& sample = PodSample();
  json::Document changed = sample.running.Clone();
  changed.root.Find("status")->Set("phase", json::Value::StringRef("Failed"), changed.arena);
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        Manager(sample, "kubelet", "status").Update(sample.updated, sample.running.root, changed));
  }
}
BENCHMARK(UpdateStatusAgain);

void UpdateNothing(benchmark::State& state) {
  const Sample& sample = PodSample();
  json::Document same = sample.running.Clone();
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        Manager(sample, "kubelet", "status").Update(sample.updated, sample.running.root, same));
  }
}
BENCHMARK(UpdateNothing);

void ApplyImage(benchmark::State& state) {
  const Sample& sample = PodSample();
  const auto config =
      json::Parse(R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","labels":{"a":"b"}},)"
                  R"("spec":{"containers":[{"name":"c","image":"i:2"}]}})");
  for (auto _ : state) {
    auto applied =
        Manager(sample, "applier", "")
            .Apply(sample.updated, &sample.running.root, {.config = config->root, .force = true});
    KULISSE_ASSERT(applied.has_value());
    benchmark::DoNotOptimize(applied);
  }
}
BENCHMARK(ApplyImage);

}  // namespace
}  // namespace kulisse

BENCHMARK_MAIN();
