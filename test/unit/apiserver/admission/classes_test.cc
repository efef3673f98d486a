// Goal: claims, ingresses and pods get what their classes say; volumes and claims are protected;
// certificate requests ask for no group of administrators; namespaces that go take nothing in.
#include "test/unit/apiserver/admission/admission_support.h"

namespace kulisse::apiserver {
namespace {

class ClassesTest : public AdmissionTest {
 protected:
  ClassesTest() { Given("v1/serviceaccounts", "metadata: {name: default}"); }
  static std::string Claim(std::string_view name, std::string_view spec = "") {
    return "{metadata: {name: " + std::string(name) +
           "}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}" +
           std::string(spec) + "}}";
  }
  static std::string Pod(std::string_view name, std::string_view spec) {
    return "{metadata: {name: " + std::string(name) +
           "}, spec: {containers: [{name: c, image: i}]" + std::string(spec) + "}}";
  }
};

TEST_F(ClassesTest, ClaimsGetTheDefaultClassAndAreProtected) {
  constexpr std::string_view kDefault = "storageclass.kubernetes.io/is-default-class: 'true'";
  const auto none = Create("v1/persistentvolumeclaims", Claim("none"));
  EXPECT_EQ(Show(none, {"spec", "storageClassName"}), "-");
  EXPECT_EQ(Show(none, {"metadata", "finalizers"}), R"(["kubernetes.io/pvc-protection"])");
  Given("storage.k8s.io/v1/storageclasses", "{metadata: {name: other}, provisioner: p}");
  for (const char* name : {"b", "a"}) {
    Given("storage.k8s.io/v1/storageclasses", "{metadata: {name: " + std::string(name) +
                                                  ", annotations: {" + std::string(kDefault) +
                                                  "}}, provisioner: p}");
  }
  EXPECT_EQ(
      Show(Create("v1/persistentvolumeclaims", Claim("default")), {"spec", "storageClassName"}),
      "\"a\"");
  EXPECT_EQ(Show(Create("v1/persistentvolumeclaims", Claim("named", ", storageClassName: other")),
                 {"spec", "storageClassName"}),
            "\"other\"");
}

TEST_F(ClassesTest, IngressesGetTheDefaultClass) {
  constexpr std::string_view kIngress =
      "spec: {defaultBackend: {service: {name: s, port: {number: 80}}}}}";
  Given("networking.k8s.io/v1/ingressclasses",
        "{metadata: {name: a, annotations: {ingressclass.kubernetes.io/is-default-class: "
        "'true'}}, spec: {controller: example.com/c}}");
  EXPECT_EQ(Show(Create("networking.k8s.io/v1/ingresses",
                        "{metadata: {name: a}, " + std::string(kIngress)),
                 {"spec", "ingressClassName"}),
            "\"a\"");
  EXPECT_EQ(Show(Create("networking.k8s.io/v1/ingresses",
                        "{metadata: {name: b, annotations: {kubernetes.io/ingress.class: x}}, " +
                            std::string(kIngress)),
                 {"spec", "ingressClassName"}),
            "-");
}

TEST_F(ClassesTest, RuntimeClassesGiveOverheadAndNodes) {
  Given("node.k8s.io/v1/runtimeclasses",
        "{metadata: {name: heavy}, handler: h, overhead: {podFixed: {cpu: 250m}}, scheduling: "
        "{nodeSelector: {a: b}, tolerations: [{key: t, operator: Exists}]}}");
  const auto pod = Create("v1/pods", Pod("a",
                                         ", runtimeClassName: heavy, nodeSelector: {c: d}, "
                                         "tolerations: [{key: t, operator: Equal, value: v}]"));
  EXPECT_EQ(Show(pod, {"spec", "overhead"}), R"({"cpu":"250m"})");
  EXPECT_EQ(Show(pod, {"spec", "nodeSelector"}), R"({"a":"b","c":"d"})");
  EXPECT_EQ(Show(pod, {"spec", "tolerations"}).find("\"value\":\"v\""), std::string::npos);
  struct Row {
    std::string_view name, spec, want;
  };
  constexpr Row kRows[] = {
      {"missing", ", runtimeClassName: light", "pod rejected: RuntimeClass \"light\" not found"},
      {"other", ", runtimeClassName: heavy, overhead: {cpu: '1'}",
       "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"},
      {"none", ", overhead: {cpu: '1'}",
       "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"},
      {"selector", ", runtimeClassName: heavy, nodeSelector: {a: c}",
       "conflict: runtimeClass.scheduling.nodeSelector[a] = b; pod.spec.nodeSelector[a] = c"},
  };
  for (const Row& row : kRows) {
    EXPECT_EQ(Outcome(Create("v1/pods", Pod(row.name, row.spec))),
              "403 pods \"" + std::string(row.name) + "\" is forbidden: " + std::string(row.want));
  }
}

TEST_F(ClassesTest, PodsTakeZoneAndRegionFromTheirNode) {
  Given("v1/nodes", "metadata: {name: n1, labels: {topology.kubernetes.io/zone: z, other: x}}");
  EXPECT_EQ(Show(Create("v1/pods", Pod("a", ", nodeName: n1")), {"metadata", "labels"}),
            R"({"topology.kubernetes.io/zone":"z"})");
  Given("v1/pods", Pod("b", ""));
  const auto binding = openapi::ParseYaml("target: {kind: Node, name: n1}");
  EXPECT_EQ(
      Show(resources_->Bind(context_, {"default", "b"}, binding->root), {"metadata", "labels"}),
      R"({"topology.kubernetes.io/zone":"z"})");
}

TEST_F(ClassesTest, NamespacesThatGoTakeNothingIn) {
  EXPECT_EQ(Outcome(Delete("v1/namespaces", "default")),
            "403 namespaces \"default\" is forbidden: this namespace may not be deleted");
  ns_ = "missing";
  EXPECT_EQ(Outcome(Create("v1/configmaps", "metadata: {name: a}")),
            "404 namespaces \"missing\" not found");
  Given("v1/namespaces", "metadata: {name: going}");
  EXPECT_EQ(Outcome(Delete("v1/namespaces", "going")), "ok");
  ns_ = "going";
  const auto refused = Create("v1/configmaps", "metadata: {name: a}");
  EXPECT_EQ(Outcome(refused),
            "403 configmaps \"a\" is forbidden: unable to create new content in namespace going "
            "because it is being terminated");
  EXPECT_EQ(refused.error().details->causes.at(0).reason, "NamespaceTerminating");
}

}  // namespace
}  // namespace kulisse::apiserver
