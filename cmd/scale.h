// `kulisse scale`: makes as many objects of one kind as are asked for, from a template, in whatever
// cluster a kubeconfig points at; as `kwokctl scale` does, but thousands a second.
//
// Objects are called NAME-000000 and so on, and have the label kwok.x-k8s.io/kwokctl-scale: NAME.
// Those that have it count; numbers that are free are used first. When there are too many, the
// newest go.
//
// Threads: none. Errors: one line for a person. An object that is refused does not stop the others.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <string_view>

#include "base/runtime.h"
#include "cmd/command_line.h"

namespace kulisse::cmd {

struct ScaleReport {
  uint64_t created = 0;
  uint64_t updated = 0;  // were there without the label
  uint64_t deleted = 0;
  uint64_t failed = 0;
};

// `say` is given what a person may want to know, a line each.
[[nodiscard]] std::expected<ScaleReport, std::string> RunScale(
    const ScaleOptions& options, Runtime& runtime,
    const std::function<void(std::string_view)>& say);

// The command: what is said goes to standard error. Returns the exit code.
int Scale(const ScaleOptions& options);

}  // namespace kulisse::cmd
