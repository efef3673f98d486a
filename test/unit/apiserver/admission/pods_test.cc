// Goal: what the plugins do to pods and nodes when they are created.
// Method: tables of YAML; the messages are those of kube-apiserver (test/golden/api/admission has
// them recorded).
#include "test/unit/apiserver/admission/admission_support.h"

namespace kulisse::apiserver {
namespace {

// A pod with one container and what `spec` adds.
std::string Pod(std::string_view name, std::string_view spec = "", std::string_view metadata = "") {
  return "{metadata: {name: " + std::string(name) + std::string(metadata) +
         "}, spec: {containers: [{name: c, image: i}]" + std::string(spec) + "}}";
}

// --- ServiceAccount

class ServiceAccountTest : public AdmissionTest {};

TEST_F(ServiceAccountTest, RefusesPodsWithoutAnAccount) {
  EXPECT_EQ(Outcome(Create("v1/pods", Pod("a"))),
            "403 pods \"a\" is forbidden: error looking up service account default/default: "
            "serviceaccount \"default\" not found");
  Given("v1/serviceaccounts", "metadata: {name: default}");
  EXPECT_EQ(Outcome(Create("v1/pods", Pod("a"))), "ok");
  EXPECT_EQ(Outcome(Create("v1/pods", Pod("b", ", serviceAccountName: robot"))),
            "403 pods \"b\" is forbidden: error looking up service account default/robot: "
            "serviceaccount \"robot\" not found");
}

TEST_F(ServiceAccountTest, MountsATokenIntoEveryContainer) {
  Given("v1/serviceaccounts", "{metadata: {name: default}, imagePullSecrets: [{name: pull}]}");
  const auto pod = Create("v1/pods", R"({metadata: {name: a}, spec: {
      initContainers: [{name: i, image: i}],
      containers: [{name: c, image: i, volumeMounts: [{name: v, mountPath: /v}]}, {name: d, image: i,
        volumeMounts: [{name: v, mountPath: /var/run/secrets/kubernetes.io/serviceaccount}]}],
      volumes: [{name: v, emptyDir: {}}]}})");
  ASSERT_TRUE(pod.has_value()) << pod.error().message;
  const json::Document object = DecodeObject(*pod->record);
  const json::Value& spec = *object.root.Find("spec");
  EXPECT_EQ(spec.FindString({"serviceAccountName"}), "default");
  EXPECT_EQ(spec.FindString({"serviceAccount"}), "default");
  EXPECT_EQ(json::ToString(*spec.Find("imagePullSecrets")), R"([{"name":"pull"}])");
  ASSERT_EQ(spec.Find("volumes")->size(), 2u);
  const json::Value& volume = spec.Find("volumes")->elements()[1];
  const std::string name(volume.FindString({"name"}));
  EXPECT_TRUE(name.starts_with("kube-api-access-")) << name;
  EXPECT_EQ(name.size(), std::string_view("kube-api-access-xxxxx").size());
  EXPECT_EQ(
      json::ToString(*volume.Find("projected")),
      R"({"sources":[{"serviceAccountToken":{"expirationSeconds":3607,"path":"token"}},)"
      R"({"configMap":{"name":"kube-root-ca.crt","items":[{"key":"ca.crt","path":"ca.crt"}]}},)"
      R"({"downwardAPI":{"items":[{"path":"namespace","fieldRef":{"apiVersion":"v1",)"
      R"("fieldPath":"metadata.namespace"}}]}}],"defaultMode":420})");
  const std::string mount = R"({"name":")" + name +
                            R"(","readOnly":true,"mountPath":)"
                            R"("/var/run/secrets/kubernetes.io/serviceaccount"})";
  EXPECT_EQ(json::ToString(*spec.Find("initContainers")->elements()[0].Find("volumeMounts")),
            "[" + mount + "]");
  EXPECT_EQ(json::ToString(*spec.Find("containers")->elements()[0].Find("volumeMounts")),
            R"([{"name":"v","mountPath":"/v"},)" + mount + "]");
  EXPECT_EQ(spec.Find("containers")->elements()[1].Find("volumeMounts")->size(), 1u);
}

TEST_F(ServiceAccountTest, MountsNothingWhenPodOrAccountSaySo) {
  Given("v1/serviceaccounts", "metadata: {name: default}");
  Given("v1/serviceaccounts", "{metadata: {name: quiet}, automountServiceAccountToken: false}");
  EXPECT_EQ(Show(Create("v1/pods", Pod("a", ", automountServiceAccountToken: false")),
                 {"spec", "volumes"}),
            "-");
  EXPECT_EQ(Show(Create("v1/pods", Pod("b", ", serviceAccountName: quiet")), {"spec", "volumes"}),
            "-");
  EXPECT_NE(Show(Create("v1/pods", Pod("c",
                                       ", serviceAccountName: quiet, "
                                       "automountServiceAccountToken: true")),
                 {"spec", "volumes"}),
            "-");
}

TEST_F(ServiceAccountTest, KeepsMirrorPodsFromAccountsAndSecrets) {
  constexpr std::string_view kMirror = ", annotations: {kubernetes.io/config.mirror: x}";
  struct Row {
    std::string_view name, spec, want;
  };
  constexpr Row kRows[] = {
      {"plain", "", "ok"},
      {"account", ", serviceAccountName: default",
       "a mirror pod may not reference service accounts"},
      {"pull", ", imagePullSecrets: [{name: p}]", "a mirror pod may not reference secrets"},
      {"volume", ", volumes: [{name: v, secret: {secretName: s}}]",
       "a mirror pod may not reference secrets"},
      {"csi", ", volumes: [{name: v, csi: {driver: d, nodePublishSecretRef: {name: s}}}]",
       "a mirror pod may not reference secrets"},
      {"token", ", volumes: [{name: v, projected: {sources: [{serviceAccountToken: {path: p}}]}}]",
       "a mirror pod may not use ServiceAccountToken volume projections"},
      {"map", ", volumes: [{name: v, configMap: {name: m}}]", "ok"},
  };
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.name);
    const std::string want = row.want == "ok" ? "ok"
                                              : "403 pods \"" + std::string(row.name) +
                                                    "\" is forbidden: " + std::string(row.want);
    EXPECT_EQ(Outcome(Create("v1/pods",
                             Pod(row.name, std::string(row.spec) + ", nodeName: n1", kMirror))),
              want);
  }
}

TEST_F(ServiceAccountTest, EnforcesMountableSecrets) {
  Given("v1/serviceaccounts", R"({metadata: {name: strict, annotations:
      {kubernetes.io/enforce-mountable-secrets: "true"}}, secrets: [{name: good}],
      imagePullSecrets: [{name: pull}]})");
  struct Row {
    std::string_view name, spec, want;
  };
  constexpr Row kRows[] = {
      {"good", ", volumes: [{name: v, secret: {secretName: good}}]", "ok"},
      {"volume", ", volumes: [{name: v, secret: {secretName: bad}}]",
       "volume with secret.secretName=\"bad\" is not allowed because service account strict does "
       "not reference that secret"},
      {"env",
       ", initContainers: [{name: i, image: i, env: [{name: E, valueFrom: {secretKeyRef: {name: "
       "bad, key: k}}}]}]",
       "init container i with envVar E referencing secret.secretName=\"bad\" is not allowed "
       "because "
       "service account strict does not reference that secret"},
      {"pull", ", imagePullSecrets: [{name: pull}, {name: bad}]",
       "imagePullSecrets[1].name=\"bad\" is not allowed because service account strict does not "
       "reference that imagePullSecret"},
  };
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.name);
    const std::string want = row.want == "ok" ? "ok"
                                              : "403 pods \"" + std::string(row.name) +
                                                    "\" is forbidden: " + std::string(row.want);
    EXPECT_EQ(Outcome(Create("v1/pods", Pod(row.name, std::string(row.spec) +
                                                          ", serviceAccountName: strict"))),
              want);
  }
}

class PromisedAccountTest : public AdmissionTest {
 protected:
  PromisedAccountTest() : AdmissionTest({{}, {}, true}) {}
};

TEST_F(PromisedAccountTest, DoesNotWaitForTheAccountThatIsAboutToCome) {
  EXPECT_NE(Show(Create("v1/pods", Pod("a")), {"spec", "volumes"}), "-");
  EXPECT_EQ(Create("v1/pods", Pod("b", ", serviceAccountName: robot")).error().code, 403);
}

// --- Priority

class PriorityTest : public AdmissionTest {
 protected:
  PriorityTest() { Given("v1/serviceaccounts", "metadata: {name: default}"); }
};

TEST_F(PriorityTest, ComesFromTheClass) {
  Given("scheduling.k8s.io/v1/priorityclasses",
        "{metadata: {name: high}, value: 7, preemptionPolicy: Never}");
  struct Row {
    std::string_view name, spec, priority, policy;
  };
  const Row rows[] = {
      {"none", "", "0", "\"PreemptLowerPriority\""},
      {"same", ", priority: 0", "0", "\"PreemptLowerPriority\""},
      {"high", ", priorityClassName: high", "7", "\"Never\""},
      {"critical", ", priorityClassName: system-node-critical", "2000001000",
       "\"PreemptLowerPriority\""},
      {"missing", ", priorityClassName: low",
       "403 pods \"missing\" is forbidden: no PriorityClass with name low was found", ""},
      {"number", ", priority: 3",
       "403 pods \"number\" is forbidden: the integer value of priority (3) must not be provided "
       "in pod spec; priority admission controller computed 0 from the given PriorityClass name",
       ""},
      {"policy", ", priorityClassName: high, preemptionPolicy: PreemptLowerPriority",
       "403 pods \"policy\" is forbidden: the string value of PreemptionPolicy "
       "(PreemptLowerPriority) must not be provided in pod spec; priority admission controller "
       "computed Never from the given PriorityClass name",
       ""},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const auto pod = Create("v1/pods", Pod(row.name, row.spec));
    EXPECT_EQ(Show(pod, {"spec", "priority"}), row.priority);
    if (!pod) continue;
    EXPECT_EQ(Show(pod, {"spec", "preemptionPolicy"}), row.policy);
  }
}

TEST_F(PriorityTest, HasOneDefaultClass) {
  Given("scheduling.k8s.io/v1/priorityclasses",
        "{metadata: {name: usual}, value: 5, globalDefault: true}");
  const auto pod = Create("v1/pods", Pod("a"));
  EXPECT_EQ(Show(pod, {"spec", "priority"}), "5");
  EXPECT_EQ(Show(pod, {"spec", "priorityClassName"}), "\"usual\"");
  EXPECT_EQ(Outcome(Create("scheduling.k8s.io/v1/priorityclasses",
                           "{metadata: {name: other}, value: 6, globalDefault: true}")),
            "403 priorityclasses.scheduling.k8s.io \"other\" is forbidden: PriorityClass usual is "
            "already marked as default. Only one default can exist");
  EXPECT_EQ(Outcome(Replace("scheduling.k8s.io/v1/priorityclasses",
                            "{metadata: {name: usual}, value: 5, globalDefault: true, "
                            "description: d}")),
            "ok");
}

// --- DefaultTolerationSeconds, TaintNodesByCondition

TEST_F(PriorityTest, PodsTolerateLostNodesForAWhile) {
  constexpr std::string_view kNotReady =
      R"({"key":"node.kubernetes.io/not-ready","operator":"Exists","effect":"NoExecute","tolerationSeconds":300})";
  constexpr std::string_view kUnreachable =
      R"({"key":"node.kubernetes.io/unreachable","operator":"Exists","effect":"NoExecute","tolerationSeconds":300})";
  const std::string both = std::string(kNotReady) + "," + std::string(kUnreachable);
  EXPECT_EQ(Show(Create("v1/pods", Pod("a")), {"spec", "tolerations"}), "[" + both + "]");
  EXPECT_EQ(Show(Create("v1/pods", Pod("b", ", tolerations: [{operator: Exists}]")),
                 {"spec", "tolerations"}),
            R"([{"operator":"Exists"}])");
  EXPECT_EQ(
      Show(Create("v1/pods", Pod("c",
                                 ", tolerations: [{key: node.kubernetes.io/not-ready, "
                                 "operator: Exists, effect: NoSchedule}]")),
           {"spec", "tolerations"}),
      R"([{"key":"node.kubernetes.io/not-ready","operator":"Exists","effect":"NoSchedule"},)" +
          both + "]");
  EXPECT_EQ(Show(Create("v1/pods", Pod("d",
                                       ", tolerations: [{key: node.kubernetes.io/not-ready, "
                                       "operator: Exists}]")),
                 {"spec", "tolerations"}),
            R"([{"key":"node.kubernetes.io/not-ready","operator":"Exists"},)" +
                std::string(kUnreachable) + "]");
}

TEST_F(PriorityTest, NodesBeginTainted) {
  constexpr std::string_view kTaint =
      R"({"key":"node.kubernetes.io/not-ready","effect":"NoSchedule"})";
  EXPECT_EQ(Show(Create("v1/nodes", "metadata: {name: n1}"), {"spec", "taints"}),
            "[" + std::string(kTaint) + "]");
  EXPECT_EQ(Show(Create("v1/nodes",
                        "{metadata: {name: n2}, spec: {taints: [{key: a, effect: "
                        "NoExecute}, {key: node.kubernetes.io/not-ready, effect: "
                        "NoSchedule}]}}"),
                 {"spec", "taints"}),
            R"([{"key":"a","effect":"NoExecute"},)" + std::string(kTaint) + "]");
}

}  // namespace
}  // namespace kulisse::apiserver
