// Goal: the quick reader gives what the YAML library gives, or nothing.
// Method: rows, and seeded random documents of the lines that templates write; each is read by
// both.
#include "simulator/stage/quick_yaml.h"

#include <gtest/gtest.h>

#include "base/json/write.h"
#include "base/random.h"
#include "openapi/yaml.h"

namespace kulisse::simulator {
namespace {

std::string Library(std::string_view text) {
  std::vector<std::string> duplicates;
  const auto document = openapi::ParseYaml(text, &duplicates);
  return document ? json::ToString(document->root) : "error";
}

std::string Quick(std::string_view text) {
  json::Arena arena;
  const auto value = ParseQuickYaml(text, arena);
  return value ? json::ToString(*value) : "nothing";
}

TEST(QuickYamlTest, ReadsTheSubset) {
  constexpr std::string_view kTexts[] = {
      "a: b\n",
      "a: 1\nb: \"x: y\"\nc: true\n\n\nd: -5\n",
      "a:\n- x: 1\n  u: 2\n- x: 3\nb: z\n",
      "a:\n  - b\n  - \"c\\\"d\"\n",
      "- a: 1\n\n  b:\n    c: d\n- 2\n",
      "a:\nb: 1\n",
      "a:\n  b:\n    c: 1\n  d: 2\n",
      "cpu: 100m\nmemory: 64Mi\nzero: 0\nr: {}\nl: []\n",
      "\"k y\": v\nexample.com/x: z\n",
  };
  for (const std::string_view text : kTexts) {
    SCOPED_TRACE(text);
    EXPECT_NE(Quick(text), "nothing");
    const auto library = openapi::ParseYaml(text);
    json::Arena arena;
    EXPECT_EQ(*ParseQuickYaml(text, arena), library->root);
  }
}

TEST(QuickYamlTest, LeavesTheRestToTheLibrary) {
  constexpr std::string_view kTexts[] = {
      "",
      "a: b # c\n",
      "a: yes\n",
      "a: 1e3\n",
      "a: 010\n",
      "a: 'x'\n",
      "a: {b: c}\n",
      "a: |\n  x\n",
      "a: b\n  c\n",
      "a: 1\na: 2\n",
      "true: 1\n",
      "a: ~\n",
      "a: null\n",
      "a: \xc3\xa4\n",
      "a\n",
      "- a\nb: 1",
      "a:\n  b: 1\n c: 2\n",
      "---\na: 1\n",
      "a: \"x\\u0041\"\n",
      "a: b: c\n",
      "a: \"x\" y\n",
      "a: 1_000\n",
      "a: 0x1f\n",
      "a: .5\n",
      "\ta: 1\n",
  };
  for (const std::string_view text : kTexts) {
    SCOPED_TRACE(text);
    EXPECT_EQ(Quick(text), "nothing");
  }
}

TEST(QuickYamlTest, NeverDiffersFromTheLibrary) {
  constexpr std::string_view kPieces[] = {
      "a:",   "b: 1",   "- ", "- c: \"d\"", "  ",   "x",     "y: z", "\n",     "\n",    "\n  ",
      "\n- ", "\n    ", ": ", "\"q\"",      "true", "- - e", "off",  "f: 1.5", "g: {}", "-"};
  Random random(20261122);
  int read = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (uint64_t i = random.Below(10) + 1; i > 0; --i) {
      text += kPieces[random.Below(std::size(kPieces))];
    }
    json::Arena arena;
    const auto quick = ParseQuickYaml(text, arena);
    if (!quick) continue;
    ++read;
    const auto library = openapi::ParseYaml(text);
    ASSERT_TRUE(library.has_value()) << text << ": " << library.error();
    ASSERT_EQ(*quick, library->root) << text << " -> " << Library(text);
  }
  EXPECT_GT(read, 500);
}

}  // namespace
}  // namespace kulisse::simulator
