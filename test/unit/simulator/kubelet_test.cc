// Goal: what kubelets do beside stages, and the set of stages that is called after them. Method: a
// whole cluster in virtual time.
#include <fmt/format.h>
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

constexpr std::string_view kReady =
    "[.status.conditions[] | select(.type == \"Ready\") | .status, .reason]";

class KubeletStagesTest : public SimulatedClusterTest {
 protected:
  void SetUp() override {
    ClusterOptions options{.nodes = 1};
    options.simulator.stage_sets = {"kubelet"};
    Start(std::move(options));
  }
};

TEST_F(KubeletStagesTest, APodStartsStepByStepAndItsGatesCount) {
  CreatePod("p",
            ", initContainers: [{name: one, image: i}, {name: side, image: i, restartPolicy: "
            "Always}], readinessGates: [{conditionType: example.com/gate}]");
  std::vector<std::string> seen;
  for (int step = 0; step < 20; ++step) {
    Run(500ms);
    const std::string now =
        SeePod("p",
               "[.status.phase[0:1], (.status.initContainerStatuses[], .status.containerStatuses[] "
               "| .state | keys[0][0:1])] | join(\"\")");
    if (seen.empty() || seen.back() != now) seen.push_back(now);
  }
  EXPECT_EQ(seen, (std::vector<std::string>{R"("Pwww")", R"("Prww")", R"("Ptww")", R"("Ptrw")",
                                            R"("Rtrr")"}));
  EXPECT_EQ(SeePod("p", kReady), R"(["False","ReadinessGatesNotReady"])");
  const auto patch =
      openapi::ParseYaml("status: {conditions: [{type: example.com/gate, status: 'True'}]}");
  ASSERT_TRUE(cluster_->client()
                  .Patch(pods(), {"default", "p"}, "status", PatchType::kStrategic, patch->root)
                  .has_value());
  Run(1s);
  EXPECT_EQ(SeePod("p", kReady), R"(["True",null])");
}

TEST_F(KubeletStagesTest, ACommandSaysHowAContainerEndsAndThePolicyWhatComesThen) {
  struct Row {
    std::string_view name, policy, command, end;
  };
  constexpr Row kRows[] = {
      {"never", "Never", "sleep 3; exit 4", R"(["Failed",4,0])"},
      {"done", "OnFailure", "echo hello", R"(["Succeeded",0,0])"},
      {"again", "OnFailure", "sleep 3; exit 4", R"(["Running",null,1])"},
      {"always", "Always", "exit 0", R"(["Running",null,1])"},
      {"stays", "Never", "while true; do sleep 1; done", R"(["Running",null,0])"},
  };
  for (const Row& row : kRows) {
    Create(pods(),
           fmt::format("{{metadata: {{name: {}}}, spec: {{nodeName: node-0, restartPolicy: "
                       "{}, containers: [{{name: c, image: i, command: [sh, -c, '{}']}}]}}}}",
                       row.name, row.policy, row.command));
  }
  Run(16s);  // once around: a second to start, three to end, ten of back-off
  for (const Row& row : kRows) {
    EXPECT_EQ(SeePod(std::string(row.name),
                     "[.status.phase, (.status.containerStatuses[0] | .state.terminated.exitCode, "
                     ".restartCount)]"),
              row.end)
        << row.name;
  }
}

TEST_F(KubeletStagesTest, AResizedPodReportsItsNewResources) {
  CreatePod("p");
  Run(5s);
  const auto patch =
      openapi::ParseYaml("spec: {containers: [{name: c, resources: {limits: {cpu: 500m}}}]}");
  Create(pods(),
         "{metadata: {name: q}, spec: {nodeName: node-0, containers: [{name: c, image: i, "
         "resources: {requests: {cpu: 100m}, limits: {cpu: 1}}}]}}");
  Run(5s);
  ASSERT_TRUE(cluster_->client()
                  .Patch(pods(), {"default", "q"}, "resize", PatchType::kStrategic, patch->root)
                  .has_value());
  Run(1s);
  EXPECT_EQ(SeePod("q",
                   "[.status.containerStatuses[0] | .resources.limits.cpu, "
                   ".allocatedResources.cpu, .restartCount]"),
            R"(["500m","100m",0])");
  EXPECT_EQ(SeePod("q", ".metadata.generation == .status.observedGeneration"), "true");
}

TEST_F(KubeletStagesTest, ADeletedPodEndsBeforeItGoes) {
  CreatePod("p", "", ", finalizers: [example.com/hold]");
  Run(5s);
  ASSERT_TRUE(cluster_->client().DeleteGracefully(pods(), {"default", "p"}).has_value());
  Run(999ms);
  EXPECT_EQ(SeePod("p", ".status.phase"), R"("Running")");
  Run(30s);
  EXPECT_EQ(SeePod("p",
                   "[.status.phase, .metadata.deletionGracePeriodSeconds, "
                   ".status.containerStatuses[0].state.terminated.exitCode]"),
            R"(["Succeeded",0,0])");
  const uint64_t plays = cluster_->kubelet()->Player("Pod")->counters().plays;
  Run(10min);
  EXPECT_LE(cluster_->kubelet()->Player("Pod")->counters().plays, plays + 1);
  Patch(pods(), {"default", "p"}, "", "metadata: {finalizers: null}");
  Run(1s);
  EXPECT_EQ(SeePod("p", "."), "gone");
}

}  // namespace
}  // namespace kulisse::simulator
