// PodChecker says what is not consistent in a pod: its status with its spec, with itself, and with
// what it was before. It knows nothing of stages.
//
// Threads: one at a time.
#pragma once

#include <string>
#include <vector>

#include "base/json/value.h"

namespace kulisse::simulator {

class PodChecker {
 public:
  // `strict`: as a kubelet reports; otherwise only what holds for KWOK's stages as well, which
  // leave conditions as they are when a pod ends, and rewrite the times of what has not changed.
  explicit PodChecker(bool strict) : strict_(strict) {}

  // What is wrong with `pod`, which was `before` (null: it is new); empty when all is well.
  std::vector<std::string> Check(const json::Value& pod, const json::Value* before);
  // The same of a pod on which nothing happens any more.
  std::vector<std::string> CheckSettled(const json::Value& pod);

 private:
  void Expect(bool condition, std::string message);
  void CheckContainers(const json::Value& pod, std::string_view spec_list,
                       std::string_view status_list);
  void CheckContainer(const json::Value& spec, const json::Value& status, bool ends_well);
  void CheckPhase(const json::Value& pod);
  void CheckConditions(const json::Value& pod);
  void CheckAddresses(const json::Value& pod);
  void CheckChange(const json::Value& pod, const json::Value& before);
  void CheckContainerChange(const json::Value& now, const json::Value& before);

  const bool strict_;
  std::vector<std::string> wrong_;
};

}  // namespace kulisse::simulator
