// Value is what an expression yields: one word of kind and two of content. Lists, maps and structs
// of objects are the JSON values themselves, seen through a JsonType; nothing is converted before
// an expression reads it.
//
// Owns: nothing; contents lie in the objects, the program or the Evaluation, which must outlive it.
// Threads: a value. Errors: an error is a value (kError) that operators pass on, as in cel-go.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json/value.h"
#include "openapi/cel/type.h"

namespace kulisse::openapi::cel {

class Evaluation;
class HostType;
class Value;
struct JsonType;

enum class ValueKind : uint8_t {
  kNull,
  kBool,
  kInt,
  kUint,
  kDouble,
  kString,
  kBytes,
  kTimestamp,
  kDuration,
  kList,
  kMap,
  kStruct,  // a JSON object with declared fields
  kType,
  kHost,  // of a type that the host brought
  kError,
};

// The operators that a type may have; those of lists, maps and host types go by the same names.
enum class Operator : uint8_t {
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kModulo,
  kNegate,
  kLess,
  kLessEquals,
  kGreater,
  kGreaterEquals,
  kEquals,
  kNotEquals,
  kNot,
  kIn,
  kIndex,
  kSize,
};
// As cel-go names it: "_+_", "!_", "@in", "size".
[[nodiscard]] std::string_view OperatorName(Operator op);

// A point in time between the years 1 and 9999, in the time zone it was written in.
struct Time {
  int64_t seconds = 0;  // since 1970
  int32_t nanos = 0;
  int32_t offset = 0;  // seconds east of UTC; 0 prints as Z
};

struct ListData {
  Value* items = nullptr;
  uint32_t size = 0;
  uint32_t capacity = 0;
  // The accumulator of a macro: `accumulator + list` appends to it.
  bool growable = false;
};

struct MapEntry;
struct MapData {
  MapEntry* entries = nullptr;
  size_t size = 0;
};

class Value {
 public:
  Value() = default;  // null

  static Value Bool(bool value) { return Value(ValueKind::kBool, {.boolean = value}); }
  static Value Int(int64_t value) { return Value(ValueKind::kInt, {.integer = value}); }
  static Value Uint(uint64_t value) { return Value(ValueKind::kUint, {.natural = value}); }
  static Value Double(double value) { return Value(ValueKind::kDouble, {.number = value}); }
  static Value String(std::string_view text) { return Text(ValueKind::kString, text); }
  static Value Bytes(std::string_view bytes) { return Text(ValueKind::kBytes, bytes); }
  static Value Timestamp(Time time);
  static Value Duration(int64_t nanoseconds) {
    return Value(ValueKind::kDuration, {.integer = nanoseconds});
  }
  static Value List(const ListData* list) { return Value(ValueKind::kList, {.pointer = list}); }
  static Value Map(const MapData* map) { return Value(ValueKind::kMap, {.pointer = map}); }
  // The name of a type: "int", "v1.Pod". It must live long.
  static Value TypeName(std::string_view name) { return Text(ValueKind::kType, name); }
  static Value Host(const HostType* type, const void* content);
  // The text must live long: a literal, or Evaluation::Fail.
  static Value Error(std::string_view message) { return Text(ValueKind::kError, message); }
  // A JSON array, object or declared struct as it is. `json` may be null: a missing one, empty.
  static Value Json(ValueKind kind, const json::Value* json, const JsonType* type);

  [[nodiscard]] ValueKind kind() const { return kind_; }
  [[nodiscard]] bool Is(ValueKind kind) const { return kind_ == kind; }
  [[nodiscard]] bool IsError() const { return kind_ == ValueKind::kError; }
  [[nodiscard]] bool IsTrue() const { return kind_ == ValueKind::kBool && content_.boolean; }
  [[nodiscard]] bool IsFalse() const { return kind_ == ValueKind::kBool && !content_.boolean; }

  // REQUIRES of each: the kind.
  [[nodiscard]] bool AsBool() const { return content_.boolean; }
  [[nodiscard]] int64_t AsInt() const {
    return content_.integer;
  }  // also of kDuration: nanoseconds
  [[nodiscard]] uint64_t AsUint() const { return content_.natural; }
  [[nodiscard]] double AsDouble() const { return content_.number; }
  // Of kString, kBytes, kType and kError.
  [[nodiscard]] std::string_view AsText() const { return {content_.text, more_.size}; }
  [[nodiscard]] Time AsTimestamp() const {
    return {.seconds = content_.integer, .nanos = extra_, .offset = more_.offset};
  }
  [[nodiscard]] const HostType& AsHost() const { return *more_.host; }
  [[nodiscard]] const void* host_content() const { return content_.pointer; }
  // Of kList, kMap and kStruct: whether it is a JSON value, or one that was made.
  [[nodiscard]] bool IsJson() const { return json_; }
  [[nodiscard]] const json::Value* json() const {
    return static_cast<const json::Value*>(content_.pointer);
  }
  [[nodiscard]] const JsonType* json_type() const { return more_.type; }
  [[nodiscard]] const ListData& list() const {
    return *static_cast<const ListData*>(content_.pointer);
  }
  [[nodiscard]] const MapData& map() const {
    return *static_cast<const MapData*>(content_.pointer);
  }

 private:
  union Content {
    bool boolean;
    int64_t integer;
    uint64_t natural;
    double number;
    const char* text;
    const void* pointer;
  };
  union More {
    size_t size;
    int32_t offset;
    const JsonType* type;
    const HostType* host;
  };

  Value(ValueKind kind, Content content) : kind_(kind), content_(content) {}
  static Value Text(ValueKind kind, std::string_view text) {
    Value value(kind, {.text = text.data()});
    value.more_.size = text.size();
    return value;
  }

  ValueKind kind_ = ValueKind::kNull;
  bool json_ = false;
  int32_t extra_ = 0;
  Content content_{.integer = 0};
  More more_{.size = 0};
};

struct MapEntry {
  Value key;
  Value value;
};

// A field of a declared struct.
struct JsonField {
  std::string name;
  const JsonType* type;
};

// A struct whose fields expressions may name. Owns its rows.
struct JsonStruct {
  std::string name;
  std::vector<JsonField> fields;  // sorted by name

  [[nodiscard]] const JsonType* Find(std::string_view field) const;
};

// How a JSON value is seen: its type, and so what stands for it where it is missing. A missing
// pointer is null; anything else is the zero value of its type.
struct JsonType {
  Type type = Type::Dyn();
  bool pointer = false;
  const JsonType* element = nullptr;      // of the elements of a list, or the values of a map
  const JsonStruct* structure = nullptr;  // of a struct; without one no field can be named
  const HostType* host = nullptr;         // makes the value from JSON
};

// HostType is a type of value that a host adds: what its operators do.
// Threads: any; one object serves all evaluations.
class HostType {
 public:
  virtual ~HostType() = default;
  [[nodiscard]] virtual std::string_view name() const = 0;
  // The value for a JSON one; null when there is none.
  [[nodiscard]] virtual Value FromJson(const json::Value* json, Evaluation& evaluation) const = 0;
  // One argument is of this type. Returns nothing for an operator that the type does not have.
  // Comparisons ask for kLess and the rest alike; kEquals is asked only for two of this type.
  [[nodiscard]] virtual std::optional<Value> Apply(Operator op, std::span<const Value> arguments,
                                                   Evaluation& evaluation) const = 0;
  [[nodiscard]] virtual bool IsZero(const Value& value) const = 0;
  // The value converted to "string" or "double", where it can be.
  [[nodiscard]] virtual std::optional<Value> Convert(const Value& value, std::string_view type,
                                                     Evaluation& evaluation) const = 0;
};

// What `json` is through `type`; without a type, by what it is itself.
[[nodiscard]] Value FromJson(const json::Value* json, const JsonType* type, Evaluation& evaluation);

// The name of the value's type: "int", "list", "google.protobuf.Timestamp".
[[nodiscard]] std::string_view TypeNameOf(const Value& value);
// Lists.
[[nodiscard]] size_t ListSize(const Value& list);
[[nodiscard]] Value ListAt(const Value& list, size_t index, Evaluation& evaluation);
// Maps. Keys of numbers are found by their value: 1 finds 1u and 1.0.
[[nodiscard]] size_t MapSize(const Value& map);
[[nodiscard]] std::optional<Value> MapFind(const Value& map, const Value& key,
                                           Evaluation& evaluation);
[[nodiscard]] Value MapKeyAt(const Value& map, size_t index);
// Whether a struct's field is set: there, and not the zero value of its type.
[[nodiscard]] bool IsFieldSet(const Value& object, std::string_view field, Evaluation& evaluation);
// Nothing when the struct has no such field.
[[nodiscard]] std::optional<Value> SelectField(const Value& object, std::string_view field,
                                               Evaluation& evaluation);

// Two numbers of any types: -1, 0 or 1; nothing when one is NaN.
[[nodiscard]] std::optional<int> CompareNumbers(const Value& a, const Value& b);
// Equality over all types; values of different types are not equal, numbers are by value. An error
// only when the evaluation is out of steps.
[[nodiscard]] bool AreEqual(const Value& a, const Value& b, Evaluation& evaluation);
// As Go's %v prints it: in errors that name a key or an index.
[[nodiscard]] std::string PlainText(const Value& value);
// As CEL source: `{"a": [1u, 2.0]}`, timestamp("…"). Map entries are sorted.
// Upstream: common/types/format.go.
[[nodiscard]] std::string DebugText(const Value& value, Evaluation& evaluation);

// Go's shortest forms: %g, and 'f' without an exponent.
[[nodiscard]] std::string FormatDouble(double number);
[[nodiscard]] std::string FormatDoubleFixed(double number);

}  // namespace kulisse::openapi::cel
