// Evaluation is the memory and the budget of evaluating expressions: what they make lies in it.
// Use one for several expressions on one object, or a fresh one each; an unused one costs nothing.
//
// Owns: what expressions made. Threads: one at a time.
// Limits: kCelStepsMax steps, kCelMemoryBytesMax bytes; then every evaluation yields an error that
//   no operator absorbs.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json/value.h"
#include "openapi/cel/limits.h"
#include "openapi/cel/value.h"

namespace kulisse::openapi::cel {

class Evaluation {
 public:
  explicit Evaluation(size_t steps_max = kCelStepsMax) : steps_left_(steps_max) {}
  // `host` is for the functions that the host brought; others do not look at it.
  explicit Evaluation(void* host) : Evaluation() { host_ = host; }

  // What it was made with, or null.
  [[nodiscard]] void* host() const { return host_; }

  // Takes `steps` from the budget; false when it is used up.
  bool Spend(size_t steps) {
    if (steps > steps_left_) [[unlikely]] {
      steps_left_ = 0;
      exhausted_ = true;
      return false;
    }
    steps_left_ -= steps;
    return true;
  }
  // For work on text: a step per hundred bytes.
  bool SpendBytes(size_t bytes) { return Spend(bytes / 100 + 1); }
  [[nodiscard]] bool exhausted() const { return exhausted_; }
  [[nodiscard]] size_t steps_left() const { return steps_left_; }

  // An error value with a copy of the message.
  Value Fail(std::string_view message) { return Value::Error(arena_.Copy(message)); }
  // A string value with a copy of the text.
  Value MakeString(std::string_view text);
  // A list or a map of `size` null values to be filled in; null when the budget is used up.
  ListData* MakeList(size_t capacity);
  MapData* MakeMap(size_t size);
  // Makes room for one more. False when the budget is used up.
  bool Append(ListData& list, const Value& value);
  // `bytes` of memory; null when the budget is used up.
  void* Allocate(size_t bytes);
  // A C++ object that lives as long as this.
  template <class T>
  const T* Keep(T object) {
    auto owner = std::make_shared<const T>(std::move(object));
    const T* kept = owner.get();
    SpendMemory(sizeof(T));
    kept_.push_back(std::move(owner));
    return kept;
  }

 private:
  bool SpendMemory(size_t bytes);

  json::Arena arena_;
  size_t bytes_ = 0;
  size_t steps_left_;
  bool exhausted_ = false;
  void* host_ = nullptr;
  std::vector<std::shared_ptr<const void>> kept_;
};

}  // namespace kulisse::openapi::cel
