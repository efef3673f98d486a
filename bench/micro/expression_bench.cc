// What one evaluation of a jq expression and one rendering of a template cost, in process CPU.
//
//   expression_bench [ROUNDS]    (200000)
#include <fmt/format.h>
#include <time.h>

#include <cstdlib>
#include <string_view>
#include <vector>

#include "base/json/parse.h"
#include "simulator/jq/jq.h"
#include "test/unit/simulator/template_support.h"

namespace kulisse::simulator {
namespace {

constexpr std::string_view kPod = R"({
  "metadata": {"name": "pod-1", "namespace": "default", "uid": "u", "generation": 2,
    "ownerReferences": [{"kind": "ReplicaSet"}], "creationTimestamp": "2026-01-02T03:04:05Z"},
  "spec": {"nodeName": "n", "containers": [{"name": "main", "image": "registry/app:1"}]},
  "status": {"phase": "Running", "observedGeneration": 2, "conditions": [
    {"type": "Initialized", "status": "True"}, {"type": "Ready", "status": "True"}]}})";

constexpr std::string_view kExpressions[] = {
    ".status.phase",
    ".metadata.deletionTimestamp",
    ".metadata.generation != .status.observedGeneration",
    ".status.observedGeneration | . != null",
    ".metadata.ownerReferences.[].kind",
    ".status.conditions.[] | select(.type == \"Ready\") | .status",
    ".spec.containers | map(.name) | join(\",\")",
    ".metadata.name | test(\"^pod-[0-9]+$\")",
    "reduce range(10) as $i (0; . + $i)",
    ".status.phase = \"Failed\"",
};

constexpr std::string_view kTemplates[] = {
    "{{ .status.phase }}",
    "{{ range .status.conditions }}- type: {{ .type | quote }}\n  status: {{ .status }}\n{{ end }}",
    "{{ $now := Now }}startTime: {{ $now | Quote }}\nname: {{ .metadata.name | upper }}",
    "{{ default \"x\" .spec.missing | trunc 10 | b64enc }} {{ add 1 2 }}",
};

double CpuNanoseconds() {
  timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

template <class Work>
void Report(std::string_view text, int rounds, Work work) {
  const double before = CpuNanoseconds();
  for (int i = 0; i < rounds; ++i) work();
  fmt::print("{:8.0f} ns  {:.70}\n", (CpuNanoseconds() - before) / rounds, text);
}

void Measure(int rounds) {
  const auto pod = json::Parse(kPod);
  for (const std::string_view text : kExpressions) {
    const auto program = Jq::Compile(text);
    std::vector<const json::Value*> results;
    Report(text, rounds, [&] {
      json::Arena arena;
      results.clear();
      (void)program->Evaluate(pod->root, arena, &results);
    });
  }
  FixedEnvironment environment;
  for (const std::string_view text : kTemplates) {
    const auto compiled = Template::Compile(text, TemplateScope::kPod);
    Report(text, rounds, [&] { (void)compiled->Render(pod->root, environment); });
  }
}

}  // namespace
}  // namespace kulisse::simulator

int main(int argc, char** argv) {
  kulisse::simulator::Measure(argc > 1 ? std::atoi(argv[1]) : 200'000);
  return 0;
}
