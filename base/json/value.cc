#include "base/json/value.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <new>

#include "base/assert.h"
#include "base/text.h"

namespace kulisse::json {

namespace {

constexpr size_t kChunkBytesMin = 16 * 1024;
constexpr size_t kChunkBytesMax = 256 * 1024;

// Capacity is not stored: a block of n entries always has room for bit_ceil(max(n, 4)).
constexpr uint32_t CapacityFor(uint32_t size) {
  return size == 0 ? 0 : std::bit_ceil(std::max<uint32_t>(size, 4));
}

}  // namespace

Arena& Arena::operator=(Arena&& other) noexcept {
  std::swap(chunk_, other.chunk_);
  std::swap(next_, other.next_);
  std::swap(end_, other.end_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

Arena::~Arena() {
  while (chunk_ != nullptr) {
    Chunk* previous = chunk_->previous;
    std::free(chunk_);
    chunk_ = previous;
  }
}

void* Arena::AllocateChunk(size_t bytes) {
  const size_t grown = std::clamp(bytes_, kChunkBytesMin, kChunkBytesMax);
  const size_t size = std::max(grown, bytes + sizeof(Chunk));
  auto* chunk = static_cast<Chunk*>(std::malloc(size));
  if (chunk == nullptr) throw std::bad_alloc();
  chunk->previous = chunk_;
  chunk->size = size;
  chunk_ = chunk;
  bytes_ += size;
  char* begin = reinterpret_cast<char*>(chunk) + sizeof(Chunk);
  next_ = begin + bytes;
  end_ = reinterpret_cast<char*>(chunk) + size;
  return begin;
}

std::string_view Arena::Copy(std::string_view text) {
  if (text.empty()) return {"", 0};
  char* copy = static_cast<char*>(Allocate(text.size()));
  std::memcpy(copy, text.data(), text.size());
  return {copy, text.size()};
}

Value Value::Bool(bool value) {
  Value v;
  v.type_ = Type::kBool;
  v.data_.integer = value ? 1 : 0;
  return v;
}

Value Value::Int(int64_t value) {
  Value v;
  v.type_ = Type::kInt;
  v.data_.integer = value;
  return v;
}

Value Value::Uint(uint64_t value) {
  if (value <= static_cast<uint64_t>(INT64_MAX)) return Int(static_cast<int64_t>(value));
  Value v;
  v.type_ = Type::kUint;
  v.data_.unsigned_integer = value;
  return v;
}

Value Value::Double(double value) {
  Value v;
  v.type_ = Type::kDouble;
  v.data_.number = value;
  return v;
}

Value Value::String(std::string_view text, Arena& arena) { return StringRef(arena.Copy(text)); }

Value Value::Array() {
  Value v;
  v.type_ = Type::kArray;
  v.data_.elements = nullptr;
  return v;
}

Value Value::Object() {
  Value v;
  v.type_ = Type::kObject;
  v.data_.members = nullptr;
  return v;
}

bool Value::AsBool() const {
  KULISSE_ASSERT(type_ == Type::kBool);
  return data_.integer != 0;
}

int64_t Value::AsInt() const {
  KULISSE_ASSERT(type_ == Type::kInt);
  return data_.integer;
}

uint64_t Value::AsUint() const {
  if (type_ == Type::kUint) return data_.unsigned_integer;
  KULISSE_ASSERT(type_ == Type::kInt);
  KULISSE_ASSERT(data_.integer >= 0);
  return static_cast<uint64_t>(data_.integer);
}

double Value::AsDouble() const {
  switch (type_) {
    case Type::kInt:
      return static_cast<double>(data_.integer);
    case Type::kUint:
      return static_cast<double>(data_.unsigned_integer);
    default:
      break;
  }
  KULISSE_ASSERT(type_ == Type::kDouble);
  return data_.number;
}

Value* Value::ReserveElement(Arena& arena) {
  if (size_ == CapacityFor(size_)) {
    const uint32_t capacity = CapacityFor(size_ + 1);
    auto* grown = static_cast<Value*>(arena.Allocate(capacity * sizeof(Value)));
    for (uint32_t i = 0; i < size_; ++i) new (grown + i) Value(std::move(data_.elements[i]));
    data_.elements = grown;
  }
  return new (data_.elements + size_++) Value();
}

Member* Value::ReserveMember(Arena& arena) {
  if (size_ == CapacityFor(size_)) {
    const uint32_t capacity = CapacityFor(size_ + 1);
    auto* grown = static_cast<Member*>(arena.Allocate(capacity * sizeof(Member)));
    for (uint32_t i = 0; i < size_; ++i) new (grown + i) Member(std::move(data_.members[i]));
    data_.members = grown;
  }
  return new (data_.members + size_++) Member();
}

Value& Value::PushBack(Value value, Arena& arena) {
  KULISSE_ASSERT(type_ == Type::kArray);
  Value* element = ReserveElement(arena);
  *element = std::move(value);
  return *element;
}

void Value::EraseElement(size_t index) {
  KULISSE_ASSERT(type_ == Type::kArray);
  KULISSE_ASSERT(index < size_);
  for (size_t i = index + 1; i < size_; ++i) {
    data_.elements[i - 1] = std::move(data_.elements[i]);
  }
  --size_;
}

Value& Value::InsertElement(size_t index, Value value, Arena& arena) {
  KULISSE_ASSERT(type_ == Type::kArray);
  KULISSE_ASSERT(index <= size_);
  ReserveElement(arena);
  for (size_t i = size_ - 1; i > index; --i) {
    data_.elements[i] = std::move(data_.elements[i - 1]);
  }
  data_.elements[index] = std::move(value);
  return data_.elements[index];
}

const Value* Value::Find(std::string_view name) const {
  const auto search = [&](const auto& same) -> const Value* {
    for (const Member& member : members()) {
      if (member.name.size() == name.size() && same(member.name.data())) return &member.value;
    }
    return nullptr;
  };
  // The first and the last bytes of the name are loaded once for all members.
  const auto search_by = [&]<class Word>(Word head) {
    Word tail;
    const size_t end = name.size() - sizeof(Word);
    std::memcpy(&head, name.data(), sizeof(Word));
    std::memcpy(&tail, name.data() + end, sizeof(Word));
    return search([=](const char* text) {
      Word words[2];
      std::memcpy(&words[0], text, sizeof(Word));
      std::memcpy(&words[1], text + end, sizeof(Word));
      return words[0] == head && words[1] == tail;
    });
  };
  if (name.size() > 16) {
    return search(
        [=](const char* text) { return std::memcmp(text, name.data(), name.size()) == 0; });
  }
  if (name.size() >= 8) return search_by(uint64_t{});
  if (name.size() >= 4) return search_by(uint32_t{});
  return search([=](const char* text) { return name == std::string_view(text, name.size()); });
}

const Value* Value::Find(std::initializer_list<std::string_view> path) const {
  const Value* value = this;
  for (const std::string_view name : path) {
    value = value->Find(name);
    if (value == nullptr) return nullptr;
  }
  return value;
}

Value* Value::Find(std::initializer_list<std::string_view> path) {
  return const_cast<Value*>(std::as_const(*this).Find(path));
}

std::string_view Value::FindString(std::initializer_list<std::string_view> path) const {
  const Value* value = Find(path);
  return value != nullptr && value->IsString() ? value->AsString() : std::string_view();
}

Value& Value::Set(std::string_view name, Value value, Arena& arena) {
  if (Value* existing = Find(name)) {
    *existing = std::move(value);
    return *existing;
  }
  return AppendRef(arena.Copy(name), std::move(value), arena);
}

Value& Value::AppendRef(std::string_view name, Value value, Arena& arena) {
  KULISSE_ASSERT(type_ == Type::kObject);
  Member* member = ReserveMember(arena);
  member->name = name;
  member->value = std::move(value);
  return member->value;
}

Value& Value::SetDefaultObject(std::string_view name, Arena& arena) {
  Value* existing = Find(name);
  if (existing == nullptr) return AppendRef(arena.Copy(name), Object(), arena);
  if (!existing->IsObject()) *existing = Object();
  return *existing;
}

bool Value::Remove(std::string_view name) {
  const auto list = members();
  for (size_t i = 0; i < list.size(); ++i) {
    if (list[i].name != name) continue;
    for (size_t j = i + 1; j < list.size(); ++j) list[j - 1] = std::move(list[j]);
    --size_;
    return true;
  }
  return false;
}

void Value::Truncate(size_t count) {
  KULISSE_ASSERT(type_ == Type::kArray || type_ == Type::kObject);
  KULISSE_ASSERT(count <= size_);
  size_ = static_cast<uint32_t>(count);
}

template <class CopyString>
Value Value::CloneWith(Arena& arena, const CopyString& copy_string) const {
  Value copy;
  copy.type_ = type_;
  copy.size_ = size_;
  copy.data_ = data_;
  switch (type_) {
    case Type::kString:
      copy.data_.text = copy_string(AsString()).data();
      break;
    case Type::kArray: {
      auto* block = static_cast<Value*>(arena.Allocate(CapacityFor(size_) * sizeof(Value)));
      for (uint32_t i = 0; i < size_; ++i) {
        new (block + i) Value(data_.elements[i].CloneWith(arena, copy_string));
      }
      copy.data_.elements = block;
      break;
    }
    case Type::kObject: {
      auto* block = static_cast<Member*>(arena.Allocate(CapacityFor(size_) * sizeof(Member)));
      for (uint32_t i = 0; i < size_; ++i) {
        const Member& member = data_.members[i];
        new (block + i)
            Member{copy_string(member.name), member.value.CloneWith(arena, copy_string)};
      }
      copy.data_.members = block;
      break;
    }
    default:
      break;
  }
  return copy;
}

Value Value::Clone(Arena& arena) const {
  return CloneWith(arena, [&](std::string_view text) { return arena.Copy(text); });
}

Value Value::CloneSharingStrings(Arena& arena) const {
  return CloneWith(arena, [](std::string_view text) { return text; });
}

bool operator==(const Value& a, const Value& b) {
  if (a.IsNumber() && b.IsNumber()) {
    if (a.type_ == b.type_ && a.type_ != Type::kDouble) return a.data_.integer == b.data_.integer;
    return a.AsDouble() == b.AsDouble();
  }
  if (a.type_ != b.type_) return false;
  switch (a.type_) {
    case Type::kNull:
      return true;
    case Type::kBool:
      return a.AsBool() == b.AsBool();
    case Type::kString:
      return a.AsString() == b.AsString();
    case Type::kArray:
      return std::ranges::equal(a.elements(), b.elements());
    case Type::kObject: {
      if (a.size_ != b.size_) return false;
      for (uint32_t i = 0; i < a.size_; ++i) {
        const Member& member = a.data_.members[i];
        // Equal objects mostly have equal order.
        const Member& same = b.data_.members[i];
        const Value* other = SameText(same.name, member.name) ? &same.value : b.Find(member.name);
        if (other == nullptr || !(member.value == *other)) return false;
      }
      return true;
    }
    default:
      return false;
  }
}

}  // namespace kulisse::json
