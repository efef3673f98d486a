// Goal: warnings are upstream's, and what is new in an update alone is warned of.
// Method: a table of objects and the warnings that a real kube-apiserver gives.
#include "apiserver/registry/warnings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/json/parse.h"
#include "openapi/catalog.h"

namespace kulisse::apiserver {
namespace {

using testing::ElementsAreArray;

const openapi::ResourceInfo& Resource(std::string_view group, std::string_view version,
                                      std::string_view name) {
  const openapi::ResourceInfo* found = openapi::Catalog::BuiltIn().Find(group, version, name);
  EXPECT_NE(found, nullptr);
  return *found;
}

std::vector<std::string> WarningsOf(const openapi::ResourceInfo& resource, std::string_view object,
                                    std::string_view old = "") {
  std::vector<std::string> warnings;
  const auto parsed = json::Parse(object);
  EXPECT_TRUE(parsed.has_value());
  if (old.empty()) {
    AddWarnings(resource, parsed->root, nullptr, &warnings);
    AddWarnings(resource, parsed->root, nullptr, &warnings);  // a second try adds nothing
  } else {
    AddWarnings(resource, parsed->root, &json::Parse(old)->root, &warnings);
  }
  return warnings;
}

TEST(WarningsTest, OfNewObjects) {
  const struct {
    const openapi::ResourceInfo& resource;
    std::string_view object;
    std::vector<std::string> expected;
  } rows[] = {
      {Resource("", "v1", "pods"), R"({"metadata":{"name":"a"},"spec":{"containers":[]}})", {}},
      {Resource("", "v1", "pods"),
       R"({"metadata":{"name":"a"},"spec":{"hostAliases":[{"ip":"1"},{"ip":"2"},{"ip":"1"}]}})",
       {R"(spec.hostAliases[2].ip: duplicate ip "1")"}},
      {Resource("", "v1", "pods"),
       R"({"metadata":{"name":"a"},"spec":{"containers":[{"env":[{"name":"A","value":"1"},)"
       R"({"name":"A","value":"$(A)2"},{"name":"A","value":"3"}]}]}})",
       {R"(spec.containers[0].env[2]: hides previous definition of "A", which may be dropped when )"
        R"(using apply)"}},
      {Resource("apps", "v1", "deployments"),
       R"({"metadata":{"name":"d"},"spec":{"template":{"spec":{)"
       R"("terminationGracePeriodSeconds":-1,"volumes":[{"name":"v","rbd":{}}]}}}})",
       {"spec.template.spec.volumes[0].rbd: deprecated in v1.28, non-functional in v1.31+",
        "spec.template.spec.terminationGracePeriodSeconds: must be >= 0; negative values are "
        "invalid and will be treated as 1"}},
      {Resource("", "v1", "services"),
       R"({"spec":{"type":"ClusterIP","externalIPs":["192.0.2.1"],)"
       R"("trafficDistribution":"PreferClose"}})",
       {"spec.externalIPs is deprecated and may no longer be implemented in some clusters",
        R"(spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone")"}},
      {Resource("", "v1", "configmaps"), R"({"metadata":{"name":"Not.a.label"}})", {}},
  };
  for (const auto& row : rows) {
    EXPECT_THAT(WarningsOf(row.resource, row.object), ElementsAreArray(row.expected)) << row.object;
  }
}

TEST(WarningsTest, AnUpdateThatLeavesTheTemplateAloneWarnsOfNothing) {
  const openapi::ResourceInfo& deployments = Resource("apps", "v1", "deployments");
  constexpr std::string_view kWith =
      R"({"spec":{"template":{"spec":{"imagePullSecrets":[{"name":""}]}}}})";
  constexpr std::string_view kWithout = R"({"spec":{"template":{"spec":{}}}})";
  EXPECT_THAT(WarningsOf(deployments, kWith, kWith), testing::IsEmpty());
  EXPECT_THAT(WarningsOf(deployments, kWith, kWithout),
              testing::ElementsAre(
                  R"(spec.template.spec.imagePullSecrets[0].name: invalid empty name "")"));
}

}  // namespace
}  // namespace kulisse::apiserver
