#include "base/metrics.h"

#include <dirent.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <memory>

#include "base/limits.h"

namespace kulisse {

namespace {

// Upper bounds in seconds: kube-apiserver's of apiserver_request_duration_seconds, a part of them.
constexpr std::array kBounds = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                0.25,   0.5,   1.0,    2.5,   5.0,  10.0,  30.0, 60.0};

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

void Metrics::Add(std::string_view name, std::string_view help, const std::string& labels,
                  double value) {
  const std::lock_guard lock(mutex_);
  auto it = families_.find(name);
  if (it == families_.end()) it = families_.emplace(name, Family{}).first;
  Family& family = it->second;
  if (family.help.empty()) family.help = help;
  auto counter = family.counters.find(labels);
  if (counter == family.counters.end()) {
    if (series_ >= kMetricSeriesMax) return;
    ++series_;
    counter = family.counters.emplace(labels, 0).first;
  }
  counter->second += value;
}

void Metrics::Observe(std::string_view name, std::string_view help, const std::string& labels,
                      double seconds) {
  const std::lock_guard lock(mutex_);
  auto it = families_.find(name);
  if (it == families_.end()) it = families_.emplace(name, Family{}).first;
  Family& family = it->second;
  family.histogram = true;
  if (family.help.empty()) family.help = help;
  auto found = family.histograms.find(labels);
  if (found == family.histograms.end()) {
    if (series_ >= kMetricSeriesMax) return;
    ++series_;
    found = family.histograms.emplace(labels, Histogram{}).first;
    found->second.buckets.resize(kBounds.size());
  }
  Histogram& histogram = found->second;
  for (size_t i = 0; i < kBounds.size(); ++i) {
    if (seconds <= kBounds[i]) {
      ++histogram.buckets[i];
      break;
    }
  }
  ++histogram.count;
  histogram.sum += seconds;
}

void Metrics::Gauge(std::string_view name, std::string_view help, std::function<Series()> read) {
  const std::lock_guard lock(mutex_);
  Family family;
  family.help = help;
  family.gauge = std::move(read);
  families_.insert_or_assign(std::string(name), std::move(family));
}

std::string Metrics::Render() const {
  const std::lock_guard lock(mutex_);
  std::string out;
  for (const auto& [name, family] : families_) {
    const std::string_view type = family.gauge       ? "gauge"
                                  : family.histogram ? "histogram"
                                                     : "counter";
    out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, family.help, name, type);
    for (const auto& [labels, value] : family.counters) {
      out += fmt::format("{}{} {}\n", name, Braces(labels), value);
    }
    if (family.gauge) {
      for (const auto& [labels, value] : family.gauge()) {
        out += fmt::format("{}{} {}\n", name, Braces(labels), value);
      }
    }
    for (const auto& [labels, histogram] : family.histograms) {
      uint64_t cumulative = 0;
      for (size_t i = 0; i < kBounds.size(); ++i) {
        cumulative += histogram.buckets[i];
        out += fmt::format("{}_bucket{} {}\n", name,
                           With(labels, fmt::format("le=\"{}\"", kBounds[i])), cumulative);
      }
      out += fmt::format("{}_bucket{} {}\n", name, With(labels, "le=\"+Inf\""), histogram.count);
      out += fmt::format("{}_sum{} {}\n", name, Braces(labels), histogram.sum);
      out += fmt::format("{}_count{} {}\n", name, Braces(labels), histogram.count);
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
