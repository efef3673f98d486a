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

constexpr std::string_view kRefusal = "[.status.phase, .status.reason, .status.message]";

class PodRulesTest : public SimulatedClusterTest {
 protected:
  // node-0 has 1 CPU, 1Gi and room for three pods.
  void StartWithRules(const std::string& more = "") {
    ClusterOptions options;
    options.simulator.options.kubelet_rules = true;
    Start(std::move(options));
    Create(nodes(),
           "{metadata: {name: node-0, labels: {zone: a}}, status: {allocatable: {cpu: 1, "
           "memory: 1Gi, pods: 3}, capacity: {cpu: 1, memory: 1Gi, pods: 3}}" +
               more + "}");
    Run(1s);
  }
  void CreateAsking(const std::string& name, const std::string& resources) {
    Create(pods(), "{metadata: {name: " + name +
                       "}, spec: {nodeName: node-0, containers: [{name: c, image: i, resources: "
                       "{requests: " +
                       resources + "}}]}}");
    Run(1s);
  }
};

TEST_F(PodRulesTest, APodForWhichThereIsNoRoomIsRefusedInAKubeletsWords) {
  StartWithRules();
  CreateAsking("a", "{cpu: 600m, memory: 256Mi}");
  EXPECT_EQ(SeePod("a", ".status.phase"), R"("Running")");
  CreateAsking("b", "{cpu: 500m}");
  EXPECT_EQ(SeePod("b", kRefusal),
            R"(["Failed","OutOfcpu","Pod was rejected: Node didn't have enough resource: cpu, )"
            R"(requested: 500, used: 600, capacity: 1000"])");
  EXPECT_EQ(SeeEvents("b", "[.type, .reason, .message]"),
            R"(["Warning","OutOfcpu","Node didn't have enough resource: cpu, requested: 500, )"
            R"(used: 600, capacity: 1000"])");
  CreateAsking("c", "{memory: 1Gi}");
  EXPECT_EQ(SeePod("c", ".status.message"),
            R"("Pod was rejected: Node didn't have enough resource: memory, requested: )"
            R"(1073741824, used: 268435456, capacity: 1073741824")");
  // A node that grows, and pods that go, make room.
  Patch(nodes(), {"", "node-0"}, "status", "status: {allocatable: {cpu: 2}}");
  CreateAsking("d", "{cpu: 1400m}");
  EXPECT_EQ(SeePod("d", ".status.phase"), R"("Running")");
  ASSERT_TRUE(cluster_->client().Delete(pods(), {"default", "a"}).has_value());
  CreateAsking("e", "{cpu: 600m}");
  EXPECT_EQ(SeePod("e", ".status.phase"), R"("Running")");
  CreateAsking("f", "{}");
  CreateAsking("g", "{}");
  EXPECT_EQ(SeePod("g", ".status.message"),
            R"("Pod was rejected: Node didn't have enough resource: pods, requested: 1, used: 3, )"
            R"(capacity: 3")");
}

TEST_F(PodRulesTest, APodThatDoesNotSuitTheNodeIsRefused) {
  StartWithRules(
      ", spec: {taints: [{key: t, value: v, effect: NoExecute}, {key: s, effect: NoSchedule}]}");
  const std::string tolerates = ", tolerations: [{key: t, operator: Exists}]";
  const std::string affinity =
      ", affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "
      "{nodeSelectorTerms: [{matchExpressions: [{key: zone, operator: ";
  CreatePod("selector", tolerates + ", nodeSelector: {zone: b}");
  CreatePod("not-in", tolerates + affinity + "NotIn, values: [a]}]}]}}}");
  CreatePod("in", tolerates + affinity + "In, values: [b, a]}]}]}}}");
  CreatePod("tainted");
  CreatePod("windows", tolerates + ", os: {name: windows}");
  Run(1s);
  constexpr std::string_view kAffinity =
      R"(["Failed","NodeAffinity","Pod was rejected: Predicate NodeAffinity failed: node(s) )"
      R"(didn't match Pod's node affinity/selector"])";
  EXPECT_EQ(SeePod("selector", kRefusal), kAffinity);
  EXPECT_EQ(SeePod("not-in", kRefusal), kAffinity);
  EXPECT_EQ(SeePod("in", ".status.phase"), R"("Running")");
  EXPECT_EQ(SeePod("tainted", kRefusal),
            R"(["Failed","TaintToleration","Pod was rejected: Predicate TaintToleration failed: )"
            R"(node(s) had taints that the pod didn't tolerate"])");
  EXPECT_EQ(SeePod("windows", ".status.reason"), R"("PodOSNotSupported")");
}

TEST_F(PodRulesTest, AHostPortIsOnePodsAtATime) {
  StartWithRules();
  const auto create = [&](const std::string& name, const std::string& port) {
    Create(pods(), "{metadata: {name: " + name +
                       "}, spec: {nodeName: node-0, containers: [{name: c, image: i, ports: "
                       "[{containerPort: 80, " +
                       port + "}]}]}}");
    Run(1s);
  };
  create("a", "hostPort: 8080");
  create("udp", "hostPort: 8080, protocol: UDP");
  create("b", "hostPort: 8080, hostIP: 192.0.2.1");
  EXPECT_EQ(SeePod("udp", ".status.phase"), R"("Running")");
  EXPECT_EQ(SeePod("b", kRefusal),
            R"(["Failed","NodePorts","Pod was rejected: Predicate NodePorts failed: node(s) )"
            R"(didn't have free ports for the requested pod ports"])");
  ASSERT_TRUE(cluster_->client().Delete(pods(), {"default", "a"}).has_value());
  create("c", "hostPort: 8080");
  EXPECT_EQ(SeePod("c", ".status.phase"), R"("Running")");
}

TEST_F(PodRulesTest, WhatRunsCountsAfterARestartBeforeNewPodsAreTaken) {
  StartWithRules();
  CreateAsking("z", "{cpu: 600m}");
  cluster_.reset();
  ClusterOptions options;
  options.simulate = false;
  Restart(std::move(options));
  CreateAsking("a", "{cpu: 600m}");  // listed before z
  ClusterOptions with_rules;
  with_rules.simulator.options.kubelet_rules = true;
  Restart(std::move(with_rules));
  Run(1s);
  EXPECT_EQ(SeePod("a", ".status.reason"), R"("OutOfcpu")");
  EXPECT_EQ(SeePod("z", ".status.phase"), R"("Running")");
}

TEST_F(PodRulesTest, AnAnnotationTurnsTheRulesOfANodeOnAndOff) {
  Start({});
  Create(nodes(),
         "{metadata: {name: node-0}, status: {allocatable: {cpu: 1, pods: 9}, capacity: "
         "{cpu: 1, pods: 9}}}");
  CreateAsking("a", "{cpu: 900m}");
  CreateAsking("b", "{cpu: 900m}");
  EXPECT_EQ(SeePod("b", ".status.phase"), R"("Running")");
  Patch(nodes(), {"", "node-0"}, "",
        "metadata: {annotations: {kubelet-rules.kwok.x-k8s.io: 'true'}}");
  Run(1s);
  CreateAsking("c", "{cpu: 100m}");
  EXPECT_EQ(SeePod("c", ".status.message"),
            R"("Pod was rejected: Node didn't have enough resource: cpu, requested: 100, used: )"
            R"(1800, capacity: 1000")");
}

TEST_F(PodRulesTest, APodFailsAtItsDeadline) {
  StartWithRules();
  CreatePod("p", ", activeDeadlineSeconds: 30");
  Run(28s);
  EXPECT_EQ(SeePod("p", ".status.phase"), R"("Running")");
  Run(4s);
  EXPECT_EQ(SeePod("p", kRefusal),
            R"(["Failed","DeadlineExceeded",)"
            R"("Pod was active on the node longer than the specified deadline"])");
  EXPECT_EQ(SeePod("p",
                   "[.status.containerStatuses[0].state.terminated.exitCode, "
                   "(.status.conditions[] | select(.type == \"Ready\") | .status, .reason)]"),
            R"([137,"False","PodFailed"])");
}

TEST_F(PodRulesTest, ANodeUnderPressureEvictsByQosOneAfterTheOther) {
  StartWithRules();
  CreateAsking("burstable", "{cpu: 100m}");
  Create(pods(),
         "{metadata: {name: guaranteed}, spec: {nodeName: node-0, containers: [{name: c, "
         "image: i, resources: {limits: {cpu: 100m, memory: 1Mi}}}]}}");
  CreatePod("best-effort");
  Run(1s);
  const auto press = [&](std::string_view status) {
    const auto patch = openapi::ParseYaml(
        fmt::format("status: {{conditions: [{{type: MemoryPressure, status: '{}'}}]}}", status));
    ASSERT_TRUE(cluster_->client()
                    .Patch(nodes(), {"", "node-0"}, "status", PatchType::kStrategic, patch->root)
                    .has_value());
  };
  const auto phases = [&] {
    return SeePod("best-effort", ".status.phase[0:1]") + SeePod("burstable", ".status.phase[0:1]") +
           SeePod("guaranteed", ".status.phase[0:1]");
  };
  press("True");
  Run(1s);
  EXPECT_EQ(phases(), R"("F""R""R")");
  EXPECT_EQ(SeePod("best-effort", kRefusal),
            R"(["Failed","Evicted","The node was low on resource: memory. "])");
  EXPECT_EQ(SeePod("best-effort",
                   "[.status.conditions[] | select(.type == \"DisruptionTarget\") | .reason]"),
            R"(["TerminationByKubelet"])");
  CreatePod("late");
  Run(1s);
  EXPECT_EQ(SeePod("late", ".status.message"),
            R"("Pod was rejected: The node had condition: [MemoryPressure]. ")");
  Run(10s);
  EXPECT_EQ(phases(), R"("F""F""R")");
  press("False");
  Run(1min);
  EXPECT_EQ(phases(), R"("F""F""R")");
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
