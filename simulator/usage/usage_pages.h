// UsagePages shows the API server what the UsageModel knows: usage for metrics.k8s.io, the pages of
// Metric objects, and what else kubelets serve about load.
//
// Borrows: the model. Threads: any.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apiserver/usage_source.h"
#include "simulator/usage/usage_model.h"

namespace kulisse::simulator {

class UsagePages final : public apiserver::UsageSource {
 public:
  explicit UsagePages(UsageModel& model) : model_(model) {}

  std::optional<std::vector<Container>> PodUsage(const storage::Record& pod) override;
  Amounts NodeUsage(std::string_view node) override;
  std::optional<Page> MetricsPage(std::string_view path) override;
  std::optional<Page> NodePage(std::string_view node, std::string_view path) override;
  std::string Targets(std::string_view scheme, std::string_view host) override;

 private:
  std::optional<Page> Render(const MetricPage& page, const std::string& node);
  // Upstream: k8s.io/kubelet/pkg/apis/stats/v1alpha1 Summary.
  [[nodiscard]] std::string Summary(const std::string& name, const json::Value& node);
  std::string PodSummary(UsageModel::Scope& scope, const json::Value& pod, const std::string& time);

  UsageModel& model_;
};

}  // namespace kulisse::simulator
