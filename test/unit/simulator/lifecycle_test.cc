// Goal: stages are matched, drawn and delayed by KWOK's rules.
#include "simulator/stage/lifecycle.h"

#include <gtest/gtest.h>

#include <string>

#include "base/json/parse.h"
#include "base/virtual_runtime.h"
#include "openapi/yaml.h"

namespace kulisse::simulator {

using namespace std::chrono_literals;

namespace {

constexpr std::string_view kPod = R"({
  "metadata": {"name": "p", "labels": {"app": "a"}, "annotations": {"w": "0x10", "bad": "x",
    "d": "5s", "late": "2026-01-01T00:01:00Z", "past": "2025-01-01T00:00:00Z", "none": ""},
    "ownerReferences": [{"kind": "Job"}]},
  "spec": {"replicas": 3, "host": true},
  "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
})";

// A Stage of the given spec fields.
Stage MakeStage(const std::string& spec) {
  const auto document =
      openapi::ParseYaml("metadata: {name: s}\nspec: {resourceRef: {kind: Pod}, " + spec + "}");
  EXPECT_TRUE(document.has_value()) << document.error();
  static VirtualRuntime runtime(1);
  static const CelEnvironment cel(runtime);
  auto stage = Stage::Parse(document->root, cel);
  EXPECT_TRUE(stage.has_value()) << stage.error();
  return std::move(*stage);
}

struct SelectorRow {
  std::string_view selector;
  bool want;
};

TEST(LifecycleTest, MatchesSelectors) {
  constexpr SelectorRow kRows[] = {
      {"{}", true},
      {"{matchLabels: {app: a}}", true},
      {"{matchLabels: {app: b}}", false},
      {"{matchLabels: {none: a}}", false},
      {"{matchAnnotations: {w: '0x10'}}", true},
      {"{matchExpressions: [{key: .status.phase, operator: In, values: [Pending, Running]}]}",
       true},
      {"{matchExpressions: [{key: .status.phase, operator: NotIn, values: [Running]}]}", false},
      {"{matchExpressions: [{key: .status.none, operator: NotIn, values: [Running]}]}", true},
      {"{matchExpressions: [{key: '.status.phase.[]', operator: NotIn, values: [x]}]}", true},
      {"{matchExpressions: [{key: '.status.phase.[]', operator: DoesNotExist}]}", true},
      {"{matchExpressions: [{key: .status.phase, operator: Exists}]}", true},
      {"{matchExpressions: [{key: '.metadata.annotations.none', operator: Exists}]}", true},
      {"{matchExpressions: [{key: .metadata.deletionTimestamp, operator: DoesNotExist}]}", true},
      {"{matchExpressions: [{key: .spec.host, operator: In, values: ['true']}]}", true},
      {"{matchExpressions: [{key: .spec.replicas, operator: In, values: ['3']}]}", false},
      {"{matchExpressions: [{key: .spec.replicas|tostring, operator: In, values: ['3']}]}", true},
      {"{matchExpressions: [{key: '.status.phase|length', operator: In, values: ['7']}]}", true},
      {"{matchExpressions: [{key: now, operator: Exists}]}", true},
      {"{matchExpressions: [{key: '.metadata.ownerReferences.[].kind', operator: In, "
       "values: [Job]}]}",
       true},
      {"{matchExpressions: [{jq: {key: '.status.conditions.[] | select(.type == \"Ready\") | "
       ".status', operator: In, values: ['True']}}]}",
       true},
      {"{matchExpressions: [{cel: {expression: \"self.status.phase == 'Running'\"}}]}", true},
      {"{matchExpressions: [{cel: {expression: \"self.status.phase == 'Pending'\"}}]}", false},
      // of jq, key and cel the first counts
      {"{matchExpressions: [{cel: {expression: 'false'}, jq: {key: .spec, operator: Exists}}]}",
       true},
      {"{matchExpressions: [{cel: {expression: 'false'}, key: .spec, operator: Exists}]}", true},
  };
  const auto pod = json::Parse(kPod);
  for (const SelectorRow& row : kRows) {
    SCOPED_TRACE(row.selector);
    const Stage stage = MakeStage("selector: " + std::string(row.selector));
    EXPECT_EQ(Matches(*stage.selector, pod->root, SystemTime{}), row.want);
  }
}

TEST(LifecycleTest, AStageWithoutSelectorNeverApplies) {
  std::vector<Lifecycle::StagePtr> stages;
  stages.push_back(std::make_shared<const Stage>(MakeStage("next: {delete: true}")));
  VirtualRuntime runtime(1);
  EXPECT_FALSE(*Lifecycle(std::move(stages)).Next(json::Parse(kPod)->root, runtime));
}

TEST(LifecycleTest, AWeightThatCannotBeToldIsAnErrorWhenSeveralStagesMatch) {
  const auto failing = std::make_shared<const Stage>(
      MakeStage("selector: {}, weightFrom: {cel: {expression: '\"no number\"'}}"));
  const auto other = std::make_shared<const Stage>(MakeStage("selector: {}, weight: 1"));
  const auto pod = json::Parse(kPod);
  VirtualRuntime runtime(1);
  EXPECT_TRUE(Lifecycle({failing}).Next(pod->root, runtime)->has_value());
  EXPECT_FALSE(Lifecycle({failing, other}).Next(pod->root, runtime).has_value());
}

struct WeightRow {
  std::string_view spec;
  std::optional<int64_t> want;
};

TEST(LifecycleTest, EvaluatesWeights) {
  const WeightRow kRows[] = {
      {"weight: 7", 7},
      {"selector: {}", 0},
      {"weight: 1, weightFrom: {jq: {expression: '.metadata.annotations[\"w\"]'}}", 16},
      {"weight: 1, weightFrom: {expressionFrom: '.metadata.annotations[\"w\"]'}", 16},
      {"weight: 1, weightFrom: {jq: {expression: .metadata.annotations.bad}}", std::nullopt},
      {"weight: 1, weightFrom: {jq: {expression: .metadata.annotations.none}}", std::nullopt},
      {"weight: 1, weightFrom: {jq: {expression: .metadata.annotations.absent}}", 1},
      {"weight: 1, weightFrom: {jq: {expression: .spec.replicas}}", 3},
      {"weight: 1, weightFrom: {jq: {expression: .spec}}", 1},
      {"weight: 4, weightFrom: {jq: {expression: '[1, 2] | length'}}", 4},  // computed: no weight
      {"weight: 1, weightFrom: {cel: {expression: '1 + 2'}, jq: {expression: .spec.replicas}}", 3},
      {"weight: 1, weightFrom: {cel: {expression: 'true'}}", 1},
  };
  const auto pod = json::Parse(kPod);
  for (const WeightRow& row : kRows) {
    SCOPED_TRACE(row.spec);
    EXPECT_EQ(*WeightOf(MakeStage(std::string(row.spec)), pod->root), row.want);
  }
}

// How often each of the weights is drawn in 10,000 draws, in percent.
std::vector<int> Shares(const std::vector<std::optional<int64_t>>& weights) {
  VirtualRuntime runtime(7);
  std::vector<int> counts(weights.size());
  constexpr int kDraws = 10'000;
  for (int i = 0; i < kDraws; ++i) ++counts[Draw(weights, runtime)];
  for (int& count : counts) count = (count * 100 + kDraws / 2) / kDraws;
  return counts;
}

TEST(LifecycleTest, DrawsByWeight) {
  EXPECT_EQ(Shares({5}), std::vector<int>({100}));
  EXPECT_EQ(Shares({0, 10'000})[0], 0);
  EXPECT_EQ(Shares({std::nullopt, 1})[0], 0);
  EXPECT_NEAR(Shares({1, 3})[1], 75, 2);
  EXPECT_NEAR(Shares({0, 0})[0], 50, 2);
  EXPECT_NEAR(Shares({std::nullopt, std::nullopt})[0], 50, 2);
  EXPECT_EQ(Shares({std::nullopt, 0})[1], 100);  // a sum of 0: uniform over those with a value
}

struct DelayRow {
  std::string_view delay;
  Duration least, most;
};

TEST(LifecycleTest, DrawsDelays) {
  constexpr DelayRow kRows[] = {
      {"{}", 0s, 0s},
      {"{durationMilliseconds: 1500}", 1500ms, 1500ms},
      {"{durationMilliseconds: 1000, jitterDurationMilliseconds: 3000}", 1s, 3s},
      {"{durationMilliseconds: 5000, jitterDurationMilliseconds: 2000}", 2s, 2s},
      {"{durationFrom: {jq: {expression: .metadata.annotations.d}}}", 5s, 5s},
      {"{durationFrom: {jq: {expression: .metadata.annotations.late}}}", 60s, 60s},
      {"{durationMilliseconds: 9, durationFrom: {jq: {expression: .metadata.annotations.none}}, "
       "jitterDurationMilliseconds: 99}",
       0s, 0s},
      {"{durationMilliseconds: 9, durationFrom: {jq: {expression: .metadata.annotations.bad}}}",
       9ms, 9ms},
      {"{durationMilliseconds: 1000, jitterDurationFrom: "
       "{jq: {expression: .metadata.annotations.late}}}",
       1s, 60s},
  };
  const auto pod = json::Parse(kPod);
  VirtualRuntime runtime(3);
  for (const DelayRow& row : kRows) {
    SCOPED_TRACE(row.delay);
    const Stage stage = MakeStage("delay: " + std::string(row.delay));
    Duration least = Duration::max();
    Duration most = Duration::min();
    for (int i = 0; i < 200; ++i) {
      const Duration delay = DelayOf(*stage.delay, pod->root, runtime);
      least = std::min(least, delay);
      most = std::max(most, delay);
    }
    EXPECT_GE(least, row.least);
    EXPECT_LE(most, row.most);
    EXPECT_GE(most - least, (row.most - row.least) / 2);
  }
  const Stage past =
      MakeStage("delay: {durationFrom: {jq: {expression: .metadata.annotations.past}}}");
  EXPECT_LT(DelayOf(*past.delay, pod->root, runtime), 0s);
}

}  // namespace
}  // namespace kulisse::simulator
