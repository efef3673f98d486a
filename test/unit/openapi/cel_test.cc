// CEL against cel-go 0.26: test/golden/cel has the expressions and the recorder.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "base/json/parse.h"
#include "openapi/cel/environment.h"
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

}  // namespace
}  // namespace kulisse::openapi::cel
