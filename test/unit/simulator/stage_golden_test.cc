// Goal: the shipped stages do to objects what the files beside them say.
// Method: test/golden/stages/X.input.yaml is an object; X.output.yaml is the stage that it goes
// through, its delay and its actions, every template rendered. KULISSE_UPDATE_GOLDEN=1 rewrites.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/json/write.h"
#include "base/virtual_runtime.h"
#include "openapi/yaml.h"
#include "simulator/stage/config.h"
#include "simulator/stage/lifecycle.h"
#include "test/unit/simulator/template_support.h"

namespace kulisse::simulator {
namespace {

namespace fs = std::filesystem;
using json::Value;

std::string ReadFile(const fs::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

Value Describe(const StageAction& action, const Value& object, json::Arena& arena) {
  Value out = Value::Object();
  const auto text = [&](std::string_view value) { return Value::String(value, arena); };
  if (const auto* patch = std::get_if<PatchAction>(&action)) {
    constexpr std::string_view kTypes[] = {"json", "merge", "strategic"};
    FixedEnvironment environment;
    auto body = patch->body.RenderValue(object, environment, arena);
    out.Set("patch", text(kTypes[static_cast<size_t>(patch->type)]), arena);
    out.Set("subresource", text(patch->subresource), arena);
    out.Set("root", text(patch->root), arena);
    out.Set("body", body ? std::move(*body) : text("error: " + body.error()), arena);
  } else if (std::holds_alternative<DeleteAction>(action)) {
    out.Set("delete", Value::Bool(true), arena);
  }
  return out;
}

std::string Play(const json::Document& object) {
  const std::string kind(object.root.FindString({"kind"}));
  std::vector<Stage> stages = WithDefaultStages({}, {});
  std::erase_if(stages, [&](const Stage& stage) { return stage.kind != kind; });
  const Lifecycle lifecycle(std::move(stages));
  VirtualRuntime runtime(1);
  const auto match = lifecycle.Next(object.root, runtime);
  json::Document out;
  out.root = Value::Object();
  if (!match) {
    out.root.Set("stage", Value(), out.arena);
    return openapi::ToYaml(out.root);
  }
  const Stage& stage = lifecycle.stages()[match->stage];
  out.root.Set("stage", Value::String(stage.name, out.arena), out.arena);
  if (stage.delay) {
    out.root.Set("delayMilliseconds", Value::Int(stage.delay->duration_milliseconds), out.arena);
  }
  Value actions = Value::Array();
  for (const StageAction& action : stage.actions) {
    actions.PushBack(Describe(action, object.root, out.arena), out.arena);
  }
  out.root.Set("actions", std::move(actions), out.arena);
  return openapi::ToYaml(out.root);
}

TEST(StageGoldenTest, ShippedStagesDoWhatTheFilesSay) {
  const fs::path folder = fs::path(KULISSE_SOURCE_DIR) / "test/golden/stages";
  const bool update = std::getenv("KULISSE_UPDATE_GOLDEN") != nullptr;
  constexpr std::string_view kInput = ".input.yaml";
  int pairs = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (!name.ends_with(kInput)) continue;
    SCOPED_TRACE(name);
    ++pairs;
    const auto object = openapi::ParseYaml(ReadFile(entry.path()));
    ASSERT_TRUE(object.has_value()) << object.error();
    const std::string got = Play(*object);
    const fs::path output = folder / (name.substr(0, name.size() - kInput.size()) + ".output.yaml");
    if (update) std::ofstream(output) << got;
    EXPECT_EQ(got, ReadFile(output));
  }
  EXPECT_GE(pairs, 8);
}

}  // namespace
}  // namespace kulisse::simulator
