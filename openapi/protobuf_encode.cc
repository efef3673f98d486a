// JSON values to messages.
#include <bit>
#include <vector>

#include "base/assert.h"
#include "base/json/write.h"
#include "base/text.h"
#include "base/time.h"
#include "openapi/go_time.h"
#include "openapi/protobuf.h"
#include "openapi/type_plan.h"
#include "openapi/wire.h"

namespace kulisse::openapi {

namespace {

using json::Member;
using json::Value;

bool IsAbsent(const Value* value) { return value == nullptr || value->IsNull(); }

class Encoder {
 public:
  explicit Encoder(const TypeTable& table) : table_(table), plans_(TypePlans::Of(table)) {}

  // Null and absent values are written as Go's zero struct.
  void Struct(const Value* value, TypeId type);
  [[nodiscard]] std::string_view bytes() const { return writer_.bytes(); }

 private:
  // The fields of the type, of which the values are in slots_ from `slots` on.
  void Fields(TypeId type, size_t slots);
  // REQUIRES: a list or map is not absent.
  void Field(const WireField& wire, const Value* value);
  void Map(const FieldInfo& field, const Value& map);
  // A field of the number with a value of the type, which may be absent: Go's zero value.
  void Element(uint32_t number, TypeId type, const Value* value) {
    Element(number, type, table_.Get(type).kind, value);
  }
  void Element(uint32_t number, TypeId type, TypeKind kind, const Value* value);
  // The message of a type that is neither a scalar nor a struct.
  void Leaf(const TypeInfo& type, const Value* value);
  void Time(const Value* value, TimeLayout layout);
  void IntOrString(const Value* value);
  void Schema(const TypeInfo& type, const Value* value);

  const TypeTable& table_;
  const TypePlans& plans_;
  ReverseWriter writer_;
  // Values of the structs under way by index in json_fields; null where a field is missing.
  std::vector<const Value*> slots_;
};

void Encoder::Struct(const Value* value, TypeId type_id) {
  const TypeInfo& type = table_.Get(type_id);
  const size_t slots = slots_.size();
  slots_.resize(slots + type.json_fields.size());
  size_t next = 0;
  if (value != nullptr) {
    for (const Member& member : value->members()) {
      // Members come in struct order; other orders work too.
      while (next < type.json_fields.size() && !SameText(type.json_names[next], member.name)) {
        ++next;
      }
      if (next < type.json_fields.size()) {
        slots_[slots + next++] = &member.value;
      } else if (const int index = type.FindJson(member.name); index >= 0) {
        next = static_cast<size_t>(index);
        slots_[slots + next++] = &member.value;
      } else {
        next = 0;
      }
    }
  }
  Fields(type_id, slots);
  slots_.resize(slots);
}

void Encoder::Fields(TypeId type, size_t slots) {
  const auto& wire = plans_.Get(type).wire;
  for (size_t i = wire.size(); i-- > 0;) {
    const Value* const value = slots_[slots + wire[i].json_begin];
    if (wire[i].skipped_absent && IsAbsent(value)) continue;
    const FieldInfo& field = *wire[i].field;
    if (field.inlined) {
      const size_t end = writer_.size();
      Fields(field.type, slots + wire[i].json_begin);
      writer_.CloseMessage(field.number, end);
    } else {
      Field(wire[i], value);
    }
  }
}

void Encoder::Field(const WireField& wire, const Value* value) {
  const FieldInfo& field = *wire.field;
  switch (field.shape) {
    case FieldShape::kList: {
      const auto elements = value->elements();
      for (size_t i = elements.size(); i-- > 0;) {
        Element(field.number, field.type, wire.kind, &elements[i]);
      }
      return;
    }
    case FieldShape::kMap:
      return Map(field, *value);
    case FieldShape::kSingle:
      return Element(field.number, field.type, wire.kind, value);
  }
}

void Encoder::Map(const FieldInfo& field, const Value& map) {
  const bool bytes = field.kind == TypeKind::kBytes;
  const auto members = map.members();
  for (size_t i = members.size(); i-- > 0;) {
    const size_t end = writer_.size();
    if (!bytes || !members[i].value.IsNull()) Element(2, field.type, &members[i].value);
    writer_.BytesField(1, members[i].name);
    writer_.CloseMessage(field.number, end);
  }
}

void Encoder::Element(uint32_t number, TypeId type, TypeKind kind, const Value* value) {
  const bool absent = IsAbsent(value);
  switch (kind) {
    case TypeKind::kString:
      writer_.BytesField(number, absent ? std::string_view() : value->AsString());
      return;
    case TypeKind::kBool:
      writer_.VarintField(number, !absent && value->AsBool() ? 1 : 0);
      return;
    case TypeKind::kInt32:
    case TypeKind::kInt64:
      writer_.VarintField(number, absent ? 0 : static_cast<uint64_t>(value->AsInt()));
      return;
    case TypeKind::kDouble:
      writer_.Fixed64(std::bit_cast<uint64_t>(absent ? 0.0 : value->AsDouble()));
      writer_.Tag(number, WireType::kFixed64);
      return;
    case TypeKind::kBytes:
      writer_.BytesField(number,
                         absent ? "" : Base64Decode(value->AsString()).value_or(std::string()));
      return;
    default:
      break;
  }
  const size_t end = writer_.size();
  if (kind == TypeKind::kStruct) {
    Struct(value, type);
  } else {
    Leaf(table_.Get(type), value);
  }
  writer_.CloseMessage(number, end);
}

void Encoder::Leaf(const TypeInfo& type, const Value* value) {
  const bool absent = IsAbsent(value);
  switch (type.kind) {
    case TypeKind::kQuantity:
      writer_.BytesField(1, absent ? "0" : value->AsString());
      return;
    case TypeKind::kIntOrString:
      return IntOrString(value);
    case TypeKind::kTime:
      return Time(value, TimeLayout::kSeconds);
    case TypeKind::kMicroTime:
      return Time(value, TimeLayout::kMicros);
    case TypeKind::kDuration: {
      const auto duration = absent ? std::nullopt : ParseGoDuration(value->AsString());
      writer_.VarintField(1, static_cast<uint64_t>(duration.value_or(Duration(0)).count()));
      return;
    }
    case TypeKind::kRawExtension:
    case TypeKind::kFieldsV1:
    case TypeKind::kJson:
      if (!absent) writer_.BytesField(1, json::ToString(*value));
      return;
    case TypeKind::kStringList: {
      if (absent) return;
      const auto elements = value->elements();
      for (size_t i = elements.size(); i-- > 0;) writer_.BytesField(1, elements[i].AsString());
      return;
    }
    default:
      return Schema(type, value);
  }
}

void Encoder::Time(const Value* value, TimeLayout layout) {
  if (IsAbsent(value)) return;
  const auto time = ParseTimestamp(value->AsString(), layout);
  KULISSE_ASSERT(time.has_value());
  writer_.VarintField(2, layout == TimeLayout::kMicros ? static_cast<uint64_t>(time->nanos) : 0);
  writer_.VarintField(1, static_cast<uint64_t>(time->seconds));
}

void Encoder::IntOrString(const Value* value) {
  const bool text = !IsAbsent(value) && value->IsString();
  const bool number = !IsAbsent(value) && !text;
  writer_.BytesField(3, text ? value->AsString() : std::string_view());
  writer_.VarintField(2, number ? static_cast<uint64_t>(value->AsInt()) : 0);
  writer_.VarintField(1, text ? 1 : 0);
}

void Encoder::Schema(const TypeInfo& type, const Value* value) {
  if (type.kind == TypeKind::kSchemaOrBool) {
    const bool schema = !IsAbsent(value) && value->IsObject();
    if (schema) Element(2, type.FindNumber(2)->type, value);
    writer_.VarintField(1, schema || (!IsAbsent(value) && value->AsBool()) ? 1 : 0);
    return;
  }
  if (IsAbsent(value)) return;
  if (value->IsObject()) return Element(1, type.FindNumber(1)->type, value);
  const auto elements = value->elements();
  for (size_t i = elements.size(); i-- > 0;) Element(2, type.FindNumber(2)->type, &elements[i]);
}

}  // namespace

void AppendMessage(const Value& value, TypeId type, const TypeTable& table, std::string* out) {
  Encoder encoder(table);
  encoder.Struct(&value, type);
  out->append(encoder.bytes());
}

}  // namespace kulisse::openapi
