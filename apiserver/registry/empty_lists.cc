#include "apiserver/registry/empty_lists.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "openapi/typed.h"

namespace kulisse::apiserver {

namespace {

bool HasEmptyList(const json::Value& value) {
  if (value.IsArray()) {
    return value.size() == 0 || std::ranges::any_of(value.elements(), HasEmptyList);
  }
  return value.IsObject() && std::ranges::any_of(value.members(), [](const json::Member& member) {
           return HasEmptyList(member.value);
         });
}

// Puts the empty lists of `from` into `to` where it has none.
void Restore(const json::Value& from, json::Value& to, json::Arena& arena) {
  if (from.IsArray() && to.IsArray() && from.size() == to.size()) {
    for (size_t i = 0; i < from.size(); ++i) {
      Restore(from.elements()[i], to.elements()[i], arena);
    }
  }
  if (!from.IsObject() || !to.IsObject()) return;
  for (const json::Member& member : from.members()) {
    json::Value* const part = to.Find(member.name);
    if (part != nullptr && !part->IsNull()) {
      Restore(member.value, *part, arena);
    } else if (member.value.IsArray() && member.value.size() == 0) {
      to.Set(member.name, json::Value::Array(), arena);
    }
  }
}

}  // namespace

EmptyLists::EmptyLists(json::Document& object, const openapi::ResourceInfo& resource,
                       const openapi::TypeTable& types) {
  if (!HasEmptyList(object.root)) return;
  sent_.root = object.root.Clone(sent_.arena);
  const auto normalized =
      openapi::Normalize(object.root, resource.type, types, object.arena, nullptr);
  KULISSE_ASSERT(normalized.has_value());  // it was canonical but for its empty lists
}

void EmptyLists::Word(
    const json::Value& object,
    const std::function<void(const json::Value& object, FieldErrors* errors)>& validate,
    FieldErrors* errors) const {
  if (sent_.root.IsNull()) return;
  json::Document shown;
  shown.root = object.Clone(shown.arena);
  Restore(sent_.root, shown.root, shown.arena);
  FieldErrors worded;
  validate(shown.root, &worded);
  std::vector<bool> taken(worded.size());
  for (FieldError& error : *errors) {
    for (size_t i = 0; i < worded.size(); ++i) {
      if (taken[i] || worded[i].type != error.type || worded[i].path != error.path) continue;
      taken[i] = true;
      error.detail = std::move(worded[i].detail);
      break;
    }
  }
}

}  // namespace kulisse::apiserver
