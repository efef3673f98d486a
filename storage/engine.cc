#include "storage/engine.h"

#include <cstdlib>

#include "base/log.h"

namespace kulisse::storage {

std::string PrefixEnd(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && static_cast<uint8_t>(end.back()) == 0xff) end.pop_back();
  if (!end.empty()) ++end.back();
  return end;
}

void EndProcess(std::string_view doing, const EngineError& error) {
  log::Error("storage", "the engine failed, ending the process",
             {{"doing", doing}, {"error", error}});
  std::_Exit(EXIT_FAILURE);
}

}  // namespace kulisse::storage
