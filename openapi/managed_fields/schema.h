// What a place in an object is to server-side apply: a leaf, a struct or map whose fields are owned
// one by one, or a list whose elements have keys. It follows from the type table alone.
// Upstream: kube-openapi/pkg/schemaconv and structured-merge-diff/schema.
//
// Threads: pure functions; rows are made once.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/value.h"
#include "openapi/type_table.h"

namespace kulisse::openapi {

struct Shape {
  enum class Kind : uint8_t {
    kScalar,
    kStruct,   // `type` has the fields
    kMap,      // values are of `type`
    kList,     // elements are of `type`
    kDeduced,  // what the value is: scalar, atomic list, or map of deduced values
    kUntyped,  // the same with everything atomic
    kUnknown,  // below a field that the type does not have
  };

  Kind kind = Kind::kScalar;
  bool atomic = false;  // owned as a whole
  TypeId type = kNoType;
  const FieldInfo* keys = nullptr;  // of a list with keys: the field that names them

  [[nodiscard]] bool IsSet() const { return kind == Kind::kList && !atomic && keys == nullptr; }
  [[nodiscard]] bool HasKeys() const { return kind == Kind::kList && keys != nullptr; }
};

// The names of the keys of a list, sorted.
class ListKeys {
 public:
  // `names` are divided by commas.
  explicit ListKeys(std::string_view names);
  [[nodiscard]] std::span<const std::string_view> names() const { return {names_.data(), size_}; }

 private:
  static constexpr size_t kKeysMax = 4;  // more than any list of the facts has
  std::array<std::string_view, kKeysMax> names_;
  size_t size_ = 0;
};

// The three forms a value is handled in.
enum class Atom : uint8_t { kScalar, kList, kMap };

class SchemaView {
 public:
  explicit SchemaView(const TypeTable& table) : table_(table) {}

  [[nodiscard]] Shape OfType(TypeId type) const;
  [[nodiscard]] Shape OfField(const FieldInfo& field) const;
  // Of a value in a map, or an element of a list.
  [[nodiscard]] Shape Element(const Shape& shape) const;
  // Of a member of a struct or map; kUnknown when there is no such field.
  [[nodiscard]] Shape Member(const Shape& shape, std::string_view name) const;
  // Whether the name is a field of the struct, not merely a key of a map.
  [[nodiscard]] bool IsField(const Shape& shape, std::string_view name) const;
  // How the value is handled at that place. Null counts as what the place is for.
  [[nodiscard]] static Atom AtomOf(const Shape& shape, const json::Value& value);
  // Whether the list or map is owned as a whole, when handled as the atom.
  [[nodiscard]] static bool IsAtomic(const Shape& shape, Atom atom);
  [[nodiscard]] static ListKeys KeysOf(const Shape& shape);
  // The default of a key that an element leaves out, as JSON; "" when it has none.
  [[nodiscard]] std::string_view KeyDefault(const Shape& shape, std::string_view key) const;

  [[nodiscard]] const TypeTable& table() const { return table_; }

 private:
  [[nodiscard]] Shape OfType(TypeId type, TypeKind kind) const;

  const TypeTable& table_;
};

// The fields of each type as steps of paths ("f:spec"), and their order by name.
class FieldElements {
 public:
  static const FieldElements& Of(const TypeTable& table);

  // By index in TypeInfo::json_fields.
  [[nodiscard]] std::string_view Element(TypeId type, size_t field) const {
    return rows_[first_[type] + field].element;
  }
  // The field's place among the type's fields sorted by name.
  [[nodiscard]] uint16_t Rank(TypeId type, size_t field) const {
    return rows_[first_[type] + field].rank;
  }

 private:
  struct Row {
    std::string element;
    uint16_t rank;
  };
  explicit FieldElements(const TypeTable& table);

  std::vector<size_t> first_;
  std::vector<Row> rows_;
};

}  // namespace kulisse::openapi
