#include "simulator/kubelet/event_recorder.h"

#include <fmt/format.h>

#include <utility>

#include "base/time.h"
#include "simulator/limits.h"

namespace kulisse::simulator {

namespace {

using json::Value;

// The name under which KWOK records.
constexpr std::string_view kComponent = "kwok_controller";

// KWOK's typed clients leave the version of these out.
bool IsPodOrNode(const openapi::ResourceInfo& resource) {
  return resource.group.empty() && (resource.kind == "Pod" || resource.kind == "Node");
}

// Where the events of an object are.
std::string NamespaceOf(const storage::Key& key) { return key.ns.empty() ? "default" : key.ns; }

}  // namespace

EventRecorder::EventRecorder(Client& client, Runtime& runtime)
    : client_(client), runtime_(runtime), events_(client.Resource("", "v1", "events")) {}

Result<void> EventRecorder::Record(const openapi::ResourceInfo& resource, const storage::Key& key,
                                   const Value& object, const EventAction& action) {
  const std::string identity =
      fmt::format("{}\n{}\n{}\n{}\n{}", resource.api_version(), resource.kind, key.ns, key.name,
                  object.FindString({"metadata", "uid"}));
  const std::string name = fmt::format("{}.{:016x}", key.name, runtime_.RandomBits());
  const auto event = correlator_.Correlate(
      {.object = identity, .type = action.type, .reason = action.reason, .message = action.message},
      name, runtime_.Now());
  if (!event) return {};
  if (event->count > 1) {
    KULISSE_ASSIGN(const bool counted, CountAgain(NamespaceOf(key), *event));
    if (counted) return {};
  }
  return Create(resource, key, object, action, *event);
}

Result<bool> EventRecorder::CountAgain(const std::string& ns, const EventCorrelator::Event& event) {
  const auto count = [&](json::Document& stored) -> Result<void> {
    json::Arena& arena = stored.arena;
    stored.root.Set("count", Value::Int(event.count), arena);
    stored.root.Set("lastTimestamp", Value::String(FormatTime(runtime_.Now()), arena), arena);
    stored.root.Set("message", Value::String(event.message, arena), arena);
    return {};
  };
  const auto updated = client_.Update(events_, {ns, event.name}, "", count);
  if (updated) return true;
  if (updated.error().IsNotFound()) return false;
  return std::unexpected(updated.error());
}

Result<void> EventRecorder::Create(const openapi::ResourceInfo& resource, const storage::Key& key,
                                   const Value& object, const EventAction& action,
                                   const EventCorrelator::Event& correlated) {
  json::Document event;
  json::Arena& arena = event.arena;
  const auto text = [&](std::string_view value) { return Value::String(value, arena); };
  event.root = Value::Object();
  Value& metadata = event.root.SetDefaultObject("metadata", arena);
  metadata.Set("name", text(correlated.name), arena);
  metadata.Set("namespace", text(NamespaceOf(key)), arena);
  Value& involved = event.root.SetDefaultObject("involvedObject", arena);
  involved.Set("kind", text(resource.kind), arena);
  involved.Set("namespace", text(key.ns), arena);
  involved.Set("name", text(key.name), arena);
  involved.Set("uid", text(object.FindString({"metadata", "uid"})), arena);
  if (!IsPodOrNode(resource)) involved.Set("apiVersion", text(resource.api_version()), arena);
  event.root.Set("reason", text(action.reason), arena);
  event.root.Set("message", text(correlated.message), arena);
  event.root.SetDefaultObject("source", arena).Set("component", text(kComponent), arena);
  event.root.Set("firstTimestamp", text(FormatTime(correlated.first)), arena);
  event.root.Set("lastTimestamp", text(FormatTime(runtime_.Now())), arena);
  event.root.Set("count", Value::Int(correlated.count), arena);
  event.root.Set("type", text(action.type), arena);
  // Upstream's combined events do not have it.
  if (!correlated.combined) event.root.Set("reportingComponent", text(kComponent), arena);
  KULISSE_TRY(client_.Create(events_, NamespaceOf(key), std::move(event)));
  return {};
}

}  // namespace kulisse::simulator
