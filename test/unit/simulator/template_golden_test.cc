// Goal: templates render as Go's text/template with sprig renders them.
// Method: test/golden/template/vectors.jsonl holds templates, data and what Go made of them; its
// recorder writes it anew (test/golden/template/README.md).
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "base/json/parse.h"
#include "base/json/write.h"
#include "simulator/stage/template.h"
#include "test/unit/simulator/template_support.h"

namespace kulisse::simulator {
namespace {

TEST(TemplateGoldenTest, RendersWhatGoRenders) {
  std::ifstream file(KULISSE_SOURCE_DIR "/test/golden/template/vectors.jsonl");
  ASSERT_TRUE(file);
  size_t count = 0;
  for (std::string line; std::getline(file, line); ++count) {
    const auto vector = json::Parse(line);
    ASSERT_TRUE(vector.has_value()) << line;
    const std::string text(vector->root.FindString({"template"}));
    SCOPED_TRACE(text);
    const auto compiled = Template::Compile(text, TemplateScope::kAny);
    const bool refused = vector->root.Find("refused") != nullptr;
    EXPECT_EQ(!compiled.has_value(), refused) << (compiled ? "" : compiled.error());
    if (!compiled) continue;
    FixedEnvironment environment;
    const auto rendered = compiled->Render(*vector->root.Find("data"), environment);
    const bool failed = vector->root.Find("error") != nullptr;
    EXPECT_EQ(!rendered.has_value(), failed) << (rendered ? *rendered : rendered.error());
    if (rendered && !failed) {
      EXPECT_EQ(*rendered, vector->root.FindString({"output"}));
    }
  }
  EXPECT_GT(count, 100u);
}

}  // namespace
}  // namespace kulisse::simulator
