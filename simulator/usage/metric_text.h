// The text of a page of metrics, in the exposition format of Prometheus 0.0.4, for one node.
// Families come by name and series by the values of their labels, as Prometheus' libraries have
// them. A family whose expressions fail for one object is left out, as in KWOK; a comment says why.
// Upstream: kwok pkg/kwok/metrics.
// Threads: any.
#pragma once

#include <string>

#include "simulator/usage/usage_model.h"

namespace kulisse::simulator {

// `node` is the object of the page's node.
[[nodiscard]] std::string RenderMetrics(UsageModel& model, const MetricPage& page,
                                        const json::Value& node);

}  // namespace kulisse::simulator
