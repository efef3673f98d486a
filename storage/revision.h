// Revision is the one counter of the whole server: each commit takes the next. At the wire it is
// resourceVersion; nowhere else is it text.
#pragma once

#include <compare>
#include <cstdint>

namespace kulisse::storage {

struct Revision {
  uint64_t value = 0;
  auto operator<=>(const Revision&) const = default;
};

}  // namespace kulisse::storage
