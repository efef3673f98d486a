#include "cmd/startup_memory.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace kulisse::cmd {
namespace {

// Pages of files that this process has mapped and touched.
long FilePages() {
  long size = 0;
  long resident = 0;
  long shared = 0;
  std::ifstream("/proc/self/statm") >> size >> resident >> shared;
  return shared;
}

TEST(StartupMemoryTest, PagesOfTheProgramLeaveAndComeBackAsTheyWere) {
  static const std::string text = "not constant: built at start";
  const long before = FilePages();
  ASSERT_GT(before, 0);
  ReturnStartupMemory();
  const long after = FilePages();
  EXPECT_LT(after, before);
  EXPECT_EQ(text, "not constant: built at start");
}

}  // namespace
}  // namespace kulisse::cmd
