// MemberIndex finds members by name while an object is being built, in constant time however many
// there are: a client's object may have a hundred thousand names, or one of them as often.
//
// Borrows nothing: give it the same object each time, which may only grow meanwhile.
// Threads: one at a time.
#pragma once

#include <memory>
#include <string_view>
#include <unordered_map>

#include "base/json/value.h"

namespace kulisse::json {

class MemberIndex {
 public:
  // The member's value, or null.
  [[nodiscard]] Value* Find(Value& object, std::string_view name) {
    if (object.size() < kLinearMax) return object.Find(name);
    if (places_ == nullptr) places_ = std::make_unique<Places>();
    const auto members = object.members();
    for (size_t i = places_->size(); i < members.size(); ++i) places_->emplace(members[i].name, i);
    const auto it = places_->find(name);
    return it == places_->end() ? nullptr : &members[it->second].value;
  }

 private:
  // Up to here looking at each is quicker.
  static constexpr size_t kLinearMax = 24;
  using Places = std::unordered_map<std::string_view, size_t>;

  std::unique_ptr<Places> places_;  // of the first size() members
};

}  // namespace kulisse::json
