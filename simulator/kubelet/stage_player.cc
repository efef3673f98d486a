#include "simulator/kubelet/stage_player.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "apiserver/registry/resource_store.h"
#include "base/assert.h"
#include "base/log.h"
#include "simulator/limits.h"

namespace kulisse::simulator {

namespace {

using json::Value;
using storage::EventType;
using storage::Key;
using storage::RecordPtr;

// The field manager of applied objects, as KWOK's.
constexpr std::string_view kApplyManager = "kwok";

std::string PendingKey(const Key& key) { return key.ns + "/" + key.name; }

Key StoreKey(const openapi::ResourceInfo& resource, std::string_view key) {
  const size_t slash = key.find('/');
  return {resource.storage_name, std::string(key.substr(0, slash)),
          std::string(key.substr(slash + 1))};
}

// Of "pods/namespace/name" or "nodes/name".
Key KeyOf(const openapi::ResourceInfo& resource, std::string_view path) {
  path.remove_prefix(resource.storage_name.size() + 1);
  return StoreKey(resource, resource.namespaced ? std::string(path) : "/" + std::string(path));
}

// What KWOK tries again: failures that pass by themselves.
bool MayPass(const Status& status) {
  if (status.code == 429) return true;
  // A reason counts before the code.
  if (status.reason.empty()) return status.code == 503 || status.code == 504;
  return status.reason == "ServerTimeout" || status.reason == "Timeout" ||
         status.reason == "ServiceUnavailable" || status.reason == "TooManyRequests";
}

// The pause after so many failures before this one, without what chance adds.
Duration RetryPause(int failures) {
  constexpr int kDoublingsMax = 30;  // more than the longest pause has
  const Duration pause = kStageRetryPauseFirst * (int64_t{1} << std::min(failures, kDoublingsMax));
  return std::min<Duration>(pause, kStageRetryPauseMax);
}

Result<void> CheckPatchable(const openapi::ResourceInfo& resource, std::string_view subresource) {
  if (subresource.empty()) return {};
  const openapi::SubresourceInfo* info = resource.FindSubresource(subresource);
  if (info == nullptr) {
    return std::unexpected(
        Status::Plain(404, fmt::format("the server could not find the requested resource ({}/{})",
                                       resource.resource, subresource)));
  }
  if (info->Has(openapi::Verb::kPatch)) return {};
  return std::unexpected(Status::MethodNotSupported(resource.group_resource(), "patch"));
}

bool IsPodOrNode(const openapi::ResourceInfo& resource) {
  return resource.group.empty() && (resource.kind == "Pod" || resource.kind == "Node");
}

}  // namespace

StagePlayer::StagePlayer(Runtime& runtime, Client& client, const openapi::ResourceInfo& resource,
                         Lifecycle lifecycle, PlayerDelegate& delegate)
    : runtime_(runtime),
      client_(client),
      resource_(resource),
      lifecycle_(std::move(lifecycle)),
      delegate_(delegate),
      events_(client, runtime),
      self_(std::make_shared<StagePlayer*>(this)) {}

StagePlayer::~StagePlayer() {
  if (timer_ != 0) runtime_.Cancel(timer_);
}

void StagePlayer::PostGuarded(void (StagePlayer::*step)()) {
  runtime_.Post([self = std::weak_ptr(self_), step] {
    if (const auto player = self.lock()) ((*player)->*step)();
  });
}

// --- list and watch

void StagePlayer::Start() { List(); }

void StagePlayer::List() {
  pending_.clear();
  due_ = {};
  delegate_.Restarted();
  snapshot_ = client_.store().Latest();
  cursor_ = snapshot_->Scan(resource_.storage_name, "", "");
  PostGuarded(&StagePlayer::ListSlice);
}

void StagePlayer::ListSlice() {
  for (size_t i = 0; i < kStageBatchObjectsMax; ++i) {
    const RecordPtr record = cursor_->Next();
    if (!record) {
      cursor_.reset();
      auto watcher = client_.store().Watch(resource_.storage_name, "", snapshot_->revision());
      snapshot_.reset();
      if (!watcher) {  // the list took longer than the history reaches back
        ++counters_.relists;
        return List();
      }
      watcher_ = std::move(*watcher);
      watcher_->SetWaker([&runtime = runtime_, self = std::weak_ptr(self_)] {
        runtime.Post([self] {
          if (const auto player = self.lock()) (*player)->ReadEvents();
        });
      });
      delegate_.Listed();
      Arm();
      return ReadEvents();
    }
    const Key key = KeyOf(resource_, cursor_->key());
    delegate_.Changed(EventType::kAdded, key, record, nullptr);
    Handle(key, record);
  }
  PostGuarded(&StagePlayer::ListSlice);
}

void StagePlayer::SetLifecycle(Lifecycle lifecycle) {
  lifecycle_ = std::move(lifecycle);
  if (!watcher_) {
    if (cursor_) List();  // what was listed was matched with the stages before
    return;
  }
  pending_.clear();
  due_ = {};
  const bool under_way = cursor_ != nullptr;
  snapshot_ = client_.store().Latest();
  cursor_ = snapshot_->Scan(resource_.storage_name, "", "");
  if (!under_way) PostGuarded(&StagePlayer::RematchSlice);
}

void StagePlayer::RematchSlice() {
  if (!watcher_ || !cursor_) return;  // all is listed anew anyway
  for (size_t i = 0; i < kStageBatchObjectsMax && cursor_; ++i) {
    if (!cursor_->Next()) {
      cursor_.reset();
      snapshot_.reset();
      return;
    }
    const Key key = KeyOf(resource_, cursor_->key());
    Recheck(key.ns, key.name);  // as it is now, not as it was when this began
  }
  PostGuarded(&StagePlayer::RematchSlice);
}

void StagePlayer::ReadEvents() {
  if (!watcher_) return;
  auto events = watcher_->Read();
  if (!events) {
    log::Info("simulator", "list again", {{"resource", resource_.storage_name}});
    ++counters_.relists;
    watcher_.reset();
    return List();
  }
  if (events->empty()) return;  // the waker calls
  for (const storage::EventPtr& event : *events) HandleEvent(*event);
  PostGuarded(&StagePlayer::ReadEvents);
}

void StagePlayer::HandleEvent(const storage::Event& event) {
  delegate_.Changed(event.type, event.key, event.object, event.previous.get());
  if (event.type == EventType::kDeleted) {
    Cancel(PendingKey(event.key));
  } else {
    Handle(event.key, event.object);
  }
}

void StagePlayer::Recheck(const std::string& ns, const std::string& name) {
  const Key key{resource_.storage_name, ns, name};
  if (const RecordPtr record = client_.store().Get(key)) Handle(key, record);
}

json::Document StagePlayer::Decode(const storage::Record& record) const {
  json::Document object = apiserver::ResourceStore::Decode(record);
  if (!IsPodOrNode(resource_)) {  // KWOK's typed clients leave these out for the two
    object.root.Set("apiVersion", Value::String(resource_.api_version(), object.arena),
                    object.arena);
    object.root.Set("kind", Value::StringRef(resource_.kind), object.arena);
  }
  return object;
}

void StagePlayer::Handle(const Key& key, const RecordPtr& record) {
  const std::string text = PendingKey(key);
  if (!delegate_.Plays(key, *record)) return Cancel(text);
  const auto it = pending_.find(text);
  // What waits knows this state already, or wrote it.
  if (it != pending_.end() && it->second.revision >= record->revision()) return;
  if (lifecycle_.stages().empty()) return;
  const json::Document object = Decode(*record);
  const auto next = lifecycle_.Next(object.root, runtime_);
  Cancel(text);
  if (!next) log::Warning("simulator", "no stage", {{"object", text}, {"error", next.error()}});
  if (!next || !*next) return;
  const Lifecycle::Match& match = **next;
  Pending pending;
  pending.revision = record->revision();
  pending.stage = static_cast<uint16_t>(match.stage);
  const bool listing = watcher_ == nullptr;
  if (match.delay > Duration(0) || listing) {
    Schedule(text, match.delay, std::move(pending));
  } else {
    Play(key, record, object.root, std::move(pending));
  }
}

// --- timing

void StagePlayer::Schedule(const std::string& key, Duration delay, Pending pending) {
  const auto [it, added] = pending_.emplace(key, std::move(pending));
  KULISSE_ASSERT(added);
  it->second.key = &it->first;
  it->second.due = runtime_.MonotonicNow() + std::max(delay, Duration(0));
  due_.Push(&it->second);
  if (watcher_) Arm();
}

void StagePlayer::Cancel(const std::string& key) {
  const auto it = pending_.find(key);
  if (it == pending_.end()) return;
  due_.Remove(&it->second);
  pending_.erase(it);
}

void StagePlayer::Arm() {
  if (due_.empty()) return;
  const MonotonicTime due = due_.top()->due;
  if (timer_ != 0 && timer_due_ <= due) return;
  if (timer_ != 0) runtime_.Cancel(timer_);
  timer_due_ = due;
  timer_ = runtime_.ScheduleAfter(due - runtime_.MonotonicNow(), [self = std::weak_ptr(self_)] {
    const auto player = self.lock();
    if (!player) return;
    (*player)->timer_ = 0;
    (*player)->PlayDue();
  });
}

void StagePlayer::PlayDue() {
  const MonotonicTime now = runtime_.MonotonicNow();
  for (size_t i = 0; i < kStageBatchObjectsMax && watcher_; ++i) {
    if (due_.empty() || due_.top()->due > now) break;
    Pending pending = *due_.top();
    const std::string key = *pending.key;
    Cancel(key);
    PlayPending(std::move(pending), key);
  }
  if (watcher_) Arm();
}

void StagePlayer::PlayPending(Pending pending, const std::string& text) {
  const Key key = StoreKey(resource_, text);
  const RecordPtr record = client_.store().Get(key);
  // When the object has changed meanwhile, the event of the change matches it anew.
  if (!record || record->revision() != pending.revision) return;
  if (!delegate_.Plays(key, *record)) return;
  const RecordPtr matched = pending.matched ? pending.matched : record;
  const json::Document object = Decode(*matched);
  Play(key, matched, object.root, std::move(pending));
}

// --- actions

void StagePlayer::Play(const Key& key, const RecordPtr& matched, const Value& object,
                       Pending pending) {
  const Lifecycle::StagePtr shared = lifecycle_.stages()[pending.stage];
  const Stage& stage = *shared;
  ++counters_.plays;
  TemplateEnvironment& environment = delegate_.BeginPlay(object);
  RecordPtr written;
  for (; pending.action < stage.actions.size(); ++pending.action) {
    const auto done = Perform(stage.actions[pending.action], key, object, environment, &written);
    if (done) continue;
    delegate_.EndPlay(false);
    if (written) pending.revision = written->revision();
    pending.matched = matched;
    pending.action = stage.step_begins[pending.action];
    return Failed(key, done.error(), std::move(pending));
  }
  delegate_.EndPlay(true);
  if (!stage.immediate_next_stage || !written) return;
  runtime_.Post([self = std::weak_ptr(self_), key, written] {
    const auto player = self.lock();
    if (player && (*player)->watcher_) (*player)->Handle(key, written);
  });
}

Result<void> StagePlayer::Perform(const StageAction& action, const Key& key, const Value& object,
                                  TemplateEnvironment& environment, RecordPtr* written) {
  if (const auto* patch = std::get_if<PatchAction>(&action)) {
    return PerformPatch(*patch, key, object, environment, written);
  }
  if (const auto* finalizers = std::get_if<FinalizersAction>(&action)) {
    return PerformFinalizers(*finalizers, key, written);
  }
  if (const auto* apply = std::get_if<ApplyAction>(&action)) {
    return PerformApply(*apply, object, environment);
  }
  if (const auto* event = std::get_if<EventAction>(&action)) {
    return events_.Record(resource_, key, object, *event);
  }
  return client_.Delete(resource_, {key.ns, key.name});
}

Result<void> StagePlayer::PerformPatch(const PatchAction& action, const Key& key,
                                       const Value& object, TemplateEnvironment& environment,
                                       RecordPtr* written) {
  KULISSE_TRY(CheckPatchable(resource_, action.subresource));
  json::Arena arena;
  auto body = action.body.RenderValue(object, environment, arena);
  if (!body) return std::unexpected(Status::Plain(500, "template: " + body.error()));
  if (body->IsNull()) return {};
  Value patch = std::move(*body);
  if (!action.root.empty() && action.type == PatchType::kJson) {
    for (Value& operation : patch.elements()) {
      const std::string path = "/" + action.root + std::string(operation.FindString({"path"}));
      if (operation.IsObject()) operation.Set("path", Value::String(path, arena), arena);
    }
  } else if (!action.root.empty()) {
    Value rooted = Value::Object();
    rooted.Set(action.root, std::move(patch), arena);
    patch = std::move(rooted);
  }
  KULISSE_ASSIGN(apiserver::WriteResult result,
                 client_.PatchUnlessSame(resource_, {key.ns, key.name}, action.subresource,
                                         action.type, patch, object, action.user));
  if (result.changed) *written = std::move(result.record);
  return {};
}

Result<void> StagePlayer::PerformApply(const ApplyAction& action, const Value& object,
                                       TemplateEnvironment& environment) {
  json::Document made;
  auto body = action.body.RenderValue(object, environment, made.arena);
  if (!body) return std::unexpected(Status::Plain(500, "template: " + body.error()));
  made.root = std::move(*body);
  const std::string version(made.root.FindString({"apiVersion"}));
  const std::string kind(made.root.FindString({"kind"}));
  const size_t slash = version.find('/');
  const auto* resource =
      client_.catalog().FindKind(slash == version.npos ? "" : version.substr(0, slash),
                                 version.substr(slash == version.npos ? 0 : slash + 1), kind);
  if (resource == nullptr || resource->storage != resource) {
    return std::unexpected(Status::Plain(
        500, fmt::format("apply: objects of kind \"{}\" of \"{}\" are not kept", kind, version)));
  }
  apiserver::ObjectName name{std::string(made.root.FindString({"metadata", "namespace"})),
                             std::string(made.root.FindString({"metadata", "name"}))};
  if (resource->namespaced && name.ns.empty()) {
    name.ns = object.FindString({"metadata", "namespace"});
  }
  KULISSE_TRY(CheckPatchable(*resource, action.subresource));
  if (action.subresource.empty()) {
    const auto created = client_.Create(*resource, name.ns, made.Clone(), action.user);
    if (created || !created.error().IsAlreadyExists()) {
      return created ? Result<void>() : std::unexpected(created.error());
    }
  }
  if (action.type == ApplyAction::Type::kApply) {
    KULISSE_TRY(
        client_.Apply(*resource, name, action.subresource, kApplyManager, made.root, action.user));
  } else {
    const PatchType type =
        action.type == ApplyAction::Type::kMerge ? PatchType::kMerge : PatchType::kStrategic;
    KULISSE_TRY(client_.Patch(*resource, name, action.subresource, type, made.root, action.user));
  }
  return {};
}

Result<void> StagePlayer::PerformFinalizers(const FinalizersAction& action, const Key& key,
                                            RecordPtr* written) {
  const auto change = [&](json::Document& object) -> Result<void> {
    json::Arena& arena = object.arena;
    std::vector<std::string> there;
    if (const Value* current = object.root.Find({"metadata", "finalizers"})) {
      for (const Value& value : current->elements()) there.emplace_back(value.AsString());
    }
    const auto among = [](const std::vector<std::string>& list, const std::string& text) {
      return std::ranges::find(list, text) != list.end();
    };
    std::vector<std::string> wanted;
    for (const std::string& text : there) {
      if (!action.empty && !among(action.remove, text)) wanted.push_back(text);
    }
    // What was there is not added again, even when it is among those removed, unless none is left:
    // KWOK's rule.
    if (wanted.empty()) there.clear();
    for (const std::string& text : action.add) {
      if (!among(there, text)) wanted.push_back(text);
    }
    Value& metadata = object.root.SetDefaultObject("metadata", arena);
    metadata.Remove("finalizers");
    if (wanted.empty()) return {};
    Value list = Value::Array();
    for (const std::string& text : wanted) list.PushBack(Value::String(text, arena), arena);
    metadata.Set("finalizers", std::move(list), arena);
    return {};
  };
  KULISSE_ASSIGN(apiserver::WriteResult result,
                 client_.Update(resource_, {key.ns, key.name}, "", change));
  if (result.changed && !result.deleted) *written = std::move(result.record);
  return {};
}

void StagePlayer::Failed(const Key& key, const Status& status, Pending pending) {
  ++counters_.failures;
  if (status.IsNotFound()) return;  // the object went meanwhile
  const std::string& stage = lifecycle_.stages()[pending.stage]->name;
  log::Warning("simulator", "stage failed",
               {{"stage", stage}, {"object", PendingKey(key)}, {"error", status.message}});
  if (!MayPass(status)) return;
  Duration delay = RetryPause(pending.tries);
  const auto spread = static_cast<uint64_t>(delay.count()) / kStageRetryJitter;
  delay += Duration(static_cast<int64_t>(runtime_.RandomBits() % spread));
  pending.tries = static_cast<uint16_t>(std::min(pending.tries + 1, 0xffff));
  Cancel(PendingKey(key));
  Schedule(PendingKey(key), delay, std::move(pending));
}

}  // namespace kulisse::simulator
