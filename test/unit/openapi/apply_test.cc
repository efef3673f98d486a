// The laws of server-side apply. What a real server answers is in test/golden/api/apply.
#include "openapi/patch/apply.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/json/parse.h"
#include "base/json/write.h"
#include "base/random.h"
#include "openapi/managed_fields/typed_object.h"
#include "openapi/typed.h"
#include "test/support/object_generator.h"

namespace kulisse::openapi {
namespace {

const TypeTable& Table() { return TypeTable::BuiltIn(); }

// An object of one version with its managers, as the registry keeps it.
class Applied {
 public:
  explicit Applied(std::string_view type) : type_(Table().Find(type)) {
    live_ = *json::ParseInto(R"({"metadata":{"name":"x"}})", arena_);
  }
  Applied(const Applied& other) : type_(other.type_), text_(other.text_) {
    live_ = other.live_.Clone(arena_);
    managed_ = *ManagedFields::Parse(text_, arena_);
  }

  // Whether the object changed; nothing on conflict.
  std::optional<bool> Apply(std::string_view manager, const json::Value& config,
                            bool force = false) {
    Applier applier(
        Table(), [](const auto&, auto, auto) { return std::optional<json::Value>(); },
        [this](std::string_view) { return std::optional(type_); }, arena_);
    const FieldSet none;
    const ApplyRequest request{
        .live = live_,
        .config = config,
        .self = {.manager = manager, .applied = true, .api_version = "v1", .subresource = {}},
        .now = "2026-01-02T03:04:05Z",
        .force = force,
        .reset = none,
        .ignored = none,
        .system = none};
    auto made = applier.Apply(request, &managed_);
    if (!made) {
      conflicts_ = made.error();
      return std::nullopt;
    }
    text_ = managed_.ToText();
    managed_ = *ManagedFields::Parse(text_, arena_);
    if (!*made) return false;
    live_ = std::move(**made);
    return true;
  }
  std::optional<bool> Apply(std::string_view manager, std::string_view config, bool force = false) {
    const auto parsed = json::ParseInto(config, arena_);
    EXPECT_TRUE(parsed.has_value()) << config;
    EXPECT_EQ(ValidateTyped(*parsed, type_, Table()), "");
    return Apply(manager, *parsed, force);
  }

  // In canonical form, so that absent and empty structs are one.
  [[nodiscard]] std::string Object() const {
    json::Document copy;
    copy.root = live_.Clone(copy.arena);
    const auto normalized = Normalize(copy.root, type_, Table(), copy.arena, nullptr);
    EXPECT_TRUE(normalized.has_value());
    return json::ToString(copy.root);
  }
  [[nodiscard]] std::string Owned(std::string_view manager) const {
    for (const ManagedFieldsEntry& entry : managed_.entries()) {
      if (entry.id.manager == manager) return entry.fields.ToString();
    }
    return "";
  }
  [[nodiscard]] const std::string& managers() const { return text_; }
  [[nodiscard]] const std::vector<ApplyConflict>& conflicts() const { return conflicts_; }

 private:
  json::Arena arena_;
  TypeId type_;
  std::string text_;
  json::Value live_;
  ManagedFields managed_;
  std::vector<ApplyConflict> conflicts_;
};

constexpr std::string_view kConfigMap = "io.k8s.api.core.v1.ConfigMap";
constexpr std::string_view kPod = "io.k8s.api.core.v1.Pod";
constexpr std::string_view kService = "io.k8s.api.core.v1.Service";

TEST(ApplyTest, WhatIsLeftOutGoesUnlessSomebodyElseOwnsIt) {
  Applied object(kConfigMap);
  EXPECT_EQ(object.Apply("a", R"({"data":{"x":"1","y":"1"}})"), true);
  EXPECT_EQ(object.Apply("b", R"({"data":{"x":"1"}})"), false);
  EXPECT_EQ(object.Apply("a", "{}"), true);
  EXPECT_EQ(object.Object(), R"({"metadata":{"name":"x"},"data":{"x":"1"}})");
  EXPECT_EQ(object.Apply("b", "{}"), true);
  EXPECT_EQ(object.Object(), R"({"metadata":{"name":"x"}})");
  EXPECT_EQ(object.managers(), "");
}

TEST(ApplyTest, ConflictsNameManagersAndFieldsAndChangeNothing) {
  Applied object(kConfigMap);
  EXPECT_EQ(object.Apply("a", R"({"data":{"x":"1","y":"1"}})"), true);
  const std::string before = object.managers();
  EXPECT_EQ(object.Apply("b", R"({"data":{"x":"2","y":"1"}})"), std::nullopt);
  EXPECT_EQ(object.managers(), before);
  const Status status = ConflictStatus(object.conflicts());
  EXPECT_EQ(status.code, 409);
  EXPECT_EQ(status.message, "Apply failed with 1 conflict: conflict with \"a\": .data.x");
  EXPECT_EQ(object.Apply("b", R"({"data":{"x":"2","y":"1"}})", true), true);
  EXPECT_EQ(object.Owned("a"), R"({"f:data":{"f:y":{}}})");
}

TEST(ApplyTest, ListsFollowTheirTypes) {
  Applied pod(kPod);
  ASSERT_EQ(pod.Apply("a", R"({"spec":{"containers":[{"name":"x","image":"1"},{"name":"y"}]}})"),
            true);
  ASSERT_EQ(pod.Apply("b", R"({"spec":{"containers":[{"name":"z"},{"name":"x"}]}})"), true);
  EXPECT_EQ(
      pod.Object(),
      R"({"metadata":{"name":"x"},"spec":{"containers":[{"name":"z","resources":{}},)"
      R"({"name":"x","image":"1","resources":{}},{"name":"y","resources":{}}]},"status":{}})");
  ASSERT_EQ(pod.Apply("a", R"({"spec":{"containers":[{"name":"y"}]}})"), true);
  EXPECT_EQ(pod.Object(),
            R"({"metadata":{"name":"x"},"spec":{"containers":[{"name":"z","resources":{}},)"
            R"({"name":"x","resources":{}},{"name":"y","resources":{}}]},"status":{}})");

  Applied service(kService);
  ASSERT_EQ(service.Apply("a", R"({"spec":{"ports":[{"port":80},{"port":80,"protocol":"UDP"}]}})"),
            true);
  EXPECT_EQ(service.Owned("a"),
            R"({"f:spec":{"f:ports":{"k:{\"port\":80,\"protocol\":\"TCP\"}":{".":{},"f:port":{}},)"
            R"("k:{\"port\":80,\"protocol\":\"UDP\"}":{".":{},"f:port":{},"f:protocol":{}}}}})");
}

TEST(ApplyTest, ConfigurationsThatDoNotFitAreRefusedInTheWordsOfTheServer) {
  struct Row {
    std::string_view type, config, want;
  };
  constexpr Row kRows[] = {
      {kConfigMap, R"({"bogus":1})", ".bogus: field not declared in schema"},
      {kConfigMap, R"({"":1})", ".: field not declared in schema"},
      {kConfigMap, R"({"data":[]})", ".data: expected map, got &{[]}"},
      {kConfigMap, R"({"data":{"a":1000000}})",
       ".data.a: expected string, got &value.valueUnstructured{Value:1000000}"},
      {kConfigMap, R"({"data":{"a":1.5e7}})",
       ".data.a: expected string, got &value.valueUnstructured{Value:1.5e+07}"},
      {kConfigMap, R"({"immutable":"no"})", ".immutable: expected boolean, got &{no}"},
      {kPod, R"({"spec":{"containers":[{"name":"a"},{"name":"a"}]}})",
       ".spec.containers: duplicate entries for key [name=\"a\"]"},
      {kPod, R"({"spec":{"containers":{}}})", ".spec.containers: expected list, got &{map[]}"},
      {kPod, R"({"spec":{"priority":"high"}})",
       ".spec.priority: expected numeric (int or float), got string"},
  };
  for (const Row& row : kRows) {
    const auto config = json::Parse(row.config);
    EXPECT_EQ(ValidateTyped(config->root, Table().Find(row.type), Table()), row.want) << row.config;
  }
}

// Laws, for random objects of some types: whatever is applied,
//  - applying it again changes neither object nor managers;
//  - applying nothing then takes all of it away;
//  - two managers that apply different fields get the same object in either order;
//  - by force, the object has every field that the configuration has.
class ApplyLawsTest : public testing::TestWithParam<std::string_view> {
 protected:
  static constexpr uint64_t kSeed = 11;
  static constexpr int kRounds = 400;
};

// Leaves one element in each list, as most random elements have the same key: none.
void ShortenLists(json::Value& value) {
  if (value.IsArray()) value.Truncate(std::min<size_t>(value.size(), 1));
  for (json::Value& element : value.elements()) ShortenLists(element);
  for (json::Member& member : value.members()) ShortenLists(member.value);
}

// Two objects that have the fields of one between them.
std::pair<json::Value, json::Value> Split(const json::Value& object, Random& random,
                                          json::Arena& arena) {
  json::Value one = json::Value::Object();
  json::Value rest = json::Value::Object();
  for (const json::Member& member : object.members()) {
    if (member.name == "spec" && member.value.IsObject()) {
      auto [a, b] = Split(member.value, random, arena);
      one.Set(member.name, std::move(a), arena);
      rest.Set(member.name, std::move(b), arena);
    } else {
      (random.Below(2) == 0 ? one : rest).Set(member.name, member.value.Clone(arena), arena);
    }
  }
  return {std::move(one), std::move(rest)};
}

TEST_P(ApplyLawsTest, Hold) {
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  const TypeId type = Table().Find(GetParam());
  ASSERT_NE(type, kNoType);
  test::ObjectGenerator generator(Table(), kSeed);
  Random random(kSeed);
  int applied = 0;
  for (int round = 0; round < kRounds; ++round) {
    json::Arena arena;
    json::Value first = generator.Object(type, arena);
    json::Value second = generator.Object(type, arena);
    if (round % 2 == 0) {
      ShortenLists(first);
      ShortenLists(second);
    }
    if (!ValidateTyped(first, type, Table()).empty()) continue;
    if (!ValidateTyped(second, type, Table()).empty()) continue;
    Applied object(GetParam());
    const std::string empty = object.Object();
    ASSERT_TRUE(object.Apply("a", first).has_value());
    const std::string once = object.Object();
    const std::string managers = object.managers();
    ASSERT_EQ(object.Apply("a", first), false) << json::ToString(first);
    ASSERT_EQ(object.managers(), managers);
    ++applied;

    const auto [one, rest] = Split(first, random, arena);
    Applied one_first(GetParam());
    Applied rest_first(GetParam());
    ASSERT_TRUE(one_first.Apply("b", one) && one_first.Apply("c", rest)) << json::ToString(first);
    ASSERT_TRUE(rest_first.Apply("c", rest) && rest_first.Apply("b", one));
    ASSERT_EQ(one_first.Object(), rest_first.Object());
    ASSERT_EQ(one_first.Owned("b"), rest_first.Owned("b"));
    ASSERT_EQ(one_first.Owned("c"), rest_first.Owned("c"));

    Applied forced(object);
    ASSERT_TRUE(forced.Apply("b", second, true).has_value());
    ASSERT_EQ(forced.Apply("b", second), false) << json::ToString(second);

    ASSERT_TRUE(object.Apply("a", "{}").has_value());
    const auto name = json::ParseInto(R"({"metadata":{"name":"x"}})", arena);
    ASSERT_TRUE(object.Apply("c", *name, true).has_value());
    if (first.Find({"metadata", "name"}) == nullptr) {
      ASSERT_EQ(object.Object(), empty) << once;
    }
  }
  EXPECT_GT(applied, kRounds / 10);
}

INSTANTIATE_TEST_SUITE_P(Types, ApplyLawsTest,
                         testing::Values(kConfigMap, kService, kPod,
                                         "io.k8s.api.apps.v1.Deployment",
                                         "io.k8s.api.networking.v1.Ingress"),
                         [](const auto& test) {
                           return std::string(test.param.substr(test.param.rfind('.') + 1));
                         });

}  // namespace
}  // namespace kulisse::openapi
