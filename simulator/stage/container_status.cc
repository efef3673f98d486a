#include "simulator/stage/container_status.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "certs/digest.h"

namespace kulisse::simulator {

namespace {

using json::Value;

// A container that ends again and again waits longer each time.
constexpr int64_t kBackOffFirstSeconds = 10;
constexpr int64_t kBackOffMaxSeconds = 300;
constexpr int kBackOffDoublings = 5;

std::string Digest(std::string_view text) {
  std::string hex;
  for (const char byte : certs::Sha256(text)) {
    hex += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  }
  return hex;
}

// A number, or the text of one: annotations have these.
std::expected<int64_t, std::string> IntOf(const Value& value) {
  if (value.IsInt()) return value.AsInt();
  if (value.IsString()) {
    if (const auto number = ParseInt64(value.AsString())) return *number;
  }
  return std::unexpected("an exit code must be an integer");
}

bool IsTrue(const Value* value) { return value != nullptr && value->IsBool() && value->AsBool(); }

// The mounts of the container, as the status has them.
Value MountStatuses(const Value& mounts, json::Arena& arena) {
  Value list = Value::Array();
  for (const Value& mount : mounts.elements()) {
    Value& item = list.PushBack(Value::Object(), arena);
    for (const std::string_view field : {"name", "mountPath"}) {
      item.Set(field, Value::String(mount.FindString({field}), arena), arena);
    }
    if (!IsTrue(mount.Find("readOnly"))) continue;
    item.Set("readOnly", Value::Bool(true), arena);
    item.Set("recursiveReadOnly", Value::StringRef("Disabled"), arena);
  }
  return list;
}

}  // namespace

ContainerStatus::ContainerStatus(ContainerKind kind, const Value& pod, const Value& spec,
                                 const Value* before, bool pod_has_inits, std::string_view now,
                                 json::Arena& arena)
    : kind_(kind), pod_(pod), spec_(spec), now_(now), arena_(arena) {
  if (before != nullptr) {
    status_ = before->Clone(arena);
  } else {
    status_ = Value::Object();
    status_.Set("name", Text(spec.FindString({"name"})), arena);
    status_.Set("image", Text(spec.FindString({"image"})), arena);
    status_.Set("imageID", Text(""), arena);
    status_.Set("ready", Value::Bool(false), arena);
    status_.Set("restartCount", Value::Int(0), arena);
    if (kind != ContainerKind::kEphemeral) status_.Set("started", Value::Bool(false), arena);
    if (const Value* mounts = spec.Find("volumeMounts")) {
      status_.Set("volumeMounts", MountStatuses(*mounts, arena), arena);
    }
    Wait(pod_has_inits ? "PodInitializing" : "ContainerCreating", "");
  }
  FollowSpec();
}

void ContainerStatus::FollowSpec() {
  const std::string_view image = spec_.FindString({"image"});
  if (status_.FindString({"image"}) != image) {
    const bool running = is_running();
    if (running) Exit(0, "Completed", "", true);
    status_.Set("image", Text(image), arena_);
    if (running) Run(true);
  }
  if (kind_ == ContainerKind::kEphemeral) {
    const std::string_view phase = pod_.FindString({"status", "phase"});
    if (!has_ever_run() && phase == "Running") Run(false);
    return;
  }
  const Value* resources = spec_.Find("resources");
  status_.Set("resources", resources == nullptr ? Value::Object() : resources->Clone(arena_),
              arena_);
  const Value* requests = spec_.Find({"resources", "requests"});
  if (requests != nullptr) {
    status_.Set("allocatedResources", requests->Clone(arena_), arena_);
  } else {
    status_.Remove("allocatedResources");
  }
  // What a stage of another set has written may lack these.
  if (is_running() && status_.FindString({"containerID"}).empty()) {
    status_.Set("started", Value::Bool(true), arena_);
    Run(is_ready());
  }
}

std::expected<void, std::string> ContainerStatus::Change(const Value& change) {
  const std::string_view message = change.FindString({"message"});
  const Value* ready = change.Find("ready");
  const Value* code = change.Find("exit");
  const Value* reason = change.Find("wait");
  const bool run = IsTrue(change.Find("run"));
  if (!run && code == nullptr && reason == nullptr && ready == nullptr) {
    return std::unexpected("a change must have run, exit, wait or ready");
  }
  if (run && !is_running()) Run(ready == nullptr || IsTrue(ready));
  if (code != nullptr) {
    const auto number = IntOf(*code);
    if (!number) return std::unexpected(number.error());
    if (is_running()) {
      Exit(*number, change.FindString({"reason"}), message, false);
    } else if (pod_.Find({"metadata", "deletionTimestamp"}) != nullptr) {
      End(*number);
    }
  } else if (reason != nullptr) {
    if (!has_ever_run()) Wait(reason->IsString() ? reason->AsString() : "", message);
  } else if (ready != nullptr && is_running()) {
    SetReady(IsTrue(ready));
  }
  return {};
}

void ContainerStatus::End(int64_t exit_code) {
  if (is_running()) return Exit(exit_code, "", "", true);
  if (has_ended() || LastEnd() == nullptr) return;
  SetState("terminated", LastEnd()->Clone(arena_));
  status_.Remove("lastState");
}

bool ContainerStatus::has_succeeded() const {
  const Value* ended = State("terminated");
  const Value* code = ended == nullptr ? nullptr : ended->Find("exitCode");
  return code != nullptr && code->IsInt() && code->AsInt() == 0;
}

bool ContainerStatus::is_ready() const { return IsTrue(status_.Find("ready")); }

int64_t ContainerStatus::Restarts() const {
  const Value* count = status_.Find("restartCount");
  return count != nullptr && count->IsInt() ? count->AsInt() : 0;
}

bool ContainerStatus::RestartsAfter(int64_t exit_code) const {
  if (kind_ == ContainerKind::kEphemeral) return false;
  if (pod_.Find({"metadata", "deletionTimestamp"}) != nullptr) return false;
  std::string_view policy = spec_.FindString({"restartPolicy"});
  if (policy.empty()) policy = pod_.FindString({"spec", "restartPolicy"});
  if (policy == "Never") return false;
  return exit_code != 0 || (policy == "Always" && kind_ != ContainerKind::kInit);
}

void ContainerStatus::SetState(std::string_view name, Value state) {
  Value states = Value::Object();
  states.Set(name, std::move(state), arena_);
  status_.Set("state", std::move(states), arena_);
}

void ContainerStatus::SetReady(bool ready) { status_.Set("ready", Value::Bool(ready), arena_); }

void ContainerStatus::Run(bool ready) {
  const bool runs = is_running();
  if (const Value* ended = State("terminated")) {
    Value last = Value::Object();
    last.Set("terminated", ended->Clone(arena_), arena_);
    status_.Set("lastState", std::move(last), arena_);
  }
  if (!runs && LastEnd() != nullptr) {
    status_.Set("restartCount", Value::Int(Restarts() + 1), arena_);
  }
  if (!runs) {
    Value state = Value::Object();
    state.Set("startedAt", Text(now_), arena_);
    SetState("running", std::move(state));
  }
  const std::string_view image = status_.FindString({"image"});
  const std::string identity = fmt::format("{}/{}/{}", pod_.FindString({"metadata", "uid"}),
                                           spec_.FindString({"name"}), Restarts());
  status_.Set("imageID", Text(fmt::format("{}@sha256:{}", image, Digest(image))), arena_);
  status_.Set("containerID", Text("containerd://" + Digest(identity)), arena_);
  const bool serves = kind_ == ContainerKind::kMain || kind_ == ContainerKind::kSidecar;
  SetReady(serves && ready);
  if (kind_ != ContainerKind::kEphemeral) status_.Set("started", Value::Bool(true), arena_);
}

void ContainerStatus::Exit(int64_t exit_code, std::string_view reason, std::string_view message,
                           bool for_good) {
  if (reason.empty()) reason = exit_code == 0 ? "Completed" : "Error";
  const std::string_view started = status_.FindString({"state", "running", "startedAt"});
  Value ended = Value::Object();
  ended.Set("exitCode", Value::Int(exit_code), arena_);
  ended.Set("reason", Text(reason), arena_);
  if (!message.empty()) ended.Set("message", Text(message), arena_);
  ended.Set("startedAt", Text(started.empty() ? now_ : started), arena_);
  ended.Set("finishedAt", Text(now_), arena_);
  const std::string_view id = status_.FindString({"containerID"});
  if (!id.empty()) ended.Set("containerID", Text(id), arena_);
  SetReady(kind_ == ContainerKind::kInit && exit_code == 0);
  if (kind_ != ContainerKind::kEphemeral) status_.Set("started", Value::Bool(false), arena_);
  if (for_good || !RestartsAfter(exit_code)) return SetState("terminated", std::move(ended));
  Value last = Value::Object();
  last.Set("terminated", std::move(ended), arena_);
  status_.Set("lastState", std::move(last), arena_);
  const auto doublings = std::min<int64_t>(Restarts(), kBackOffDoublings);
  const int64_t pause = std::min(kBackOffFirstSeconds << doublings, kBackOffMaxSeconds);
  const std::string length =
      pause < 60 ? fmt::format("{}s", pause) : fmt::format("{}m{}s", pause / 60, pause % 60);
  Wait("CrashLoopBackOff",
       fmt::format("back-off {} restarting failed container={} pod={}_{}({})", length,
                   spec_.FindString({"name"}), pod_.FindString({"metadata", "name"}),
                   pod_.FindString({"metadata", "namespace"}),
                   pod_.FindString({"metadata", "uid"})));
}

void ContainerStatus::Wait(std::string_view reason, std::string_view message) {
  Value state = Value::Object();
  if (!reason.empty()) state.Set("reason", Text(reason), arena_);
  if (!message.empty()) state.Set("message", Text(message), arena_);
  SetState("waiting", std::move(state));
}

}  // namespace kulisse::simulator
