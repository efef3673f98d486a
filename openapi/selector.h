// Label and field selectors as clients send them, parsed once and matched against records.
// Upstream: apimachinery/pkg/labels, apimachinery/pkg/fields; the error texts are theirs.
//
// Owns: its parts. Immutable. Threads: any.
// Limits: as long as the request line.
#pragma once

#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/value.h"

namespace kulisse::openapi {

// Gives the value of a label or field, or nothing.
using Lookup = std::function<std::optional<std::string_view>(std::string_view)>;

enum class SelectorOperator : uint8_t {
  kIn,
  kNotIn,
  kExists,
  kDoesNotExist,
  kEquals,
  kDoubleEquals,
  kNotEquals,
  kGreaterThan,
  kLessThan,
};

class LabelSelector {
 public:
  struct Requirement {
    std::string key;
    SelectorOperator op;
    std::vector<std::string> values;  // sorted
  };

  // "a=b,c in (x,y),!d". The error is the text for a 400: "unable to parse requirement: …".
  static std::expected<LabelSelector, std::string> Parse(std::string_view text);
  // A metav1.LabelSelector object {matchLabels, matchExpressions}.
  static std::expected<LabelSelector, std::string> FromObject(const json::Value& selector);

  [[nodiscard]] bool empty() const { return requirements_.empty(); }
  [[nodiscard]] bool Matches(const Lookup& label) const;
  // Canonical text, requirements sorted by key.
  [[nodiscard]] std::string ToString() const;
  [[nodiscard]] const std::vector<Requirement>& requirements() const { return requirements_; }

 private:
  std::vector<Requirement> requirements_;
};

class FieldSelector {
 public:
  struct Term {
    std::string field;
    bool equal;  // else "!="
    std::string value;
  };

  // "a=b,c!=d", with \, \= and \\ as escapes. Whether the kind has the fields is the caller's
  // business. The error is the text for a 400: "invalid selector: 'abc'; can't understand 'abc'".
  static std::expected<FieldSelector, std::string> Parse(std::string_view text);

  [[nodiscard]] bool empty() const { return terms_.empty(); }
  // A field without a value counts as "".
  [[nodiscard]] bool Matches(const Lookup& field) const;
  [[nodiscard]] std::string ToString() const;
  [[nodiscard]] const std::vector<Term>& terms() const { return terms_; }
  [[nodiscard]] std::vector<Term>& terms() { return terms_; }

 private:
  std::vector<Term> terms_;
};

}  // namespace kulisse::openapi
