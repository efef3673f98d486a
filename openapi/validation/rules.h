// The rules of every type, read once from openapi/facts/validation.tsv and worked out so that a
// walk looks up each member of an object once. Internal to openapi/validation.
//
// Owns: the rules; immutable. Threads: any.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "openapi/type_table.h"
#include "openapi/validation/walk.h"

namespace kulisse::openapi {

enum class RuleKind : uint8_t {
  kFunction,
  kValidate,  // here, in an update, the rules of Phase::kAlways
  kWalk,      // the rules of the field's type, for each element
  kRequired,  // there and not empty
  kNotEmpty,  // not "", if it is there
  kEnum,      // one of `words`
  kFormat,    // a text (or each text of a list) has the form
  kLabels,    // a map of labels
  kMinimum,   // a number is at least `low`
  kMaximum,   // at most `high`
  kPositive,
  kRange,       // low..high
  kPort,        // a number 1..65535
  kPortOrName,  // an int-or-string
  kMaxBytes,    // of a text
  kMaxItems,
  kUnique,     // no two elements have equal `words` (or are equal, without words)
  kForbidden,  // not there
  kImmutable,  // equal to the old one
};

struct Rule {
  RuleKind kind;
  uint16_t field = 0;                  // index in json_fields of the (first) name
  std::vector<std::string_view> path;  // names; several: a field of a part
  const FieldInfo* info = nullptr;     // of the last name; null: the object itself
  CheckFunction function = nullptr;
  Format format = nullptr;
  bool always = false;       // "word!": a missing value is checked as "" or 0
  bool skips_empty = false;  // "word?": a pointer to "" is not checked
  int64_t low = 0;
  int64_t high = 0;
  std::vector<std::string> words;
  std::string detail;
};

// When rules apply.
enum class Phase : uint8_t {
  kAlways,  // to new objects and to updated ones
  kCreate,
  kUpdate,  // without or beside kAlways: the row "validate" says where
  kStatus,  // updates of the status alone
};
inline constexpr size_t kPhases = 4;

struct TypeRules {
  std::vector<Rule> rules[kPhases];
};

class RuleTable {
 public:
  // Of the built-in types; made at the first call.
  static const RuleTable& BuiltIn();

  [[nodiscard]] const TypeRules& Get(TypeId type) const { return types_[type]; }
  [[nodiscard]] const TypeTable& table() const { return table_; }

 private:
  explicit RuleTable(const TypeTable& table);
  void ReadRule(TypeId type, Phase phase, std::string_view line);
  void SetArguments(Rule& rule, std::string_view word, std::string_view arguments);

  const TypeTable& table_;
  std::vector<TypeRules> types_;
};

}  // namespace kulisse::openapi
