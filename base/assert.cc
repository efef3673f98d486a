#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace kulisse {

void AssertionFailed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "kulisse: assertion failed: %s (%s:%d)\n", condition, file, line);
  std::abort();
}

}  // namespace kulisse
