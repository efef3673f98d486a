// What ResourceUsage, ClusterResourceUsage and Metric objects say, compiled: who uses how much, and
// which pages of metrics there are. Upstream: kwok pkg/apis/internalversion.
//
// Threads: immutable values but for `warned`. Errors: one line that names object and field.
#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/value.h"
#include "simulator/stage/cel_environment.h"

namespace kulisse::simulator {

// How much of one resource a container uses: a constant, or what an expression yields.
struct UsageValue {
  double value = 0;
  std::optional<UsageExpression> expression;
  // The first failure of the expression has been logged.
  mutable std::atomic<bool> warned = false;
};

// What some containers use.
struct UsageEntry {
  std::vector<std::string> containers;  // none: all that no other entry names
  std::map<std::string, UsageValue, std::less<>> resources;
};

// A ResourceUsage (of the pod of its name) or a ClusterResourceUsage (of those it selects).
struct UsageRule {
  // Empty lists select everything.
  std::vector<std::string> namespaces;
  std::vector<std::string> names;
  std::vector<UsageEntry> entries;

  [[nodiscard]] bool Selects(std::string_view ns, std::string_view name) const;
  // The first entry that names the container, else the first that names none; null without one.
  [[nodiscard]] const UsageEntry* Find(std::string_view container) const;

  // Either kind.
  static std::expected<std::shared_ptr<const UsageRule>, std::string> Parse(
      const json::Value& object, const CelEnvironment& cel);
};

enum class MetricKind : uint8_t { kGauge, kCounter, kHistogram };
enum class MetricDimension : uint8_t { kNode, kPod, kContainer };

struct MetricLabel {
  std::string name;
  UsageExpression value;
};
struct MetricBucket {
  double le = 0;
  UsageExpression count;  // of this bucket alone
  bool hidden = false;    // counted, and not shown
};
// A family of series, one for each node, pod or container.
struct MetricFamily {
  std::string name;
  std::string help;
  MetricKind kind = MetricKind::kGauge;
  MetricDimension dimension = MetricDimension::kNode;
  std::vector<MetricLabel> labels;       // by name
  std::optional<UsageExpression> value;  // of gauges and counters
  std::vector<MetricBucket> buckets;     // by bound
};

// A Metric object: a page of families at a path.
struct MetricPage {
  std::string name;
  std::string path;  // "/metrics/nodes/{nodeName}/metrics/resource"
  std::vector<MetricFamily> families;

  // The path for a node.
  [[nodiscard]] std::string PathOf(std::string_view node) const;
  [[nodiscard]] bool has_node() const { return path.find(kNodeName) != path.npos; }
  // The node that `asked` is about, if it is the path of this page. A path without a node's place
  // is about the node of the object's name, as KWOK has it.
  [[nodiscard]] std::optional<std::string> NodeOf(std::string_view asked) const;

  static std::expected<std::shared_ptr<const MetricPage>, std::string> Parse(
      const json::Value& object, const CelEnvironment& cel);

  static constexpr std::string_view kNodeName = "{nodeName}";
};

}  // namespace kulisse::simulator
