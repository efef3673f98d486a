// Any text is an expression or refused; any expression ends, within its bounds.
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/json/parse.h"
#include "base/json/write.h"
#include "simulator/jq/jq.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace json = kulisse::json;
  namespace simulator = kulisse::simulator;
  static const auto kObject = json::Parse(
      R"({"a":{"b":[1,2,{"c":"x"}]},"s":"text","n":null,"t":true,"z":0.5,"list":[{"type":"Ready"}]})");
  auto program =
      simulator::Jq::Compile(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!program) return 0;
  json::Arena arena;
  std::vector<const json::Value*> results;
  (void)program->Evaluate(kObject->root, arena, &results, kulisse::SystemTime{});
  for (const json::Value* result : results) (void)json::ToString(*result);
  return 0;
}
