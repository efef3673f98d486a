// Goal: what kubelets do beside stages: addresses. Method: a whole cluster in
// virtual time.
#include <gtest/gtest.h>

#include "test/unit/simulator/cluster_support.h"

namespace kulisse::simulator {

using namespace std::chrono_literals;

namespace {

class KubeletTest : public SimulatedClusterTest {};

TEST_F(KubeletTest, APodForWhomThereIsNoAddressWaitsUntilOneIsFree) {
  Start({});
  Create(nodes(), "{metadata: {name: node-0}, spec: {podCIDR: 10.1.0.0/30}}");
  for (const char* name : {"a", "b", "c"}) CreatePod(name);
  Run(1s);
  EXPECT_EQ(SeePod("b", "[.status.phase, .status.podIP]"), R"(["Running","10.1.0.2"])");
  EXPECT_EQ(SeePod("c", "[.status.phase, .status.podIP]"), R"(["Pending",null])");
  EXPECT_EQ(SeeEvents("c", "[.type, .reason, .message]"),
            R"(["Warning","FailedCreatePodSandBox","Failed to create pod sandbox: )"
            R"(no IP addresses available in 10.1.0.0/30"])");
  CreatePod("host", ", hostNetwork: true");
  Run(1s);
  EXPECT_EQ(SeePod("host", "[.status.phase, .status.podIP == .status.hostIP]"),
            R"(["Running",true])");
  Patch(pods(), {"default", "a"}, "status", "status: {phase: Succeeded}");
  Run(1s);
  EXPECT_EQ(SeePod("c", "[.status.phase, .status.podIP]"), R"(["Running","10.1.0.1"])");
  // The address of a pod that has ended is another's now, and stays so when the first goes.
  ASSERT_TRUE(cluster_->client().Delete(pods(), {"default", "a"}).has_value());
  CreatePod("d");
  Run(1s);
  EXPECT_EQ(SeePod("d", ".status.phase"), R"("Pending")");
}

TEST_F(KubeletTest, APodOnADualStackNodeHasAnAddressOfEachFamily) {
  Start({});
  Create(nodes(),
         "{metadata: {name: node-0}, spec: {podCIDR: 10.1.0.0/24, podCIDRs: [10.1.0.0/24, "
         "'fd01::/64']}, status: {addresses: [{type: InternalIP, address: 192.0.2.9}, {type: "
         "InternalIP, address: 'fd02::9'}]}}");
  CreatePod("p");
  CreatePod("host", ", hostNetwork: true");
  Run(1s);
  EXPECT_EQ(SeePod("p", "[.status.podIP, .status.podIPs[].ip, .status.hostIPs[].ip]"),
            R"(["10.1.0.1","10.1.0.1","fd01::1","192.0.2.9","fd02::9"])");
  EXPECT_EQ(SeePod("host", "[.status.podIPs[].ip]"), R"(["192.0.2.9","fd02::9"])");
}

TEST_F(KubeletTest, WhatAUserSaysOfANodeStaysThroughHeartbeats) {
  for (const int64_t lease : {40, 0}) {
    ClusterOptions options{.nodes = 1};
    options.simulator.options.node_lease_duration_seconds = lease;
    Start(std::move(options));
    Patch(nodes(), {"", "node-0"}, "status",
          "status: {capacity: {cpu: 64}, allocatable: {cpu: 63500m, example.com/gpu: 2}, images: "
          "[{names: [a], sizeBytes: 1}], nodeInfo: {kubeletVersion: v1.2.3}, conditions: null}");
    Patch(nodes(), {"", "node-0"}, "", "metadata: {labels: {a: b}, annotations: {c: d}}");
    Run(20min);
    EXPECT_EQ(SeeNode("[.status.capacity.cpu, .status.capacity.memory, .status.allocatable.cpu, "
                      ".status.allocatable[\"example.com/gpu\"], .status.images[0].names[0], "
                      ".status.nodeInfo.kubeletVersion, .metadata.labels.a, "
                      ".metadata.annotations.c, (.status.conditions | length)]"),
              R"(["64","256Gi","63500m","2","a","v1.2.3","b","d",5])");
  }
}

}  // namespace
}  // namespace kulisse::simulator
