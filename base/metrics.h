// Metrics counts and prints what happens, in Prometheus' text format. Names are kube-apiserver's
// where it has the same thing.
//
// Owns: its families. Threads: any; one short lock a sample.
// Limits: kMetricSeriesMax series in all; more are counted in none (a label must not be a name that
//   clients choose).
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace kulisse {

class Metrics {
 public:
  // `labels` is the text between the braces: `verb="GET",code="200"`.
  void Add(std::string_view name, std::string_view help, const std::string& labels, double value);
  // Adds to a histogram of seconds.
  void Observe(std::string_view name, std::string_view help, const std::string& labels,
               double seconds);
  // A gauge that is read when it is printed: series of labels and values.
  using Series = std::vector<std::pair<std::string, double>>;
  void Gauge(std::string_view name, std::string_view help, std::function<Series()> read);

  [[nodiscard]] std::string Render() const;

 private:
  struct Histogram {
    std::vector<uint64_t> buckets;
    uint64_t count = 0;
    double sum = 0;
  };
  struct Family {
    std::string help;
    bool histogram = false;
    std::map<std::string, double> counters;
    std::map<std::string, Histogram> histograms;
    std::function<Series()> gauge;
  };

  mutable std::mutex mutex_;
  std::map<std::string, Family, std::less<>> families_;
  size_t series_ = 0;
};

// Adds the gauges of this process: CPU seconds, memory, descriptors, start time.
void AddProcessMetrics(Metrics& metrics);

}  // namespace kulisse
