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

}  // namespace

EventRecorder::EventRecorder(Client& client, Runtime& runtime)
    : client_(client), runtime_(runtime), events_(client.Resource("", "v1", "events")) {}

Result<void> EventRecorder::Record(const openapi::ResourceInfo& resource, const storage::Key& key,
                                   const Value& object, const EventAction& action) {
  std::string like = fmt::format("{}\n{}\n{}\n{}", object.FindString({"metadata", "uid"}),
                                 action.type, action.reason, action.message);
  const auto known = known_.find(like);
  if (known != known_.end()) {
    KULISSE_ASSIGN(const bool counted, CountAgain(known->second));
    if (counted) return {};
  }
  const std::string ns = key.ns.empty() ? "default" : key.ns;
  KULISSE_ASSIGN(std::string name, Create(resource, key, object, action, ns));
  const auto [it, added] =
      known_.insert_or_assign(std::move(like), apiserver::ObjectName{ns, name});
  if (added) order_.push_back(it->first);
  if (order_.size() > kEventsRememberedMax) {
    known_.erase(order_.front());
    order_.pop_front();
  }
  return {};
}

Result<bool> EventRecorder::CountAgain(const apiserver::ObjectName& name) {
  const auto count = [&](json::Document& event) -> Result<void> {
    json::Arena& arena = event.arena;
    const Value* before = event.root.Find("count");
    const int64_t number = before != nullptr && before->IsInt() ? before->AsInt() : 1;
    event.root.Set("count", Value::Int(number + 1), arena);
    event.root.Set("lastTimestamp", Value::String(FormatTime(runtime_.Now()), arena), arena);
    return {};
  };
  const auto updated = client_.Update(events_, name, "", count);
  if (updated) return true;
  if (updated.error().IsNotFound()) return false;
  return std::unexpected(updated.error());
}

Result<std::string> EventRecorder::Create(const openapi::ResourceInfo& resource,
                                          const storage::Key& key, const Value& object,
                                          const EventAction& action, const std::string& ns) {
  const std::string now = FormatTime(runtime_.Now());
  std::string name = fmt::format("{}.{:016x}", key.name, runtime_.RandomBits());
  json::Document event;
  json::Arena& arena = event.arena;
  const auto text = [&](std::string_view value) { return Value::String(value, arena); };
  event.root = Value::Object();
  Value& metadata = event.root.SetDefaultObject("metadata", arena);
  metadata.Set("name", text(name), arena);
  metadata.Set("namespace", text(ns), arena);
  Value& involved = event.root.SetDefaultObject("involvedObject", arena);
  involved.Set("kind", text(resource.kind), arena);
  involved.Set("namespace", text(key.ns), arena);
  involved.Set("name", text(key.name), arena);
  involved.Set("uid", text(object.FindString({"metadata", "uid"})), arena);
  if (!IsPodOrNode(resource)) involved.Set("apiVersion", text(resource.api_version()), arena);
  event.root.Set("reason", text(action.reason), arena);
  event.root.Set("message", text(action.message), arena);
  event.root.SetDefaultObject("source", arena).Set("component", text(kComponent), arena);
  event.root.Set("firstTimestamp", text(now), arena);
  event.root.Set("lastTimestamp", text(now), arena);
  event.root.Set("count", Value::Int(1), arena);
  event.root.Set("type", text(action.type), arena);
  event.root.Set("reportingComponent", text(kComponent), arena);
  KULISSE_TRY(client_.Create(events_, ns, std::move(event)));
  return name;
}

}  // namespace kulisse::simulator
