// Goal: stages do to objects what the files beside them say.
// Method: test/golden/stages/SET/X.input.yaml is an object; X.output.yaml is every stage of the
// shipped set that matches it, with weight, delay (from, until) and actions, each template
// rendered. In the folder "rules" the stages follow the object in the file. KULISSE_UPDATE_GOLDEN=1
// rewrites.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
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

// Writes what a stage does, as YAML would have it.
class Description {
 public:
  Description(const Value& object, json::Arena& arena) : object_(object), arena_(arena) {}

  Value Of(const StageAction& action) {
    return std::visit([this](const auto& one) { return Of(one); }, action);
  }

 private:
  Value Text(std::string_view text) { return Value::String(text, arena_); }
  Value Texts(const std::vector<std::string>& texts) {
    Value list = Value::Array();
    for (const std::string& text : texts) list.PushBack(Text(text), arena_);
    return list;
  }
  void SetIf(Value& out, std::string_view name, std::string_view text) {
    if (!text.empty()) out.Set(name, Text(text), arena_);
  }
  Value Body(const Template& body) {
    FixedEnvironment environment;
    auto value = body.RenderValue(object_, environment, arena_);
    return value ? std::move(*value) : Text("error: " + value.error());
  }

  Value Of(const PatchAction& patch) {
    constexpr std::string_view kTypes[] = {"json", "merge", "strategic"};
    Value out = Value::Object();
    out.Set("patch", Text(kTypes[static_cast<size_t>(patch.type)]), arena_);
    SetIf(out, "subresource", patch.subresource);
    SetIf(out, "root", patch.root);
    SetIf(out, "user", patch.user);
    out.Set("body", Body(patch.body), arena_);
    return out;
  }
  Value Of(const ApplyAction& apply) {
    constexpr std::string_view kTypes[] = {"apply", "merge", "strategic"};
    Value out = Value::Object();
    out.Set("apply", Text(kTypes[static_cast<size_t>(apply.type)]), arena_);
    SetIf(out, "subresource", apply.subresource);
    SetIf(out, "user", apply.user);
    out.Set("body", Body(apply.body), arena_);
    return out;
  }
  Value Of(const EventAction& event) {
    Value out = Value::Object();
    out.Set("event", Text(event.type + " " + event.reason + ": " + event.message), arena_);
    return out;
  }
  Value Of(const FinalizersAction& finalizers) {
    Value out = Value::Object();
    if (finalizers.empty) out.Set("emptyFinalizers", Value::Bool(true), arena_);
    if (!finalizers.remove.empty()) out.Set("removeFinalizers", Texts(finalizers.remove), arena_);
    if (!finalizers.add.empty()) out.Set("addFinalizers", Texts(finalizers.add), arena_);
    return out;
  }
  Value Of(const DeleteAction&) {
    Value out = Value::Object();
    out.Set("delete", Value::Bool(true), arena_);
    return out;
  }

  const Value& object_;
  json::Arena& arena_;
};

int64_t Milliseconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

// A stage that matches the object.
Value Describe(const Stage& stage, const Value& object, const Runtime& runtime,
               json::Arena& arena) {
  Value out = Value::Object();
  out.Set("stage", Value::String(stage.name, arena), arena);
  const auto weight = WeightOf(stage, object);
  if (!weight) {
    out.Set("weight", Value::String("error: " + weight.error(), arena), arena);
  } else {
    out.Set("weight", *weight ? Value::Int(**weight) : Value(), arena);
  }
  if (stage.delay) {
    const DelayInterval interval = IntervalOf(*stage.delay, object, runtime.Now());
    Value delay = Value::Array();
    delay.PushBack(Value::Int(Milliseconds(interval.begin)), arena);
    delay.PushBack(Value::Int(Milliseconds(interval.end)), arena);
    out.Set("delayMilliseconds", std::move(delay), arena);
  }
  if (stage.immediate_next_stage) out.Set("immediateNextStage", Value::Bool(true), arena);
  Value actions = Value::Array();
  Description description(object, arena);
  for (const StageAction& action : stage.actions) {
    actions.PushBack(description.Of(action), arena);
  }
  out.Set("actions", std::move(actions), arena);
  return out;
}

// `played`: where the stages come from that match.
std::string Play(const Value& object, const SimulatorConfig& config,
                 std::set<std::string>* played) {
  VirtualRuntime runtime(1);
  const CelEnvironment cel(runtime);
  json::Document out;
  out.root = Value::Array();
  for (const StageSource& source : config.stages) {
    if (source.kind() != object.FindString({"kind"})) continue;
    const auto stage = Stage::Parse(source.object.root, cel);
    EXPECT_TRUE(stage.has_value()) << source.origin << ": " << stage.error();
    if (!stage || !stage->selector || !Matches(*stage->selector, object)) continue;
    played->insert(source.origin);
    out.root.PushBack(Describe(*stage, object, runtime, out.arena), out.arena);
  }
  return openapi::ToYaml(out.root);
}

SimulatorConfig ConfigOf(const std::string& folder, std::string_view stages) {
  SimulatorConfig config;
  if (folder == "rules") {
    EXPECT_TRUE(AddConfig(folder, stages, &config).has_value());
    EXPECT_FALSE(config.stages.empty());
  } else {
    config.stage_sets = {folder};
    const auto added = AddShippedStages(&config);
    EXPECT_TRUE(added.has_value()) << added.error();
  }
  EXPECT_TRUE(config.problems.empty());
  return config;
}

TEST(StageGoldenTest, StagesDoWhatTheFilesSay) {
  const fs::path root = fs::path(KULISSE_SOURCE_DIR) / "test/golden/stages";
  const bool update = std::getenv("KULISSE_UPDATE_GOLDEN") != nullptr;
  constexpr std::string_view kInput = ".input.yaml";
  std::set<std::string> played;  // stages that some pair shows, by file: sets share names
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    const std::string name = entry.path().filename().string();
    if (!name.ends_with(kInput)) continue;
    SCOPED_TRACE(entry.path().string());
    const std::string text = ReadFile(entry.path());
    const auto object = openapi::ParseYaml(text);
    ASSERT_TRUE(object.has_value()) << object.error();
    const size_t more = text.find("\n---\n");
    const std::string got = Play(object->root,
                                 ConfigOf(entry.path().parent_path().filename().string(),
                                          more == text.npos ? "" : text.substr(more + 5)),
                                 &played);
    const fs::path output =
        entry.path().parent_path() / (name.substr(0, name.size() - kInput.size()) + ".output.yaml");
    if (update) std::ofstream(output) << got;
    EXPECT_EQ(got, ReadFile(output));
  }
  for (const std::string& set : StageSetNames()) {
    for (const StageSource& stage : ConfigOf(set, "").stages) {
      EXPECT_TRUE(played.contains(stage.origin)) << "no pair shows " << stage.origin;
    }
  }
}

}  // namespace
}  // namespace kulisse::simulator
