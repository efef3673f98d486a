// The forms of the language that bind, loop, catch and assign.
#include <new>

#include "base/assert.h"
#include "simulator/jq/evaluator.h"
#include "simulator/jq/natives.h"

namespace kulisse::simulator::jq {

namespace {

using NodeKind = Node::Kind;

bool IsConstantKey(const Node* node) {
  return !node || (node->kind == NodeKind::kConstant &&
                   (node->constant.IsNumber() || node->constant.IsString()));
}

Value ConstantOf(const Node* node) { return node ? node->constant : Value(); }

// The path that the program itself names, as in `.a[0].b`; false when there is more to it.
bool AddConstantPath(Context& context, const Node& node, ArrayBuilder* path) {
  if (node.kind == NodeKind::kIdentity) return true;
  if (node.kind == NodeKind::kField) {
    if (!AddConstantPath(context, *node.children[0], path)) return false;
    path->Add(node.constant);
    return true;
  }
  if (node.kind != NodeKind::kSlice) return false;
  const Node* start = node.children[1].get();
  const Node* end = node.children[2].get();
  if (!IsConstantKey(start) || !IsConstantKey(end)) return false;
  if (!AddConstantPath(context, *node.children[0], path)) return false;
  const std::span<Member> bounds = context.NewMembers(2);
  bounds[0] = {"end", ConstantOf(end)};
  bounds[1] = {"start", ConstantOf(start)};
  path->Add(Value::Object(bounds));
  return true;
}

}  // namespace

Outcome Evaluator::RunForm(const Node& node, const Frame& frame, const Pathed& input, Sink sink) {
  switch (node.kind) {
    case NodeKind::kEmpty:
      return Outcome::kGoOn;
    case NodeKind::kTry:
      return Try(node, frame, input, sink);
    case NodeKind::kAlternative:
      return Alternative(node, frame, input, sink);
    case NodeKind::kIf:
    case NodeKind::kAnd:
    case NodeKind::kOr:
      return Condition(node, frame, input, sink);
    case NodeKind::kBind:
      return Bind(node, frame, input, sink);
    case NodeKind::kReduce:
      return Reduce(node, frame, input, sink);
    case NodeKind::kForeach:
      return Foreach(node, frame, input, sink);
    case NodeKind::kLabel:
      return Label(node, frame, input, sink);
    case NodeKind::kBreak:
      broken_label_ = static_cast<uint64_t>(Up(frame, node.level).slots[node.slot].AsInt());
      return Outcome::kBreak;
    case NodeKind::kFirst:
      return First(node, frame, input, sink);
    case NodeKind::kLast:
      return Last(node, frame, input, sink);
    case NodeKind::kIsEmpty:
      return IsEmpty(node, frame, input, sink);
    case NodeKind::kRange:
      return Range(node, frame, input, sink);
    case NodeKind::kPath: {
      auto pass = [&](const Pathed& found) { return sink({PathValue(found.path), input.path}); };
      return Paths(*node.children[0], frame, input.value, pass);
    }
    case NodeKind::kGetPath:
      return GetPathAt(node, frame, input, sink);
    case NodeKind::kAssign:
      return Assign(node, frame, input, sink);
    case NodeKind::kModify:
      return Modify(node, frame, input, sink);
    case NodeKind::kUpdate:
      return Update(node, frame, input, sink);
    default:
      KULISSE_ASSERT(false);
      return Outcome::kError;
  }
}

// --- conditions

Outcome Evaluator::Condition(const Node& node, const Frame& frame, const Pathed& input, Sink sink) {
  const auto child = [&](size_t i) { return node.children[i].get(); };
  if (node.kind == NodeKind::kIf) {
    auto choose = [&](const Pathed& condition) {
      const Node* chosen = child(condition.value.IsTrue() ? 1 : 2);
      return chosen ? Run(chosen, &frame, input, sink) : sink(input);
    };
    return Run(child(0), &frame, {input.value}, choose);
  }
  const bool decides = node.kind == NodeKind::kOr;
  auto left = [&](const Pathed& a) {
    if (a.value.IsTrue() == decides) return sink({Value::Bool(decides), input.path});
    auto right = [&](const Pathed& b) { return sink({Value::Bool(b.value.IsTrue()), input.path}); };
    return Run(child(1), &frame, {input.value}, right);
  };
  return Run(child(0), &frame, {input.value}, left);
}

// An error of the left side stays one, as in gojq (jq itself would go on with the right side).
Outcome Evaluator::Alternative(const Node& node, const Frame& frame, const Pathed& input,
                               Sink sink) {
  bool any = false;
  auto pass = [&](const Pathed& value) {
    if (!value.value.IsTrue()) return Outcome::kGoOn;
    any = true;
    return sink(value);
  };
  const Outcome outcome = Run(node.children[0].get(), &frame, input, pass);
  if (outcome != Outcome::kGoOn || any) return outcome;
  return Run(node.children[1].get(), &frame, input, sink);
}

// Only errors of the body itself are caught, not those of whoever takes its results.
Outcome Evaluator::Try(const Node& node, const Frame& frame, const Pathed& input, Sink sink) {
  bool failed_beyond = false;
  auto pass = [&](const Pathed& value) {
    const Outcome outcome = sink(value);
    failed_beyond = outcome != Outcome::kGoOn;
    return outcome;
  };
  const Outcome outcome = Run(node.children[0].get(), &frame, input, pass);
  if (outcome != Outcome::kError || failed_beyond || context_.is_limit()) return outcome;
  if (!node.children[1]) return Outcome::kGoOn;
  return Run(node.children[1].get(), &frame, {context_.error(), input.path}, sink);
}

// --- variables

Outcome Evaluator::Bind(const Node& node, const Frame& frame, const Pathed& input, Sink sink) {
  auto body = [&] { return Run(node.children[1].get(), &frame, input, sink); };
  if (node.patterns.size() == 1) {
    auto bind = [&](const Pathed& value) {
      return Match(node.patterns[0], frame, value.value, body);
    };
    return Run(node.children[0].get(), &frame, {input.value}, bind);
  }
  // `?//`: the next pattern when this one, or anything after it, fails.
  auto bind = [&](const Pathed& value) {
    Outcome outcome = Outcome::kGoOn;
    for (const Pattern& pattern : node.patterns) {
      for (const Pattern& each : node.patterns) Clear(each, frame);
      outcome = Match(pattern, frame, value.value, body);
      if (outcome == Outcome::kGoOn || context_.is_limit()) break;
    }
    return outcome;
  };
  return Run(node.children[0].get(), &frame, {input.value}, bind);
}

void Evaluator::Clear(const Pattern& pattern, const Frame& frame) {
  if (pattern.slot >= 0) frame.slots[pattern.slot] = {};
  for (const Pattern::Entry& entry : pattern.entries) {
    if (entry.slot >= 0) frame.slots[entry.slot] = {};
    if (entry.value) Clear(*entry.value, frame);
  }
}

Outcome Evaluator::Match(const Pattern& pattern, const Frame& frame, const Value& value,
                         Next next) {
  if (pattern.kind != Pattern::Kind::kVariable) {
    return MatchEntries(pattern, 0, frame, value, next);
  }
  frame.slots[pattern.slot] = value;
  return next();
}

Outcome Evaluator::MatchEntries(const Pattern& pattern, size_t index, const Frame& frame,
                                const Value& value, Next next) {
  if (!TakeStep()) return Outcome::kError;
  if (index == pattern.entries.size()) return next();
  const Pattern::Entry& entry = pattern.entries[index];
  auto rest = [&] { return MatchEntries(pattern, index + 1, frame, value, next); };
  auto at = [&](const Value& key) {
    Value part;
    if (!IndexValue(context_, value, key, &part)) return Outcome::kError;
    return MatchEntry(entry, frame, part, rest);
  };
  if (pattern.kind == Pattern::Kind::kArray) {
    if (!value.IsNull() && !value.IsArray()) {
      return ToOutcome(context_.Fail("expected an array but got: " + TypeAndPreview(value)));
    }
    return at(Value::Int(static_cast<int64_t>(index)));
  }
  if (!entry.key) return at(Value::String(std::string_view(entry.variable).substr(1)));
  auto with_key = [&](const Pathed& key) { return at(key.value); };
  return Run(entry.key.get(), &frame, {value}, with_key);
}

Outcome Evaluator::MatchEntry(const Pattern::Entry& entry, const Frame& frame, const Value& part,
                              Next next) {
  if (entry.slot >= 0) frame.slots[entry.slot] = part;
  return entry.value ? Match(*entry.value, frame, part, next) : next();
}

// --- loops

Outcome Evaluator::Reduce(const Node& node, const Frame& frame, const Pathed& input, Sink sink) {
  auto from = [&](const Pathed& start) {
    Value state = start.value;
    auto each = [&](const Pathed& item) {
      auto update = [&] {
        auto keep = [&](const Pathed& value) {
          state = value.value;
          return Outcome::kGoOn;
        };
        return Run(node.children[2].get(), &frame, {state, item.path}, keep);
      };
      return Match(node.patterns[0], frame, item.value, update);
    };
    const Outcome outcome = Run(node.children[0].get(), &frame, {input.value, start.path}, each);
    return outcome == Outcome::kGoOn ? sink({state, start.path}) : outcome;
  };
  return Run(node.children[1].get(), &frame, input, from);
}

Outcome Evaluator::Foreach(const Node& node, const Frame& frame, const Pathed& input, Sink sink) {
  auto from = [&](const Pathed& start) {
    Value state = start.value;
    auto each = [&](const Pathed& item) {
      auto update = [&] {
        auto pass = [&](const Pathed& value) {
          state = value.value;
          const Node* extract = node.children[3].get();
          return extract ? Run(extract, &frame, value, sink) : sink(value);
        };
        return Run(node.children[2].get(), &frame, {state, item.path}, pass);
      };
      return Match(node.patterns[0], frame, item.value, update);
    };
    return Run(node.children[0].get(), &frame, {input.value, start.path}, each);
  };
  return Run(node.children[1].get(), &frame, input, from);
}

Outcome Evaluator::Label(const Node& node, const Frame& frame, const Pathed& input, Sink sink) {
  const uint64_t label = ++labels_;
  frame.slots[node.slot] = Value::Int(static_cast<int64_t>(label));
  const Outcome outcome = Run(node.children[0].get(), &frame, input, sink);
  return outcome == Outcome::kBreak && broken_label_ == label ? Outcome::kGoOn : outcome;
}

Outcome Evaluator::First(const Node& node, const Frame& frame, const Pathed& input, Sink sink) {
  const uint64_t label = ++labels_;
  auto stop = [&](const Pathed& value) {
    const Outcome outcome = sink(value);
    if (outcome != Outcome::kGoOn) return outcome;
    broken_label_ = label;
    return Outcome::kBreak;
  };
  const Outcome outcome = Run(node.children[0].get(), &frame, input, stop);
  return outcome == Outcome::kBreak && broken_label_ == label ? Outcome::kGoOn : outcome;
}

Outcome Evaluator::Last(const Node& node, const Frame& frame, const Pathed& input, Sink sink) {
  bool any = false;
  Value last;
  auto keep = [&](const Pathed& value) {
    any = true;
    last = value.value;
    return Outcome::kGoOn;
  };
  const Outcome outcome = Run(node.children[0].get(), &frame, input, keep);
  return outcome == Outcome::kGoOn && any ? sink({last, input.path}) : outcome;
}

Outcome Evaluator::IsEmpty(const Node& node, const Frame& frame, const Pathed& input, Sink sink) {
  const uint64_t label = ++labels_;
  bool any = false;
  auto stop = [&](const Pathed&) {
    any = true;
    broken_label_ = label;
    return Outcome::kBreak;
  };
  const Outcome outcome = Run(node.children[0].get(), &frame, {input.value}, stop);
  if (outcome != Outcome::kGoOn && !any) return outcome;
  return sink({Value::Bool(!any), input.path});
}

Outcome Evaluator::Range(const Node& node, const Frame& frame, const Pathed& input, Sink sink) {
  Value bounds[3];
  for (size_t i = 0; i < 3; ++i) {
    const Outcome outcome = One(node.children[i].get(), &frame, input.value, &bounds[i]);
    if (outcome != Outcome::kGoOn) return outcome;
  }
  for (const Value& bound : bounds) {
    if (!bound.IsNumber()) return ToOutcome(context_.FailType("range", bound));
  }
  auto& [value, end, step] = bounds;
  const int direction = Compare(step, Value::Int(0));
  while (direction * Compare(value, end) < 0) {
    if (!TakeStep()) return Outcome::kError;
    const Value current = value;
    if (!Add(context_, current, step, &value)) return Outcome::kError;
    const Outcome outcome = sink({current, input.path});
    if (outcome != Outcome::kGoOn) return outcome;
  }
  return Outcome::kGoOn;
}

// --- paths and assignments

// Gives what the node leads to, each with its path from `input`.
Outcome Evaluator::Paths(const Node& node, const Frame& frame, const Value& input, Sink sink) {
  auto check = [&](const Pathed& found) {
    const Outcome outcome = CheckPath(found);
    return outcome == Outcome::kGoOn ? sink(found) : outcome;
  };
  return Run(&node, &frame, {input, Step(nullptr, {}, input)}, check);
}

Outcome Evaluator::GetPathAt(const Node& node, const Frame& frame, const Pathed& input, Sink sink) {
  auto get = [&](const Pathed& path) {
    Pathed found{{}, input.path};
    if (!GetPath(context_, input.value, path.value, &found.value)) return Outcome::kError;
    if (input.path) {
      const Outcome outcome = CheckPath(input);
      if (outcome != Outcome::kGoOn) return outcome;
      for (const Value& key : context_.Elements(path.value)) {
        found.path = Step(found.path, key, found.value);
      }
    }
    return sink(found);
  };
  return Run(node.children[0].get(), &frame, {input.value}, get);
}

Outcome Evaluator::Assign(const Node& node, const Frame& frame, const Pathed& input, Sink sink) {
  ArrayBuilder constant(context_);
  const bool is_constant = node.children[0]->kind != NodeKind::kIdentity &&
                           AddConstantPath(context_, *node.children[0], &constant);
  auto assign = [&](const Pathed& replacement) {
    PathEditor editor(context_);
    Value value = input.value;
    if (is_constant) {
      const bool done = editor.Set(constant.Build(), replacement.value, &value);
      return done ? sink({value, input.path}) : Outcome::kError;
    }
    auto set = [&](const Pathed& found) {
      return ToOutcome(editor.Set(PathValue(found.path), replacement.value, &value));
    };
    const Outcome outcome = Paths(*node.children[0], frame, input.value, set);
    return outcome == Outcome::kGoOn ? sink({value, input.path}) : outcome;
  };
  return Run(node.children[1].get(), &frame, {input.value}, assign);
}

Outcome Evaluator::Modify(const Node& node, const Frame& frame, const Pathed& input, Sink sink) {
  const uint64_t label = ++labels_;
  auto change = [&](const Value& before, bool* changed, Value* after) {
    auto stop = [&](const Pathed& value) {
      *changed = true;
      *after = value.value;
      broken_label_ = label;
      return Outcome::kBreak;
    };
    const Outcome outcome = Run(node.children[1].get(), &frame, {before}, stop);
    return *changed && outcome == Outcome::kBreak && broken_label_ == label ? Outcome::kGoOn
                                                                            : outcome;
  };
  Value result;
  const Outcome outcome = ModifyAt(*node.children[0], frame, input.value, change, &result);
  return outcome == Outcome::kGoOn ? sink({result, input.path}) : outcome;
}

Outcome Evaluator::Update(const Node& node, const Frame& frame, const Pathed& input, Sink sink) {
  auto with_operand = [&](const Pathed& operand) {
    auto change = [&](const Value& before, bool* changed, Value* after) {
      *changed = true;
      const Value arguments[] = {before, operand.value};
      return Call(*node.native, before, arguments, after);
    };
    Value result;
    const Outcome outcome = ModifyAt(*node.children[0], frame, input.value, change, &result);
    return outcome == Outcome::kGoOn ? sink({result, input.path}) : outcome;
  };
  return Run(node.children[1].get(), &frame, {input.value}, with_operand);
}

// What `change` gives nothing for is deleted at the end.
Outcome Evaluator::ModifyAt(const Node& paths, const Frame& frame, const Value& input,
                            Change change, Value* result) {
  PathEditor editor(context_);
  ArrayBuilder deleted(context_);
  *result = input;
  auto modify = [&](const Pathed& found) {
    const Value path = PathValue(found.path);
    Value before;
    if (!GetPath(context_, *result, path, &before)) return Outcome::kError;
    editor.Release(before);
    bool changed = false;
    Value after;
    const Outcome outcome = change(before, &changed, &after);
    if (outcome != Outcome::kGoOn) return outcome;
    if (!changed) {
      deleted.Add(path);
      return Outcome::kGoOn;
    }
    return ToOutcome(editor.Set(path, after, result));
  };
  const Outcome outcome = Paths(paths, frame, input, modify);
  if (outcome != Outcome::kGoOn) return outcome;
  return ToOutcome(editor.Delete(deleted.Build(), result));
}

}  // namespace kulisse::simulator::jq
