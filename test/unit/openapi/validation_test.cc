// Goal: objects are refused as kube-apiserver refuses them.
// Method: here the parts: forms of texts, schedules, the printed difference of two objects, and
// that no object whatever breaks the walk. Whole answers are recorded in test/golden/api/validation
// and test/differential.
#include "openapi/validation/validation.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/json/parse.h"
#include "openapi/catalog.h"
#include "openapi/defaulting.h"
#include "openapi/typed.h"
#include "openapi/validation/cron_schedule.h"
#include "openapi/validation/formats.h"
#include "openapi/validation/go_diff.h"
#include "openapi/validation/walk.h"
#include "test/support/object_generator.h"

namespace kulisse::openapi {
namespace {

struct FormRow {
  std::string_view form;
  std::string_view text;
  bool good;
};

constexpr FormRow kForms[] = {
    {"dns-label", "a-1", true},
    {"dns-label", "a.b", false},
    {"dns-label", "-a", false},
    {"dns-subdomain", "a.b-c", true},
    {"dns-subdomain", "a..b", false},
    {"dns1035-label", "1a", false},
    {"qualified-name", "example.com/Name_1", true},
    {"qualified-name", "a/b/c", false},
    {"label-value", "", true},
    {"port-name", "http-2", true},
    {"port-name", "123", false},
    {"port-name", "a--b", false},
    {"env-name", "any thing", true},
    {"env-name", "a=b", false},
    {"config-key", "..data", false},
    {"config-key", "a_b.c-d", true},
    {"ip", "10.0.0.1", true},
    {"ip", "10.0.0.01", false},
    {"ip", "::ffff:1.2.3.4", false},
    {"ip", "::1", true},
    {"ip", "1.2.3", false},
    {"canonical-ip", "0:0:0:0:0:0:0:1", false},
    {"cidr", "10.0.0.0/8", true},
    {"cidr", "10.0.0.1/8", false},
    {"cidr", "10.0.0.0/33", false},
    {"canonical-cidr", "2001:DB8::/32", false},
    {"local-path", "a/../b", false},
    {"local-path", "..a", false},
    {"local-path", "/a", false},
    {"path-segment", "a%b", false},
};

TEST(ValidationFormsTest, TextsFitTheirFormsOrDoNot) {
  for (const FormRow& row : kForms) {
    SCOPED_TRACE(std::string(row.form) + " " + std::string(row.text));
    const Format format = FindFormat(row.form);
    ASSERT_NE(format, nullptr);
    EXPECT_EQ(format(row.text).empty(), row.good);
  }
}

struct ScheduleRow {
  std::string_view schedule;
  std::string_view error;
};

constexpr ScheduleRow kSchedules[] = {
    {"*/5 * * * *", ""},
    {"0 0 1 jan sun", ""},
    {"@daily", ""},
    {"@every 1h30m", ""},
    {"@often", "unrecognized descriptor: @often"},
    {"* * * *", "expected exactly 5 fields, found 4: [* * * *]"},
    {"60 * * * *", "end of range (60) above maximum (59): 60"},
    {"5-2 * * * *", "beginning of range (5) beyond end of range (2): 5-2"},
    {"*/0 * * * *", "step of range should be a positive number: */0"},
    {"* * 0 * *", "beginning of range (0) below minimum (1): 0"},
    {"x * * * *", "failed to parse int from x: strconv.Atoi: parsing \"x\": invalid syntax"},
};

TEST(CronScheduleTest, SchedulesAreReadAsRobfigReadsThem) {
  for (const ScheduleRow& row : kSchedules) {
    EXPECT_EQ(CronScheduleError(row.schedule), row.error) << row.schedule;
  }
}

TEST(NameSetTest, NamesAreFoundInSmallAndInLargeSets) {
  std::vector<std::string> names;
  for (int i = 0; i < 100; ++i) names.push_back("name-" + std::to_string(i));
  NameSet set;
  for (const std::string& name : names) EXPECT_TRUE(set.Insert(name));
  for (const std::string& name : names) EXPECT_FALSE(set.Insert(name));
  EXPECT_FALSE(set.Has("name-100"));
}

TEST(PathTest, PathsPrintAsUpstreamsDo) {
  const Path spec("spec");
  const Path list = spec["containers"];
  const Path one = list[size_t{2}];
  EXPECT_EQ(one["name"].ToString(), "spec.containers[2].name");
  EXPECT_EQ(one.Key("cpu").ToString(), "spec.containers[2][cpu]");
  EXPECT_EQ(Path()["a"].ToString(), "a");
}

json::Document Parse(std::string_view text) {
  auto document = json::Parse(text);
  EXPECT_TRUE(document.has_value());
  return document ? std::move(*document) : json::Document();
}

TEST(GoDiffTest, OnlyTheChangedLinesAndTheirNeighboursArePrinted) {
  const json::Document a = Parse(R"({"name":"a","value":"1"})");
  const json::Document b = Parse(R"({"name":"a","value":"2"})");
  EXPECT_EQ(GoDiff(a.root, b.root, TypeOf("core.v1.EnvVar")),
            "@@ -1,5 +1,5 @@\n {\n  \"Name\": \"a\",\n- \"Value\": \"1\",\n+ \"Value\": \"2\",\n"
            "  \"ValueFrom\": null\n }\n");
  EXPECT_EQ(GoDiff(a.root, a.root, TypeOf("core.v1.EnvVar")), "");
  EXPECT_EQ(GoJson(a.root, TypeOf("core.v1.EnvVar")),
            R"({"Name":"a","Value":"1","ValueFrom":null})");
}

TEST(ValidationTest, AllThatIsWrongIsTold) {
  json::Document pod = Parse(R"({"spec":{"containers":[{"name":"A"},{"image":"i"}]}})");
  const TypeTable& table = TypeTable::BuiltIn();
  const TypeId type = TypeOf("core.v1.Pod");
  ASSERT_TRUE(Normalize(pod.root, type, table, pod.arena, nullptr).has_value());
  ApplyDefaults(pod.root, type, table, pod.arena);
  FieldErrors errors;
  ValidateCreate(pod.root, type, &errors);
  std::vector<std::string> paths;
  for (const FieldError& error : errors) paths.push_back(error.path);
  EXPECT_EQ(paths, (std::vector<std::string>{"spec.containers[0].name", "spec.containers[0].image",
                                             "spec.containers[1].name"}));
}

json::Document Generate(TypeId type, uint64_t seed) {
  const TypeTable& table = TypeTable::BuiltIn();
  json::Document document;
  document.root = test::ObjectGenerator(table, seed).Object(type, document.arena);
  EXPECT_TRUE(Normalize(document.root, type, table, document.arena, nullptr).has_value());
  return document;
}

// Property: whatever a canonical object holds, and whatever it held before, validation comes to an
// end and says something or nothing.
TEST(ValidationTest, NoObjectBreaksTheWalk) {
  uint64_t seed = 1;
  for (const ResourceInfo& resource : Catalog::BuiltIn().resources()) {
    for (int i = 0; i < 20; ++i) {
      SCOPED_TRACE(resource.kind);
      SCOPED_TRACE(seed);
      const json::Document object = Generate(resource.type, seed++);
      const json::Document old = Generate(resource.type, seed++);
      FieldErrors errors;
      ValidateCreate(object.root, resource.type, &errors);
      for (const std::string_view subresource : {"", "status", "scale", "resize"}) {
        ValidateUpdate(object.root, old.root, resource.type, subresource, &errors);
        ValidateUpdate(object.root, object.root, resource.type, subresource, &errors);
      }
    }
  }
}

}  // namespace
}  // namespace kulisse::openapi
