// Any text is an expression or refused; any expression ends, within its bounds.
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/json/parse.h"
#include "simulator/stage/jq.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace json = kulisse::json;
  namespace simulator = kulisse::simulator;
  static const auto kObject = json::Parse(
      R"({"a":{"b":[1,2,{"c":"x"}]},"s":"text","n":null,"t":true,"list":[{"type":"Ready"}]})");
  auto program =
      simulator::Jq::Compile(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!program) return 0;
  json::Arena arena;
  std::vector<const json::Value*> results;
  (void)program->Evaluate(kObject->root, arena, &results);
  return 0;
}
