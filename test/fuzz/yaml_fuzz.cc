// Goal: the YAML reader bears any bytes, and what it accepts is written so that it reads back
// equal.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "openapi/yaml.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace openapi = kulisse::openapi;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)openapi::ParseYamlDocuments(text);
  std::vector<std::string> duplicates;
  const auto document = openapi::ParseYaml(text, &duplicates);
  if (!document) return 0;
  const auto again = openapi::ParseYaml(openapi::ToYaml(document->root));
  if (!again || !(again->root == document->root)) std::abort();
  return 0;
}
