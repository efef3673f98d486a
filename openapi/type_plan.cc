#include "openapi/type_plan.h"

#include <algorithm>

#include "base/assert.h"

namespace kulisse::openapi {

namespace {

uint16_t JsonBegin(const TypeInfo& type, const FieldInfo& field) {
  for (size_t i = 0; i < type.json_fields.size(); ++i) {
    const JsonField& json = type.json_fields[i];
    const FieldInfo* const outermost = json.outer != nullptr    ? json.outer
                                       : json.parent != nullptr ? json.parent
                                                                : json.field;
    if (outermost == &field) return static_cast<uint16_t>(i);
  }
  return 0;  // an inlined struct without fields
}

TypePlan MakePlan(const TypeInfo& type, const TypeTable& table) {
  KULISSE_ASSERT(type.json_fields.size() <= kJsonFieldsMax);
  TypePlan plan;
  for (size_t i = 0; i < type.json_fields.size(); ++i) {
    if (IsAlwaysWritten(*type.json_fields[i].field, table)) {
      plan.always.push_back(static_cast<uint16_t>(i));
    }
  }
  for (const FieldInfo& field : type.fields) {
    if (field.number != 0) plan.wire.push_back({&field, JsonBegin(type, field)});
  }
  std::ranges::sort(plan.wire, {}, [](const WireField& wire) { return wire.field->number; });
  return plan;
}

}  // namespace

bool IsGoStruct(TypeKind kind) {
  switch (kind) {
    case TypeKind::kString:
    case TypeKind::kBool:
    case TypeKind::kInt32:
    case TypeKind::kInt64:
    case TypeKind::kDouble:
    case TypeKind::kBytes:
    case TypeKind::kStringList:
      return false;
    default:
      return true;
  }
}

bool IsAlwaysWritten(const FieldInfo& field, const TypeTable& table) {
  if (field.omit_zero) return false;
  if (!field.omit_empty) return true;
  return !field.pointer && field.shape == FieldShape::kSingle &&
         IsGoStruct(table.Get(field.type).kind);
}

const WireField* TypePlan::FindWire(uint32_t number) const {
  // Numbers are mostly dense: the field is at or before its number.
  size_t i = std::min<size_t>(number, wire.size());
  while (i > 0 && wire[i - 1].field->number > number) --i;
  if (i == 0 || wire[i - 1].field->number != number) return nullptr;
  return &wire[i - 1];
}

TypePlans::TypePlans(const TypeTable& table) : string_type_(table.Find("string")) {
  plans_.reserve(table.types().size());
  for (const TypeInfo& type : table.types()) plans_.push_back(MakePlan(type, table));
}

const TypePlans& TypePlans::Of(const TypeTable& table) {
  static const TypePlans plans(TypeTable::BuiltIn());
  KULISSE_ASSERT(&table == &TypeTable::BuiltIn());
  return plans;
}

}  // namespace kulisse::openapi
