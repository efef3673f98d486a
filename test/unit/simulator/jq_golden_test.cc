// Goal: jq programs give what gojq gives.
// Method: test/golden/jq/vectors.jsonl holds programs, inputs and what gojq 0.12.19 made of them;
// its recorder writes it anew (test/golden/README.md).
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <string>
#include <vector>

#include "base/json/parse.h"
#include "base/json/write.h"
#include "simulator/jq/jq.h"

namespace kulisse::simulator {
namespace {

// C's mathematics and Go's differ in the last bits.
bool IsNear(double a, double b) {
  return a == b || std::fabs(a - b) <= 1e-12 * std::max(std::fabs(a), std::fabs(b));
}

bool IsEqual(const json::Value& a, const json::Value& b) {
  if (a.IsNumber() && b.IsNumber()) return IsNear(a.AsDouble(), b.AsDouble());
  if (a.type() != b.type() || a.size() != b.size()) return false;
  for (size_t i = 0; i < a.elements().size(); ++i) {
    if (!IsEqual(a.elements()[i], b.elements()[i])) return false;
  }
  if (a.IsObject()) {
    for (const json::Member& member : a.members()) {
      const json::Value* other = b.Find(member.name);
      if (!other || !IsEqual(member.value, *other)) return false;
    }
    return true;
  }
  return a.IsArray() || a == b;
}

std::string ToText(const std::vector<const json::Value*>& values) {
  std::string text;
  for (const json::Value* value : values) text += json::ToSortedString(*value) + " ";
  return text;
}

void Replay(const json::Value& vector) {
  const auto program = Jq::Compile(vector.FindString({"program"}));
  EXPECT_EQ(!program.has_value(), vector.Find("refused") != nullptr)
      << (program ? "" : program.error());
  if (!program) return;
  json::Arena arena;
  std::vector<const json::Value*> results;
  const auto done = program->Evaluate(*vector.Find("input"), arena, &results,
                                      SystemTime(Duration(1700000000000000000)));
  const json::Value* error = vector.Find("error");
  ASSERT_EQ(!done.has_value(), error != nullptr) << (done ? ToText(results) : done.error());
  if (error) {
    if (!vector.Find("loose")) {
      EXPECT_EQ(done.error(), error->AsString());
    }
    return;
  }
  const auto outputs = vector.Find("outputs")->elements();
  bool equal = outputs.size() == results.size();
  for (size_t i = 0; i < outputs.size() && equal; ++i) equal = IsEqual(outputs[i], *results[i]);
  EXPECT_TRUE(equal) << "got  " << ToText(results) << "\nwant "
                     << json::ToSortedString(*vector.Find("outputs"));
}

TEST(JqGoldenTest, GivesWhatGojqGives) {
  std::ifstream file(KULISSE_SOURCE_DIR "/test/golden/jq/vectors.jsonl");
  ASSERT_TRUE(file);
  size_t count = 0;
  for (std::string line; std::getline(file, line); ++count) {
    const auto vector = json::Parse(line);
    ASSERT_TRUE(vector.has_value()) << line;
    SCOPED_TRACE(std::string(vector->root.FindString({"program"})) + "\non " +
                 json::ToString(*vector->root.Find("input")));
    Replay(vector->root);
  }
  EXPECT_GT(count, 1000u);
}

}  // namespace
}  // namespace kulisse::simulator
