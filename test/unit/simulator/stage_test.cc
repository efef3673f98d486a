// Goal: a Stage is read strictly; what is wrong or not there yet is refused with stage and field.
#include "simulator/stage/stage.h"

#include <gtest/gtest.h>

#include "base/virtual_runtime.h"
#include "openapi/yaml.h"

namespace kulisse::simulator {
namespace {

std::expected<Stage, std::string> Parse(const std::string& spec) {
  const auto document = openapi::ParseYaml(
      "apiVersion: kwok.x-k8s.io/v1alpha1\nkind: Stage\nmetadata: {name: s}\nspec: " + spec);
  EXPECT_TRUE(document.has_value()) << spec;
  static VirtualRuntime runtime(1);
  static const CelEnvironment cel(runtime);
  return Stage::Parse(document->root, cel);
}

struct Row {
  std::string_view spec, error;
};

TEST(StageTest, RefusesWithStageAndField) {
  constexpr Row kRows[] = {
      {"{}", "spec.resourceRef.kind: is required"},
      {"{resourceRef: {kind: Pod}, bogus: 1}", "spec.bogus: unknown field"},
      {"{resourceRef: {kind: Pod}, weight: -1}",
       "spec.weight: must be an integer that is not negative"},
      {"{resourceRef: {kind: Pod}, weight: a}",
       "spec.weight: must be an integer that is not negative"},
      {"{resourceRef: {kind: Pod}, selector: {matchExpressions: [{}]}}",
       "spec.selector.matchExpressions[0].key: is required"},
      {"{resourceRef: {kind: Pod}, selector: {matchExpressions: [{cel: {x: 'true'}}]}}",
       "spec.selector.matchExpressions[0].cel.x: unknown field"},
      {"{resourceRef: {kind: Pod}, selector: {matchExpressions: [{key: .a, operator: In}]}}",
       "spec.selector.matchExpressions[0].values: is required"},
      {"{resourceRef: {kind: Pod}, selector: {matchExpressions: [{key: .a, operator: Exists, "
       "values: [x]}]}}",
       "spec.selector.matchExpressions[0].values: must be empty with operator Exists"},
      {"{resourceRef: {kind: Pod}, selector: {matchExpressions: [{key: .a, operator: Is}]}}",
       "spec.selector.matchExpressions[0].operator: must be In, NotIn, Exists or DoesNotExist"},
      {"{resourceRef: {kind: Pod}, selector: {matchExpressions: [{key: 'a(', operator: Exists}]}}",
       "spec.selector.matchExpressions[0].key: jq `a(`: unexpected end of expression (at 2)"},
      {"{resourceRef: {kind: Pod}, delay: {durationFrom: {}}}",
       "spec.delay.durationFrom: needs jq.expression or cel.expression"},
      {"{resourceRef: {kind: Pod}, steps: [{apply: {template: x, type: json}}]}",
       "spec.steps[0].apply.type: must be one of apply, merge, strategic"},
      {"{resourceRef: {kind: Pod}, steps: [{patch: {template: x, impersonation: {}}}]}",
       "spec.steps[0].patch.impersonation.username: is required"},
      {"{resourceRef: {kind: Pod}, next: {statusTemplate: '{{ foo }}'}}",
       "spec.next.statusTemplate: line 1: function \"foo\" is not defined"},
      {"{resourceRef: {kind: Pod}, next: {patches: [{type: x, template: y}]}}",
       "spec.next.patches[0].type: must be one of json, merge, strategic"},
      {"{resourceRef: {kind: Pod}, next: {event: {type: Bad}}}",
       "spec.next.event.type: must be Normal or Warning"},
      {"{resourceRef: {kind: Pod}, next: {finalizers: {add: [{}]}}}",
       "spec.next.finalizers.add[0].value: is required"},
  };
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.spec);
    const auto stage = Parse(std::string(row.spec));
    ASSERT_FALSE(stage.has_value());
    EXPECT_EQ(stage.error(), "Stage \"s\": " + std::string(row.error));
  }
}

TEST(StageTest, ReadsNextInItsOrder) {
  const auto stage = Parse(
      "{resourceRef: {apiGroup: apps/v1, kind: Deployment}, next: {delete: true, "
      "statusTemplate: 'phase: x', finalizers: {add: [{value: a}]}, "
      "event: {type: Normal, reason: R, message: M}}}");
  ASSERT_TRUE(stage.has_value()) << stage.error();
  EXPECT_EQ(stage->group, "apps");
  EXPECT_EQ(stage->version, "v1");
  ASSERT_EQ(stage->actions.size(), 4);
  EXPECT_TRUE(std::holds_alternative<EventAction>(stage->actions[0]));
  EXPECT_TRUE(std::holds_alternative<FinalizersAction>(stage->actions[1]));
  const auto& patch = std::get<PatchAction>(stage->actions[2]);
  EXPECT_EQ(patch.type, PatchType::kMerge);
  EXPECT_EQ(patch.subresource, "status");
  EXPECT_EQ(patch.root, "status");
  EXPECT_TRUE(std::holds_alternative<DeleteAction>(stage->actions[3]));
}

TEST(StageTest, AfterADeleteOnlyEventsAreLeft) {
  const auto stage = Parse(
      "{resourceRef: {kind: Pod}, steps: [{delete: true, patch: {template: x}}, "
      "{patch: {template: z}, event: {type: Normal}}]}");
  ASSERT_TRUE(stage.has_value()) << stage.error();
  ASSERT_EQ(stage->actions.size(), 2);
  EXPECT_TRUE(std::holds_alternative<DeleteAction>(stage->actions[0]));
  EXPECT_TRUE(std::holds_alternative<EventAction>(stage->actions[1]));
}

TEST(StageTest, PatchesPodsStrategicallyUnlessTold) {
  const auto stage = Parse(
      "{resourceRef: {kind: Pod}, next: {patches: [{template: x}, {type: json, template: z}]}}");
  ASSERT_TRUE(stage.has_value()) << stage.error();
  EXPECT_EQ(std::get<PatchAction>(stage->actions[0]).type, PatchType::kStrategic);
  EXPECT_EQ(std::get<PatchAction>(stage->actions[1]).type, PatchType::kJson);
}

}  // namespace
}  // namespace kulisse::simulator
