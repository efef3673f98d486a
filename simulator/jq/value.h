// Value is one value of a running jq expression: 16 bytes, copied freely, never changed.
//
// An array or object is either *parsed* (a reference to a json::Value of the object that the
// expression looks at, converted piece by piece as it is looked into) or *own* (made by the
// expression; members sorted by name). Numbers are ints or doubles as in gojq: what the expression
// computes with integers stays int, and every number of a parsed object is a double. Integers
// beyond 64 bits become doubles (gojq has big ints).
//
// Owns: nothing; what it refers to lies in an arena or in the parsed object.
#pragma once

#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/json/value.h"

namespace kulisse::simulator::jq {

struct Member;

enum class Kind : uint8_t {
  kNull,
  kBool,
  kInt,
  kDouble,
  kString,
  kArray,
  kObject,
  kDeleted,  // marks what delpaths() takes away; no expression ever sees it
};

class Value {
 public:
  Value() = default;  // null

  static Value Bool(bool value) {
    Value result(Kind::kBool);
    result.data_.integer = value;
    return result;
  }
  static Value Int(int64_t value) {
    Value result(Kind::kInt);
    result.data_.integer = value;
    return result;
  }
  static Value Double(double value) {
    Value result(Kind::kDouble);
    result.data_.number = value;
    return result;
  }
  // The text, the elements and the members must outlive the value.
  static Value String(std::string_view text) {
    Value result(Kind::kString, text.size());
    result.data_.text = text.data();
    return result;
  }
  static Value Array(std::span<const Value> elements);
  // REQUIRES: sorted by name, no name twice.
  static Value Object(std::span<const Member> members);
  static Value Deleted() { return Value(Kind::kDeleted); }
  // What the parsed value is to jq.
  static Value Of(const json::Value& parsed);

  [[nodiscard]] Kind kind() const { return kind_; }
  [[nodiscard]] bool IsNull() const { return kind_ == Kind::kNull; }
  [[nodiscard]] bool IsBool() const { return kind_ == Kind::kBool; }
  [[nodiscard]] bool IsInt() const { return kind_ == Kind::kInt; }
  [[nodiscard]] bool IsDouble() const { return kind_ == Kind::kDouble; }
  [[nodiscard]] bool IsNumber() const { return IsInt() || IsDouble(); }
  [[nodiscard]] bool IsString() const { return kind_ == Kind::kString; }
  [[nodiscard]] bool IsArray() const { return kind_ == Kind::kArray; }
  [[nodiscard]] bool IsObject() const { return kind_ == Kind::kObject; }
  [[nodiscard]] bool IsDeleted() const { return kind_ == Kind::kDeleted; }
  // All but null and false.
  [[nodiscard]] bool IsTrue() const {
    return kind_ == Kind::kBool ? data_.integer != 0 : kind_ != Kind::kNull;
  }

  // REQUIRES: the kind.
  [[nodiscard]] bool AsBool() const { return data_.integer != 0; }
  [[nodiscard]] int64_t AsInt() const { return data_.integer; }
  [[nodiscard]] double AsDouble() const {
    return IsInt() ? static_cast<double>(data_.integer) : data_.number;
  }
  [[nodiscard]] std::string_view AsString() const { return {data_.text, size_}; }

  // Elements, members or bytes.
  [[nodiscard]] size_t size() const { return size_; }
  // Levels of own arrays and objects; what is parsed counts as one level.
  [[nodiscard]] size_t depth() const { return depth_; }
  // This array or object, now that `child` was put into it.
  [[nodiscard]] Value Holding(const Value& child) const {
    Value result = *this;
    if (result.depth_ <= child.depth_) result.depth_ = static_cast<uint16_t>(child.depth_ + 1);
    return result;
  }
  // The parsed array or object that this refers to; null of all others.
  [[nodiscard]] const json::Value* parsed() const { return parsed_ ? data_.parsed : nullptr; }

  // REQUIRES: IsArray(), index < size().
  [[nodiscard]] Value At(size_t index) const {
    return parsed_ ? Of(data_.parsed->elements()[index]) : data_.elements[index];
  }
  // REQUIRES: IsObject(). Returns whether there is such a member.
  bool Find(std::string_view name, Value* found) const;

  // Those of an own array or object; see Heap::Elements() for the others.
  [[nodiscard]] std::span<const Value> own_elements() const { return {data_.elements, size_}; }
  [[nodiscard]] std::span<const Member> own_members() const;

  // The same thing, not an equal one: the same array or object, or an equal scalar.
  [[nodiscard]] bool IsSame(const Value& other) const;

 private:
  explicit Value(Kind kind, size_t size = 0) : kind_(kind), size_(static_cast<uint32_t>(size)) {}

  Kind kind_ = Kind::kNull;
  bool parsed_ = false;
  uint16_t depth_ = 0;
  uint32_t size_ = 0;
  union Data {
    int64_t integer;
    double number;
    const char* text;
    const Value* elements;
    const Member* members;
    const json::Value* parsed;
  } data_{.integer = 0};
};

struct Member {
  std::string_view name;
  Value value;
};

inline std::span<const Member> Value::own_members() const { return {data_.members, size_}; }

[[nodiscard]] std::string_view TypeName(const Value& value);
// jq's order of all values: null, false, true, numbers, strings, arrays, objects. As in gojq, NaN
// is less than all numbers, itself too.
[[nodiscard]] int Compare(const Value& a, const Value& b);

// As jq prints it: compact, members sorted, no escapes for HTML; NaN is null, infinities are the
// largest doubles.
void AppendText(const Value& value, std::string* out);
void AppendQuoted(std::string_view text, std::string* out);
[[nodiscard]] std::string ToText(const Value& value);
// The beginning of its text, at most 30 bytes, as error messages show it.
[[nodiscard]] std::string Preview(const Value& value);
// "object ({"a":1})", or "null".
[[nodiscard]] std::string TypeAndPreview(const Value& value);

// A number as jq reads it ("12", "1.5e3"): an int if it has no fraction and fits.
[[nodiscard]] Value ParseNumber(std::string_view text);

// Code points; each byte that is no UTF-8 counts as U+FFFD.
[[nodiscard]] char32_t DecodeRune(std::string_view text, size_t* bytes);  // REQUIRES: !text.empty()
[[nodiscard]] size_t RuneCount(std::string_view text);
// Bytes that the first `runes` code points take.
[[nodiscard]] size_t RuneOffset(std::string_view text, size_t runes);

}  // namespace kulisse::simulator::jq
