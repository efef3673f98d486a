// The program that crash_test kills: writes to a store from several threads until it is killed, and
// prints a line "key number revision" for each write once it is acknowledged.
//   crash_writer DIRECTORY buffered|sync FIRST_NUMBER
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "base/random.h"
#include "base/real_runtime.h"
#include "storage/store.h"

namespace kulisse::storage {
namespace {

constexpr int kThreads = 3;
constexpr int kKeysPerThread = 20;
// Small, so that rounds of a second reach every part: the ring overflows, the log is trimmed,
// dictionaries are trained.
constexpr size_t kRingBytes = 64 * 1024;
constexpr size_t kLogBytes = 512 * 1024;

// One write(2) for each line: whole lines reach the pipe or none.
void Acknowledge(const std::string& line) {
  if (write(STDOUT_FILENO, line.data(), line.size()) < 0) std::_Exit(0);
}

void WriteForever(Store& store, int thread, uint64_t first_number) {
  Random random(first_number * kThreads + static_cast<uint64_t>(thread));
  for (uint64_t number = first_number;; ++number) {
    const std::string name =
        "t" + std::to_string(thread) + "-" + std::to_string(random.Below(kKeysPerThread));
    std::string json;
    const auto done = store.GuaranteedUpdate(
        {"pods", "default", name}, [&](const RecordPtr& current) -> Result<Change> {
          if (current != nullptr && random.Below(10) == 0) {
            json = R"({"n":)" + std::to_string(number) + "}";
          } else {
            json = R"({"n":)" + std::to_string(number) + R"(,"x":")" +
                   random.Text(random.Below(2'000), "abcd") + R"("})";
          }
          RecordContent content;
          content.rv_offset = 1;
          content.json = json;
          return Change{.kind = Change::Kind::kPut, .content = content};
        });
    if (!done) std::abort();
    store.WhenDurable(done->revision,
                      [line = name + " " + std::to_string(number) + " " +
                              std::to_string(done->revision.value) + "\n"] { Acknowledge(line); });
  }
}

int Run(const char* directory, const char* durability, const char* first_number) {
  RealRuntime runtime(1);
  StoreOptions options;
  options.directory = directory;
  options.durability = ParseDurability(durability).value_or(Durability::kBuffered);
  options.history_ring_bytes_max = kRingBytes;
  options.history_log_bytes_max = kLogBytes;
  auto store = Store::Open(options, runtime);
  if (!store) {
    std::fprintf(stderr, "crash_writer: %s\n", store.error().c_str());
    return EXIT_FAILURE;
  }
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back(WriteForever, std::ref(**store), i, std::stoull(first_number));
  }
  for (std::thread& thread : threads) thread.join();
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace kulisse::storage

int main(int argc, char** argv) {
  if (argc != 4) return EXIT_FAILURE;
  return kulisse::storage::Run(argv[1], argv[2], argv[3]);
}
