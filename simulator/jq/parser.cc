// By recursive descent; operators by precedence climbing, in the order of gojq's grammar.
#include "simulator/jq/parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>

#include "base/assert.h"
#include "simulator/jq/lexer.h"
#include "simulator/limits.h"

namespace kulisse::simulator::jq {

namespace {

using NodeKind = Node::Kind;

struct Operator {
  enum class Side : uint8_t { kLeft, kRight, kNone };
  std::string_view text;
  int precedence;
  Side side;
  NodeKind kind;
  std::string_view native;
};

constexpr int kPrecedenceMax = 7;

constexpr Operator kOperators[] = {
    {"//", 1, Operator::Side::kRight, NodeKind::kAlternative, ""},
    {"=", 2, Operator::Side::kNone, NodeKind::kAssign, ""},
    {"|=", 2, Operator::Side::kNone, NodeKind::kModify, ""},
    {"+=", 2, Operator::Side::kNone, NodeKind::kUpdate, "_add"},
    {"-=", 2, Operator::Side::kNone, NodeKind::kUpdate, "_subtract"},
    {"*=", 2, Operator::Side::kNone, NodeKind::kUpdate, "_multiply"},
    {"/=", 2, Operator::Side::kNone, NodeKind::kUpdate, "_divide"},
    {"%=", 2, Operator::Side::kNone, NodeKind::kUpdate, "_modulo"},
    {"//=", 2, Operator::Side::kNone, NodeKind::kUpdate, "_alternative"},
    {"or", 3, Operator::Side::kLeft, NodeKind::kOr, ""},
    {"and", 4, Operator::Side::kLeft, NodeKind::kAnd, ""},
    {"==", 5, Operator::Side::kNone, NodeKind::kNative, "_equal"},
    {"!=", 5, Operator::Side::kNone, NodeKind::kNative, "_notequal"},
    {"<", 5, Operator::Side::kNone, NodeKind::kNative, "_less"},
    {"<=", 5, Operator::Side::kNone, NodeKind::kNative, "_lesseq"},
    {">", 5, Operator::Side::kNone, NodeKind::kNative, "_greater"},
    {">=", 5, Operator::Side::kNone, NodeKind::kNative, "_greatereq"},
    {"+", 6, Operator::Side::kLeft, NodeKind::kNative, "_add"},
    {"-", 6, Operator::Side::kLeft, NodeKind::kNative, "_subtract"},
    {"*", kPrecedenceMax, Operator::Side::kLeft, NodeKind::kNative, "_multiply"},
    {"/", kPrecedenceMax, Operator::Side::kLeft, NodeKind::kNative, "_divide"},
    {"%", kPrecedenceMax, Operator::Side::kLeft, NodeKind::kNative, "_modulo"},
};

constexpr std::pair<std::string_view, std::string_view> kFormats[] = {
    {"@text", "tostring"},    {"@json", "tojson"},       {"@html", "_tohtml"}, {"@uri", "_touri"},
    {"@urid", "_tourid"},     {"@csv", "_tocsv"},        {"@tsv", "_totsv"},   {"@sh", "_tosh"},
    {"@base64", "_tobase64"}, {"@base64d", "_tobase64d"}};

// The first error ends the reading; all methods return null from then on.
class Parser {
 public:
  struct State {
    std::string error;
    size_t nodes = 0;
    size_t depth = 0;
  };

  Parser(std::span<const Token> tokens, State& state) : tokens_(tokens), state_(state) {}

  NodePtr ReadProgram() {
    if (Next().Is("module") || Next().Is("import") || Next().Is("include")) {
      return Fail("modules are not supported: there are no files here");
    }
    NodePtr query = ReadQuery();
    if (query && Next().kind != Token::Kind::kEnd) return Unexpected();
    return query;
  }

  bool ReadDefinitions(std::vector<std::unique_ptr<Definition>>* definitions) {
    while (Next().Is("def")) {
      definitions->push_back(ReadDefinition());
      if (!definitions->back()) return false;
    }
    return Next().kind == Token::Kind::kEnd;
  }

 private:
  // Counts one level of nesting as long as it lives.
  class Level {
   public:
    explicit Level(State& state) : state_(state) { ++state_.depth; }
    ~Level() { --state_.depth; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;
    [[nodiscard]] bool IsTooDeep() const { return state_.depth > kExpressionDepthMax; }

   private:
    State& state_;
  };

  // --- words

  [[nodiscard]] const Token& Next() const { return tokens_[at_]; }
  const Token& Take() { return tokens_[at_ + 1 < tokens_.size() ? at_++ : at_]; }
  bool TakeIf(std::string_view word) {
    if (!Next().Is(word)) return false;
    Take();
    return true;
  }
  bool Expect(std::string_view word) {
    if (TakeIf(word)) return true;
    Unexpected();
    return false;
  }

  NodePtr Fail(std::string_view what) {
    if (state_.error.empty()) state_.error = fmt::format("{} (at {})", what, Next().offset);
    return nullptr;
  }
  NodePtr Unexpected() {
    if (Next().kind == Token::Kind::kEnd) return Fail("unexpected end of expression");
    if (Next().kind == Token::Kind::kString) return Fail("unexpected string");
    return Fail(fmt::format("unexpected token `{}`", Next().text));
  }

  // --- nodes

  template <class... Children>
  NodePtr Make(NodeKind kind, Children... children) {
    if (++state_.nodes > kExpressionNodesMax) return Fail("the expression has too many parts");
    auto node = std::make_unique<Node>(kind, Next().offset);
    (node->children.push_back(std::move(children)), ...);
    return node;
  }
  NodePtr Constant(const Value& value) {
    NodePtr node = Make(NodeKind::kConstant);
    if (node) node->constant = value;
    return node;
  }
  NodePtr Text(std::string_view text) {
    NodePtr node = Make(NodeKind::kConstant);
    if (node) SetText(text, node.get());
    return node;
  }
  static void SetText(std::string_view text, Node* node) {
    node->text = text;
    node->constant = Value::String(node->text);
  }
  // Of the word just taken.
  NodePtr Call(std::string_view name) {
    NodePtr node = Make(NodeKind::kCall);
    if (!node) return nullptr;
    node->offset = tokens_[at_ - 1].offset;
    node->text = name;
    return node;
  }
  template <class... Children>
  NodePtr CallNative(std::string_view name, Children... children) {
    NodePtr node = Make(NodeKind::kNative, std::move(children)...);
    if (!node) return nullptr;
    node->native = FindNative(name, sizeof...(children));
    KULISSE_ASSERT(node->native != nullptr);
    return node;
  }

  // --- queries: `|`, `,`, and what swallows all that follows

  NodePtr ReadQuery() {
    const Level level(state_);
    if (level.IsTooDeep()) return Fail("the expression is nested too deeply");
    std::vector<NodePtr> steps;
    do {
      steps.push_back(ReadCommas());
      if (!steps.back()) return nullptr;
    } while (TakeIf("|"));
    NodePtr query = std::move(steps.back());
    for (size_t i = steps.size() - 1; i-- > 0 && query;) {
      query = Make(NodeKind::kPipe, std::move(steps[i]), std::move(query));
    }
    return query;
  }

  NodePtr ReadCommas() {
    NodePtr query = ReadItem();
    while (query && TakeIf(",")) {
      NodePtr right = ReadItem();
      if (!right) return nullptr;
      query = Make(NodeKind::kComma, std::move(query), std::move(right));
    }
    return query;
  }

  NodePtr ReadItem() {
    if (Next().Is("def")) return ReadDefine();
    if (TakeIf("label")) return ReadLabel();
    NodePtr query = ReadExpression(1);
    if (query && Next().Is("as")) return ReadBind(std::move(query));
    return query;
  }

  NodePtr ReadDefine() {
    std::unique_ptr<Definition> definition = ReadDefinition();
    if (!definition) return nullptr;
    NodePtr rest = ReadQuery();
    if (!rest) return nullptr;
    NodePtr node = Make(NodeKind::kDefine, std::move(rest));
    if (node) node->definition = std::move(definition);
    return node;
  }

  // def name(parameters): body;
  std::unique_ptr<Definition> ReadDefinition() {
    Take();
    auto definition = std::make_unique<Definition>();
    if (Next().kind != Token::Kind::kIdent) return Unexpected(), nullptr;
    definition->name = Take().text;
    if (TakeIf("(")) {
      do {
        const bool is_name =
            Next().kind == Token::Kind::kIdent || Next().kind == Token::Kind::kVariable;
        if (!is_name) return Unexpected(), nullptr;
        definition->parameters.emplace_back(Take().text);
      } while (TakeIf(";"));
      if (!Expect(")")) return nullptr;
    }
    if (!Expect(":")) return nullptr;
    definition->body = ReadQuery();
    if (!definition->body || !Expect(";")) return nullptr;
    return definition;
  }

  NodePtr ReadLabel() {
    if (Next().kind != Token::Kind::kVariable) return Unexpected();
    const std::string name(Take().text);
    if (!Expect("|")) return nullptr;
    NodePtr body = ReadQuery();
    if (!body) return nullptr;
    NodePtr node = Make(NodeKind::kLabel, std::move(body));
    if (node) node->text = name;
    return node;
  }

  NodePtr ReadBind(NodePtr source) {
    Take();
    std::vector<Pattern> patterns;
    do {
      if (!ReadPattern(&patterns.emplace_back())) return nullptr;
    } while (TakeIf("?//"));
    if (!Expect("|")) return nullptr;
    NodePtr body = ReadQuery();
    if (!body) return nullptr;
    NodePtr node = Make(NodeKind::kBind, std::move(source), std::move(body));
    if (node) node->patterns = std::move(patterns);
    return node;
  }

  bool ReadPattern(Pattern* pattern) {
    const Level level(state_);
    if (level.IsTooDeep()) return Fail("the expression is nested too deeply"), false;
    if (Next().kind == Token::Kind::kVariable) {
      pattern->variable = Take().text;
      return true;
    }
    const bool is_array = TakeIf("[");
    if (!is_array && !Expect("{")) return false;
    pattern->kind = is_array ? Pattern::Kind::kArray : Pattern::Kind::kObject;
    do {
      Pattern::Entry& entry = pattern->entries.emplace_back();
      if (!is_array && !ReadPatternKey(&entry)) return false;
      if (!is_array && !entry.variable.empty() && !Next().Is(":")) continue;
      if (!is_array && !Expect(":")) return false;
      entry.value = std::make_unique<Pattern>();
      if (!ReadPattern(entry.value.get())) return false;
    } while (TakeIf(","));
    return Expect(is_array ? "]" : "}");
  }

  bool ReadPatternKey(Pattern::Entry* entry) {
    if (Next().kind == Token::Kind::kVariable) {
      entry->variable = Take().text;
      return true;
    }
    entry->key = ReadKey();
    return entry->key != nullptr;
  }

  // --- operators

  NodePtr ReadExpression(int precedence_min) {
    const Level level(state_);
    if (level.IsTooDeep()) return Fail("the expression is nested too deeply");
    NodePtr left = ReadTerm();
    int precedence_max = kPrecedenceMax;  // below that of a non-associative one just read
    while (left) {
      const auto* op = std::ranges::find_if(
          kOperators, [&](const Operator& candidate) { return Next().Is(candidate.text); });
      if (op == std::end(kOperators) || op->precedence < precedence_min) break;
      if (op->precedence > precedence_max) return Unexpected();
      Take();
      const bool right_side = op->side == Operator::Side::kRight;
      NodePtr right = ReadExpression(right_side ? op->precedence : op->precedence + 1);
      if (!right) return nullptr;
      left = Make(op->kind, std::move(left), std::move(right));
      if (left && !op->native.empty()) {
        left->native = FindNative(op->native, 2);
        KULISSE_ASSERT(left->native != nullptr);
      }
      precedence_max = op->side == Operator::Side::kNone ? op->precedence - 1 : op->precedence;
    }
    return left;
  }

  // --- terms

  NodePtr ReadTerm() {
    const Level level(state_);
    if (level.IsTooDeep()) return Fail("the expression is nested too deeply");
    if (TakeIf("-")) return ReadSigned("_negate");
    if (TakeIf("+")) return ReadSigned("_plus");
    if (TakeIf("try")) return ReadTry();
    bool is_suffix = false;
    NodePtr term = ReadPrimary(&is_suffix);
    while (term) {
      const Token& next = Next();
      if (next.kind == Token::Kind::kField) {
        term = ReadField(std::move(term));
      } else if (next.Is("[")) {
        term = ReadBrackets(std::move(term));
      } else if (next.Is(".") && HasSuffixAfterDot()) {
        Take();
        term = Next().Is("[") ? ReadBrackets(std::move(term)) : ReadKeyOfDot(std::move(term));
      } else if (TakeIf("?")) {
        term = MakeOptional(std::move(term), is_suffix);
        is_suffix = false;
        continue;
      } else {
        break;
      }
      is_suffix = true;
    }
    return term;
  }

  [[nodiscard]] bool HasSuffixAfterDot() const {
    const Token& next = tokens_[std::min(at_ + 1, tokens_.size() - 1)];
    return next.Is("[") || next.kind == Token::Kind::kString;
  }

  // `?` catches the errors of the suffix before it alone: gojq reads `.a.b?` as `.a | .b?`.
  NodePtr MakeOptional(NodePtr term, bool is_suffix) {
    if (!is_suffix || term->children[0]->kind == NodeKind::kIdentity) {
      return Make(NodeKind::kTry, std::move(term), NodePtr());
    }
    NodePtr target = std::exchange(term->children[0], Make(NodeKind::kIdentity));
    NodePtr attempt = Make(NodeKind::kTry, std::move(term), NodePtr());
    if (!attempt) return nullptr;
    return Make(NodeKind::kPipe, std::move(target), std::move(attempt));
  }

  NodePtr ReadSigned(std::string_view native) {
    NodePtr term = ReadTerm();
    if (!term) return nullptr;
    if (term->kind == NodeKind::kConstant && term->constant.IsNumber()) {
      if (native == "_plus") return term;
      if (term->constant.IsDouble()) {
        return Constant(Value::Double(-term->constant.AsDouble()));
      }
      if (term->constant.AsInt() != INT64_MIN) return Constant(Value::Int(-term->constant.AsInt()));
    }
    NodePtr sign = CallNative(native);
    if (!sign) return nullptr;
    return Make(NodeKind::kPipe, std::move(term), std::move(sign));
  }

  NodePtr ReadTry() {
    NodePtr body = ReadTerm();
    if (!body) return nullptr;
    NodePtr handler;
    if (TakeIf("catch")) {
      handler = ReadTerm();
      if (!handler) return nullptr;
    }
    return Make(NodeKind::kTry, std::move(body), std::move(handler));
  }

  NodePtr ReadPrimary(bool* is_suffix) {
    const Token& token = Next();
    switch (token.kind) {
      case Token::Kind::kNumber:
        return Constant(ParseNumber(Take().text));
      case Token::Kind::kString:
        return ReadString("tostring");
      case Token::Kind::kFormat:
        return ReadFormat();
      case Token::Kind::kField:
        *is_suffix = true;
        return ReadField(Make(NodeKind::kIdentity));
      case Token::Kind::kVariable:
        return Call(Take().text);
      case Token::Kind::kIdent:
        return ReadCall();
      case Token::Kind::kKeyword:
        return ReadKeyword();
      default:
        return ReadPunctuation(is_suffix);
    }
  }

  NodePtr ReadPunctuation(bool* is_suffix) {
    if (Next().Is(".")) {
      *is_suffix = HasSuffixAfterDot();
      Take();
      if (!*is_suffix) return Make(NodeKind::kIdentity);
      if (Next().Is("[")) return ReadBrackets(Make(NodeKind::kIdentity));
      return ReadKeyOfDot(Make(NodeKind::kIdentity));
    }
    if (TakeIf("..")) return Call("recurse");
    if (TakeIf("(")) {
      NodePtr query = ReadQuery();
      return query && Expect(")") ? std::move(query) : nullptr;
    }
    if (TakeIf("[")) {
      if (TakeIf("]")) return Make(NodeKind::kArray);
      NodePtr query = ReadQuery();
      if (!query || !Expect("]")) return nullptr;
      return Make(NodeKind::kArray, std::move(query));
    }
    if (TakeIf("{")) return ReadObject();
    return Unexpected();
  }

  NodePtr ReadKeyword() {
    if (TakeIf("null")) return Constant({});
    if (TakeIf("true")) return Constant(Value::Bool(true));
    if (TakeIf("false")) return Constant(Value::Bool(false));
    if (TakeIf("if")) return ReadIf();
    if (TakeIf("reduce")) return ReadFold(NodeKind::kReduce);
    if (TakeIf("foreach")) return ReadFold(NodeKind::kForeach);
    if (TakeIf("break")) {
      if (Next().kind != Token::Kind::kVariable) return Unexpected();
      NodePtr node = Make(NodeKind::kBreak);
      if (node) node->text = Take().text;
      return node;
    }
    return Unexpected();
  }

  // After `if` or `elif`.
  NodePtr ReadIf() {
    const Level level(state_);
    if (level.IsTooDeep()) return Fail("the expression is nested too deeply");
    NodePtr condition = ReadQuery();
    if (!condition || !Expect("then")) return nullptr;
    NodePtr then = ReadQuery();
    if (!then) return nullptr;
    NodePtr otherwise;
    if (TakeIf("elif")) {
      otherwise = ReadIf();
      if (!otherwise) return nullptr;
    } else {
      if (TakeIf("else")) {
        otherwise = ReadQuery();
        if (!otherwise) return nullptr;
      }
      if (!Expect("end")) return nullptr;
    }
    return Make(NodeKind::kIf, std::move(condition), std::move(then), std::move(otherwise));
  }

  // reduce source as pattern (start; update), foreach … (start; update; extract)
  NodePtr ReadFold(NodeKind kind) {
    NodePtr source = ReadExpression(1);
    if (!source || !Expect("as")) return nullptr;
    Pattern pattern;
    if (!ReadPattern(&pattern) || !Expect("(")) return nullptr;
    NodePtr start = ReadQuery();
    if (!start || !Expect(";")) return nullptr;
    NodePtr update = ReadQuery();
    if (!update) return nullptr;
    NodePtr extract;
    if (kind == NodeKind::kForeach && TakeIf(";")) {
      extract = ReadQuery();
      if (!extract) return nullptr;
    }
    if (!Expect(")")) return nullptr;
    NodePtr node =
        Make(kind, std::move(source), std::move(start), std::move(update), std::move(extract));
    if (node) node->patterns.push_back(std::move(pattern));
    return node;
  }

  NodePtr ReadCall() {
    NodePtr call = Call(Take().text);
    if (!call || !TakeIf("(")) return call;
    do {
      call->children.push_back(ReadQuery());
      if (!call->children.back()) return nullptr;
    } while (TakeIf(";"));
    return Expect(")") ? std::move(call) : nullptr;
  }

  // --- suffixes

  NodePtr ReadField(NodePtr target) {
    if (!target) return nullptr;
    NodePtr node = Make(NodeKind::kField, std::move(target));
    if (node) SetText(Take().text, node.get());
    return node;
  }

  // After a dot: ."name"
  NodePtr ReadKeyOfDot(NodePtr target) {
    NodePtr key = ReadString("tostring");
    return key ? MakeIndex(std::move(target), std::move(key)) : nullptr;
  }

  NodePtr MakeIndex(NodePtr target, NodePtr index) {
    if (index->kind != NodeKind::kConstant) {
      return Make(NodeKind::kIndex, std::move(target), std::move(index));
    }
    NodePtr node = Make(NodeKind::kField, std::move(target));
    if (!node) return nullptr;
    if (index->constant.IsString()) {
      SetText(index->text, node.get());
    } else {
      node->constant = index->constant;
    }
    return node;
  }

  NodePtr ReadBrackets(NodePtr target) {
    Take();
    if (!target) return nullptr;
    if (TakeIf("]")) return Make(NodeKind::kIterate, std::move(target));
    NodePtr start;
    if (!Next().Is(":")) {
      start = ReadQuery();
      if (!start) return nullptr;
      if (TakeIf("]")) return MakeIndex(std::move(target), std::move(start));
    }
    if (!Expect(":")) return nullptr;
    NodePtr end;
    if (!start || !Next().Is("]")) {
      end = ReadQuery();
      if (!end) return nullptr;
    }
    if (!Expect("]")) return nullptr;
    return Make(NodeKind::kSlice, std::move(target), std::move(start), std::move(end));
  }

  // --- strings and objects

  NodePtr ReadFormat() {
    const std::string_view name = Take().text;
    const auto* known =
        std::ranges::find(kFormats, name, [](const auto& row) { return row.first; });
    const std::string_view native = known == std::end(kFormats) ? name : known->second;
    return Next().kind == Token::Kind::kString ? ReadString(native) : MakeFormat(native);
  }

  // `format` is a function's name, or an unknown @format: an error when it runs.
  NodePtr MakeFormat(std::string_view format) {
    if (!format.starts_with('@')) return CallNative(format);
    NodePtr name = Text(format.substr(1));
    return name ? CallNative("format", std::move(name)) : nullptr;
  }

  NodePtr ReadString(std::string_view format) {
    const Token& token = Take();
    if (token.parts.empty()) return Text("");
    NodePtr string;
    for (const StringPart& part : token.parts) {
      NodePtr piece = part.is_query ? ReadInterpolation(part, format) : Text(part.text);
      if (!piece) return nullptr;
      string = string ? CallNative("_add", std::move(string), std::move(piece)) : std::move(piece);
      if (!string) return nullptr;
    }
    return string;
  }

  NodePtr ReadInterpolation(const StringPart& part, std::string_view format) {
    NodePtr query = Parser(part.query, state_).ReadProgram();
    if (!query) return nullptr;
    NodePtr print = MakeFormat(format);
    return print ? Make(NodeKind::kPipe, std::move(query), std::move(print)) : nullptr;
  }

  // name, keyword, "string" or (query)
  NodePtr ReadKey() {
    const Token& token = Next();
    if (token.kind == Token::Kind::kIdent || token.kind == Token::Kind::kKeyword) {
      return Text(Take().text);
    }
    if (token.kind == Token::Kind::kString) return ReadString("tostring");
    if (!Expect("(")) return nullptr;
    NodePtr query = ReadQuery();
    return query && Expect(")") ? std::move(query) : nullptr;
  }

  NodePtr ReadObject() {
    NodePtr object = Make(NodeKind::kObject);
    if (!object) return nullptr;
    while (!TakeIf("}")) {
      if (!ReadObjectEntry(object.get())) return nullptr;
      if (!Next().Is("}") && !Expect(",")) return nullptr;
    }
    return object;
  }

  bool ReadObjectEntry(Node* object) {
    const bool is_variable = Next().kind == Token::Kind::kVariable;
    const bool is_query = Next().Is("(");
    const std::string_view name = Next().text;
    // `{$x}` is {x: $x}, `{$x: 1}` is {($x): 1}, `{a}` is {a: .a}, `{"a"}` is {a: .a}.
    NodePtr key = is_variable ? Call(Take().text) : ReadKey();
    if (!key) return false;
    NodePtr value;
    if (TakeIf(":")) {
      value = ReadObjectValue();
    } else if (is_variable) {
      value = std::exchange(key, Text(name.substr(1)));
    } else if (is_query) {
      Unexpected();
    } else if (key->kind == NodeKind::kConstant) {
      value = Make(NodeKind::kField, Make(NodeKind::kIdentity));
      if (value) SetText(key->text, value.get());
    }
    if (!key || !state_.error.empty()) return false;
    object->children.push_back(std::move(key));
    object->children.push_back(std::move(value));  // null: `.[key]`
    return true;
  }

  NodePtr ReadObjectValue() {
    NodePtr value = ReadExpression(1);
    if (!value || !TakeIf("|")) return value;
    NodePtr rest = ReadObjectValue();
    return rest ? Make(NodeKind::kPipe, std::move(value), std::move(rest)) : nullptr;
  }

  std::span<const Token> tokens_;
  size_t at_ = 0;
  State& state_;
};

}  // namespace

std::expected<NodePtr, std::string> Parse(std::string_view program) {
  if (program.size() > kExpressionBytesMax) return std::unexpected("the expression is too long");
  const auto tokens = ReadTokens(program);
  if (!tokens) return std::unexpected(tokens.error());
  Parser::State state;
  NodePtr root = Parser(*tokens, state).ReadProgram();
  if (!root) return std::unexpected(std::move(state.error));
  return root;
}

std::expected<std::vector<std::unique_ptr<Definition>>, std::string> ParseDefinitions(
    std::string_view text) {
  const auto tokens = ReadTokens(text);
  if (!tokens) return std::unexpected(tokens.error());
  Parser::State state;
  std::vector<std::unique_ptr<Definition>> definitions;
  if (!Parser(*tokens, state).ReadDefinitions(&definitions)) {
    return std::unexpected(std::move(state.error));
  }
  return definitions;
}

}  // namespace kulisse::simulator::jq
