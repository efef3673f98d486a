// Context is what native functions see of the evaluation under way: its memory, its error, the
// clock and the compiled regular expressions.
//
// Borrows: the arena. Threads: one at a time.
// Limits: kExpressionMemoryBytesMax.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/json/value.h"
#include "base/time.h"
#include "simulator/jq/regex.h"
#include "simulator/jq/value.h"

namespace kulisse::simulator::jq {

class Context {
 public:
  Context(json::Arena& arena, RegexCache& regexes, std::optional<SystemTime> now)
      : arena_(arena), regexes_(regexes), now_(now) {}

  [[nodiscard]] json::Arena& arena() { return arena_; }
  [[nodiscard]] RegexCache& regexes() { return regexes_; }
  [[nodiscard]] std::optional<SystemTime> now() const { return now_; }

  // --- errors. All return false, for the caller to return.
  bool Fail(std::string_view message);
  bool FailType(std::string_view name, const Value& value);  // "f cannot be applied to: …"
  bool FailType(std::string_view name, const Value& value, const Value& argument);
  // "f(argument) cannot be applied to value: why"
  bool FailWith(std::string_view name, const Value& value, std::string_view why);
  bool FailWith(std::string_view name, const Value& value, const Value& argument,
                std::string_view why);
  // What `error` raises: the value itself can be caught.
  bool Raise(const Value& value);
  // A limit is reached: nothing catches that.
  bool FailLimit(std::string_view message);

  [[nodiscard]] bool is_limit() const { return is_limit_; }
  [[nodiscard]] const Value& error() const { return error_; }
  [[nodiscard]] std::string ErrorText() const;

  // --- memory
  void* Allocate(size_t bytes) {
    used_ += bytes;
    return arena_.Allocate(bytes);
  }
  // Fails when so many bytes more are too many.
  bool Reserve(size_t bytes);
  [[nodiscard]] bool IsExhausted() const;
  // Fails when comparing all of so many with all of so many others takes too long.
  bool ReservePairs(size_t a, size_t b);

  [[nodiscard]] Value String(std::string_view text);  // copied
  // Room for the elements or members of a new value, to be filled; null and "" at first.
  [[nodiscard]] std::span<Value> NewElements(size_t count);
  [[nodiscard]] std::span<Member> NewMembers(size_t count);
  // The same elements or members as an own array or object has them. REQUIRES: of that kind.
  [[nodiscard]] std::span<const Value> Elements(const Value& array);
  [[nodiscard]] std::span<const Member> Members(const Value& object);
  // The elements of an array, the values of an object in the order of their names; nothing of all
  // others.
  [[nodiscard]] std::optional<std::span<const Value>> Values(const Value& value);
  // An object of these members; of those with one name the last counts. The span is reordered.
  [[nodiscard]] Value MakeObject(std::span<Member> members);

 private:
  json::Arena& arena_;
  RegexCache& regexes_;
  std::optional<SystemTime> now_;
  size_t used_ = 0;
  double pairs_ = 0;  // compared so far: a double cannot overflow
  Value error_;
  bool is_raised_ = false;
  bool is_limit_ = false;
};

// Elements one after the other, in the arena.
class ArrayBuilder {
 public:
  explicit ArrayBuilder(Context& context) : context_(context) {}
  void Add(const Value& value) {
    if (size_ == room_.size()) Grow();
    room_[size_++] = value;
  }
  [[nodiscard]] Value Build() const { return Value::Array(room_.first(size_)); }

 private:
  void Grow();

  Context& context_;
  std::span<Value> room_;
  size_t size_ = 0;
};

}  // namespace kulisse::simulator::jq
