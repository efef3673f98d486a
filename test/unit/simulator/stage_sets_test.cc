// Goal: the shipped sets of stages live together: an object goes through all of its states, and
// what is switched on by a label ends with it. Method: a whole cluster in virtual time; an
// expression of jq says what is seen of an object.
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/json/write.h"
#include "base/virtual_runtime.h"
#include "openapi/yaml.h"
#include "simulator/cluster.h"
#include "simulator/jq/jq.h"
#include "test/unit/simulator/cluster_support.h"

namespace kulisse::simulator {

using namespace std::chrono_literals;

namespace {

class StageSetsTest : public SimulatedClusterTest {
 protected:
  void Start(std::vector<std::string> sets) {
    ClusterOptions cluster{.nodes = 1};
    cluster.simulator.stage_sets = std::move(sets);
    SimulatedClusterTest::Start(std::move(cluster));
  }

  // A pod on the node with a label "LABEL.stage.kwok.x-k8s.io: true" ("" for none).
  void CreatePod(const std::string& label, const std::string& spec = "",
                 const std::string& metadata = "") {
    std::string text = "metadata: {name: p" + metadata;
    if (!label.empty()) text += ", labels: {" + label + ".stage.kwok.x-k8s.io: \"true\"}";
    text += "}\nspec: {nodeName: node-0, containers: [{name: c, image: i}]" + spec + "}";
    Create(pods(), text);
  }
  void Change(const openapi::ResourceInfo& resource, const apiserver::ObjectName& name,
              std::string_view merge_patch) {
    Patch(resource, name, "", merge_patch);
  }
  std::string SeePod(std::string_view expression) {
    return See(pods(), {"default", "p"}, expression);
  }
};

constexpr std::string_view kWaits = ".status.containerStatuses[0].state.waiting.reason";
constexpr std::string_view kReady =
    "[.status.conditions[]? | select(.type == \"Ready\") | .status][0]";

TEST_F(StageSetsTest, GeneralTakesAPodThroughItsStates) {
  Start({"general"});
  CreatePod("", ", initContainers: [{name: one, image: i}]");
  std::set<std::string> seen;
  for (int second = 0; second < 30; ++second) {
    runtime_->RunFor(1s);
    seen.insert(
        SeePod("[.status.phase, (.status.initContainerStatuses[0].state // {} | keys[0])]"));
  }
  EXPECT_EQ(seen, (std::set<std::string>{R"(["Pending",null])", R"(["Pending","running"])",
                                         R"(["Pending","terminated"])", R"(["Pending","waiting"])",
                                         R"(["Running","terminated"])"}));
  ASSERT_TRUE(cluster_->client().DeleteGracefully(pods(), {"default", "p"}).has_value());
  runtime_->RunFor(31s);
  EXPECT_EQ(SeePod("."), "gone");
}

TEST_F(StageSetsTest, ImagesThatCannotBePulledAreTriedUntilTheLabelGoes) {
  Start({"fast", "containers"});
  CreatePod("pod-image-pull-error");
  std::set<std::string> seen;
  for (int second = 0; second < 60; ++second) {
    runtime_->RunFor(1s);
    seen.insert(SeePod(kWaits));
  }
  seen.erase("null");
  // What happens again is counted.
  EXPECT_EQ(store_->Count("events"), 2U);
  EXPECT_EQ(seen, (std::set<std::string>{R"("ErrImagePull")", R"("ImagePullBackOff")"}));
  Change(pods(), {"default", "p"},
         "metadata: {labels: {pod-image-pull-error.stage.kwok.x-k8s.io: null}}");
  runtime_->RunFor(1s);
  EXPECT_EQ(SeePod(".status.phase"), R"("Running")");
}

TEST_F(StageSetsTest, ContainersThatCrashAreRestartedWithBackOff) {
  Start({"fast", "containers"});
  CreatePod("pod-container-crash", "",
            ", annotations: {pod-container-crash.stage.kwok.x-k8s.io/times: \"3\", "
            "pod-container-crash.stage.kwok.x-k8s.io/exit-code: \"7\"}");
  runtime_->RunFor(12s);
  EXPECT_EQ(SeePod(kWaits), R"("CrashLoopBackOff")");
  EXPECT_EQ(SeePod(".status.containerStatuses[0].lastState.terminated.exitCode"), "7");
  runtime_->RunFor(20min);
  EXPECT_EQ(SeePod("[.status.containerStatuses[0] | .restartCount, .ready]"), "[3,true]");
}

TEST_F(StageSetsTest, AJobsPodFailsAndThenSucceeds) {
  Start({"fast", "containers"});
  CreatePod("pod-job-failure", ", restartPolicy: OnFailure",
            ", ownerReferences: [{apiVersion: batch/v1, kind: Job, name: j, uid: u}], annotations: "
            "{pod-job-failure.stage.kwok.x-k8s.io/times: \"2\"}");
  runtime_->RunFor(5min);
  EXPECT_EQ(SeePod(".status.phase"), R"("Succeeded")");
  EXPECT_EQ(store_->Count("events"), 1U);  // "Started container", counted
}

TEST_F(StageSetsTest, ReadinessFlaps) {
  Start({"fast", "containers"});
  CreatePod("pod-readiness-flapping");
  int changes = 0;
  std::string last = R"("True")";
  for (int minute = 0; minute < 60; ++minute) {
    for (int step = 0; step < 4; ++step) {
      runtime_->RunFor(15s);
      const std::string now = SeePod(kReady);
      changes += now != last;
      last = now;
    }
  }
  EXPECT_GE(changes, 40);  // every 30 to 60 s
  EXPECT_LE(changes, 120);
  EXPECT_EQ(SeePod(".status.phase"), R"("Running")");
}

TEST_F(StageSetsTest, AStartAndAnEndCanBeSlow) {
  Start({"fast", "containers"});
  CreatePod("pod-slow-start");
  runtime_->RunFor(9s);
  EXPECT_EQ(SeePod(".status.phase"), R"("Pending")");
  runtime_->RunFor(22s);
  EXPECT_EQ(SeePod(".status.phase"), R"("Running")");
  Change(pods(), {"default", "p"},
         "metadata: {labels: {pod-slow-termination.stage.kwok.x-k8s.io: \"true\"}}");
  ASSERT_TRUE(cluster_->client().DeleteGracefully(pods(), {"default", "p"}).has_value());
  runtime_->RunFor(28s);
  EXPECT_NE(SeePod("."), "gone");
  runtime_->RunFor(4s);
  EXPECT_EQ(SeePod("."), "gone");
}

TEST_F(StageSetsTest, InitContainersRunInOrderAndSidecarsGoOn) {
  Start({"fast", "containers"});
  CreatePod("pod-init-in-order",
            ", initContainers: [{name: one, image: i}, {name: side, image: i, restartPolicy: "
            "Always}, {name: two, image: i}]");
  std::vector<std::string> seen;
  for (int second = 0; second < 30; ++second) {
    runtime_->RunFor(500ms);
    const std::string now =
        SeePod("[.status.initContainerStatuses[]? | .state | keys[0][0:1]] | join(\"\")");
    if (seen.empty() || seen.back() != now) seen.push_back(now);
  }
  EXPECT_EQ(seen, (std::vector<std::string>{R"("")", R"("www")", R"("rww")", R"("tww")", R"("trw")",
                                            R"("trr")", R"("trt")"}));
  EXPECT_EQ(SeePod("[.status.phase, .status.containerStatuses[0].ready]"), R"(["Running",true])");
}

TEST_F(StageSetsTest, ANodeUnderPressureDrainedOrDeadComesBack) {
  Start({"fast", "nodes"});
  const auto label = [&](const std::string& name, const std::string& value) {
    Change(nodes(), {"", "node-0"},
           "metadata: {labels: {" + name + ".stage.kwok.x-k8s.io: " + value + "}}");
    runtime_->RunFor(10s);
  };
  constexpr std::string_view kDisk =
      "[.status.conditions[] | select(.type == \"DiskPressure\") | .status][0]";
  label("node-pressure", "DiskPressure");
  EXPECT_EQ(SeeNode(kDisk), R"("True")");
  label("node-pressure", "null");
  EXPECT_EQ(SeeNode(kDisk), R"("False")");
  label("node-drain", "\"true\"");
  EXPECT_EQ(SeeNode(".spec.unschedulable"), "true");
  label("node-drain", "null");
  EXPECT_EQ(SeeNode("[.spec.unschedulable, .spec.taints]"), "[null,null]");
  label("node-death", "\"true\"");
  EXPECT_EQ(SeeNode(kReady), R"("Unknown")");
  const uint64_t plays = cluster_->kubelet()->Player("Node")->counters().plays;
  runtime_->RunFor(10s);
  EXPECT_LE(cluster_->kubelet()->Player("Node")->counters().plays, plays + 1);  // it stays dead
  label("node-death", "null");
  EXPECT_EQ(SeeNode(kReady), R"("True")");
}

TEST_F(StageSetsTest, AClaimGetsAVolumeThatGoesWithIt) {
  Start({"fast", "volume"});
  Client& client = cluster_->client();
  const auto& claims = client.Resource("", "v1", "persistentvolumeclaims");
  const auto create = [&](const openapi::ResourceInfo& resource, std::string_view ns,
                          std::string_view text) {
    const auto created = client.Create(resource, ns, std::move(*openapi::ParseYaml(text)));
    ASSERT_TRUE(created.has_value()) << created.error().message;
  };
  create(client.Resource("storage.k8s.io", "v1", "storageclasses"), "",
         "{metadata: {name: kwok-volume}, provisioner: kwok.x-k8s.io/volume}");
  create(claims, "default",
         "{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], storageClassName: "
         "kwok-volume, resources: {requests: {storage: 1Gi}}}}");
  runtime_->RunFor(1s);
  EXPECT_EQ(See(claims, {"default", "data"}, "[.status.phase, .status.capacity.storage]"),
            R"(["Bound","1Gi"])");
  EXPECT_EQ(store_->Count("persistentvolumes"), 1U);
}

}  // namespace
}  // namespace kulisse::simulator
