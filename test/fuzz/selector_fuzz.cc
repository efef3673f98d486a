// Goal: selectors bear any bytes, and what is accepted is printed so that it reads back the same.
// Method: the text goes through the label and the field parser.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "openapi/selector.h"

namespace {

template <class Selector>
void Check(std::string_view text) {
  const auto selector = Selector::Parse(text);
  if (!selector) return;
  // As upstream, terms are sorted by their text: "a==x" may change places once it prints as "a=x".
  const auto again = Selector::Parse(selector->ToString());
  if (!again) std::abort();
  const auto settled = Selector::Parse(again->ToString());
  if (!settled || settled->ToString() != again->ToString()) std::abort();
  const auto lookup = [](std::string_view key) -> std::optional<std::string_view> {
    if (key.size() % 2 == 0) return std::nullopt;
    return key;
  };
  if (selector->Matches(lookup) != again->Matches(lookup)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Check<kulisse::openapi::LabelSelector>(text);
  Check<kulisse::openapi::FieldSelector>(text);
  return 0;
}
