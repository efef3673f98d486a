// The tree of a jq program: written by parser.cc, names bound by resolver.cc, run by evaluator.cc.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "simulator/jq/natives.h"
#include "simulator/jq/value.h"

namespace kulisse::simulator::jq {

struct Node;
struct Definition;
using NodePtr = std::unique_ptr<Node>;

// How many results a node has. kOneIfParameters: one, if all functions that were passed to the
// definitions around it have one.
enum class Results : uint8_t { kAny, kOneIfParameters, kOne };

// `$x`, `[$a, $b]`, `{$a, b: $c, ("k"): $d}`.
struct Pattern {
  struct Entry {
    NodePtr key;                     // null: of an array, or `$name` alone
    std::string variable;            // `$name`: binds the member `name` too
    int slot = -1;                   // of `variable`
    std::unique_ptr<Pattern> value;  // may be null with a variable
  };
  enum class Kind : uint8_t { kVariable, kArray, kObject };
  Kind kind = Kind::kVariable;
  std::string variable;
  int slot = -1;
  std::vector<Entry> entries;
};

struct Node {
  enum class Kind : uint8_t {
    kIdentity,
    kConstant,     // constant
    kField,        // children[0] | .[constant]
    kIndex,        // children[0] | .[children[1]]; the index is evaluated on the node's own input
    kSlice,        // children[0] | .[children[1]:children[2]]; either may be null
    kIterate,      // children[0] | .[]
    kTry,          // try children[0] catch children[1]; the latter may be null
    kPipe,         // children[0] | children[1]
    kComma,        // children[0] , children[1]
    kAlternative,  // children[0] // children[1]
    kIf,           // if children[0] then children[1] else children[2] end; the last may be null
    kAnd,
    kOr,
    kArray,       // [children[0]], or [] without a child
    kObject,      // {(children[0]): children[1], …}; a value that is null is `.[key]`
    kReduce,      // reduce children[0] as patterns[0] (children[1]; children[2])
    kForeach,     // foreach children[0] as patterns[0] (children[1]; children[2]; children[3]?)
    kBind,        // children[0] as patterns[0] ?// … | children[1]
    kDefine,      // def definition; children[0]
    kLabel,       // label text | children[0]
    kBreak,       // break text
    kCall,        // text(children…), also of a variable: bound to one of the following
    kVariable,    // slot of the frame `level` up
    kParameter,   // slot: which closure of the frame `level` up
    kDefinition,  // called_definition(children…), made in the frame `level` up
    kNative,      // native(children…)
    kGetPath,     // getpath(children[0])
    kRange,       // range(children[0]; children[1]; children[2])
    kEmpty,
    kPath,     // path(children[0])
    kFirst,    // first(children[0])
    kLast,     // last(children[0])
    kIsEmpty,  // isempty(children[0])
    kAssign,   // children[0] = children[1]
    kModify,   // children[0] |= children[1]
    kUpdate,   // children[0] op= children[1], op being `native`
  };

  explicit Node(Kind node_kind, size_t node_offset = 0);
  ~Node();

  Kind kind;
  Results results = Results::kAny;
  size_t offset = 0;  // in the program
  int level = 0;
  int slot = -1;
  std::string text;
  Value constant;
  const Native* native = nullptr;
  const Definition* called_definition = nullptr;
  std::vector<NodePtr> children;
  std::vector<Pattern> patterns;
  std::unique_ptr<Definition> definition;
  int closure_slots = 0;  // as a function that is passed: the variables of its frame
};

// One function of the language's own kind.
struct Definition {
  std::string name;
  std::vector<std::string> parameters;  // "f" or "$x"
  NodePtr body;
  int slots = 0;
  Results results = Results::kAny;  // given parameters with one result
  bool is_builtin = false;
};

// Here, where a definition is complete.
inline Node::Node(Kind node_kind, size_t node_offset) : kind(node_kind), offset(node_offset) {}
inline Node::~Node() = default;

// What a whole program needs to run.
struct Program {
  NodePtr root;
  int slots = 0;
};

}  // namespace kulisse::simulator::jq
