// The fact files of openapi/facts, as the build put them into the program, and how to walk them:
// lines of columns that are separated by tabs.
//
// Threads: any. The bytes never change.
#pragma once

#include <string_view>

namespace kulisse::openapi {

// The bytes of openapi/facts/`name`, e.g. "types.tsv". REQUIRES: it is embedded.
[[nodiscard]] std::string_view FactFile(std::string_view name);

// Cuts the text up to `separator` (or all of it) off the front of `rest`.
[[nodiscard]] std::string_view TakeUntil(char separator, std::string_view* rest);

}  // namespace kulisse::openapi
