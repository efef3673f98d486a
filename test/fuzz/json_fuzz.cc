// Goal: the JSON reader bears any bytes, and what it accepts is printed so that it reads back
// equal.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/json/parse.h"
#include "base/json/write.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace json = kulisse::json;
  std::vector<std::string> duplicates;
  const auto document = json::Parse({reinterpret_cast<const char*>(data), size}, &duplicates);
  if (!document) return 0;
  for (const std::string& text :
       {json::ToString(document->root), json::ToSortedString(document->root)}) {
    const auto again = json::Parse(text);
    if (!again || !(again->root == document->root)) std::abort();
  }
  return 0;
}
