#include "simulator/stage/config.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace kulisse::simulator {
namespace {

constexpr std::string_view kStage =
    "apiVersion: kwok.x-k8s.io/v1alpha1\nkind: Stage\nmetadata: {name: mine}\n"
    "spec: {resourceRef: {kind: Pod}, selector: {}, next: {delete: true}}\n";

std::vector<std::string> Names(const std::vector<StageSource>& stages) {
  std::vector<std::string> names;
  for (const StageSource& stage : stages) names.emplace_back(stage.name());
  std::ranges::sort(names);
  return names;
}

TEST(ConfigTest, ReadsStagesAndOptions) {
  SimulatorConfig config;
  const auto added =
      AddConfig("f.yaml",
                std::string(kStage) +
                    "---\napiVersion: config.kwok.x-k8s.io/v1alpha1\nkind: KwokConfiguration\n"
                    "options: {cidr: 10.9.0.0/16, nodeIP: 1.2.3.4, nodeLeaseDurationSeconds: 0, "
                    "manageNodesWithAnnotationSelector: kwok.x-k8s.io/node=fake}\n",
                &config);
  ASSERT_TRUE(added.has_value()) << added.error();
  EXPECT_EQ(Names(config.stages), std::vector<std::string>{"mine"});
  EXPECT_EQ(config.options.cidr, "10.9.0.0/16");
  EXPECT_EQ(config.options.node_ip, "1.2.3.4");
  EXPECT_EQ(config.options.node_lease_duration_seconds, 0);
  ASSERT_EQ(config.options.manage_annotations.size(), 1);
  EXPECT_EQ(config.options.manage_annotations[0].second, "fake");
}

TEST(ConfigTest, PassesOverWhatItCannotUseAndSaysWhere) {
  const std::pair<std::string, std::string_view> kRows[] = {
      {"kind: Gizmo\n",
       "f.yaml: document 1: kind \"Gizmo\" has no effect (Stage, ResourceUsage, "
       "ClusterResourceUsage, Metric and KwokConfiguration have)"},
      {"kind: Stage\n", "f.yaml: document 1: a Stage needs metadata.name"},
      {std::string(kStage) + "---\n" + std::string(kStage),
       "f.yaml: document 2: Stage \"mine\" is in f.yaml: document 1 already"},
  };
  for (const auto& [text, problem] : kRows) {
    SimulatorConfig config;
    ASSERT_TRUE(AddConfig("f.yaml", text + "---\n" + text, &config).has_value());
    ASSERT_FALSE(config.problems.empty()) << text;
    EXPECT_EQ(config.problems[0], problem);
  }
}

TEST(ConfigTest, RefusesBadOptionsWithFileDocumentAndField) {
  SimulatorConfig config;
  const auto added = AddConfig("f.yaml", "kind: KwokConfiguration\noptions: {bogus: 1}\n", &config);
  ASSERT_FALSE(added.has_value());
  EXPECT_EQ(added.error(), "f.yaml: document 1: KwokConfiguration: options.bogus: unknown field");
}

std::vector<std::string> NamesWith(std::string_view own, const std::vector<std::string>& sets,
                                   int64_t lease_seconds = 40) {
  SimulatorConfig config;
  config.options.node_lease_duration_seconds = lease_seconds;
  EXPECT_TRUE(AddConfig("f", own, &config).has_value());
  config.stage_sets = sets;
  EXPECT_TRUE(AddShippedStages(&config).has_value());
  return Names(config.stages);
}

TEST(ConfigTest, OwnStagesReplaceTheDefaultsOfTheirKindOnly) {
  using Strings = std::vector<std::string>;
  EXPECT_EQ(NamesWith("", {}),
            (Strings{"node-heartbeat-with-lease", "node-initialize", "pod-complete", "pod-delete",
                     "pod-observe-generation", "pod-ready"}));
  EXPECT_EQ(NamesWith(kStage, {}),
            (Strings{"mine", "node-heartbeat-with-lease", "node-initialize"}));
  // Who names the sets gets all of them.
  EXPECT_EQ(NamesWith(kStage, {"fast"}).size(), 7U);
  EXPECT_EQ(NamesWith("", {"none"}), Strings());
}

TEST(ConfigTest, EverySetIsThereAndOthersAreRefused) {
  for (const std::string& set : StageSetNames()) {
    EXPECT_EQ(NamesWith("", {set}).empty(), set == "none") << set;
  }
  SimulatorConfig config;
  config.stage_sets = {"slow"};
  const auto added = AddShippedStages(&config);
  ASSERT_FALSE(added.has_value());
  EXPECT_TRUE(added.error().starts_with("no stages are called \"slow\" (there are none, fast"))
      << added.error();
}

TEST(ConfigTest, WithoutLeasesNodesHaveTheFrequentHeartbeat) {
  const auto names = NamesWith("", {}, 0);
  EXPECT_TRUE(std::ranges::binary_search(names, "node-heartbeat"));
  EXPECT_FALSE(std::ranges::binary_search(names, "node-heartbeat-with-lease"));
}

}  // namespace
}  // namespace kulisse::simulator
