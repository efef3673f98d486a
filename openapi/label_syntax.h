// The syntax of label keys and values, with the texts that upstream gives when it is violated.
// Upstream: apimachinery/pkg/api/validate/content (IsLabelKey, IsLabelValue).
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kulisse::openapi {

// What is wrong with the key ("example.com/name" or "name"); empty when nothing is.
[[nodiscard]] std::vector<std::string> LabelKeyErrors(std::string_view key);
[[nodiscard]] std::vector<std::string> LabelValueErrors(std::string_view value);
// "a.b-c": lower case RFC 1123 labels joined by dots, at most 253 bytes.
[[nodiscard]] bool IsDns1123Subdomain(std::string_view text);

}  // namespace kulisse::openapi
