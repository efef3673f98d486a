// Any text is a template or refused; any template ends, within its bounds; the quick reader of its
// output agrees with the YAML library.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "base/json/parse.h"
#include "openapi/yaml.h"
#include "simulator/stage/quick_yaml.h"
#include "test/unit/simulator/template_support.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace json = kulisse::json;
  namespace simulator = kulisse::simulator;
  namespace openapi = kulisse::openapi;
  static const auto kObject = json::Parse(
      R"({"a":{"b":[1,2,{"c":"x"}]},"s":"text","n":null,"t":true,"list":[{"type":"Ready"}]})");
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  auto compiled = simulator::Template::Compile(text, simulator::TemplateScope::kPod);
  if (!compiled) return 0;
  simulator::FixedEnvironment environment;
  const auto rendered = compiled->Render(kObject->root, environment);
  if (!rendered) return 0;
  json::Arena arena;
  if (const auto quick = simulator::ParseQuickYaml(*rendered, arena)) {
    const auto library = openapi::ParseYaml(*rendered);
    KULISSE_ASSERT(library.has_value());
    KULISSE_ASSERT(library->root == *quick);
  }
  return 0;
}
