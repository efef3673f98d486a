// LruCache keeps the values of the keys that were asked for last.
//
// Owns: keys and values. Threads: one at a time. Limits: the size given.
#pragma once

#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace kulisse::simulator {

template <class V>
class LruCache {
 public:
  explicit LruCache(size_t size_max) : size_max_(size_max) {}

  // The value of the key, a new one when it is not there (any more). Valid until the next call.
  V& operator[](std::string_view key) {
    if (const auto it = places_.find(key); it != places_.end()) {
      entries_.splice(entries_.begin(), entries_, it->second);
    } else {
      entries_.emplace_front(std::string(key), V{});
      places_.emplace(entries_.front().first, entries_.begin());
      if (entries_.size() > size_max_) {
        places_.erase(entries_.back().first);
        entries_.pop_back();
      }
    }
    return entries_.front().second;
  }

  [[nodiscard]] size_t size() const { return entries_.size(); }

 private:
  using Entries = std::list<std::pair<std::string, V>>;  // the last asked for first

  const size_t size_max_;
  Entries entries_;
  std::unordered_map<std::string_view, typename Entries::iterator> places_;  // by the entry's key
};

}  // namespace kulisse::simulator
