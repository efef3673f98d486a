// Goal: Normalize gives what Go's decoder and encoder of the published types give, and refuses what
// they refuse in the same words.
// Method: rows of test/golden/forms/typed_*.jsonl: type, input, answer. Every refused row was tried
// on kube-apiserver 1.36.3 (create with fieldValidation=Strict).
#include "openapi/typed.h"

#include <gtest/gtest.h>

#include <string>

#include "base/json/parse.h"
#include "base/json/write.h"
#include "base/text.h"
#include "test/unit/openapi/golden_rows.h"

namespace kulisse::openapi {
namespace {

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

TEST(NormalizeTest, RefusesInTheWordsOfGo) {
  for (const auto& row : GoldenRows("typed_errors.jsonl")) {
    SCOPED_TRACE(row[1]);
    EXPECT_EQ(NormalizeText(row[0], row[1], nullptr), "error: " + row[2]);
  }
}

TEST(NormalizeTest, ReportsUnknownFieldsInTheOrderOfTheText) {
  for (const auto& row : GoldenRows("typed_unknown.jsonl")) {
    SCOPED_TRACE(row[1]);
    std::string unknown;
    const std::string text = NormalizeText(row[0], row[1], &unknown);
    EXPECT_FALSE(text.starts_with("error")) << text;
    EXPECT_EQ(unknown, row[2]);
  }
}

TEST(NormalizeTest, WritesObjectsAsGoDoes) {
  for (const auto& row : GoldenRows("typed_canonical.jsonl")) {
    SCOPED_TRACE(row[1]);
    const std::string text = NormalizeText(row[0], row[1], nullptr);
    EXPECT_EQ(text, row[2]);
    EXPECT_EQ(NormalizeText(row[0], text, nullptr), text) << "not idempotent";
  }
}

TEST(NormalizeTest, LooksOnlyIntoWhatWasTouched) {
  const TypeTable& table = TypeTable::BuiltIn();
  const auto normalize = [&](std::string_view type, std::string_view text, Touched touched) {
    auto document = json::Parse(text);
    EXPECT_TRUE(
        Normalize(document->root, table.Find(type), table, document->arena, nullptr, touched)
            .has_value());
    return json::ToString(document->root);
  };
  constexpr std::string_view kPod = "io.k8s.api.core.v1.Pod";
  constexpr std::string_view kText =
      R"({"status":{"phase":"Failed","bogus":1},"spec":{"nodeName":"n","bogus":1}})";
  constexpr std::string_view kStatus[] = {"status"};
  EXPECT_EQ(normalize(kPod, kText, kStatus),
            R"({"metadata":{},"spec":{"nodeName":"n","bogus":1},"status":{"phase":"Failed"}})");
  // What is canonical stays so, whatever is said to be touched.
  for (const auto& row : GoldenRows("typed_canonical.jsonl")) {
    SCOPED_TRACE(row[2]);
    EXPECT_EQ(normalize(row[0], row[2], {}), row[2]);
    EXPECT_EQ(normalize(row[0], row[2], kStatus), row[2]);
  }
}

TEST(NormalizeTest, KeepsEmptyListsWhenAsked) {
  auto document = json::Parse(
      R"({"data":{},"immutable":false,"metadata":{"name":"a","finalizers":[],"labels":{}}})");
  ASSERT_TRUE(document.has_value());
  const TypeTable& table = TypeTable::BuiltIn();
  const TypeId type = table.Find("io.k8s.api.core.v1.ConfigMap");
  NormalizeReport report;
  report.keeps_empty_lists = true;
  ASSERT_TRUE(Normalize(document->root, type, table, document->arena, &report).has_value());
  EXPECT_EQ(json::ToString(document->root),
            R"({"metadata":{"name":"a","finalizers":[]},"immutable":false})");
  ASSERT_TRUE(Normalize(document->root, type, table, document->arena, nullptr).has_value());
  EXPECT_EQ(json::ToString(document->root), R"({"metadata":{"name":"a"},"immutable":false})");
}

}  // namespace
}  // namespace kulisse::openapi
