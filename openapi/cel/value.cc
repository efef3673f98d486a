#include "openapi/cel/value.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/time.h"
#include "openapi/cel/evaluation.h"
#include "openapi/cel/time_text.h"
#include "openapi/go_time.h"

namespace kulisse::openapi::cel {
namespace {

// What stands for a value that is missing.
Value ZeroOf(const JsonType& type, Evaluation& evaluation) {
  if (type.pointer) return {};
  if (type.host != nullptr) return type.host->FromJson(nullptr, evaluation);
  switch (type.type.kind()) {
    case TypeKind::kBool:
      return Value::Bool(false);
    case TypeKind::kInt:
      return Value::Int(0);
    case TypeKind::kUint:
      return Value::Uint(0);
    case TypeKind::kDouble:
      return Value::Double(0);
    case TypeKind::kString:
      return Value::String("");
    case TypeKind::kBytes:
      return Value::Bytes("");
    case TypeKind::kTimestamp:
      return Value::Timestamp({.seconds = openapi::Timestamp().seconds});
    case TypeKind::kDuration:
      return Value::Duration(0);
    case TypeKind::kList:
      return Value::Json(ValueKind::kList, nullptr, &type);
    case TypeKind::kMap:
      return Value::Json(ValueKind::kMap, nullptr, &type);
    case TypeKind::kStruct:
      return Value::Json(ValueKind::kStruct, nullptr, &type);
    default:
      return {};
  }
}

Value Untyped(const json::Value& json) {
  switch (json.type()) {
    case json::Type::kNull:
      return {};
    case json::Type::kBool:
      return Value::Bool(json.AsBool());
    case json::Type::kInt:
      return Value::Int(json.AsInt());
    case json::Type::kUint:
    case json::Type::kDouble:
      return Value::Double(json.AsDouble());
    case json::Type::kString:
      return Value::String(json.AsString());
    case json::Type::kArray:
      return Value::Json(ValueKind::kList, &json, nullptr);
    case json::Type::kObject:
      return Value::Json(ValueKind::kMap, &json, nullptr);
  }
  return {};
}

Value StringAs(TypeKind kind, std::string_view text, Evaluation& evaluation) {
  switch (kind) {
    case TypeKind::kTimestamp: {
      const auto time = ParseTime(text);
      return time ? Value::Timestamp(*time) : evaluation.Fail("invalid timestamp in the object");
    }
    case TypeKind::kDuration: {
      const auto duration = kulisse::ParseGoDuration(text);
      return duration ? Value::Duration(duration->count())
                      : evaluation.Fail("invalid duration in the object");
    }
    default:
      return Value::String(text);
  }
}

bool IsNumber(const Value& value) {
  return value.Is(ValueKind::kInt) || value.Is(ValueKind::kUint) || value.Is(ValueKind::kDouble);
}

// Whether the key of a map is the one looked for: as it is, or the same whole number.
bool IsSameKey(const Value& key, const Value& wanted) {
  if (key.kind() != wanted.kind()) {
    if (key.Is(ValueKind::kDouble) || !IsNumber(key) || !IsNumber(wanted)) return false;
    return CompareNumbers(key, wanted) == 0;
  }
  switch (key.kind()) {
    case ValueKind::kNull:
      return true;
    case ValueKind::kBool:
      return key.AsBool() == wanted.AsBool();
    case ValueKind::kInt:
    case ValueKind::kDuration:
      return key.AsInt() == wanted.AsInt();
    case ValueKind::kUint:
      return key.AsUint() == wanted.AsUint();
    case ValueKind::kDouble:
      return key.AsDouble() == wanted.AsDouble();
    case ValueKind::kString:
    case ValueKind::kBytes:
    case ValueKind::kType:
      return key.AsText() == wanted.AsText();
    default:
      return false;
  }
}

bool AreEqualAt(const Value& a, const Value& b, Evaluation& evaluation, int depth);

bool AreListsEqual(const Value& a, const Value& b, Evaluation& evaluation, int depth) {
  const size_t size = ListSize(a);
  if (size != ListSize(b)) return false;
  for (size_t i = 0; i < size; ++i) {
    if (!AreEqualAt(ListAt(a, i, evaluation), ListAt(b, i, evaluation), evaluation, depth)) {
      return false;
    }
  }
  return true;
}

bool AreMapsEqual(const Value& a, const Value& b, Evaluation& evaluation, int depth) {
  const size_t size = MapSize(a);
  if (size != MapSize(b)) return false;
  for (size_t i = 0; i < size; ++i) {
    const Value key = MapKeyAt(a, i);
    const auto mine = MapFind(a, key, evaluation);
    const auto other = MapFind(b, key, evaluation);
    if (!mine || !other || !AreEqualAt(*mine, *other, evaluation, depth)) return false;
  }
  return true;
}

bool AreEqualAt(const Value& a, const Value& b, Evaluation& evaluation, int depth) {
  if (!evaluation.Spend(1) || depth > kCelValueDepthMax) return false;
  if (IsNumber(a) && IsNumber(b)) return CompareNumbers(a, b) == 0;
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case ValueKind::kString:
    case ValueKind::kBytes:
    case ValueKind::kType:
      return evaluation.SpendBytes(a.AsText().size()) && a.AsText() == b.AsText();
    case ValueKind::kTimestamp: {
      const Time x = a.AsTimestamp();
      const Time y = b.AsTimestamp();
      return x.seconds == y.seconds && x.nanos == y.nanos;
    }
    case ValueKind::kList:
      return AreListsEqual(a, b, evaluation, depth + 1);
    case ValueKind::kMap:
      return AreMapsEqual(a, b, evaluation, depth + 1);
    case ValueKind::kStruct: {
      static const json::Value kNothing = json::Value::Object();
      const json::Value& x = a.json() != nullptr ? *a.json() : kNothing;
      const json::Value& y = b.json() != nullptr ? *b.json() : kNothing;
      return a.json_type()->type.name() == b.json_type()->type.name() && x == y;
    }
    case ValueKind::kHost: {
      if (&a.AsHost() != &b.AsHost()) return false;
      const Value arguments[] = {a, b};
      const auto equal = a.AsHost().Apply(Operator::kEquals, arguments, evaluation);
      return equal && equal->IsTrue();
    }
    case ValueKind::kError:
      return false;
    default:
      return IsSameKey(a, b);
  }
}

}  // namespace

std::string_view OperatorName(Operator op) {
  switch (op) {
    case Operator::kAdd:
      return "_+_";
    case Operator::kSubtract:
      return "_-_";
    case Operator::kMultiply:
      return "_*_";
    case Operator::kDivide:
      return "_/_";
    case Operator::kModulo:
      return "_%_";
    case Operator::kNegate:
      return "-_";
    case Operator::kLess:
      return "_<_";
    case Operator::kLessEquals:
      return "_<=_";
    case Operator::kGreater:
      return "_>_";
    case Operator::kGreaterEquals:
      return "_>=_";
    case Operator::kEquals:
      return "_==_";
    case Operator::kNotEquals:
      return "_!=_";
    case Operator::kNot:
      return "!_";
    case Operator::kIn:
      return "@in";
    case Operator::kIndex:
      return "_[_]";
    case Operator::kSize:
      return "size";
  }
  return "";
}

Value Value::Timestamp(Time time) {
  Value value(ValueKind::kTimestamp, {.integer = time.seconds});
  value.extra_ = time.nanos;
  value.more_.offset = time.offset;
  return value;
}

Value Value::Host(const HostType* type, const void* content) {
  Value value(ValueKind::kHost, {.pointer = content});
  value.more_.host = type;
  return value;
}

Value Value::Json(ValueKind kind, const json::Value* json, const JsonType* type) {
  Value value(kind, {.pointer = json});
  value.json_ = true;
  value.more_.type = type;
  return value;
}

const JsonType* JsonStruct::Find(std::string_view field) const {
  const auto found = std::ranges::lower_bound(fields, field, {}, &JsonField::name);
  return found != fields.end() && found->name == field ? found->type : nullptr;
}

Value FromJson(const json::Value* json, const JsonType* type, Evaluation& evaluation) {
  if (type == nullptr) return json != nullptr ? Untyped(*json) : Value();
  if (json == nullptr || json->IsNull()) return ZeroOf(*type, evaluation);
  if (type->host != nullptr) return type->host->FromJson(json, evaluation);
  switch (json->type()) {
    case json::Type::kString:
      return StringAs(type->type.kind(), json->AsString(), evaluation);
    case json::Type::kArray:
      return Value::Json(ValueKind::kList, json, type);
    case json::Type::kObject:
      return Value::Json(
          type->type.kind() == TypeKind::kStruct ? ValueKind::kStruct : ValueKind::kMap, json,
          type);
    default:
      if (json->IsNumber() && type->type.kind() == TypeKind::kDouble) {
        return Value::Double(json->AsDouble());
      }
      return Untyped(*json);
  }
}

std::string_view TypeNameOf(const Value& value) {
  switch (value.kind()) {
    case ValueKind::kNull:
      return "null_type";
    case ValueKind::kBool:
      return "bool";
    case ValueKind::kInt:
      return "int";
    case ValueKind::kUint:
      return "uint";
    case ValueKind::kDouble:
      return "double";
    case ValueKind::kString:
      return "string";
    case ValueKind::kBytes:
      return "bytes";
    case ValueKind::kTimestamp:
      return "google.protobuf.Timestamp";
    case ValueKind::kDuration:
      return "google.protobuf.Duration";
    case ValueKind::kList:
      return "list";
    case ValueKind::kMap:
      return "map";
    case ValueKind::kStruct:
      return value.json_type()->type.name();
    case ValueKind::kType:
      return "type";
    case ValueKind::kHost:
      return value.AsHost().name();
    case ValueKind::kError:
      return "error";
  }
  return "";
}

size_t ListSize(const Value& list) {
  if (!list.IsJson()) return list.list().size;
  return list.json() != nullptr ? list.json()->elements().size() : 0;
}

Value ListAt(const Value& list, size_t index, Evaluation& evaluation) {
  if (!list.IsJson()) return list.list().items[index];
  const JsonType* type = list.json_type();
  return FromJson(&list.json()->elements()[index], type != nullptr ? type->element : nullptr,
                  evaluation);
}

size_t MapSize(const Value& map) {
  if (!map.IsJson()) return map.map().size;
  return map.json() != nullptr ? map.json()->members().size() : 0;
}

std::optional<Value> MapFind(const Value& map, const Value& key, Evaluation& evaluation) {
  if (!evaluation.Spend(MapSize(map) / 8 + 1)) return std::nullopt;
  if (map.IsJson()) {
    if (map.json() == nullptr || !key.Is(ValueKind::kString)) return std::nullopt;
    const json::Value* found = map.json()->Find(key.AsText());
    if (found == nullptr) return std::nullopt;
    const JsonType* type = map.json_type();
    return FromJson(found, type != nullptr ? type->element : nullptr, evaluation);
  }
  const std::span<const MapEntry> entries(map.map().entries, map.map().size);
  // The key as it is goes before one that is only the same number.
  const MapEntry* same = nullptr;
  for (const MapEntry& entry : entries) {
    if (!IsSameKey(entry.key, key)) continue;
    if (entry.key.kind() == key.kind()) return entry.value;
    if (same == nullptr) same = &entry;
  }
  return same != nullptr ? std::optional(same->value) : std::nullopt;
}

Value MapKeyAt(const Value& map, size_t index) {
  return map.IsJson() ? Value::String(map.json()->members()[index].name)
                      : map.map().entries[index].key;
}

std::optional<Value> SelectField(const Value& object, std::string_view field,
                                 Evaluation& evaluation) {
  const JsonStruct* structure = object.json_type()->structure;
  const JsonType* type = structure != nullptr ? structure->Find(field) : nullptr;
  if (type == nullptr) return std::nullopt;
  return FromJson(object.json() != nullptr ? object.json()->Find(field) : nullptr, type,
                  evaluation);
}

bool IsFieldSet(const Value& object, std::string_view field, Evaluation& evaluation) {
  const json::Value* json = object.json() != nullptr ? object.json()->Find(field) : nullptr;
  if (json == nullptr || json->IsNull()) return false;
  const JsonStruct* structure = object.json_type()->structure;
  const JsonType* type = structure != nullptr ? structure->Find(field) : nullptr;
  if (type == nullptr) return false;
  if (type->pointer) return true;
  const Value value = FromJson(json, type, evaluation);
  switch (value.kind()) {
    case ValueKind::kBool:
      return value.AsBool();
    case ValueKind::kInt:
    case ValueKind::kUint:
    case ValueKind::kDuration:
      return value.AsInt() != 0;
    case ValueKind::kDouble:
      return value.AsDouble() != 0;
    case ValueKind::kString:
      return !value.AsText().empty();
    case ValueKind::kTimestamp:
      return value.AsTimestamp().seconds != openapi::Timestamp().seconds;
    case ValueKind::kStruct:
      return !json->members().empty();
    case ValueKind::kHost:
      return !value.AsHost().IsZero(value);
    default:
      return true;
  }
}

bool AreEqual(const Value& a, const Value& b, Evaluation& evaluation) {
  return AreEqualAt(a, b, evaluation, 0);
}

}  // namespace kulisse::openapi::cel
