#include "simulator/jq/evaluator.h"

#include <fmt/format.h>

#include <algorithm>
#include <new>

#include "simulator/jq/natives.h"
#include "simulator/limits.h"

namespace kulisse::simulator::jq {

namespace {

using NodeKind = Node::Kind;

const char* StackAddress() { return static_cast<const char*>(__builtin_frame_address(0)); }

constexpr size_t kArgumentsMax = 3;

}  // namespace

Evaluator::Evaluator(Context& context) : context_(context), stack_base_(StackAddress()) {}

Outcome Evaluator::Run(const Program& program, const Value& input, Sink sink) {
  const Frame frame{.outer = nullptr,
                    .closures = nullptr,
                    .slots = context_.NewElements(static_cast<size_t>(program.slots)).data(),
                    .parameters_have_one = true};
  return Run(program.root.get(), &frame, {input}, sink);
}

bool Evaluator::TakeStep() {
  if (++steps_ > kExpressionStepsMax) {
    return context_.FailLimit("the expression takes too many steps");
  }
  if (stack_base_ - StackAddress() > static_cast<ptrdiff_t>(kExpressionStackBytesMax)) {
    return context_.FailLimit("the expression is nested too deeply");
  }
  if (context_.IsExhausted()) return context_.Reserve(0);
  return true;
}

bool Evaluator::HasOne(const Node& node, const Frame& frame) {
  return node.results == Results::kOne ||
         (node.results == Results::kOneIfParameters && frame.parameters_have_one);
}

const Evaluator::Frame& Evaluator::Up(const Frame& frame, int level) {
  const Frame* up = &frame;
  for (; level > 0; --level) up = up->outer;
  return *up;
}

// The frame of a call, and what runs in it.
const Evaluator::Frame* Evaluator::Enter(const Node& node, const Frame& frame, const Node** body) {
  if (node.kind == NodeKind::kParameter) {
    const Closure& closure = Up(frame, node.level).closures[node.slot];
    *body = closure.body;
    const auto slots = static_cast<size_t>(closure.body->closure_slots);
    return new (context_.Allocate(sizeof(Frame)))
        Frame{.outer = closure.frame,
              .closures = nullptr,
              .slots = slots ? context_.NewElements(slots).data() : nullptr,
              .parameters_have_one = closure.frame->parameters_have_one};
  }
  const Definition& definition = *node.called_definition;
  *body = definition.body.get();
  const size_t passed = node.children.size();
  auto* closures = static_cast<Closure*>(context_.Allocate(passed * sizeof(Closure)));
  // What is built in refers to nothing around it, and its level leads nowhere.
  const Frame* const outer = definition.is_builtin ? nullptr : &Up(frame, node.level);
  bool have_one = outer == nullptr || outer->parameters_have_one;
  for (size_t i = 0; i < passed; ++i) {
    new (&closures[i]) Closure{node.children[i].get(), &frame};
    have_one = have_one && HasOne(*node.children[i], frame);
  }
  const auto slots = static_cast<size_t>(definition.slots);
  return new (context_.Allocate(sizeof(Frame)))
      Frame{.outer = outer,
            .closures = closures,
            .slots = slots ? context_.NewElements(slots).data() : nullptr,
            .parameters_have_one = have_one};
}

// --- nodes with one result, while no path is asked for

Outcome Evaluator::One(const Node* node, const Frame* frame, Value input, Value* result) {
  for (;;) {
    if (!TakeStep()) return Outcome::kError;
    const auto child = [&](size_t i) { return node->children[i].get(); };
    switch (node->kind) {
      case NodeKind::kIdentity:
        *result = input;
        return Outcome::kGoOn;
      case NodeKind::kConstant:
        *result = node->constant;
        return Outcome::kGoOn;
      case NodeKind::kVariable:
        *result = Up(*frame, node->level).slots[node->slot];
        return Outcome::kGoOn;
      case NodeKind::kPipe: {
        const Outcome left = One(child(0), frame, input, &input);
        if (left != Outcome::kGoOn) return left;
        node = child(1);
        continue;
      }
      case NodeKind::kIf: {
        Value condition;
        const Outcome outcome = One(child(0), frame, input, &condition);
        if (outcome != Outcome::kGoOn) return outcome;
        node = child(condition.IsTrue() ? 1 : 2);
        if (node) continue;
        *result = input;
        return Outcome::kGoOn;
      }
      case NodeKind::kAnd:
      case NodeKind::kOr: {
        const Outcome outcome = One(child(0), frame, input, result);
        if (outcome != Outcome::kGoOn) return outcome;
        const bool decides = node->kind == NodeKind::kOr;
        if (result->IsTrue() != decides) {
          const Outcome right = One(child(1), frame, input, result);
          if (right != Outcome::kGoOn) return right;
        }
        *result = Value::Bool(result->IsTrue());
        return Outcome::kGoOn;
      }
      case NodeKind::kAlternative: {
        const Outcome outcome = One(child(0), frame, input, result);
        if (outcome != Outcome::kGoOn || result->IsTrue()) return outcome;
        node = child(1);
        continue;
      }
      case NodeKind::kDefine:
        node = child(0);
        continue;
      case NodeKind::kParameter:
      case NodeKind::kDefinition:
        frame = Enter(*node, *frame, &node);
        continue;
      default:
        return OneOf(*node, *frame, input, result);
    }
  }
}

Outcome Evaluator::OneOf(const Node& node, const Frame& frame, const Value& input, Value* result) {
  switch (node.kind) {
    case NodeKind::kField: {
      Value target;
      const Outcome outcome = One(node.children[0].get(), &frame, input, &target);
      if (outcome != Outcome::kGoOn) return outcome;
      return ToOutcome(IndexValue(context_, target, node.constant, result));
    }
    case NodeKind::kIndex: {
      Value index;
      Value target;
      Outcome outcome = One(node.children[1].get(), &frame, input, &index);
      if (outcome == Outcome::kGoOn) {
        outcome = One(node.children[0].get(), &frame, input, &target);
      }
      if (outcome != Outcome::kGoOn) return outcome;
      return ToOutcome(IndexValue(context_, target, index, result));
    }
    case NodeKind::kNative: {
      Value arguments[kArgumentsMax];
      for (size_t i = node.children.size(); i-- > 0;) {
        const Outcome outcome = One(node.children[i].get(), &frame, input, &arguments[i]);
        if (outcome != Outcome::kGoOn) return outcome;
      }
      return Call(*node.native, input, arguments, result);
    }
    case NodeKind::kArray:
      return Collect(node, frame, input, result);
    case NodeKind::kObject:
      return OneObject(node, frame, input, result);
    default: {
      auto keep = [&](const Pathed& value) {
        *result = value.value;
        return Outcome::kGoOn;
      };
      return RunSteps(node, frame, {input}, keep);
    }
  }
}

Outcome Evaluator::OneObject(const Node& node, const Frame& frame, const Value& input,
                             Value* result) {
  const std::span<Value> parts = context_.NewElements(node.children.size());
  for (size_t i = 0; i < parts.size(); ++i) {
    const Node* child = node.children[i].get();
    const Outcome outcome = child ? One(child, &frame, input, &parts[i])
                                  : ToOutcome(IndexValue(context_, input, parts[i - 1], &parts[i]));
    if (outcome != Outcome::kGoOn) return outcome;
  }
  return ToOutcome(MakeObject(parts, result));
}

// --- all nodes

Outcome Evaluator::Run(const Node* node, const Frame* frame, Pathed input, Sink sink) {
  for (;;) {
    if (!TakeStep()) return Outcome::kError;
    const auto child = [&](size_t i) { return node->children[i].get(); };
    switch (node->kind) {
      case NodeKind::kIdentity:
        return sink(input);
      case NodeKind::kConstant:
        return sink({node->constant, input.path});
      case NodeKind::kVariable:
        return sink({Up(*frame, node->level).slots[node->slot], input.path});
      case NodeKind::kPipe: {
        if (!input.path && HasOne(*child(0), *frame)) {
          const Outcome left = One(child(0), frame, input.value, &input.value);
          if (left != Outcome::kGoOn) return left;
          node = child(1);
          continue;
        }
        auto next = [&](const Pathed& value) { return Run(child(1), frame, value, sink); };
        return Run(child(0), frame, input, next);
      }
      case NodeKind::kComma: {
        const Outcome outcome = Run(child(0), frame, input, sink);
        if (outcome != Outcome::kGoOn) return outcome;
        node = child(1);
        continue;
      }
      case NodeKind::kIf: {
        if (!HasOne(*child(0), *frame)) return RunForm(*node, *frame, input, sink);
        Value condition;
        const Outcome outcome = One(child(0), frame, input.value, &condition);
        if (outcome != Outcome::kGoOn) return outcome;
        node = child(condition.IsTrue() ? 1 : 2);
        if (!node) return sink(input);
        continue;
      }
      case NodeKind::kBind: {
        const bool is_simple = node->patterns.size() == 1 &&
                               node->patterns[0].kind == Pattern::Kind::kVariable &&
                               HasOne(*child(0), *frame);
        if (!is_simple) return RunForm(*node, *frame, input, sink);
        Value* slot = &frame->slots[node->patterns[0].slot];
        const Outcome outcome = One(child(0), frame, input.value, slot);
        if (outcome != Outcome::kGoOn) return outcome;
        node = child(1);
        continue;
      }
      case NodeKind::kDefine:
        node = child(0);
        continue;
      case NodeKind::kParameter:
      case NodeKind::kDefinition:
        frame = Enter(*node, *frame, &node);
        continue;
      default:
        return RunSteps(*node, *frame, input, sink);
    }
  }
}

Outcome Evaluator::RunSteps(const Node& node, const Frame& frame, const Pathed& input, Sink sink) {
  switch (node.kind) {
    case NodeKind::kField:
    case NodeKind::kIndex:
    case NodeKind::kSlice:
      return Access(node, frame, input, sink);
    case NodeKind::kIterate: {
      auto iterate = [&](const Pathed& value) { return Iterate(value, sink); };
      return Run(node.children[0].get(), &frame, input, iterate);
    }
    case NodeKind::kNative: {
      Value arguments[kArgumentsMax];
      return Arguments(node, frame, input, node.children.size(), arguments, sink);
    }
    case NodeKind::kArray: {
      Value array;
      const Outcome outcome = Collect(node, frame, input.value, &array);
      return outcome == Outcome::kGoOn ? sink({array, input.path}) : outcome;
    }
    case NodeKind::kObject:
      return Objects(node, frame, input, 0, context_.NewElements(node.children.size()), sink);
    default:
      return RunForm(node, frame, input, sink);
  }
}

// [children[0]]
Outcome Evaluator::Collect(const Node& node, const Frame& frame, const Value& input,
                           Value* result) {
  ArrayBuilder array(context_);
  if (!node.children.empty()) {
    auto collect = [&](const Pathed& value) {
      array.Add(value.value);
      return Outcome::kGoOn;
    };
    const Outcome outcome = Run(node.children[0].get(), &frame, {input}, collect);
    if (outcome != Outcome::kGoOn) return outcome;
  }
  *result = array.Build();
  if (result->depth() <= kJsonDepthMax) return Outcome::kGoOn;
  return ToOutcome(context_.FailLimit("the value is nested too deeply"));
}

// --- indexes: of several results, those of the index vary slowest

Outcome Evaluator::Access(const Node& node, const Frame& frame, const Pathed& input, Sink sink) {
  const Node& target = *node.children[0];
  if (node.kind == NodeKind::kField) return AccessAt(target, frame, input, node.constant, sink);
  const auto evaluate = [&](size_t child, Sink then) {
    const Pathed nothing;
    if (!node.children[child]) return then(nothing);
    return Run(node.children[child].get(), &frame, {input.value}, then);
  };
  auto with_start = [&](const Pathed& start) {
    if (node.kind == NodeKind::kIndex) return AccessAt(target, frame, input, start.value, sink);
    auto with_end = [&](const Pathed& end) {
      const std::span<Member> bounds = context_.NewMembers(2);
      bounds[0] = {"end", end.value};
      bounds[1] = {"start", start.value};
      return AccessAt(target, frame, input, Value::Object(bounds), sink);
    };
    return evaluate(2, with_end);
  };
  return evaluate(1, with_start);
}

Outcome Evaluator::AccessAt(const Node& target, const Frame& frame, const Pathed& input,
                            const Value& index, Sink sink) {
  auto access = [&](const Pathed& value) {
    Pathed found;
    if (!IndexValue(context_, value.value, index, &found.value)) return Outcome::kError;
    if (value.path) {
      const Outcome outcome = CheckPath(value);
      if (outcome != Outcome::kGoOn) return outcome;
      found.path = Step(value.path, index, found.value);
    }
    return sink(found);
  };
  return Run(&target, &frame, input, access);
}

Outcome Evaluator::Iterate(const Pathed& input, Sink sink) {
  const Value& value = input.value;
  if (!value.IsArray() && !value.IsObject()) {
    return ToOutcome(context_.Fail("cannot iterate over: " + TypeAndPreview(value)));
  }
  const Outcome outcome = CheckPath(input, "on iterating ");
  if (outcome != Outcome::kGoOn) return outcome;
  const auto pass = [&](const Value& key, const Value& element) {
    if (!TakeStep()) return Outcome::kError;
    return sink({element, input.path ? Step(input.path, key, element) : nullptr});
  };
  if (value.IsArray()) {
    for (size_t i = 0; i < value.size(); ++i) {
      const Outcome passed = pass(Value::Int(static_cast<int64_t>(i)), value.At(i));
      if (passed != Outcome::kGoOn) return passed;
    }
    return Outcome::kGoOn;
  }
  for (const Member& member : context_.Members(value)) {
    const Outcome passed = pass(Value::String(member.name), member.value);
    if (passed != Outcome::kGoOn) return passed;
  }
  return Outcome::kGoOn;
}

// --- calls of native functions: of several results, those of the last argument vary slowest

// `left` arguments are still to be evaluated, from the last to the first.
Outcome Evaluator::Arguments(const Node& node, const Frame& frame, const Pathed& input, size_t left,
                             Value* arguments, Sink sink) {
  if (left == 0) {
    Pathed result{{}, input.path};
    const Outcome outcome = Call(*node.native, input.value, arguments, &result.value);
    return outcome == Outcome::kGoOn ? sink(result) : outcome;
  }
  auto next = [&](const Pathed& argument) {
    arguments[left - 1] = argument.value;
    return Arguments(node, frame, {input.value, argument.path}, left - 1, arguments, sink);
  };
  return Run(node.children[left - 1].get(), &frame, input, next);
}

Outcome Evaluator::Call(const Native& native, const Value& input, const Value* arguments,
                        Value* result) {
  Value made;
  const auto arity = static_cast<size_t>(native.arity);
  if (!native.call(context_, input, {arguments, arity}, &made)) return Outcome::kError;
  *result = made;
  if (made.depth() <= kJsonDepthMax) return Outcome::kGoOn;
  return ToOutcome(context_.FailLimit("the value is nested too deeply"));
}

// --- objects: of several results, those of the first member vary slowest

Outcome Evaluator::Objects(const Node& node, const Frame& frame, const Pathed& input, size_t done,
                           std::span<Value> parts, Sink sink) {
  if (done == parts.size()) {
    Pathed result{{}, input.path};
    return MakeObject(parts, &result.value) ? sink(result) : Outcome::kError;
  }
  auto next = [&](const Pathed& part) {
    parts[done] = part.value;
    return Objects(node, frame, {input.value, part.path}, done + 1, parts, sink);
  };
  if (node.children[done]) return Run(node.children[done].get(), &frame, input, next);
  Pathed member{{}, input.path};
  if (!IndexValue(context_, input.value, parts[done - 1], &member.value)) return Outcome::kError;
  return next(member);
}

// Of keys and values in turn.
bool Evaluator::MakeObject(std::span<const Value> parts, Value* result) {
  const std::span<Member> members = context_.NewMembers(parts.size() / 2);
  for (size_t i = members.size(); i-- > 0;) {
    const Value& key = parts[2 * i];
    if (!key.IsString()) {
      return context_.Fail("expected a string for object key but got: " + TypeAndPreview(key));
    }
    members[i] = {key.AsString(), parts[2 * i + 1]};
  }
  *result = context_.MakeObject(members);
  return result->depth() <= kJsonDepthMax || context_.FailLimit("the value is nested too deeply");
}

// --- paths

const PathStep* Evaluator::Step(const PathStep* before, const Value& key, const Value& value) {
  return new (context_.Allocate(sizeof(PathStep))) PathStep{before, key, value};
}

Value Evaluator::PathValue(const PathStep* last) {
  size_t length = 0;
  for (const PathStep* step = last; step->before; step = step->before) ++length;
  const std::span<Value> keys = context_.NewElements(length);
  for (const PathStep* step = last; step->before; step = step->before) keys[--length] = step->key;
  return Value::Array(keys);
}

Outcome Evaluator::CheckPath(const Pathed& input, std::string_view doing) {
  if (!input.path || input.value.IsSame(input.path->value)) return Outcome::kGoOn;
  return ToOutcome(
      context_.Fail(fmt::format("invalid path {}against: {}", doing, TypeAndPreview(input.value))));
}

}  // namespace kulisse::simulator::jq
