// What is allowed in pods and seldom meant. Upstream: pkg/api/pod/warnings.go.
// Threads: pure functions.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "base/json/value.h"

namespace kulisse::apiserver {

// Warnings collects the texts, each once.
// Borrows: the list.
class Warnings {
 public:
  explicit Warnings(std::vector<std::string>* list) : list_(list) {}
  void Add(std::string text) {
    if (std::ranges::find(*list_, text) == list_->end()) list_->push_back(std::move(text));
  }

 private:
  std::vector<std::string>* list_;
};

// Of a pod or of a template; `path` is "" for a pod and "spec.template." or alike for a template.
void WarnOfPod(const json::Value& pod, const std::string& path, Warnings& warnings);
// Of the spec of a claim at `path`.
void WarnOfClaimSpec(const json::Value& spec, const std::string& path, Warnings& warnings);

}  // namespace kulisse::apiserver
