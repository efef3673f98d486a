#include "openapi/facts.h"

#include "base/assert.h"
#include "base/embedded_file.h"

namespace kulisse {
extern const EmbeddedFile kOpenapiFacts[];
extern const size_t kOpenapiFactsCount;
}  // namespace kulisse

namespace kulisse::openapi {

std::string_view FactFile(std::string_view name) {
  for (size_t i = 0; i < kOpenapiFactsCount; ++i) {
    std::string_view path = kOpenapiFacts[i].name;
    if (path.substr(path.rfind('/') + 1) == name) return kOpenapiFacts[i].bytes();
  }
  KULISSE_ASSERT(false && "the fact file is not embedded");
  return {};
}

std::string_view TakeUntil(char separator, std::string_view* rest) {
  const size_t end = rest->find(separator);
  const std::string_view taken = rest->substr(0, end);
  rest->remove_prefix(end == std::string_view::npos ? rest->size() : end + 1);
  return taken;
}

}  // namespace kulisse::openapi
