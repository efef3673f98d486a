// What a plain YAML 1.1 scalar means, by yaml.v2's rules (upstream: go.yaml.in/yaml/v2 resolve.go).
// Shared by the reader and the writer of openapi/yaml.h; not for others.
//
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kulisse::openapi {

enum class YamlTag : uint8_t { kNull, kBool, kInt, kUint, kFloat, kString, kTimestamp };

struct YamlScalar {
  YamlTag tag = YamlTag::kString;
  bool boolean = false;
  int64_t integer = 0;            // kInt
  uint64_t unsigned_integer = 0;  // kUint: beyond int64
  double number = 0;              // kFloat
};

// `timestamps`: whether date-like text is one (then it is never a number).
[[nodiscard]] YamlScalar ResolveYamlScalar(std::string_view text, bool timestamps = true);

// Go's strconv.FormatFloat(number, 'g', -1, 64), or 32 bits' shortest form.
[[nodiscard]] std::string FormatGoFloat(double number, bool single = false);

}  // namespace kulisse::openapi
