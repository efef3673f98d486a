// EmbeddedFile is a file that the build put into the program (cmake: kulisse_embed).
#pragma once

#include <cstddef>
#include <string_view>

namespace kulisse {

struct EmbeddedFile {
  std::string_view name;  // as written in CMakeLists.txt, relative to that folder
  const char* begin;
  const char* end;

  [[nodiscard]] std::string_view bytes() const { return {begin, static_cast<size_t>(end - begin)}; }
};

}  // namespace kulisse
