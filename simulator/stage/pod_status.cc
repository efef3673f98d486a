#include "simulator/stage/pod_status.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/text.h"
#include "base/time.h"
#include "simulator/stage/container_status.h"

namespace kulisse::simulator {

namespace {

using json::Value;

constexpr std::string_view kAllContainers = "*";
constexpr int64_t kKilledExitCode = 137;  // by SIGKILL

std::span<const Value> List(const Value& object, std::string_view part, std::string_view name) {
  const Value* list = object.Find({part, name});
  return list == nullptr ? std::span<const Value>() : list->elements();
}

const Value* FindBy(std::span<const Value> list, std::string_view field, std::string_view name) {
  const auto it = std::ranges::find_if(
      list, [&](const Value& entry) { return entry.FindString({field}) == name; });
  return it == list.end() ? nullptr : &*it;
}

// "[a b]", as Go prints a list.
std::string Bracketed(const std::vector<std::string_view>& names) {
  return fmt::format("[{}]", fmt::join(names, " "));
}

class StatusMaker {
 public:
  StatusMaker(const Value& pod, TemplateEnvironment& environment, json::Arena& arena)
      : pod_(pod), environment_(environment), arena_(arena), now_(FormatTime(environment.Now())) {}

  std::expected<Value, std::string> Make(const Value& changes, const PodFailure* failure);

 private:
  struct Container {
    ContainerKind kind;
    const Value* spec;
    ContainerStatus status;
  };
  struct Condition {
    std::string_view type;
    bool status;
    std::string reason, message;
  };

  [[nodiscard]] bool Deleting() const { return pod_.Find({"metadata", "deletionTimestamp"}); }
  void ReadContainers(ContainerKind kind, std::string_view spec_list, std::string_view status_list);
  std::expected<void, std::string> Change(const Value& changes);
  void EndHelpers();
  void Kill();
  [[nodiscard]] std::string_view Phase() const;
  [[nodiscard]] bool Ended() const { return phase_ == "Succeeded" || phase_ == "Failed"; }
  [[nodiscard]] bool AnyRan() const;

  [[nodiscard]] Condition ContainersReady() const;
  [[nodiscard]] Condition Ready(const Condition& containers_ready) const;
  [[nodiscard]] Condition Initialized() const;
  void AddCondition(const Condition& condition, Value& list);
  Value Conditions();
  std::expected<void, std::string> AddAddresses(Value& status);
  void AddStatuses(ContainerKind kind, std::string_view name, Value& status);
  Value Text(std::string_view text) { return Value::String(text, arena_); }

  const Value& pod_;
  TemplateEnvironment& environment_;
  json::Arena& arena_;
  const std::string now_;
  std::vector<Container> containers_;
  std::string_view phase_;
};

// --- containers

void StatusMaker::ReadContainers(ContainerKind kind, std::string_view spec_list,
                                 std::string_view status_list) {
  const auto statuses = List(pod_, "status", status_list);
  const bool has_inits = !List(pod_, "spec", "initContainers").empty();
  for (const Value& spec : List(pod_, "spec", spec_list)) {
    const bool sidecar =
        kind == ContainerKind::kInit && spec.FindString({"restartPolicy"}) == "Always";
    const ContainerKind own = sidecar ? ContainerKind::kSidecar : kind;
    const Value* before = FindBy(statuses, "name", spec.FindString({"name"}));
    containers_.push_back(
        {own, &spec, ContainerStatus(own, pod_, spec, before, has_inits, now_, arena_)});
  }
}

std::expected<void, std::string> StatusMaker::Change(const Value& changes) {
  for (const json::Member& change : changes.members()) {
    const std::string_view name = change.name;
    for (Container& container : containers_) {
      const std::string_view own = container.spec->FindString({"name"});
      const bool by_all = name == kAllContainers && changes.Find(own) == nullptr &&
                          (Deleting() || container.kind == ContainerKind::kMain);
      if (name != own && !by_all) continue;
      if (auto changed = container.status.Change(change.value); !changed) {
        return std::unexpected(fmt::format("container {}: {}", own, changed.error()));
      }
    }
  }
  return {};
}

// Sidecars and ephemeral containers end when no other container runs or will.
void StatusMaker::EndHelpers() {
  const bool goes_on = std::ranges::any_of(containers_, [](const Container& container) {
    return container.kind == ContainerKind::kMain && !container.status.has_ended();
  });
  if (!goes_on) {
    for (Container& container : containers_) container.status.End(0);
  }
}

void StatusMaker::Kill() {
  for (Container& container : containers_) container.status.End(kKilledExitCode);
}

bool StatusMaker::AnyRan() const {
  return std::ranges::any_of(containers_,
                             [](const Container& c) { return c.status.has_ever_run(); });
}

std::string_view StatusMaker::Phase() const {
  const std::string_view before = pod_.FindString({"status", "phase"});
  if (before == "Succeeded" || before == "Failed") return before;
  bool runs = false, waits = false, restarts = false, failed = false;
  for (const Container& container : containers_) {
    const ContainerStatus& status = container.status;
    if (container.kind == ContainerKind::kInit) {
      if (status.has_ended() && !status.has_succeeded()) return "Failed";
      waits |= !status.has_ended();
    } else if (container.kind == ContainerKind::kSidecar) {
      waits |= !status.has_ever_run();
    } else if (container.kind == ContainerKind::kMain) {
      runs |= status.is_running();
      restarts |= !status.is_running() && !status.has_ended() && status.has_ever_run();
      waits |= !status.has_ever_run();
      failed |= status.has_ended() && !status.has_succeeded();
    }
  }
  if (waits) return "Pending";
  if (runs || restarts) return "Running";
  return failed ? "Failed" : "Succeeded";
}

// --- conditions

StatusMaker::Condition StatusMaker::ContainersReady() const {
  Condition condition{"ContainersReady", false, "", ""};
  if (Ended()) {
    condition.reason = phase_ == "Failed" ? "PodFailed" : "PodCompleted";
    return condition;
  }
  std::vector<std::string_view> unready;
  for (const ContainerKind kind : {ContainerKind::kSidecar, ContainerKind::kMain}) {
    for (const Container& container : containers_) {
      if (container.kind != kind || container.status.is_ready()) continue;
      unready.push_back(container.spec->FindString({"name"}));
    }
  }
  condition.status = unready.empty();
  if (condition.status) return condition;
  condition.reason = "ContainersNotReady";
  condition.message = "containers with unready status: " + Bracketed(unready);
  return condition;
}

StatusMaker::Condition StatusMaker::Ready(const Condition& containers_ready) const {
  Condition condition = containers_ready;
  condition.type = "Ready";
  if (!condition.status) return condition;
  std::vector<std::string> unready;
  for (const Value& gate : List(pod_, "spec", "readinessGates")) {
    const std::string_view type = gate.FindString({"conditionType"});
    const Value* found = FindBy(List(pod_, "status", "conditions"), "type", type);
    if (found == nullptr) {
      unready.push_back(fmt::format(
          "corresponding condition of pod readiness gate \"{}\" does not exist.", type));
    } else if (found->FindString({"status"}) != "True") {
      unready.push_back(
          fmt::format("the status of pod readiness gate \"{}\" is not \"True\", but {}", type,
                      found->FindString({"status"})));
    }
  }
  if (unready.empty()) return condition;
  condition.status = false;
  condition.reason = "ReadinessGatesNotReady";
  condition.message = fmt::format("{}", fmt::join(unready, ", "));
  return condition;
}

StatusMaker::Condition StatusMaker::Initialized() const {
  Condition condition{"Initialized", true, "", ""};
  if (phase_ == "Succeeded") {
    condition.reason = "PodCompleted";
    return condition;
  }
  std::vector<std::string_view> incomplete;
  for (const Container& container : containers_) {
    if (container.kind == ContainerKind::kMain && container.status.has_ever_run()) return condition;
    const bool done = container.kind == ContainerKind::kInit ? container.status.is_ready()
                                                             : container.status.is_running();
    if ((container.kind == ContainerKind::kInit || container.kind == ContainerKind::kSidecar) &&
        !done) {
      incomplete.push_back(container.spec->FindString({"name"}));
    }
  }
  if (incomplete.empty()) return condition;
  condition.status = false;
  condition.reason = "ContainersNotInitialized";
  condition.message = "containers with incomplete status: " + Bracketed(incomplete);
  return condition;
}

void StatusMaker::AddCondition(const Condition& condition, Value& list) {
  const Value* before = FindBy(List(pod_, "status", "conditions"), "type", condition.type);
  const std::string_view status = condition.status ? "True" : "False";
  Value& item = list.PushBack(Value::Object(), arena_);
  item.Set("type", Text(condition.type), arena_);
  item.Set("status", Text(status), arena_);
  const auto set = [&](std::string_view field, const std::string& text) {
    if (!text.empty()) {
      item.Set(field, Text(text), arena_);
    } else if (before != nullptr && before->Find(field) != nullptr) {
      item.Set(field, Value(), arena_);  // null removes it
    }
  };
  set("reason", condition.reason);
  set("message", condition.message);
  if (const Value* generation = pod_.Find({"metadata", "generation"})) {
    item.Set("observedGeneration", generation->Clone(arena_), arena_);
  }
  const std::string_view since = before != nullptr && before->FindString({"status"}) == status
                                     ? before->FindString({"lastTransitionTime"})
                                     : now_;
  item.Set("lastTransitionTime", Text(since.empty() ? now_ : since), arena_);
}

Value StatusMaker::Conditions() {
  Value list = Value::Array();
  const bool has_sandbox = !Ended() && AnyRan();
  const Condition containers_ready = ContainersReady();
  AddCondition({"PodReadyToStartContainers", has_sandbox, "", ""}, list);
  AddCondition(Initialized(), list);
  AddCondition(Ready(containers_ready), list);
  AddCondition(containers_ready, list);
  AddCondition({"PodScheduled", true, "", ""}, list);
  return list;
}

// --- the status

void StatusMaker::AddStatuses(ContainerKind kind, std::string_view name, Value& status) {
  Value list = Value::Array();
  for (Container& container : containers_) {
    const bool init = container.kind == ContainerKind::kSidecar;
    if (container.kind != kind && !(kind == ContainerKind::kInit && init)) continue;
    list.PushBack(container.status.Take(), arena_);
  }
  if (list.size() > 0) status.Set(name, std::move(list), arena_);
}

std::expected<void, std::string> StatusMaker::AddAddresses(Value& status) {
  const std::string_view node = pod_.FindString({"spec", "nodeName"});
  const auto add = [&](const std::vector<std::string>& ips, std::string_view one,
                       std::string_view all) {
    if (ips.empty()) return;
    status.Set(one, Text(ips[0]), arena_);
    Value list = Value::Array();
    for (const std::string& ip : ips) {
      list.PushBack(Value::Object(), arena_).Set("ip", Text(ip), arena_);
    }
    status.Set(all, std::move(list), arena_);
  };
  add(environment_.NodeIPsWith(node), "hostIP", "hostIPs");
  const Value* host_network = pod_.Find({"spec", "hostNetwork"});
  const bool host = host_network != nullptr && host_network->IsBool() && host_network->AsBool();
  if ((!host && !AnyRan()) || pod_.Find({"status", "podIP"}) != nullptr) return {};
  auto ips = environment_.PodIPsWith({.node = node,
                                      .host_network = host,
                                      .uid = pod_.FindString({"metadata", "uid"}),
                                      .name = pod_.FindString({"metadata", "name"}),
                                      .ns = pod_.FindString({"metadata", "namespace"})});
  if (!ips) return std::unexpected(std::move(ips).error());
  add(*ips, "podIP", "podIPs");
  return {};
}

std::expected<Value, std::string> StatusMaker::Make(const Value& changes,
                                                    const PodFailure* failure) {
  ReadContainers(ContainerKind::kInit, "initContainers", "initContainerStatuses");
  ReadContainers(ContainerKind::kMain, "containers", "containerStatuses");
  ReadContainers(ContainerKind::kEphemeral, "ephemeralContainers", "ephemeralContainerStatuses");
  if (auto changed = Change(changes); !changed) return std::unexpected(changed.error());
  if (failure != nullptr) Kill();
  EndHelpers();
  phase_ = failure != nullptr ? "Failed" : Phase();
  Value status = Value::Object();
  if (failure != nullptr) {
    status.Set("reason", Text(failure->reason), arena_);
    status.Set("message", Text(failure->message), arena_);
  }
  status.Set("phase", Text(phase_), arena_);
  if (const Value* generation = pod_.Find({"metadata", "generation"})) {
    status.Set("observedGeneration", generation->Clone(arena_), arena_);
  }
  if (pod_.FindString({"status", "startTime"}).empty()) status.Set("startTime", Text(now_), arena_);
  status.Set("conditions", Conditions(), arena_);
  if (auto added = AddAddresses(status); !added) return std::unexpected(added.error());
  if (const Value* whole = pod_.Find({"spec", "resources"})) {
    status.Set("resources", whole->Clone(arena_), arena_);
    if (const Value* requests = whole->Find("requests")) {
      status.Set("allocatedResources", requests->Clone(arena_), arena_);
    }
  }
  AddStatuses(ContainerKind::kInit, "initContainerStatuses", status);
  AddStatuses(ContainerKind::kMain, "containerStatuses", status);
  AddStatuses(ContainerKind::kEphemeral, "ephemeralContainerStatuses", status);
  return status;
}

}  // namespace

std::expected<Value, std::string> MakePodStatus(const Value& pod, const Value& changes,
                                                TemplateEnvironment& environment,
                                                json::Arena& arena) {
  return StatusMaker(pod, environment, arena).Make(changes, nullptr);
}

std::expected<Value, std::string> MakeFailedPodStatus(const Value& pod, const PodFailure& failure,
                                                      TemplateEnvironment& environment,
                                                      json::Arena& arena) {
  static const Value kNoChanges = Value::Object();
  return StatusMaker(pod, environment, arena).Make(kNoChanges, &failure);
}

}  // namespace kulisse::simulator
