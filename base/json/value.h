// Value is one node of a parsed JSON document: 16 bytes, its strings and children in an Arena.
// It is the form in which objects are decoded, defaulted, patched and transcoded; at rest they are
// bytes. The parser behind it is RapidJSON (parse.cc alone); this type exists because Debian's
// RapidJSON DOM cannot be used safely (docs/adr/0004-own-json-value.md).
//
// Owns: nothing; memory belongs to the Arena it was made with, which must outlive it. Moving is
//   cheap; a deep copy is Clone(). Trivially destructible.
// Threads: const access from any thread; no mutation beside readers.
// Errors: accessors with As… require the type (KULISSE_ASSERT); use Is… or Find… for input.
// Limits: 2^32-1 members, elements or bytes each; depth is capped by the parser (kJsonDepthMax).
// Objects keep member order and never hold a name twice; lookup is linear.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "base/assert.h"

namespace kulisse::json {

// Arena hands out memory that is freed all at once when it is destroyed.
// Threads: one at a time.
class Arena {
 public:
  Arena() = default;
  Arena(Arena&& other) noexcept { *this = std::move(other); }
  Arena& operator=(Arena&& other) noexcept;
  ~Arena();

  // `bytes` of memory aligned to 16.
  void* Allocate(size_t bytes) {
    bytes = (bytes + 15) & ~size_t{15};
    if (bytes > static_cast<size_t>(end_ - next_)) return AllocateChunk(bytes);
    char* result = next_;
    next_ += bytes;
    return result;
  }
  // A copy of `text` that lives as long as the arena.
  std::string_view Copy(std::string_view text);
  // Bytes held from the system.
  [[nodiscard]] size_t bytes() const { return bytes_; }

 private:
  struct Chunk {
    Chunk* previous;
    size_t size;
  };
  void* AllocateChunk(size_t bytes);

  Chunk* chunk_ = nullptr;
  char* next_ = nullptr;
  char* end_ = nullptr;
  size_t bytes_ = 0;
};

enum class Type : uint8_t { kNull, kBool, kInt, kUint, kDouble, kString, kArray, kObject };

struct Member;

class Value {
 public:
  Value() = default;  // null
  Value(const Value&) = delete;
  Value& operator=(const Value&) = delete;
  Value(Value&& other) noexcept : type_(other.type_), size_(other.size_), data_(other.data_) {
    other.type_ = Type::kNull;
  }
  Value& operator=(Value&& other) noexcept {
    type_ = other.type_;
    size_ = other.size_;
    data_ = other.data_;
    if (this != &other) other.type_ = Type::kNull;
    return *this;
  }

  static Value Bool(bool value);
  static Value Int(int64_t value);
  static Value Uint(uint64_t value);  // an Int if it fits
  static Value Double(double value);
  // The text is copied into the arena.
  static Value String(std::string_view text, Arena& arena);
  // The text must outlive the value: literals and bytes already in the document.
  static Value StringRef(std::string_view text);
  static Value Array();
  static Value Object();

  [[nodiscard]] Type type() const { return type_; }
  [[nodiscard]] bool IsNull() const { return type_ == Type::kNull; }
  [[nodiscard]] bool IsBool() const { return type_ == Type::kBool; }
  // An integral number; IsUint alone is one beyond int64.
  [[nodiscard]] bool IsInt() const { return type_ == Type::kInt; }
  [[nodiscard]] bool IsNumber() const {
    return type_ == Type::kInt || type_ == Type::kUint || type_ == Type::kDouble;
  }
  [[nodiscard]] bool IsString() const { return type_ == Type::kString; }
  [[nodiscard]] bool IsArray() const { return type_ == Type::kArray; }
  [[nodiscard]] bool IsObject() const { return type_ == Type::kObject; }

  [[nodiscard]] bool AsBool() const;
  [[nodiscard]] int64_t AsInt() const;
  [[nodiscard]] uint64_t AsUint() const;  // of kUint or a non-negative kInt
  [[nodiscard]] double AsDouble() const;  // of any number
  [[nodiscard]] std::string_view AsString() const;

  // Number of members or elements, or bytes of a string; 0 for the rest.
  [[nodiscard]] size_t size() const { return type_ >= Type::kString ? size_ : 0; }

  // Array. Empty span unless IsArray().
  [[nodiscard]] std::span<const Value> elements() const;
  [[nodiscard]] std::span<Value> elements();
  // REQUIRES: IsArray(). Returns the new element.
  Value& PushBack(Value value, Arena& arena);
  void EraseElement(size_t index);
  Value& InsertElement(size_t index, Value value, Arena& arena);

  // Object. Empty span unless IsObject().
  [[nodiscard]] std::span<const Member> members() const;
  [[nodiscard]] std::span<Member> members();
  // The member's value, or null when there is none or this is no object.
  [[nodiscard]] const Value* Find(std::string_view name) const;
  [[nodiscard]] Value* Find(std::string_view name);
  // Follows names from object to object.
  [[nodiscard]] const Value* Find(std::initializer_list<std::string_view> path) const;
  [[nodiscard]] Value* Find(std::initializer_list<std::string_view> path);
  // The string at the path, or "" when it is missing or no string.
  [[nodiscard]] std::string_view FindString(std::initializer_list<std::string_view> path) const;
  // Sets a member, replacing one of that name in its place, else appending. The name is copied.
  // REQUIRES: IsObject().
  Value& Set(std::string_view name, Value value, Arena& arena);
  // Appends without looking for the name. The name must outlive the document (a literal).
  // REQUIRES: IsObject() and no member of that name.
  Value& AppendRef(std::string_view name, Value value, Arena& arena);
  // The member, made an empty object first if it is missing or no object.
  Value& SetDefaultObject(std::string_view name, Arena& arena);
  // Keeps the order of the rest. Returns whether there was one.
  bool Remove(std::string_view name);

  // Keeps the first `count` members or elements. REQUIRES: array or object, count <= size().
  void Truncate(size_t count);

  // A deep copy, strings included.
  [[nodiscard]] Value Clone(Arena& arena) const;
  // A deep copy that shares its strings with this value, whose memory must live as long.
  [[nodiscard]] Value CloneSharingStrings(Arena& arena) const;
  // Deep equality; the order of members does not matter, 1 equals 1.0.
  friend bool operator==(const Value& a, const Value& b);

 private:
  template <class CopyString>
  [[nodiscard]] Value CloneWith(Arena& arena, const CopyString& copy_string) const;
  Value* ReserveElement(Arena& arena);
  Member* ReserveMember(Arena& arena);

  Type type_ = Type::kNull;
  uint32_t size_ = 0;
  union Data {
    int64_t integer;
    uint64_t unsigned_integer;
    double number;
    const char* text;
    Value* elements;
    Member* members;
  } data_{.integer = 0};
};

struct Member {
  std::string_view name;
  Value value;
};

// What walks call for every node is here, to be compiled into them.

inline std::string_view Value::AsString() const {
  KULISSE_ASSERT(type_ == Type::kString);
  return {data_.text, size_};
}

inline std::span<const Value> Value::elements() const {
  if (type_ != Type::kArray) return {};
  return {data_.elements, size_};
}

inline std::span<Value> Value::elements() {
  if (type_ != Type::kArray) return {};
  return {data_.elements, size_};
}

inline std::span<const Member> Value::members() const {
  if (type_ != Type::kObject) return {};
  return {data_.members, size_};
}

inline std::span<Member> Value::members() {
  if (type_ != Type::kObject) return {};
  return {data_.members, size_};
}

inline Value Value::StringRef(std::string_view text) {
  Value v;
  v.type_ = Type::kString;
  v.size_ = static_cast<uint32_t>(text.size());
  v.data_.text = text.data();
  return v;
}

inline Value* Value::Find(std::string_view name) {
  return const_cast<Value*>(std::as_const(*this).Find(name));
}

// Document is a value with the memory it lives in. Movable; addresses inside stay valid.
struct Document {
  Arena arena;
  Value root;

  [[nodiscard]] Document Clone() const {
    Document copy;
    copy.root = root.Clone(copy.arena);
    return copy;
  }
};

}  // namespace kulisse::json
