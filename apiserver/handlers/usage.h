// Load as the API shows it: metrics.k8s.io, whose objects are made of the pods and nodes there are
// when somebody reads them, and the pages of kubelets behind nodes/NAME/proxy and at /metrics/….
// Upstream: metrics-server pkg/api.
//
// Borrows: the source. Threads: any.
#pragma once

#include <optional>

#include "apiserver/handlers/options.h"
#include "apiserver/handlers/resource_handlers.h"
#include "apiserver/usage_source.h"

namespace kulisse::apiserver {

// Answers GET of one object or of a list. REQUIRES: state.resource is aggregated, and the verb is
// get or list.
[[nodiscard]] Result<HttpResponse> ReadUsage(ResourceStore& store, UsageSource& source,
                                             const RequestState& state);
// Answers nodes/NAME/proxy/PATH. `source` may be null.
[[nodiscard]] Result<HttpResponse> ReadNodePage(ResourceStore& store, UsageSource* source,
                                                const RequestState& state);
// Answers /metrics/… and /discovery/prometheus; nothing for other paths.
[[nodiscard]] std::optional<HttpResponse> ReadMetricsPage(UsageSource& source,
                                                          const RequestState& state);

}  // namespace kulisse::apiserver
