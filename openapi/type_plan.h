// What decoding and encoding need to know of each type besides its rows, worked out once: which
// fields JSON always shows, and the order of the fields on the protobuf wire. Internal to openapi.
//
// Owns: its rows. Immutable. Threads: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "openapi/type_table.h"

namespace kulisse::openapi {

// The most fields that the JSON object of a type has; walks keep sets of that size on the stack.
inline constexpr size_t kJsonFieldsMax = 128;

// Whether a value of the kind is a struct in Go, which `omitempty` never leaves out.
[[nodiscard]] bool IsGoStruct(TypeKind kind);
// Whether Go writes the field even when its value is zero.
[[nodiscard]] bool IsAlwaysWritten(const FieldInfo& field, const TypeTable& table);

struct WireField {
  const FieldInfo* field;
  // Index in the type's json_fields of the field, or of the first that it brings when inlined.
  uint16_t json_begin;
};

struct TypePlan {
  std::vector<uint16_t> always;  // indices in json_fields, ascending
  std::vector<WireField> wire;   // ascending by number; without those not on the wire

  // Null when the type has no such number.
  [[nodiscard]] const WireField* FindWire(uint32_t number) const;
};

class TypePlans {
 public:
  // Made at the first call.
  static const TypePlans& Of(const TypeTable& table);

  [[nodiscard]] const TypePlan& Get(TypeId id) const { return plans_[id]; }
  // The basic type "string".
  [[nodiscard]] TypeId string_type() const { return string_type_; }

 private:
  explicit TypePlans(const TypeTable& table);

  std::vector<TypePlan> plans_;
  TypeId string_type_;
};

}  // namespace kulisse::openapi
