// Goal: with NodeRestriction a kubelet changes its own node and pods, and nothing of others.
#include "test/unit/apiserver/admission/admission_support.h"

namespace kulisse::apiserver {
namespace {

class NodeRestrictionTest : public AdmissionTest {
 protected:
  NodeRestrictionTest() : AdmissionTest({{"NodeRestriction"}, {}}) {
    Given("v1/serviceaccounts", "metadata: {name: default}");
    Given("v1/nodes", "metadata: {name: n1}");
    Given("v1/nodes", "metadata: {name: n2}");
    for (const char* node : {"n1", "n2"}) {
      Given("v1/pods", "{metadata: {name: on-" + std::string(node) + "}, spec: {nodeName: " + node +
                           ", containers: [{name: c, image: i}]}}");
    }
    context_.user = "system:node:n1";
    context_.groups = {"system:nodes"};
  }
  static std::string Mirror(std::string_view name, std::string_view metadata) {
    return "{metadata: {name: " + std::string(name) +
           ", annotations: {kubernetes.io/config.mirror: x}" + std::string(metadata) +
           "}, spec: {nodeName: n1, containers: [{name: c, image: i}]}}";
  }
};

TEST_F(NodeRestrictionTest, KnowsItsOwnNodeOnly) {
  EXPECT_EQ(Outcome(Replace("v1/nodes",
                            "{metadata: {name: n2, labels: {a: b}}, spec: {taints: [{key: "
                            "node.kubernetes.io/not-ready, effect: NoSchedule}]}}")),
            "403 nodes \"n2\" is forbidden: node \"n1\" is not allowed to modify node \"n2\"");
  struct Row {
    std::string_view labels, taints, want;
  };
  constexpr Row kRows[] = {
      {"a: b, kubernetes.io/os: linux, node.kubernetes.io/x: v", "node.kubernetes.io/not-ready",
       "ok"},
      {"node-restriction.kubernetes.io/x: v", "node.kubernetes.io/not-ready",
       "403 nodes \"n1\" is forbidden: is not allowed to modify labels: "
       "node-restriction.kubernetes.io/x"},
      {"kubernetes.io/x: v, k8s.io/z: v", "node.kubernetes.io/not-ready",
       "403 nodes \"n1\" is forbidden: is not allowed to modify labels: k8s.io/z, "
       "kubernetes.io/x"},
      {"", "other", "403 nodes \"n1\" is forbidden: node \"n1\" is not allowed to modify taints"},
  };
  for (const Row& row : kRows) {
    EXPECT_EQ(
        Outcome(Replace("v1/nodes", "{metadata: {name: n1, labels: {" + std::string(row.labels) +
                                        "}}, spec: {taints: [{key: " + std::string(row.taints) +
                                        ", effect: NoSchedule}]}}")),
        row.want);
  }
}

TEST_F(NodeRestrictionTest, CreatesMirrorPodsOnly) {
  const auto node = store_->Get({"nodes", "", "n1"});
  const std::string owner = ", ownerReferences: [{apiVersion: v1, kind: Node, name: n1, uid: " +
                            std::string(node->uid()) + ", controller: true}]";
  EXPECT_EQ(Outcome(Create("v1/pods", Mirror("a", owner))), "ok");
  EXPECT_EQ(Outcome(Create("v1/pods", Mirror("b", ""))),
            "403 pods \"b\" is forbidden: node \"n1\" can only create pods with an owner reference "
            "set to itself");
  EXPECT_EQ(Outcome(Create("v1/pods",
                           "{metadata: {name: c}, spec: {nodeName: n1, containers: [{name: c, "
                           "image: i}]}}")),
            "403 pods \"c\" is forbidden: pod does not have \"kubernetes.io/config.mirror\" "
            "annotation, node \"n1\" can only create mirror pods");
}

TEST_F(NodeRestrictionTest, EndsItsOwnPodsOnly) {
  EXPECT_EQ(Outcome(Delete("v1/pods", "on-n1")), "ok");
  EXPECT_EQ(Outcome(Delete("v1/pods", "on-n2")),
            "403 pods \"on-n2\" is forbidden: node \"n1\" can only delete pods with spec.nodeName "
            "set to itself");
}

TEST_F(NodeRestrictionTest, KeepsItsOwnLease) {
  ns_ = "kube-node-lease";
  EXPECT_EQ(Outcome(Create("coordination.k8s.io/v1/leases", "metadata: {name: n1}")), "ok");
  EXPECT_EQ(Outcome(Create("coordination.k8s.io/v1/leases", "metadata: {name: n2}")),
            "403 leases.coordination.k8s.io \"n2\" is forbidden: can only access node lease with "
            "the same name as the requesting node");
}

TEST_F(NodeRestrictionTest, LeavesOthersAlone) {
  context_.groups = {};
  EXPECT_EQ(Outcome(Delete("v1/pods", "on-n2")), "ok");
}

}  // namespace
}  // namespace kulisse::apiserver
