#include "simulator/usage/metric_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "apiserver/registry/object_encoding.h"
#include "openapi/cel/evaluation.h"
#include "openapi/cel/value.h"

namespace kulisse::simulator {

namespace {

namespace cel = openapi::cel;
using json::Value;

constexpr std::string_view kKindNames[] = {"gauge", "counter", "histogram"};

std::string Escape(std::string_view text, bool quotes) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && quotes) {
      out += "\\\"";
    } else {
      out += c;
    }
  }
  return out;
}

std::string Number(double number) { return cel::FormatDouble(number); }

// `name="value"` pairs for a series, and perhaps the bound of a bucket.
std::string Braces(const MetricFamily& family, const std::vector<std::string>& values,
                   std::string_view le = {}) {
  std::string out;
  const auto add = [&](std::string_view name, std::string_view value) {
    out += out.empty() ? '{' : ',';
    out.append(name).append("=\"").append(Escape(value, true)).append("\"");
  };
  for (size_t i = 0; i < values.size(); ++i) add(family.labels[i].name, values[i]);
  if (!le.empty()) add("le", le);
  if (!out.empty()) out += '}';
  return out;
}

// The series of one family, as far as they are known. By the values of their labels: of equal ones
// the last counts.
class FamilyText {
 public:
  explicit FamilyText(const MetricFamily& family) : family_(&family) {}

  [[nodiscard]] const MetricFamily& family() const { return *family_; }

  void Add(const UsageVariables& variables, UsageModel::Scope& scope) {
    if (!error_.empty()) return;
    std::vector<std::string> labels;
    for (const MetricLabel& label : family_->labels) {
      cel::Evaluation evaluation(&scope);
      auto text = label.value.AsString(variables, evaluation);
      if (!text) return Fail(text.error());
      labels.push_back(std::move(*text));
    }
    std::string lines;
    if (family_->kind == MetricKind::kHistogram) {
      if (!AppendHistogram(variables, scope, labels, &lines)) return;
    } else {
      const auto value = Evaluate(*family_->value, variables, scope);
      if (!value) return;
      lines = fmt::format("{}{} {}\n", family_->name, Braces(*family_, labels), Number(*value));
    }
    series_[std::move(labels)] = std::move(lines);
  }

  // Families of one name stand together, under the head of the first.
  void AppendTo(bool with_head, std::string* out) const {
    if (!error_.empty()) {
      fmt::format_to(std::back_inserter(*out), "# {}: {}\n", family_->name, Escape(error_, false));
      return;
    }
    if (series_.empty()) return;
    if (with_head) {
      fmt::format_to(std::back_inserter(*out), "# HELP {0} {1}\n# TYPE {0} {2}\n", family_->name,
                     Escape(family_->help, false), kKindNames[static_cast<size_t>(family_->kind)]);
    }
    for (const auto& [labels, lines] : series_) *out += lines;
  }

 private:
  void Fail(std::string_view error) { error_ = error; }

  std::optional<double> Evaluate(const UsageExpression& expression, const UsageVariables& variables,
                                 UsageModel::Scope& scope) {
    cel::Evaluation evaluation(&scope);
    const auto value = expression.AsFloat64(variables, evaluation);
    if (value) return *value;
    Fail(value.error());
    return std::nullopt;
  }

  // What hidden buckets count is in the next one that is shown.
  bool AppendHistogram(const UsageVariables& variables, UsageModel::Scope& scope,
                       const std::vector<std::string>& labels, std::string* out) {
    uint64_t count = 0;
    double sum = 0;
    for (const MetricBucket& bucket : family_->buckets) {
      const auto value = Evaluate(bucket.count, variables, scope);
      if (!value) return false;
      constexpr double kCountMax = 1e18;
      const bool counts = *value > 0;  // not for NaN
      const auto added = counts ? static_cast<uint64_t>(std::fmin(*value, kCountMax)) : 0;
      count += added;
      sum += bucket.le * static_cast<double>(added);
      if (bucket.hidden) continue;
      fmt::format_to(std::back_inserter(*out), "{}_bucket{} {}\n", family_->name,
                     Braces(*family_, labels, Number(bucket.le)), count);
    }
    const std::string braces = Braces(*family_, labels);
    fmt::format_to(std::back_inserter(*out),
                   "{0}_bucket{1} {2}\n{0}_sum{3} {4}\n{0}_count{3} {2}\n", family_->name,
                   Braces(*family_, labels, "+Inf"), count, braces, Number(sum));
    return true;
  }

  const MetricFamily* family_;
  std::map<std::vector<std::string>, std::string> series_;
  std::string error_;
};

}  // namespace

std::string RenderMetrics(UsageModel& model, const MetricPage& page, const Value& node) {
  std::vector<FamilyText> texts;
  texts.reserve(page.families.size());
  for (const MetricFamily& family : page.families) texts.emplace_back(family);
  UsageModel::Scope scope(model);
  const auto add = [&](MetricDimension dimension, const UsageVariables& variables) {
    for (FamilyText& text : texts) {
      if (text.family().dimension == dimension) text.Add(variables, scope);
    }
  };
  add(MetricDimension::kNode, {.node = &node});
  // Pods one after the other: only one is in memory.
  for (const storage::Key& key : model.pods().PodsOf(node.FindString({"metadata", "name"}))) {
    const storage::RecordPtr record = model.store().Get(key);
    if (!record) continue;
    const json::Document pod = apiserver::DecodeObject(*record);
    add(MetricDimension::kPod, {.node = &node, .pod = &pod.root});
    for (const Value& container : ContainersOf(pod.root)) {
      add(MetricDimension::kContainer, {.node = &node, .pod = &pod.root, .container = &container});
    }
  }
  std::ranges::stable_sort(
      texts, {}, [](const FamilyText& text) { return std::string_view(text.family().name); });
  std::string out;
  std::string_view before;
  for (const FamilyText& text : texts) {
    text.AppendTo(text.family().name != before, &out);
    before = text.family().name;
  }
  return out;
}

}  // namespace kulisse::simulator
