// Defaults that a table of values cannot say, each a function on an object of one type.
// Internal to openapi: defaults.tsv names them as "@name".
#pragma once

#include <string_view>

#include "base/json/value.h"
#include "openapi/type_plan.h"
#include "openapi/type_table.h"

namespace kulisse::openapi {

// Edits canonical objects and keeps them canonical.
//
// Borrows: the table and the arena. Threads: one at a time.
class ObjectEditor {
 public:
  ObjectEditor(const TypeTable& table, json::Arena& arena)
      : table_(table), plans_(TypePlans::Of(table)), arena_(arena) {}

  [[nodiscard]] json::Arena& arena() const { return arena_; }
  [[nodiscard]] const TypeTable& table() const { return table_; }
  // The type of a field's value or elements. REQUIRES: the type has the field.
  [[nodiscard]] TypeId FieldType(TypeId type, std::string_view name) const;

  // Sets a field by its index in json_fields.
  json::Value& SetAt(json::Value& object, TypeId type, size_t index, json::Value value);
  json::Value& Set(json::Value& object, TypeId type, std::string_view name, json::Value value);
  // The struct or map in a field, made if it is missing.
  json::Value& OpenAt(json::Value& object, TypeId type, size_t index);
  json::Value& Open(json::Value& object, TypeId type, std::string_view name);
  // Sets a key of a map.
  void SetKey(json::Value& map, std::string_view key, json::Value value);

 private:
  const TypeTable& table_;
  const TypePlans& plans_;
  json::Arena& arena_;
};

using DefaultFunction = void (*)(json::Value& object, TypeId type, ObjectEditor& edit);

// Null when there is none of the name.
[[nodiscard]] DefaultFunction FindDefaultFunction(std::string_view name);

}  // namespace kulisse::openapi
