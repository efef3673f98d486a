// Goal: jq expressions mean what they mean to gojq.
// Method: each row was run through gojq 0.12.19 over the same object.
#include "simulator/stage/jq.h"

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

constexpr Row kGojqRows[] = {
    {".a.b", "1"},
    {".missing", "null"},
    {".missing.deeper", "null"},
    {".s.x", "error"},
    {".s.x?", ""},
    {".a[\"b\"]", "1"},
    {".a.\"b\"", "1"},
    {".m[\"k/1\"]", "\"v\""},
    {".missing[\"k\"]", "null"},
    {".list.[] | select(.type == \"Ready\") | .status", "\"True\""},
    {".list[] | select( .type == \"None\" ) | .status", ""},
    {".list.[].type", "\"Ready\" \"Disk\""},
    {".missing.[]", "error"},
    {".missing.[]?", ""},
    {".missing[]?.x", ""},
    {".m[]", "\"v\" 1 2"},
    {".a.c[0]", "1"},
    {".a.c[-1].d", "\"x\""},
    {".a.c[9]", "null"},
    {".a.c.[2]", "{\"d\":\"x\"}"},
    {".s[0]", "\"t\""},
    {".s[-1]", "\"t\""},
    {".s[9]", "null"},
    {".t[0]", "error"},
    {".a.b, .s", "1 \"text\""},
    {".n // \"d\"", "\"d\""},
    {".f // 1", "1"},
    {".z // 1", "0"},
    {".s.x // 5", "error"},
    {"(.s.x?) // 5", "5"},
    {"(.n, 1, 2) // 3", "1 2"},
    {".a.b == 1", "true"},
    {".a.b == 1.0", "true"},
    {".a.b != 1", "false"},
    {".z < .a.b", "true"},
    {"null < false", "true"},
    {"[] < .m", "true"},
    {"\"a\" < \"b\"", "true"},
    {"[1,2] <= [1,2,3]", "true"},
    {".t and .f", "false"},
    {".t or .missing", "true"},
    {"(true, false) and (true, false)", "true false false"},
    {"(1, 2) + (10, 20)", "11 12 21 22"},
    {".s | not", "false"},
    {".n | not", "true"},
    {".list | length", "2"},
    {".s | length", "4"},
    {"\"\\u00e4\" | length", "1"},
    {".n | length", "0"},
    {".neg | length", "3"},
    {".t | length", "error"},
    {".a | has(\"b\")", "true"},
    {".a | has(\"x\")", "false"},
    {".a.c | has(1)", "true"},
    {".s | has(\"x\")", "error"},
    {".list | any(.type == \"Ready\")", "true"},
    {".list | all(.type == \"Ready\")", "false"},
    {"[true, false] | any", "true"},
    {"[] | all", "true"},
    {"any(.list[]; .status == \"False\")", "true"},
    {"[.list[].type]", "[\"Ready\",\"Disk\"]"},
    {"[]", "[]"},
    {".list | map(.type)", "[\"Ready\",\"Disk\"]"},
    {".m | keys", "[\"k/1\",\"x\",\"y\"]"},
    {".z | tostring", "\"0\""},
    {".a.c | tostring", "\"[1,2,{\\\"d\\\":\\\"x\\\"}]\""},
    {"\"12\" | tonumber", "12"},
    {"\"x\" | tonumber", "error"},
    {".a | type", "\"object\""},
    {".s | startswith(\"te\")", "true"},
    {".s | endswith(\"te\")", "false"},
    {".z | startswith(\"te\")", "error"},
    {"first(.list[].type)", "\"Ready\""},
    {".a.c | first", "1"},
    {".e | first", "null"},
    {"[1, 2, 3] | add", "6"},
    {"[\"a\", \"b\"] | add", "\"ab\""},
    {"[] | add", "null"},
    {"1 - 3", "-2"},
    {"[1, 2, 1] - [1]", "[2]"},
    {".n + 1", "1"},
    {".s + 1", "error"},
    {".a.c[] | values | type", "\"number\" \"number\" \"object\""},
    {"empty", ""},
    {"1, empty, 2", "1 2"},
    {"-1", "-1"},
    {".a.b # comment", "1"},
};

TEST(JqTest, GivesTheResultsOfGojq) {
  for (const Row& row : kGojqRows) {
    SCOPED_TRACE(row.expression);
    EXPECT_EQ(Evaluate(row.expression), row.want);
  }
}

TEST(JqTest, IdentityIsTheObject) {
  EXPECT_EQ(Evaluate("."), json::ToSortedString(json::Parse(kObject)->root));
}

TEST(JqTest, RefusesByNameWhatIsNotThere) {
  constexpr Row kRows[] = {
      {"reduce .[] as $x (0; . + $x)", "refused: `reduce` is not supported (at 0)"},
      {"if .a then 1 else 2 end", "refused: `if` is not supported (at 0)"},
      {".a |= 1", "refused: `|=` is not supported (at 3)"},
      {".a = 1", "refused: `=` is not supported (at 3)"},
      {".a += 1", "refused: `+=` is not supported (at 3)"},
      {"..", "refused: `..` is not supported (at 0)"},
      {".a * 2", "refused: `*` is not supported (at 3)"},
      {"$x", "refused: `$` is not supported (at 0)"},
      {".[1:2]", "refused: slices are not supported (at 3)"},
      {"test(\"a\")", "refused: function `test/1` is not supported (at 0)"},
      {"length(1)", "refused: function `length/1` is not supported (at 0)"},
      {"\"\\(1)\"", "refused: string interpolation is not supported (at 1)"},
      {".a |", "refused: unexpected end of expression (at 4)"},
      {".a)", "refused: unexpected `)` (at 2)"},
      {"", "refused: unexpected end of expression (at 0)"},
      {"\"abc", "refused: unterminated string (at 0)"},
  };
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.expression);
    EXPECT_EQ(Evaluate(row.expression), row.want);
  }
}

TEST(JqTest, BoundsNestingLengthAndSteps) {
  EXPECT_FALSE(Jq::Compile(std::string(1'000, '(')));
  EXPECT_FALSE(Jq::Compile(std::string(kExpressionBytesMax + 1, ' ')));
  std::string chain;
  for (size_t i = 1; i < kExpressionNodesMax; ++i) chain += ".a";
  EXPECT_EQ(Evaluate(chain), "null");  // as long as it may be: the stack holds it
  EXPECT_EQ(Evaluate(chain + ".a"), "refused: the expression has too many parts");
  std::string product = "(1,2,3,4)";
  for (int i = 0; i < 20; ++i) product += "+(1,2,3,4)";
  EXPECT_EQ(Evaluate(product), "error");
}

}  // namespace
}  // namespace kulisse::simulator
