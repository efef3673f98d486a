// Any two JSON texts as a live object and a configuration of some types: an apply ends with an
// object or conflicts, doing it again changes nothing, and what it leaves is text that is read
// back.
//
// Input: one byte that picks the type, the live object, a line break, the configuration, a line
// break, managers.
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "base/json/parse.h"
#include "openapi/managed_fields/typed_object.h"
#include "openapi/patch/apply.h"
#include "openapi/typed.h"

namespace {

using kulisse::json::Value;
using kulisse::openapi::FieldSet;
using kulisse::openapi::ManagedFields;
using kulisse::openapi::TypeId;
using kulisse::openapi::TypeTable;

constexpr std::string_view kTypes[] = {
    "io.k8s.api.core.v1.ConfigMap",
    "io.k8s.api.core.v1.Pod",
    "io.k8s.api.core.v1.Service",
    "io.k8s.api.apps.v1.Deployment",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition",
};

// The object after the configuration was applied by force; the managers too.
Value Apply(const Value& live, const Value& config, TypeId type, ManagedFields* managed,
            kulisse::json::Arena& arena) {
  kulisse::openapi::Applier applier(
      TypeTable::BuiltIn(), [](const auto&, auto, auto) { return std::optional<Value>(); },
      [type](std::string_view version) {
        return version == "v1" ? std::optional(type) : std::nullopt;
      },
      arena);
  const FieldSet none;
  auto made = applier.Apply(
      {.live = live,
       .config = config,
       .self = {.manager = "fuzz", .applied = true, .api_version = "v1", .subresource = {}},
       .now = "2026-01-02T03:04:05Z",
       .force = true,
       .reset = none,
       .ignored = none,
       .system = none},
      managed);
  KULISSE_ASSERT(made.has_value());
  return *made ? std::move(**made) : live.Clone(arena);
}

std::string_view TakeLine(std::string_view* text) {
  const size_t end = std::min(text->find('\n'), text->size());
  const std::string_view line = text->substr(0, end);
  text->remove_prefix(std::min(end + 1, text->size()));
  return line;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  if (input.empty()) return 0;
  const TypeTable& table = TypeTable::BuiltIn();
  const TypeId type = table.Find(kTypes[static_cast<unsigned char>(input[0]) % std::size(kTypes)]);
  input.remove_prefix(1);
  kulisse::json::Arena arena;
  auto live = kulisse::json::ParseInto(TakeLine(&input), arena);
  const auto config = kulisse::json::ParseInto(TakeLine(&input), arena);
  const auto sent = kulisse::json::ParseInto(input, arena);
  if (!live || !config || !live->IsObject() || !config->IsObject()) return 0;
  if (!Normalize(*live, type, table, arena, nullptr)) return 0;
  if (!ValidateTyped(*config, type, table).empty()) return 0;

  ManagedFields managed;
  if (sent) managed = ManagedFields::FromJson(*sent, arena).value_or(ManagedFields());
  const Value once = Apply(*live, *config, type, &managed, arena);
  const std::string text = managed.ToText();
  auto again = ManagedFields::Parse(text, arena);
  KULISSE_ASSERT(again.has_value());
  KULISSE_ASSERT(again->ToText() == text);
  const Value twice = Apply(once, *config, type, &*again, arena);
  KULISSE_ASSERT(twice == once);
  return 0;
}
