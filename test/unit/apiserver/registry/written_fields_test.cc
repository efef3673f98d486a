// Goal: what the server writes into jobs, daemon sets, claims, volumes and gated pods is
// upstream's. Method: tables of object, old object and what must come out; the same for whole
// requests is in test/differential.
#include "apiserver/registry/written_fields.h"

#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string_view>

#include "base/json/parse.h"
#include "base/json/write.h"

namespace kulisse::apiserver {
namespace {

constexpr std::string_view kNow = "2026-03-04T05:06:07Z";

struct Row {
  std::string_view what;
  std::string_view object;
  std::string_view old;  // "" for a new object
  std::string_view expected;
};

using Write = std::function<void(json::Document&, const json::Value*)>;

void CheckRows(std::initializer_list<Row> rows, const Write& write) {
  for (const Row& row : rows) {
    SCOPED_TRACE(row.what);
    auto object = json::Parse(row.object);
    ASSERT_TRUE(object.has_value());
    if (row.old.empty()) {
      write(*object, nullptr);
    } else {
      const auto old = json::Parse(row.old);
      ASSERT_TRUE(old.has_value());
      write(*object, &old->root);
    }
    EXPECT_EQ(json::ToString(object->root), row.expected);
  }
}

TEST(WrittenFieldsTest, AJobSelectsByItsUidUnlessItSelectsByHand) {
  CheckRows(
      {{"nothing given", R"({"metadata":{"name":"j","uid":"u"}})", "",
        R"({"metadata":{"name":"j","uid":"u","labels":{"job-name":"j",)"
        R"("batch.kubernetes.io/job-name":"j","controller-uid":"u",)"
        R"("batch.kubernetes.io/controller-uid":"u"}},"spec":{"template":{"metadata":{"labels":{)"
        R"("job-name":"j","batch.kubernetes.io/job-name":"j","controller-uid":"u",)"
        R"("batch.kubernetes.io/controller-uid":"u"}}},)"
        R"("selector":{"matchLabels":{"batch.kubernetes.io/controller-uid":"u"}}}})"},
       {"by hand", R"({"spec":{"manualSelector":true}})", "",
        R"({"spec":{"manualSelector":true}})"}},
      [](json::Document& job, const json::Value*) { WriteJobSelector(job); });
}

TEST(WrittenFieldsTest, ADaemonSetCountsItsTemplates) {
  CheckRows({{"new", R"({"metadata":{}})", "",
              R"({"metadata":{"annotations":{"deprecated.daemonset.template.generation":"1"}}})"},
             {"the same template, the count lost by the client", R"({"spec":{"template":{"a":1}}})",
              R"({"metadata":{"annotations":{"deprecated.daemonset.template.generation":"4"}},)"
              R"("spec":{"template":{"a":1}}})",
              R"({"spec":{"template":{"a":1}},)"
              R"("metadata":{"annotations":{"deprecated.daemonset.template.generation":"4"}}})"},
             {"another template", R"({"spec":{"template":{"a":2}}})",
              R"({"metadata":{"annotations":{"deprecated.daemonset.template.generation":"4"}},)"
              R"("spec":{"template":{"a":1}}})",
              R"({"spec":{"template":{"a":2}},)"
              R"("metadata":{"annotations":{"deprecated.daemonset.template.generation":"5"}}})"}},
            [](json::Document& set, const json::Value* old) { WriteTemplateGeneration(set, old); });
}

TEST(WrittenFieldsTest, AClaimHasBothFormsOfItsSource) {
  CheckRows(
      {{"the old form", R"({"spec":{"dataSource":{"kind":"PersistentVolumeClaim","name":"n"}}})",
        "",
        R"({"spec":{"dataSource":{"kind":"PersistentVolumeClaim","name":"n"},)"
        R"("dataSourceRef":{"kind":"PersistentVolumeClaim","name":"n"}}})"},
       {"the new form", R"({"spec":{"dataSourceRef":{"kind":"PersistentVolumeClaim","name":"n"}}})",
        "",
        R"({"spec":{"dataSourceRef":{"kind":"PersistentVolumeClaim","name":"n"},)"
        R"("dataSource":{"kind":"PersistentVolumeClaim","name":"n"}}})"},
       {"of another namespace the new form alone",
        R"({"spec":{"dataSourceRef":{"kind":"PersistentVolumeClaim","name":"n","namespace":"o"}}})",
        "",
        R"({"spec":{"dataSourceRef":{"kind":"PersistentVolumeClaim","name":"n","namespace":"o"}}})"}},
      [](json::Document& claim, const json::Value* old) { WriteDataSources(claim, old); });
}

TEST(WrittenFieldsTest, AVolumeRemembersWhenItsPhaseChanged) {
  CheckRows(
      {{"new", R"({"status":{"phase":"Pending"}})", "",
        R"({"status":{"phase":"Pending","lastPhaseTransitionTime":"2026-03-04T05:06:07Z"}})"},
       {"another phase", R"({"status":{"phase":"Bound"}})", R"({"status":{"phase":"Pending"}})",
        R"({"status":{"phase":"Bound","lastPhaseTransitionTime":"2026-03-04T05:06:07Z"}})"},
       {"another phase and the client's time",
        R"({"status":{"phase":"Bound","lastPhaseTransitionTime":"x"}})",
        R"({"status":{"phase":"Pending"}})",
        R"({"status":{"phase":"Bound","lastPhaseTransitionTime":"x"}})"},
       {"the same phase", R"({"status":{"phase":"Bound"}})",
        R"({"status":{"phase":"Bound","lastPhaseTransitionTime":"y"}})",
        R"({"status":{"phase":"Bound","lastPhaseTransitionTime":"y"}})"}},
      [](json::Document& volume, const json::Value* old) {
        WritePhaseTransitionTime(volume, old, kNow);
      });
}

TEST(WrittenFieldsTest, AGatedPodSaysSo) {
  CheckRows(
      {{"no gate", R"({"spec":{}})", "", R"({"spec":{}})"},
       {"a gate",
        R"({"metadata":{"creationTimestamp":"t"},"spec":{"schedulingGates":[{"name":"g"}]}})", "",
        R"({"metadata":{"creationTimestamp":"t"},)"
        R"("spec":{"schedulingGates":[{"name":"g"}]},"status":{"conditions":[{)"
        R"("type":"PodScheduled","status":"False","lastTransitionTime":"t",)"
        R"("reason":"SchedulingGated",)"
        R"("message":"Scheduling is blocked due to non-empty scheduling gates"}]}})"}},
      [](json::Document& pod, const json::Value*) { WriteSchedulingGatedCondition(pod); });
}

TEST(WrittenFieldsTest, FieldsOfFeaturesThatAreOffAreDroppedUnlessTheyWereThere) {
  constexpr std::string_view kWith =
      R"({"spec":{"updateStrategy":{"rollingUpdate":{"maxUnavailable":1}}}})";
  CheckRows({{"new", kWith, "", R"({"spec":{"updateStrategy":{"rollingUpdate":{}}}})"},
             {"kept", kWith, kWith, kWith}},
            [](json::Document& set, const json::Value* old) {
              DropDisabledFields("statefulsets.apps", set, old);
            });
}

}  // namespace
}  // namespace kulisse::apiserver
