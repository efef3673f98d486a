// An environment for templates whose answers are fixed.
#pragma once

#include <string>
#include <vector>

#include "base/random.h"
#include "simulator/stage/template.h"

namespace kulisse::simulator {

class FixedEnvironment final : public TemplateEnvironment {
 public:
  [[nodiscard]] SystemTime Now() const override { return *ParseTime("2026-01-02T03:04:05.5Z"); }
  [[nodiscard]] SystemTime StartTime() const override { return *ParseTime("2026-01-01T00:00:00Z"); }
  uint64_t RandomBits() override { return random_.Next(); }
  [[nodiscard]] std::string NodeIP() const override { return "127.0.0.1"; }
  [[nodiscard]] std::string NodeName() const override { return ""; }
  [[nodiscard]] int64_t NodePort() const override { return 0; }
  std::vector<std::string> NodeIPsWith(std::string_view node) override {
    if (node.empty()) return {};
    return {"192.0.2.1"};
  }
  std::expected<std::vector<std::string>, std::string> PodIPsWith(
      const PodReference& pod) override {
    if (pod.host_network) return NodeIPsWith(pod.node);
    return std::vector<std::string>{"10.244.0.1"};
  }

 private:
  Random random_{1};
};

}  // namespace kulisse::simulator
