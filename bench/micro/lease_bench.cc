// What the leases of many nodes cost in process CPU, on the engine and with the writer of a real
// cluster: the loop lives on virtual time, the store writes to disk as `buffered` does.
//
//   lease_bench [NODES] [ROUNDS]    (20000 and 5: renewals of each lease)
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "base/assert.h"
#include "base/virtual_runtime.h"
#include "simulator/cluster.h"
#include "simulator/kubelet/node_lease.h"

namespace kulisse::simulator {
namespace {

using namespace std::chrono_literals;

// CPU nanoseconds of each thread, by its name.
std::map<std::string, double> ThreadTimes() {
  std::map<std::string, double> times;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string name;
    double nanoseconds = 0;
    std::ifstream(task.path() / "comm") >> name;
    std::ifstream(task.path() / "schedstat") >> nanoseconds;
    times[name] += nanoseconds;
  }
  return times;
}

void MeasureLeases(size_t nodes, size_t rounds, const std::filesystem::path& directory) {
  constexpr auto kDuration = 40s;  // renewed every quarter
  VirtualRuntime runtime(1);
  storage::StoreOptions options;
  options.directory = directory;
  auto store = storage::Store::Open(options, runtime);
  KULISSE_ASSERT(store.has_value());
  Cluster cluster({}, **store, runtime);
  KULISSE_ASSERT(cluster.Start().has_value());
  NodeLeases leases(runtime, cluster.client(), kDuration);
  for (size_t i = 0; i < nodes; ++i) {
    leases.Add(fmt::format("node-{}", i), "c06ab3a5-0d27-4d35-a3d8-8ce4d3a0c1c5");
  }
  runtime.RunFor(kDuration / 2);
  auto before = ThreadTimes();
  const uint64_t made = leases.renewals();
  runtime.RunFor(kDuration / 4 * rounds);
  const auto renewals = static_cast<double>(leases.renewals() - made);
  double all = 0;
  fmt::print("{} leases, us for each of {} renewals:", nodes, renewals);
  for (const auto& [name, nanoseconds] : ThreadTimes()) {
    const double microseconds = (nanoseconds - before[name]) / 1e3 / renewals;
    if (microseconds >= 0.01) fmt::print(" {} {:.2f}", name, microseconds);
    all += microseconds;
  }
  fmt::print(", all {:.2f}\n", all);
}

}  // namespace
}  // namespace kulisse::simulator

int main(int argc, char** argv) {
  const auto argument = [&](int index, size_t otherwise) {
    return argc > index ? static_cast<size_t>(std::strtoul(argv[index], nullptr, 10)) : otherwise;
  };
  std::string directory = std::filesystem::temp_directory_path() / "kulisse-lease-bench-XXXXXX";
  KULISSE_ASSERT(mkdtemp(directory.data()) != nullptr);
  kulisse::simulator::MeasureLeases(argument(1, 20'000), argument(2, 5), directory);
  std::filesystem::remove_all(directory);
  return 0;
}
