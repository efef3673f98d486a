// What configuration files (--config) say to the simulator: own Stages and options.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "simulator/stage/stage.h"

namespace kulisse::simulator {

// The options of KwokConfiguration that mean something here.
struct SimulatorOptions {
  // Nodes without spec.podCIDR share this one; empty: each gets a /24 of its own in spec.podCIDR.
  std::string cidr;
  // What NodeIP, NodeName and NodePort give to templates.
  std::string node_ip = "127.0.0.1";
  std::string node_name;
  int64_t node_port = 0;
  // Nodes are simulated if they carry these; all nodes when there are none.
  std::vector<std::pair<std::string, std::string>> manage_labels;
  std::vector<std::pair<std::string, std::string>> manage_annotations;
  std::string manage_single_node;
  // 0: no leases; nodes then get the stage node-heartbeat.
  int64_t node_lease_duration_seconds = 40;
};

struct SimulatorConfig {
  SimulatorOptions options;
  std::vector<Stage> stages;
};

// Adds the documents of one file to `config`: Stage and KwokConfiguration; other kinds are refused.
// The error names file, document and field.
[[nodiscard]] std::expected<void, std::string> AddConfig(std::string_view file_name,
                                                         std::string_view text,
                                                         SimulatorConfig* config);

// The shipped stages for nodes and pods. A kind that has stages of the user's own gets none of
// them.
[[nodiscard]] std::vector<Stage> WithDefaultStages(std::vector<Stage> own,
                                                   const SimulatorOptions& options);

}  // namespace kulisse::simulator
