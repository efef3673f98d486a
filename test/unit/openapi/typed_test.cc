// Goal: Normalize gives what Go's decoder and encoder of the published types give, and refuses what
// they refuse in the same words.
// Method: every error row was tried on kube-apiserver 1.36.3 (create with fieldValidation=Strict).
#include "openapi/typed.h"

#include <gtest/gtest.h>

#include <string>

#include "base/json/parse.h"
#include "base/json/write.h"
#include "base/text.h"

namespace kulisse::openapi {
namespace {

constexpr std::string_view kPod = "io.k8s.api.core.v1.Pod";
constexpr std::string_view kSecret = "io.k8s.api.core.v1.Secret";
constexpr std::string_view kNode = "io.k8s.api.core.v1.Node";
constexpr std::string_view kService = "io.k8s.api.core.v1.Service";
constexpr std::string_view kDeployment = "io.k8s.api.apps.v1.Deployment";
constexpr std::string_view kLease = "io.k8s.api.coordination.v1.Lease";
constexpr std::string_view kRole = "io.k8s.api.rbac.v1.ClusterRole";
constexpr std::string_view kReview = "io.k8s.api.authorization.v1.SubjectAccessReview";
constexpr std::string_view kPolicy =
    "io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicy";
constexpr std::string_view kCrd =
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition";

// The normalized text, or "error: …".
std::string NormalizeText(std::string_view type, std::string_view input, std::string* unknown) {
  auto document = json::Parse(input);
  EXPECT_TRUE(document.has_value()) << input;
  if (!document) return {};
  const TypeTable& table = TypeTable::BuiltIn();
  const TypeId id = table.Find(type);
  EXPECT_NE(id, kNoType) << type;
  if (id == kNoType) return {};
  NormalizeReport report;
  const auto done = Normalize(document->root, id, table, document->arena, &report);
  if (unknown != nullptr) *unknown = Join(report.unknown_fields, ", ");
  return done ? json::ToString(document->root) : "error: " + done.error();
}

struct Row {
  std::string_view type;
  std::string_view input;
  std::string_view want;
};

constexpr Row kErrors[] = {
    {kPod, R"({"spec":{"containers":[{"name":"c","image":1}]}})",
     R"(json: cannot unmarshal number into Go struct field Container.spec.containers.image of type string)"},
    {kPod, R"({"spec":{"containers":["x"]}})",
     R"(json: cannot unmarshal string into Go struct field PodSpec.spec.containers of type v1.Container)"},
    {kPod, R"({"spec":{"containers":[{"name":"c","imagePullPolicy":1}]}})",
     R"(json: cannot unmarshal number into Go struct field Container.spec.containers.imagePullPolicy of type v1.PullPolicy)"},
    {kPod, R"({"spec":{"restartPolicy":true,"containers":[]}})",
     R"(json: cannot unmarshal bool into Go struct field PodSpec.spec.restartPolicy of type v1.RestartPolicy)"},
    {kPod, R"({"spec":{"volumes":[{"name":"v","hostPath":"x"}]}})",
     R"(json: cannot unmarshal string into Go struct field Volume.spec.volumes.VolumeSource.hostPath of type v1.HostPathVolumeSource)"},
    {kPod, R"({"spec":{"volumes":[{"name":"v","hostPath":{"path":1}}]}})",
     R"(json: cannot unmarshal number into Go struct field HostPathVolumeSource.spec.volumes.VolumeSource.hostPath.path of type string)"},
    {kPod, R"({"spec":{"terminationGracePeriodSeconds":1.5}})",
     R"(json: cannot unmarshal number 1.5 into Go struct field PodSpec.spec.terminationGracePeriodSeconds of type int64)"},
    {kPod, R"({"spec":{"terminationGracePeriodSeconds":"5"}})",
     R"(json: cannot unmarshal string into Go struct field PodSpec.spec.terminationGracePeriodSeconds of type int64)"},
    {kPod, R"({"spec":{"priority":3000000000}})",
     R"(json: cannot unmarshal number 3000000000 into Go struct field PodSpec.spec.priority of type int32)"},
    {kPod, R"({"metadata":{"name":"x","labels":[1]}})",
     R"(json: cannot unmarshal array into Go struct field ObjectMeta.metadata.labels of type map[string]string)"},
    {kPod, R"({"metadata":{"name":"x","labels":{"a":1}}})",
     R"(json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string)"},
    {kPod,
     R"({"metadata":{"name":1},"spec":{"containers":[{"name":"c","resources":{"limits":{"cpu":"x"}}}]}})",
     R"(quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$')"},
    {kPod, R"({"metadata":{"name":"x","creationTimestamp":"abc"}})",
     R"(parsing time "abc" as "2006-01-02T15:04:05Z07:00": cannot parse "abc" as "2006")"},
    {kPod, R"({"metadata":{"name":"x","creationTimestamp":5}})",
     R"(json: cannot unmarshal number into Go struct field ObjectMeta.metadata.creationTimestamp of type string)"},
    {kPod, R"({"metadata":{"name":"x","creationTimestamp":"2020-13-01T00:00:00Z"}})",
     R"(parsing time "2020-13-01T00:00:00Z": month out of range)"},
    {kPod, R"({"metadata":{"name":"x","creationTimestamp":"2020-02-30T00:00:00Z"}})",
     R"(parsing time "2020-02-30T00:00:00Z": day out of range)"},
    {kPod, R"({"metadata":{"name":"x","creationTimestamp":"2020-01-01T00:00:00Zx"}})",
     R"(parsing time "2020-01-01T00:00:00Zx": extra text: "x")"},
    {kPod, R"({"metadata":{"name":"x","creationTimestamp":"2020-01-01 00:00:00"}})",
     R"(parsing time "2020-01-01 00:00:00" as "2006-01-02T15:04:05Z07:00": cannot parse " 00:00:00" as "T")"},
    {kPod, R"({"spec":{"containers":[{"name":"c","livenessProbe":{"httpGet":{"port":true}}}]}})",
     R"(json: cannot unmarshal bool into Go struct field HTTPGetAction.spec.containers.livenessProbe.ProbeHandler.httpGet.port of type int32)"},
    {kPod, R"({"spec":{"containers":[{"name":"c","livenessProbe":{"httpGet":{"port":1.5}}}]}})",
     R"(json: cannot unmarshal number 1.5 into Go struct field HTTPGetAction.spec.containers.livenessProbe.ProbeHandler.httpGet.port of type int32)"},
    {kPod, R"({"spec":{"containers":[{"name":"c","resources":{"limits":{"cpu":true}}}]}})",
     R"(quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$')"},
    {kPod, R"({"spec":{"containers":[{"name":"c","resources":{"limits":"a"}}]}})",
     R"(json: cannot unmarshal string into Go struct field ResourceRequirements.spec.containers.resources.limits of type v1.ResourceList)"},
    {kPod, R"({"spec":{"tolerations":{}}})",
     R"(json: cannot unmarshal object into Go struct field PodSpec.spec.tolerations of type []v1.Toleration)"},
    {kPod, R"({"metadata":{"name":"x","finalizers":"a"}})",
     R"(json: cannot unmarshal string into Go struct field ObjectMeta.metadata.finalizers of type []string)"},
    {kPod, R"({"metadata":{"name":"x","annotations":true}})",
     R"(json: cannot unmarshal bool into Go struct field ObjectMeta.metadata.annotations of type map[string]string)"},
    {kPod, R"({"metadata":"x"})",
     R"(json: cannot unmarshal string into Go struct field Pod.metadata of type v1.ObjectMeta)"},
    {kSecret, R"({"data":{"a":"###"}})", R"(illegal base64 data at input byte 0)"},
    {kSecret, R"({"data":{"a":"YWJ"}})", R"(illegal base64 data at input byte 0)"},
    {kSecret, R"({"data":{"a":"YQ=a"}})", R"(illegal base64 data at input byte 2)"},
    {kSecret, R"({"data":{"a":1}})",
     R"(json: cannot unmarshal number into Go struct field Secret.data of type []uint8)"},
    {kSecret, R"({"data":[]})",
     R"(json: cannot unmarshal array into Go struct field Secret.data of type map[string][]uint8)"},
    {kCrd,
     R"({"spec":{"versions":[{"name":"v1","schema":{"openAPIV3Schema":{"type":"object","properties":{"a":{"type":1}}}}}]}})",
     R"(json: cannot unmarshal number into Go struct field JSONSchemaProps.spec.versions.schema.openAPIV3Schema.properties.type of type string)"},
    {kCrd,
     R"({"spec":{"versions":[{"name":"v1","schema":{"openAPIV3Schema":{"properties":{"a":{"items":{"type":1}}}}}}]}})",
     R"(json: cannot unmarshal number into Go struct field JSONSchemaProps.spec.versions.schema.openAPIV3Schema.properties.items.type of type string)"},
    {kCrd,
     R"({"spec":{"versions":[{"name":"v1","schema":{"openAPIV3Schema":{"additionalProperties":1}}}]}})",
     R"(boolean or JSON schema expected)"},
    {kDeployment,
     R"({"spec":{"template":{"spec":{"containers":[{"ports":[{"containerPort":"80"}]}]}}}})",
     R"(json: cannot unmarshal string into Go struct field ContainerPort.spec.template.spec.containers.ports.containerPort of type int32)"},
    {kPolicy, R"({"spec":{"matchConstraints":{"resourceRules":[{"apiGroups":"x"}]}}})",
     R"(json: cannot unmarshal string into Go struct field NamedRuleWithOperations.spec.matchConstraints.resourceRules.RuleWithOperations.Rule.apiGroups of type []string)"},
    {kPolicy, R"({"spec":{"matchConstraints":{"resourceRules":[{"apiGroups":[5]}]}}})",
     R"(json: cannot unmarshal number into Go struct field NamedRuleWithOperations.spec.matchConstraints.resourceRules.RuleWithOperations.Rule.apiGroups of type string)"},
    {kPolicy, R"({"spec":{"matchConstraints":{"resourceRules":[{"operations":[5]}]}}})",
     R"(json: cannot unmarshal number into Go struct field NamedRuleWithOperations.spec.matchConstraints.resourceRules.RuleWithOperations.operations of type v1.OperationType)"},
    {kReview, R"({"spec":{"extra":{"a":"b"}}})",
     R"(json: cannot unmarshal string into Go struct field SubjectAccessReviewSpec.spec.extra of type v1.ExtraValue)"},
    {kReview, R"({"spec":{"extra":{"a":[1]}}})",
     R"(json: cannot unmarshal number into Go struct field SubjectAccessReviewSpec.spec.extra of type string)"},
    {kLease, R"({"spec":{"renewTime":"2020-01-01T00:00:00.123456789Z"}})",
     R"(parsing time "2020-01-01T00:00:00.123456789Z" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "789Z" as "Z07:00")"},
};

TEST(NormalizeTest, RefusesInTheWordsOfGo) {
  for (const Row& row : kErrors) {
    SCOPED_TRACE(row.input);
    EXPECT_EQ(NormalizeText(row.type, row.input, nullptr), "error: " + std::string(row.want));
  }
}

constexpr Row kUnknown[] = {
    {kPod, R"({"spec":{"containers":[{"name":"c","foo":1,"Image":"x"}],"bar":{"a":1}},"zip":1})",
     R"(spec.containers[0].foo, spec.containers[0].Image, spec.bar, zip)"},
    {kPod,
     R"({"spec":{"containers":[{"name":"c","livenessProbe":{"httpGet":{"port":1,"x":1}}}],"volumes":[{"name":"v","hostPath":{"y":1}}]}})",
     R"(spec.containers[0].livenessProbe.httpGet.x, spec.volumes[0].hostPath.y)"},
    {kCrd,
     R"({"spec":{"versions":[{"name":"v1","schema":{"openAPIV3Schema":{"properties":{"a":{"bogus":1,"items":{"bogus":2}}}}}}]}})",
     R"(spec.versions[0].schema.openAPIV3Schema.properties.a.bogus)"},
};

TEST(NormalizeTest, ReportsUnknownFieldsInTheOrderOfTheText) {
  for (const Row& row : kUnknown) {
    SCOPED_TRACE(row.input);
    std::string unknown;
    const std::string text = NormalizeText(row.type, row.input, &unknown);
    EXPECT_FALSE(text.starts_with("error")) << text;
    EXPECT_EQ(unknown, row.want);
  }
}

constexpr Row kCanonical[] = {
    // Struct order, always-written structs, empty values left out.
    {kPod,
     R"({"spec":{"containers":[{"image":"i","name":"c","args":[],"env":null}]},"kind":"Pod"})",
     R"({"kind":"Pod","metadata":{},"spec":{"containers":[{"name":"c","image":"i","resources":{}}]},"status":{}})"},
    // Nil lists and pointers without omitempty are null.
    {kPod, R"({"spec":{}})", R"({"metadata":{},"spec":{"containers":null},"status":{}})"},
    {kPod, R"({"spec":{"containers":[]}})",
     R"({"metadata":{},"spec":{"containers":[]},"status":{}})"},
    {kRole, R"({"metadata":{"name":"r"},"rules":[{}]})",
     R"({"metadata":{"name":"r"},"rules":[{"verbs":null}]})"},
    {kDeployment, R"({"metadata":{"name":"d"}})",
     R"({"metadata":{"name":"d"},"spec":{"selector":null,"template":{"metadata":{},"spec":{"containers":null}},"strategy":{}},"status":{}})"},
    // Null is absent; in lists and maps it is the zero value.
    {kPod, R"({"metadata":null,"spec":{"containers":[null],"nodeSelector":{"b":null,"a":"x"}}})",
     R"({"metadata":{},"spec":{"containers":[{"name":"","resources":{}}],"nodeSelector":{"a":"x","b":""}},"status":{}})"},
    // Pointers keep what they point to.
    {kPod,
     R"({"spec":{"containers":[],"priority":0,"enableServiceLinks":false,"securityContext":{}}})",
     R"({"metadata":{},"spec":{"containers":[],"securityContext":{},"priority":0,"enableServiceLinks":false},"status":{}})"},
    {kPod, R"({"spec":{"containers":[],"hostNetwork":false,"nodeName":""}})",
     R"({"metadata":{},"spec":{"containers":[]},"status":{}})"},
    // Quantities.
    {kNode, R"({"status":{"capacity":{"memory":"1024Mi","cpu":1.5,"x":"1000","y":3,"z":null}}})",
     R"({"metadata":{},"spec":{},"status":{"capacity":{"cpu":"1500m","memory":"1Gi","x":"1k","y":"3","z":"0"},"daemonEndpoints":{"kubeletEndpoint":{"Port":0}},"nodeInfo":{"machineID":"","systemUUID":"","bootID":"","kernelVersion":"","osImage":"","containerRuntimeVersion":"","kubeletVersion":"","kubeProxyVersion":"","operatingSystem":"","architecture":""}}})"},
    // Times.
    {kPod, R"({"metadata":{"creationTimestamp":"2020-01-31T23:30:00.5-01:00"}})",
     R"({"metadata":{"creationTimestamp":"2020-02-01T00:30:00Z"},"spec":{"containers":null},"status":{}})"},
    {kPod, R"({"metadata":{"creationTimestamp":"0001-01-01T00:00:00Z"}})",
     R"({"metadata":{},"spec":{"containers":null},"status":{}})"},
    {kLease, R"({"spec":{"renewTime":"2020-01-01T01:00:00.000001+01:00"}})",
     R"({"metadata":{},"spec":{"renewTime":"2020-01-01T00:00:00.000001Z"}})"},
    // IntOrString.
    {kService, R"({"spec":{"ports":[{"port":1,"targetPort":"http"},{"port":2}]}})",
     R"({"metadata":{},"spec":{"ports":[{"port":1,"targetPort":"http"},{"port":2,"targetPort":0}]},"status":{"loadBalancer":{}}})"},
    // Base64 is written anew; nil bytes in a map are null.
    {kSecret, R"({"data":{"d":"","a":"YWI=\n","b":"YR==","c":null}})",
     R"({"metadata":{},"data":{"a":"YWI=","b":"YQ==","c":null,"d":""}})"},
    // Raw JSON stays as it is.
    {kPod, R"({"metadata":{"managedFields":[{"fieldsV1":{"f:z":{},"f:a":{".":{}}}}]}})",
     R"({"metadata":{"managedFields":[{"fieldsV1":{"f:z":{},"f:a":{".":{}}}}]},"spec":{"containers":null},"status":{}})"},
    // JSON schemas with their own decoders.
    {kCrd,
     R"({"spec":{"versions":[{"schema":{"openAPIV3Schema":{"additionalProperties":{"type":"string"},"default":{"b":1,"a":null}}}}]}})",
     R"({"metadata":{},"spec":{"group":"","names":{"plural":"","kind":""},"scope":"","versions":[{"name":"","served":false,"storage":false,"schema":{"openAPIV3Schema":{"default":{"b":1,"a":null},"additionalProperties":{"type":"string"}}}}]},"status":{"conditions":null,"acceptedNames":{"plural":"","kind":""},"storedVersions":null}})"},
};

TEST(NormalizeTest, WritesObjectsAsGoDoes) {
  for (const Row& row : kCanonical) {
    SCOPED_TRACE(row.input);
    const std::string text = NormalizeText(row.type, row.input, nullptr);
    EXPECT_EQ(text, row.want);
    EXPECT_EQ(NormalizeText(row.type, text, nullptr), text) << "not idempotent";
  }
}

}  // namespace
}  // namespace kulisse::openapi
