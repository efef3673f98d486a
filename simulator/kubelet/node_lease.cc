#include "simulator/kubelet/node_lease.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/log.h"
#include "simulator/kubelet/lease_text.h"
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
    if (it != leases_.end() && !it->second.in_round) Write(it);
    new_.pop_front();
  }
  const auto count = static_cast<int64_t>(leases_.size());
  const Duration passed = std::min<Duration>(now - progress_at_, interval_);
  progress_ = std::min(progress_ + passed * count, interval_ * count);
  progress_at_ = now;
  for (size_t i = 0; i < kStageBatchObjectsMax && progress_ >= interval_ && count > 0; ++i) {
    progress_ -= interval_;
    if (next_ == leases_.end()) next_ = leases_.begin();
    const auto lease = next_++;
    if (lease->second.in_round) Write(lease);
  }
  if (new_.empty() && progress_ < interval_) return Arm();
  timer_at_ = now;
  timer_ = runtime_.ScheduleAfter(Duration(0), [this] { Tick(); });  // after the others' turn
}

void NodeLeases::Write(Leases::iterator lease) {
  const std::string& node = lease->first;
  const auto renewed = Renew(node, lease->second.uid);
  lease->second.in_round = renewed.has_value();
  const bool failed_before = std::exchange(failing_, !renewed);
  if (renewed) return;
  if (!failed_before) {
    log::Warning("simulator", "lease not renewed",
                 {{"node", node}, {"error", renewed.error().message}});
  }
  runtime_.ScheduleAfter(kRetryDelay, [weak = std::weak_ptr(self_), node] {
    const auto self = weak.lock();
    if (self == nullptr) return;
    (*self)->new_.push_back(node);
    (*self)->Arm();
  });
}

Result<void> NodeLeases::Renew(const std::string& node, const std::string& uid) {
  const LeaseWrite write{client_.manager(), node, duration_, runtime_.Now()};
  const auto text = [&](const storage::Record& current, std::string* json) {
    return RenewLeaseText(write, current, json);
  };
  ++renewals_;
  const auto updated =
      client_.Renew(resource_, {std::string(kNamespace), node}, text, RenewalOf(write));
  if (updated) return {};
  if (!updated.error().IsNotFound()) return std::unexpected(updated.error());
  return Create(node, uid);
}

Result<void> NodeLeases::Create(const std::string& node, const std::string& uid) {
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
  owner.Set("uid", text(uid), arena);
  metadata.Set("ownerReferences", std::move(owners), arena);
  Value& spec = object.root.SetDefaultObject("spec", arena);
  spec.Set("holderIdentity", text(node), arena);
  spec.Set("leaseDurationSeconds", Value::Int(duration_.count()), arena);
  spec.Set("renewTime", text(FormatMicroTime(runtime_.Now())), arena);
  KULISSE_TRY(client_.Create(resource_, kNamespace, std::move(object)));
  return {};
}

}  // namespace kulisse::simulator
