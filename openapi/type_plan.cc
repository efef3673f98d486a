#include "openapi/type_plan.h"

#include <algorithm>

#include "base/assert.h"

namespace kulisse::openapi {

namespace {

// Numbers of upstream's fields are small; each type has a table of that many bytes.
constexpr size_t kWireNumberMax = 1'000;

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

TypePlan MakePlan(const TypeInfo& type) {
  KULISSE_ASSERT(type.json_fields.size() <= kJsonFieldsMax);
  TypePlan plan;
  for (size_t i = 0; i < type.json_fields.size(); ++i) {
    if (IsAlwaysWritten(*type.json_fields[i].field)) {
      plan.always.push_back(static_cast<uint16_t>(i));
      plan.always_set.Insert(i);
    }
  }
  for (const FieldInfo& field : type.fields) {
    if (field.number == 0) continue;
    const bool skipped_absent =
        !field.inlined && (field.shape != FieldShape::kSingle || field.pointer ||
                           field.kind == TypeKind::kBytes || field.kind == TypeKind::kStringList);
    plan.wire.push_back({&field, JsonBegin(type, field), field.kind, skipped_absent});
  }
  std::ranges::sort(plan.wire, {}, [](const WireField& wire) { return wire.field->number; });
  if (plan.wire.empty()) return plan;
  KULISSE_ASSERT(plan.wire.size() < UINT8_MAX);
  KULISSE_ASSERT(plan.wire.back().field->number <= kWireNumberMax);
  plan.wire_places.resize(plan.wire.back().field->number + 1);
  for (size_t i = 0; i < plan.wire.size(); ++i) {
    plan.wire_places[plan.wire[i].field->number] = static_cast<uint8_t>(i + 1);
  }
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

bool IsAlwaysWritten(const FieldInfo& field) {
  if (field.omit_zero) return false;
  if (!field.omit_empty) return true;
  return !field.pointer && field.shape == FieldShape::kSingle && IsGoStruct(field.kind);
}

TypePlans::TypePlans(const TypeTable& table) : string_type_(table.Find("string")) {
  plans_.reserve(table.types().size());
  for (const TypeInfo& type : table.types()) plans_.push_back(MakePlan(type));
}

const TypePlans& TypePlans::Of(const TypeTable& table) {
  static const TypePlans plans(TypeTable::BuiltIn());
  KULISSE_ASSERT(&table == &TypeTable::BuiltIn());
  return plans;
}

}  // namespace kulisse::openapi
