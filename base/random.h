// Random is a small seeded generator (xoshiro256**): the same seed gives the same numbers on every
// machine. Not for keys; those come from OpenSSL.
// Threads: one at a time.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace kulisse {

class Random {
 public:
  explicit Random(uint64_t seed);
  uint64_t Next();
  // Uniform in [0, bound). REQUIRES: bound > 0.
  uint64_t Below(uint64_t bound);
  // Uniform in [0, 1).
  double Unit();
  // `length` characters of `alphabet`.
  std::string Text(size_t length, std::string_view alphabet);

 private:
  std::array<uint64_t, 4> state_;
};

}  // namespace kulisse
