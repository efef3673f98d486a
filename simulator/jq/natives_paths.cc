// getpath, setpath, delpaths.
#include "simulator/jq/natives.h"
#include "simulator/jq/path_editor.h"

namespace kulisse::simulator::jq {

namespace {

constexpr Native kNatives[] = {
    {"delpaths", 1,
     [](Context& context, const Value& input, Arguments arguments, Value* result) {
       *result = input;
       return PathEditor(context).Delete(arguments[0], result);
     }},
    {"setpath", 2,
     [](Context& context, const Value& input, Arguments arguments, Value* result) {
       *result = input;
       return PathEditor(context).Set(arguments[0], arguments[1], result);
     }},
};

}  // namespace

std::span<const Native> PathNatives() { return kNatives; }

bool GetPath(Context& context, const Value& value, const Value& path, Value* result) {
  if (!path.IsArray()) return context.FailType("getpath", value, path);
  *result = value;
  for (const Value& key : context.Elements(path)) {
    const Value before = *result;
    if (!before.IsNull() && !before.IsArray() && !before.IsObject()) {
      return context.FailType("getpath", value, path);
    }
    if (!IndexValue(context, before, key, result)) {
      if (context.is_limit()) return false;
      return context.FailWith("getpath", value, path, context.error().AsString());
    }
  }
  return true;
}

}  // namespace kulisse::simulator::jq
