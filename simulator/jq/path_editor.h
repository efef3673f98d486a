// PathEditor changes a value at paths, one after the other. Values are never changed by others, so
// it copies what it changes once, and from then on writes into its own copies.
//
// Borrows: the context. Errors: false, with the error in the context.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_set>

#include "simulator/jq/context.h"
#include "simulator/jq/value.h"

namespace kulisse::simulator::jq {

class PathEditor {
 public:
  explicit PathEditor(Context& context) : context_(context) {}

  bool Set(const Value& path, const Value& replacement, Value* value);
  // All at once: indexes are those of before.
  bool Delete(const Value& paths, Value* value);
  // Tells that the value was handed out: what it holds must stay as it is.
  void Release(const Value& value);

 private:
  bool Update(std::span<const Value> path, const Value& replacement, Value* value);
  bool UpdateMember(std::span<const Value> path, const Value& replacement, Value* value);
  bool UpdateElement(std::span<const Value> path, const Value& replacement, Value* value);
  bool UpdateSlice(std::span<const Value> path, const Value& replacement, Value* value);
  bool PutElement(int64_t index, const Value& element, Value* array);
  bool PutSlice(size_t start, size_t end, const Value& replacement, Value* array);
  void Sweep(Value* value);
  [[nodiscard]] bool Owns(const Value& value) const;
  Value Own(std::span<const Value> elements);

  Context& context_;
  std::unordered_set<const void*> owned_;
};

// The start and end that `{"start": …, "end": …}` or `[start:end]` mean for so many elements.
bool SliceBounds(Context& context, size_t size, const Value& start, const Value& end,
                 bool is_string, size_t* first, size_t* last);

}  // namespace kulisse::simulator::jq
