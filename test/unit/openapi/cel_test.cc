// CEL against cel-go 0.26: test/golden/cel has the expressions and the recorder.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "base/json/parse.h"
#include "openapi/cel/environment.h"
#include "openapi/cel/kubernetes.h"
#include "openapi/cel/limits.h"
#include "openapi/cel/time_zone.h"
#include "test/unit/openapi/golden_rows.h"

namespace kulisse::openapi::cel {
namespace {

json::Document ReadVariables() {
  std::ifstream file(std::string(KULISSE_SOURCE_DIR) + "/test/golden/cel/variables.json");
  std::stringstream text;
  text << file.rdbuf();
  auto document = json::Parse(text.str());
  EXPECT_TRUE(document.has_value());
  return std::move(*document);
}

// The variables of the recorder.
class Variables {
 public:
  void AddTo(Environment* environment) const {
    for (const auto& [name, type] : kTypes) environment->AddVariable(name, type);
  }

  [[nodiscard]] std::vector<Value> Values(Evaluation& evaluation) const {
    std::vector<Value> values;
    for (const auto& [name, type] : kTypes) {
      values.push_back(FromJson(document_.root.Find(name), nullptr, evaluation));
    }
    return values;
  }

 private:
  inline static const std::vector<std::pair<std::string, Type>> kTypes = {
      {"b", Type::Bool()},
      {"i", Type::Int()},
      {"f", Type::Double()},
      {"s", Type::String()},
      {"ints", Type::List(Type::Int())},
      {"labels", Type::Map(Type::String(), Type::String())},
      {"o", Type::Dyn()},
      {"a.b", Type::Int()}};
  json::Document document_ = ReadVariables();
};

// As the recorder writes it: refused, error, or value with type and text.
std::vector<std::string> Outcome(const Environment& environment, const Variables& variables,
                                 const std::string& expression) {
  const auto program = environment.Compile(expression);
  if (!program) return {"refused", program.error().text};
  Evaluation evaluation;
  const Value value = program->Evaluate(variables.Values(evaluation), evaluation);
  if (value.IsError()) return {"error", std::string(value.AsText())};
  return {"value", std::string(TypeNameOf(value)), DebugText(value, evaluation)};
}

void Replay(const Environment& environment, const std::string& name) {
  const Variables variables;
  for (const auto& row : GoldenRows(name)) {
    const std::vector<std::string> wanted(row.begin() + 1, row.end());
    EXPECT_EQ(Outcome(environment, variables, row[0]), wanted) << row[0];
  }
}

Environment MakeEnvironment(Environment::Options options = {}) {
  Environment environment(options);
  Variables().AddTo(&environment);
  return environment;
}

TEST(CelTest, StandardLibraryAnswersAsCelGoDoes) {
  Replay(MakeEnvironment(), "cel_standard.jsonl");
}

// cel-go goes on after a syntax error and may find more; we stop at the first.
TEST(CelTest, FirstSyntaxErrorReadsAsCelGosDoes) {
  const Environment environment = MakeEnvironment();
  const Variables variables;
  for (const auto& row : GoldenRows("cel_syntax.jsonl")) {
    const auto outcome = Outcome(environment, variables, row[0]);
    EXPECT_EQ(outcome[0], row[1]) << row[0];
    EXPECT_EQ(outcome.back(), row.back().substr(0, outcome.back().size())) << row[0];
  }
}

TEST(CelTest, OptionsOfTheCheckerMatter) {
  Replay(MakeEnvironment({.cross_type_comparisons = true, .homogeneous_literals = true}),
         "cel_strict.jsonl");
}

// --- limits ---

constexpr std::string_view kExhausted = "operation cancelled: actual cost limit exceeded";

std::string Repeat(std::string_view text, size_t count) {
  std::string result;
  for (size_t i = 0; i < count; ++i) result += text;
  return result;
}

// Text of the outcome: what was refused, the error, or the value.
std::string Answer(const Environment& environment, const std::string& expression) {
  return Outcome(environment, Variables(), expression).back();
}

TEST(CelTest, StepsAreBoundedAndNothingAbsorbsThat) {
  const Environment environment = MakeEnvironment();
  const std::string list = "[" + Repeat("0,", 150) + "]";
  const std::string loops =
      list + ".all(a, " + list + ".all(b, " + list + ".all(c, a + b + c == 0)))";
  EXPECT_EQ(Answer(environment, loops), kExhausted);
  EXPECT_EQ(Answer(environment, loops + " || true"), kExhausted);
  EXPECT_EQ(Answer(environment, "true || " + loops), "true");
  EXPECT_EQ(Answer(environment, "[1].map(x, " + loops + ")"), kExhausted);
  // A regular expression that is computed is compiled each time.
  EXPECT_EQ(Answer(environment, list + ".all(a, 'x'.matches('x{' + '1}'))"), "true");
  EXPECT_EQ(Answer(environment, list + ".all(a, " + list + ".all(b, 'x'.matches('x{' + '1}')))"),
            kExhausted);
}

TEST(CelTest, MemoryIsBounded) {
  const Environment environment = MakeEnvironment();
  // Each map makes the text twice as long.
  std::string expression = "['0123456789abcdef']";
  for (int i = 0; i < 30; ++i) expression += ".map(x, x + x)";
  EXPECT_EQ(Answer(environment, expression + ".size()"), kExhausted);
}

TEST(CelTest, NestingIsBounded) {
  const Environment environment = MakeEnvironment();
  const auto refused = [](size_t column) {
    return "ERROR: <input>:-1:0: expression recursion limit exceeded: " + std::to_string(column);
  };
  EXPECT_EQ(Answer(environment, Repeat("(", 200) + "1" + Repeat(")", 200)), "1");
  EXPECT_EQ(Answer(environment, Repeat("(", 100'000)), refused(kCelDepthMax));
  EXPECT_EQ(Answer(environment, Repeat("[", 50'000)), refused(kCelDepthMax));
  EXPECT_EQ(Answer(environment, "1" + Repeat("+1", 200)), "201");
  EXPECT_EQ(Answer(environment, "1" + Repeat("+1", 40'000)), refused(kCelDepthMax));
  EXPECT_EQ(Answer(environment, "o" + Repeat(".a", 40'000)), refused(kCelDepthMax));
  EXPECT_EQ(Answer(environment, Repeat("!", 50'000) + "b"), "true");
  EXPECT_EQ(Answer(environment, Repeat("true && ", 10'000) + "b"), "true");
  // Rows in brackets in rows: each within the limit of cel-go, together a tree that is too high.
  std::string rows = "1";
  for (int i = 0; i < 20; ++i) rows = "(" + rows + Repeat("+1", 150) + ")";
  EXPECT_EQ(Answer(environment, rows), refused(kCelDepthMax));
}

TEST(CelTest, LongTextsAreRefused) {
  const Environment environment = MakeEnvironment();
  EXPECT_EQ(Answer(environment, "1" + std::string(kCelCodePointsMax, ' ')),
            "ERROR: <input>:-1:0: expression code point size exceeds limit: size: 100001, limit "
            "100000");
  // A line that is too long is not quoted.
  const std::string answer = Answer(environment, std::string(20'000, ' ') + "x");
  EXPECT_EQ(answer, "ERROR: <input>:1:20001: undeclared reference to 'x' (in container '')");
}

TEST(CelTest, TypesThatGrowStayCheap) {
  const Environment environment = MakeEnvironment();
  std::string expression = "[1]";
  for (int i = 0; i < 100; ++i) expression += ".map(x, {'k': [x, x], 'l': [[x]]})";
  EXPECT_EQ(Answer(environment, expression + ".size()"), "1");
}

TEST(CelTest, ManyErrorsAreCounted) {
  const Environment environment = MakeEnvironment();
  const std::string answer = Answer(environment, "[" + Repeat("x,", 150) + "]");
  EXPECT_TRUE(answer.ends_with("\n50 more errors were truncated")) << answer.substr(0, 200);
}

// --- expressions of Kubernetes ---

class CelKubernetesTest : public testing::Test {
 protected:
  CelKubernetesTest() {
    environment_.AddVariable("object", Type::Dyn());
    environment_.AddVariable("params", Type::Dyn());
  }
  Environment environment_{&KubernetesEnvironment()};
};

TEST_F(CelKubernetesTest, TypesAreToldWhereTheyCanBe) {
  constexpr std::pair<std::string_view, std::string_view> kRows[] = {
      {"object.spec.replicas <= params.max", "bool"},
      {"object.a", "dyn"},
      {"object.?a.?b", "optional_type(dyn)"},
      {"[1, 2].first()", "optional_type(int)"},
      {"object[?'a'].orValue(0)", "int"},
      {"optional.of('x').orValue('')", "string"},
      {"quantity('1Gi').add(1)", "kubernetes.Quantity"},
      {"url('a').getQuery()", "map(string, list(string))"},
      {"['%s'.format([1, 'a', true])]", "list(string)"},
      {"type(object) == net.IP", "bool"},
  };
  for (const auto& [text, type] : kRows) {
    const auto checked = environment_.CheckTypes(text);
    ASSERT_TRUE(checked.has_value()) << checked.error().text;
    EXPECT_EQ(checked->type.DeclaredName(), type) << text;
  }
}

// Of what the checker cannot follow only the names are looked at.
TEST_F(CelKubernetesTest, OnlyWhatIsSurelyWrongIsRefused) {
  for (const std::string_view right :
       {"object[?'a'].optMap(v, v + 1).orValue(0) == 1", "{?'a': object.?b}", "[?object.?c]",
        "object.list.all(i, v, i < 3 && v > i)", "object.map.transformList(k, v, k + v)",
        "cel.bind(x, object.a, x.b + x.c)", "Object{spec: Object.spec{replicas: 3}}",
        "[JSONPatch{op: 'add', path: '/a/' + jsonpatch.escapeKey('x/y'), value: object.b}]"}) {
    const auto checked = environment_.CheckTypes(right);
    ASSERT_TRUE(checked.has_value()) << checked.error().text;
    EXPECT_TRUE(checked->type.IsError()) << right;
  }
  constexpr std::pair<std::string_view, std::string_view> kWrong[] = {
      {"objct.a.all(i, v, i > v)",
       "1:1: undeclared reference to 'objct' (in container '')\n | objct.a.all(i, v, i > v)\n | ^"},
      {"Object{a: y}",
       "1:11: undeclared reference to 'y' (in container '')\n | Object{a: y}\n | "
       "..........^"},
      {"",
       "1:0: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', "
       "'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}"}};
  for (const auto& [text, error] : kWrong) {
    const auto checked = environment_.CheckTypes(text);
    ASSERT_FALSE(checked.has_value()) << text;
    EXPECT_EQ(checked.error().text, "ERROR: <input>:" + std::string(error));
  }
}

// --- hosts ---

TEST(CelTest, HostsAddFunctions) {
  Environment environment;
  environment.AddVariable("n", Type::Int());
  environment.AddFunction("twice", {.id = "twice_int",
                                    .arguments = {Type::Int()},
                                    .result = Type::Int(),
                                    .call = [](std::span<const Value> arguments, Evaluation&) {
                                      return Value::Int(arguments[0].AsInt() * 2);
                                    }});
  environment.AddFunction("twice",
                          {.id = "string_twice",
                           .is_member = true,
                           .arguments = {Type::String()},
                           .result = Type::String(),
                           .call = [](std::span<const Value> arguments, Evaluation& evaluation) {
                             const std::string text(arguments[0].AsText());
                             return evaluation.MakeString(text + text);
                           }});
  environment.AddFunction("net.host", {.id = "host",
                                       .arguments = {},
                                       .result = Type::String(),
                                       .call = [](std::span<const Value>, Evaluation& evaluation) {
                                         return evaluation.Fail("no network");
                                       }});
  const auto answer = [&](const std::string& expression) {
    const auto program = environment.Compile(expression);
    if (!program) return program.error().text;
    Evaluation evaluation;
    const Value variables[] = {Value::Int(21)};
    return PlainText(program->Evaluate(variables, evaluation));
  };
  EXPECT_EQ(answer("twice(n)"), "42");
  EXPECT_EQ(answer("'ab'.twice() + string(twice(1))"), "abab2");
  EXPECT_EQ(answer("twice(dyn('x'))"), "no such overload: twice(string)");
  EXPECT_EQ(answer("net.host()"), "no network");
  EXPECT_EQ(answer("net.host() == '' || true"), "true");
  EXPECT_EQ(answer("'a'.twice(1)"),
            "ERROR: <input>:1:10: found no matching overload for 'twice' applied to "
            "'string.(int)'\n | 'a'.twice(1)\n | .........^");
}

TEST(CelTest, RulesOfTimeZonesAreRead) {
  struct Row {
    std::string_view rule;
    int64_t seconds;
    int64_t offset;
  };
  constexpr Row kRows[] = {
      {"UTC0", 0, 0},
      {"<+03>-3", 0, 10'800},
      {"EST5EDT,M3.2.0,M11.1.0", 1'704'067'200, -18'000},  // 2024-01-01
      {"EST5EDT,M3.2.0,M11.1.0", 1'719'792'000, -14'400},  // 2024-07-01
      {"AEST-10AEDT,M10.1.0,M4.1.0/3", 1'704'067'200, 39'600},
      {"AEST-10AEDT,M10.1.0,M4.1.0/3", 1'719'792'000, 36'000},
      {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", 1'719'792'000, -3'600},
      {"IST-1GMT0,M10.5.0,M3.5.0/1", 1'704'067'200, 0},
      {"AAA4BBB,J60,J300", 1'719'792'000, -10'800},
      {"AAA4BBB,59,300/12:30:30", 1'719'792'000, -10'800},
  };
  for (const Row& row : kRows) {
    const auto offset = OffsetOfRule(row.rule, row.seconds);
    ASSERT_TRUE(offset.has_value()) << row.rule;
    EXPECT_EQ(*offset, row.offset) << row.rule;
  }
  for (const std::string_view wrong :
       {"", "U0", "UTC", "EST5EDT,M3.2.0", "EST5EDT,M13.2.0,M11.1.0", "EST5EDT,M3.6.0,M11.1.0",
        "EST5EDT,M3.2.7,M11.1.0", "EST999", "<+03-3", "EST5EDT,M3.2.0,M11.1.0x"}) {
    EXPECT_FALSE(OffsetOfRule(wrong, 0).has_value()) << wrong;
  }
}

}  // namespace
}  // namespace kulisse::openapi::cel
