#include "openapi/yaml.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/json/parse.h"
#include "base/json/write.h"
#include "base/limits.h"
#include "test/unit/openapi/golden_rows.h"

namespace kulisse::openapi {
namespace {

std::string ToJson(const std::expected<json::Document, std::string>& document) {
  return document ? json::ToSortedString(document->root) : "error: " + document.error();
}

// Every row was answered by sigs.k8s.io/yaml.
TEST(YamlTest, ReadsAsUpstream) {
  for (const auto& row : GoldenRows("yaml_read.jsonl")) {
    SCOPED_TRACE(row[1]);
    if (row[0] == "yaml2json") {
      EXPECT_EQ(ToJson(ParseYaml(row[1])), row[2]);
    } else {
      std::vector<std::string> duplicates;
      EXPECT_EQ(ToJson(ParseYaml(row[1], &duplicates)), row[2]);
    }
  }
}

// Every row was answered by sigs.k8s.io/yaml.
TEST(YamlTest, WritesAsUpstreamAndReadsItBack) {
  for (const auto& row : GoldenRows("yaml_write.jsonl")) {
    SCOPED_TRACE(row[1]);
    const auto document = json::Parse(row[1]);
    ASSERT_TRUE(document.has_value());
    const std::string text = ToYaml(document->root);
    EXPECT_EQ(text, row[2]);
    const auto again = ParseYaml(text);
    ASSERT_TRUE(again.has_value()) << again.error();
    EXPECT_TRUE(again->root == document->root) << json::ToString(again->root);
  }
}

TEST(YamlTest, ReportsDuplicatesWhenAsked) {
  std::vector<std::string> duplicates;
  const auto document = ParseYaml("a: 1\nb:\n  c: 1\n  c: 2\na: 3\n", &duplicates);
  ASSERT_TRUE(document.has_value());
  EXPECT_EQ(json::ToString(document->root), R"({"a":3,"b":{"c":2}})");
  EXPECT_EQ(duplicates, (std::vector<std::string>{"line 4: key \"c\" already set in map",
                                                  "line 5: key \"a\" already set in map"}));
}

TEST(YamlTest, FindsDuplicatesAmongManyKeysAndThroughMerges) {
  std::string text = "base: &b {";
  for (int i = 0; i < 100; ++i) text += fmt::format("k{}: {}, ", i, i);
  text += "}\nall:\n  k7: own\n  <<: *b\n  k99: last\n  k99: later\n";
  std::vector<std::string> duplicates;
  const auto parsed = ParseYaml(text, &duplicates);
  ASSERT_TRUE(parsed.has_value()) << parsed.error();
  const json::Value* all = parsed->root.Find("all");
  ASSERT_NE(all, nullptr);
  EXPECT_EQ(all->size(), 100u);
  EXPECT_EQ(all->FindString({"k99"}), "later");
  EXPECT_EQ(all->Find("k50")->AsInt(), 50);
}

TEST(YamlTest, ReadsAllDocumentsButEmptyOnes) {
  const auto documents = ParseYamlDocuments("---\na: 1\n---\n---\n# nothing\n---\n- x\n...\n");
  ASSERT_TRUE(documents.has_value()) << documents.error();
  ASSERT_EQ(documents->size(), 2U);
  EXPECT_EQ(json::ToString((*documents)[0].root), R"({"a":1})");
  EXPECT_EQ(json::ToString((*documents)[1].root), R"(["x"])");
  EXPECT_TRUE(ParseYamlDocuments("").value().empty());
  EXPECT_FALSE(ParseYamlDocuments("a: 1\n---\nb: [\n").has_value());
}

TEST(YamlTest, RefusesBombs) {
  std::string bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 12; ++i) {
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int k = 0; k < 10; ++k) bomb += "*a" + std::to_string(i - 1) + ",";
    bomb += "]\n";
  }
  EXPECT_EQ(ToJson(ParseYaml(bomb)), "error: yaml: document contains excessive aliasing");
  EXPECT_EQ(ToJson(ParseYaml(std::string(kJsonDepthMax + 1, '['))),
            "error: yaml: exceeded max depth");
  // Each alias adds a level, though no collection is nested in the text.
  std::string chain = "a0: &a0 [x]\n";
  for (size_t i = 1; i < kJsonDepthMax + 10; ++i) {
    chain += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) +
             "]\n";
  }
  EXPECT_TRUE(ToJson(ParseYaml(chain)).starts_with("error: yaml: "));
}

TEST(YamlTest, WritesInvalidUtf8AsReplacementCharacters) {
  json::Document document;
  document.root = json::Value::StringRef("a\xff");
  EXPECT_EQ(ToYaml(document.root), "a\xef\xbf\xbd\n");
}

}  // namespace
}  // namespace kulisse::openapi
