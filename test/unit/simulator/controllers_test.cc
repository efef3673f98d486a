// Goal: what kube-controller-manager does in a real cluster and the process does itself: service
// accounts and root certificates of namespaces, taints of nodes by their conditions.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "base/json/write.h"
#include "base/virtual_runtime.h"
#include "openapi/yaml.h"
#include "simulator/cluster.h"
#include "test/unit/simulator/cluster_support.h"

namespace kulisse::simulator {

using namespace std::chrono_literals;

namespace {

using apiserver::ObjectName;

class ControllersTest : public VirtualClusterTest {
 protected:
  void Start(ClusterOptions options) {
    VirtualClusterTest::Start(std::move(options), 3);
    runtime_->RunFor(100ms);
  }

  const openapi::ResourceInfo& Resource(std::string_view resource) {
    return cluster_->client().Resource("", "v1", resource);
  }
  Result<apiserver::WriteResult> Create(std::string_view resource, std::string_view ns,
                                        std::string_view yaml) {
    auto object = openapi::ParseYaml(yaml);
    EXPECT_TRUE(object.has_value()) << object.error();
    return cluster_->client().Create(Resource(resource), ns, std::move(*object));
  }
  // JSON of the part at the path; "" when object or part are missing.
  std::string Show(std::string_view resource, const ObjectName& name,
                   std::initializer_list<std::string_view> path) {
    const auto record = cluster_->client().Get(Resource(resource), name);
    if (record == nullptr) return "";
    const json::Document object = apiserver::ResourceStore::Decode(*record);
    const json::Value* value = object.root.Find(path);
    return value == nullptr ? "" : json::ToString(*value);
  }
  bool Exists(std::string_view resource, const ObjectName& name) {
    return cluster_->client().Get(Resource(resource), name) != nullptr;
  }
};

TEST_F(ControllersTest, NamespacesHaveAServiceAccountAndTheRootCertificate) {
  Start({.root_ca = "PEM"});
  for (const char* ns : {"default", "kube-system", "kube-public"}) {
    EXPECT_TRUE(Exists("serviceaccounts", {ns, "default"})) << ns;
    EXPECT_EQ(Show("configmaps", {ns, "kube-root-ca.crt"}, {"data"}), R"({"ca.crt":"PEM"})") << ns;
  }
  ASSERT_TRUE(Create("namespaces", "", "metadata: {name: new}").has_value());
  runtime_->RunFor(1ms);
  EXPECT_TRUE(Exists("serviceaccounts", {"new", "default"}));
  EXPECT_TRUE(Exists("configmaps", {"new", "kube-root-ca.crt"}));
}

TEST_F(ControllersTest, WhatIsDeletedOrChangedComesBack) {
  Start({.root_ca = "PEM"});
  Client& client = cluster_->client();
  ASSERT_TRUE(client.Delete(Resource("serviceaccounts"), {"default", "default"}).has_value());
  ASSERT_TRUE(client.Delete(Resource("configmaps"), {"default", "kube-root-ca.crt"}).has_value());
  runtime_->RunFor(1ms);
  EXPECT_TRUE(Exists("serviceaccounts", {"default", "default"}));
  EXPECT_TRUE(Exists("configmaps", {"default", "kube-root-ca.crt"}));
  const auto broken = client.Update(Resource("configmaps"), {"default", "kube-root-ca.crt"}, "",
                                    [](json::Document& object) -> Result<void> {
                                      object.root.Remove("data");
                                      return {};
                                    });
  ASSERT_TRUE(broken.has_value());
  runtime_->RunFor(1ms);
  EXPECT_EQ(Show("configmaps", {"default", "kube-root-ca.crt"}, {"data"}), R"({"ca.crt":"PEM"})");
}

TEST_F(ControllersTest, PodsRunInANamespaceThatWasMadeJustBefore) {
  Start({.nodes = 1});
  ASSERT_TRUE(Create("namespaces", "", "metadata: {name: new}").has_value());
  const auto pod = Create("pods", "new",
                          "{metadata: {name: a}, spec: {nodeName: node-0, containers: [{name: c, "
                          "image: i}]}}");
  ASSERT_TRUE(pod.has_value()) << pod.error().message;
  runtime_->RunFor(1s);
  EXPECT_EQ(Show("pods", {"new", "a"}, {"status", "phase"}), "\"Running\"");
}

TEST_F(ControllersTest, ANamespaceThatGoesTakesItsAccountAlong) {
  Start({.root_ca = "PEM"});
  ASSERT_TRUE(Create("namespaces", "", "metadata: {name: new}").has_value());
  runtime_->RunFor(1ms);
  ASSERT_TRUE(cluster_->client().DeleteGracefully(Resource("namespaces"), {"", "new"}).has_value());
  runtime_->RunFor(1s);
  EXPECT_FALSE(Exists("namespaces", {"", "new"}));
  EXPECT_FALSE(Exists("serviceaccounts", {"new", "default"}));
  EXPECT_FALSE(Exists("configmaps", {"new", "kube-root-ca.crt"}));
}

TEST_F(ControllersTest, WithoutTheSimulatorNothingIsMade) {
  Start({.simulate = false, .root_ca = "PEM"});
  EXPECT_FALSE(Exists("serviceaccounts", {"default", "default"}));
  EXPECT_EQ(
      Create("pods", "default", "{metadata: {name: a}, spec: {containers: [{name: c, image: i}]}}")
          .error()
          .code,
      403);
}

TEST_F(ControllersTest, TaintsFollowConditions) {
  Start({.nodes = 1});
  runtime_->RunFor(1s);
  const ObjectName node{"", "node-0"};
  EXPECT_EQ(Show("nodes", node, {"spec", "taints"}), "");
  const auto set = [&](std::string_view subresource, const char* yaml) {
    const auto wanted = openapi::ParseYaml(yaml);
    const auto result = cluster_->client().Patch(Resource("nodes"), node, subresource,
                                                 PatchType::kStrategic, wanted->root);
    ASSERT_TRUE(result.has_value()) << result.error().message;
    runtime_->RunFor(1ms);
  };
  set("", "spec: {unschedulable: true}");
  EXPECT_TRUE(
      Show("nodes", node, {"spec", "taints"})
          .starts_with(R"([{"key":"node.kubernetes.io/unschedulable","effect":"NoSchedule",)"
                       R"("timeAdded":)"));
  set("", "spec: {unschedulable: null, taints: [{key: mine, effect: NoExecute}]}");
  EXPECT_EQ(Show("nodes", node, {"spec", "taints"}), R"([{"key":"mine","effect":"NoExecute"}])");
  set("status", "status: {conditions: [{type: DiskPressure, status: 'True'}]}");
  EXPECT_NE(Show("nodes", node, {"spec", "taints"}).find("disk-pressure"), std::string::npos);
}

TEST_F(ControllersTest, QuotasAreCountedAndGiveBackWhatIsDeleted) {
  Start({});
  constexpr std::string_view kMap = "metadata: {name: ";
  const ObjectName quota{"new", "q"};
  ASSERT_TRUE(Create("namespaces", "", "metadata: {name: new}").has_value());
  ASSERT_TRUE(Create("configmaps", "new", std::string(kMap) + "a}").has_value());
  ASSERT_TRUE(
      Create("resourcequotas", "new", "{metadata: {name: q}, spec: {hard: {configmaps: 2}}}")
          .has_value());
  runtime_->RunFor(1ms);
  EXPECT_EQ(Show("resourcequotas", quota, {"status", "used"}), R"({"configmaps":"1"})");
  ASSERT_TRUE(Create("configmaps", "new", std::string(kMap) + "b}").has_value());
  EXPECT_EQ(Show("resourcequotas", quota, {"status", "used"}), R"({"configmaps":"2"})");
  EXPECT_EQ(Create("configmaps", "new", std::string(kMap) + "c}").error().message,
            "configmaps \"c\" is forbidden: exceeded quota: q, requested: configmaps=1, used: "
            "configmaps=2, limited: configmaps=2");
  ASSERT_TRUE(cluster_->client().Delete(Resource("configmaps"), {"new", "a"}).has_value());
  runtime_->RunFor(10s);
  EXPECT_EQ(Show("resourcequotas", quota, {"status", "used"}), R"({"configmaps":"1"})");
  EXPECT_TRUE(Create("configmaps", "new", std::string(kMap) + "c}").has_value());
}

}  // namespace
}  // namespace kulisse::simulator
