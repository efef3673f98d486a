// KWOK's CEL against KWOK 0.8: test/golden/cel has the expressions, the objects and the recorder.
#include "simulator/stage/cel_environment.h"

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <limits>
#include <set>
#include <sstream>
#include <string>

#include "base/json/parse.h"
#include "base/virtual_runtime.h"
#include "test/unit/openapi/golden_rows.h"

namespace kulisse::simulator {
namespace {

json::Document Read(const std::string& name) {
  std::ifstream file(std::string(KULISSE_SOURCE_DIR) + "/test/golden/cel/" + name);
  std::stringstream text;
  text << file.rdbuf();
  auto document = json::Parse(text.str());
  EXPECT_TRUE(document.has_value()) << name;
  return std::move(*document);
}

class CelEnvironmentTest : public testing::Test {
 protected:
  std::vector<std::string> Outcome(const std::string& expression, std::string_view kind,
                                   const json::Value& self) {
    const auto compiled = environment_.Compile(expression, "v1", kind);
    if (!compiled) return {"refused", compiled.error()};
    const auto [type, text] = compiled->Show(self);
    if (type == "error") return {"error", text};
    return {"value", type, text};
  }

  void Replay(const std::string& name, std::string_view kind, const std::string& object,
              const std::set<std::string>& allowed) {
    const json::Document self = Read(object);
    for (const auto& row : GoldenRows(name)) {
      const std::vector<std::string> wanted(row.begin() + 1, row.end());
      const auto outcome = Outcome(row[0], kind, self.root);
      if (allowed.contains(row[0])) {
        EXPECT_NE(outcome, wanted) << row[0] << ": no longer a difference";
      } else {
        EXPECT_EQ(outcome, wanted) << row[0];
      }
    }
  }

  VirtualRuntime runtime_{1};
  CelEnvironment environment_{runtime_};
};

TEST_F(CelEnvironmentTest, PodsAreTypedAsInKwok) {
  // To KWOK's checker a comparison of quantities is an int, and quantities cannot be converted.
  Replay("cel_kwok_pod.jsonl", "Pod", "pod.json",
         {R"(Quantity("2") > Quantity("1") && true)", R"(double(Quantity("1500m")))",
          R"(string(Quantity("1500m")))",
          R"(self.spec.containers[0].resources.requests["cpu"] >= Quantity("1") || true)",
          R"(double(self.spec.overhead["cpu"]))"});
}

TEST_F(CelEnvironmentTest, NodesAreTypedAsInKwok) {
  Replay("cel_kwok_node.jsonl", "Node", "node.json", {});
}

TEST_F(CelEnvironmentTest, OtherKindsAreMaps) {
  Replay("cel_kwok_any.jsonl", "Job", "any.json", {});
}

TEST_F(CelEnvironmentTest, DifferencesToKwokAreWanted) {
  const json::Document pod = Read("pod.json");
  const auto show = [&](const std::string& expression) {
    const auto outcome = Outcome(expression, "Pod", pod.root);
    return outcome[0] + " " + outcome.back();
  };
  EXPECT_EQ(show(R"(Quantity("2") > Quantity("1") && true)"), "value true");
  EXPECT_EQ(show(R"(double(Quantity("1500m")))"), "value 1.5");
  EXPECT_EQ(show(R"(string(Quantity("1500m")))"), R"(value "1500m")");
  EXPECT_EQ(show(R"(double(self.spec.overhead["cpu"]))"), "value 0.01");
}

TEST_F(CelEnvironmentTest, TimeAndChanceComeFromTheRuntime) {
  const json::Document pod = Read("pod.json");
  const auto since = environment_.Compile("self.SinceSecond()", "v1", "Pod");
  ASSERT_TRUE(since.has_value());
  const auto before = since->AsFloat64(pod.root);
  ASSERT_TRUE(before.has_value());
  runtime_.RunFor(std::chrono::seconds(90));
  EXPECT_DOUBLE_EQ(*since->AsFloat64(pod.root), *before + 90);

  const auto chance = environment_.Compile("Rand()", "v1", "Pod");
  ASSERT_TRUE(chance.has_value());
  VirtualRuntime again{1};
  CelEnvironment other{again};
  const auto same = other.Compile("Rand()", "v1", "Pod");
  for (int i = 0; i < 10; ++i) {
    const double drawn = *chance->AsFloat64(pod.root);
    EXPECT_EQ(drawn, *same->AsFloat64(pod.root));
    EXPECT_GE(drawn, 0);
    EXPECT_LT(drawn, 1);
  }
}

TEST_F(CelEnvironmentTest, ResultsAreConvertedAsInKwok) {
  const json::Document job = Read("any.json");
  const auto compile = [&](const std::string& expression) {
    auto compiled = environment_.Compile(expression, "batch.volcano.sh/v1alpha1", "Job");
    EXPECT_TRUE(compiled.has_value()) << expression;
    return std::move(*compiled);
  };
  EXPECT_EQ(compile("self.spec.replicas > 2").AsBool(job.root), true);
  EXPECT_EQ(compile("1").AsBool(job.root).error(), "cel.AsBool unsupported type: int");
  EXPECT_EQ(compile("self.gone").AsBool(job.root).error(), "no such key: gone");
  EXPECT_EQ(compile("duration('1s')").AsInt64(job.root), 1'000'000'000);
  EXPECT_EQ(compile("true").AsInt64(job.root), 1);
  EXPECT_EQ(compile("2.9").AsInt64(job.root), 2);
  EXPECT_EQ(compile("1e30").AsInt64(job.root), std::numeric_limits<int64_t>::min());
  EXPECT_EQ(compile("'1'").AsInt64(job.root).error(), "cel.AsInt64 unsupported type: string");
  EXPECT_EQ(compile("self.metadata.annotations.delay").AsDuration(job.root),
            std::chrono::seconds(10));
  EXPECT_EQ(compile("1500").AsDuration(job.root), std::chrono::nanoseconds(1500));
  EXPECT_EQ(compile("'soon'").AsDuration(job.root).error(), "time: invalid duration \"soon\"");
  EXPECT_EQ(compile("Quantity('250m')").AsFloat64(job.root), 0.25);
  EXPECT_EQ(compile("self.kind").AsString(job.root), "Job");
  EXPECT_EQ(environment_.Compile("", "v1", "Pod").error(), "no source code");
}

}  // namespace
}  // namespace kulisse::simulator
