// The tree of a jq expression: made by jq_parser.cc, run by jq.cc.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/value.h"

namespace kulisse::simulator {

enum class JqFunction : uint8_t {
  kAdd,
  kAll,
  kAny,
  kEmpty,
  kEndsWith,
  kFirst,
  kHas,
  kKeys,
  kLast,
  kLength,
  kMap,
  kNot,
  kSelect,
  kStartsWith,
  kToNumber,
  kToString,
  kType,
  kValues,
};

struct JqNode {
  enum class Kind : uint8_t {
    kIdentity,
    kLiteral,      // literal
    kField,        // children[0] | .text
    kIndex,        // children[0] | .[children[1]]; the index is evaluated on the node's own input
    kIterate,      // children[0] | .[]
    kTry,          // children[0]?
    kPipe,         // children[0] | children[1]
    kComma,        // children[0] , children[1]
    kAlternative,  // children[0] // children[1]
    kAnd,
    kOr,
    kEqual,
    kNotEqual,
    kLess,
    kLessEqual,
    kGreater,
    kGreaterEqual,
    kAdd,
    kSubtract,
    kArray,  // [children[0]], or [] without a child
    kCall,   // function(children…)
  };

  Kind kind = Kind::kIdentity;
  JqFunction function = JqFunction::kEmpty;
  std::string text;
  json::Value literal;  // a string refers to `text`
  std::vector<std::unique_ptr<JqNode>> children;
};

[[nodiscard]] std::expected<std::unique_ptr<JqNode>, std::string> ParseJq(std::string_view text);

}  // namespace kulisse::simulator
