#include "simulator/controllers/stage_controller.h"

#include <fmt/format.h>

#include "base/log.h"
#include "base/time.h"

namespace kulisse::simulator {

namespace {

using json::Value;

constexpr std::string_view kCondition = "Accepted";
constexpr size_t kMessageBytesMax = 32'768;  // of a condition, by the schema

}  // namespace

StageController::StageController(Client& client, Runtime& runtime, Kubelet& kubelet)
    : client_(client),
      runtime_(runtime),
      kubelet_(kubelet),
      stages_(client.Resource("kwok.x-k8s.io", "v1alpha1", "stages")),
      informer_(client.store(), stages_, runtime,
                {.changed = [this](const storage::Key& key, const storage::RecordPtr& record) {
                  Changed(key.name, record);
                }}) {}

void StageController::Changed(const std::string& name, const storage::RecordPtr& record) {
  if (!record) {
    if (seen_.erase(name) > 0) (void)kubelet_.SetStage(name, nullptr);
    return;
  }
  const json::Document object = apiserver::ResourceStore::Decode(*record);
  const Value* generation = object.root.Find({"metadata", "generation"});
  const int64_t number = generation && generation->IsInt() ? generation->AsInt() : 0;
  const std::string version = fmt::format("{}/{}", record->uid(), number);
  std::string& seen = seen_[name];
  if (seen == version) return;  // its status or labels changed
  seen = version;
  const auto set = kubelet_.SetStage(name, &object.root);
  WriteCondition(name, number, set ? "" : set.error());
}

void StageController::WriteCondition(const std::string& name, int64_t generation,
                                     const std::string& error) {
  const std::string_view status = error.empty() ? "True" : "False";
  const auto write = [&](json::Document& object) -> Result<void> {
    json::Arena& arena = object.arena;
    Value& holder = object.root.SetDefaultObject("status", arena);
    if (!holder.Find("conditions")) holder.Set("conditions", Value::Array(), arena);
    Value& conditions = *holder.Find("conditions");
    Value* condition = nullptr;
    for (Value& one : conditions.elements()) {
      if (one.FindString({"type"}) == kCondition) condition = &one;
    }
    if (!condition) condition = &conditions.PushBack(Value::Object(), arena);
    if (condition->FindString({"status"}) != status) {
      condition->Set("lastTransitionTime", Value::String(FormatTime(runtime_.Now()), arena), arena);
    }
    const std::string message = error.empty() ? fmt::format("generation {} is played", generation)
                                              : error.substr(0, kMessageBytesMax);
    condition->Set("message", Value::String(message, arena), arena);
    condition->Set("reason", Value::StringRef(error.empty() ? "Compiled" : "Invalid"), arena);
    condition->Set("status", Value::StringRef(status), arena);
    condition->Set("type", Value::StringRef(kCondition), arena);
    return {};
  };
  const auto written = client_.Update(stages_, {"", name}, "status", write);
  if (!written && !written.error().IsNotFound()) {
    log::Warning("simulator", "the condition of a stage is not written",
                 {{"stage", name}, {"error", written.error().message}});
  }
}

}  // namespace kulisse::simulator
