// Stage is one rule of the simulation (kwok.x-k8s.io/v1alpha1 Stage), read strictly and compiled:
// which objects it applies to, how likely and how soon, and what it does to them.
//
// Owns: its programs. Immutable once parsed. Threads: any.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/json/value.h"
#include "simulator/client/patch.h"
#include "simulator/jq/jq.h"
#include "simulator/stage/cel_environment.h"
#include "simulator/stage/template.h"

namespace kulisse::simulator {

// What a stage asks of the object, in either language.
using Expression = std::variant<Jq, CelExpression>;

struct JqRequirement {
  enum class Operator : uint8_t { kIn, kNotIn, kExists, kDoesNotExist };
  Jq key;
  Operator op;
  std::vector<std::string> values;
};
using MatchExpression = std::variant<JqRequirement, CelExpression>;

struct StageSelector {
  std::vector<std::pair<std::string, std::string>> match_labels;
  std::vector<std::pair<std::string, std::string>> match_annotations;
  std::vector<MatchExpression> match_expressions;
};

struct StageDelay {
  int64_t duration_milliseconds = 0;
  std::optional<Expression> duration_from;
  std::optional<int64_t> jitter_milliseconds;
  std::optional<Expression> jitter_from;
};

// What a stage does, one after the other. `next` and `steps` are both read into these.
struct EventAction {
  std::string type;  // Normal, Warning
  std::string reason;
  std::string message;
};
struct FinalizersAction {
  std::vector<std::string> add;
  std::vector<std::string> remove;
  bool empty = false;  // first drops all that are there
};
struct DeleteAction {};
struct PatchAction {
  PatchType type;
  std::string subresource;
  std::string root;
  Template body;
  std::string user;  // in whose name; "" for the simulator itself
};
// Makes the object of the template, or changes the one that is there.
struct ApplyAction {
  enum class Type : uint8_t { kApply, kMerge, kStrategic };
  Type type;
  std::string subresource;  // of an object that must be there; "" for all of it
  Template body;
  std::string user;
};
using StageAction =
    std::variant<EventAction, FinalizersAction, DeleteAction, PatchAction, ApplyAction>;

struct Stage {
  std::string name;
  std::string group;  // of the objects that it plays on
  std::string version;
  std::string kind;
  // Nothing: the stage never applies.
  std::optional<StageSelector> selector;
  int64_t weight = 0;
  std::optional<Expression> weight_from;
  std::optional<StageDelay> delay;  // nothing: at once
  bool immediate_next_stage = false;
  std::vector<StageAction> actions;
  // Of each action, the first one of its step: where a stage begins again when the action fails.
  std::vector<uint16_t> step_begins;

  // `object` is a Stage object; `cel` must outlive the stage. The error names stage and field:
  // `Stage "a": spec.selector.matchExpressions[0].cel.expression: …`.
  [[nodiscard]] static std::expected<Stage, std::string> Parse(const json::Value& object,
                                                               const CelEnvironment& cel);
};

}  // namespace kulisse::simulator
