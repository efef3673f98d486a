// KULISSE_ASSERT ends the process when our own code is wrong. It stays on in release builds:
// a broken invariant must not reach the store. Never for bad input, which gets a Status.
#pragma once

namespace kulisse {

[[noreturn, gnu::cold]] void AssertionFailed(const char* condition, const char* file, int line);

}  // namespace kulisse

#define KULISSE_ASSERT(condition)                                 \
  do {                                                            \
    if (!(condition)) [[unlikely]]                                \
      ::kulisse::AssertionFailed(#condition, __FILE__, __LINE__); \
  } while (false)
