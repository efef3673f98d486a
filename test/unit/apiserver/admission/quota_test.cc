// Goal: limit ranges fill in and bound what pods and claims ask for; quotas are charged with each
// write, never exceeded, and given back what a failed write took.
// Method: tables; the messages were recorded from a real server (test/golden/api/admission).
#include <thread>

#include "apiserver/admission/quota_usage.h"
#include "test/unit/apiserver/admission/admission_support.h"

namespace kulisse::apiserver {
namespace {

std::string Forbidden(std::string_view name, std::string_view cause) {
  return "403 pods \"" + std::string(name) + "\" is forbidden: " + std::string(cause);
}

class LimitsTest : public AdmissionTest {
 protected:
  LimitsTest() { Given("v1/serviceaccounts", "metadata: {name: default}"); }

  Result<WriteResult> CreatePod(std::string_view name, std::string_view resources) {
    return Create("v1/pods", "{metadata: {name: " + std::string(name) +
                                 "}, spec: {containers: [{name: c, image: i, resources: " +
                                 std::string(resources) + "}]}}");
  }
  // A quota as a controller has counted it.
  void GivenQuota(std::string_view name, std::string_view hard, std::string_view used,
                  std::string_view more = "") {
    const std::string head = "{metadata: {name: " + std::string(name) +
                             "}, spec: {hard: " + std::string(hard) + std::string(more) + "}";
    Given("v1/resourcequotas", head + "}");
    const auto counted = Replace(
        "v1/resourcequotas",
        head + ", status: {hard: " + std::string(hard) + ", used: " + std::string(used) + "}}",
        "status");
    EXPECT_EQ(Outcome(counted), "ok");
  }
  std::string Used(const std::string& quota) {
    const auto record = store_->Get({"resourcequotas", "default", quota});
    return json::ToString(*DecodeObject(*record).root.Find({"status", "used"}));
  }
};

TEST_F(LimitsTest, LimitRangesFillInWhatContainersLeaveOut) {
  Given("v1/limitranges",
        "{metadata: {name: l}, spec: {limits: [{type: Container, default: {cpu: 500m, memory: "
        "1Gi}, defaultRequest: {cpu: 100m}}]}}");
  const auto pod = CreatePod("a", "{limits: {memory: 2Gi}}");
  ASSERT_TRUE(pod.has_value()) << pod.error().message;
  const json::Document object = DecodeObject(*pod->record);
  EXPECT_EQ(
      json::ToString(*object.root.Find({"spec", "containers"})->elements()[0].Find("resources")),
      R"({"limits":{"cpu":"500m","memory":"2Gi"},"requests":{"cpu":"100m","memory":"2Gi"}})");
  EXPECT_EQ(object.root.FindString({"metadata", "annotations", "kubernetes.io/limit-ranger"}),
            "LimitRanger plugin set: cpu request for container c; cpu limit for container c");
}

TEST_F(LimitsTest, LimitRangesBoundContainers) {
  Given("v1/limitranges",
        "{metadata: {name: l}, spec: {limits: [{type: Container, min: {cpu: 50m}, max: {cpu: '1'}, "
        "maxLimitRequestRatio: {cpu: '4'}}]}}");
  struct Row {
    std::string_view name, resources, want;
  };
  constexpr Row kRows[] = {
      {"ok", "{requests: {cpu: 500m}, limits: {cpu: '1'}}", ""},
      {"defaults", "{}", ""},
      {"little", "{requests: {cpu: 10m}, limits: {cpu: 40m}}",
       "minimum cpu usage per Container is 50m, but request is 10m"},
      {"much", "{requests: {cpu: '2'}, limits: {cpu: '2'}}",
       "maximum cpu usage per Container is 1, but limit is 2"},
      {"ratio", "{requests: {cpu: 100m}, limits: {cpu: '1'}}",
       "cpu max limit to request ratio per Container is 4, but provided ratio is 10.000000"},
      {"two", "{requests: {cpu: 10m}, limits: {cpu: '2'}}",
       "[minimum cpu usage per Container is 50m, but request is 10m, maximum cpu usage per "
       "Container is 1, but limit is 2, cpu max limit to request ratio per Container is 4, but "
       "provided ratio is 200.000000]"},
  };
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(Outcome(CreatePod(row.name, row.resources)),
              row.want.empty() ? "ok" : Forbidden(row.name, row.want));
  }
}

TEST_F(LimitsTest, QuotasAreChargedWithTheWrite) {
  GivenQuota("q", "{pods: '2', requests.cpu: '1'}", "{pods: '0', requests.cpu: '0'}");
  EXPECT_EQ(Outcome(CreatePod("a", "{requests: {cpu: 600m}}")), "ok");
  EXPECT_EQ(Used("q"), R"({"pods":"1","requests.cpu":"600m"})");
  EXPECT_EQ(Outcome(CreatePod("b", "{requests: {cpu: 600m}}")),
            Forbidden("b",
                      "exceeded quota: q, requested: requests.cpu=600m, used: "
                      "requests.cpu=600m, limited: requests.cpu=1"));
  EXPECT_EQ(Outcome(CreatePod("b", "{}")),
            Forbidden("b", "failed quota: q: must specify requests.cpu for: c"));
  EXPECT_EQ(Used("q"), R"({"pods":"1","requests.cpu":"600m"})");
}

TEST_F(LimitsTest, AFailedWriteGivesBackWhatItTook) {
  GivenQuota("q", "{configmaps: '5'}", "{configmaps: '0'}");
  Given("v1/configmaps", "metadata: {name: a}");
  EXPECT_EQ(Create("v1/configmaps", "metadata: {name: a}").error().code, 409);
  EXPECT_EQ(Used("q"), R"({"configmaps":"1"})");
  context_.dry_run = true;
  Given("v1/configmaps", "metadata: {name: b}");
  EXPECT_EQ(Used("q"), R"({"configmaps":"1"})");
}

TEST_F(LimitsTest, OfTwoQuotasTheFirstIsGivenBackWhenTheSecondRefuses) {
  GivenQuota("a", "{configmaps: '5'}", "{configmaps: '0'}");
  GivenQuota("b", "{count/configmaps: '0'}", "{count/configmaps: '0'}");
  EXPECT_EQ(Create("v1/configmaps", "metadata: {name: a}").error().code, 403);
  EXPECT_EQ(Used("a"), R"({"configmaps":"0"})");
}

TEST_F(LimitsTest, AQuotaThatNobodyCountedAdmitsNothing) {
  Given("v1/resourcequotas", "{metadata: {name: q}, spec: {hard: {configmaps: '5'}}}");
  EXPECT_EQ(Outcome(Replace("v1/resourcequotas",
                            "{metadata: {name: q}, spec: {hard: {configmaps: '5'}}, status: {hard: "
                            "{configmaps: '5'}}}",
                            "status")),
            "ok");
  EXPECT_EQ(Outcome(Create("v1/configmaps", "metadata: {name: a}")),
            "403 configmaps \"a\" is forbidden: status unknown for quota: q, resources: "
            "configmaps");
}

// Goal: however many write at once, no more get in than the quota allows.
TEST_F(LimitsTest, RacingWritersNeverExceedAQuota) {
  constexpr int kWriters = 4;
  constexpr int kEach = 20;
  GivenQuota("q", "{configmaps: '25'}", "{configmaps: '0'}");
  std::atomic<int> created = 0;
  std::vector<std::thread> writers;
  for (int writer = 0; writer < kWriters; ++writer) {
    writers.emplace_back([this, writer, &created] {
      const RequestContext context = RequestContext::Internal("racer");
      const openapi::ResourceInfo& maps = Resource("v1/configmaps");
      for (int i = 0; i < kEach; ++i) {
        const std::string name = "m-" + std::to_string(writer) + "-" + std::to_string(i);
        const auto result = resources_->Create(context, maps, "default",
                                               Parse(maps, "metadata: {name: " + name + "}"));
        if (result) ++created;
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_LE(created, 25);
  EXPECT_EQ(Used("q"), "{\"configmaps\":\"" + std::to_string(created) + "\"}");
}

TEST_F(LimitsTest, ScopesChooseWhatCounts) {
  GivenQuota("best", "{pods: '0'}", "{pods: '0'}", ", scopes: [BestEffort]");
  GivenQuota("high", "{pods: '0'}", "{pods: '0'}",
             ", scopeSelector: {matchExpressions: [{scopeName: PriorityClass, operator: In, "
             "values: [system-node-critical]}]}");
  EXPECT_EQ(CreatePod("a", "{}").error().code, 403);
  EXPECT_EQ(Outcome(CreatePod("b", "{requests: {cpu: 1m}}")), "ok");
  const auto high = Create("v1/pods",
                           "{metadata: {name: c}, spec: {priorityClassName: system-node-critical, "
                           "containers: [{name: c, image: i, resources: {requests: {cpu: 1m}}}]}}");
  EXPECT_EQ(high.error().code, 403);
}

TEST_F(LimitsTest, UsageOfKinds) {
  struct Row {
    std::string_view path, yaml, want;
  };
  constexpr Row kRows[] = {
      {"v1/secrets", "metadata: {name: a}", "count/secrets=1 secrets=1"},
      {"apps/v1/deployments", "metadata: {name: a}", "count/deployments.apps=1"},
      {"v1/services", "{metadata: {name: a}, spec: {type: LoadBalancer, ports: [{port: 1}]}}",
       "count/services=1 services=1 services.loadbalancers=1 services.nodeports=1"},
      {"v1/persistentvolumeclaims",
       "{metadata: {name: a}, spec: {storageClassName: fast, resources: {requests: {storage: "
       "2Gi}}}}",
       "count/persistentvolumeclaims=1 "
       "fast.storageclass.storage.k8s.io/persistentvolumeclaims=1 "
       "fast.storageclass.storage.k8s.io/requests.storage=2Gi persistentvolumeclaims=1 "
       "requests.storage=2Gi"},
      {"v1/pods",
       "{metadata: {name: a}, spec: {overhead: {cpu: 1m}, initContainers: [{name: s, image: i, "
       "restartPolicy: Always, resources: {requests: {cpu: 10m}}}, {name: i, image: i, resources: "
       "{requests: {cpu: 100m}}}], containers: [{name: c, image: i, resources: {requests: {cpu: "
       "20m, example.com/gpu: 1}, limits: {memory: 1Mi, example.com/gpu: 1}}}]}}",
       "count/pods=1 cpu=111m limits.memory=1Mi pods=1 requests.cpu=111m "
       "requests.example.com/gpu=1"},
      {"v1/pods", "{metadata: {name: a}, spec: {}, status: {phase: Succeeded}}", "count/pods=1"},
  };
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.yaml);
    const openapi::ResourceInfo& resource = Resource(row.path);
    std::string got;
    for (const auto& [name, amount] :
         UsageOf(resource, Parse(resource, row.yaml).root, runtime_.Now())) {
      got += (got.empty() ? "" : " ") + name + "=" + amount.ToString();
      EXPECT_TRUE(QuotaTracks(resource, name)) << name;
    }
    EXPECT_EQ(got, row.want);
  }
}

}  // namespace
}  // namespace kulisse::apiserver
