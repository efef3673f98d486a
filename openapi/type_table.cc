#include "openapi/type_table.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <unordered_map>
#include <vector>

#include "base/assert.h"
#include "base/text.h"
#include "openapi/facts.h"

namespace kulisse::openapi {
namespace {

constexpr uint16_t kNoIndex = 0xffff;

struct KindWord {
  std::string_view word;
  TypeKind kind;
};

// Words of fields for types that have no row in the facts; they get the first TypeIds.
constexpr std::array<KindWord, 8> kBasicTypes = {{
    {"string", TypeKind::kString},
    {"bool", TypeKind::kBool},
    {"int32", TypeKind::kInt32},
    {"int64", TypeKind::kInt64},
    {"double", TypeKind::kDouble},
    {"bytes", TypeKind::kBytes},
    {"string_list", TypeKind::kStringList},
    {"any", TypeKind::kJson},
}};

// Words of rows of types.
constexpr std::array<KindWord, 12> kRowKinds = {{
    {"struct", TypeKind::kStruct},
    {"quantity", TypeKind::kQuantity},
    {"int_or_string", TypeKind::kIntOrString},
    {"time", TypeKind::kTime},
    {"micro_time", TypeKind::kMicroTime},
    {"duration", TypeKind::kDuration},
    {"raw_extension", TypeKind::kRawExtension},
    {"fields_v1", TypeKind::kFieldsV1},
    {"json", TypeKind::kJson},
    {"schema_or_bool", TypeKind::kSchemaOrBool},
    {"schema_or_array", TypeKind::kSchemaOrArray},
    {"schema_or_strings", TypeKind::kSchemaOrStrings},
}};

TypeKind RowKind(std::string_view word) {
  for (const KindWord& row : kRowKinds) {
    if (row.word == word) return row.kind;
  }
  KULISSE_ASSERT(false && "types.tsv has a kind that the loader does not know");
  return TypeKind::kStruct;
}

uint32_t Hash(std::string_view text) {  // FNV-1a
  uint32_t hash = 2166136261u;
  for (const char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 16777619u;
  return hash;
}

bool TakePrefix(std::string_view prefix, std::string_view* text) {
  if (!text->starts_with(prefix)) return false;
  text->remove_prefix(prefix.size());
  return true;
}

void ReadNote(std::string_view note, FieldInfo* field) {
  if (note == "omitempty") {
    field->omit_empty = true;
  } else if (note == "omitzero") {
    field->omit_zero = true;
  } else if (note == "required") {
    field->required = true;
  } else if (note == "inline") {
    field->inlined = true;
  } else if (TakePrefix("patch-strategy=", &note)) {
    field->patch_merge = note.find("merge") != note.npos;
    field->patch_retain_keys = note.find("retainKeys") != note.npos;
    field->patch_replace = note == "replace";
  } else if (TakePrefix("patch-merge-key=", &note)) {
    field->patch_merge_key = note;
  } else if (TakePrefix("list-type=", &note)) {
    field->list_type = note == "atomic" ? ListType::kAtomic
                       : note == "set"  ? ListType::kSet
                                        : ListType::kMap;
  } else if (TakePrefix("list-map-keys=", &note)) {
    field->list_map_keys = note;
  } else if (TakePrefix("map-type=", &note)) {
    field->map_atomic = note == "atomic";
    field->map_granular = note == "granular";
  } else if (TakePrefix("default=", &note)) {
    field->default_json = note;
  } else if (TakePrefix("go-type=", &note)) {
    field->go_type = note;
  } else if (TakePrefix("enum=", &note)) {
    field->enum_values = note;
  } else {
    KULISSE_ASSERT(false && "types.tsv has a note that the loader does not know");
  }
}

}  // namespace

// What the table's spans point into.
struct TypeTableRows {
  std::vector<TypeInfo> types;
  std::vector<FieldInfo> fields;
  std::vector<JsonField> json_fields;
  std::vector<std::string_view> json_names;
  std::vector<uint16_t> indices;
};

// Reads types.tsv and custom_types.tsv, which together are sorted by name: a row "name go_name kind
// notes…" per type, followed by its fields' rows
// "(empty) json_name go_name number type notes…". Every vector gets its final size before spans
// point into it.
class TypeTableLoader {
 public:
  explicit TypeTableLoader(TypeTableRows* rows) : rows_(*rows) {}

  const TypeTable* Load() {
    Count();
    ReadRows();
    for (FieldInfo& field : rows_.fields) field.kind = rows_.types[field.type].kind;
    FlattenAll();
    BuildIndices();
    auto* table = new TypeTable;
    table->types_ = rows_.types;
    table->object_meta_ = IdOf("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta");
    table->list_meta_ = IdOf("io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta");
    table->delete_options_ = IdOf("io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions");
    table->status_ = IdOf("io.k8s.apimachinery.pkg.apis.meta.v1.Status");
    return table;
  }

 private:
  // Fills ids_ and reserves the rows of types and fields.
  void Count() {
    for (const KindWord& basic : kBasicTypes) AddId(basic.word);
    size_t fields = 0;
    ForEachLine([&](std::string_view line) {
      if (line.starts_with('\t')) {
        ++fields;
      } else {
        AddId(TakeUntil('\t', &line));
      }
    });
    rows_.types.reserve(ids_.size());
    rows_.fields.reserve(fields);
  }

  void AddId(std::string_view name) { ids_.emplace(name, static_cast<TypeId>(ids_.size())); }

  TypeId IdOf(std::string_view name) const {
    const auto found = ids_.find(name);
    KULISSE_ASSERT(found != ids_.end());
    return found->second;
  }

  void ReadRows() {
    for (const KindWord& basic : kBasicTypes) {
      TypeInfo type;
      type.name = type.go_name = basic.word;
      type.kind = basic.kind;
      rows_.types.push_back(type);
    }
    size_t first_field = 0;
    ForEachLine([&](std::string_view line) {
      if (line.starts_with('\t')) {
        rows_.fields.push_back(ReadField(line.substr(1)));
        TypeInfo& type = rows_.types.back();
        type.fields = std::span(rows_.fields).subspan(first_field);
        // Nothing is written that is not there.
        if (type.custom) rows_.fields.back().omit_empty = rows_.fields.back().pointer = true;
      } else {
        first_field = rows_.fields.size();
        rows_.types.push_back(ReadType(line));
      }
    });
  }

  template <class OnLine>
  static void ForEachLine(OnLine on_line) {
    for (const std::string_view file : {"types.tsv", "custom_types.tsv"}) {
      for (std::string_view rest = FactFile(file); !rest.empty();) on_line(TakeUntil('\n', &rest));
    }
  }

  static TypeInfo ReadType(std::string_view line) {
    TypeInfo type;
    type.name = TakeUntil('\t', &line);
    type.go_name = TakeUntil('\t', &line);
    type.kind = RowKind(TakeUntil('\t', &line));
    while (!line.empty()) {
      std::string_view note = TakeUntil('\t', &line);
      if (note == "map_atomic") type.map_atomic = true;
      if (note == "custom") type.custom = true;
      if (TakePrefix("unions=", &note)) type.unions = note;
    }
    return type;
  }

  FieldInfo ReadField(std::string_view line) const {
    FieldInfo field;
    field.json_name = TakeUntil('\t', &line);
    field.go_name = TakeUntil('\t', &line);
    const std::string_view number = TakeUntil('\t', &line);
    std::from_chars(number.data(), number.data() + number.size(), field.number);
    std::string_view type = TakeUntil('\t', &line);
    field.pointer = TakePrefix("*", &type);
    if (TakePrefix("[]", &type)) field.shape = FieldShape::kList;
    if (TakePrefix("{}", &type)) field.shape = FieldShape::kMap;
    field.type = IdOf(type);
    while (!line.empty()) ReadNote(TakeUntil('\t', &line), &field);
    return field;
  }

  void FlattenAll() {
    size_t total = 0;
    for (const TypeInfo& type : rows_.types) total += CountFlat(type);
    rows_.json_fields.reserve(total);
    rows_.json_names.reserve(total);
    for (TypeInfo& type : rows_.types) {
      const size_t first = rows_.json_fields.size();
      if (type.kind == TypeKind::kStruct) Flatten(type, nullptr, nullptr);
      type.json_fields = std::span(rows_.json_fields).subspan(first);
      type.json_names = std::span(rows_.json_names).subspan(first);
    }
  }

  size_t CountFlat(const TypeInfo& type) const {
    size_t count = 0;
    for (const FieldInfo& field : type.fields) {
      count += field.inlined ? CountFlat(rows_.types[field.type]) : 1;
    }
    return count;
  }

  void Flatten(const TypeInfo& type, const FieldInfo* parent, const FieldInfo* outer) {
    for (const FieldInfo& field : type.fields) {
      if (field.inlined) {
        KULISSE_ASSERT(outer == nullptr);
        Flatten(rows_.types[field.type], &field, parent);
      } else {
        rows_.json_fields.push_back({&field, parent, outer});
        rows_.json_names.push_back(field.json_name);
      }
    }
  }

  // Slots of the hash of JSON names: twice as many as names, so that probing ends soon.
  static size_t HashSlots(const TypeInfo& type) {
    return std::bit_ceil(type.json_fields.size() * 2 + 1);
  }
  // Slots of the index by protobuf number.
  static size_t NumberSlots(const TypeInfo& type) {
    uint16_t max = 0;
    for (const FieldInfo& field : type.fields) max = std::max(max, field.number);
    return max + size_t{1};
  }

  void BuildIndices() {
    size_t total = 0;
    for (const TypeInfo& type : rows_.types) total += HashSlots(type) + NumberSlots(type);
    rows_.indices.assign(total, kNoIndex);
    std::span<uint16_t> rest(rows_.indices);
    for (TypeInfo& type : rows_.types) {
      const std::span<uint16_t> hash = rest.first(HashSlots(type));
      rest = rest.subspan(hash.size());
      for (size_t i = 0; i < type.json_fields.size(); ++i) {
        size_t slot = Hash(type.json_names[i]) & (hash.size() - 1);
        while (hash[slot] != kNoIndex) slot = (slot + 1) & (hash.size() - 1);
        hash[slot] = static_cast<uint16_t>(i);
      }
      type.json_hash = hash;
      const std::span<uint16_t> by_number = rest.first(NumberSlots(type));
      rest = rest.subspan(by_number.size());
      for (size_t i = 0; i < type.fields.size(); ++i) {
        if (const uint16_t number = type.fields[i].number; number != 0) {
          by_number[number] = static_cast<uint16_t>(i);
        }
      }
      type.by_number = by_number;
    }
  }

  std::unordered_map<std::string_view, TypeId> ids_;
  TypeTableRows& rows_;
};

int TypeInfo::FindJson(std::string_view json_name) const {
  if (json_hash.empty()) return -1;
  const size_t mask = json_hash.size() - 1;
  for (size_t slot = Hash(json_name) & mask; json_hash[slot] != kNoIndex;
       slot = (slot + 1) & mask) {
    if (SameText(json_names[json_hash[slot]], json_name)) return json_hash[slot];
  }
  return -1;
}

int TypeInfo::FindJson(std::string_view json_name, size_t next) const {
  // In canonical objects the name is the field's own text, in the facts.
  static const std::string_view facts = FactFile("types.tsv");
  if (json_name.data() >= facts.data() && json_name.data() < facts.data() + facts.size()) {
    for (size_t i = next; i < json_names.size(); ++i) {
      if (json_names[i].data() == json_name.data()) return static_cast<int>(i);
    }
  }
  constexpr size_t kFieldsTried = 6;
  const size_t end = std::min(next + kFieldsTried, json_names.size());
  for (size_t i = next; i < end; ++i) {
    if (SameText(json_names[i], json_name)) return static_cast<int>(i);
  }
  return FindJson(json_name);
}

const FieldInfo* TypeInfo::FindNumber(uint32_t number) const {
  if (number >= by_number.size() || by_number[number] == kNoIndex) return nullptr;
  return &fields[by_number[number]];
}

const TypeTable& TypeTable::BuiltIn() {
  static TypeTableRows* const rows = new TypeTableRows;
  static const TypeTable* const table = TypeTableLoader(rows).Load();
  return *table;
}

TypeId TypeTable::Find(std::string_view name) const {
  for (size_t i = 0; i < kBasicTypes.size(); ++i) {
    if (types_[i].name == name) return static_cast<TypeId>(i);
  }
  const auto rows = types_.subspan(kBasicTypes.size());
  const auto found = std::ranges::lower_bound(rows, name, {}, &TypeInfo::name);
  if (found == rows.end() || found->name != name) return kNoType;
  return static_cast<TypeId>(&*found - types_.data());
}

}  // namespace kulisse::openapi
