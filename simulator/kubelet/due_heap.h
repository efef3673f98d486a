// DueHeap orders what is to happen later: an indexed heap of pointers, 8 bytes an element, from
// which any element can be taken out at once. 150,000 timers as Runtime timers would cost twenty
// times that; the owner keeps one Runtime timer for the heap's top.
//
// Borrows: its elements, which must stay where they are while they are in it.
// Threads: one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/time.h"

namespace kulisse::simulator {

struct DueElement {
  MonotonicTime due;
  uint64_t sequence = 0;  // elements due at the same time come in the order of Push()
  uint32_t heap_index = 0;
};

// T derives from DueElement.
template <class T>
class DueHeap {
 public:
  [[nodiscard]] bool empty() const { return heap_.empty(); }
  [[nodiscard]] size_t size() const { return heap_.size(); }
  // The element that is due first. REQUIRES: !empty().
  [[nodiscard]] T* top() const { return heap_[0]; }

  void Push(T* element) {
    element->sequence = ++sequence_;
    heap_.push_back(element);
    Up(heap_.size() - 1);
  }

  void Remove(T* element) {
    const size_t at = element->heap_index;
    T* const last = heap_.back();
    heap_.pop_back();
    if (last == element) return;
    heap_[at] = last;
    Up(at);
    Down(last->heap_index);
  }

 private:
  static bool Before(const T* a, const T* b) {
    return a->due != b->due ? a->due < b->due : a->sequence < b->sequence;
  }

  void Place(T* element, size_t at) {
    heap_[at] = element;
    element->heap_index = static_cast<uint32_t>(at);
  }

  void Up(size_t at) {
    T* const element = heap_[at];
    while (at > 0 && Before(element, heap_[(at - 1) / 2])) {
      Place(heap_[(at - 1) / 2], at);
      at = (at - 1) / 2;
    }
    Place(element, at);
  }

  void Down(size_t at) {
    T* const element = heap_[at];
    while (true) {
      size_t child = 2 * at + 1;
      if (child >= heap_.size()) break;
      if (child + 1 < heap_.size() && Before(heap_[child + 1], heap_[child])) ++child;
      if (!Before(heap_[child], element)) break;
      Place(heap_[child], at);
      at = child;
    }
    Place(element, at);
  }

  std::vector<T*> heap_;
  uint64_t sequence_ = 0;
};

}  // namespace kulisse::simulator
