// Short ways to the fields of an object in canonical form, where what is empty is left out.
// Threads: pure functions.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "base/json/value.h"

namespace kulisse::apiserver {

[[nodiscard]] inline std::span<const json::Value> ListAt(const json::Value& object,
                                                         std::string_view name) {
  const json::Value* list = object.Find(name);
  return list == nullptr ? std::span<const json::Value>() : list->elements();
}

[[nodiscard]] inline std::span<const json::Member> MapAt(const json::Value& object,
                                                         std::string_view name) {
  const json::Value* map = object.Find(name);
  return map == nullptr ? std::span<const json::Member>() : map->members();
}

// Nothing when it is not set.
[[nodiscard]] inline std::optional<bool> BoolAt(const json::Value& object, std::string_view name) {
  const json::Value* value = object.Find(name);
  if (value == nullptr || !value->IsBool()) return std::nullopt;
  return value->AsBool();
}

[[nodiscard]] inline std::optional<int64_t> IntAt(const json::Value& object,
                                                  std::string_view name) {
  const json::Value* value = object.Find(name);
  if (value == nullptr || !value->IsInt()) return std::nullopt;
  return value->AsInt();
}

// The list of that name, made when it is missing.
[[nodiscard]] inline json::Value& ListIn(json::Value& object, std::string_view name,
                                         json::Arena& arena) {
  json::Value* list = object.Find(name);
  if (list != nullptr && list->IsArray()) return *list;
  return object.Set(name, json::Value::Array(), arena);
}

}  // namespace kulisse::apiserver
