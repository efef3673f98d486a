// KWOK's CEL against KWOK 0.8: test/golden/cel has the expressions, the objects and the recorder.
#include "simulator/stage/cel_environment.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "base/json/parse.h"
#include "base/time.h"
#include "base/virtual_runtime.h"
#include "test/unit/openapi/golden_rows.h"

namespace kulisse::simulator {
namespace {

// 2024-05-01T12:00:00Z, two hours after the objects were made.
constexpr SystemTime kNow{std::chrono::seconds(1'714'564'800)};

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

  VirtualRuntime runtime_{1, kNow};
  CelEnvironment environment_{runtime_};
};

TEST_F(CelEnvironmentTest, PodsAreTypedAsInKwok) {
  Replay("cel_kwok_pod.jsonl", "Pod", "pod.json", {});
}

TEST_F(CelEnvironmentTest, NodesAreTypedAsInKwok) {
  Replay("cel_kwok_node.jsonl", "Node", "node.json", {});
}

TEST_F(CelEnvironmentTest, OtherKindsAreMaps) {
  Replay("cel_kwok_any.jsonl", "Job", "any.json", {});
}

}  // namespace
}  // namespace kulisse::simulator
