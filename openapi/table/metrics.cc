// metrics.k8s.io. Upstream: metrics-server pkg/api/table.go.
#include <optional>

#include "openapi/quantity.h"
#include "openapi/table/cells.h"

namespace kulisse::openapi::table {

namespace {

constexpr std::string_view kColumns[] = {"cpu", "memory"};

void PrintUsage(const Value& object, std::span<const Value> holders, Cells& row) {
  row.Name(object);
  for (const std::string_view resource : kColumns) {
    std::optional<Quantity> sum;
    for (const Value& holder : holders) {
      const auto amount = Quantity::Parse(TextAt(holder, {"usage", resource}));
      if (!amount) continue;
      if (sum) {
        *sum += *amount;
      } else {
        sum = amount;
      }
    }
    row.Text(sum.value_or(Quantity()).ToString());
  }
  row.Text(TextAt(object, {"window"}));
}

void PrintNodeMetrics(const Value& object, Cells& row) { PrintUsage(object, {&object, 1}, row); }

void PrintPodMetrics(const Value& object, Cells& row) {
  PrintUsage(object, ListAt(object, {"containers"}), row);
}

constexpr Printer kPrinters[] = {
    {"metrics.k8s.io", "nodes", PrintNodeMetrics},
    {"metrics.k8s.io", "pods", PrintPodMetrics},
};

}  // namespace

std::span<const Printer> MetricsPrinters() { return kPrinters; }

}  // namespace kulisse::openapi::table
