// Puts JSON objects of a type into the form that Go writes: shared by Normalize and the protobuf
// decoder. Internal to openapi.
//
// Threads: pure functions.
#pragma once

#include <bitset>
#include <cstdint>
#include <string_view>

#include "base/json/value.h"
#include "openapi/type_plan.h"
#include "openapi/type_table.h"

namespace kulisse::openapi {

// The zero value of a type as Go writes it: structs with the fields that are always written.
[[nodiscard]] json::Value ZeroValue(TypeId type, const TypeTable& table, const TypePlans& plans,
                                    json::Arena& arena);
// As above of a field, with its shape: null for nil lists, maps and pointers.
[[nodiscard]] json::Value ZeroField(const FieldInfo& field, const TypeTable& table,
                                    const TypePlans& plans, json::Arena& arena);

// Whether Go leaves the field out for this value, which is canonical.
[[nodiscard]] bool IsOmitted(const json::Value& value, const FieldInfo& field);

// The indices in json_fields of an object's members, in their order.
class FieldOrder {
 public:
  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] bool has(size_t index) const { return seen_[index]; }
  // REQUIRES: !has(index).
  void Add(size_t index) {
    if (size_ > 0 && order_[size_ - 1] > index) sorted_ = false;
    order_[size_++] = static_cast<uint16_t>(index);
    seen_[index] = true;
  }

 private:
  friend void FinishStruct(json::Value& object, const TypeInfo& type, const TypePlan& plan,
                           const TypeTable& table, const TypePlans& plans, json::Arena& arena,
                           FieldOrder& order);

  uint16_t order_[kJsonFieldsMax];
  size_t size_ = 0;
  bool sorted_ = true;
  std::bitset<kJsonFieldsMax> seen_;
};

// Adds the fields that Go always writes and puts all into struct order.
// REQUIRES: order lists the members of the object.
void FinishStruct(json::Value& object, const TypeInfo& type, const TypePlan& plan,
                  const TypeTable& table, const TypePlans& plans, json::Arena& arena,
                  FieldOrder& order);

// The default, as JSON, that OpenAPI documents give to values of a kind that Go always writes; ""
// for none.
[[nodiscard]] std::string_view ImpliedDefault(TypeKind kind);
// That of a field: its own, or the implied one if Go always writes it.
[[nodiscard]] std::string_view FieldDefault(const FieldInfo& field);

// Sorts the members of a map by key.
void SortMap(json::Value& map);

}  // namespace kulisse::openapi
