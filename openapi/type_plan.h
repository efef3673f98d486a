// What decoding and encoding need to know of each type besides its rows, worked out once: which
// fields JSON always shows, and the order of the fields on the protobuf wire. Internal to openapi.
//
// Owns: its rows. Immutable. Threads: any.
#pragma once

#include <array>
#include <bit>
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
[[nodiscard]] bool IsAlwaysWritten(const FieldInfo& field);

// A set of indices in json_fields.
class FieldIndices {
 public:
  // Whether it was not in it.
  bool Insert(size_t index) {
    uint64_t& word = words_[index / kWordBits];
    const uint64_t bit = uint64_t{1} << index % kWordBits;
    const bool added = (word & bit) == 0;
    word |= bit;
    return added;
  }
  [[nodiscard]] bool Has(size_t index) const {
    return (words_[index / kWordBits] >> index % kWordBits & 1) != 0;
  }
  // Calls each(index) for what is in this or the other, ascending.
  template <class Each>
  void ForEachOfEither(const FieldIndices& other, const Each& each) const {
    for (size_t i = 0; i < words_.size(); ++i) {
      for (uint64_t rest = words_[i] | other.words_[i]; rest != 0; rest &= rest - 1) {
        each(i * kWordBits + static_cast<size_t>(std::countr_zero(rest)));
      }
    }
  }

 private:
  static constexpr size_t kWordBits = 64;
  std::array<uint64_t, kJsonFieldsMax / kWordBits> words_ = {};
};

// What is needed for every field of every message is here, next to each other.
struct WireField {
  const FieldInfo* field;
  // Index in the type's json_fields of the field, or of the first that it brings when inlined.
  uint16_t json_begin;
  TypeKind kind;        // of the field's type
  bool skipped_absent;  // an absent value is not on the wire
};

struct TypePlan {
  std::vector<uint16_t> always;  // indices in json_fields, ascending
  FieldIndices always_set;       // the same
  std::vector<WireField> wire;   // ascending by number; without those not on the wire
  // By number: the place in `wire`, counted from 1; 0 for a number that the type does not have.
  std::vector<uint8_t> wire_places;

  // Null when the type has no such number.
  [[nodiscard]] const WireField* FindWire(uint32_t number) const {
    const size_t place = number < wire_places.size() ? wire_places[number] : 0;
    return place == 0 ? nullptr : &wire[place - 1];
  }
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
