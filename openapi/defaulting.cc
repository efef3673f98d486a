#include "openapi/defaulting.h"

#include <optional>
#include <string>
#include <vector>

#include "base/assert.h"
#include "base/json/parse.h"
#include "openapi/default_functions.h"
#include "openapi/facts.h"
#include "openapi/leaf.h"
#include "openapi/quantity.h"

namespace kulisse::openapi {

namespace {

using json::Member;
using json::Value;

constexpr std::string_view kApiPackage = "io.k8s.api.";

// A field reached from an object of a type.
struct Path {
  std::vector<std::string_view> names;
  std::vector<uint16_t> indices;  // in json_fields of the type of each step
  std::vector<TypeId> types;      // of the object at each step
  const FieldInfo* last = nullptr;

  [[nodiscard]] const Value* Find(const Value& object) const {
    const Value* value = &object;
    for (const std::string_view name : names) {
      value = value->Find(name);
      if (value == nullptr) return nullptr;
    }
    return value->IsNull() ? nullptr : value;
  }
};

struct Condition {
  Path path;
  bool absent = false;
  std::vector<std::string_view> values;  // any of them; empty: being there is enough

  [[nodiscard]] bool Holds(const Value& object) const {
    const Value* value = path.Find(object);
    const bool is_empty =
        value != nullptr && (value->IsString() || value->IsArray()) && value->size() == 0;
    const bool there = value != nullptr && !is_empty;
    if (!there || absent) return there != absent;
    if (values.empty()) return true;
    for (const std::string_view wanted : values) {
      if (value->IsString() && value->AsString() == wanted) return true;
    }
    return false;
  }
};

struct DefaultRow {
  DefaultFunction function = nullptr;  // or
  Path path;
  bool only_missing = false;  // "path?": an empty list stays
  json::Document value;
  std::vector<Condition> conditions;
};

struct TypeDefaults {
  std::vector<DefaultRow> rows;
  // json_fields that the walk descends into, ascending.
  std::vector<uint16_t> children;
};

bool IsResourceList(const FieldInfo& field) { return field.go_type == "v1.ResourceList"; }

// The defaults of every type, from the facts.
class DefaultTable {
 public:
  static const DefaultTable& Of(const TypeTable& table) {
    static const DefaultTable defaults(TypeTable::BuiltIn());
    KULISSE_ASSERT(&table == &TypeTable::BuiltIn());
    return defaults;
  }

  [[nodiscard]] const TypeDefaults& Get(TypeId type) const { return types_[type]; }

 private:
  explicit DefaultTable(const TypeTable& table) : table_(table), types_(table.types().size()) {
    ReadFacts();
    for (size_t type = 0; type < types_.size(); ++type) AddMarkers(static_cast<TypeId>(type));
    FindChildren();
  }

  void ReadFacts() {
    for (std::string_view rest = FactFile("defaults.tsv"); !rest.empty();) {
      std::string_view line = TakeUntil('\n', &rest);
      if (line.empty() || line.starts_with('#')) continue;
      const TypeId type = FindType(TakeUntil('\t', &line));
      const std::string_view field = TakeUntil('\t', &line);
      const std::string_view value = TakeUntil('\t', &line);
      DefaultRow row;
      if (field.starts_with('@')) {
        row.function = FindDefaultFunction(field.substr(1));
        KULISSE_ASSERT(row.function != nullptr);
      } else {
        row.only_missing = field.ends_with('?');
        row.path = ReadPath(type, field.substr(0, field.size() - (row.only_missing ? 1 : 0)));
        row.value = ParseValue(value);
      }
      while (!line.empty()) row.conditions.push_back(ReadCondition(type, TakeUntil(' ', &line)));
      types_[type].rows.push_back(std::move(row));
    }
  }

  TypeId FindType(std::string_view name) const {
    TypeId type = table_.Find(std::string(kApiPackage) + std::string(name));
    if (type == kNoType) type = table_.Find(name);
    KULISSE_ASSERT(type != kNoType);
    return type;
  }

  static json::Document ParseValue(std::string_view text) {
    auto document = json::Parse(text);
    KULISSE_ASSERT(document.has_value());
    return std::move(*document);
  }

  Path ReadPath(TypeId type, std::string_view text) const {
    Path path;
    while (!text.empty()) {
      const std::string_view name = TakeUntil('.', &text);
      const TypeInfo& info = table_.Get(type);
      const int index = info.FindJson(name);
      KULISSE_ASSERT(index >= 0);
      path.last = info.json_fields[static_cast<size_t>(index)].field;
      path.names.push_back(path.last->json_name);
      path.indices.push_back(static_cast<uint16_t>(index));
      path.types.push_back(type);
      type = path.last->type;
    }
    return path;
  }

  Condition ReadCondition(TypeId type, std::string_view text) const {
    Condition condition;
    if (text.starts_with('!')) {
      condition.absent = true;
      text.remove_prefix(1);
    }
    condition.path = ReadPath(type, TakeUntil('=', &text));
    while (!text.empty()) condition.values.push_back(TakeUntil('|', &text));
    return condition;
  }

  // The `+default` markers, which come after the type's own rows. One that equals the zero value
  // of a field that is no pointer says nothing.
  void AddMarkers(TypeId type) {
    const TypeInfo& info = table_.Get(type);
    for (size_t i = 0; i < info.json_fields.size(); ++i) {
      const FieldInfo& field = *info.json_fields[i].field;
      if (field.default_json.empty()) continue;
      DefaultRow row;
      row.path = ReadPath(type, field.json_name);
      row.value = ParseValue(field.default_json);
      if (!field.pointer && IsZeroLeaf(row.value.root, field.kind)) continue;
      types_[type].rows.push_back(std::move(row));
    }
  }

  // A field is worth a visit when its type, or one that it holds, has defaults.
  void FindChildren() {
    std::vector<bool> worth(types_.size());
    for (bool grown = true; grown;) {
      grown = false;
      for (size_t type = 0; type < types_.size(); ++type) {
        if (worth[type]) continue;
        bool now = !types_[type].rows.empty();
        for (const JsonField& json : table_.Get(static_cast<TypeId>(type)).json_fields) {
          now = now || worth[json.field->type] || IsResourceList(*json.field);
        }
        worth[type] = now;
        grown = grown || now;
      }
    }
    for (size_t type = 0; type < types_.size(); ++type) {
      const auto fields = table_.Get(static_cast<TypeId>(type)).json_fields;
      for (size_t i = 0; i < fields.size(); ++i) {
        if (worth[fields[i].field->type] || IsResourceList(*fields[i].field)) {
          types_[type].children.push_back(static_cast<uint16_t>(i));
        }
      }
    }
  }

  const TypeTable& table_;
  std::vector<TypeDefaults> types_;
};

class Defaulter {
 public:
  Defaulter(const TypeTable& table, json::Arena& arena)
      : table_(table), defaults_(DefaultTable::Of(table)), edit_(table, arena) {}

  void Struct(Value& object, TypeId type) {
    const TypeDefaults& defaults = defaults_.Get(type);
    for (const DefaultRow& row : defaults.rows) Apply(row, object, type);
    if (defaults.children.empty()) return;
    const auto fields = table_.Get(type).json_fields;
    for (const uint16_t index : defaults.children) {
      const FieldInfo& field = *fields[index].field;
      if (Value* value = object.Find(field.json_name)) Field(*value, field);
    }
  }

 private:
  void Field(Value& value, const FieldInfo& field) {
    switch (field.shape) {
      case FieldShape::kList:
        for (Value& element : value.elements()) {
          if (element.IsObject()) Struct(element, field.type);
        }
        return;
      case FieldShape::kMap:
        for (Member& member : value.members()) {
          if (IsResourceList(field)) {
            RoundUp(member.value);
          } else if (member.value.IsObject()) {
            Struct(member.value, field.type);
          }
        }
        return;
      case FieldShape::kSingle:
        if (value.IsObject()) Struct(value, field.type);
        return;
    }
  }

  void Apply(const DefaultRow& row, Value& object, TypeId type) {
    for (const Condition& condition : row.conditions) {
      if (!condition.Holds(object)) return;
    }
    if (row.function != nullptr) {
      row.function(object, type, edit_);
      return;
    }
    const Path& path = row.path;
    const Value* value = path.Find(object);
    if (value != nullptr && (row.only_missing || !IsUnset(*value, *path.last))) return;
    Value* holder = &object;
    for (size_t i = 0; i + 1 < path.indices.size(); ++i) {
      holder = &edit_.OpenAt(*holder, path.types[i], path.indices[i]);
    }
    edit_.SetAt(*holder, path.types.back(), path.indices.back(),
                row.value.root.Clone(edit_.arena()));
  }

  // Whether Go cannot tell the value from a missing one.
  [[nodiscard]] bool IsUnset(const Value& value, const FieldInfo& field) const {
    if (field.pointer) return false;
    if (field.shape != FieldShape::kSingle) return value.size() == 0;
    return !IsGoStruct(field.kind) && IsZeroLeaf(value, field.kind);
  }

  // Resource amounts are kept to a thousandth.
  void RoundUp(Value& amount) {
    const std::string_view text = amount.AsString();
    if (!text.ends_with('n') && !text.ends_with('u')) return;
    const auto quantity = Quantity::Parse(text);
    if (!quantity) return;
    const auto rounded = Quantity::Parse(std::to_string(quantity->MilliValue()) + "m");
    KULISSE_ASSERT(rounded.has_value());
    amount = Value::String(rounded->ToString(), edit_.arena());
  }

  const TypeTable& table_;
  const DefaultTable& defaults_;
  ObjectEditor edit_;
};

}  // namespace

void ApplyDefaults(Value& object, TypeId type, const TypeTable& table, json::Arena& arena) {
  if (object.IsObject()) Defaulter(table, arena).Struct(object, type);
}

}  // namespace kulisse::openapi
