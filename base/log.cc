#include "base/log.h"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <ctime>

#include "base/status.h"

namespace kulisse::log {

namespace {

// The one mutable global of the program: how much to print is a property of the process.
std::atomic<Level> g_level{Level::kWarning};

bool NeedsQuotes(std::string_view value) {
  return value.empty() || value.find_first_of(" \t\n\r\"=") != std::string_view::npos;
}

}  // namespace

void SetLevel(Level level) { g_level.store(level, std::memory_order_relaxed); }

bool Enabled(Level level) { return level <= g_level.load(std::memory_order_relaxed); }

void Write(Level level, std::string_view component, std::string_view message,
           std::initializer_list<Field> fields) {
  if (!Enabled(level)) return;
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  tm local{};
  localtime_r(&now.tv_sec, &local);
  std::string line =
      fmt::format("{}{:02}{:02} {:02}:{:02}:{:02}.{:06} {}: {}", "EWID"[static_cast<size_t>(level)],
                  local.tm_mon + 1, local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec,
                  now.tv_nsec / 1000, component, message);
  for (const Field& field : fields) {
    line += fmt::format(" {}={}", field.key,
                        NeedsQuotes(field.value) ? GoQuote(field.value) : field.value);
  }
  line += '\n';
  // One write: lines of several threads do not mix. A full or closed stderr is nobody's error.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace kulisse::log
