// Goal: patches of all kinds bear any documents, and merge patches that contain no lists are
// idempotent.
// Method: the input is a JSON array of target and patch; both go through each kind of patch.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/json/parse.h"
#include "openapi/patch/patch.h"

namespace {

namespace json = kulisse::json;
namespace openapi = kulisse::openapi;

bool ContainsList(const json::Value& value) {
  if (value.IsArray()) return true;
  for (const json::Member& member : value.members()) {
    if (ContainsList(member.value)) return true;
  }
  return false;
}

void CheckMergePatch(const json::Value& target, const json::Value& patch) {
  json::Document document;
  document.root = target.Clone(document.arena);
  if (!openapi::ApplyMergePatch(document.root, patch, document.arena)) return;
  const json::Document once = document.Clone();
  if (!openapi::ApplyMergePatch(document.root, patch, document.arena)) std::abort();
  if (!ContainsList(patch) && !(once.root == document.root)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto input = json::Parse({reinterpret_cast<const char*>(data), size});
  if (!input || input->root.size() != 2 || !input->root.IsArray()) return 0;
  const json::Value& target = input->root.elements()[0];
  const json::Value& patch = input->root.elements()[1];
  CheckMergePatch(target, patch);

  json::Document by_operations;
  by_operations.root = target.Clone(by_operations.arena);
  (void)openapi::ApplyJsonPatch(by_operations.root, patch, by_operations.arena);

  if (!target.IsObject()) return 0;
  const openapi::TypeTable& table = openapi::TypeTable::BuiltIn();
  static const openapi::TypeId pod = table.Find("io.k8s.api.core.v1.Pod");
  json::Document merged;
  merged.root = target.Clone(merged.arena);
  (void)openapi::ApplyStrategicMergePatch(merged.root, patch, pod, table, merged.arena);
  return 0;
}
