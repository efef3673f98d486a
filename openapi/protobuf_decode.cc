// Messages to JSON values.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <vector>

#include "base/json/parse.h"
#include "base/limits.h"
#include "base/text.h"
#include "openapi/go_duration.h"
#include "openapi/go_time.h"
#include "openapi/leaf.h"
#include "openapi/protobuf.h"
#include "openapi/struct_builder.h"
#include "openapi/type_plan.h"
#include "openapi/wire.h"

namespace kulisse::openapi {

namespace {

using json::Arena;
using json::Member;
using json::Value;

// Sorts by key and keeps the last of equal keys.
void FinishMap(Value& map) {
  const auto members = map.members();
  if (!std::ranges::is_sorted(members, {}, &Member::name)) {
    std::ranges::stable_sort(members, {}, &Member::name);
  }
  size_t kept = 0;
  for (size_t i = 0; i < members.size(); ++i) {
    if (i + 1 < members.size() && members[i].name == members[i + 1].name) continue;
    if (kept != i) members[kept] = std::move(members[i]);
    ++kept;
  }
  map.Truncate(kept);
}

class Decoder {
 public:
  Decoder(const TypeTable& table, Arena& arena)
      : table_(table), plans_(TypePlans::Of(table)), arena_(arena) {}

  bool Struct(std::string_view bytes, TypeId type, Value* out);
  [[nodiscard]] std::string& error() { return error_; }

 private:
  // The struct under way: its values are in slots_ from `begin` on by index in json_fields. Those
  // that were not read hold anything.
  struct Frame {
    size_t begin;
    FieldIndices read = {};
  };

  // Reads the fields of the type; the first is that of `index` of the frame.
  bool Fields(std::string_view bytes, TypeId type, Frame& frame, size_t index);
  bool Field(WireReader& reader, const WireField& field, WireType wire, Frame& frame, size_t index);
  bool PackedList(std::string_view bytes, const WireField& field, Value& list);
  bool MapEntry(std::string_view bytes, const WireField& field, Value& map);
  // The object of what was read, in struct order.
  Value Finish(TypeId type, const Frame& frame);
  // One value of the type as it follows its tag.
  bool Element(WireReader& reader, const FieldInfo& field, TypeKind kind, WireType wire,
               Value* out);
  bool Message(std::string_view bytes, TypeId type, Value* out);
  // Apart, so that what leaves need is not on the stack of every struct.
  [[gnu::noinline]] bool Leaf(std::string_view bytes, const TypeInfo& type, Value* out);

  bool Quantity(std::string_view bytes, Value* out);
  bool IntOrString(std::string_view bytes, Value* out);
  bool Time(std::string_view bytes, TimeLayout layout, Value* out);
  bool Duration(std::string_view bytes, Value* out);
  bool RawJson(std::string_view bytes, Value* out);
  bool StringList(std::string_view bytes, Value* out);
  bool Schema(std::string_view bytes, const TypeInfo& type, Value* out);
  // Calls each(number, wire type, reader) for every field; it returns false to skip the field and
  // reads its value otherwise.
  template <typename Each>
  bool ForEachField(std::string_view bytes, std::string_view message, Each each);

  bool Fail(std::string error) {
    if (error_.empty()) error_ = std::move(error);
    return false;
  }
  bool Wrong(WireType wire, std::string_view go_field) {
    return Fail(
        fmt::format("proto: wrong wireType = {} for field {}", static_cast<int>(wire), go_field));
  }

  const TypeTable& table_;
  const TypePlans& plans_;
  Arena& arena_;
  std::vector<Value> slots_;  // of the structs under way
  size_t slots_used_ = 0;
  size_t depth_ = 0;
  std::string error_;
};

bool Decoder::Struct(std::string_view bytes, TypeId type, Value* out) {
  if (depth_ >= kJsonDepthMax) return Fail("exceeded max depth");
  ++depth_;
  Frame frame{slots_used_};
  slots_used_ += table_.Get(type).json_fields.size();
  if (slots_.size() < slots_used_) slots_.resize(2 * slots_used_);
  if (!Fields(bytes, type, frame, 0)) return false;
  *out = Finish(type, frame);
  slots_used_ = frame.begin;
  --depth_;
  return true;
}

bool Decoder::Fields(std::string_view bytes, TypeId type, Frame& frame, size_t index) {
  const TypePlan& plan = plans_.Get(type);
  WireReader reader(bytes);
  while (!reader.AtEnd()) {
    uint32_t number = 0;
    WireType wire{};
    if (!reader.ReadTag(table_.Get(type).go_name, &number, &wire)) return Fail(reader.error());
    const WireField* known = plan.FindWire(number);
    if (known == nullptr) {
      if (!reader.Skip(wire)) return Fail(reader.error());
      continue;
    }
    const FieldInfo& field = *known->field;
    if (field.inlined) {
      std::string_view inner;
      if (wire != WireType::kBytes) return Wrong(wire, field.go_name);
      if (!reader.ReadBytes(&inner)) return Fail(reader.error());
      if (!Fields(inner, field.type, frame, index + known->json_begin)) return false;
    } else if (!Field(reader, *known, wire, frame, index + known->json_begin)) {
      return Fail(reader.error());
    }
  }
  return true;
}

bool Decoder::Field(WireReader& reader, const WireField& wire_field, WireType wire, Frame& frame,
                    size_t index) {
  const FieldInfo& field = *wire_field.field;
  const size_t slot = frame.begin + index;
  if (field.shape == FieldShape::kSingle) {
    Value value;  // slots_ may move while it is read
    if (!Element(reader, field, wire_field.kind, wire, &value)) return false;
    slots_[slot] = std::move(value);
    frame.read.Insert(index);
    return true;
  }
  const bool map = field.shape == FieldShape::kMap;
  Value value =
      frame.read.Insert(index) ? (map ? Value::Object() : Value::Array()) : std::move(slots_[slot]);
  std::string_view bytes;
  if (map) {
    if (wire != WireType::kBytes) return Wrong(wire, field.go_name);
    if (!reader.ReadBytes(&bytes) || !MapEntry(bytes, wire_field, value)) return false;
  } else if (wire == WireType::kBytes &&
             (wire_field.kind == TypeKind::kInt32 || wire_field.kind == TypeKind::kInt64)) {
    if (!reader.ReadBytes(&bytes) || !PackedList(bytes, wire_field, value)) return false;
  } else {
    Value element;
    if (!Element(reader, field, wire_field.kind, wire, &element)) return false;
    value.PushBack(std::move(element), arena_);
  }
  slots_[slot] = std::move(value);
  return true;
}

bool Decoder::PackedList(std::string_view bytes, const WireField& field, Value& list) {
  WireReader reader(bytes);
  while (!reader.AtEnd()) {
    Value value;
    if (!Element(reader, *field.field, field.kind, WireType::kVarint, &value)) {
      return Fail(reader.error());
    }
    list.PushBack(std::move(value), arena_);
  }
  return true;
}

bool Decoder::MapEntry(std::string_view bytes, const WireField& field, Value& map) {
  std::string_view key;
  Value value;
  bool found = false;
  const bool read = ForEachField(bytes, field.field->go_name,
                                 [&](uint32_t number, WireType wire, WireReader& reader) -> int {
                                   if (number == 1)
                                     return wire == WireType::kBytes ? reader.ReadBytes(&key) : -1;
                                   if (number != 2) return -1;
                                   found = true;
                                   return Element(reader, *field.field, field.kind, wire, &value);
                                 });
  if (!read) return false;
  if (!found) value = ZeroValue(field.field->type, table_, plans_, arena_);
  // Equal keys are told apart when the map is complete.
  map.AppendRef(key, std::move(value), arena_);
  return true;
}

Value Decoder::Finish(TypeId type_id, const Frame& frame) {
  const TypeInfo& type = table_.Get(type_id);
  const FieldIndices& always = plans_.Get(type_id).always_set;
  Value object = Value::Object();
  frame.read.ForEachOfEither(always, [&](size_t i) {
    const FieldInfo& field = *type.json_fields[i].field;
    Value value = frame.read.Has(i) ? std::move(slots_[frame.begin + i]) : Value();
    if (value.IsNull()) {
      if (!always.Has(i)) return;
      value = ZeroField(field, table_, plans_, arena_);
    } else if (field.shape == FieldShape::kMap) {
      FinishMap(value);
    } else if (!always.Has(i) && IsOmitted(value, field)) {
      return;
    }
    object.AppendRef(field.json_name, std::move(value), arena_);
  });
  return object;
}

bool Decoder::Element(WireReader& reader, const FieldInfo& field, TypeKind kind, WireType wire,
                      Value* out) {
  uint64_t number = 0;
  std::string_view bytes;
  switch (kind) {
    case TypeKind::kBool:
    case TypeKind::kInt32:
    case TypeKind::kInt64:
      if (wire != WireType::kVarint) return Wrong(wire, field.go_name);
      if (!reader.ReadVarint(&number)) return false;
      *out = kind == TypeKind::kBool    ? Value::Bool(number != 0)
             : kind == TypeKind::kInt32 ? Value::Int(static_cast<int32_t>(number))
                                        : Value::Int(static_cast<int64_t>(number));
      return true;
    case TypeKind::kDouble:
      if (wire != WireType::kFixed64) return Wrong(wire, field.go_name);
      if (!reader.ReadFixed64(&number)) return false;
      *out = Value::Double(std::bit_cast<double>(number));
      return true;
    default:
      break;
  }
  if (wire != WireType::kBytes) return Wrong(wire, field.go_name);
  if (!reader.ReadBytes(&bytes)) return false;
  if (kind == TypeKind::kString) {
    *out = Value::StringRef(bytes);
    return true;
  }
  if (kind == TypeKind::kBytes) {
    *out = Value::String(Base64Encode(bytes), arena_);
    return true;
  }
  return Message(bytes, field.type, out);
}

bool Decoder::Message(std::string_view bytes, TypeId type_id, Value* out) {
  const TypeInfo& type = table_.Get(type_id);
  if (type.kind == TypeKind::kStruct) return Struct(bytes, type_id, out);
  return Leaf(bytes, type, out);
}

bool Decoder::Leaf(std::string_view bytes, const TypeInfo& type, Value* out) {
  switch (type.kind) {
    case TypeKind::kQuantity:
      return Quantity(bytes, out);
    case TypeKind::kIntOrString:
      return IntOrString(bytes, out);
    case TypeKind::kTime:
      return Time(bytes, TimeLayout::kSeconds, out);
    case TypeKind::kMicroTime:
      return Time(bytes, TimeLayout::kMicros, out);
    case TypeKind::kDuration:
      return Duration(bytes, out);
    case TypeKind::kRawExtension:
    case TypeKind::kFieldsV1:
    case TypeKind::kJson:
      return RawJson(bytes, out);
    case TypeKind::kStringList:
      return StringList(bytes, out);
    default:
      return Schema(bytes, type, out);
  }
}

template <typename Each>
bool Decoder::ForEachField(std::string_view bytes, std::string_view message, Each each) {
  WireReader reader(bytes);
  while (!reader.AtEnd()) {
    uint32_t number = 0;
    WireType wire{};
    if (!reader.ReadTag(message, &number, &wire)) return Fail(reader.error());
    const int read = each(number, wire, reader);
    if (read == 0 || (read < 0 && !reader.Skip(wire))) return Fail(reader.error());
  }
  return true;
}

bool Decoder::Quantity(std::string_view bytes, Value* out) {
  std::string_view text = "0";
  const bool read = ForEachField(
      bytes, "Quantity", [&](uint32_t number, WireType wire, WireReader& reader) -> int {
        return number == 1 && wire == WireType::kBytes ? reader.ReadBytes(&text) : -1;
      });
  if (!read) return false;
  *out = Value::StringRef(text);
  std::string error;
  if (NormalizeLeaf(*out, TypeKind::kQuantity, arena_, &error) == LeafResult::kOk) return true;
  return Fail(std::move(error));
}

bool Decoder::IntOrString(std::string_view bytes, Value* out) {
  uint64_t type = 0;
  uint64_t integer = 0;
  std::string_view text;
  const bool read = ForEachField(bytes, "IntOrString",
                                 [&](uint32_t number, WireType wire, WireReader& reader) -> int {
                                   if (number == 1 && wire == WireType::kVarint)
                                     return reader.ReadVarint(&type);
                                   if (number == 2 && wire == WireType::kVarint)
                                     return reader.ReadVarint(&integer);
                                   if (number == 3 && wire == WireType::kBytes)
                                     return reader.ReadBytes(&text);
                                   return -1;
                                 });
  if (!read) return false;
  if (type > 1) return Fail("impossible IntOrString.Type");
  *out = type == 1 ? Value::StringRef(text) : Value::Int(static_cast<int32_t>(integer));
  return true;
}

bool Decoder::Time(std::string_view bytes, TimeLayout layout, Value* out) {
  *out = Value();
  if (bytes.empty()) return true;
  uint64_t seconds = 0;
  uint64_t nanos = 0;
  const bool read = ForEachField(bytes, "Timestamp",
                                 [&](uint32_t number, WireType wire, WireReader& reader) -> int {
                                   if (number == 1 && wire == WireType::kVarint)
                                     return reader.ReadVarint(&seconds);
                                   if (number == 2 && wire == WireType::kVarint)
                                     return reader.ReadVarint(&nanos);
                                   return -1;
                                 });
  if (!read) return false;
  Timestamp time{.seconds = static_cast<int64_t>(seconds)};
  if (layout == TimeLayout::kMicros) time.nanos = static_cast<int32_t>(nanos) / 1000 * 1000;
  if (!time.IsWritable()) return Fail("year outside of range [0,9999]");
  if (!time.IsZero()) *out = Value::String(FormatTimestamp(time, layout), arena_);
  return true;
}

bool Decoder::Duration(std::string_view bytes, Value* out) {
  uint64_t nanos = 0;
  const bool read = ForEachField(
      bytes, "Duration", [&](uint32_t number, WireType wire, WireReader& reader) -> int {
        return number == 1 && wire == WireType::kVarint ? reader.ReadVarint(&nanos) : -1;
      });
  if (!read) return false;
  *out = Value::String(FormatGoDuration(kulisse::Duration(static_cast<int64_t>(nanos))), arena_);
  return true;
}

bool Decoder::RawJson(std::string_view bytes, Value* out) {
  std::string_view text;
  const bool read = ForEachField(
      bytes, "RawExtension", [&](uint32_t number, WireType wire, WireReader& reader) -> int {
        return number == 1 && wire == WireType::kBytes ? reader.ReadBytes(&text) : -1;
      });
  if (!read) return false;
  *out = Value();
  if (text.empty()) return true;
  auto parsed = json::ParseInto(text, arena_);
  if (!parsed) {
    return Fail("failed to parse RawExtension bytes as JSON: " + parsed.error().message);
  }
  *out = std::move(*parsed);
  return true;
}

bool Decoder::StringList(std::string_view bytes, Value* out) {
  *out = Value::Array();
  return ForEachField(bytes, "StringList",
                      [&](uint32_t number, WireType wire, WireReader& reader) -> int {
                        if (number != 1 || wire != WireType::kBytes) return -1;
                        std::string_view text;
                        if (!reader.ReadBytes(&text)) return 0;
                        out->PushBack(Value::StringRef(text), arena_);
                        return 1;
                      });
}

bool Decoder::Schema(std::string_view bytes, const TypeInfo& type, Value* out) {
  Value schema;
  Value list;
  uint64_t allows = 0;
  const uint32_t schema_number = type.kind == TypeKind::kSchemaOrBool ? 2 : 1;
  const bool read = ForEachField(bytes, type.go_name,
                                 [&](uint32_t number, WireType wire, WireReader& reader) -> int {
                                   const FieldInfo* field = type.FindNumber(number);
                                   if (field == nullptr) return -1;
                                   if (number == schema_number)
                                     return Element(reader, *field, field->kind, wire, &schema);
                                   if (schema_number == 2) {
                                     if (wire != WireType::kVarint)
                                       return Wrong(wire, field->go_name);
                                     return reader.ReadVarint(&allows);
                                   }
                                   Value element;
                                   if (!Element(reader, *field, field->kind, wire, &element))
                                     return 0;
                                   if (list.IsNull()) list = Value::Array();
                                   list.PushBack(std::move(element), arena_);
                                   return 1;
                                 });
  if (!read) return false;
  // Upstream: apiextensions/v1/marshal.go: what is written when both are there.
  if (schema_number == 2) {
    *out = schema.IsNull() ? Value::Bool(allows != 0) : std::move(schema);
  } else {
    *out = list.IsNull() ? std::move(schema) : std::move(list);
  }
  return true;
}

}  // namespace

std::expected<Value, std::string> DecodeMessage(std::string_view bytes, TypeId type,
                                                const TypeTable& table, Arena& arena) {
  Decoder decoder(table, arena);
  Value value;
  // Strings of the value point into the copy.
  if (!decoder.Struct(arena.Copy(bytes), type, &value)) {
    return std::unexpected(std::move(decoder.error()));
  }
  return value;
}

}  // namespace kulisse::openapi
