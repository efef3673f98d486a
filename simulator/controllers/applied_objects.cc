#include "simulator/controllers/applied_objects.h"

#include <fmt/format.h>

#include "base/log.h"
#include "base/time.h"

namespace kulisse::simulator {

namespace {

using json::Value;

constexpr std::string_view kCondition = "Accepted";
constexpr size_t kMessageBytesMax = 32'768;  // of a condition, by the schema

}  // namespace

AppliedObjects::AppliedObjects(Client& client, Runtime& runtime, std::string_view resource,
                               Apply apply)
    : client_(client),
      runtime_(runtime),
      resource_(client.Resource("kwok.x-k8s.io", "v1alpha1", resource)),
      apply_(std::move(apply)),
      informer_(client.store(), resource_, runtime,
                {.changed = [this](const storage::Key& key, const storage::RecordPtr& record) {
                  Changed({key.ns, key.name}, record);
                }}) {}

void AppliedObjects::Changed(const apiserver::ObjectName& name, const storage::RecordPtr& record) {
  const std::string key = fmt::format("{}/{}", name.ns, name.name);
  if (!record) {
    if (seen_.erase(key) > 0) (void)apply_(name, nullptr);
    return;
  }
  const json::Document object = apiserver::ResourceStore::Decode(*record);
  const Value* generation = object.root.Find({"metadata", "generation"});
  const int64_t number = generation && generation->IsInt() ? generation->AsInt() : 0;
  const std::string version = fmt::format("{}/{}", record->uid(), number);
  std::string& seen = seen_[key];
  if (seen == version) return;  // its status or labels changed
  seen = version;
  const auto applied = apply_(name, &object.root);
  WriteCondition(name, number, applied ? "" : applied.error());
}

void AppliedObjects::WriteCondition(const apiserver::ObjectName& name, int64_t generation,
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
    const std::string message = error.empty() ? fmt::format("generation {} is applied", generation)
                                              : error.substr(0, kMessageBytesMax);
    condition->Set("message", Value::String(message, arena), arena);
    condition->Set("reason", Value::StringRef(error.empty() ? "Compiled" : "Invalid"), arena);
    condition->Set("status", Value::StringRef(status), arena);
    condition->Set("type", Value::StringRef(kCondition), arena);
    return {};
  };
  const auto written = client_.Update(resource_, name, "status", write);
  if (!written && !written.error().IsNotFound()) {
    log::Warning("simulator", "a condition is not written",
                 {{"kind", std::string(resource_.kind)},
                  {"name", name.name},
                  {"error", written.error().message}});
  }
}

}  // namespace kulisse::simulator
