#include "simulator/stage/config.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace kulisse::simulator {
namespace {

constexpr std::string_view kStage =
    "apiVersion: kwok.x-k8s.io/v1alpha1\nkind: Stage\nmetadata: {name: mine}\n"
    "spec: {resourceRef: {kind: Pod}, selector: {}, next: {delete: true}}\n";

std::vector<std::string> Names(const std::vector<Stage>& stages) {
  std::vector<std::string> names;
  for (const Stage& stage : stages) names.push_back(stage.name);
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

TEST(ConfigTest, RefusesWithFileDocumentAndField) {
  const std::pair<std::string, std::string_view> kRows[] = {
      {"kind: Metric\n",
       "f.yaml: document 1: kind \"Metric\" is not supported (supported are Stage and "
       "KwokConfiguration)"},
      {std::string(kStage) + "---\nkind: Stage\napiVersion: v1\n",
       "f.yaml: document 2: Stage: apiVersion must be kwok.x-k8s.io/v1alpha1, not \"v1\""},
      {std::string(kStage) + "---\n" + std::string(kStage),
       "f.yaml: document 2: Stage \"mine\" is there twice"},
      {"kind: KwokConfiguration\noptions: {enableCRDs: [Stage]}\n",
       "f.yaml: document 1: KwokConfiguration: options.enableCRDs: unknown field"},
  };
  for (const auto& [text, error] : kRows) {
    SimulatorConfig config;
    const auto added = AddConfig("f.yaml", text, &config);
    ASSERT_FALSE(added.has_value()) << text;
    EXPECT_EQ(added.error(), error);
  }
}

TEST(ConfigTest, OwnStagesReplaceTheDefaultsOfTheirKindOnly) {
  const SimulatorOptions options;
  EXPECT_EQ(
      Names(WithDefaultStages({}, options)),
      (std::vector<std::string>{"node-heartbeat-with-lease", "node-initialize", "pod-complete",
                                "pod-delete", "pod-observe-generation", "pod-ready"}));
  SimulatorConfig config;
  ASSERT_TRUE(AddConfig("f", kStage, &config).has_value());
  EXPECT_EQ(Names(WithDefaultStages(std::move(config.stages), options)),
            (std::vector<std::string>{"mine", "node-heartbeat-with-lease", "node-initialize"}));
}

TEST(ConfigTest, WithoutLeasesNodesHaveTheFrequentHeartbeat) {
  SimulatorOptions options;
  options.node_lease_duration_seconds = 0;
  const auto names = Names(WithDefaultStages({}, options));
  EXPECT_TRUE(std::ranges::binary_search(names, "node-heartbeat"));
  EXPECT_FALSE(std::ranges::binary_search(names, "node-heartbeat-with-lease"));
}

}  // namespace
}  // namespace kulisse::simulator
