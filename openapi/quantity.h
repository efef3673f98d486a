// Quantity is resource.Quantity: a decimal number with a suffix, exact.
// Upstream: apimachinery/pkg/api/resource. Threads: a value.
// Limits: magnitudes from about 1.7e29 on saturate; numbers with binary suffixes at 2^63-1, as
// upstream does.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kulisse::openapi {

class Quantity {
 public:
  enum class Format : uint8_t { kDecimalSI, kBinarySI, kDecimalExponent };

  Quantity() = default;
  // Nothing when malformed ("quantities must match the regular expression …").
  static std::optional<Quantity> Parse(std::string_view text);
  static Quantity FromInt(int64_t value, Format format = Format::kDecimalSI);

  // The canonical form that the API server writes: "1500m" for "1.5", "1Gi" for "1024Mi". Like
  // upstream it gives back the text that was parsed where that needs no other suffix ("05").
  [[nodiscard]] std::string ToString() const;
  // Rounded up to an integer; saturates.
  [[nodiscard]] int64_t Value() const;
  [[nodiscard]] int64_t MilliValue() const;
  [[nodiscard]] double AsDouble() const;
  [[nodiscard]] int Sign() const;

  Quantity& operator+=(const Quantity& other);
  Quantity& operator-=(const Quantity& other);
  friend std::strong_ordering operator<=>(const Quantity& a, const Quantity& b);
  friend bool operator==(const Quantity& a, const Quantity& b) { return (a <=> b) == 0; }

 private:
  // value = nanos / 1e9; quantities finer than nano are rounded up, as upstream does.
  __int128 nanos_ = 0;
  Format format_ = Format::kDecimalSI;
  std::string text_;  // as parsed, when ToString() is to give it back; else ""
};

}  // namespace kulisse::openapi
