// What CEL costs: compiling and evaluating typical expressions of stages and policies.
#include <benchmark/benchmark.h>

#include <string>

#include "base/json/parse.h"
#include "openapi/cel/environment.h"

namespace kulisse::openapi::cel {
namespace {

constexpr const char* kPod = R"({"metadata":{"name":"web-0","namespace":"default",
  "labels":{"app":"web"},"annotations":{"delay":"5s"},
  "creationTimestamp":"2024-05-01T10:00:00Z","finalizers":["a/b"]},
  "spec":{"nodeName":"node-1","containers":[{"name":"main","image":"nginx"},
  {"name":"side","image":"busybox"}]},
  "status":{"phase":"Pending","podIP":"10.0.0.1","conditions":[
  {"type":"Initialized","status":"True"},{"type":"Ready","status":"False"}]}})";

constexpr const char* kExpressions[] = {
    R"(self.status.phase == "Pending" && has(self.status.podIP))",
    R"(self.status.conditions.exists(c, c.type == "Ready" && c.status == "False"))",
    R"(self.spec.containers.all(c, c.image.startsWith("nginx") || c.name in ["side"]))",
    R"(duration(self.metadata.annotations.delay) + duration("1s"))",
    R"("x-" + self.metadata.name + string(self.spec.containers.size()))",
    R"(self.metadata.name.matches("^[a-z]+-[0-9]+$"))"};

Environment MakeEnvironment() {
  Environment environment;
  environment.AddVariable("self", Type::Dyn());
  return environment;
}

void BM_Environment(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(MakeEnvironment());
}
BENCHMARK(BM_Environment);

void BM_Compile(benchmark::State& state) {
  const Environment environment = MakeEnvironment();
  const char* text = kExpressions[state.range(0)];
  for (auto _ : state) benchmark::DoNotOptimize(environment.Compile(text));
  state.SetLabel(text);
}
BENCHMARK(BM_Compile)->DenseRange(0, std::size(kExpressions) - 1);

void BM_Evaluate(benchmark::State& state) {
  const Environment environment = MakeEnvironment();
  const char* text = kExpressions[state.range(0)];
  const auto program = environment.Compile(text);
  const auto pod = json::Parse(kPod);
  for (auto _ : state) {
    Evaluation evaluation;
    const Value self[] = {FromJson(&pod->root, nullptr, evaluation)};
    const Value result = program->Evaluate(self, evaluation);
    if (result.IsError()) state.SkipWithError(std::string(result.AsText()).c_str());
    benchmark::DoNotOptimize(result);
  }
  state.SetLabel(text);
}
BENCHMARK(BM_Evaluate)->DenseRange(0, std::size(kExpressions) - 1);

}  // namespace
}  // namespace kulisse::openapi::cel

BENCHMARK_MAIN();
