// ContainerStatus is the status of one container, while what happens to it is applied.
// Upstream: pkg/kubelet/kubelet_pods.go, convertToAPIContainerStatuses.
//
// Borrows: pod and spec; its values lie in the arena. Threads: one at a time.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "base/json/value.h"

namespace kulisse::simulator {

enum class ContainerKind : uint8_t { kInit, kSidecar, kMain, kEphemeral };

class ContainerStatus {
 public:
  // As it was `before` (null: it is new), with what the spec says now.
  ContainerStatus(ContainerKind kind, const json::Value& pod, const json::Value& spec,
                  const json::Value* before, bool pod_has_inits, std::string_view now,
                  json::Arena& arena);

  // Applies one change, as MakePodStatus describes them.
  std::expected<void, std::string> Change(const json::Value& change);
  // Ends for good: what runs has that exit code, what waits to be restarted stays ended.
  void End(int64_t exit_code);

  [[nodiscard]] bool is_running() const { return State("running") != nullptr; }
  [[nodiscard]] bool has_ended() const { return State("terminated") != nullptr; }
  [[nodiscard]] bool has_succeeded() const;
  [[nodiscard]] bool has_ever_run() const { return is_running() || has_ended() || LastEnd(); }
  [[nodiscard]] bool is_ready() const;
  // The value; REQUIRES: called last.
  [[nodiscard]] json::Value Take() { return std::move(status_); }

 private:
  [[nodiscard]] const json::Value* State(std::string_view name) const {
    return status_.Find({"state", name});
  }
  [[nodiscard]] const json::Value* LastEnd() const {
    return status_.Find({"lastState", "terminated"});
  }
  [[nodiscard]] bool RestartsAfter(int64_t exit_code) const;
  void FollowSpec();
  void Run(bool ready);
  void Exit(int64_t exit_code, std::string_view reason, std::string_view message, bool for_good);
  void Wait(std::string_view reason, std::string_view message);
  void SetState(std::string_view name, json::Value state);
  void SetReady(bool ready);
  [[nodiscard]] int64_t Restarts() const;
  json::Value Text(std::string_view text) { return json::Value::String(text, arena_); }

  const ContainerKind kind_;
  const json::Value& pod_;
  const json::Value& spec_;
  const std::string_view now_;
  json::Arena& arena_;
  json::Value status_;
};

}  // namespace kulisse::simulator
