// Goal: each check of the Pod Security Standards finds what it forbids, from the version on in
// which it came, and the restricted level replaces what it replaces. Method: rows of a pod's spec;
// texts as recorded from a real server.
#include "apiserver/admission/pod_security_checks.h"
#include "test/unit/apiserver/admission/admission_support.h"

namespace kulisse::apiserver {
namespace {

constexpr SecurityLevel kBaseline = SecurityLevel::kBaseline;
constexpr SecurityLevel kRestricted = SecurityLevel::kRestricted;
constexpr int kLatest = LevelVersion::kLatest;

std::string Violations(const LevelVersion& standard, std::string_view spec) {
  const auto object = openapi::ParseYaml(spec);
  EXPECT_TRUE(object.has_value()) << spec;
  return DescribeViolations(CheckPodSecurity(standard, nullptr, object->root), true);
}

struct Row {
  SecurityLevel level;
  int minor;
  std::string_view spec;
  std::string_view want;
};

TEST(PodSecurityChecksTest, Table) {
  constexpr Row kRows[] = {
      {SecurityLevel::kPrivileged, kLatest, "hostPID: true", ""},
      {kBaseline, kLatest, "containers: [{name: a}]", ""},
      {kBaseline, kLatest, "{hostPID: true, hostIPC: true}",
       "host namespaces (hostPID=true, hostIPC=true)"},
      {kBaseline, kLatest, "volumes: [{name: a, hostPath: {path: /}}, {name: b, hostPath: {}}]",
       "hostPath volumes (volumes \"a\", \"b\")"},
      {kBaseline, kLatest, "containers: [{name: a, ports: [{hostPort: 80}, {hostPort: 8}]}]",
       "hostPort (container \"a\" uses hostPorts 8, 80)"},
      {kBaseline, 33, "containers: [{name: a, livenessProbe: {httpGet: {host: h}}}]", ""},
      {kBaseline, 34, "containers: [{name: a, livenessProbe: {httpGet: {host: h}}}]",
       "probe or lifecycle host (container \"a\" uses probe or lifecycle host \"h\")"},
      {kBaseline, 34,
       "{hostUsers: false, containers: [{name: a, securityContext: {procMount: "
       "Unmasked}}]}",
       "procMount (container \"a\" must not set securityContext.procMount to \"Unmasked\")"},
      {kBaseline, 35,
       "{hostUsers: false, containers: [{name: a, securityContext: {procMount: "
       "Unmasked}}]}",
       ""},
      {kBaseline, 30, "securityContext: {seLinuxOptions: {type: container_engine_t}}",
       "seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type "
       "\"container_engine_t\")"},
      {kBaseline, 31, "securityContext: {seLinuxOptions: {type: container_engine_t}}", ""},
      {kBaseline, 26, "securityContext: {sysctls: [{name: net.ipv4.ip_local_reserved_ports}]}",
       "forbidden sysctls (net.ipv4.ip_local_reserved_ports)"},
      {kBaseline, 27, "securityContext: {sysctls: [{name: net.ipv4.ip_local_reserved_ports}]}", ""},
      {kBaseline, kLatest, "securityContext: {windowsOptions: {hostProcess: true}}",
       "hostProcess (pod must not set securityContext.windowsOptions.hostProcess=true)"},
      // Replaced by the restricted level's own.
      {kRestricted, 7,
       "{securityContext: {runAsNonRoot: true}, volumes: [{name: a, hostPath: {}}]}",
       "restricted volume types (volume \"a\" uses restricted volume type \"hostPath\")"},
      {kRestricted, 8, "{securityContext: {runAsNonRoot: true}, containers: [{name: a}]}",
       "allowPrivilegeEscalation != false (container \"a\" must set "
       "securityContext.allowPrivilegeEscalation=false)"},
      {kRestricted, kLatest,
       "{os: {name: windows}, securityContext: {runAsNonRoot: true}, containers: [{name: a}]}", ""},
      {kRestricted, 34, "{hostUsers: false, os: {name: windows}, containers: [{name: a}]}",
       "runAsNonRoot != true (pod or container \"a\" must set securityContext.runAsNonRoot=true)"},
      {kRestricted, 35, "{hostUsers: false, os: {name: windows}, containers: [{name: a}]}", ""},
      {kRestricted, 99,
       "{os: {name: windows}, securityContext: {runAsNonRoot: true, runAsUser: 0}}",
       "runAsUser=0 (pod must not set runAsUser=0)"},
  };
  for (const Row& row : kRows) {
    const LevelVersion standard{row.level, row.minor};
    SCOPED_TRACE(standard.ToString() + " " + std::string(row.spec));
    EXPECT_EQ(Violations(standard, row.spec), row.want);
  }
}

TEST(PodSecurityChecksTest, NamesStandards) {
  EXPECT_EQ((LevelVersion{kRestricted, kLatest}).ToString(), "restricted:latest");
  EXPECT_EQ((LevelVersion{kBaseline, 24}).ToString(), "baseline:v1.24");
}

class PodSecurityTest : public AdmissionTest {
 protected:
  PodSecurityTest() { Given("v1/serviceaccounts", "metadata: {name: default}"); }
  void Label(std::string_view labels) {
    EXPECT_EQ(Outcome(Replace("v1/namespaces", "{metadata: {name: default, labels: {" +
                                                   std::string(labels) +
                                                   "}}, spec: {finalizers: [kubernetes]}}")),
              "ok");
  }
  static constexpr std::string_view kPod =
      "{metadata: {name: a}, spec: {hostPID: true, containers: [{name: c, image: i}]}}";
};

TEST_F(PodSecurityTest, EnforcesFromTheNextWriteOn) {
  Label("pod-security.kubernetes.io/enforce: baseline");
  EXPECT_EQ(Outcome(Create("v1/pods", kPod)),
            "403 pods \"a\" is forbidden: violates PodSecurity \"baseline:latest\": host "
            "namespaces (hostPID=true)");
  Label("pod-security.kubernetes.io/enforce: privileged");
  EXPECT_EQ(Outcome(Create("v1/pods", kPod)), "ok");
}

TEST_F(PodSecurityTest, WarnsOfPodsTemplatesAndExistingPods) {
  Label("pod-security.kubernetes.io/warn: baseline");
  EXPECT_EQ(Outcome(Create("v1/pods", kPod)), "ok");
  ASSERT_EQ(warnings_.size(), 1u);
  EXPECT_EQ(warnings_[0],
            "would violate PodSecurity \"baseline:latest\": host namespaces (hostPID=true)");
  warnings_.clear();
  Label("pod-security.kubernetes.io/enforce: baseline");
  EXPECT_EQ(warnings_, (std::vector<std::string>{
                           "existing pods in namespace \"default\" violate the new PodSecurity "
                           "enforce level \"baseline:latest\"",
                           "a: host namespaces"}));
}

TEST_F(PodSecurityTest, RefusesLabelsThatSayNothing) {
  const auto made = Create(
      "v1/namespaces", "metadata: {name: n1, labels: {pod-security.kubernetes.io/enforce: low}}");
  EXPECT_EQ(Outcome(made),
            "422 Namespace \"n1\" is invalid: metadata.labels[pod-security.kubernetes.io/enforce]: "
            "Invalid value: \"low\": must be one of privileged, baseline, restricted");
}

}  // namespace
}  // namespace kulisse::apiserver
