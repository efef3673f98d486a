// MakePodStatus makes the status of a pod as a kubelet reports it: what happens to its containers
// is given, and phase, conditions, restarts, addresses and times follow. Templates reach it as the
// function PodStatus. Upstream: pkg/kubelet/kubelet_pods.go, pkg/kubelet/status/generate.go.
//
// Threads: a pure function of its arguments and what the environment says.
// Errors: in words; of the environment (no address is free) and of changes that make no sense.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "base/json/value.h"
#include "simulator/stage/template.h"

namespace kulisse::simulator {

// Why a pod fails as a whole, whatever its containers do.
struct PodFailure {
  std::string_view reason;
  std::string_view message;
};

// `changes` says by the name of a container what happens to it; "*" stands for all that are neither
// init nor ephemeral containers and have no entry of their own; for all at all while the pod is
// being deleted. It has one of:
//   {"run": true}     it starts, or is started again;  with "ready": false it is not ready yet
//   {"exit": 1}       it ends, when it runs, and is restarted if its policy says so; with "reason"
//                     and "message"; with "run" it starts first
//   {"wait": REASON}  it waits to be started; with "message"
//   {"ready": false}  its readiness changes, when it runs
// A container that is not named stays as it is, but what its spec says (image, resources) follows;
// ephemeral containers run as soon as they are there. When the last container has ended for good so
// do sidecars. The result is a strategic merge patch of the status.
[[nodiscard]] std::expected<json::Value, std::string> MakePodStatus(
    const json::Value& pod, const json::Value& changes, TemplateEnvironment& environment,
    json::Arena& arena);

// The same for a pod that fails: its containers are killed.
[[nodiscard]] std::expected<json::Value, std::string> MakeFailedPodStatus(
    const json::Value& pod, const PodFailure& failure, TemplateEnvironment& environment,
    json::Arena& arena);

}  // namespace kulisse::simulator
