#include "openapi/managed_fields/managed_fields.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/json/parse.h"
#include "base/limits.h"

namespace kulisse::openapi {
namespace {

const TypeTable& Table() { return TypeTable::BuiltIn(); }

std::string Compared(std::string_view type, std::string_view before, std::string_view after,
                     std::string_view ignored = "{}") {
  json::Arena arena;
  const auto skip = FieldSet::Parse(&ignored, arena);
  const auto x = json::ParseInto(before, arena);
  const auto y = json::ParseInto(after, arena);
  const Comparison found = CompareObjects(*x, *y, Table().Find(type), Table(), *skip, arena);
  return fmt::format("+{} ~{} -{}", found.added.ToString(), found.modified.ToString(),
                     found.removed.ToString());
}

TEST(CompareTest, TellsAddedModifiedAndRemovedFields) {
  struct Row {
    std::string_view name, type, before, after, want;
  };
  constexpr std::string_view kMap = "io.k8s.api.core.v1.ConfigMap";
  constexpr std::string_view kPod = "io.k8s.api.core.v1.Pod";
  constexpr std::string_view kSchema =
      "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps";
  constexpr Row kRows[] = {
      {"nothing", kMap, R"({"data":{"a":"1"}})", R"({"data":{"a":"1"}})", "+{} ~{} -{}"},
      {"a map of its own", kMap, "{}", R"({"data":{"b":"1","a":"2"}})",
       R"(+{"f:data":{".":{},"f:a":{},"f:b":{}}} ~{} -{})"},
      {"keys of a map", kMap, R"({"data":{"a":"1","b":"1"}})", R"({"data":{"b":"2","c":"3"}})",
       R"(+{"f:data":{"f:c":{}}} ~{"f:data":{"f:b":{}}} -{"f:data":{"f:a":{}}})"},
      {"a key that needs escapes", kMap, R"({"data":{}})", R"({"data":{"<\"":"1"}})",
       R"(+{"f:data":{"f:\u003c\"":{}}} ~{} -{})"},
      {"an element of a list with keys", kPod, R"({"spec":{"containers":[{"name":"a"}]}})",
       R"({"spec":{"containers":[{"name":"b","image":"i"},{"name":"a","image":"i"}]}})",
       R"(+{"f:spec":{"f:containers":{"k:{\"name\":\"a\"}":{"f:image":{}},"k:{\"name\":\"b\"}":)"
       R"({".":{},"f:image":{},"f:name":{}}}}} ~{} -{})"},
      {"a key that occurs twice is owned as a whole", kPod,
       R"({"spec":{"containers":[{"name":"a","image":"i"}]}})",
       R"({"spec":{"containers":[{"name":"a","image":"i"},{"name":"a","image":"j"}]}})",
       R"(+{"f:spec":{"f:containers":{"k:{\"name\":\"a\"}":{}}}} ~{} )"
       R"(-{"f:spec":{"f:containers":{"k:{\"name\":\"a\"}":{".":{},"f:image":{},"f:name":{}}}}})"},
      {"a set", kPod, R"({"metadata":{"finalizers":["a","b"]}})",
       R"({"metadata":{"finalizers":["b","c"]}})",
       R"(+{"f:metadata":{"f:finalizers":{"v:\"c\"":{}}}} ~{} )"
       R"(-{"f:metadata":{"f:finalizers":{"v:\"a\"":{}}}})"},
      {"an atomic list", kPod, R"({"spec":{"tolerations":[{"key":"a"}]}})",
       R"({"spec":{"tolerations":[{"key":"b"}]}})", R"(+{} ~{"f:spec":{"f:tolerations":{}}} -{})"},
      {"an atomic struct", kPod, R"({"spec":{"nodeSelector":{"a":"b"}}})",
       R"({"spec":{"nodeSelector":{"a":"c"}}})", R"(+{} ~{"f:spec":{"f:nodeSelector":{}}} -{})"},
      {"a value of any type becomes another", kSchema, R"({"default":{"a":1}})",
       R"({"default":"x"})", R"(+{} ~{"f:default":{}} -{"f:default":{"f:a":{}}})"},
  };
  for (const Row& row : kRows) {
    EXPECT_EQ(Compared(row.type, row.before, row.after), row.want) << row.name;
  }
}

TEST(CompareTest, LeavesIgnoredFieldsOutWithAllBelow) {
  EXPECT_EQ(Compared("io.k8s.api.core.v1.Pod", R"({"spec":{},"status":{}})",
                     R"({"spec":{"nodeName":"n"},"status":{"phase":"Running","message":"m"}})",
                     R"({"f:spec":{},"f:status":{"f:phase":{}}})"),
            R"(+{"f:status":{"f:message":{}}} ~{} -{})");
}

// The managers after an update of some keys of a config map.
struct Update {
  std::string_view manager, added, modified, removed;
};

std::string Updated(std::string_view text, const Update& update, std::string_view now) {
  json::Arena arena;
  const std::string stored(text);
  auto managed = ManagedFields::Parse(stored, arena);
  EXPECT_TRUE(managed.has_value());
  const auto set = [&arena](std::string_view fields) {
    return fields.empty() ? FieldSet() : *FieldSet::Parse(&fields, arena);
  };
  const Comparison comparison{set(update.added), set(update.modified), set(update.removed)};
  managed->Update(
      [&](std::string_view version) { return version == "v1" ? &comparison : nullptr; },
      {.manager = update.manager, .applied = false, .api_version = "v1", .subresource = {}}, now,
      arena);
  return managed->ToText();
}

std::string Entry(std::string_view manager, std::string_view time, std::string_view fields) {
  return fmt::format(R"({{"manager":"{}","operation":"Update","apiVersion":"v1","time":"{}",)"
                     R"("fieldsType":"FieldsV1","fieldsV1":{}}})",
                     manager, time, fields);
}

TEST(ManagedFieldsTest, AnUpdateTakesWhatChangesFromOthers) {
  const std::string before = "[" + Entry("a", "T1", R"({"f:x":{},"f:y":{}})") + "]";
  EXPECT_EQ(
      Updated(before, {"b", "", R"({"f:x":{}})", ""}, "T2"),
      "[" + Entry("a", "T1", R"({"f:y":{}})") + "," + Entry("b", "T2", R"({"f:x":{}})") + "]");
  EXPECT_EQ(Updated(before, {"b", "", "", R"({"f:x":{},"f:y":{}})"}, "T2"), "");
  EXPECT_EQ(Updated(before, {"a", R"({"f:z":{}})", "", ""}, "T2"),
            "[" + Entry("a", "T2", R"({"f:x":{},"f:y":{},"f:z":{}})") + "]");
  EXPECT_EQ(Updated(before, {"b", "", "", ""}, "T2"), before);
}

TEST(ManagedFieldsTest, ManagersOfVersionsThatAreGoneAreForgotten) {
  std::string before = "[" + Entry("a", "T1", R"({"f:x":{}})") + "]";
  before.replace(before.find("\"v1\""), 4, "\"v9\"");
  EXPECT_EQ(Updated(before, {"b", R"({"f:y":{}})", "", ""}, "T2"),
            "[" + Entry("b", "T2", R"({"f:y":{}})") + "]");
}

TEST(ManagedFieldsTest, TheOldestUpdatesAreMerged) {
  std::string text;
  for (size_t i = 0; i < kUpdateManagersMax + 2; ++i) {
    const std::string field = fmt::format(R"({{"f:{:02}":{{}}}})", i);
    const std::string manager = fmt::format("m{:02}", i);
    text = Updated(text, {manager, field, "", ""}, fmt::format("T{:02}", i));
  }
  EXPECT_TRUE(
      text.starts_with("[" + Entry("ancient-changes", "T02", R"({"f:00":{},"f:01":{},"f:02":{}})")))
      << text;
  json::Arena arena;
  EXPECT_EQ(ManagedFields::Parse(text, arena)->entries().size(), kUpdateManagersMax);
}

TEST(ManagedFieldsTest, ReadsWhatClientsSendAsUpstream) {
  json::Arena arena;
  const auto read = [&arena](std::string_view text) {
    auto managed = ManagedFields::FromJson(*json::ParseInto(text, arena), arena);
    return managed ? managed->ToText() : "refused";
  };
  EXPECT_EQ(read("[]"), "");
  EXPECT_EQ(read(R"([{"operation":"Delete","apiVersion":"v1","fieldsType":"FieldsV1"}])"),
            "refused");
  EXPECT_EQ(read(R"([{"operation":"Apply","fieldsType":"FieldsV1"}])"), "refused");
  EXPECT_EQ(read(R"([{"operation":"Apply","apiVersion":"v1","fieldsType":"FieldsV2"}])"),
            "refused");
  EXPECT_EQ(read(R"([{"operation":"Apply","apiVersion":"v1","fieldsType":"FieldsV1"}])"),
            R"([{"operation":"Apply","apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":{}}])");
  EXPECT_TRUE(ManagedFields::IsReset(*json::ParseInto("[]", arena)));
  EXPECT_TRUE(ManagedFields::IsReset(*json::ParseInto("[{}]", arena)));
  EXPECT_FALSE(ManagedFields::IsReset(*json::ParseInto("[{},{}]", arena)));
  EXPECT_FALSE(ManagedFields::IsReset(json::Value()));
}

// Both once ended or stopped the server: a client may send any managers.
TEST(ManagedFieldsTest, ReadsBackFieldsAsDeepAsADocumentMayBe) {
  constexpr size_t kDepth = kJsonDepthMax - 10;
  std::string fields = "{}";
  for (size_t i = 0; i < kDepth; ++i) fields = R"({"f:a":)" + fields + "}";
  json::Arena arena;
  const auto value = json::ParseInto("[" + Entry("m", "T", fields) + "]", arena);
  ASSERT_TRUE(value.has_value());
  const std::string text = ManagedFields::FromJson(*value, arena)->ToText();
  EXPECT_TRUE(ManagedFields::Parse(text, arena).has_value());
}

TEST(ManagedFieldsTest, MergesThousandsOfManagersInMemoryOfTheirSize) {
  constexpr size_t kManagers = 4'000;
  std::string text = "[";
  for (size_t i = 0; i < kManagers; ++i) {
    const std::string field = fmt::format(R"({{"f:{:05}":{{}}}})", i);
    text += Entry(fmt::format("m{:05}", i), "T", field) + (i + 1 < kManagers ? "," : "]");
  }
  json::Arena arena;
  auto managed = ManagedFields::Parse(text, arena);
  ASSERT_TRUE(managed.has_value());
  const Comparison nothing;
  managed->Update([&](std::string_view) { return &nothing; },
                  {.manager = "x", .applied = false, .api_version = "v1", .subresource = {}}, "T",
                  arena);
  EXPECT_EQ(managed->entries().size(), kUpdateManagersMax);
  EXPECT_LT(arena.bytes(), kManagers * 4'096);
}

TEST(ManagedFieldsTest, RefusesTextThatItDidNotWrite) {
  json::Arena arena;
  const std::string good = "[" + Entry("a", "T", R"({"f:x":{}})") + "]";
  EXPECT_TRUE(ManagedFields::Parse(good, arena).has_value());
  for (size_t size = 1; size < good.size(); ++size) {
    EXPECT_FALSE(ManagedFields::Parse(good.substr(0, size), arena).has_value()) << size;
  }
}

}  // namespace
}  // namespace kulisse::openapi
