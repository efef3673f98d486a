#include "simulator/jq/natives.h"

namespace kulisse::simulator::jq {

const std::vector<Native>& AllNatives() {
  static const auto natives = [] {
    std::vector<Native> all;
    for (const auto table :
         {OperatorNatives(), CollectionNatives(), SortNatives(), StringNatives(), FormatNatives(),
          RegexNatives(), MathNatives(), TimeNatives(), PathNatives()}) {
      all.insert(all.end(), table.begin(), table.end());
    }
    return all;
  }();
  return natives;
}

const Native* FindNative(std::string_view name, size_t arity) {
  for (const Native& native : AllNatives()) {
    if (native.name == name && static_cast<size_t>(native.arity) == arity) return &native;
  }
  return nullptr;
}

Value ToStringValue(Context& context, const Value& value) {
  return value.IsString() ? value : context.String(ToText(value));
}

}  // namespace kulisse::simulator::jq
