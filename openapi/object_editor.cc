#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "openapi/default_functions.h"
#include "openapi/struct_builder.h"

namespace kulisse::openapi {

using json::Member;
using json::Value;

namespace {

// Moves the last member to `position`.
Value& Settle(Value& object, size_t position) {
  const auto members = object.members();
  std::rotate(members.begin() + static_cast<ptrdiff_t>(position), members.end() - 1, members.end());
  return members[position].value;
}

size_t IndexOf(const TypeInfo& type, std::string_view name) {
  const int index = type.FindJson(name);
  KULISSE_ASSERT(index >= 0);
  return static_cast<size_t>(index);
}

}  // namespace

TypeId ObjectEditor::FieldType(TypeId type, std::string_view name) const {
  const TypeInfo& info = table_.Get(type);
  return info.json_fields[IndexOf(info, name)].field->type;
}

Value& ObjectEditor::SetAt(Value& object, TypeId type, size_t index, Value value) {
  const TypeInfo& info = table_.Get(type);
  const std::string_view name = info.json_fields[index].field->json_name;
  if (Value* existing = object.Find(name)) {
    *existing = std::move(value);
    return *existing;
  }
  const auto members = object.members();
  size_t position = members.size();
  while (position > 0 && info.FindJson(members[position - 1].name) > static_cast<int>(index)) {
    --position;
  }
  object.AppendRef(name, std::move(value), arena_);
  return Settle(object, position);
}

Value& ObjectEditor::Set(Value& object, TypeId type, std::string_view name, Value value) {
  return SetAt(object, type, IndexOf(table_.Get(type), name), std::move(value));
}

Value& ObjectEditor::OpenAt(Value& object, TypeId type, size_t index) {
  const FieldInfo& field = *table_.Get(type).json_fields[index].field;
  Value* existing = object.Find(field.json_name);
  if (existing != nullptr && existing->IsObject()) return *existing;
  Value made = field.shape == FieldShape::kSingle ? ZeroValue(field.type, table_, plans_, arena_)
                                                  : Value::Object();
  return SetAt(object, type, index, std::move(made));
}

Value& ObjectEditor::Open(Value& object, TypeId type, std::string_view name) {
  return OpenAt(object, type, IndexOf(table_.Get(type), name));
}

void ObjectEditor::SetKey(Value& map, std::string_view key, Value value) {
  if (Value* existing = map.Find(key)) {
    *existing = std::move(value);
    return;
  }
  const auto members = map.members();
  const auto position = std::ranges::lower_bound(members, key, {}, &Member::name);
  const auto index = static_cast<size_t>(position - members.begin());
  map.AppendRef(arena_.Copy(key), std::move(value), arena_);
  Settle(map, index);
}

}  // namespace kulisse::openapi
