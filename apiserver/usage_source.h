// UsageSource is what the API server asks about load: whoever plays the kubelets says what pods and
// nodes use, and serves the pages that monitoring scrapes. It stands for metrics-server and for the
// HTTP server of each kubelet (ADR 0020).
//
// Threads: any; asked on the I/O loops, at any time between Listen() and Stop().
// Errors: none; what cannot be told is 0 or left out.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/record.h"

namespace kulisse::apiserver {

class UsageSource {
 public:
  struct Amounts {
    double cpu_cores = 0;
    double memory_bytes = 0;
  };
  struct Container {
    std::string name;
    Amounts amounts;
  };
  struct Page {
    std::string content_type;
    std::string body;
  };

  virtual ~UsageSource() = default;

  // What the containers of a pod use now; nothing when the pod does not run.
  virtual std::optional<std::vector<Container>> PodUsage(const storage::Record& pod) = 0;
  // What all pods of a node use now.
  virtual Amounts NodeUsage(std::string_view node) = 0;

  // The page at "/metrics/…" as Metric objects have it; nothing when none has the path, or its node
  // is not there.
  virtual std::optional<Page> MetricsPage(std::string_view path) = 0;
  // What the kubelet of the node, which is there, serves at the path ("/metrics/resource"); nothing
  // when it serves none.
  virtual std::optional<Page> NodePage(std::string_view node, std::string_view path) = 0;
  // The targets of all metrics pages in the JSON of Prometheus' HTTP service discovery.
  virtual std::string Targets(std::string_view scheme, std::string_view host) = 0;
};

}  // namespace kulisse::apiserver
