#include "openapi/selector.h"

#include <gtest/gtest.h>

#include <map>

#include "base/json/parse.h"
#include "test/unit/openapi/golden_rows.h"

namespace kulisse::openapi {
namespace {

template <class Selector>
std::string Print(const std::expected<Selector, std::string>& selector) {
  return selector ? selector->ToString() : "error: " + selector.error();
}

// Goal: accept, print and refuse what upstream's labels and fields packages do.
// Method: every row was answered by them.
TEST(SelectorTest, ParsesAndPrintsAsUpstream) {
  for (const auto& row : GoldenRows("selectors.jsonl")) {
    SCOPED_TRACE(row[0] + ": " + row[1]);
    if (row[0] == "labels") {
      EXPECT_EQ(Print(LabelSelector::Parse(row[1])), row[2]);
    } else if (row[0] == "fields") {
      EXPECT_EQ(Print(FieldSelector::Parse(row[1])), row[2]);
    } else {
      const auto object = json::Parse(row[1]);
      ASSERT_TRUE(object.has_value());
      EXPECT_EQ(Print(LabelSelector::FromObject(object->root)), row[2]);
    }
  }
}

TEST(SelectorTest, PrintsWhatParsesToTheSame) {
  for (const auto& row : GoldenRows("selectors.jsonl")) {
    SCOPED_TRACE(row[1]);
    if (const auto labels = LabelSelector::Parse(row[1]); row[0] == "labels" && labels) {
      EXPECT_EQ(Print(LabelSelector::Parse(labels->ToString())), labels->ToString());
    }
    if (const auto fields = FieldSelector::Parse(row[1]); row[0] == "fields" && fields) {
      EXPECT_EQ(Print(FieldSelector::Parse(fields->ToString())), fields->ToString());
    }
  }
}

Lookup Of(const std::map<std::string, std::string, std::less<>>& labels) {
  return [&labels](std::string_view key) -> std::optional<std::string_view> {
    const auto it = labels.find(key);
    if (it == labels.end()) return std::nullopt;
    return it->second;
  };
}

TEST(SelectorTest, MatchesLabels) {
  const std::map<std::string, std::string, std::less<>> labels = {
      {"app", "web"}, {"size", "10"}, {"empty", ""}};
  struct Row {
    std::string_view selector;
    bool matches;
  };
  constexpr Row kRows[] = {
      {"", true},
      {"app=web", true},
      {"app==web", true},
      {"app=db", false},
      {"app!=db", true},
      {"app!=web", false},
      {"none!=web", true},
      {"none=", false},
      {"empty=", true},
      {"app", true},
      {"none", false},
      {"!app", false},
      {"!none", true},
      {"app in (db,web)", true},
      {"app in (db)", false},
      {"none in (db)", false},
      {"app notin (db)", true},
      {"none notin (db)", true},
      {"app notin (web)", false},
      {"size>9", true},
      {"size>10", false},
      {"size<11", true},
      {"size<10", false},
      {"app>1", false},
      {"none<1", false},
      {"app=web,size=10", true},
      {"app=web,size=11", false},
  };
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.selector);
    const auto selector = LabelSelector::Parse(row.selector);
    ASSERT_TRUE(selector.has_value()) << selector.error();
    EXPECT_EQ(selector->Matches(Of(labels)), row.matches);
    EXPECT_EQ(selector->empty(), row.selector.empty());
  }
}

TEST(SelectorTest, MatchesFieldsAndTakesMissingOnesForEmpty) {
  const std::map<std::string, std::string, std::less<>> fields = {{"metadata.name", "a,b"}};
  struct Row {
    std::string_view selector;
    bool matches;
  };
  constexpr Row kRows[] = {
      {"", true},
      {"metadata.name=a\\,b", true},
      {"metadata.name!=a\\,b", false},
      {"metadata.name=a", false},
      {"spec.nodeName=", true},
      {"spec.nodeName!=", false},
      {"spec.nodeName!=x,metadata.name!=y", true},
  };
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.selector);
    const auto selector = FieldSelector::Parse(row.selector);
    ASSERT_TRUE(selector.has_value()) << selector.error();
    EXPECT_EQ(selector->Matches(Of(fields)), row.matches);
  }
}

}  // namespace
}  // namespace kulisse::openapi
