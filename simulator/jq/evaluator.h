// Evaluator runs a jq program on one value.
//
// By continuations: a node hands each of its results to a sink, so that nothing is collected on the
// way and whoever has seen enough stops the rest. A node that is known to have one result is simply
// computed (One); what comes last is not called but continued with, so that loops written as
// recursion take no stack.
//
// Paths: while a path is asked for, each value carries the path that leads to it, and steps check
// that they go on from the value at that path's end, as gojq does.
//
// Borrows: context and program. Threads: one at a time.
// Limits: kExpressionStepsMax, kExpressionStackBytesMax, kExpressionMemoryBytesMax.
#pragma once

#include <cstdint>

#include "simulator/jq/context.h"
#include "simulator/jq/function_ref.h"
#include "simulator/jq/node.h"
#include "simulator/jq/path_editor.h"
#include "simulator/jq/value.h"

namespace kulisse::simulator::jq {

// kError: the context says what; kBreak: on the way to the label.
enum class Outcome : uint8_t { kGoOn, kError, kBreak };

// One step of a path; the first one is where it starts and has no key.
struct PathStep {
  const PathStep* before;
  Value key;
  Value value;
};

struct Pathed {
  Value value;
  const PathStep* path = nullptr;  // null: none is asked for
};

using Sink = FunctionRef<Outcome(const Pathed&)>;

class Evaluator {
 public:
  explicit Evaluator(Context& context);

  Outcome Run(const Program& program, const Value& input, Sink sink);

 private:
  struct Frame;
  // A function that is passed to another one.
  struct Closure {
    const Node* body;
    const Frame* frame;
  };
  // The variables of a call. Lives in the arena: calls in last position outlive their caller.
  struct Frame {
    const Frame* outer;
    const Closure* closures;
    Value* slots;
    bool parameters_have_one;  // all that were passed, here and in the frames around
  };
  using Next = FunctionRef<Outcome()>;
  using Change = FunctionRef<Outcome(const Value& before, bool* changed, Value* after)>;

  // --- evaluator.cc
  Outcome Run(const Node* node, const Frame* frame, Pathed input, Sink sink);
  Outcome RunSteps(const Node& node, const Frame& frame, const Pathed& input, Sink sink);
  Outcome One(const Node* node, const Frame* frame, Value input, Value* result);
  Outcome OneOf(const Node& node, const Frame& frame, const Value& input, Value* result);
  Outcome OneObject(const Node& node, const Frame& frame, const Value& input, Value* result);
  [[nodiscard]] bool TakeStep();
  [[nodiscard]] static bool HasOne(const Node& node, const Frame& frame);
  static const Frame& Up(const Frame& frame, int level);
  const Frame* Enter(const Node& node, const Frame& frame, const Node** body);

  Outcome Collect(const Node& node, const Frame& frame, const Value& input, Value* result);
  Outcome Access(const Node& node, const Frame& frame, const Pathed& input, Sink sink);
  Outcome AccessAt(const Node& target, const Frame& frame, const Pathed& input, const Value& index,
                   Sink sink);
  Outcome Iterate(const Pathed& input, Sink sink);
  Outcome Arguments(const Node& node, const Frame& frame, const Pathed& input, size_t left,
                    Value* arguments, Sink sink);
  Outcome Call(const Native& native, const Value& input, const Value* arguments, Value* result);
  Outcome Objects(const Node& node, const Frame& frame, const Pathed& input, size_t done,
                  std::span<Value> parts, Sink sink);
  bool MakeObject(std::span<const Value> parts, Value* result);

  // --- evaluator_forms.cc
  Outcome RunForm(const Node& node, const Frame& frame, const Pathed& input, Sink sink);
  Outcome Condition(const Node& node, const Frame& frame, const Pathed& input, Sink sink);
  Outcome Try(const Node& node, const Frame& frame, const Pathed& input, Sink sink);
  static void Clear(const Pattern& pattern, const Frame& frame);
  Outcome Alternative(const Node& node, const Frame& frame, const Pathed& input, Sink sink);
  Outcome Bind(const Node& node, const Frame& frame, const Pathed& input, Sink sink);
  Outcome Match(const Pattern& pattern, const Frame& frame, const Value& value, Next next);
  Outcome MatchEntries(const Pattern& pattern, size_t index, const Frame& frame, const Value& value,
                       Next next);
  Outcome MatchEntry(const Pattern::Entry& entry, const Frame& frame, const Value& part, Next next);
  Outcome Reduce(const Node& node, const Frame& frame, const Pathed& input, Sink sink);
  Outcome Foreach(const Node& node, const Frame& frame, const Pathed& input, Sink sink);
  Outcome Label(const Node& node, const Frame& frame, const Pathed& input, Sink sink);
  Outcome First(const Node& node, const Frame& frame, const Pathed& input, Sink sink);
  Outcome Last(const Node& node, const Frame& frame, const Pathed& input, Sink sink);
  Outcome IsEmpty(const Node& node, const Frame& frame, const Pathed& input, Sink sink);
  Outcome Range(const Node& node, const Frame& frame, const Pathed& input, Sink sink);
  Outcome Paths(const Node& node, const Frame& frame, const Value& input, Sink sink);
  Outcome GetPathAt(const Node& node, const Frame& frame, const Pathed& input, Sink sink);
  Outcome Assign(const Node& node, const Frame& frame, const Pathed& input, Sink sink);
  Outcome Modify(const Node& node, const Frame& frame, const Pathed& input, Sink sink);
  Outcome Update(const Node& node, const Frame& frame, const Pathed& input, Sink sink);
  Outcome ModifyAt(const Node& paths, const Frame& frame, const Value& input, Change change,
                   Value* result);

  // --- paths
  const PathStep* Step(const PathStep* before, const Value& key, const Value& value);
  Value PathValue(const PathStep* last);
  // Fails when a path is asked for and the value is not where it leads.
  Outcome CheckPath(const Pathed& input, std::string_view doing = "");

  static Outcome ToOutcome(bool done) { return done ? Outcome::kGoOn : Outcome::kError; }

  Context& context_;
  const char* stack_base_;
  size_t steps_ = 0;
  uint64_t labels_ = 0;
  uint64_t broken_label_ = 0;  // with kBreak
};

}  // namespace kulisse::simulator::jq
