// What configuration files (--config) say to the simulator: own Stages, usage and options; and the
// stages and usage that come with the program.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json/value.h"

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
  // Whether nodes without the annotation refuse, time out and evict pods: PodRules. The set kubelet
  // turns it on.
  bool kubelet_rules = false;
};

// A Stage object that is not compiled yet, and where it stands: "a.yaml: document 2".
struct StageSource {
  std::string origin;
  json::Document object;

  // What it is about, as it says.
  [[nodiscard]] std::string_view name() const {
    return object.root.FindString({"metadata", "name"});
  }
  [[nodiscard]] std::string_view api_group() const;
  [[nodiscard]] std::string_view kind() const {
    return object.root.FindString({"spec", "resourceRef", "kind"});
  }
};

// A ResourceUsage, ClusterResourceUsage or Metric that is not compiled yet, and where it stands.
struct UsageObjectSource {
  std::string origin;
  json::Document object;
};
[[nodiscard]] bool IsUsageKind(std::string_view kind);

struct SimulatorConfig {
  SimulatorOptions options;
  std::vector<StageSource> stages;
  std::vector<UsageObjectSource> usage;
  // Of shipped stages; see AddShippedStages().
  std::vector<std::string> stage_sets;
  // Documents that were passed over, each with the reason, for a person.
  std::vector<std::string> problems;
};

// Adds the documents of one file to `config`: Stage, the kinds of usage, and KwokConfiguration.
// Others, and an object that is there already, are passed over as KWOK does, and noted as problems.
// The error is of a file that is no YAML or has bad options; it names file, document and field.
[[nodiscard]] std::expected<void, std::string> AddConfig(std::string_view file_name,
                                                         std::string_view text,
                                                         SimulatorConfig* config);
// One file that --config names.
struct ConfigFile {
  std::string name;
  std::string text;
};
// The file, or those of the folder (*.yaml, *.yml and *.json, by name); "-" is standard input.
[[nodiscard]] std::expected<std::vector<ConfigFile>, std::string> ReadConfigFiles(
    const std::string& path);
// Reads files and folders (of *.yaml, *.yml and *.json, by name); "-" is standard input.
[[nodiscard]] std::expected<void, std::string> AddConfigPath(const std::string& path,
                                                             SimulatorConfig* config);

// The sets of shipped stages that can be asked for, by name.
[[nodiscard]] std::vector<std::string> StageSetNames();
inline constexpr std::string_view kDefaultStageSet = "fast";
// Adds the shipped stages of config's stage_sets (StageSetNames()). When there are none it is the
// default set, and a kind that has stages of the user's own gets none of it.
[[nodiscard]] std::expected<void, std::string> AddShippedStages(SimulatorConfig* config);
// Adds the shipped usage behind the user's own: usage by annotations of pods, and the page
// /metrics/resource of kubelets. An object of the same kind and name replaces it.
void AddShippedUsage(SimulatorConfig* config);

}  // namespace kulisse::simulator
