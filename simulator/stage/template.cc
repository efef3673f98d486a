#include "simulator/stage/template.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "simulator/limits.h"
#include "simulator/stage/quick_yaml.h"
#include "simulator/stage/template_functions.h"
#include "simulator/stage/template_tree.h"

namespace kulisse::simulator {

namespace {

// Renderer walks the tree once. Functions that return bool return false after an error, which is
// then in error_.
class Renderer {
 public:
  Renderer(const TemplateTree& tree, TemplateEnvironment& environment, json::Arena& arena)
      : tree_(tree), call_(arena, environment) {}

  std::expected<std::string, std::string> Render(const json::Value& data) {
    if (RenderBody(*tree_.bodies[0], {&data}) == Flow::kFailed) {
      return std::unexpected(std::move(error_));
    }
    return std::move(out_);
  }

 private:
  enum class Flow : uint8_t { kNext, kBreak, kContinue, kFailed };

  bool Fail(int line, std::string_view message) {
    if (error_.empty()) error_ = fmt::format("line {}: {}", line, message);
    return false;
  }

  bool CountStep(int line) {
    return ++steps_ <= kExpressionStepsMax || Fail(line, "the template takes too many steps");
  }

  Flow RenderBody(const TemplateBody& body, Operand dot) {
    const size_t outer = std::exchange(frame_, slots_.size());
    slots_.resize(frame_ + static_cast<size_t>(body.slots));
    slots_[frame_] = dot;
    const Flow flow = Walk(body.nodes, dot);
    slots_.resize(frame_);
    frame_ = outer;
    return flow;
  }

  // Every level of nesting, and every template that calls another, passes here.
  Flow Walk(const std::vector<TemplateNode>& nodes, Operand dot) {
    if (depth_ >= kTemplateDepthMax) {
      (void)Fail(1, "templates call each other too deeply");
      return Flow::kFailed;
    }
    ++depth_;
    Flow flow = Flow::kNext;
    for (const TemplateNode& node : nodes) {
      flow = WalkNode(node, dot);
      if (flow != Flow::kNext) break;
    }
    --depth_;
    return flow;
  }

  Flow WalkNode(const TemplateNode& node, Operand dot) {
    if (!CountStep(node.line)) return Flow::kFailed;
    switch (node.kind) {
      case TemplateNode::Kind::kText:
        return Write(node.text) ? Flow::kNext : Flow::kFailed;
      case TemplateNode::Kind::kBreak:
        return Flow::kBreak;
      case TemplateNode::Kind::kContinue:
        return Flow::kContinue;
      case TemplateNode::Kind::kRange:
        return WalkRange(node, dot);
      case TemplateNode::Kind::kTemplate:
        return WalkTemplate(node, dot);
      default:
        break;
    }
    Operand value;
    if (!Evaluate(*node.pipeline, dot, &value)) return Flow::kFailed;
    if (node.kind == TemplateNode::Kind::kAction) {
      if (!node.pipeline->slots.empty()) return Flow::kNext;
      if (value.IsString()) return Write(value.value->AsString()) ? Flow::kNext : Flow::kFailed;
      AppendPrinted(value, &out_);
      return Write("") ? Flow::kNext : Flow::kFailed;
    }
    if (!value.Truth()) return Walk(node.otherwise, dot);
    return Walk(node.body, node.kind == TemplateNode::Kind::kWith ? value : dot);
  }

  Flow WalkTemplate(const TemplateNode& node, Operand dot) {
    Operand value;
    if (node.pipeline && !Evaluate(*node.pipeline, dot, &value)) return Flow::kFailed;
    return RenderBody(*tree_.Find(node.text), value);
  }

  // One turn of a range.
  Flow Turn(const TemplateNode& node, Operand index, Operand element) {
    if (!CountStep(node.line)) return Flow::kFailed;
    const std::vector<int>& slots = node.pipeline->slots;
    if (!slots.empty()) Slot(slots.back()) = element;
    if (slots.size() == 2) Slot(slots.front()) = index;
    return Walk(node.body, element);
  }

  Flow WalkRange(const TemplateNode& node, Operand dot) {
    Operand value;
    if (!Evaluate(*node.pipeline, dot, &value)) return Flow::kFailed;
    const size_t before = turns_;
    Flow flow = Flow::kNext;
    if (value.IsArray()) {
      int64_t index = 0;
      for (const json::Value& element : value.value->elements()) {
        flow = Turn(node, call_.KeepInt(index++), {&element, value.computed});
        ++turns_;
        if (flow == Flow::kBreak || flow == Flow::kFailed) break;
      }
    } else if (value.IsObject()) {
      std::vector<const json::Member*> members;
      for (const json::Member& member : value.value->members()) members.push_back(&member);
      std::ranges::sort(members, {}, &json::Member::name);
      for (const json::Member* member : members) {
        flow = Turn(node, call_.Keep(json::Value::StringRef(member->name)),
                    {&member->value, value.computed});
        ++turns_;
        if (flow == Flow::kBreak || flow == Flow::kFailed) break;
      }
    } else if (value.IsComputedInt()) {
      for (int64_t i = 0; i < value.value->AsInt(); ++i) {
        const Operand index = call_.KeepInt(i);
        flow = Turn(node, index, index);
        ++turns_;
        if (flow == Flow::kBreak || flow == Flow::kFailed) break;
      }
    } else if (!value.IsNil()) {
      (void)Fail(node.line, fmt::format("range can't iterate over {}", value.TypeName()));
      return Flow::kFailed;
    }
    if (flow == Flow::kFailed) return flow;
    return turns_ == before ? Walk(node.otherwise, dot) : Flow::kNext;
  }

  bool Write(std::string_view text) {
    out_ += text;
    return out_.size() <= kTemplateOutputBytesMax || Fail(1, "the template writes too much");
  }

  Operand& Slot(int slot) { return slots_[frame_ + static_cast<size_t>(slot)]; }

  // --- pipelines

  bool Evaluate(const PipelineNode& pipeline, Operand dot, Operand* result) {
    const Operand* piped = nullptr;
    for (const CommandNode& command : pipeline.commands) {
      Operand value;
      if (!EvaluateCommand(command, dot, piped, &value)) return false;
      *result = value;
      piped = result;
    }
    if (pipeline.slots.size() == 1) Slot(pipeline.slots[0]) = *result;
    return true;
  }

  bool EvaluateCommand(const CommandNode& command, Operand dot, const Operand* piped,
                       Operand* result) {
    const OperandNode& first = command.operands[0];
    if (first.kind != OperandNode::Kind::kFunction) return EvaluateOperand(first, dot, result);
    const std::span<const OperandNode> words(command.operands.begin() + 1, command.operands.end());
    return CallFunction(first, words, dot, piped, result);
  }

  bool CallFunction(const OperandNode& node, std::span<const OperandNode> words, Operand dot,
                    const Operand* piped, Operand* result) {
    if (!CountStep(node.line)) return false;
    const TemplateFunction& function = *node.function;
    if (function.special != TemplateFunction::Special::kNone) {
      return CallLogic(function.special == TemplateFunction::Special::kOr, words, dot, piped,
                       result);
    }
    constexpr size_t kInlineArguments = 8;
    Operand inline_arguments[kInlineArguments];
    std::vector<Operand> more;
    const size_t count = words.size() + (piped ? 1 : 0);
    Operand* arguments = inline_arguments;
    if (count > kInlineArguments) {
      more.resize(count);
      arguments = more.data();
    }
    for (size_t i = 0; i < words.size(); ++i) {
      if (!EvaluateOperand(words[i], dot, &arguments[i])) return false;
    }
    if (piped) arguments[count - 1] = *piped;
    const Arguments given(arguments, count);
    const bool fits = function.signature.empty() || CheckArguments(call_, function, given);
    if (fits && function.call(call_, given, result)) return true;
    return Fail(node.line, fmt::format("{}: {}", function.name, call_.error()));
  }

  // `and` and `or` return the first argument that decides, and do not look at the rest.
  bool CallLogic(bool decisive, std::span<const OperandNode> words, Operand dot,
                 const Operand* piped, Operand* result) {
    for (const OperandNode& word : words) {
      if (!EvaluateOperand(word, dot, result)) return false;
      if (result->Truth() == decisive) return true;
    }
    if (piped) *result = *piped;
    return true;
  }

  bool EvaluateOperand(const OperandNode& node, Operand dot, Operand* result) {
    switch (node.kind) {
      case OperandNode::Kind::kDot:
        *result = dot;
        return true;
      case OperandNode::Kind::kNil:
        *result = {};
        return true;
      case OperandNode::Kind::kConstant:
        *result = {&node.constant, true};
        return true;
      case OperandNode::Kind::kField:
        *result = dot;
        break;
      case OperandNode::Kind::kVariable:
        *result = Slot(node.slot);
        break;
      case OperandNode::Kind::kFunction:
        return CallFunction(node, {}, dot, nullptr, result);
      case OperandNode::Kind::kPipeline:
        if (!Evaluate(*node.pipeline, dot, result)) return false;
        break;
    }
    for (const std::string& field : node.fields) {
      if (result->IsNil()) {
        *result = {};
        return true;
      }
      if (!result->IsObject()) {
        return Fail(node.line,
                    fmt::format("can't evaluate field {} in type {}", field, result->TypeName()));
      }
      *result = {result->value->Find(field), result->computed};
    }
    return true;
  }

  const TemplateTree& tree_;
  TemplateCall call_;
  std::string out_;
  std::vector<Operand> slots_;  // of all templates under way
  size_t frame_ = 0;            // where those of the current one begin
  size_t steps_ = 0;
  size_t turns_ = 0;
  size_t depth_ = 0;
  std::string error_;
};

}  // namespace

Template::Template(std::unique_ptr<const TemplateTree> tree) : tree_(std::move(tree)) {}
Template::Template(Template&&) noexcept = default;
Template& Template::operator=(Template&&) noexcept = default;
Template::~Template() = default;

std::expected<Template, std::string> Template::Compile(std::string_view text, TemplateScope scope) {
  auto tree = ParseTemplate(TrimSpace(text), scope);
  if (!tree) return std::unexpected(std::move(tree).error());
  return Template(std::move(*tree));
}

std::expected<std::string, std::string> Template::Render(const json::Value& data,
                                                         TemplateEnvironment& environment) const {
  json::Arena arena;
  return Renderer(*tree_, environment, arena).Render(data);
}

std::expected<json::Value, std::string> Template::RenderValue(const json::Value& data,
                                                              TemplateEnvironment& environment,
                                                              json::Arena& arena) const {
  auto text = Renderer(*tree_, environment, arena).Render(data);
  if (!text) return std::unexpected(std::move(text).error());
  return ParseRendered(*text, arena);
}

}  // namespace kulisse::simulator
