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
// Leases due within this are written together.
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
      interval_(Duration(duration) / 4),
      resource_(LeaseResource(client.catalog())) {}

NodeLeases::~NodeLeases() {
  if (timer_ != 0) runtime_.Cancel(timer_);
}

void NodeLeases::Add(const std::string& node, std::string_view uid) {
  if (!leases_.try_emplace(node, Lease{.uid = std::string(uid)}).second) return;
  if (leases_.size() == 1) progress_at_ = runtime_.MonotonicNow();
  new_.push_back(node);
  Arm();
}

void NodeLeases::Remove(const std::string& node) {
  const auto it = leases_.find(node);
  if (it == leases_.end()) return;
  if (it == next_) ++next_;
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
  new_.clear();
  for (const auto& [node, lease] : leases_) untold_.insert(node);
  leases_.clear();
  next_ = leases_.end();
}

void NodeLeases::Arm() {
  if (leases_.empty()) return;
  const MonotonicTime now = runtime_.MonotonicNow();
  MonotonicTime at = now + kTick;
  if (new_.empty()) {  // with few leases, the next one's turn is further away than a tick
    const auto count = static_cast<int64_t>(leases_.size());
    at = std::max(at, progress_at_ + (interval_ - progress_) / count + 1ns);
  }
  if (timer_ != 0 && timer_at_ <= at) return;
  if (timer_ != 0) runtime_.Cancel(timer_);
  timer_at_ = at;
  timer_ = runtime_.ScheduleAfter(at - now, [this] { Tick(); });
}

void NodeLeases::Tick() {
  timer_ = 0;
  const MonotonicTime now = runtime_.MonotonicNow();
  for (size_t i = 0; i < kStageBatchObjectsMax && !new_.empty(); ++i) {
    const auto it = leases_.find(new_.front());
    if (it != leases_.end() && !it->second.exists) Keep(it);
    new_.pop_front();
  }
  const auto count = static_cast<int64_t>(leases_.size());
  const Duration passed = std::min<Duration>(now - progress_at_, interval_);
  progress_ = std::min(progress_ + passed * count, interval_ * count);
  progress_at_ = now;
  for (size_t i = 0; i < kStageBatchObjectsMax && progress_ >= interval_ && count > 0; ++i) {
    progress_ -= interval_;
    if (next_ == leases_.end()) next_ = leases_.begin();
    Keep(next_++);
  }
  if (new_.empty() && progress_ < interval_) return Arm();
  timer_at_ = now;
  timer_ = runtime_.ScheduleAfter(Duration(0), [this] { Tick(); });  // after the others' turn
}

void NodeLeases::Keep(Leases::iterator lease) {
  const auto kept = Renew(lease->first, lease->second);
  if (!kept && !failing_) {
    log::Warning("simulator", "lease not renewed",
                 {{"node", lease->first}, {"error", kept.error().message}});
  }
  failing_ = !kept;
}

Result<void> NodeLeases::Renew(const std::string& node, Lease& lease) {
  const auto renew = [&](json::Document& object) -> Result<void> {
    json::Arena& arena = object.arena;
    Value& spec = object.root.SetDefaultObject("spec", arena);
    spec.Set("holderIdentity", Value::StringRef(node), arena);
    spec.Set("leaseDurationSeconds", Value::Int(duration_.count()), arena);
    spec.Set("renewTime", Value::String(FormatMicroTime(runtime_.Now()), arena), arena);
    return {};
  };
  ++renewals_;
  const auto updated = client_.Update(resource_, {std::string(kNamespace), node}, "", renew);
  lease.exists = updated.has_value();
  if (updated) return {};
  if (!updated.error().IsNotFound()) return std::unexpected(updated.error());
  KULISSE_TRY(Create(node, lease));
  lease.exists = true;
  return {};
}

Result<void> NodeLeases::Create(const std::string& node, const Lease& lease) {
  json::Document object;
  json::Arena& arena = object.arena;
  const auto text = [&](std::string_view value) { return Value::String(value, arena); };
  object.root = Value::Object();
  Value& metadata = object.root.SetDefaultObject("metadata", arena);
  metadata.Set("name", text(node), arena);
  metadata.Set("namespace", text(kNamespace), arena);
  Value owners = Value::Array();
  Value& owner = owners.PushBack(Value::Object(), arena);
  owner.Set("apiVersion", text("v1"), arena);
  owner.Set("kind", text("Node"), arena);
  owner.Set("name", text(node), arena);
  owner.Set("uid", text(lease.uid), arena);
  metadata.Set("ownerReferences", std::move(owners), arena);
  Value& spec = object.root.SetDefaultObject("spec", arena);
  spec.Set("holderIdentity", text(node), arena);
  spec.Set("leaseDurationSeconds", Value::Int(duration_.count()), arena);
  spec.Set("renewTime", text(FormatMicroTime(runtime_.Now())), arena);
  KULISSE_TRY(client_.Create(resource_, kNamespace, std::move(object)));
  return {};
}

}  // namespace kulisse::simulator
