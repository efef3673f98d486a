#include "openapi/cel/evaluation.h"

#include <algorithm>
#include <cstring>
#include <new>

namespace kulisse::openapi::cel {

bool Evaluation::SpendMemory(size_t bytes) {
  if (bytes > kCelMemoryBytesMax - std::min(bytes_, kCelMemoryBytesMax)) {
    exhausted_ = true;
    return false;
  }
  bytes_ += bytes;
  return true;
}

void* Evaluation::Allocate(size_t bytes) {
  return SpendMemory(bytes) ? arena_.Allocate(bytes) : nullptr;
}

Value Evaluation::MakeString(std::string_view text) {
  if (!SpendBytes(text.size()) || !SpendMemory(text.size())) return Value::Error("out of memory");
  return Value::String(arena_.Copy(text));
}

ListData* Evaluation::MakeList(size_t capacity) {
  if (!Spend(capacity)) return nullptr;
  void* memory = Allocate(sizeof(ListData) + capacity * sizeof(Value));
  if (memory == nullptr) return nullptr;
  auto* list = new (memory) ListData;
  list->items = reinterpret_cast<Value*>(list + 1);
  std::uninitialized_default_construct_n(list->items, capacity);
  list->capacity = static_cast<uint32_t>(capacity);
  return list;
}

MapData* Evaluation::MakeMap(size_t size) {
  if (!Spend(size)) return nullptr;
  void* memory = Allocate(sizeof(MapData) + size * sizeof(MapEntry));
  if (memory == nullptr) return nullptr;
  auto* map = new (memory) MapData;
  map->entries = reinterpret_cast<MapEntry*>(map + 1);
  std::uninitialized_default_construct_n(map->entries, size);
  map->size = size;
  return map;
}

bool Evaluation::Append(ListData& list, const Value& value) {
  if (!Spend(1)) return false;
  if (list.size == list.capacity) {
    constexpr uint32_t kCapacityMin = 8;
    const uint32_t capacity = std::max(kCapacityMin, list.capacity * 2);
    void* memory = Allocate(capacity * sizeof(Value));
    if (memory == nullptr) return false;
    auto* items = static_cast<Value*>(memory);
    std::uninitialized_copy_n(list.items, list.size, items);
    list.items = items;
    list.capacity = capacity;
  }
  new (&list.items[list.size++]) Value(value);
  return true;
}

}  // namespace kulisse::openapi::cel
