// What `kubectl get pods` shows. Upstream: printPod.
#include <fmt/format.h>

#include <algorithm>

#include "openapi/table/cells.h"

namespace kulisse::openapi::table {

namespace {

struct Restarts {
  int64_t count = 0;
  std::optional<SystemTime> last;
  const Value* last_text = nullptr;

  void Add(const Value& status) {
    count += NumberAt(status, {"restartCount"});
    const Value* finished = status.Find({"lastState", "terminated", "finishedAt"});
    const auto at = TimeOf(finished);
    if (!at || (last && *last >= *at)) return;
    last = at;
    last_text = finished;
  }
};

const Value* Condition(const Value& pod, std::string_view type) {
  for (const Value& condition : ListAt(pod, {"status", "conditions"})) {
    if (TextAt(condition, {"type"}) == type) return &condition;
  }
  return nullptr;
}

bool IsConditionTrue(const Value& pod, std::string_view type) {
  const Value* condition = Condition(pod, type);
  return condition != nullptr && TextAt(*condition, {"status"}) == "True";
}

bool IsRestartable(const Value& pod, std::string_view init_container) {
  return std::ranges::any_of(ListAt(pod, {"spec", "initContainers"}), [&](const Value& container) {
    return TextAt(container, {"name"}) == init_container &&
           TextAt(container, {"restartPolicy"}) == "Always";
  });
}

std::string TerminationText(const Value& terminated) {
  const std::string_view reason = TextAt(terminated, {"reason"});
  if (!reason.empty()) return std::string(reason);
  if (const int64_t signal = NumberAt(terminated, {"signal"}); signal != 0) {
    return fmt::format("Signal:{}", signal);
  }
  return fmt::format("ExitCode:{}", NumberAt(terminated, {"exitCode"}));
}

// The pod's status, worked out from its containers' states.
struct Summary {
  std::string reason;
  int64_t ready = 0;
  int64_t total = 0;
  Restarts restarts;
};

// Returns whether initialization still goes on or has failed.
bool AddInitContainers(const Value& pod, Summary* summary, Restarts* restartable) {
  const auto statuses = ListAt(pod, {"status", "initContainerStatuses"});
  for (size_t i = 0; i < statuses.size(); ++i) {
    const Value& status = statuses[i];
    const bool is_restartable = IsRestartable(pod, TextAt(status, {"name"}));
    summary->restarts.Add(status);
    if (is_restartable) restartable->Add(status);
    const Value* terminated = status.Find({"state", "terminated"});
    const std::string_view waiting = TextAt(status, {"state", "waiting", "reason"});
    if (terminated != nullptr && NumberAt(*terminated, {"exitCode"}) == 0) continue;
    if (is_restartable && BoolAt(status, {"started"})) {
      if (BoolAt(status, {"ready"})) ++summary->ready;
      continue;
    }
    if (terminated != nullptr) {
      summary->reason = "Init:" + TerminationText(*terminated);
    } else if (!waiting.empty() && waiting != "PodInitializing") {
      summary->reason = fmt::format("Init:{}", waiting);
    } else {
      summary->reason =
          fmt::format("Init:{}/{}", i, ListAt(pod, {"spec", "initContainers"}).size());
    }
    return true;
  }
  return false;
}

void AddContainers(const Value& pod, Summary* summary) {
  bool has_running = false;
  std::string error_reason;
  const auto statuses = ListAt(pod, {"status", "containerStatuses"});
  for (size_t i = statuses.size(); i > 0; --i) {
    const Value& status = statuses[i - 1];
    summary->restarts.Add(status);
    const std::string_view waiting = TextAt(status, {"state", "waiting", "reason"});
    const Value* terminated = status.Find({"state", "terminated"});
    if (!waiting.empty()) {
      summary->reason = waiting;
    } else if (terminated != nullptr) {
      summary->reason = TerminationText(*terminated);
      if (NumberAt(*terminated, {"exitCode"}) != 0) error_reason = summary->reason;
    } else if (BoolAt(status, {"ready"}) && status.Find({"state", "running"}) != nullptr) {
      has_running = true;
      ++summary->ready;
    }
  }
  if (summary->reason != "Completed") return;
  if (has_running && IsConditionTrue(pod, "Ready")) {
    summary->reason = "Running";
  } else if (!error_reason.empty()) {
    summary->reason = error_reason;
  } else if (has_running) {
    summary->reason = "NotReady";
  }
}

Summary Summarize(const Value& pod) {
  Summary summary;
  const std::string_view phase = TextAt(pod, {"status", "phase"});
  const std::string_view status_reason = TextAt(pod, {"status", "reason"});
  summary.reason = TextOr(status_reason, phase);
  const Value* scheduled = Condition(pod, "PodScheduled");
  if (scheduled != nullptr && TextAt(*scheduled, {"reason"}) == "SchedulingGated") {
    summary.reason = "SchedulingGated";
  }
  summary.total = static_cast<int64_t>(ListAt(pod, {"spec", "containers"}).size());
  for (const Value& container : ListAt(pod, {"spec", "initContainers"})) {
    if (TextAt(container, {"restartPolicy"}) == "Always") ++summary.total;
  }
  Restarts restartable;
  const bool initializing = AddInitContainers(pod, &summary, &restartable);
  if (!initializing || IsConditionTrue(pod, "Initialized")) {
    summary.restarts = restartable;
    AddContainers(pod, &summary);
  }
  if (pod.Find({"metadata", "deletionTimestamp"}) != nullptr) {
    if (status_reason == "NodeLost") {
      summary.reason = "Unknown";
    } else if (phase != "Failed" && phase != "Succeeded") {
      summary.reason = "Terminating";
    }
  }
  return summary;
}

std::string ReadinessGatesText(const Value& pod) {
  const auto gates = ListAt(pod, {"spec", "readinessGates"});
  if (gates.empty()) return std::string(kNone);
  const auto passed = std::ranges::count_if(gates, [&pod](const Value& gate) {
    return IsConditionTrue(pod, TextAt(gate, {"conditionType"}));
  });
  return fmt::format("{}/{}", passed, gates.size());
}

void PrintPod(const Value& pod, Cells& row) {
  const Summary summary = Summarize(pod);
  row.Name(pod);
  row.Text(fmt::format("{}/{}", summary.ready, summary.total));
  row.Text(summary.reason);
  std::string restarts = std::to_string(summary.restarts.count);
  if (summary.restarts.count != 0 && summary.restarts.last) {
    restarts += fmt::format(" ({} ago)", row.Since(summary.restarts.last_text));
  }
  row.Text(restarts);
  row.Age(pod);
  const auto ips = ListAt(pod, {"status", "podIPs"});
  row.Text(TextOr(ips.empty() ? TextAt(pod, {"status", "podIP"}) : TextAt(ips[0], {"ip"}), kNone));
  row.Text(TextOr(TextAt(pod, {"spec", "nodeName"}), kNone));
  row.Text(TextOr(TextAt(pod, {"status", "nominatedNodeName"}), kNone));
  row.Text(ReadinessGatesText(pod));
}

void PrintPodTemplate(const Value& object, Cells& row) {
  row.Name(object);
  AppendContainers(object.Find({"template", "spec"}), row);
  row.Text(LabelsText(object.Find({"template", "metadata", "labels"})));
}

constexpr Printer kPrinters[] = {
    {"", "pods", PrintPod},
    {"", "podtemplates", PrintPodTemplate},
};

}  // namespace

std::span<const Printer> PodPrinters() { return kPrinters; }

}  // namespace kulisse::openapi::table
