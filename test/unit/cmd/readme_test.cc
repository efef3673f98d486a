// The README's table of flags is written by hand and read by people: it says what the program says.
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "base/text.h"
#include "cmd/command_line.h"

namespace kulisse::cmd {
namespace {

// First cells of the rows "| `--flag VALUE` | …" of the README.
std::set<std::string> FlagsOfReadme() {
  std::ifstream file(KULISSE_SOURCE_DIR "/README.md");
  EXPECT_TRUE(file.good());
  std::set<std::string> flags;
  std::string line;
  while (std::getline(file, line)) {
    if (!line.starts_with("| `-")) continue;
    const size_t end = line.find('`', 3);
    if (end != std::string::npos) flags.insert(line.substr(3, end - 3));
  }
  return flags;
}

TEST(ReadmeTest, ListsTheFlagsOfServe) {
  ServeOptions options;
  std::set<std::string> want;
  for (const Flag& flag : ServeFlags(options)) {
    want.insert(flag.Spelling() +
                (flag.value_name.empty() ? "" : " " + std::string(flag.value_name)));
  }
  EXPECT_EQ(FlagsOfReadme(), want);
}

}  // namespace
}  // namespace kulisse::cmd
