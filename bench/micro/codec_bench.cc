// The cost of one object on its way through the server: parse, canonical form, defaults,
// validation, protobuf both ways. The object is the pod of test/golden/defaults/pod_rich.json.
#include <benchmark/benchmark.h>

#include <fstream>
#include <iterator>
#include <string>

#include "base/assert.h"
#include "base/json/parse.h"
#include "base/json/write.h"
#include "openapi/defaulting.h"
#include "openapi/protobuf.h"
#include "openapi/typed.h"
#include "openapi/validation/validation.h"

namespace kulisse {
namespace {

struct Sample {
  openapi::TypeId type;
  std::string input;      // as a client wrote it
  std::string canonical;  // with defaults
  std::string message;
};

const Sample& PodSample() {
  static const Sample sample = [] {
    std::ifstream in(KULISSE_SOURCE_DIR "/test/golden/defaults/pod_rich.json");
    auto golden = json::Parse(std::string(std::istreambuf_iterator<char>(in), {}));
    KULISSE_ASSERT(golden.has_value());
    const openapi::TypeTable& table = openapi::TypeTable::BuiltIn();
    Sample made;
    made.type = table.Find(golden->root.FindString({"type"}));
    made.input = json::ToString(*golden->root.Find("input"));
    const json::Value& expected = *golden->root.Find("expected");
    made.canonical = json::ToString(expected);
    openapi::AppendMessage(expected, made.type, table, &made.message);
    return made;
  }();
  return sample;
}

void Parse(benchmark::State& state) {
  const std::string& text = PodSample().canonical;
  for (auto _ : state) benchmark::DoNotOptimize(json::Parse(text));
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(text.size()));
}
BENCHMARK(Parse);

void ParseAndNormalize(benchmark::State& state, const std::string& text, bool defaults) {
  const openapi::TypeTable& table = openapi::TypeTable::BuiltIn();
  for (auto _ : state) {
    auto document = json::Parse(text);
    KULISSE_ASSERT(
        Normalize(document->root, PodSample().type, table, document->arena, nullptr).has_value());
    if (defaults) ApplyDefaults(document->root, PodSample().type, table, document->arena);
    benchmark::DoNotOptimize(document->root);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(text.size()));
}
void ParseNormalizeCanonical(benchmark::State& state) {
  ParseAndNormalize(state, PodSample().canonical, false);
}
BENCHMARK(ParseNormalizeCanonical);
void ParseNormalizeClient(benchmark::State& state) {
  ParseAndNormalize(state, PodSample().input, false);
}
BENCHMARK(ParseNormalizeClient);
void ParseNormalizeDefault(benchmark::State& state) {
  ParseAndNormalize(state, PodSample().input, true);
}
BENCHMARK(ParseNormalizeDefault);

void Normalize(benchmark::State& state) {
  const openapi::TypeTable& table = openapi::TypeTable::BuiltIn();
  auto document = json::Parse(PodSample().canonical);
  for (auto _ : state) {
    KULISSE_ASSERT(
        openapi::Normalize(document->root, PodSample().type, table, document->arena, nullptr)
            .has_value());
  }
  state.counters["bytes"] = static_cast<double>(PodSample().canonical.size());
}
BENCHMARK(Normalize);

void Write(benchmark::State& state) {
  const auto document = json::Parse(PodSample().canonical);
  std::string out;
  for (auto _ : state) {
    out.clear();
    json::Append(document->root, &out);
  }
}
BENCHMARK(Write);

void EncodeMessage(benchmark::State& state) {
  const auto document = json::Parse(PodSample().canonical);
  std::string out;
  for (auto _ : state) {
    out.clear();
    AppendMessage(document->root, PodSample().type, openapi::TypeTable::BuiltIn(), &out);
  }
}
BENCHMARK(EncodeMessage);

void DecodeMessage(benchmark::State& state) {
  const Sample& sample = PodSample();
  for (auto _ : state) {
    json::Arena arena;
    benchmark::DoNotOptimize(
        openapi::DecodeMessage(sample.message, sample.type, openapi::TypeTable::BuiltIn(), arena));
  }
}
BENCHMARK(DecodeMessage);

void Validate(benchmark::State& state) {
  const auto document = json::Parse(PodSample().canonical);
  FieldErrors errors;
  for (auto _ : state) {
    openapi::ValidateCreate(document->root, PodSample().type, &errors);
    benchmark::DoNotOptimize(errors);
    errors.clear();
  }
}
BENCHMARK(Validate);

}  // namespace
}  // namespace kulisse

BENCHMARK_MAIN();
