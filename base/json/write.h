// Prints JSON as Go's encoding/json does: compact, with <, >, &, U+2028 and U+2029 escaped, so that
// answers equal kube-apiserver's byte for byte.
#pragma once

#include <string>
#include <string_view>

#include "base/json/value.h"

namespace kulisse::json {

// Appends `text` in quotes. Invalid UTF-8 becomes U+FFFD, as in Go.
void AppendString(std::string_view text, std::string* out);
// Appends a number as Go prints a float64 (shortest form that reads back equal).
void AppendDouble(double number, std::string* out);
void AppendInt(int64_t number, std::string* out);
void Append(const Value& value, std::string* out);
[[nodiscard]] std::string ToString(const Value& value);
// With members in alphabetical order at every level: one form for equal values.
[[nodiscard]] std::string ToSortedString(const Value& value);

// Indenter turns compact JSON text into an indented one, piece by piece (as Go's json.Indent).
// REQUIRES: the pieces together are valid JSON.
class Indenter {
 public:
  explicit Indenter(int blanks) : blanks_(blanks) {}
  void Append(std::string_view piece, std::string* out);

 private:
  void NewLine(std::string* out) const;

  int blanks_;
  size_t depth_ = 0;
  bool in_string_ = false;
  bool escaped_ = false;
  bool opened_ = false;  // the last character opened an array or object
};

// The whole text at once.
void AppendIndented(std::string_view compact, int blanks, std::string* out);

}  // namespace kulisse::json
