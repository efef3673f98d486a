// Quantity is resource.Quantity: a decimal number with a suffix, exact.
// Upstream: apimachinery/pkg/api/resource. Threads: a value.
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

  // The canonical form that the API server writes: "1500m" for "1.5", "1Gi" for "1024Mi".
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
};

}  // namespace kulisse::openapi
