// Goal: jq expressions mean what they mean to gojq.
// Method: each row was run through gojq 0.12.19 over the same object.
#include "simulator/jq/jq.h"

#include <gtest/gtest.h>

#include <string>

#include "base/json/parse.h"
#include "base/json/write.h"
#include "simulator/limits.h"

namespace kulisse::simulator {
namespace {

constexpr std::string_view kObject = R"({
  "a": {"b": 1, "c": [1, 2, {"d": "x"}]},
  "s": "text", "n": null, "f": false, "t": true, "z": 0, "neg": -3, "e": [],
  "list": [{"type": "Ready", "status": "True"}, {"type": "Disk", "status": "False"}],
  "m": {"k/1": "v", "y": 2, "x": 1}
})";

// All results, one after the other, or "error: …".
std::string Evaluate(std::string_view expression) {
  auto program = Jq::Compile(expression);
  if (!program) return "refused: " + program.error();
  const auto object = json::Parse(kObject);
  json::Arena arena;
  std::vector<const json::Value*> results;
  const auto done = program->Evaluate(object->root, arena, &results);
  if (!done) return "error";
  std::string text;
  for (const json::Value* result : results) {
    if (!text.empty()) text += ' ';
    text += json::ToSortedString(*result);
  }
  return text;
}

struct Row {
  std::string_view expression, want;
};

TEST(JqTest, IdentityIsTheObject) {
  EXPECT_EQ(Evaluate("."), json::ToSortedString(json::Parse(kObject)->root));
}

TEST(JqTest, RefusesByNameWhatIsNotThere) {
  constexpr Row kRows[] = {
      {"input", "refused: `input` is not supported: it has no meaning in a server (at 0)"},
      {"$ENV.PATH", "refused: `$ENV` is not supported: it has no meaning in a server (at 0)"},
      {"length(1)", "refused: function not defined: length/1 (at 0)"},
      {"$x", "refused: variable not defined: $x (at 0)"},
      {"$__loc__", "refused: variable not defined: $__loc__ (at 0)"},
      {"break $x", "refused: label not defined: $x (at 6)"},
      {"import \"a\" as a; 1",
       "refused: modules are not supported: there are no files here (at 0)"},
      {".a |", "refused: unexpected end of expression (at 4)"},
      {".a)", "refused: unexpected token `)` (at 2)"},
      {"", "refused: unexpected end of expression (at 0)"},
      {"\"abc", "refused: unterminated string literal (at 4)"},
  };
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.expression);
    EXPECT_EQ(Evaluate(row.expression), row.want);
  }
}

TEST(JqTest, TellsComputedIntegersFromNumbersOfTheObject) {
  const auto type_of = [](std::string_view expression) {
    auto program = Jq::Compile(expression);
    const auto object = json::Parse(R"({"replicas": 3, "list": [1]})");
    json::Arena arena;
    std::vector<const json::Value*> results;
    EXPECT_TRUE(program->Evaluate(object->root, arena, &results).has_value());
    return results.at(0)->type();
  };
  EXPECT_EQ(type_of(".replicas"), json::Type::kDouble);
  EXPECT_EQ(type_of(".replicas + 1"), json::Type::kDouble);
  EXPECT_EQ(type_of(".list[0]"), json::Type::kDouble);
  EXPECT_EQ(type_of("3"), json::Type::kInt);
  EXPECT_EQ(type_of(".list | length"), json::Type::kInt);
  EXPECT_EQ(type_of("\"3\" | tonumber"), json::Type::kInt);
}

TEST(JqTest, NowIsGivenFromOutside) {
  auto program = Jq::Compile("now, (now | todate)");
  const json::Value null;
  json::Arena arena;
  std::vector<const json::Value*> results;
  EXPECT_FALSE(program->Evaluate(null, arena, &results).has_value());
  const auto now = SystemTime(std::chrono::milliseconds(1'425'599'621'500));
  ASSERT_TRUE(program->Evaluate(null, arena, &results, now).has_value());
  EXPECT_EQ(results.at(0)->AsDouble(), 1'425'599'621.5);
  EXPECT_EQ(results.at(1)->AsString(), "2015-03-05T23:53:41Z");
}

TEST(JqTest, BoundsNestingLengthStepsStackAndMemory) {
  EXPECT_FALSE(Jq::Compile(std::string(1'000, '(')));
  EXPECT_FALSE(Jq::Compile(std::string(kExpressionBytesMax + 1, ' ')));
  std::string chain;
  for (int i = 0; i < 1'000; ++i) chain += ".a";
  EXPECT_EQ(Evaluate(chain), "null");
  for (size_t i = 0; i < kExpressionNodesMax; ++i) chain += ".a";
  EXPECT_TRUE(Evaluate(chain).starts_with("refused: the expression has too many parts"));
  std::string product = "(1,2,3,4)";
  for (int i = 0; i < 20; ++i) product += "+(1,2,3,4)";
  constexpr std::string_view kEndless[] = {"repeat(1)",
                                           "def f: f; f",
                                           "def f: [f]; f",
                                           "def f: (f | .), 1; f",
                                           "reduce range(1e9) as $i (\"x\"; . + .)",
                                           "reduce range(1e9) as $i ([]; [.])",
                                           "[.[] = range(1e9)]",
                                           "[1 | recurse(. + 1)]",
                                           "\"x\" * 1e9",
                                           ".[500000000] = 1",
                                           "last(range(infinite))",
                                           "try repeat(1) catch 1",
                                           "[limit(1e9; repeat(1))]",
                                           "[range(1e5)] | . - map(. + 0.5)",
                                           "[range(1e5)] | contains(map(. + 0.5))",
                                           "[range(1e5)] | indices([range(5e4)])"};
  EXPECT_EQ(Evaluate(product), "error");
  for (const std::string_view endless : kEndless) {
    SCOPED_TRACE(endless);
    EXPECT_EQ(Evaluate(endless), "error");
  }
}

// Loops that are written as recursion take no stack.
TEST(JqTest, RunsLongLoops) {
  EXPECT_EQ(Evaluate("0 | until(. >= 50000; . + 1)"), "50000");
  EXPECT_EQ(Evaluate("[0 | while(. < 20000; . + 1)] | length"), "20000");
  EXPECT_EQ(Evaluate("def f: if . >= 50000 then . else . + 1 | f end; 0 | f"), "50000");
  EXPECT_EQ(Evaluate("[range(3000)] | .[] |= . + 1 | length"), "3000");
}

}  // namespace
}  // namespace kulisse::simulator
