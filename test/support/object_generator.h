// Makes random objects of the type table's types, for property tests.
//
// What it makes survives a trip over protobuf: no field that is not on the wire, no empty list or
// map (the wire cannot tell them from missing ones).
//
// Threads: one at a time. The same seed gives the same objects.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/json/value.h"
#include "base/random.h"
#include "base/text.h"
#include "openapi/type_table.h"

namespace kulisse::test {

class ObjectGenerator {
 public:
  ObjectGenerator(const openapi::TypeTable& table, uint64_t seed) : table_(table), random_(seed) {}

  json::Value Object(openapi::TypeId type, json::Arena& arena) {
    return Struct(type, arena, kDepthMax);
  }

 private:
  static constexpr int kDepthMax = 4;

  uint64_t Below(uint64_t limit) { return random_.Below(limit); }
  template <size_t n>
  std::string_view OneOf(const std::array<std::string_view, n>& choices) {
    return choices[Below(n)];
  }

  json::Value Struct(openapi::TypeId type, json::Arena& arena, int depth) {
    json::Value object = json::Value::Object();
    for (const openapi::JsonField& json : table_.Get(type).json_fields) {
      const bool on_wire =
          json.field->number != 0 && (json.parent == nullptr || json.parent->number != 0);
      // Ever fewer fields further in, so that recursive types end.
      if (!on_wire || depth == 0 ||
          Below(static_cast<uint64_t>(kDepthMax)) >= static_cast<uint64_t>(depth)) {
        continue;
      }
      object.AppendRef(json.field->json_name, Field(*json.field, arena, depth - 1), arena);
    }
    return object;
  }

  json::Value Field(const openapi::FieldInfo& field, json::Arena& arena, int depth) {
    if (field.shape == openapi::FieldShape::kSingle) return Element(field.type, arena, depth);
    const uint64_t count = 1 + Below(3);
    if (field.shape == openapi::FieldShape::kList) return List(field.type, count, arena, depth);
    json::Value map = json::Value::Object();
    for (uint64_t i = 0; i < count; ++i) map.Set(Text(), Element(field.type, arena, depth), arena);
    return map;
  }

  json::Value List(openapi::TypeId type, uint64_t count, json::Arena& arena, int depth) {
    json::Value list = json::Value::Array();
    for (uint64_t i = 0; i < count; ++i) list.PushBack(Element(type, arena, depth), arena);
    return list;
  }

  json::Value Element(openapi::TypeId type, json::Arena& arena, int depth) {
    using openapi::TypeKind;
    const openapi::TypeInfo& info = table_.Get(type);
    switch (info.kind) {
      case TypeKind::kStruct:
        return Struct(type, arena, depth);
      case TypeKind::kString:
        return json::Value::String(Text(), arena);
      case TypeKind::kBool:
        return json::Value::Bool(Below(2) == 0);
      case TypeKind::kInt32:
        return json::Value::Int(static_cast<int32_t>(static_cast<uint32_t>(Number())));
      case TypeKind::kInt64:
        return json::Value::Int(static_cast<int64_t>(Number()));
      case TypeKind::kDouble:
        return json::Value::Double(static_cast<double>(Number()) / 1024);
      case TypeKind::kBytes:
        return json::Value::String(Base64Encode(Text() + '\0'), arena);
      case TypeKind::kQuantity:
        return json::Value::StringRef(OneOf(kQuantities));
      case TypeKind::kIntOrString:
        if (Below(2) == 0) return json::Value::Int(static_cast<int64_t>(Below(70'000)));
        return json::Value::String(Text(), arena);
      case TypeKind::kTime:
        return json::Value::StringRef(OneOf(kTimes));
      case TypeKind::kMicroTime:
        return json::Value::StringRef(OneOf(kMicroTimes));
      case TypeKind::kDuration:
        return json::Value::StringRef(OneOf(kDurations));
      case TypeKind::kRawExtension:
      case TypeKind::kFieldsV1:
      case TypeKind::kJson:
        return RawJson(arena);
      case TypeKind::kSchemaOrBool:
        if (depth == 0 || Below(2) == 0) return json::Value::Bool(Below(2) == 0);
        return Element(info.FindNumber(2)->type, arena, depth - 1);
      case TypeKind::kSchemaOrArray:
      case TypeKind::kSchemaOrStrings:
        if (depth == 0 || Below(2) == 0) return Struct(info.FindNumber(1)->type, arena, 0);
        return List(info.FindNumber(2)->type, 1 + Below(2), arena, depth - 1);
      case TypeKind::kStringList: {
        json::Value list = json::Value::Array();
        for (uint64_t i = 1 + Below(3); i > 0; --i) {
          list.PushBack(json::Value::String(Text(), arena), arena);
        }
        return list;
      }
    }
    return {};
  }

  json::Value RawJson(json::Arena& arena) {
    json::Value object = json::Value::Object();
    object.Set(Text(), json::Value::Int(static_cast<int64_t>(Below(1000))), arena);
    object.Set("nested", json::Value::Object(), arena).Set("a", json::Value(), arena);
    return object;
  }

  // Small numbers mostly, and some of every length.
  uint64_t Number() { return random_.Next() >> Below(64); }

  std::string Text() {
    std::string text;
    for (uint64_t i = Below(12); i > 0; --i) text += OneOf(kLetters);
    return text;
  }

  static constexpr std::array<std::string_view, 12> kLetters = {
      "a", "b", "Z", "0", "-", ".", "/", " ", "\"", "<", "\xc3\xa4", "\xe2\x80\xa8"};
  static constexpr std::array<std::string_view, 12> kQuantities = {
      "0",   "1",  "1.5", "100m", "1Gi",   "1024Mi",
      "1e3", "5k", "-2",  "1000", "0.5Gi", "12345678901234"};
  static constexpr std::array<std::string_view, 4> kTimes = {
      "2026-01-02T03:04:05Z", "1969-12-31T23:59:59Z", "2020-02-29T00:00:00.25+02:00",
      "9999-12-31T23:59:59Z"};
  static constexpr std::array<std::string_view, 3> kMicroTimes = {
      "2026-01-02T03:04:05.000006Z", "1960-01-01T00:00:00.999999Z",
      "2020-02-29T00:00:00.250000-02:00"};
  static constexpr std::array<std::string_view, 4> kDurations = {"0s", "1h30m", "1.5ms", "-3s"};

  const openapi::TypeTable& table_;
  Random random_;
};

}  // namespace kulisse::test
