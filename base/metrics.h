// Metrics counts and prints what happens, in Prometheus' text format. Names are kube-apiserver's
// where it has the same thing.
//
// Owns: its families and series; a series lives as long as this object. Threads: any; counting
//   takes no lock.
// Limits: kMetricSeriesMax series in all; more are counted in none (a label must not be a name that
//   clients choose).
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace kulisse {

class Metrics {
 public:
  class Counter {
   public:
    void Increment() { value_.fetch_add(1, std::memory_order_relaxed); }

   private:
    friend class Metrics;
    std::atomic<uint64_t> value_{0};
  };

  // A histogram of seconds.
  class Histogram {
   public:
    void Observe(double seconds);

   private:
    friend class Metrics;
    static constexpr std::array kBounds = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                           0.25,   0.5,   1.0,    2.5,   5.0,  10.0,  30.0, 60.0};
    std::array<std::atomic<uint64_t>, kBounds.size()> buckets_{};
    std::atomic<uint64_t> count_{0};
    std::atomic<double> sum_{0};
  };

  // The series of these labels, made at the first call. `labels` is the text between the braces:
  // `verb="GET",code="200"`. Keep the reference where the same is counted often.
  Counter& CounterOf(std::string_view name, std::string_view help, const std::string& labels);
  Histogram& HistogramOf(std::string_view name, std::string_view help, const std::string& labels);
  // A gauge that is read when it is printed: series of labels and values.
  using Series = std::vector<std::pair<std::string, double>>;
  void Gauge(std::string_view name, std::string_view help, std::function<Series()> read);

  [[nodiscard]] std::string Render() const;

 private:
  struct Family {
    std::string help;
    std::map<std::string, Counter> counters;
    std::map<std::string, Histogram> histograms;
    std::function<Series()> gauge;
  };
  Family& FamilyOf(std::string_view name, std::string_view help);

  mutable std::mutex mutex_;
  std::map<std::string, Family, std::less<>> families_;
  size_t series_ = 0;
  // What is beyond kMetricSeriesMax is counted here, and not printed.
  Counter overflow_counter_;
  Histogram overflow_histogram_;
};

// Adds the gauges of this process: CPU seconds, memory, descriptors, start time.
void AddProcessMetrics(Metrics& metrics);

}  // namespace kulisse
