// Go's text/template grammar. Text outside {{ }} is copied; an action is a control word or a
// pipeline. Variables become slots here, so that rendering looks up no names.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "simulator/limits.h"
#include "simulator/sprig/sprig.h"
#include "simulator/stage/template_text.h"
#include "simulator/stage/template_tree.h"

namespace kulisse::simulator {

namespace {

bool IsNameChar(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c >= '0' && c <= '9') ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// Every function returns false after an error, which is then in error_.
class Parser {
 public:
  Parser(std::string_view text, TemplateScope scope) : text_(text), scope_(scope) {}

  std::expected<std::unique_ptr<TemplateTree>, std::string> Parse() {
    BeginBody("");
    End end;
    if (!ParseList(&tree_->bodies[0]->nodes, &end)) return std::unexpected(error_);
    if (end != End::kText) {
      (void)Fail(end == End::kEnd ? "unexpected {{end}}" : "unexpected {{else}}");
      return std::unexpected(error_);
    }
    for (const auto& [name, line] : used_templates_) {
      if (tree_->Find(name)) continue;
      return std::unexpected(fmt::format("line {}: template \"{}\" is not defined", line, name));
    }
    return std::move(tree_);
  }

 private:
  // What a list of nodes ended with. kElse stands after the word, its pipeline unread.
  enum class End : uint8_t { kText, kEnd, kElse };

  bool Fail(std::string_view message) {
    if (error_.empty()) error_ = fmt::format("line {}: {}", Line(), message);
    return false;
  }

  [[nodiscard]] int Line() {
    // at_ only grows, but for lookahead within a line.
    for (; counted_ < at_ && counted_ < text_.size(); ++counted_) line_ += text_[counted_] == '\n';
    return line_;
  }

  void BeginBody(std::string name) {
    tree_->bodies.push_back(std::make_unique<TemplateBody>());
    body_ = tree_->bodies.back().get();
    body_->name = std::move(name);
    variables_ = {{"$", 0}};
  }

  [[nodiscard]] char Peek(size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  void SkipSpace() {
    while (at_ < text_.size() && IsSpace(text_[at_])) ++at_;
  }

  // --- text and action borders

  // Reads nodes up to the end of the text, {{end}} or {{else}}.
  bool ParseList(std::vector<TemplateNode>* nodes, End* end) {
    if (++depth_ > kExpressionDepthMax) return Fail("template is nested too deeply");
    while (true) {
      const size_t open = text_.find("{{", at_);
      const std::string_view text = text_.substr(at_, open == text_.npos ? open : open - at_);
      const bool trim = open != text_.npos && text_.substr(open).starts_with("{{-") &&
                        open + 3 < text_.size() && IsSpace(text_[open + 3]);
      AddText(text, trim, nodes);
      if (open == text_.npos) {
        at_ = text_.size();
        *end = End::kText;
        break;
      }
      at_ = open + 2;
      if (Peek() == '-' && IsSpace(Peek(1))) at_ += 2;
      if (text_.substr(at_).starts_with("/*")) {
        if (!SkipComment()) return false;
        continue;
      }
      bool done = false;
      if (!ParseAction(nodes, end, &done)) return false;
      if (done) break;
    }
    --depth_;
    return true;
  }

  void AddText(std::string_view text, bool trim_end, std::vector<TemplateNode>* nodes) {
    while (trim_next_ && !text.empty() && IsSpace(text.front())) text.remove_prefix(1);
    trim_next_ = false;
    while (trim_end && !text.empty() && IsSpace(text.back())) text.remove_suffix(1);
    if (text.empty()) return;
    TemplateNode node;
    node.text = std::string(text);
    nodes->push_back(std::move(node));
  }

  bool SkipComment() {
    const size_t close = text_.find("*/", at_ + 2);
    if (close == text_.npos) return Fail("unclosed comment");
    at_ = close + 2;
    if (IsSpace(Peek()) && text_.substr(at_ + 1).starts_with("-}}")) ++at_;
    if (!AtRightDelimiter()) return Fail("comment ends before closing delimiter");
    return TakeRightDelimiter();
  }

  [[nodiscard]] bool AtRightDelimiter() const {
    const std::string_view rest = text_.substr(std::min(at_, text_.size()));
    return rest.starts_with("}}") ||
           (rest.starts_with("-}}") && at_ > 0 && IsSpace(text_[at_ - 1]));
  }

  bool TakeRightDelimiter() {
    SkipSpace();
    if (!AtRightDelimiter()) return Unexpected("in command");
    trim_next_ = Peek() == '-';
    at_ += trim_next_ ? 3 : 2;
    return true;
  }

  bool Unexpected(std::string_view where) {
    if (at_ >= text_.size()) return Fail("unclosed action");
    return Fail(fmt::format("unexpected \"{}\" {}", text_.substr(at_, 1), where));
  }

  // --- actions

  std::string_view TakeName() {
    const size_t begin = at_;
    while (IsNameChar(Peek())) ++at_;
    return text_.substr(begin, at_ - begin);
  }

  bool ParseAction(std::vector<TemplateNode>* nodes, End* end, bool* done) {
    SkipSpace();
    const size_t begin = at_;
    const int line = Line();
    const std::string_view word = IsDigit(Peek()) ? std::string_view() : TakeName();
    using Kind = TemplateNode::Kind;
    if (word == "if") return ParseControl(Kind::kIf, line, nodes);
    if (word == "range") return ParseControl(Kind::kRange, line, nodes);
    if (word == "with") return ParseControl(Kind::kWith, line, nodes);
    if (word == "define") return ParseDefine();
    if (word == "template") return ParseCall(line, nodes);
    if (word == "block") return ParseBlock(line, nodes);
    if (word == "break" || word == "continue") {
      if (ranges_ == 0) return Fail(fmt::format("{{{{{}}}}} outside {{{{range}}}}", word));
      TemplateNode node;
      node.kind = word == "break" ? Kind::kBreak : Kind::kContinue;
      nodes->push_back(std::move(node));
      return TakeRightDelimiter();
    }
    if (word == "end" || word == "else") {
      *done = true;
      *end = word == "end" ? End::kEnd : End::kElse;
      return *end == End::kElse || TakeRightDelimiter();
    }
    at_ = begin;
    TemplateNode node;
    node.kind = Kind::kAction;
    node.line = line;
    node.pipeline = std::make_unique<PipelineNode>();
    if (!ParsePipeline(node.pipeline.get(), 1) || !TakeRightDelimiter()) return false;
    nodes->push_back(std::move(node));
    return true;
  }

  bool ParseControl(TemplateNode::Kind kind, int line, std::vector<TemplateNode>* nodes) {
    const size_t visible = variables_.size();
    TemplateNode node;
    node.kind = kind;
    node.line = line;
    node.pipeline = std::make_unique<PipelineNode>();
    const bool range = kind == TemplateNode::Kind::kRange;
    if (!ParsePipeline(node.pipeline.get(), range ? 2 : 1) || !TakeRightDelimiter()) return false;
    End end;
    ranges_ += range;
    if (!ParseList(&node.body, &end)) return false;
    ranges_ -= range;
    if (end == End::kElse && !ParseElse(kind, &node.otherwise, &end)) return false;
    if (end != End::kEnd) return Fail("unexpected end of template: {{end}} is missing");
    variables_.resize(visible);
    nodes->push_back(std::move(node));
    return true;
  }

  // After the word: `{{else}} … {{end}}`, or `{{else if …}}`, which shares its {{end}}.
  bool ParseElse(TemplateNode::Kind kind, std::vector<TemplateNode>* nodes, End* end) {
    SkipSpace();
    const int line = Line();
    const size_t begin = at_;
    const std::string_view word = TakeName();
    const bool chained = (word == "if" && kind == TemplateNode::Kind::kIf) ||
                         (word == "with" && kind == TemplateNode::Kind::kWith);
    if (chained) {
      if (++depth_ > kExpressionDepthMax) return Fail("template is nested too deeply");
      *end = End::kEnd;
      const bool parsed = ParseControl(kind, line, nodes);
      --depth_;
      return parsed;
    }
    at_ = begin;
    if (!TakeRightDelimiter()) return false;
    if (!ParseList(nodes, end)) return false;
    return *end != End::kElse || Fail("expected {{end}}; found {{else}}");
  }

  bool ParseTemplateName(std::string* name) {
    SkipSpace();
    OperandNode operand;
    if (Peek() != '"' && Peek() != '`') return Fail("expected the name of a template in quotes");
    if (!ParseText(&operand)) return false;
    *name = operand.constant.AsString();
    return true;
  }

  bool ParseDefine() {
    if (depth_ > 1) return Fail("{{define}} inside another action");
    std::string name;
    return ParseTemplateName(&name) && TakeRightDelimiter() && ParseBody(std::move(name));
  }

  bool ParseBody(std::string name) {
    if (tree_->Find(name)) return Fail(fmt::format("template \"{}\" is defined twice", name));
    TemplateBody* const outer = body_;
    auto outer_variables = std::move(variables_);
    const int outer_ranges = std::exchange(ranges_, 0);
    BeginBody(std::move(name));
    std::vector<TemplateNode> nodes;
    End end;
    if (!ParseList(&nodes, &end)) return false;
    if (end != End::kEnd) return Fail("{{define}} or {{block}} without {{end}}");
    body_->nodes = std::move(nodes);
    body_ = outer;
    variables_ = std::move(outer_variables);
    ranges_ = outer_ranges;
    return true;
  }

  bool ParseCall(int line, std::vector<TemplateNode>* nodes) {
    TemplateNode node;
    node.kind = TemplateNode::Kind::kTemplate;
    node.line = line;
    if (!ParseTemplateName(&node.text)) return false;
    used_templates_.emplace_back(node.text, line);
    SkipSpace();
    if (!AtRightDelimiter()) {
      node.pipeline = std::make_unique<PipelineNode>();
      if (!ParsePipeline(node.pipeline.get(), 1)) return false;
    }
    nodes->push_back(std::move(node));
    return TakeRightDelimiter();
  }

  // {{block "name" pipeline}} … {{end}} defines the template and calls it.
  bool ParseBlock(int line, std::vector<TemplateNode>* nodes) {
    TemplateNode node;
    node.kind = TemplateNode::Kind::kTemplate;
    node.line = line;
    node.pipeline = std::make_unique<PipelineNode>();
    if (!ParseTemplateName(&node.text) || !ParsePipeline(node.pipeline.get(), 1) ||
        !TakeRightDelimiter() || !ParseBody(node.text)) {
      return false;
    }
    nodes->push_back(std::move(node));
    return true;
  }

  // --- pipelines

  int Declare(std::string_view name) {
    const int slot = body_->slots++;
    variables_.emplace_back(name, slot);
    return slot;
  }

  bool FindVariable(std::string_view name, int* slot) {
    for (size_t i = variables_.size(); i-- > 0;) {
      if (variables_[i].first != name) continue;
      *slot = variables_[i].second;
      return true;
    }
    return Fail(fmt::format("undefined variable \"{}\"", name));
  }

  // `$a, $b :=` or `$a =` at the beginning of a pipeline; leaves at_ alone if there is none.
  bool ParseDeclaration(PipelineNode* pipeline, size_t variables_max) {
    const size_t begin = at_;
    std::vector<std::string_view> names;
    while (Peek() == '$') {
      const size_t start = at_++;
      TakeName();
      names.push_back(text_.substr(start, at_ - start));
      SkipSpace();
      if (Peek() != ',' || names.size() >= variables_max) break;
      ++at_;
      SkipSpace();
    }
    const bool declares = Peek() == ':' && Peek(1) == '=';
    if (names.empty() || (!declares && Peek() != '=')) {
      at_ = begin;
      return true;
    }
    at_ += declares ? 2 : 1;
    pipeline->declares = declares;
    pending_ = names;
    if (declares) return true;  // visible only after the pipeline itself
    for (const std::string_view name : names) {
      int slot = 0;
      if (!FindVariable(name, &slot)) return false;
      pipeline->slots.push_back(slot);
    }
    return true;
  }

  bool ParsePipeline(PipelineNode* pipeline, size_t variables_max) {
    if (++depth_ > kExpressionDepthMax) return Fail("template is nested too deeply");
    SkipSpace();
    pending_.clear();
    if (!ParseDeclaration(pipeline, variables_max)) return false;
    const auto names = pipeline->declares ? pending_ : std::vector<std::string_view>();
    while (true) {
      CommandNode command;
      if (!ParseCommand(&command)) return false;
      if (!CheckCommand(command, !pipeline->commands.empty())) return false;
      pipeline->commands.push_back(std::move(command));
      if (Peek() != '|') break;
      ++at_;
    }
    for (const std::string_view name : names) pipeline->slots.push_back(Declare(name));
    --depth_;
    return true;
  }

  bool ParseCommand(CommandNode* command) {
    while (true) {
      SkipSpace();
      if (AtRightDelimiter() || Peek() == '|' || Peek() == ')' || at_ >= text_.size()) break;
      OperandNode operand;
      if (!ParseOperand(&operand)) return false;
      command->operands.push_back(std::move(operand));
      const char next = Peek();
      if (!IsSpace(next) && next != '|' && next != ')' && !AtRightDelimiter()) {
        return Unexpected("in operand");
      }
    }
    if (at_ >= text_.size()) return Fail("unclosed action");
    return !command->operands.empty() || Fail("missing value for command");
  }

  // What Go finds out while it runs, and an arity that cannot fit.
  bool CheckCommand(const CommandNode& command, bool piped) {
    const OperandNode& first = command.operands[0];
    if (first.kind == OperandNode::Kind::kNil) return Fail("nil is not a command");
    const size_t given = command.operands.size() - 1 + piped;
    if (first.kind != OperandNode::Kind::kFunction) {
      return given == 0 || Fail("can't give argument to non-function");
    }
    if (!CheckArity(first, given)) return false;
    for (size_t i = 1; i < command.operands.size(); ++i) {
      const OperandNode& operand = command.operands[i];
      if (operand.kind == OperandNode::Kind::kFunction && !CheckArity(operand, 0)) return false;
    }
    return true;
  }

  bool CheckArity(const OperandNode& operand, size_t given) {
    const TemplateFunction& function = *operand.function;
    if (given >= static_cast<size_t>(function.arguments_min) &&
        (function.arguments_max < 0 || given <= static_cast<size_t>(function.arguments_max))) {
      return true;
    }
    return Fail(fmt::format("wrong number of arguments for \"{}\": {}", function.name, given));
  }

  bool ParseOperand(OperandNode* operand) {
    operand->line = Line();
    const char c = Peek();
    if (c == '(') return ParseGroup(operand);
    if (c == '.' && !IsDigit(Peek(1))) {
      operand->kind = OperandNode::Kind::kDot;
      if (!IsNameChar(Peek(1))) {
        ++at_;
        return true;
      }
      operand->kind = OperandNode::Kind::kField;
      return ParseFields(operand);
    }
    if (c == '$') {
      const size_t begin = at_++;
      TakeName();
      operand->kind = OperandNode::Kind::kVariable;
      return FindVariable(text_.substr(begin, at_ - begin), &operand->slot) && ParseFields(operand);
    }
    if (c == '"' || c == '`') return ParseText(operand);
    if (c == '\'') return ParseCharacter(operand);
    if (IsDigit(c) || c == '-' || c == '+' || c == '.') return ParseNumber(operand);
    if (IsNameChar(c)) return ParseWord(operand);
    return Unexpected("in operand");
  }

  bool ParseFields(OperandNode* operand) {
    while (Peek() == '.') {
      ++at_;
      const std::string_view name = TakeName();
      if (name.empty()) return Fail("missing field name after \".\"");
      operand->fields.emplace_back(name);
    }
    return true;
  }

  bool ParseGroup(OperandNode* operand) {
    ++at_;
    operand->kind = OperandNode::Kind::kPipeline;
    operand->pipeline = std::make_unique<PipelineNode>();
    if (!ParsePipeline(operand->pipeline.get(), 1)) return false;
    SkipSpace();
    if (Peek() != ')') return Unexpected("in parenthesized pipeline");
    ++at_;
    return ParseFields(operand);
  }

  bool ParseWord(OperandNode* operand) {
    const std::string_view name = TakeName();
    if (name == "true" || name == "false") {
      operand->kind = OperandNode::Kind::kConstant;
      operand->constant = json::Value::Bool(name == "true");
      return true;
    }
    if (name == "nil") {
      operand->kind = OperandNode::Kind::kNil;
      return true;
    }
    operand->kind = OperandNode::Kind::kFunction;
    operand->function = FindTemplateFunction(name, scope_);
    if (!operand->function && IsRefusedSprigFunction(name)) {
      return Fail(fmt::format("function \"{}\" is not supported: it needs the host or keys", name));
    }
    if (!operand->function) return Fail(fmt::format("function \"{}\" is not defined", name));
    return Peek() != '.' || Fail("a field of a function's result needs parentheses");
  }

  bool ParseText(OperandNode* operand) {
    operand->kind = OperandNode::Kind::kConstant;
    std::string value;
    const size_t length = Peek() == '`' ? ReadRawString(text_.substr(at_), &value)
                                        : ReadGoString(text_.substr(at_), &value);
    if (length == 0) return Fail("malformed string constant");
    at_ += length;
    operand->constant = json::Value::String(value, tree_->arena);
    return true;
  }

  bool ParseCharacter(OperandNode* operand) {
    int64_t value = 0;
    const size_t length = ReadGoCharacter(text_.substr(at_), &value);
    if (length == 0) return Fail("malformed character constant");
    at_ += length;
    operand->kind = OperandNode::Kind::kConstant;
    operand->constant = json::Value::Int(value);
    return true;
  }

  bool ParseNumber(OperandNode* operand) {
    const size_t begin = at_++;
    while (IsNameChar(Peek()) || Peek() == '.' ||
           ((Peek() == '-' || Peek() == '+') && (text_[at_ - 1] == 'e' || text_[at_ - 1] == 'E'))) {
      ++at_;
    }
    operand->kind = OperandNode::Kind::kConstant;
    if (ReadGoNumber(text_.substr(begin, at_ - begin), &operand->constant)) return true;
    return Fail(fmt::format("bad number syntax: \"{}\"", text_.substr(begin, at_ - begin)));
  }

  std::string_view text_;
  TemplateScope scope_;
  std::unique_ptr<TemplateTree> tree_ = std::make_unique<TemplateTree>();
  TemplateBody* body_ = nullptr;
  std::vector<std::pair<std::string_view, int>> variables_;
  std::vector<std::string_view> pending_;  // names of the declaration just read
  std::vector<std::pair<std::string, int>> used_templates_;
  size_t at_ = 0;
  size_t counted_ = 0;
  int line_ = 1;
  size_t depth_ = 0;
  int ranges_ = 0;
  bool trim_next_ = false;
  std::string error_;
};

}  // namespace

std::expected<std::unique_ptr<TemplateTree>, std::string> ParseTemplate(std::string_view text,
                                                                        TemplateScope scope) {
  if (text.size() > kTemplateBytesMax) return std::unexpected("the template is too long");
  return Parser(text, scope).Parse();
}

}  // namespace kulisse::simulator
