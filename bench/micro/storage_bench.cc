// What the store costs by itself: CPU per put, get and listed object, memory with many pods.
//
//   storage_bench DIRECTORY|memory [PODS] [buffered|sync]
//
// The directory must be empty or new; the store stays there. Prints one number a line.
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/random.h"
#include "base/real_runtime.h"
#include "storage/store.h"

namespace kulisse::storage {
namespace {

constexpr int kPodsDefault = 20'000;
constexpr int kWatchers = 100;
constexpr uint64_t kHotPods = 100;

// CPU time of the whole process, all threads; and wall time.
struct Moment {
  static Moment Now(const Runtime& runtime) {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
      return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return {
        .cpu = seconds(usage.ru_utime) + seconds(usage.ru_stime),
        .wall = std::chrono::duration<double>(runtime.MonotonicNow().time_since_epoch()).count()};
  }
  double cpu;
  double wall;
};

double ResidentMegabytes() {
  std::ifstream statm("/proc/self/statm");
  uint64_t total = 0, resident = 0;
  statm >> total >> resident;
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1e6;
}

// Prints what happened between its making and Report().
class Stopwatch {
 public:
  explicit Stopwatch(const Runtime& runtime) : runtime_(runtime), start_(Moment::Now(runtime)) {}

  void Report(const char* what, uint64_t count) const {
    const Moment end = Moment::Now(runtime_);
    fmt::print("{:<28} {:8.2f} us CPU {:10.0f} /s wall   {:6.1f} MB\n", what,
               (end.cpu - start_.cpu) * 1e6 / static_cast<double>(count),
               static_cast<double>(count) / (end.wall - start_.wall), ResidentMegabytes());
  }
  void Report(const char* what) const {
    fmt::print("{:<28} {:8.2f} ms   {:6.1f} MB\n", what,
               (Moment::Now(runtime_).wall - start_.wall) * 1e3, ResidentMegabytes());
  }

 private:
  const Runtime& runtime_;
  const Moment start_;
};

// A pod of 3.4 KB whose name, uid, address and times are random, as those of one template are.
std::string PodJson(const std::string& name, int version, Random& random) {
  std::string json = fmt::format(
      R"({{"metadata":{{"name":"{}","namespace":"default","uid":"{}","generation":{},)"
      R"("creationTimestamp":"2026-01-02T03:04:{:02}Z","labels":{{"app":"web"}}}},"spec":{{)",
      name, random.Text(32, "0123456789abcdef"), version, random.Below(60));
  for (int i = 0; i < 20; ++i) {
    json += fmt::format(
        R"("setting{}":{{"name":"container-setting-{}","value":"the same for all pods","n":{}}},)",
        i, i, i * 7);
  }
  json +=
      fmt::format(R"("nodeName":"node-{}"}},"status":{{"podIP":"10.{}.{}.{}","phase":"Running")",
                  random.Below(1000), random.Below(256), random.Below(256), random.Below(256));
  for (int i = 0; i < 12; ++i) {
    json += fmt::format(R"(,"condition{}":{{"type":"Ready","status":"True",)"
                        R"("lastTransitionTime":"2026-01-02T03:{:02}:{:02}Z"}})",
                        i, random.Below(60), random.Below(60));
  }
  return json + "}}";
}

Key PodKey(uint64_t i) { return {"pods", "default", fmt::format("web-{:08}-x7k2p", i)}; }

void PutPods(const Runtime& runtime, Store& store, int pods, int version, const char* what) {
  Random random(static_cast<uint64_t>(version));
  std::vector<std::string> texts;
  for (int i = 0; i < 1'000; ++i) texts.push_back(PodJson(PodKey(i).name, version, random));
  const Stopwatch watch(runtime);
  for (int i = 0; i < pods; ++i) {
    const std::string& json = texts[static_cast<size_t>(i) % texts.size()];
    (void)store.GuaranteedUpdate(
        PodKey(static_cast<uint64_t>(i)), [&](const RecordPtr&) -> Result<Change> {
          RecordContent content;
          content.labels = {{"app", "web"}};
          content.fields = {{"metadata.name", "web"}, {"status.phase", "Running"}};
          content.uid = "0b7c1f60-0000-4000-8000-000000000001";
          content.rv_offset = static_cast<uint32_t>(json.find("},\"spec\""));
          content.json = json;
          return Change{.kind = Change::Kind::kPut, .content = content};
        });
  }
  while (store.durable() < store.head()) std::this_thread::yield();
  watch.Report(what, static_cast<uint64_t>(pods));
}

void Read(const Runtime& runtime, Store& store, int pods) {
  Random random(9);
  constexpr int kReads = 50'000;
  uint64_t bytes = 0;
  const Stopwatch any(runtime);
  for (int i = 0; i < kReads; ++i) {
    bytes += store.Get(PodKey(random.Below(static_cast<uint64_t>(pods))))->json().size();
  }
  any.Report("get, any", kReads);
  const Stopwatch hot(runtime);
  for (int i = 0; i < kReads; ++i)
    bytes +=
        store.Get(PodKey(random.Below(std::min<uint64_t>(kHotPods, static_cast<uint64_t>(pods)))))
            ->json()
            .size();
  hot.Report("get, hot", kReads);
  const Stopwatch list(runtime);
  const auto cursor = store.Latest()->Scan("pods", "", "");
  uint64_t count = 0;
  while (const RecordPtr record = cursor->Next()) {
    bytes += record->json().size();
    ++count;
  }
  list.Report("list, each object", count);
  fmt::print("(read {} bytes)\n", bytes);
}

// A list as of half of the updates ago.
void ReadPast(const Runtime& runtime, Store& store, int pods) {
  const Stopwatch undo(runtime);
  const auto past = store.At("pods", {store.head().value - static_cast<uint64_t>(pods / 2)});
  if (!past) return;
  undo.Report("list of the past, each event", static_cast<uint64_t>(pods / 2));
  const Stopwatch list(runtime);
  const auto cursor = (*past)->Scan("pods", "", "");
  uint64_t count = 0;
  while (cursor->Next() != nullptr) ++count;
  list.Report("list of the past, each object", count);
}

void Watch(const Runtime& runtime, Store& store, int pods) {
  std::vector<std::unique_ptr<Watcher>> watchers;
  for (int i = 0; i < kWatchers; ++i) {
    watchers.push_back(*store.Watch("nodes", "", store.head()));
    (void)watchers.back()->Read();
  }
  PutPods(runtime, store, pods, 3, "update, 100 idle watchers");
  const auto slow = store.Watch("pods", "", {store.head().value - static_cast<uint64_t>(pods / 2)});
  if (!slow) return;
  const Stopwatch watch(runtime);
  uint64_t events = 0;
  for (;;) {
    const auto batch = (*slow)->Read();
    if (!batch || batch->empty()) break;
    events += batch->size();
  }
  watch.Report("event read from the log", events);
}

int Run(int argc, char** argv) {
  const std::string where = argc > 1 ? argv[1] : "memory";
  const int pods = argc > 2 ? std::atoi(argv[2]) : kPodsDefault;
  RealRuntime runtime(1);
  StoreOptions options;
  options.directory = where;
  options.durability =
      where == "memory"
          ? Durability::kMemory
          : ParseDurability(argc > 3 ? argv[3] : "buffered").value_or(Durability::kBuffered);
  const Stopwatch open(runtime);
  auto store = Store::Open(options, runtime);
  if (!store) {
    fmt::print(stderr, "{}\n", store.error());
    return EXIT_FAILURE;
  }
  open.Report("open");
  PutPods(runtime, **store, pods, 1, "create");
  PutPods(runtime, **store, pods, 2, "update");
  Read(runtime, **store, pods);
  ReadPast(runtime, **store, pods);
  Watch(runtime, **store, pods);
  const Stopwatch close(runtime);
  store->reset();
  close.Report("close");
  if (options.durability == Durability::kMemory) return EXIT_SUCCESS;
  const Stopwatch again(runtime);
  store = Store::Open(options, runtime);
  again.Report("open again");
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace kulisse::storage

int main(int argc, char** argv) { return kulisse::storage::Run(argc, argv); }
