// Goal: a process killed at any moment loses nothing that it acknowledged, and revisions go on.
// Method: crash_writer writes under load and reports each acknowledged write through a pipe; it is
// killed after a random number of reports, again and again on the same directory (hundreds of times
// with KULISSE_CRASH_ROUNDS). Every other time the store is opened here and checked against the
// reports; in between the next writer opens what the last one left.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <sstream>
#include <string>

#include "base/random.h"
#include "base/real_runtime.h"
#include "base/text.h"
#include "storage/store.h"
#include "test/support/temp_directory.h"

namespace kulisse::storage {
namespace {

constexpr int kRoundsDefault = 30;     // KULISSE_CRASH_ROUNDS for more
constexpr uint64_t kReportsMax = 400;  // that a writer lives for
constexpr uint64_t kNumbersPerRound = 1'000'000;

struct Acknowledged {
  uint64_t number = 0;
  Revision revision;
};
using Reports = std::map<std::string, Acknowledged>;

// Starts a writer, kills it after `lines` reports, and adds all that it reported to `reports`.
void RunAndKill(const std::string& directory, const std::string& durability, int64_t round,
                uint64_t lines, Reports* reports) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const std::string first_number = std::to_string(static_cast<uint64_t>(round) * kNumbersPerRound);
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], STDOUT_FILENO);
    execl(KULISSE_CRASH_WRITER, KULISSE_CRASH_WRITER, directory.c_str(), durability.c_str(),
          first_number.c_str(), nullptr);
    _exit(127);
  }
  close(ends[1]);
  std::string text;
  uint64_t seen = 0;
  bool killed = false;
  char buffer[4096];
  for (ssize_t size; (size = read(ends[0], buffer, sizeof(buffer))) > 0;) {
    text.append(buffer, static_cast<size_t>(size));
    seen += static_cast<uint64_t>(std::count(buffer, buffer + size, '\n'));
    if (!killed && seen >= lines) killed = kill(child, SIGKILL) == 0;
  }
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status)) << "the writer ended by itself, status " << status;
  ASSERT_EQ(WTERMSIG(status), SIGKILL);

  std::istringstream stream(text);
  std::string name;
  for (Acknowledged report; stream >> name >> report.number >> report.revision.value;) {
    Acknowledged& newest = (*reports)[name];
    if (report.revision > newest.revision) newest = report;
  }
}

uint64_t NumberIn(const Record& record) {
  return std::stoull(std::string(record.json().substr(5)));
}

// REQUIRES: `head` is that of the last check; moves it.
void Check(const std::string& directory, const Reports& reports, Revision* head) {
  RealRuntime runtime(1);
  StoreOptions options;
  options.directory = directory;
  auto store = Store::Open(options, runtime);
  ASSERT_TRUE(store.has_value()) << store.error();
  ASSERT_GE((*store)->head(), *head);
  *head = (*store)->head();
  const SnapshotPtr snapshot = (*store)->Latest();
  uint64_t objects = 0;
  const auto cursor = snapshot->Scan("pods", "", "");
  while (cursor->Next() != nullptr) ++objects;
  EXPECT_EQ(snapshot->Count("pods", ""), objects);
  for (const auto& [name, newest] : reports) {
    const RecordPtr record = (*store)->Get({"pods", "default", name});
    ASSERT_NE(record, nullptr) << name;
    ASSERT_LE(newest.revision, *head);
    ASSERT_GE(record->revision(), newest.revision) << name;
    if (record->revision() == newest.revision) {
      ASSERT_EQ(NumberIn(*record), newest.number);
    } else {
      ASSERT_GT(NumberIn(*record), newest.number);
    }
  }
  // The log agrees with the objects: the last event of each is its state.
  auto watcher = (*store)->Watch("pods", "", {0});
  if (!watcher) watcher = (*store)->Watch("pods", "", watcher.error().bound);
  ASSERT_TRUE(watcher.has_value());
  Revision last{};
  for (;;) {
    const auto events = (*watcher)->Read();
    ASSERT_TRUE(events.has_value());
    if (events->empty()) break;
    for (const EventPtr& event : *events) {
      ASSERT_GT(event->revision, last);
      last = event->revision;
      const RecordPtr record = (*store)->Get(event->key);
      ASSERT_NE(record, nullptr);
      ASSERT_GE(record->revision(), event->revision);
    }
  }
}

void CrashManyTimes(const std::string& durability) {
  const char* rounds_text = std::getenv("KULISSE_CRASH_ROUNDS");
  const int64_t rounds =
      rounds_text == nullptr ? kRoundsDefault : ParseInt64(rounds_text).value_or(kRoundsDefault);
  const uint64_t seed = 20261122;
  std::printf("seed %lu, %ld rounds\n", seed, rounds);
  Random random(seed);
  const TempDirectory directory;
  Reports reports;
  Revision head;
  for (int64_t round = 1; round <= rounds; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    // Now and then at the first sign of life.
    const uint64_t lines = 1 + random.Below(random.Below(4) == 0 ? 2 : kReportsMax);
    RunAndKill(directory.path(), durability, round, lines, &reports);
    if (testing::Test::HasFatalFailure()) return;
    if (round % 2 == 0) Check(directory.path(), reports, &head);
    if (testing::Test::HasFatalFailure()) return;
  }
  EXPECT_FALSE(reports.empty());
}

TEST(CrashTest, AKilledProcessLosesNothingAcknowledgedWhenBuffered) { CrashManyTimes("buffered"); }
TEST(CrashTest, AKilledProcessLosesNothingAcknowledgedWhenSynced) { CrashManyTimes("sync"); }

}  // namespace
}  // namespace kulisse::storage
