// The type table holds, for every built-in type of Kubernetes 1.36, what its Go struct says: one
// row per field with JSON name, type, protobuf number, patch strategy, list type and so on. It is
// data: openapi/generate reads the published Go modules and writes openapi/facts, which is embedded
// and turned into these rows once at start. Decoding, protobuf, defaulting, validation, patches,
// OpenAPI documents and tables all read them; no kind has code of its own for these. Custom
// resources that come with the program (KWOK's) have rows too, made from their schemas.
//
// Owns: all rows; they live as long as the program and never change. Threads: any.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace kulisse::openapi {

using TypeId = uint16_t;
inline constexpr TypeId kNoType = 0xffff;

// What a type is on the wire. All but kStruct are leaves with a JSON and a protobuf form of their
// own (upstream types in brackets). The kSchemaOr… have fields, for their protobuf form alone.
enum class TypeKind : uint8_t {
  kStruct,
  kString,
  kBool,
  kInt32,
  kInt64,
  kDouble,
  kBytes,            // JSON: base64
  kQuantity,         // [resource.Quantity] JSON string or number; protobuf {1: string}
  kIntOrString,      // [intstr.IntOrString] protobuf {1: type, 2: int, 3: string}
  kTime,             // [metav1.Time] RFC 3339 seconds or null; protobuf {1: seconds, 2: nanos}
  kMicroTime,        // [metav1.MicroTime]
  kDuration,         // [metav1.Duration] Go duration text; protobuf {1: nanoseconds}
  kRawExtension,     // [runtime.RawExtension] any JSON object; protobuf {1: bytes}
  kFieldsV1,         // [metav1.FieldsV1] any JSON object; protobuf {1: bytes}
  kJson,             // [apiextensions JSON, any] any JSON; protobuf {1: bytes}
  kSchemaOrBool,     // [JSONSchemaPropsOrBool] {1: allows, 2: schema}
  kSchemaOrArray,    // [JSONSchemaPropsOrArray] {1: schema, 2: repeated schema}
  kSchemaOrStrings,  // [JSONSchemaPropsOrStringArray] {1: schema, 2: repeated string}
  kStringList,       // [ExtraValue, Verbs] JSON array of strings; protobuf {1: repeated string}
};

enum class FieldShape : uint8_t { kSingle, kList, kMap };  // map keys are always strings

enum class ListType : uint8_t { kNone, kAtomic, kSet, kMap };

// What walks over objects ask for is in front.
struct FieldInfo {
  std::string_view json_name;         // "" for an inlined struct (Go `json:",inline"`)
  TypeId type = kNoType;              // of the value, the element, or the map's values
  TypeKind kind = TypeKind::kStruct;  // of that type
  uint16_t number = 0;                // protobuf; 0: not on the wire
  FieldShape shape = FieldShape::kSingle;
  bool pointer = false;            // Go pointer: "absent" differs from "zero"
  bool omit_empty = false;         // zero values are not written in JSON
  bool omit_zero = false;          // zero structs are not written in JSON
  bool required = false;           // in the OpenAPI document's "required"
  bool inlined = false;            // its fields appear in the parent's JSON object
  bool patch_merge = false;        // patchStrategy contains "merge"
  bool patch_retain_keys = false;  // patchStrategy contains "retainKeys"
  bool patch_replace = false;      // patchStrategy is "replace": a patch replaces the object
  ListType list_type = ListType::kNone;
  bool map_atomic = false;           // x-kubernetes-map-type: atomic
  bool map_granular = false;         // … granular, though the type may be atomic
  std::string_view go_name;          // as in the Go struct; error messages of Go's decoder print it
  std::string_view go_type;          // "v1.PullPolicy" where Go has more names than the type; or ""
  std::string_view patch_merge_key;  // patchMergeKey
  std::string_view list_map_keys;    // comma-separated
  std::string_view default_json;     // `+default=` marker as JSON text, or ""
  std::string_view enum_values;      // comma-separated values of the string type, or ""
};

// A field as it appears in the JSON object of a type, inlined structs flattened.
struct JsonField {
  const FieldInfo* field;   // never an inlined one
  const FieldInfo* parent;  // the inlined field that holds it on the wire, or null
  // The inlined field that holds `parent`, or null (in NamedRuleWithOperations alone; it does not
  // go deeper).
  const FieldInfo* outer;
};

struct TypeInfo {
  std::string_view name;     // OpenAPI name: "io.k8s.api.core.v1.Pod"
  std::string_view go_name;  // "Pod"
  TypeKind kind = TypeKind::kStruct;
  bool map_atomic = false;  // `+structType=atomic`
  // Of a custom resource: an object keeps what it has, in the order of names; whether values are
  // right is for its schema to say (structural_schema.h).
  bool custom = false;
  std::string_view unions;                       // JSON of x-kubernetes-unions, or ""
  std::span<const FieldInfo> fields;             // in Go struct order
  std::span<const JsonField> json_fields;        // flattened, in the order Go writes them
  std::span<const std::string_view> json_names;  // theirs, close to each other for lookups

  // Index in json_fields, or -1. Expected O(1).
  [[nodiscard]] int FindJson(std::string_view json_name) const;
  // The same, quicker for one of the fields from `next` on: walks over members ask for the one
  // behind the last, as members mostly come in the order of the fields.
  [[nodiscard]] int FindJson(std::string_view json_name, size_t next) const;
  [[nodiscard]] const FieldInfo* FindNumber(uint32_t number) const;

  // Set up by the table; not for readers.
  std::span<const uint16_t> json_hash;
  std::span<const uint16_t> by_number;
};

class TypeTable {
 public:
  // The built-in table, parsed from the embedded facts at the first call (about a millisecond).
  static const TypeTable& BuiltIn();

  [[nodiscard]] const TypeInfo& Get(TypeId id) const { return types_[id]; }
  // By OpenAPI name; kNoType when there is none.
  [[nodiscard]] TypeId Find(std::string_view name) const;
  [[nodiscard]] std::span<const TypeInfo> types() const { return types_; }

  // Types that code names.
  [[nodiscard]] TypeId object_meta() const { return object_meta_; }
  [[nodiscard]] TypeId list_meta() const { return list_meta_; }
  [[nodiscard]] TypeId delete_options() const { return delete_options_; }
  [[nodiscard]] TypeId status() const { return status_; }

 private:
  TypeTable() = default;
  friend class TypeTableLoader;

  std::span<const TypeInfo> types_;
  TypeId object_meta_ = kNoType;
  TypeId list_meta_ = kNoType;
  TypeId delete_options_ = kNoType;
  TypeId status_ = kNoType;
};

}  // namespace kulisse::openapi
