#include "openapi/managed_fields/field_set.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "base/json/parse.h"
#include "base/random.h"
#include "openapi/managed_fields/path_element.h"

namespace kulisse::openapi {
namespace {

// Each row sorts before the next, as upstream's PathElement.Compare has it.
constexpr std::string_view kSorted[] = {
    "f:",
    R"(f:\u003ca)",  // "<a"
    "f:A",
    "f:a",
    "f:a.b/c",
    "f:ab",
    R"(k:{\"containerPort\":80,\"protocol\":\"TCP\"})",
    R"(k:{\"containerPort\":80,\"protocol\":\"UDP\"})",
    R"(k:{\"containerPort\":443,\"protocol\":\"TCP\"})",
    R"(k:{\"containerPort\":8080})",
    R"(k:{\"containerPort\":8080,\"protocol\":\"TCP\"})",
    R"(k:{\"name\":7})",
    R"(k:{\"name\":\"\"})",
    R"(k:{\"name\":\"80\"})",
    R"(k:{\"name\":\"A\"})",
    R"(k:{\"name\":\"a\"})",
    R"(k:{\"name\":\"a\\\"b\"})",
    R"(k:{\"name\":\"a,b\"})",
    R"(k:{\"name\":\"a1\"})",
    R"(k:{\"name\":\"ab\"})",
    R"(k:{\"name\":true})",
    "v:-1",
    "v:1.5",
    "v:2",
    "v:10",
    R"(v:\"\")",
    R"(v:\"a\")",
    R"(v:\"ab\")",
    "v:false",
    "v:true",
    "i:2",
    "i:10",
};

TEST(PathElementTest, SortsAsUpstream) {
  for (size_t i = 0; i < std::size(kSorted); ++i) {
    for (size_t j = 0; j < std::size(kSorted); ++j) {
      EXPECT_EQ(ComparePathElements(kSorted[i], kSorted[j]), i <=> j)
          << kSorted[i] << " and " << kSorted[j];
    }
  }
}

TEST(PathElementTest, BringsWhatClientsWriteIntoOneForm) {
  struct Row {
    std::string_view name, text, want;
  };
  constexpr Row kRows[] = {
      {"field", "f:spec", "f:spec"},
      {"field with letters to escape", "f:<\"", R"(f:\u003c\")"},
      {"keys are sorted", R"(k:{"b":1, "a":"x"})", R"(k:{\"a\":\"x\",\"b\":1})"},
      {"value", "v: \"x\"", R"(v:\"x\")"},
      {"index", "i:07", "i:7"},
      {"unknown kind", "x:1", ""},
      {"no colon", "spec", "refused"},
      {"one letter", "f", "refused"},
      {"keys that are none", "k:[1]", "refused"},
      {"broken value", "v:{", "refused"},
      {"broken index", "i:x", "refused"},
  };
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(CanonicalPathElement(row.text).value_or("refused"), row.want);
  }
}

TEST(PathElementTest, ShowsThemAsMessagesDo) {
  EXPECT_EQ(PathElementText("f:spec"), ".spec");
  EXPECT_EQ(PathElementText(R"(k:{\"a\":\"x\",\"b\":1})"), R"([a="x",b=1])");
  EXPECT_EQ(PathElementText(R"(v:\"x\")"), R"([="x"])");
  EXPECT_EQ(PathElementText("i:3"), "[3]");
}

FieldSet Parsed(std::string_view text, json::Arena& arena) {
  const auto set = FieldSet::Parse(&text, arena);
  EXPECT_TRUE(set.has_value() && text.empty()) << text;
  return set.value_or(FieldSet());
}

TEST(FieldSetTest, GivesBackTheTextThatItRead) {
  constexpr std::string_view kText =
      R"({"f:metadata":{"f:labels":{".":{},"f:a":{}}},"f:spec":{"f:ports":{)"
      R"("k:{\"port\":80}":{".":{},"f:port":{}}},"f:x":{"v:\"y\"":{}}}})";
  json::Arena arena;
  EXPECT_EQ(Parsed(kText, arena).ToString(), kText);
  EXPECT_EQ(Parsed("{}", arena).ToString(), "{}");
}

TEST(FieldSetTest, RefusesTextThatItDidNotWrite) {
  json::Arena arena;
  for (std::string_view text : {"", "{", "[]", R"({"a":{}})", R"({"f:a":1})", R"({"f:a":{})",
                                R"({"f:a":{},})", R"({"f:a)", R"({".":{"f:a":{}}})"}) {
    const std::string shown(text);
    EXPECT_FALSE(FieldSet::Parse(&text, arena).has_value()) << shown;
  }
}

TEST(FieldSetTest, SortsWhatAClientSent) {
  json::Arena arena;
  const auto value =
      json::ParseInto(R"({"f:b":{},"x:y":{"f:c":{}},"f:a":{"f:d":{},".":{}}})", arena);
  EXPECT_EQ(FieldSet::FromJson(*value, arena)->ToString(), R"({"f:a":{".":{},"f:d":{}},"f:b":{}})");
  const auto wrong = json::ParseInto(R"({"b":{}})", arena);
  EXPECT_FALSE(FieldSet::FromJson(*wrong, arena).has_value());
}

// Sets of paths against a model: the same operations on std::set of texts.
using Path = std::vector<std::string_view>;
using Model = std::set<std::vector<std::string>>;

struct Both {
  FieldSet set;
  Model model;
};

Both RandomSet(Random& random, json::Arena& arena) {
  constexpr std::string_view kElements[] = {
      "f:a", "f:b", R"(k:{\"n\":\"x\"})", R"(k:{\"n\":\"y\"})", "v:1", "i:0"};
  Both both;
  for (uint64_t left = random.Below(12); left > 0; --left) {
    Path path;
    for (uint64_t depth = 1 + random.Below(3); depth > 0; --depth) {
      path.push_back(kElements[random.Below(std::size(kElements))]);
    }
    both.set.Insert(path, arena);
    both.model.insert({path.begin(), path.end()});
  }
  return both;
}

Model ModelOf(const FieldSet& set) {
  Model model;
  set.ForEach([&](std::span<const std::string_view> path) {
    EXPECT_TRUE(model.insert({path.begin(), path.end()}).second);
  });
  return model;
}

bool HasPrefixIn(const std::vector<std::string>& path, const Model& model) {
  for (size_t size = 1; size <= path.size(); ++size) {
    if (model.contains({path.begin(), path.begin() + static_cast<ptrdiff_t>(size)})) return true;
  }
  return false;
}

TEST(FieldSetTest, OperationsAgreeWithSetsOfPaths) {
  constexpr uint64_t kSeed = 7;
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  Random random(kSeed);
  for (int round = 0; round < 3'000; ++round) {
    json::Arena arena;
    const Both a = RandomSet(random, arena);
    const Both b = RandomSet(random, arena);
    Model united = a.model;
    united.insert(b.model.begin(), b.model.end());
    Model common, left, bare;
    for (const auto& path : a.model) {
      (b.model.contains(path) ? common : left).insert(path);
      if (!HasPrefixIn(path, b.model)) bare.insert(path);
    }
    ASSERT_EQ(ModelOf(a.set), a.model);
    ASSERT_EQ(ModelOf(Union(a.set, b.set, arena)), united);
    ASSERT_EQ(ModelOf(Intersection(a.set, b.set, arena)), common);
    ASSERT_EQ(ModelOf(Difference(a.set, b.set, arena)), left);
    ASSERT_EQ(ModelOf(RecursiveDifference(a.set, b.set, arena)), bare);
    ASSERT_EQ(Intersects(a.set, b.set), !common.empty());
    ASSERT_EQ(a.set == b.set, a.model == b.model);
    const std::string text = a.set.ToString();
    ASSERT_EQ(Parsed(text, arena).ToString(), text);
    for (const auto& path : united) {
      ASSERT_EQ(a.set.Has(Path(path.begin(), path.end())), a.model.contains(path));
    }
  }
}

}  // namespace
}  // namespace kulisse::openapi
