#include "openapi/managed_fields/schema.h"

#include <algorithm>
#include <numeric>

#include "base/assert.h"
#include "openapi/facts.h"
#include "openapi/struct_builder.h"

namespace kulisse::openapi {

namespace {

Shape ListShape(const FieldInfo& field) {
  Shape shape{.kind = Shape::Kind::kList, .type = field.type};
  switch (field.list_type) {
    case ListType::kAtomic:
      shape.atomic = true;
      break;
    case ListType::kSet:
      break;
    case ListType::kMap:
      shape.keys = &field;
      break;
    case ListType::kNone:
      // Lists of strategic merge patch from before list types.
      if (!field.patch_merge) {
        shape.atomic = true;
      } else if (!field.patch_merge_key.empty()) {
        shape.keys = &field;
      }
      break;
  }
  return shape;
}

}  // namespace

Shape SchemaView::OfType(TypeId id) const { return OfType(id, table_.Get(id).kind); }

Shape SchemaView::OfType(TypeId id, TypeKind kind) const {
  switch (kind) {
    case TypeKind::kStruct: {
      const TypeInfo& type = table_.Get(id);
      if (type.json_fields.empty()) return {.kind = Shape::Kind::kDeduced};
      return {.kind = Shape::Kind::kStruct, .atomic = type.map_atomic, .type = id};
    }
    case TypeKind::kStringList:
      return {.kind = Shape::Kind::kList, .atomic = true, .type = table_.Find("string")};
    case TypeKind::kRawExtension:
      return {.kind = Shape::Kind::kUntyped, .atomic = true};
    case TypeKind::kFieldsV1:
    case TypeKind::kJson:
    case TypeKind::kSchemaOrBool:
    case TypeKind::kSchemaOrArray:
    case TypeKind::kSchemaOrStrings:
      return {.kind = Shape::Kind::kDeduced};
    default:
      return {.kind = Shape::Kind::kScalar, .type = id};
  }
}

Shape SchemaView::OfField(const FieldInfo& field) const {
  if (field.shape == FieldShape::kList) return ListShape(field);
  Shape shape;
  if (field.shape == FieldShape::kMap) {
    shape = {.kind = Shape::Kind::kMap, .type = field.type};
  } else {
    shape = OfType(field.type, field.kind);
  }
  if (field.map_atomic) shape.atomic = true;
  if (field.map_granular) shape.atomic = false;
  return shape;
}

Shape SchemaView::Element(const Shape& shape) const {
  if (shape.kind == Shape::Kind::kMap || shape.kind == Shape::Kind::kList) {
    return OfType(shape.type);
  }
  return {.kind = shape.kind, .atomic = shape.kind == Shape::Kind::kUntyped};
}

Shape SchemaView::Member(const Shape& shape, std::string_view name) const {
  if (shape.kind != Shape::Kind::kStruct) return Element(shape);
  const TypeInfo& type = table_.Get(shape.type);
  const int index = type.FindJson(name);
  if (index < 0) return {.kind = Shape::Kind::kUnknown};
  return OfField(*type.json_fields[static_cast<size_t>(index)].field);
}

bool SchemaView::IsField(const Shape& shape, std::string_view name) const {
  return shape.kind == Shape::Kind::kStruct && table_.Get(shape.type).FindJson(name) >= 0;
}

Atom SchemaView::AtomOf(const Shape& shape, const json::Value& value) {
  switch (shape.kind) {
    case Shape::Kind::kStruct:
    case Shape::Kind::kMap:
      return Atom::kMap;
    case Shape::Kind::kList:
      return Atom::kList;
    case Shape::Kind::kScalar:
      return Atom::kScalar;
    default:
      if (value.IsArray()) return Atom::kList;
      return value.IsObject() || value.IsNull() ? Atom::kMap : Atom::kScalar;
  }
}

bool SchemaView::IsAtomic(const Shape& shape, Atom atom) {
  return shape.atomic || (shape.kind == Shape::Kind::kDeduced && atom == Atom::kList);
}

ListKeys::ListKeys(std::string_view names) {
  while (!names.empty()) {
    KULISSE_ASSERT(size_ < kKeysMax);
    names_[size_++] = TakeUntil(',', &names);
  }
  std::ranges::sort(names_.begin(), names_.begin() + size_);
}

ListKeys SchemaView::KeysOf(const Shape& shape) {
  return ListKeys(shape.keys->list_type == ListType::kMap ? shape.keys->list_map_keys
                                                          : shape.keys->patch_merge_key);
}

std::string_view SchemaView::KeyDefault(const Shape& shape, std::string_view key) const {
  const TypeInfo& type = table_.Get(shape.type);
  const int index = type.FindJson(key);
  if (index < 0) return "";
  const FieldInfo& field = *type.json_fields[static_cast<size_t>(index)].field;
  return FieldDefault(field);
}

const FieldElements& FieldElements::Of(const TypeTable& table) {
  static const FieldElements elements(TypeTable::BuiltIn());
  KULISSE_ASSERT(&table == &TypeTable::BuiltIn());
  return elements;
}

FieldElements::FieldElements(const TypeTable& table) {
  for (const TypeInfo& type : table.types()) {
    const auto fields = type.json_fields;
    const size_t first = rows_.size();
    first_.push_back(first);
    for (const JsonField& field : fields) {
      rows_.push_back({"f:" + std::string(field.field->json_name), 0});
    }
    std::vector<uint16_t> order(fields.size());
    std::iota(order.begin(), order.end(), uint16_t{0});
    std::ranges::sort(order, {}, [fields](uint16_t i) { return fields[i].field->json_name; });
    for (uint16_t rank = 0; rank < order.size(); ++rank) rows_[first + order[rank]].rank = rank;
  }
}

}  // namespace kulisse::openapi
