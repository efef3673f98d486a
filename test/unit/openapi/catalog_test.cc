#include "openapi/catalog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>
#include <string>

namespace kulisse::openapi {
namespace {

using testing::ElementsAre;

const Catalog& BuiltIn() { return Catalog::BuiltIn(); }

std::string JoinViews(const std::vector<std::string_view>& parts) {
  std::string out;
  for (const std::string_view part : parts) out.append(out.empty() ? "" : ",").append(part);
  return out;
}

std::string Verbs(uint16_t bits) {
  std::string out;
  for (int verb = 0; verb < 8; ++verb) {
    if ((bits >> verb & 1) == 0) continue;
    out.append(out.empty() ? "" : ",").append(ToString(static_cast<Verb>(verb)));
  }
  return out;
}

std::string KindGroupVersion(const SubresourceInfo& subresource) {
  if (subresource.version.empty()) return "";
  if (subresource.group.empty()) return std::string(subresource.version);
  return std::string(subresource.group) + "/" + std::string(subresource.version);
}

// The file of facts that the resource comes from.
std::string_view FileOf(const ResourceInfo& resource) {
  if (resource.aggregated) return "aggregated_resources.tsv";
  return resource.custom ? "custom_resources.tsv" : "resources.tsv";
}

// The catalog's resources of that file in its format.
std::string Print(const Catalog& catalog, std::string_view file) {
  std::ostringstream out;
  for (const ResourceInfo& r : catalog.resources()) {
    if (FileOf(r) != file) continue;
    out << r.api_version() << '\t' << r.resource << '\t' << r.kind << "\t\t"
        << (r.namespaced ? "true" : "false") << '\t' << JoinViews(r.short_names) << '\t'
        << JoinViews(r.categories) << '\t' << r.singular << '\t' << Verbs(r.verbs) << '\t'
        << r.storage_version_hash << '\n';
    for (const SubresourceInfo& s : r.subresources) {
      out << r.api_version() << '\t' << r.resource << '/' << s.name << '\t' << s.kind << '\t'
          << KindGroupVersion(s) << '\t' << (r.namespaced ? "true" : "false") << "\t\t\t\t"
          << Verbs(s.verbs) << "\t\n";
    }
  }
  return out.str();
}

TEST(Catalog, EqualsTheFactsRowByRow) {
  for (const std::string name :
       {"resources.tsv", "custom_resources.tsv", "aggregated_resources.tsv"}) {
    std::ifstream file(KULISSE_SOURCE_DIR "/openapi/facts/" + name);
    std::stringstream facts;
    facts << file.rdbuf();
    std::string text = facts.str();
    text.erase(0, text.find('\n') + 1);  // the names of the columns
    ASSERT_FALSE(text.empty());
    EXPECT_EQ(Print(BuiltIn(), name), text);
  }
}

TEST(Catalog, HasAllResourcesOfADefaultServerOfKwokAndOfMetrics) {
  EXPECT_EQ(BuiltIn().resources().size(), 68u + 12u + 2u);
  size_t subresources = 0;
  for (const ResourceInfo& r : BuiltIn().resources()) subresources += r.subresources.size();
  EXPECT_EQ(subresources, 45u + 12u);
  EXPECT_EQ(BuiltIn().groups().size(), 20u + 1u + 1u);
}

TEST(Catalog, EveryKindHasItsTypeAndEveryListedOneItsListType) {
  const TypeTable& table = TypeTable::BuiltIn();
  for (const ResourceInfo& r : BuiltIn().resources()) {
    ASSERT_NE(r.type, kNoType) << r.resource;
    EXPECT_EQ(table.Get(r.type).go_name, r.kind);
    if (r.Has(Verb::kList) && !r.custom) {
      EXPECT_NE(table.Find(std::string(table.Get(r.type).name) + "List"), kNoType) << r.kind;
    }
    for (const SubresourceInfo& s : r.subresources) {
      ASSERT_NE(s.type, kNoType) << r.resource << "/" << s.name;
      EXPECT_EQ(table.Get(s.type).go_name, s.kind);
    }
  }
}

TEST(Catalog, FindsByResourceAndByKindAndNothingElse) {
  const ResourceInfo* pods = BuiltIn().Find("", "v1", "pods");
  ASSERT_NE(pods, nullptr);
  EXPECT_EQ(BuiltIn().FindKind("", "v1", "Pod"), pods);
  EXPECT_EQ(BuiltIn().Find("apps", "v1", "pods"), nullptr);
  EXPECT_EQ(BuiltIn().Find("", "v2", "pods"), nullptr);
  EXPECT_EQ(BuiltIn().Find("", "v1", "pod"), nullptr);
  EXPECT_NE(pods->FindSubresource("eviction"), nullptr);
  EXPECT_EQ(pods->FindSubresource("scale"), nullptr);
  EXPECT_TRUE(BuiltIn().HasGroup(""));
  EXPECT_TRUE(BuiltIn().HasGroupVersion("autoscaling", "v1"));
  EXPECT_FALSE(BuiltIn().HasGroup("extensions"));
  EXPECT_FALSE(BuiltIn().HasGroupVersion("apps", "v1beta1"));
}

TEST(Catalog, GroupsAreInDiscoveryOrderWithThePreferredVersionFirst) {
  EXPECT_EQ(BuiltIn().groups().front().name, "apiregistration.k8s.io");
  EXPECT_EQ(BuiltIn().groups().back().name, "metrics.k8s.io");
  std::set<std::string_view> names;
  for (const GroupInfo& group : BuiltIn().groups()) {
    EXPECT_TRUE(names.insert(group.name).second) << group.name;
    if (group.name == "autoscaling") {
      EXPECT_THAT(group.versions, ElementsAre("v2", "v1"));
    }
  }
}

TEST(Catalog, VersionsOfAResourceAndBothGroupsOfEventsShareAStorage) {
  const ResourceInfo* v2 = BuiltIn().Find("autoscaling", "v2", "horizontalpodautoscalers");
  const ResourceInfo* v1 = BuiltIn().Find("autoscaling", "v1", "horizontalpodautoscalers");
  ASSERT_TRUE(v1 != nullptr && v2 != nullptr);
  EXPECT_EQ(v1->storage, v2);
  EXPECT_EQ(v2->storage, v2);
  EXPECT_EQ(v1->storage_name, "horizontalpodautoscalers.autoscaling");
  const ResourceInfo* core = BuiltIn().Find("", "v1", "events");
  const ResourceInfo* events = BuiltIn().Find("events.k8s.io", "v1", "events");
  ASSERT_TRUE(core != nullptr && events != nullptr);
  EXPECT_EQ(events->storage, core);
  EXPECT_EQ(events->storage_name, "events");
  size_t shared = 0;
  for (const ResourceInfo& r : BuiltIn().resources()) shared += r.storage != &r;
  EXPECT_EQ(shared, 2u);
}

TEST(Catalog, GenerationIsKeptForTheKindsWhoseStrategiesDo) {
  size_t count = 0;
  for (const ResourceInfo& r : BuiltIn().resources()) count += r.has_generation;
  EXPECT_EQ(count, 26u + 12u);
  EXPECT_TRUE(BuiltIn().Find("", "v1", "pods")->has_generation);
  EXPECT_FALSE(BuiltIn().Find("", "v1", "services")->has_generation);
  EXPECT_FALSE(BuiltIn().Find("autoscaling", "v2", "horizontalpodautoscalers")->has_generation);
}

}  // namespace
}  // namespace kulisse::openapi
