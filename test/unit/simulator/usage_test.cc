// Goal: pods and nodes use what annotations and objects say, at every place where it can be asked,
// and counters add up in virtual time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <memory>
#include <sstream>
#include <string>

#include "base/json/parse.h"
#include "base/json/write.h"
#include "base/virtual_runtime.h"
#include "openapi/protobuf.h"
#include "openapi/yaml.h"
#include "simulator/cluster.h"
#include "simulator/limits.h"
#include "test/unit/simulator/cluster_support.h"

namespace kulisse::simulator {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

namespace {

constexpr std::string_view kKwok = "kwok.x-k8s.io";
constexpr std::string_view kPage = "/metrics/nodes/node-0/metrics/resource";

class UsageTest : public VirtualClusterTest {
 protected:
  void SetUp() override { Start(""); }

  // A cluster of two nodes, with the documents of `config` as its --config.
  void Start(std::string_view config) {
    ClusterOptions options;
    options.nodes = 2;
    ASSERT_TRUE(AddConfig("test.yaml", config, &options.simulator).has_value());
    ASSERT_THAT(options.simulator.problems, testing::IsEmpty());
    VirtualClusterTest::Start(std::move(options));
    runtime_->RunFor(1s);
  }

  void Create(std::string_view group, std::string_view version, std::string_view resource,
              std::string_view ns, std::string_view yaml) {
    auto object = openapi::ParseYaml(yaml);
    ASSERT_TRUE(object.has_value()) << object.error();
    Client& client = cluster_->client();
    const auto created =
        client.Create(client.Resource(group, version, resource), ns, std::move(*object));
    ASSERT_TRUE(created.has_value()) << created.error().message;
  }
  // A pod with the containers a and b, which runs by the time this returns.
  void CreatePod(const std::string& name, const std::string& metadata = "",
                 const std::string& node = "node-0") {
    Create("", "v1", "pods", "default",
           "metadata: {name: " + name + metadata + "}\nspec: {nodeName: " + node +
               ", containers: [{name: a, image: i}, {name: b, image: i}]}");
    runtime_->RunFor(1s);
  }
  void CreateUsage(std::string_view resource, std::string_view ns, const std::string& name,
                   const std::string& spec) {
    Create(kKwok, "v1alpha1", resource, ns, "metadata: {name: " + name + "}\nspec: " + spec);
    runtime_->RunFor(1s);
  }
  void Annotate(const std::string& pod, const std::string& key, const std::string& value) {
    Client& client = cluster_->client();
    const auto patch =
        json::Parse(R"({"metadata":{"annotations":{")" + key + R"(":")" + value + R"("}}})");
    const auto patched = client.Patch(client.Resource("", "v1", "pods"), {"default", pod}, "",
                                      PatchType::kMerge, patch->root);
    ASSERT_TRUE(patched.has_value()) << patched.error().message;
  }
  std::string Condition(std::string_view resource, const apiserver::ObjectName& name) {
    Client& client = cluster_->client();
    const auto record = client.Get(client.Resource(kKwok, "v1alpha1", resource), name);
    const auto object = apiserver::ResourceStore::Decode(*record);
    const json::Value* conditions = object.root.Find({"status", "conditions"});
    if (!conditions || conditions->size() != 1) return "none";
    const json::Value& first = conditions->elements()[0];
    return std::string(first.FindString({"status"})) + " " +
           std::string(first.FindString({"message"}));
  }

  // The body of GET; "CODE body" unless that is 200.
  std::string Get(const std::string& target, const std::string& accept = "application/json",
                  const std::string& method = "GET") {
    apiserver::HttpRequest request;
    request.method = method;
    request.target = target;
    request.headers = {{"Accept", accept}, {"Host", "kulisse:6443"}};
    request.unsecured = true;
    apiserver::HttpResponse response = cluster_->api().handler().Handle(std::move(request));
    std::string body = std::move(response.body);
    while (response.stream && response.stream->Read(&body) != apiserver::BodySource::State::kEnd) {
    }
    return response.status == 200 ? body : std::to_string(response.status) + " " + body;
  }
  json::Document GetJson(const std::string& target) {
    auto document = json::Parse(Get(target));
    EXPECT_TRUE(document.has_value()) << target;
    return document ? std::move(*document) : json::Document();
  }
  // "a 1m 1Mi, b 1m 1Mi": the containers of a pod.
  std::string PodUsage(const std::string& pod) {
    const auto metrics = GetJson("/apis/metrics.k8s.io/v1beta1/namespaces/default/pods/" + pod);
    std::string out;
    const json::Value* containers = metrics.root.Find("containers");
    if (!containers) return json::ToString(metrics.root);
    for (const json::Value& container : containers->elements()) {
      if (!out.empty()) out += ", ";
      out.append(container.FindString({"name"})).append(" ");
      out.append(container.FindString({"usage", "cpu"})).append(" ");
      out.append(container.FindString({"usage", "memory"}));
    }
    return out;
  }
  std::string NodeUsage(const std::string& node) {
    const auto metrics = GetJson("/apis/metrics.k8s.io/v1beta1/nodes/" + node);
    return std::string(metrics.root.FindString({"usage", "cpu"})) + " " +
           std::string(metrics.root.FindString({"usage", "memory"}));
  }
};

TEST_F(UsageTest, AnnotationsSayWhatPodsUseAndMayChange) {
  CreatePod("plain");
  CreatePod("busy", R"(, annotations: {kwok.x-k8s.io/usage-cpu: 250m,
                       kwok.x-k8s.io/usage-memory: 1.5Gi})");
  EXPECT_EQ(PodUsage("plain"), "a 1m 1Mi, b 1m 1Mi");
  EXPECT_EQ(PodUsage("busy"), "a 250m 1536Mi, b 250m 1536Mi");
  EXPECT_EQ(NodeUsage("node-0"), "502m 3074Mi");
  EXPECT_EQ(NodeUsage("node-1"), "0 0");
  Annotate("busy", "kwok.x-k8s.io/usage-cpu", "2");
  EXPECT_EQ(PodUsage("busy"), "a 2 1536Mi, b 2 1536Mi");
  // What is no quantity counts as nothing.
  Annotate("busy", "kwok.x-k8s.io/usage-cpu", "much");
  EXPECT_EQ(PodUsage("busy"), "a 0 1536Mi, b 0 1536Mi");
}

TEST_F(UsageTest, TheObjectOfAPodWinsOverThoseOfTheClusterAndThoseOverTheDefault) {
  CreatePod("one");
  CreatePod("two");
  CreateUsage("clusterresourceusages", "", "named",
              "{selector: {matchNames: [one, two]}, usages: [{containers: [a], usage: {cpu: "
              "{value: 100m}}}]}");
  // No entry for b: the next object is asked. No memory in the entry for a: that is 0.
  EXPECT_EQ(PodUsage("one"), "a 100m 0, b 1m 1Mi");
  CreateUsage("clusterresourceusages", "", "all",
              "{usages: [{usage: {cpu: {value: 2}}}, {containers: [b], usage: {memory: {value: "
              "64Mi}}}]}");
  EXPECT_EQ(PodUsage("one"), "a 2 0, b 0 64Mi");  // "all" comes before "named"
  CreateUsage("resourceusages", "default", "one",
              "{usages: [{containers: [a], usage: {cpu: {value: 7m}, memory: {expression: "
              "'pod.Usage(\"cpu\", \"a\") * 1000.0'}}}]}");
  EXPECT_EQ(PodUsage("one"), "a 7m 7, b 0 0");  // its word is final
  EXPECT_EQ(PodUsage("two"), "a 2 0, b 0 64Mi");
  Client& client = cluster_->client();
  const auto& usages = client.Resource(kKwok, "v1alpha1", "clusterresourceusages");
  ASSERT_TRUE(client.Delete(usages, {"", "all"}).has_value());
  runtime_->RunFor(1s);
  EXPECT_EQ(PodUsage("two"), "a 100m 0, b 1m 1Mi");
}

TEST_F(UsageTest, FilesSayTheSameAndTheApiReplacesThemByName) {
  Start(R"(
kind: ResourceUsage
metadata: {name: p, namespace: default}
spec: {usages: [{usage: {cpu: {value: 3}}}]}
---
kind: ClusterResourceUsage
metadata: {name: usage-from-annotation}
spec: {usages: [{usage: {cpu: {expression: "Quantity('5m') * 2"}}}]}
)");
  CreatePod("p");
  CreatePod("q");
  EXPECT_EQ(PodUsage("p"), "a 3 0, b 3 0");
  EXPECT_EQ(PodUsage("q"), "a 10m 0, b 10m 0");
  CreateUsage("resourceusages", "default", "p", "{usages: [{usage: {cpu: {value: 4}}}]}");
  EXPECT_EQ(PodUsage("p"), "a 4 0, b 4 0");
}

TEST_F(UsageTest, ABadObjectSaysSoAndTheOthersGoOn) {
  CreatePod("p");
  CreateUsage("clusterresourceusages", "", "bad",
              "{usages: [{usage: {cpu: {expression: 'pod.spec.color'}}}]}");
  EXPECT_THAT(Condition("clusterresourceusages", {"", "bad"}),
              HasSubstr("False ClusterResourceUsage \"bad\": spec.usages[0].usage.cpu.expression: "
                        "failed to compile expression: ERROR: :1:9: undefined field 'color'"));
  CreateUsage("clusterresourceusages", "", "good", "{usages: [{usage: {cpu: {value: 1}}}]}");
  EXPECT_EQ(Condition("clusterresourceusages", {"", "good"}), "True generation 1 is applied");
  EXPECT_EQ(PodUsage("p"), "a 1 0, b 1 0");
  CreateUsage("metrics", "", "bad", "{path: /other, metrics: []}");
  EXPECT_EQ(Condition("metrics", {"", "bad"}),
            "False Metric \"bad\": spec.path: must begin with /metrics");
  CreateUsage("metrics", "", "twice",
              "{path: /metrics/x, metrics: [{name: m, kind: gauge, value: '1'}, "
              "{name: m, kind: counter, value: '1'}]}");
  EXPECT_EQ(
      Condition("metrics", {"", "twice"}),
      "False Metric \"twice\": spec.metrics: all metrics that are called m must have the same "
      "kind, help and names of labels");
}

TEST_F(UsageTest, LoadChangesInTime) {
  CreateUsage("clusterresourceusages", "", "ramp",
              "{usages: [{usage: {cpu: {expression: 'pod.SinceSecond() < 60.0 ? 0.1 : 0.9'}}}]}");
  CreatePod("p");
  EXPECT_EQ(PodUsage("p"), "a 100m 0, b 100m 0");
  runtime_->RunFor(60s);
  EXPECT_EQ(PodUsage("p"), "a 900m 0, b 900m 0");
}

TEST_F(UsageTest, CountersAreUsageTimesTime) {
  CreatePod("p", ", annotations: {kwok.x-k8s.io/usage-cpu: 500m}");
  EXPECT_THAT(Get(std::string(kPage)), HasSubstr("\nnode_cpu_usage_seconds_total 0\n"));
  runtime_->RunFor(60s);
  std::string page = Get(std::string(kPage));
  EXPECT_THAT(page,
              HasSubstr("\npod_cpu_usage_seconds_total{namespace=\"default\",pod=\"p\"} 60\n"));
  EXPECT_THAT(page, HasSubstr("\nnode_cpu_usage_seconds_total 60\n"));
  EXPECT_EQ(page, Get(std::string(kPage)));  // no time has passed
  Annotate("p", "kwok.x-k8s.io/usage-cpu", "1");
  runtime_->RunFor(10s);
  page = Get(std::string(kPage));
  EXPECT_THAT(page, HasSubstr("container=\"b\",namespace=\"default\",pod=\"p\"} 40\n"));
  // A pod of the same name counts anew.
  Client& client = cluster_->client();
  ASSERT_TRUE(client.Delete(client.Resource("", "v1", "pods"), {"default", "p"}).has_value());
  runtime_->RunFor(1s);
  CreatePod("p");
  page = Get(std::string(kPage));
  EXPECT_THAT(page,
              HasSubstr("\npod_cpu_usage_seconds_total{namespace=\"default\",pod=\"p\"} 0\n"));
}

TEST_F(UsageTest, CountersGoOnAfterALongSilence) {
  CreatePod("p", ", annotations: {kwok.x-k8s.io/usage-cpu: 500m}");
  CreatePod("gone");
  (void)Get(std::string(kPage));
  Client& client = cluster_->client();
  const auto& pods = client.Resource("", "v1", "pods");
  ASSERT_TRUE(client.Delete(pods, {"default", "gone"}).has_value());
  const auto& maps = client.Resource("", "v1", "configmaps");
  Create("", "v1", "configmaps", "default", "metadata: {name: m}");
  for (uint64_t i = 0; i <= kUsageEventsMin; ++i) {
    const auto patch = json::Parse(R"({"data":{"i":")" + std::to_string(i) + R"("}})");
    ASSERT_TRUE(
        client.Patch(maps, {"default", "m"}, "", PatchType::kMerge, patch->root).has_value());
  }
  runtime_->RunFor(60s);
  const std::string page = Get(std::string(kPage));
  EXPECT_THAT(page,
              HasSubstr("\npod_cpu_usage_seconds_total{namespace=\"default\",pod=\"p\"} 60\n"));
  EXPECT_THAT(page, Not(HasSubstr("gone")));
}

TEST_F(UsageTest, APodThatDoesNotRunUsesNothing) {
  CreatePod("p", ", finalizers: [example.com/hold]", "nowhere");
  EXPECT_THAT(
      Get("/apis/metrics.k8s.io/v1beta1/namespaces/default/pods/p"),
      HasSubstr(R"(404 {"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",)"
                R"("message":"pods.metrics.k8s.io \"default/p\" not found")"));
  EXPECT_THAT(Get("/apis/metrics.k8s.io/v1beta1/namespaces/default/pods/q"),
              HasSubstr(R"("message":"pods \"q\" not found")"));
}

TEST_F(UsageTest, ListsSelectByNamespaceLabelsAndName) {
  CreatePod("p", ", labels: {app: web}");
  CreatePod("q", ", labels: {app: db}");
  const std::string all = "/apis/metrics.k8s.io/v1beta1/pods";
  const auto names = [&](const std::string& target) {
    std::string out;
    const auto list = GetJson(target);
    for (const json::Value& item : list.root.Find("items")->elements()) {
      out.append(item.FindString({"metadata", "name"})).append(" ");
    }
    return out;
  };
  EXPECT_EQ(names(all), "p q ");
  EXPECT_EQ(names(all + "?limit=1"), "p q ");
  EXPECT_EQ(names(all + "?labelSelector=app%3Dweb"), "p ");
  EXPECT_EQ(names("/apis/metrics.k8s.io/v1beta1/namespaces/other/pods"), "");
  EXPECT_EQ(names(all + "?fieldSelector=metadata.name%3Dq"), "q ");
  EXPECT_EQ(
      Get(all + "?labelSelector=app%3Dweb"),
      R"({"kind":"PodMetricsList","apiVersion":"metrics.k8s.io/v1beta1","metadata":{},)"
      R"("items":[{"metadata":{"name":"p","namespace":"default","creationTimestamp":")" +
          FormatTime(runtime_->Now()) +
          R"(","labels":{"app":"web","topology.kubernetes.io/zone":"zone-0"}},"timestamp":")" +
          FormatTime(runtime_->Now()) +
          R"(","window":"15s","containers":[{"name":"a","usage":{"cpu":"1m","memory":)"
          R"("1Mi"}},{"name":"b","usage":{"cpu":"1m","memory":"1Mi"}}]}]})"
          "\n");
}

TEST_F(UsageTest, AListInProtobufIsWholeThoughItsValuesAreRandom) {
  CreateUsage("clusterresourceusages", "", "random",
              "{usages: [{usage: {cpu: {expression: 'Rand() < 0.5 ? 1.0 : 1.234567891'}}}]}");
  constexpr size_t kPods = 20;
  for (size_t i = 0; i < kPods; ++i) CreatePod("p" + std::to_string(i));
  const std::string bytes =
      Get("/apis/metrics.k8s.io/v1beta1/pods", "application/vnd.kubernetes.protobuf");
  const auto envelope = openapi::DecodeEnvelope(bytes);
  ASSERT_TRUE(envelope.has_value()) << envelope.error();
  const openapi::TypeTable& types = openapi::TypeTable::BuiltIn();
  json::Arena arena;
  const auto list = openapi::DecodeMessage(
      envelope->raw, types.Find("io.k8s.metrics.pkg.apis.metrics.v1beta1.PodMetricsList"), types,
      arena);
  ASSERT_TRUE(list.has_value()) << list.error();
  EXPECT_EQ(list->Find("items")->size(), kPods);
}

TEST_F(UsageTest, TablesShowTheSumOfAPod) {
  CreatePod("p");
  const std::string table = "application/json;as=Table;v=v1;g=meta.k8s.io";
  const std::string pods = Get("/apis/metrics.k8s.io/v1beta1/pods", table);
  EXPECT_THAT(pods, HasSubstr(R"("cells":["p","2m","2Mi","15s"])"));
  EXPECT_THAT(pods, HasSubstr(R"({"name":"cpu","type":"string","format":"quantity")"));
  EXPECT_THAT(Get("/apis/metrics.k8s.io/v1beta1/nodes/node-0", table),
              HasSubstr(R"("cells":["node-0","2m","2Mi","15s"])"));
}

TEST_F(UsageTest, DiscoveryHasTheGroupOnlyWhereSomebodyKnowsTheLoad) {
  EXPECT_THAT(Get("/apis/metrics.k8s.io/v1beta1"),
              HasSubstr(R"({"name":"nodes","singularName":"","namespaced":false,"kind":)"
                        R"("NodeMetrics","verbs":["get","list"]})"));
  EXPECT_THAT(Get("/openapi/v3/apis/metrics.k8s.io/v1beta1"),
              HasSubstr(R"("io.k8s.metrics.pkg.apis.metrics.v1beta1.PodMetrics")"));
  ClusterOptions options;
  options.simulate = false;
  cluster_.reset();
  cluster_ = std::make_unique<Cluster>(std::move(options), *store_, *runtime_);
  ASSERT_TRUE(cluster_->Start().has_value());
  EXPECT_THAT(Get("/apis"), Not(HasSubstr("metrics.k8s.io")));
  EXPECT_THAT(Get("/apis/metrics.k8s.io/v1beta1/nodes"), HasSubstr("404"));
  EXPECT_THAT(Get(std::string(kPage)), HasSubstr("404"));
  EXPECT_THAT(Get("/api/v1/nodes/node-0/proxy/metrics/resource"), HasSubstr("501"));
}

TEST_F(UsageTest, AMetricObjectIsAPage) {
  CreatePod("p", ", annotations: {kwok.x-k8s.io/usage-cpu: 500m}");
  CreateUsage("metrics", "", "own", R"({path: "/metrics/nodes/{nodeName}/own", metrics: [
    {name: z_pods, help: "a \"help\"\nof two lines", kind: gauge, dimension: container,
     labels: [{name: pod, value: pod.metadata.name}, {name: container, value: container.name}],
     value: 'pod.Usage("cpu", container.name)'},
    {name: a_started, kind: counter, value: 'node.StartedContainersTotal()'},
    {name: broken, kind: gauge, dimension: pod, value: 'pod.metadata.labels["x"] == ""'},
    {name: h, kind: histogram, buckets: [
      {le: 0.5, value: '1'}, {le: 1, value: '2', hidden: true}, {le: 2.5, value: '3'}]}]})");
  EXPECT_EQ(Get("/metrics/nodes/node-0/own"), R"(# HELP a_started )"
                                              R"(
# TYPE a_started counter
a_started 2
# broken: no such key: x
# HELP h )"
                                              R"(
# TYPE h histogram
h_bucket{le="0.5"} 1
h_bucket{le="2.5"} 6
h_bucket{le="+Inf"} 6
h_sum 10
h_count 6
# HELP z_pods a "help"\nof two lines
# TYPE z_pods gauge
z_pods{container="a",pod="p"} 0.5
z_pods{container="b",pod="p"} 0.5
)");
  EXPECT_THAT(Get("/metrics/nodes/nowhere/own"), HasSubstr("404"));
  EXPECT_THAT(Get("/metrics/nodes/node-0/x/own"), HasSubstr("404"));
}

std::string ReadFile(const std::string& name) {
  std::ifstream file(KULISSE_SOURCE_DIR "/" + name);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

TEST_F(UsageTest, APageIsThatOfKwok) {
  Start(ReadFile("test/golden/usage/usage.yaml"));
  const auto objects = openapi::ParseYamlDocuments(ReadFile("test/golden/usage/objects.yaml"));
  ASSERT_TRUE(objects.has_value());
  Client& client = cluster_->client();
  for (const json::Document& object : *objects) {
    const bool node = object.root.FindString({"kind"}) == "Node";
    const auto created = client.Create(client.Resource("", "v1", node ? "nodes" : "pods"),
                                       node ? "" : "default", object.Clone());
    ASSERT_TRUE(created.has_value()) << created.error().message;
  }
  runtime_->RunFor(5s);
  std::istringstream page(Get("/metrics/nodes/n1/own"));
  std::string families;
  for (std::string line; std::getline(page, line);) {
    // Where KWOK leaves a family out, we say why.
    const bool reason =
        line.starts_with("# ") && !line.starts_with("# HELP ") && !line.starts_with("# TYPE ");
    if (!reason) families += line + "\n";
  }
  const std::string expected = ReadFile("test/golden/usage/page.txt");
  ASSERT_FALSE(expected.empty());
  EXPECT_EQ(families, expected);
}

TEST_F(UsageTest, KubeletsServeTheirPagesBehindTheProxy) {
  CreatePod("p");
  const std::string proxy = "/api/v1/nodes/node-0/proxy";
  EXPECT_EQ(Get(proxy + "/metrics/resource"), Get(std::string(kPage)));
  EXPECT_EQ(Get(proxy + std::string(kPage)), Get(std::string(kPage)));
  EXPECT_EQ(Get(proxy + "/healthz"), "ok");
  EXPECT_EQ(Get("/api/v1/nodes/node-0:10250/proxy/healthz"), "ok");
  EXPECT_EQ(Get("/api/v1/nodes/https:node-0:10250/proxy/healthz"), "ok");
  EXPECT_THAT(Get(proxy + "/stats/summary"), HasSubstr(R"("usageNanoCores":2000000)"));
  EXPECT_TRUE(json::Parse(Get(proxy + "/stats/summary")).has_value());
  EXPECT_THAT(Get(proxy + "/pods"), HasSubstr("with GET, and not GET /pods\""));
  EXPECT_THAT(Get(proxy + "/metrics/resource", "*/*", "POST"), HasSubstr("404"));
  EXPECT_THAT(Get("/api/v1/nodes/nowhere/proxy/healthz"), HasSubstr("404"));
}

TEST_F(UsageTest, PrometheusFindsEveryPageOfEveryNode) {
  const auto targets = GetJson("/discovery/prometheus");
  ASSERT_EQ(targets.root.size(), 2u);
  EXPECT_EQ(json::ToString(targets.root.elements()[1]),
            R"({"targets":["kulisse:6443"],"labels":{"__metrics_path__":)"
            R"("/metrics/nodes/node-1/metrics/resource","__scheme__":"http",)"
            R"("metrics_name":"metrics-resource"}})");
}

TEST_F(UsageTest, TheExampleOfTheGuideIsApplied) {
  const std::string guide = ReadFile("docs/usage.md");
  constexpr std::string_view kFence = "```yaml\n";
  const size_t start = guide.find(kFence);
  ASSERT_NE(start, guide.npos);
  const size_t at = start + kFence.size();
  Create(kKwok, "v1alpha1", "clusterresourceusages", "",
         guide.substr(at, guide.find("```", at) - at));
  runtime_->RunFor(1s);
  EXPECT_EQ(Condition("clusterresourceusages", {"", "rush-hour"}), "True generation 1 is applied");
}

TEST_F(UsageTest, ExpressionsThatAskForThemselvesEnd) {
  CreateUsage("clusterresourceusages", "", "loop",
              "{usages: [{usage: {cpu: {expression: 'pod.Usage(\"cpu\") + pod.Usage(\"cpu\")'}, "
              "memory: {expression: 'node.Usage(\"memory\") + 1.0'}}}]}");
  CreatePod("p");
  EXPECT_THAT(PodUsage("p"), HasSubstr("a 0 "));
}

TEST_F(UsageTest, StagesMayAskForUsage) {
  Create(kKwok, "v1alpha1", "stages", "", R"(
metadata: {name: out-of-memory}
spec:
  resourceRef: {kind: Pod}
  selector: {matchExpressions: [{cel: {expression: 'self.Usage("memory") > 2e9'}}]}
  next: {statusTemplate: "phase: Failed\nreason: OOMKilled"}
)");
  CreatePod("p");
  CreatePod("q");
  Annotate("q", "kwok.x-k8s.io/usage-memory", "1.5G");
  runtime_->RunFor(1s);
  EXPECT_EQ(PodUsage("p"), "a 1m 1Mi, b 1m 1Mi");
  const auto pod = GetJson("/api/v1/namespaces/default/pods/q");
  EXPECT_EQ(pod.root.FindString({"status", "reason"}), "OOMKilled");
}

}  // namespace

}  // namespace kulisse::simulator
