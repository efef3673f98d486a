// Goal: objects of `kulisse scale` are those of kwokctl 0.8: its resources, parameters and names.
// Method: the rows of the shipped ones were compared with what kwokctl's own templates give.
#include "simulator/scale/scale_template.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "base/json/write.h"
#include "base/virtual_runtime.h"
#include "openapi/yaml.h"
#include "test/support/temp_directory.h"

namespace kulisse::simulator {
namespace {

// The object as sorted YAML, or "error: …".
std::string Render(std::expected<ScaleTemplate, std::string> body,
                   const std::vector<std::string>& params, const ScaledObject& object) {
  VirtualRuntime runtime(1);
  if (!body) return "error: " + body.error();
  if (auto set = body->SetParameters(params, runtime.Now()); !set) return "error: " + set.error();
  const auto made = body->Render(object, runtime);
  return made ? openapi::ToYaml(made->root) : "error: " + made.error();
}

std::string RenderShipped(std::string_view name, const std::vector<std::string>& params,
                          const ScaledObject& object) {
  return Render(ScaleTemplate::Find(name, {}), params, object);
}

TEST(ScaleTemplateTest, ANodeIsThatOfKwokctl) {
  EXPECT_EQ(RenderShipped("node", {}, {"n-000003", "", 3}), R"(apiVersion: v1
kind: Node
metadata:
  annotations:
    kwok.x-k8s.io/node: fake
    metrics.k8s.io/resource-metrics-path: /metrics/nodes/n-000003/metrics/resource
    node.alpha.kubernetes.io/ttl: "0"
  labels:
    beta.kubernetes.io/arch: amd64
    beta.kubernetes.io/os: linux
    kubernetes.io/arch: amd64
    kubernetes.io/hostname: n-000003
    kubernetes.io/os: linux
    kubernetes.io/role: agent
    node-role.kubernetes.io/agent: ""
    type: kwok
  name: n-000003
spec:
  podCIDR: 10.0.3.0/24
  podCIDRs:
  - 10.0.3.0/24
  - fd00:0:0:3::/64
status:
  addresses:
  - address: 192.0.2.4
    type: InternalIP
  - address: 2001:db8::4
    type: InternalIP
  allocatable:
    cpu: 32
    memory: 256Gi
    pods: 110
  capacity:
    cpu: 32
    memory: 256Gi
    pods: 110
  nodeInfo:
    architecture: amd64
    operatingSystem: linux
)");
}

TEST(ScaleTemplateTest, APodIsThatOfKwokctl) {
  EXPECT_EQ(RenderShipped("pod",
                          {R"(.nodeName = "node-1")",
                           R"(.containers[0].resources = {requests: {cpu: 1, memory: "1Gi"}})",
                           R"(.containers[0].resources.limits.cpu = 2)", ".hostNetwork = true"},
                          {"web-000000", "", 0}),
            R"(apiVersion: v1
kind: Pod
metadata:
  name: web-000000
  namespace: default
spec:
  containers:
  - image: busybox
    name: container-0
    resources:
      limits:
        cpu: 2
        memory: 1Gi
      requests:
        cpu: 1
        memory: 1Gi
  hostNetwork: true
  initContainers: null
  nodeName: node-1
)");
}

TEST(ScaleTemplateTest, TheNamespaceThatIsAskedForCounts) {
  EXPECT_NE(RenderShipped("pod", {}, {"a", "team", 0}).find("namespace: team\n"),
            std::string::npos);
}

TEST(ScaleTemplateTest, CapacityIsAllocatableUnlessItSaysMore) {
  const std::string node =
      RenderShipped("node", {".allocatable = {cpu: \"3500m\"}", ".capacity.cpu = 4"}, {"a", "", 0});
  EXPECT_NE(node.find("allocatable:\n    cpu: 3500m\n"), std::string::npos) << node;
  EXPECT_NE(node.find("capacity:\n    cpu: 4\n"), std::string::npos) << node;
}

constexpr std::string_view kWidget = R"(
kind: KwokctlResource
apiVersion: config.kwok.x-k8s.io/v1alpha1
metadata: {name: widget}
parameters: {size: 3, address: 10.0.0.250}
template: |
  kind: Widget
  apiVersion: example.com/v1
  spec: {size: {{ .size }}, name: "{{ Name }}", number: {{ Index }}, ns: "{{ Namespace }}", ip: {{ AddIP .address Index }}}
)";

TEST(ScaleTemplateTest, ResourcesOfFilesAreFoundBeforeShippedOnes) {
  const TempDirectory directory;
  const std::string file = directory.path() + "/resources.yaml";
  std::string text(kWidget);
  text += "---\nkind: Stage\nmetadata: {name: pod}\n---\n";
  text +=
      "kind: KwokctlResource\napiVersion: config.kwok.x-k8s.io/v1alpha1\nmetadata: {name: pod}\n"
      "template: 'kind: Own'\n";
  std::ofstream(file) << text;
  EXPECT_EQ(
      Render(ScaleTemplate::Find("widget", std::vector{file}), {".size *= 2"}, {"w-7", "team", 7}),
      "apiVersion: example.com/v1\nkind: Widget\nspec:\n  ip: 10.0.1.1\n  name: w-7\n"
      "  ns: team\n  number: 7\n  size: 6\n");
  EXPECT_EQ(Render(ScaleTemplate::Find("pod", std::vector{file}), {}, {"a", "", 0}), "kind: Own\n");
}

TEST(ScaleTemplateTest, WhatIsWrongIsNamed) {
  struct Row {
    std::string resource;
    std::vector<std::string> params;
    std::string want;
  };
  const std::string head =
      "kind: KwokctlResource\napiVersion: config.kwok.x-k8s.io/v1alpha1\nmetadata: {name: a}\n";
  const std::vector<Row> rows = {
      {head, {}, "error: KwokctlResource \"a\": template: is needed"},
      {head + "template: '{{ Foo }}'",
       {},
       "error: KwokctlResource \"a\": template: line 1: function \"Foo\" is not defined"},
      {head + "template: '{{ PodIP }}'",
       {},
       "error: KwokctlResource \"a\": template: line 1: function \"PodIP\" is not defined"},
      {head + "template: 'text'", {}, "error: KwokctlResource \"a\": its template makes no object"},
      {"kind: KwokctlResource\nmetadata: {name: a}",
       {},
       "error: KwokctlResource \"a\": is not of config.kwok.x-k8s.io/v1alpha1"},
      {head + "template: 'a: 1'", {"."}, "a: 1\n"},
      {head + "template: 'a: 1'",
       {"., ."},
       "error: --param '., .': gives 2 results, and the parameters are one"},
      {head + "template: 'a: 1'",
       {"empty"},
       "error: --param 'empty': gives 0 results, and the parameters are one"},
      {head + "template: 'a: {{ AddCIDR \"x\" 1 }}'",
       {},
       "error: KwokctlResource \"a\": line 1: AddCIDR: \"x\" has no 1 behind it"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.resource + row.want);
    const auto document = openapi::ParseYaml(row.resource);
    ASSERT_TRUE(document.has_value());
    EXPECT_EQ(Render(ScaleTemplate::Parse(document->root), row.params, {"n", "", 0}), row.want);
  }
  EXPECT_EQ(RenderShipped("foo", {}, {}),
            "error: resource \"foo\" is not known: there are node, pod, and each KwokctlResource "
            "of --config");
}

}  // namespace
}  // namespace kulisse::simulator
