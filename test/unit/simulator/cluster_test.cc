// Goal: a whole cluster in a test: nodes become Ready and keep their leases, pods run, complete and
// go, in virtual time.
#include "simulator/cluster.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>

#include "base/json/parse.h"
#include "base/json/write.h"
#include "base/virtual_runtime.h"
#include "openapi/yaml.h"
#include "test/unit/simulator/cluster_support.h"

namespace kulisse::simulator {

using namespace std::chrono_literals;

namespace {

using apiserver::ObjectName;
using storage::RecordPtr;

constexpr std::string_view kTwoStages = R"(
apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata: {name: slow}
spec:
  resourceRef: {kind: Pod}
  selector: {matchExpressions: [{key: .status.phase, operator: In, values: [Pending]}]}
  delay: {durationMilliseconds: 5000}
  next:
    event: {type: Normal, reason: Slow, message: it took a while}
    finalizers: {add: [{value: example.com/hold}]}
    statusTemplate: "phase: Running"
)";

class ClusterTest : public VirtualClusterTest {
 protected:
  const openapi::ResourceInfo& Resource(std::string_view group, std::string_view name) {
    return *cluster_->client().catalog().Find(group, "v1", name);
  }
  const openapi::ResourceInfo& Pods() { return Resource("", "pods"); }
  const openapi::ResourceInfo& Nodes() { return Resource("", "nodes"); }

  void CreatePod(const std::string& name, const std::string& node,
                 const std::string& metadata = "") {
    auto pod =
        openapi::ParseYaml("metadata: {name: " + name + metadata + "}\nspec: {nodeName: " + node +
                           ", containers: [{name: c, image: i}]}");
    ASSERT_TRUE(pod.has_value()) << pod.error();
    const auto created = cluster_->client().Create(Pods(), "default", std::move(*pod));
    ASSERT_TRUE(created.has_value()) << created.error().message;
  }
  void CreateNode(const std::string& name) {
    auto node = openapi::ParseYaml("metadata: {name: " + name + "}");
    const auto created = cluster_->client().Create(Nodes(), "", std::move(*node));
    ASSERT_TRUE(created.has_value()) << created.error().message;
  }

  // The string at the path in the object, "" when either is missing.
  std::string Text(const openapi::ResourceInfo& resource, const ObjectName& name,
                   std::initializer_list<std::string_view> path) {
    const RecordPtr record = cluster_->client().Get(resource, name);
    if (!record) return "";
    return std::string(apiserver::ResourceStore::Decode(*record).root.FindString(path));
  }
  std::string PodText(const std::string& name, std::initializer_list<std::string_view> path) {
    return Text(Pods(), {"default", name}, path);
  }
  std::string ReadyStatus(const std::string& node) {
    const RecordPtr record = cluster_->client().Get(Nodes(), {"", node});
    if (!record) return "gone";
    const json::Document object = apiserver::ResourceStore::Decode(*record);
    const json::Value* conditions = object.root.Find({"status", "conditions"});
    if (!conditions) return "none";
    for (const json::Value& condition : conditions->elements()) {
      if (condition.FindString({"type"}) == "Ready") {
        return std::string(condition.FindString({"status"}));
      }
    }
    return "none";
  }
};

TEST_F(ClusterTest, NodesBecomeReadyWithLeases) {
  Start({.nodes = 4});
  runtime_->RunFor(1s);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(ReadyStatus("node-" + std::to_string(i)), "True");
  const auto node =
      apiserver::ResourceStore::Decode(*cluster_->client().Get(Nodes(), {"", "node-1"}));
  EXPECT_EQ(node.root.FindString({"metadata", "labels", "type"}), "kwok");
  EXPECT_EQ(node.root.FindString({"metadata", "labels", "topology.kubernetes.io/zone"}), "zone-1");
  EXPECT_EQ(node.root.FindString({"status", "capacity", "cpu"}), "32");
  EXPECT_EQ(node.root.FindString({"spec", "podCIDR"}), "10.244.1.0/24");
  EXPECT_EQ(node.root.Find({"spec", "taints"}), nullptr);
  const auto& leases = Resource("coordination.k8s.io", "leases");
  const std::string first = Text(leases, {"kube-node-lease", "node-1"}, {"spec", "renewTime"});
  EXPECT_EQ(Text(leases, {"kube-node-lease", "node-1"}, {"spec", "holderIdentity"}), "node-1");
  runtime_->RunFor(12s);
  EXPECT_LT(first, Text(leases, {"kube-node-lease", "node-1"}, {"spec", "renewTime"}));
}

TEST_F(ClusterTest, LeasesAreRenewedEveryQuarterOfTheirDuration) {
  Start({.nodes = 20});
  runtime_->RunFor(20s);
  const uint64_t before = cluster_->kubelet()->leases()->renewals();
  runtime_->RunFor(100s);
  EXPECT_NEAR(static_cast<double>(cluster_->kubelet()->leases()->renewals() - before), 195, 20);
}

TEST_F(ClusterTest, NodesHaveHeartbeats) {
  Start({.nodes = 1});
  runtime_->RunFor(1s);
  const uint64_t before = cluster_->kubelet()->Player("Node")->counters().plays;
  runtime_->RunFor(std::chrono::minutes(21));
  EXPECT_EQ(cluster_->kubelet()->Player("Node")->counters().plays, before + 2);
  ClusterOptions without_leases{.nodes = 1};
  without_leases.simulator.options.node_lease_duration_seconds = 0;
  Start(std::move(without_leases));
  runtime_->RunFor(std::chrono::minutes(2));
  EXPECT_GE(cluster_->kubelet()->Player("Node")->counters().plays, 5);
}

TEST_F(ClusterTest, PodsOnANodeRunWithAddressesOfTheirOwn) {
  Start({.nodes = 2});
  runtime_->RunFor(1s);
  for (int i = 0; i < 30; ++i) CreatePod("p" + std::to_string(i), i % 2 ? "node-0" : "node-1");
  runtime_->RunFor(1s);
  std::set<std::string> ips;
  for (int i = 0; i < 30; ++i) {
    const std::string name = "p" + std::to_string(i);
    EXPECT_EQ(PodText(name, {"status", "phase"}), "Running");
    EXPECT_EQ(PodText(name, {"status", "hostIP"}), i % 2 ? "192.0.2.1" : "192.0.2.2");
    ips.insert(PodText(name, {"status", "podIP"}));
  }
  EXPECT_EQ(ips.size(), 30);
  EXPECT_TRUE(ips.contains("10.244.0.1"));
  EXPECT_EQ(cluster_->kubelet()->Player("Pod")->pending(), 0);
}

TEST_F(ClusterTest, PodsWaitForTheirNode) {
  Start({});
  runtime_->RunFor(1s);
  CreatePod("early", "late-node");
  CreatePod("unbound", "\"\"");
  runtime_->RunFor(1s);
  EXPECT_EQ(PodText("early", {"status", "phase"}), "Pending");
  CreateNode("late-node");
  runtime_->RunFor(1s);
  EXPECT_EQ(ReadyStatus("late-node"), "True");
  EXPECT_EQ(PodText("early", {"status", "phase"}), "Running");
  EXPECT_EQ(PodText("early", {"status", "podIP"}), "10.244.0.1");
  EXPECT_EQ(PodText("unbound", {"status", "phase"}), "Pending");
}

TEST_F(ClusterTest, PodsOfJobsComplete) {
  Start({.nodes = 1});
  runtime_->RunFor(1s);
  CreatePod("job", "node-0",
            ", ownerReferences: [{apiVersion: batch/v1, kind: Job, name: j, uid: u}]");
  runtime_->RunFor(1s);
  EXPECT_EQ(PodText("job", {"status", "phase"}), "Succeeded");
}

TEST_F(ClusterTest, DeletedPodsGoUnlessAFinalizerHoldsThem) {
  Start({.nodes = 1});
  runtime_->RunFor(1s);
  CreatePod("a", "node-0");
  CreatePod("b", "node-0", ", finalizers: [example.com/hold]");
  runtime_->RunFor(1s);
  const auto context = apiserver::RequestContext::Internal("test");
  for (const std::string name : {"a", "b"}) {
    const auto deleted = cluster_->api().resources().Delete(context, Pods(), {"default", name}, {});
    ASSERT_TRUE(deleted.has_value()) << deleted.error().message;
  }
  runtime_->RunFor(1s);
  EXPECT_EQ(cluster_->client().Get(Pods(), {"default", "a"}), nullptr);
  ASSERT_NE(cluster_->client().Get(Pods(), {"default", "b"}), nullptr);
  const auto released = cluster_->client().Update(
      Pods(), {"default", "b"}, "", [](json::Document& object) -> Result<void> {
        object.root.Find("metadata")->Remove("finalizers");
        return {};
      });
  EXPECT_TRUE(released.has_value());
  runtime_->RunFor(1s);
  EXPECT_EQ(cluster_->client().Get(Pods(), {"default", "b"}), nullptr);
}

// A renewal of another node that is seconds away does not hold it up.
TEST_F(ClusterTest, ANodeThatComesLaterHasItsLeaseAtOnce) {
  Start({.nodes = 1});
  runtime_->RunFor(1s);
  const auto& leases = Resource("coordination.k8s.io", "leases");
  for (const std::string name : {"late-0", "late-1", "late-2", "late-3"}) {
    json::Document node;
    node.root = json::Value::Object();
    node.root.SetDefaultObject("metadata", node.arena)
        .Set("name", json::Value::String(name, node.arena), node.arena);
    ASSERT_TRUE(cluster_->client().Create(Nodes(), "", std::move(node)).has_value());
    runtime_->RunFor(1s);
    EXPECT_NE(cluster_->client().Get(leases, {"kube-node-lease", name}), nullptr) << name;
  }
}

TEST_F(ClusterTest, ADeletedNodeTakesItsLeaseAlong) {
  Start({.nodes = 2});
  runtime_->RunFor(1s);
  ASSERT_TRUE(cluster_->client().Delete(Nodes(), {"", "node-0"}).has_value());
  runtime_->RunFor(1s);
  EXPECT_EQ(cluster_->kubelet()->nodes(), 1);
  EXPECT_EQ(cluster_->kubelet()->leases()->size(), 1);
  const auto& leases = Resource("coordination.k8s.io", "leases");
  EXPECT_EQ(cluster_->client().Get(leases, {"kube-node-lease", "node-0"}), nullptr);
  CreatePod("orphan", "node-0");
  runtime_->RunFor(1s);
  EXPECT_EQ(PodText("orphan", {"status", "phase"}), "Pending");
}

TEST_F(ClusterTest, ARestartGoesOnWhereItWas) {
  Start({.nodes = 2});
  runtime_->RunFor(1s);
  CreatePod("before", "node-0");
  runtime_->RunFor(1s);
  const std::string ip = PodText("before", {"status", "podIP"});
  Restart({.nodes = 3});
  CreatePod("after", "node-0");
  runtime_->RunFor(1s);
  EXPECT_EQ(ReadyStatus("node-2"), "True");
  EXPECT_EQ(PodText("before", {"status", "podIP"}), ip);
  EXPECT_EQ(PodText("after", {"status", "phase"}), "Running");
  EXPECT_NE(PodText("after", {"status", "podIP"}), ip);
}

TEST_F(ClusterTest, OwnStagesPlayWithTheirDelayEventAndFinalizer) {
  ClusterOptions options{.nodes = 1};
  ASSERT_TRUE(AddConfig("f", kTwoStages, &options.simulator).has_value());
  Start(std::move(options));
  runtime_->RunFor(1s);
  CreatePod("p", "node-0");
  runtime_->RunFor(4s);
  EXPECT_EQ(PodText("p", {"status", "phase"}), "Pending");
  EXPECT_EQ(cluster_->kubelet()->Player("Pod")->pending(), 1);
  runtime_->RunFor(2s);
  EXPECT_EQ(PodText("p", {"status", "phase"}), "Running");
  const auto pod =
      apiserver::ResourceStore::Decode(*cluster_->client().Get(Pods(), {"default", "p"}));
  EXPECT_EQ(json::ToString(*pod.root.Find({"metadata", "finalizers"})), "[\"example.com/hold\"]");
  EXPECT_EQ(store_->Count("events"), 1);
}

TEST_F(ClusterTest, AChangeRestartsTheDelay) {
  ClusterOptions options{.nodes = 1};
  ASSERT_TRUE(AddConfig("f", kTwoStages, &options.simulator).has_value());
  Start(std::move(options));
  runtime_->RunFor(1s);
  CreatePod("p", "node-0");
  runtime_->RunFor(4s);
  const auto touched = cluster_->client().Update(
      Pods(), {"default", "p"}, "", [](json::Document& object) -> Result<void> {
        object.root.Find("metadata")
            ->SetDefaultObject("labels", object.arena)
            .Set("a", json::Value::StringRef("b"), object.arena);
        return {};
      });
  ASSERT_TRUE(touched.has_value());
  runtime_->RunFor(4s);
  EXPECT_EQ(PodText("p", {"status", "phase"}), "Pending");
  runtime_->RunFor(2s);
  EXPECT_EQ(PodText("p", {"status", "phase"}), "Running");
}

TEST_F(ClusterTest, TheSameSeedGivesTheSameCluster) {
  const auto run = [&](uint64_t seed) {
    Start({.nodes = 5}, seed);
    runtime_->RunFor(1s);
    for (int i = 0; i < 10; ++i) CreatePod("p" + std::to_string(i), "node-1");
    runtime_->RunFor(std::chrono::minutes(30));
    std::string all;
    const auto snapshot = store_->Latest();
    for (const std::string resource : {"nodes", "pods", "leases.coordination.k8s.io"}) {
      const auto cursor = snapshot->Scan(resource, "", "");
      while (const RecordPtr record = cursor->Next()) {
        record->AppendObject("", record->revision(), &all);
      }
    }
    return all;
  };
  const std::string first = run(42);
  EXPECT_EQ(run(42), first);
  EXPECT_NE(run(43), first);
}

TEST_F(ClusterTest, AStageThatIsNoGoodDoesNotStopTheOthers) {
  ClusterOptions options{.nodes = 1};
  ASSERT_TRUE(AddConfig("f",
                        "{apiVersion: kwok.x-k8s.io/v1alpha1, kind: Stage, metadata: {name: s}, "
                        "spec: {resourceRef: {kind: Gizmo}}}\n---\n"
                        "{apiVersion: kwok.x-k8s.io/v1alpha1, kind: Stage, metadata: {name: t}, "
                        "spec: {resourceRef: {kind: Pod}, bogus: 1}}",
                        &options.simulator)
                  .has_value());
  Start(std::move(options));
  runtime_->RunFor(1s);
  EXPECT_EQ(ReadyStatus("node-0"), "True");
}

constexpr std::string_view kStageObject = R"({"metadata":{"name":"NAME"},"spec":{"resourceRef":
  {"kind":"KIND"},"selector":{},"steps":[{"patch":{"root":"metadata","template":
  "labels: {LABEL: \"1\"}"}}]}})";

std::string StageObject(std::string_view name, std::string_view kind, std::string_view label) {
  std::string text(kStageObject);
  text.replace(text.find("NAME"), 4, name);
  text.replace(text.find("KIND"), 4, kind);
  text.replace(text.find("LABEL"), 5, label);
  return text;
}

TEST_F(ClusterTest, StagesOfTheApiTakeEffectAtOnceOnWhatIsThere) {
  Start({.nodes = 1});
  runtime_->RunFor(1s);
  Client& client = cluster_->client();
  const auto& stages = client.Resource("kwok.x-k8s.io", "v1alpha1", "stages");
  const auto& maps = client.Resource("", "v1", "configmaps");
  const auto create = [&](const auto& resource, std::string_view ns, const std::string& text) {
    auto created = client.Create(resource, ns, std::move(*json::Parse(text)));
    ASSERT_TRUE(created.has_value()) << created.error().message;
  };
  const auto label_of = [&](std::string_view name) {
    const auto record = client.Get(maps, {"default", "there"});
    return std::string(
        apiserver::ResourceStore::Decode(*record).root.FindString({"metadata", "labels", name}));
  };
  create(maps, "default", R"({"metadata":{"name":"there"}})");
  create(stages, "", StageObject("label", "ConfigMap", "a"));
  runtime_->RunFor(1s);
  EXPECT_EQ(label_of("a"), "1");
  // A change counts as well.
  const auto changed =
      client.Update(stages, {"", "label"}, "", [](json::Document& object) -> Result<void> {
        const auto other = json::Parse(StageObject("label", "ConfigMap", "b"));
        object.root.Set("spec", other->root.Find("spec")->Clone(object.arena), object.arena);
        return {};
      });
  ASSERT_TRUE(changed.has_value()) << changed.error().message;
  runtime_->RunFor(1s);
  EXPECT_EQ(label_of("b"), "1");
  const auto condition = [&](const std::string& name) {
    const auto record = client.Get(stages, {"", name});
    const auto object = apiserver::ResourceStore::Decode(*record);
    const json::Value* conditions = object.root.Find({"status", "conditions"});
    if (!conditions || conditions->size() != 1) return std::string("none");
    const json::Value& first = conditions->elements()[0];
    return std::string(first.FindString({"status"})) + " " +
           std::string(first.FindString({"message"}));
  };
  EXPECT_EQ(condition("label"), "True generation 2 is applied");
  // One that is no good says so, and the others go on.
  create(stages, "", StageObject("bad", "Gizmo", "c"));
  runtime_->RunFor(1s);
  EXPECT_EQ(condition("bad"),
            "False Stage \"bad\": spec.resourceRef: objects of kind Gizmo are not kept as v1");
  // Without the stage nothing is done any more.
  ASSERT_TRUE(client.Delete(stages, {"", "label"}).has_value());
  runtime_->RunFor(1s);
  ASSERT_TRUE(client.Delete(maps, {"default", "there"}).has_value());
  create(maps, "default", R"({"metadata":{"name":"there"}})");
  runtime_->RunFor(1s);
  EXPECT_EQ(label_of("b"), "");
}

TEST_F(ClusterTest, AStageOfTheApiCountsInsteadOfTheShippedOneOfItsName) {
  Start({.nodes = 1});
  runtime_->RunFor(1s);
  Client& client = cluster_->client();
  const auto& stages = client.Resource("kwok.x-k8s.io", "v1alpha1", "stages");
  auto created = client.Create(
      stages, "",
      std::move(*json::Parse(
          R"({"metadata":{"name":"pod-ready"},"spec":{"resourceRef":{"kind":"Pod"}}})")));
  ASSERT_TRUE(created.has_value()) << created.error().message;
  runtime_->RunFor(1s);
  CreatePod("p", "node-0");
  runtime_->RunFor(5s);
  EXPECT_EQ(PodText("p", {"status", "phase"}), "Pending");
  ASSERT_TRUE(client.Delete(stages, {"", "pod-ready"}).has_value());
  runtime_->RunFor(1s);
  EXPECT_EQ(PodText("p", {"status", "phase"}), "Running");
}

constexpr std::string_view kApplyStage = R"yaml(
kind: Stage
metadata: {name: config}
spec:
  resourceRef: {kind: Service}
  selector:
    matchExpressions:
    - cel: {expression: "!has(self.metadata.labels)"}
  steps:
  - apply:
      template: |
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: made}
        data: {"from": {{ Quote .metadata.name }}}
  - patch: {root: metadata, template: 'labels: {done: "1"}', impersonation: {username: someone}}
)yaml";

TEST_F(ClusterTest, ApplyMakesObjectsAndChangesThem) {
  ClusterOptions options{.nodes = 1};
  ASSERT_TRUE(AddConfig("f", kApplyStage, &options.simulator).has_value());
  ASSERT_TRUE(options.simulator.problems.empty());
  Start(std::move(options));
  runtime_->RunFor(1s);
  Client& client = cluster_->client();
  const auto& services = client.Resource("", "v1", "services");
  const auto& maps = client.Resource("", "v1", "configmaps");
  for (const std::string name : {"one", "two"}) {
    auto created = client.Create(services, "default",
                                 std::move(*json::Parse(R"({"metadata":{"name":")" + name +
                                                        R"("},"spec":{"ports":[{"port":80}]}})")));
    ASSERT_TRUE(created.has_value()) << created.error().message;
    runtime_->RunFor(1s);
    const auto made = client.Get(maps, {"default", "made"});
    ASSERT_NE(made, nullptr);
    const auto object = apiserver::ResourceStore::Decode(*made);
    EXPECT_EQ(object.root.FindString({"data", "from"}), name);
  }
}

}  // namespace
}  // namespace kulisse::simulator
