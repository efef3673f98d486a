#include "base/metrics.h"

#include <dirent.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <memory>

#include "base/limits.h"

namespace kulisse {

namespace {

std::string Braces(const std::string& labels) { return labels.empty() ? "" : "{" + labels + "}"; }

std::string With(const std::string& labels, std::string_view more) {
  return labels.empty() ? fmt::format("{{{}}}", more) : fmt::format("{{{},{}}}", labels, more);
}

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double ResidentBytes() {
  long long pages_all = 0;
  long long pages = 0;
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen("/proc/self/statm", "re"),
                                                   std::fclose);
  if (file == nullptr || std::fscanf(file.get(), "%lld %lld", &pages_all, &pages) != 2) return 0;
  return static_cast<double>(pages) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

double OpenDescriptors() {
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(opendir("/proc/self/fd"), closedir);
  if (dir == nullptr) return 0;
  int count = -3;  // ".", ".." and the one of this scan
  while (readdir(dir.get()) != nullptr) ++count;
  return count;
}

}  // namespace

void Metrics::Histogram::Observe(double seconds) {
  for (size_t i = 0; i < kBounds.size(); ++i) {
    if (seconds <= kBounds[i]) {
      buckets_[i].fetch_add(1, std::memory_order_relaxed);
      break;
    }
  }
  count_.fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(seconds, std::memory_order_relaxed);
}

Metrics::Family& Metrics::FamilyOf(std::string_view name, std::string_view help) {
  auto it = families_.find(name);
  if (it == families_.end()) it = families_.try_emplace(std::string(name)).first;
  if (it->second.help.empty()) it->second.help = help;
  return it->second;
}

Metrics::Counter& Metrics::CounterOf(std::string_view name, std::string_view help,
                                     const std::string& labels) {
  const std::lock_guard lock(mutex_);
  auto& counters = FamilyOf(name, help).counters;
  const auto it = counters.find(labels);
  if (it != counters.end()) return it->second;
  if (series_ >= kMetricSeriesMax) return overflow_counter_;
  ++series_;
  return counters.try_emplace(labels).first->second;
}

Metrics::Histogram& Metrics::HistogramOf(std::string_view name, std::string_view help,
                                         const std::string& labels) {
  const std::lock_guard lock(mutex_);
  auto& histograms = FamilyOf(name, help).histograms;
  const auto it = histograms.find(labels);
  if (it != histograms.end()) return it->second;
  if (series_ >= kMetricSeriesMax) return overflow_histogram_;
  ++series_;
  return histograms.try_emplace(labels).first->second;
}

void Metrics::Gauge(std::string_view name, std::string_view help, std::function<Series()> read) {
  const std::lock_guard lock(mutex_);
  FamilyOf(name, help).gauge = std::move(read);
}

std::string Metrics::Render() const {
  const std::lock_guard lock(mutex_);
  std::string out;
  for (const auto& [name, family] : families_) {
    const std::string_view type = family.gauge                ? "gauge"
                                  : family.histograms.empty() ? "counter"
                                                              : "histogram";
    out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, family.help, name, type);
    for (const auto& [labels, counter] : family.counters) {
      out += fmt::format("{}{} {}\n", name, Braces(labels), counter.value_.load());
    }
    if (family.gauge) {
      for (const auto& [labels, value] : family.gauge()) {
        out += fmt::format("{}{} {}\n", name, Braces(labels), value);
      }
    }
    for (const auto& [labels, histogram] : family.histograms) {
      uint64_t cumulative = 0;
      for (size_t i = 0; i < Histogram::kBounds.size(); ++i) {
        cumulative += histogram.buckets_[i].load();
        out +=
            fmt::format("{}_bucket{} {}\n", name,
                        With(labels, fmt::format("le=\"{}\"", Histogram::kBounds[i])), cumulative);
      }
      out += fmt::format("{}_bucket{} {}\n", name, With(labels, "le=\"+Inf\""),
                         histogram.count_.load());
      out += fmt::format("{}_sum{} {}\n", name, Braces(labels), histogram.sum_.load());
      out += fmt::format("{}_count{} {}\n", name, Braces(labels), histogram.count_.load());
    }
  }
  return out;
}

void AddProcessMetrics(Metrics& metrics) {
  metrics.Gauge("process_cpu_seconds_total", "User and system CPU time.",
                [] { return Metrics::Series{{"", CpuSeconds()}}; });
  metrics.Gauge("process_resident_memory_bytes", "Resident memory.",
                [] { return Metrics::Series{{"", ResidentBytes()}}; });
  metrics.Gauge("process_open_fds", "Open file descriptors.",
                [] { return Metrics::Series{{"", OpenDescriptors()}}; });
}

}  // namespace kulisse
