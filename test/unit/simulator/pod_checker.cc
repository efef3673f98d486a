#include "test/unit/simulator/pod_checker.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <span>

namespace kulisse::simulator {

namespace {

using json::Value;

std::span<const Value> List(const Value& object, std::initializer_list<std::string_view> path) {
  const Value* list = object.Find(path);
  return list == nullptr ? std::span<const Value>() : list->elements();
}

const Value* Named(std::span<const Value> list, std::string_view name,
                   std::string_view field = "name") {
  const auto it = std::ranges::find_if(
      list, [&](const Value& entry) { return entry.FindString({field}) == name; });
  return it == list.end() ? nullptr : &*it;
}

bool IsTrue(const Value& object, std::string_view field) {
  const Value* value = object.Find(field);
  return value != nullptr && value->IsBool() && value->AsBool();
}

int64_t IntOf(const Value& object, std::initializer_list<std::string_view> path) {
  const Value* value = object.Find(path);
  return value != nullptr && value->IsInt() ? value->AsInt() : 0;
}

std::string_view PhaseOf(const Value& pod) { return pod.FindString({"status", "phase"}); }

bool HasEnded(const Value& pod) { return PhaseOf(pod) == "Succeeded" || PhaseOf(pod) == "Failed"; }

bool IsSidecar(const Value& container) {
  return container.FindString({"restartPolicy"}) == "Always";
}

bool IsRunning(const Value& status) { return status.Find({"state", "running"}) != nullptr; }

std::string_view ConditionOf(const Value& pod, std::string_view type) {
  const Value* condition = Named(List(pod, {"status", "conditions"}), type, "type");
  return condition == nullptr ? "" : condition->FindString({"status"});
}

// Those of the pod's containers that are to be ready: sidecars among them.
std::vector<const Value*> ServingStatuses(const Value& pod) {
  std::vector<const Value*> statuses;
  for (const Value& status : List(pod, {"status", "containerStatuses"})) {
    statuses.push_back(&status);
  }
  for (const Value& container : List(pod, {"spec", "initContainers"})) {
    const Value* status =
        Named(List(pod, {"status", "initContainerStatuses"}), container.FindString({"name"}));
    if (IsSidecar(container) && status != nullptr) statuses.push_back(status);
  }
  return statuses;
}

}  // namespace

void PodChecker::Expect(bool condition, std::string message) {
  if (!condition) wrong_.push_back(std::move(message));
}

std::vector<std::string> PodChecker::Check(const Value& pod, const Value* before) {
  wrong_.clear();
  CheckContainers(pod, "containers", "containerStatuses");
  CheckContainers(pod, "initContainers", "initContainerStatuses");
  CheckContainers(pod, "ephemeralContainers", "ephemeralContainerStatuses");
  CheckPhase(pod);
  CheckConditions(pod);
  CheckAddresses(pod);
  if (before != nullptr) CheckChange(pod, *before);
  return std::move(wrong_);
}

std::vector<std::string> PodChecker::CheckSettled(const Value& pod) {
  wrong_.clear();
  if (PhaseOf(pod) == "Running" && pod.Find({"metadata", "deletionTimestamp"}) == nullptr) {
    Expect(IntOf(pod, {"status", "observedGeneration"}) == IntOf(pod, {"metadata", "generation"}),
           "the generation is not observed");
    for (const Value& container : List(pod, {"spec", "containers"})) {
      const Value* status =
          Named(List(pod, {"status", "containerStatuses"}), container.FindString({"name"}));
      if (status == nullptr || !IsRunning(*status)) continue;
      static const Value kNone = Value::Object();
      const Value* wanted = container.Find("resources");
      const Value* reported = status->Find("resources");
      Expect((wanted ? *wanted : kNone) == (reported ? *reported : kNone),
             "resources are not those of the spec");
    }
    if (strict_) {
      bool ready = ConditionOf(pod, "ContainersReady") == "True";
      for (const Value& gate : List(pod, {"spec", "readinessGates"})) {
        ready &= ConditionOf(pod, gate.FindString({"conditionType"})) == "True";
      }
      Expect(ready == (ConditionOf(pod, "Ready") == "True"), "Ready is not what its parts say");
      Expect(List(pod, {"status", "ephemeralContainerStatuses"}).size() ==
                 List(pod, {"spec", "ephemeralContainers"}).size(),
             "ephemeral containers have no status");
    }
  }
  return std::move(wrong_);
}

// --- containers

void PodChecker::CheckContainers(const Value& pod, std::string_view spec_list,
                                 std::string_view status_list) {
  const auto specs = List(pod, {"spec", spec_list});
  const auto statuses = List(pod, {"status", status_list});
  if (statuses.empty()) return;
  if (spec_list != "ephemeralContainers") {
    Expect(specs.size() == statuses.size(),
           fmt::format("{} do not match {}", status_list, spec_list));
  }
  std::set<std::string_view> names;
  for (const Value& status : statuses) {
    const std::string_view name = status.FindString({"name"});
    Expect(names.insert(name).second, fmt::format("{} has {} twice", status_list, name));
    const Value* spec = Named(specs, name);
    Expect(spec != nullptr, fmt::format("{} is no container", name));
    if (spec == nullptr) continue;
    CheckContainer(*spec, status, spec_list == "initContainers" && !IsSidecar(*spec));
    if (HasEnded(pod) && pod.FindString({"status", "reason"}).empty() && strict_) {
      Expect(!IsRunning(status), fmt::format("{} runs in a pod that has ended", name));
    }
  }
}

// `ends_well`: an init container, which is ready once it has succeeded.
void PodChecker::CheckContainer(const Value& spec, const Value& status, bool ends_well) {
  const std::string_view name = status.FindString({"name"});
  const auto expect = [&](bool condition, std::string_view what) {
    Expect(condition, fmt::format("container {}: {}", name, what));
  };
  const Value* state = status.Find("state");
  const size_t states = state == nullptr ? 0 : state->members().size();
  expect(states == 1, "has not one state");
  expect(status.FindString({"image"}) == spec.FindString({"image"}), "has another image");
  expect(IntOf(status, {"restartCount"}) >= 0, "restarts less than never");
  const Value* terminated = status.Find({"state", "terminated"});
  if (IsTrue(status, "ready")) {
    const bool succeeded = terminated != nullptr && IntOf(*terminated, {"exitCode"}) == 0;
    expect(ends_well ? succeeded || !strict_ : IsRunning(status), "is ready and does not run");
  }
  if (IsTrue(status, "started")) expect(IsRunning(status), "is started and does not run");
  for (const Value* ended : {terminated, status.Find({"lastState", "terminated"})}) {
    if (ended == nullptr) continue;
    expect(ended->FindString({"startedAt"}) <= ended->FindString({"finishedAt"}),
           "ends before it starts");
    expect(!ended->FindString({"reason"}).empty(), "ends without a reason");
  }
  if (!strict_) return;
  if (IntOf(status, {"restartCount"}) > 0) {
    expect(status.Find({"lastState", "terminated"}) != nullptr || terminated != nullptr,
           "was restarted and has never ended");
  }
  if (IsRunning(status)) {
    expect(!status.FindString({"imageID"}).empty(), "runs and has no imageID");
    expect(!status.FindString({"containerID"}).empty(), "runs and has no containerID");
  }
}

// --- the pod

void PodChecker::CheckPhase(const Value& pod) {
  const std::string_view phase = PhaseOf(pod);
  const auto statuses = List(pod, {"status", "containerStatuses"});
  const auto ended_with = [](const Value& status, bool success) {
    const Value* terminated = status.Find({"state", "terminated"});
    return terminated != nullptr && (IntOf(*terminated, {"exitCode"}) == 0) == success;
  };
  if (phase == "Running") {
    Expect(!pod.FindString({"status", "startTime"}).empty(), "Running without startTime");
    Expect(!pod.FindString({"status", "podIP"}).empty(), "Running without podIP");
    Expect(statuses.size() == List(pod, {"spec", "containers"}).size(),
           "Running without statuses of its containers");
    for (const Value& status : statuses) {
      const bool never_ran = status.Find({"state", "waiting"}) != nullptr &&
                             status.Find({"lastState", "terminated"}) == nullptr;
      Expect(!never_ran, "Running, and a container never ran");
    }
  } else if (phase == "Succeeded") {
    Expect(std::ranges::all_of(statuses, [&](const Value& s) { return ended_with(s, true); }),
           "Succeeded, and a container has not");
  } else if (phase == "Failed") {
    const auto inits = List(pod, {"status", "initContainerStatuses"});
    const auto failed = [&](const Value& s) { return ended_with(s, false); };
    Expect(!pod.FindString({"status", "reason"}).empty() || std::ranges::any_of(statuses, failed) ||
               std::ranges::any_of(inits, failed),
           "Failed, and nothing has");
  } else {
    Expect(phase == "Pending", fmt::format("phase \"{}\"", phase));
    Expect(std::ranges::none_of(statuses, IsRunning), "Pending, and a container runs");
  }
  Expect(!pod.FindString({"status", "qosClass"}).empty(), "no qosClass");
}

void PodChecker::CheckConditions(const Value& pod) {
  std::set<std::string_view> types;
  const int64_t generation = IntOf(pod, {"metadata", "generation"});
  for (const Value& condition : List(pod, {"status", "conditions"})) {
    const std::string_view type = condition.FindString({"type"});
    Expect(types.insert(type).second, fmt::format("two conditions {}", type));
    Expect(IntOf(condition, {"observedGeneration"}) <= generation,
           fmt::format("condition {} observes the future", type));
  }
  Expect(IntOf(pod, {"status", "observedGeneration"}) <= generation, "observes the future");
  const bool ready = ConditionOf(pod, "Ready") == "True";
  const bool containers_ready = ConditionOf(pod, "ContainersReady") == "True";
  if (ready) Expect(containers_ready, "Ready, and ContainersReady is not");
  if (HasEnded(pod)) {
    if (strict_) Expect(!ready && !containers_ready, "has ended and is ready");
    return;
  }
  if (PhaseOf(pod) == "Running") {
    const auto serving = ServingStatuses(pod);
    const bool all = std::ranges::all_of(serving, [](auto* s) { return IsTrue(*s, "ready"); });
    Expect(all == containers_ready,
           fmt::format("ContainersReady is {}, and all are ready: {}", containers_ready, all));
    Expect(ConditionOf(pod, "Initialized") == "True", "Running and not Initialized");
  }
  bool gates = true;
  for (const Value& gate : List(pod, {"spec", "readinessGates"})) {
    gates &= ConditionOf(pod, gate.FindString({"conditionType"})) == "True";
  }
  if (ready) Expect(gates, "Ready, and a gate is not");  // nobody takes a gate back here
  if (!strict_ || PhaseOf(pod) != "Running") return;
  Expect(ConditionOf(pod, "PodScheduled") == "True", "Running and not PodScheduled");
  Expect(ConditionOf(pod, "PodReadyToStartContainers") == "True",
         "Running and not PodReadyToStartContainers");
}

void PodChecker::CheckAddresses(const Value& pod) {
  const auto check = [&](std::string_view one, std::string_view all) {
    const auto list = List(pod, {"status", all});
    const std::string_view first = list.empty() ? "" : list[0].FindString({"ip"});
    Expect(first == pod.FindString({"status", one}),
           fmt::format("{} is not the first of {}", one, all));
  };
  check("podIP", "podIPs");
  check("hostIP", "hostIPs");
  const std::string_view ip = pod.FindString({"status", "podIP"});
  if (ip.empty()) return;
  const bool host = ip == pod.FindString({"status", "hostIP"});
  const Value* spec = pod.Find("spec");
  Expect(host == IsTrue(*spec, "hostNetwork"), "the address is not of the pod's network");
}

// --- changes

void PodChecker::CheckChange(const Value& pod, const Value& before) {
  if (HasEnded(before)) Expect(PhaseOf(pod) == PhaseOf(before), "comes back after its end");
  if (PhaseOf(before) == "Running") Expect(PhaseOf(pod) != "Pending", "is Pending after it ran");
  for (const std::string_view field : {"startTime", "podIP", "hostIP", "qosClass"}) {
    const std::string_view was = before.FindString({"status", field});
    if (was.empty()) continue;
    Expect(pod.FindString({"status", field}) == was, fmt::format("{} changes", field));
  }
  Expect(IntOf(pod, {"status", "observedGeneration"}) >=
             IntOf(before, {"status", "observedGeneration"}),
         "observes an older generation");
  for (const std::string_view list :
       {"containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"}) {
    for (const Value& was : List(before, {"status", list})) {
      const Value* now = Named(List(pod, {"status", list}), was.FindString({"name"}));
      Expect(now != nullptr, "a container status is lost");
      if (now != nullptr) CheckContainerChange(*now, was);
    }
  }
  for (const Value& was : List(before, {"status", "conditions"})) {
    const std::string_view type = was.FindString({"type"});
    const Value* now = Named(List(pod, {"status", "conditions"}), type, "type");
    Expect(now != nullptr, fmt::format("condition {} is lost", type));
    if (now == nullptr || !strict_) continue;
    const bool same_status = now->FindString({"status"}) == was.FindString({"status"});
    const bool same_time =
        now->FindString({"lastTransitionTime"}) == was.FindString({"lastTransitionTime"});
    if (same_status) Expect(same_time, fmt::format("the time of {} changes without it", type));
  }
}

void PodChecker::CheckContainerChange(const Value& now, const Value& before) {
  const std::string_view name = now.FindString({"name"});
  const int64_t more = IntOf(now, {"restartCount"}) - IntOf(before, {"restartCount"});
  Expect(more == 0 || more == 1, fmt::format("{}: {} restarts at once", name, more));
  if (more == 0 && IsRunning(before) && IsRunning(now)) {
    Expect(now.FindString({"state", "running", "startedAt"}) ==
                   before.FindString({"state", "running", "startedAt"}) ||
               !strict_,
           fmt::format("{} starts again without a restart", name));
  }
  if (!strict_) return;
  for (const std::string_view field : {"imageID", "containerID"}) {
    const std::string_view was = before.FindString({field});
    if (was.empty() || (more == 1 && field == "containerID")) continue;
    Expect(now.FindString({field}) == was, fmt::format("{}: {} changes", name, field));
  }
  for (const std::string_view field : {"resources", "allocatedResources"}) {
    Expect(before.Find(field) == nullptr || now.Find(field) != nullptr,
           fmt::format("{}: {} is lost", name, field));
  }
  const bool waits_before = before.Find({"state", "waiting"}) != nullptr;
  if (more == 0 && waits_before && before.Find({"lastState", "terminated"}) != nullptr) {
    Expect(!IsRunning(now), fmt::format("{} runs again without a restart", name));
  }
}

}  // namespace kulisse::simulator
