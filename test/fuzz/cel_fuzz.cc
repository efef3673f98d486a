// Any text is an expression or refused; any expression ends, within its bounds.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/json/parse.h"
#include "openapi/cel/environment.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace cel = kulisse::openapi::cel;
  namespace json = kulisse::json;
  static const auto kObject = json::Parse(
      R"({"a":{"b":[1,2.5,{"c":"x"}]},"s":"text","n":null,"t":true,"list":[{"type":"Ready"}]})");
  static const cel::Environment kEnvironment = [] {
    cel::Environment environment;
    environment.AddVariable("self", cel::Type::Dyn());
    environment.AddVariable("i", cel::Type::Int());
    return environment;
  }();
  const auto program =
      kEnvironment.Compile(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!program) return 0;
  constexpr size_t kStepsMax = 100'000;
  cel::Evaluation evaluation(kStepsMax);
  const cel::Value variables[] = {cel::FromJson(&kObject->root, nullptr, evaluation),
                                  cel::Value::Int(7)};
  const cel::Value result = program->Evaluate(variables, evaluation);
  (void)cel::DebugText(result, evaluation);
  return 0;
}
