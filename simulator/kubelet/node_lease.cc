#include "simulator/kubelet/node_lease.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/log.h"
#include "simulator/limits.h"

namespace kulisse::simulator {

namespace {

using json::Value;

constexpr std::string_view kNamespace = "kube-node-lease";
// Renewals due within this are done together.
constexpr Duration kTick = 250ms;
constexpr Duration kRetryDelay = 1s;

const openapi::ResourceInfo& LeaseResource(const openapi::Catalog& catalog) {
  const auto* resource = catalog.Find("coordination.k8s.io", "v1", "leases");
  KULISSE_ASSERT(resource != nullptr);
  return *resource;
}

}  // namespace

NodeLeases::NodeLeases(Runtime& runtime, Client& client, std::chrono::seconds duration)
    : runtime_(runtime),
      client_(client),
      duration_(duration),
      resource_(LeaseResource(client.catalog())) {}

NodeLeases::~NodeLeases() {
  if (timer_ != 0) runtime_.Cancel(timer_);
}

void NodeLeases::Add(const std::string& node, std::string_view uid) {
  const auto [it, added] = leases_.try_emplace(node);
  if (!added) return;
  Lease& lease = it->second;
  lease.node = &it->first;
  lease.uid = uid;
  lease.due = runtime_.MonotonicNow();
  due_.Push(&lease);
  Arm();
}

void NodeLeases::Remove(const std::string& node) {
  const auto it = leases_.find(node);
  if (it == leases_.end()) return;
  due_.Remove(&it->second);
  leases_.erase(it);
  Delete(node);
}

void NodeLeases::Delete(const std::string& node) {
  if (leases_.contains(node)) return;
  const auto deleted = client_.Delete(resource_, {std::string(kNamespace), node});
  if (deleted) return;
  log::Warning("simulator", "lease not deleted",
               {{"node", node}, {"error", deleted.error().message}});
  runtime_.ScheduleAfter(kRetryDelay, [weak = std::weak_ptr(self_), node] {
    if (const auto self = weak.lock()) (*self)->Delete(node);
  });
}

void NodeLeases::RemoveUntold() {
  for (const std::string& node : std::exchange(untold_, {})) Delete(node);
}

void NodeLeases::Clear() {
  due_ = {};
  for (const auto& [node, lease] : leases_) untold_.insert(node);
  leases_.clear();
}

void NodeLeases::Arm() {
  if (due_.empty()) return;
  const MonotonicTime now = runtime_.MonotonicNow();
  const MonotonicTime at = std::max(due_.top()->due, now) + kTick;
  if (timer_ != 0 && timer_at_ <= at) return;
  if (timer_ != 0) runtime_.Cancel(timer_);
  timer_at_ = at;
  timer_ = runtime_.ScheduleAfter(at - now, [this] {
    timer_ = 0;
    Tick();
  });
}

// A quarter of the duration and up to 4 % more.
Duration NodeLeases::Interval() {
  const Duration interval = Duration(duration_) / 4;
  return interval + interval / 25 * static_cast<int64_t>(runtime_.RandomBits() % 1000) / 1000;
}

void NodeLeases::Tick() {
  const MonotonicTime now = runtime_.MonotonicNow();
  for (size_t i = 0; i < kStageBatchObjectsMax && !due_.empty(); ++i) {
    Lease& lease = *due_.top();
    if (lease.due > now) break;
    const bool first = !lease.exists;
    const auto renewed = Renew(lease);
    due_.Remove(&lease);
    if (renewed) {
      Duration wait = Interval();
      // Nodes that come together shall not renew together.
      if (first) wait -= wait / 1000 * static_cast<int64_t>(runtime_.RandomBits() % 1000);
      lease.due = now + wait;
    } else {
      lease.due = now + kRetryDelay;
      if (!failing_) {
        log::Warning("simulator", "lease not renewed",
                     {{"node", *lease.node}, {"error", renewed.error().message}});
      }
    }
    failing_ = !renewed;
    due_.Push(&lease);
  }
  if (due_.empty() || due_.top()->due > now) return Arm();
  timer_at_ = now;
  timer_ = runtime_.ScheduleAfter(Duration(0), [this] {  // more are due: after the others' turn
    timer_ = 0;
    Tick();
  });
}

Result<void> NodeLeases::Renew(Lease& lease) {
  const auto renew = [&](json::Document& object) -> Result<void> {
    json::Arena& arena = object.arena;
    Value& spec = object.root.SetDefaultObject("spec", arena);
    spec.Set("holderIdentity", Value::StringRef(*lease.node), arena);
    spec.Set("leaseDurationSeconds", Value::Int(duration_.count()), arena);
    spec.Set("renewTime", Value::String(FormatMicroTime(runtime_.Now()), arena), arena);
    return {};
  };
  ++renewals_;
  const auto updated = client_.Update(resource_, {std::string(kNamespace), *lease.node}, "", renew);
  lease.exists = updated.has_value();
  if (updated) return {};
  if (!updated.error().IsNotFound()) return std::unexpected(updated.error());
  KULISSE_TRY(Create(lease));
  lease.exists = true;
  return {};
}

Result<void> NodeLeases::Create(const Lease& lease) {
  json::Document object;
  json::Arena& arena = object.arena;
  const auto text = [&](std::string_view value) { return Value::String(value, arena); };
  object.root = Value::Object();
  Value& metadata = object.root.SetDefaultObject("metadata", arena);
  metadata.Set("name", text(*lease.node), arena);
  metadata.Set("namespace", text(kNamespace), arena);
  Value owners = Value::Array();
  Value& owner = owners.PushBack(Value::Object(), arena);
  owner.Set("apiVersion", text("v1"), arena);
  owner.Set("kind", text("Node"), arena);
  owner.Set("name", text(*lease.node), arena);
  owner.Set("uid", text(lease.uid), arena);
  metadata.Set("ownerReferences", std::move(owners), arena);
  Value& spec = object.root.SetDefaultObject("spec", arena);
  spec.Set("holderIdentity", text(*lease.node), arena);
  spec.Set("leaseDurationSeconds", Value::Int(duration_.count()), arena);
  spec.Set("renewTime", text(FormatMicroTime(runtime_.Now())), arena);
  KULISSE_TRY(client_.Create(resource_, kNamespace, std::move(object)));
  return {};
}

}  // namespace kulisse::simulator
