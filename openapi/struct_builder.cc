#include "openapi/struct_builder.h"

#include <algorithm>
#include <utility>

#include "openapi/leaf.h"

namespace kulisse::openapi {

using json::Arena;
using json::Member;
using json::Value;

Value ZeroValue(TypeId type, const TypeTable& table, const TypePlans& plans, Arena& arena) {
  const TypeInfo& info = table.Get(type);
  if (info.kind != TypeKind::kStruct) return ZeroLeaf(info.kind);
  Value object = Value::Object();
  for (const uint16_t index : plans.Get(type).always) {
    const FieldInfo& field = *info.json_fields[index].field;
    object.AppendRef(field.json_name, ZeroField(field, table, plans, arena), arena);
  }
  return object;
}

Value ZeroField(const FieldInfo& field, const TypeTable& table, const TypePlans& plans,
                Arena& arena) {
  if (field.shape != FieldShape::kSingle || field.pointer) return Value();
  return ZeroValue(field.type, table, plans, arena);
}

bool IsOmitted(const Value& value, const FieldInfo& field) {
  if (!field.omit_empty) return field.omit_zero && value.IsNull();
  if (field.shape != FieldShape::kSingle) return value.size() == 0;
  if (field.pointer) return value.IsNull();
  return !IsGoStruct(field.kind) && (value.IsNull() || IsZeroLeaf(value, field.kind));
}

void FinishStruct(Value& object, const TypeInfo& type, const TypePlan& plan, const TypeTable& table,
                  const TypePlans& plans, Arena& arena, FieldOrder& order) {
  for (const uint16_t index : plan.always) {
    if (order.has(index)) continue;
    const FieldInfo& field = *type.json_fields[index].field;
    object.AppendRef(field.json_name, ZeroField(field, table, plans, arena), arena);
    order.Add(index);
  }
  if (order.sorted_) return;
  // Insertion sort: objects have few members and mostly come nearly sorted.
  const auto members = object.members();
  for (size_t i = 1; i < members.size(); ++i) {
    const uint16_t index = order.order_[i];
    size_t to = i;
    while (to > 0 && order.order_[to - 1] > index) --to;
    if (to == i) continue;
    Member moved = std::move(members[i]);
    for (size_t j = i; j > to; --j) {
      members[j] = std::move(members[j - 1]);
      order.order_[j] = order.order_[j - 1];
    }
    members[to] = std::move(moved);
    order.order_[to] = index;
  }
}

std::string_view ImpliedDefault(TypeKind kind) {
  switch (kind) {
    case TypeKind::kStruct:
      return "{}";
    case TypeKind::kString:
      return "\"\"";
    case TypeKind::kBool:
      return "false";
    case TypeKind::kInt32:
    case TypeKind::kInt64:
      return "0";
    default:
      return "";
  }
}

std::string_view FieldDefault(const FieldInfo& field) {
  if (!field.default_json.empty()) return field.default_json;
  if (field.pointer || field.shape != FieldShape::kSingle) return "";
  if (field.omit_empty && field.kind != TypeKind::kStruct) return "";
  return ImpliedDefault(field.kind);
}

void SortMap(Value& map) {
  const auto members = map.members();
  if (std::ranges::is_sorted(members, {}, &Member::name)) return;
  std::ranges::sort(members, {}, &Member::name);
}

}  // namespace kulisse::openapi
