#include "simulator/kubelet/node_groups.h"

#include <gtest/gtest.h>

#include "base/json/write.h"
#include "simulator/kubelet/node_factory.h"

namespace kulisse::simulator {
namespace {

TEST(NodeGroupsTest, ReadsGroupsAndFillsInTheRest) {
  const auto groups = ParseNodeGroups("f", R"yaml(
nodes:
- {name: small, count: 3, zones: [a, b], region: r, type: t, capacity: {cpu: 4}}
- name: gpu
  capacity: {memory: 1Ti, nvidia.com/gpu: 8}
  allocatable: {cpu: 31500m}
  labels: {pool: gpu}
  taints: [{key: gpu, effect: NoSchedule}]
)yaml");
  ASSERT_TRUE(groups.has_value()) << groups.error();
  ASSERT_EQ(groups->size(), 2U);
  const json::Document small = NodeFactory::MakeNode((*groups)[0], 2, 2, "10.244.2.0/24");
  const auto text = [](const json::Document& node, std::initializer_list<std::string_view> path) {
    return std::string(node.root.FindString(path));
  };
  EXPECT_EQ(text(small, {"metadata", "name"}), "small-2");
  EXPECT_EQ(text(small, {"metadata", "labels", "topology.kubernetes.io/zone"}), "a");
  EXPECT_EQ(text(small, {"metadata", "labels", "topology.kubernetes.io/region"}), "r");
  EXPECT_EQ(text(small, {"metadata", "labels", "node.kubernetes.io/instance-type"}), "t");
  EXPECT_EQ(text(small, {"spec", "podCIDR"}), "10.244.2.0/24");
  EXPECT_EQ(json::ToString(*small.root.Find({"status", "allocatable"})),
            R"({"cpu":"4","memory":"256Gi","pods":"110"})");
  const json::Document gpu = NodeFactory::MakeNode((*groups)[1], 0, 3, "");
  EXPECT_EQ(text(gpu, {"metadata", "labels", "pool"}), "gpu");
  EXPECT_EQ(json::ToString(*gpu.root.Find({"spec", "taints"})),
            R"([{"key":"gpu","effect":"NoSchedule"}])");
  EXPECT_EQ(json::ToString(*gpu.root.Find({"status", "capacity"})),
            R"({"cpu":"32","memory":"1Ti","pods":"110","nvidia.com/gpu":"8"})");
  EXPECT_EQ(text(gpu, {"status", "allocatable", "cpu"}), "31500m");
  EXPECT_EQ(gpu.root.Find({"status", "addresses"})->elements()[0].FindString({"address"}),
            "192.0.2.4");
}

TEST(NodeGroupsTest, RefusesWithFileAndField) {
  constexpr std::pair<std::string_view, std::string_view> kRows[] = {
      {"{}", "f: nodes: is required"},
      {"nodes: [{count: -1}]", "f: nodes[0].count: must be an integer that is not negative"},
      {"nodes: [{bogus: 1}]", "f: nodes[0].bogus: unknown field"},
      {"nodes: [{name: A_b}]", "f: nodes[0].name: is no name of a node"},
      {"nodes: [{capacity: {cpu: x}}]", "f: nodes[0].capacity.cpu: is no quantity"},
      {"nodes: [{taints: [{key: a, effect: b}]}]",
       "f: nodes[0].taints[0].effect: must be NoSchedule, PreferNoSchedule or NoExecute"},
      {"nodes: [{name: a}, {name: a}]", "f: nodes[1].name: another group has the name \"a\""},
      {"nodes: [{count: 99999}, {name: b, count: 2}]", "f: nodes[1].count: more than 100000 nodes"},
  };
  for (const auto& [text, error] : kRows) {
    const auto groups = ParseNodeGroups("f", text);
    ASSERT_FALSE(groups.has_value()) << text;
    EXPECT_EQ(groups.error(), error);
  }
}

}  // namespace
}  // namespace kulisse::simulator
