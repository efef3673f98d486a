#include "openapi/cel/parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <span>

#include "base/text.h"
#include "openapi/cel/lexer.h"
#include "openapi/cel/limits.h"

namespace kulisse::openapi::cel {
namespace {

// Words that no variable or function may be called; fields may.
constexpr std::array<std::string_view, 21> kReserved = {
    "as",        "break", "const",  "continue", "else", "false", "for",
    "function",  "if",    "import", "in",       "let",  "loop",  "package",
    "namespace", "null",  "return", "true",     "var",  "void",  "while"};

// What may come where an operand is wanted, in ANTLR's order; '}', ')', ',' and '?' where they may.
constexpr std::string_view kOperandTokens =
    "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, "
    "BYTES, IDENTIFIER}";
constexpr std::string_view kArgumentTokens =
    "{'[', '{', '(', ')', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, "
    "STRING, BYTES, IDENTIFIER}";
constexpr std::string_view kIndexTokens =
    "{'[', '{', '(', '.', '-', '!', '?', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, "
    "STRING, BYTES, IDENTIFIER}";
constexpr std::string_view kListTokens =
    "{'[', ']', '{', '(', '.', ',', '-', '!', '?', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, "
    "NUM_UINT, STRING, BYTES, IDENTIFIER}";
constexpr std::string_view kMapTokens =
    "{'[', '{', '}', '(', '.', ',', '-', '!', '?', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, "
    "NUM_UINT, STRING, BYTES, IDENTIFIER}";

struct BinaryOperator {
  std::string_view text;
  std::string_view function;
};
constexpr BinaryOperator kRelations[] = {{"<", "_<_"}, {"<=", "_<=_"}, {">=", "_>=_"},
                                         {">", "_>_"}, {"==", "_==_"}, {"!=", "_!=_"},
                                         {"in", "@in"}};
constexpr BinaryOperator kSums[] = {{"+", "_+_"}, {"-", "_-_"}};
constexpr BinaryOperator kProducts[] = {{"*", "_*_"}, {"/", "_/_"}, {"%", "_%_"}};

class Parser {
 public:
  Parser(const Source& source, Ast* ast, std::vector<Issue>* issues, ParseOptions options)
      : ast_(*ast),
        options_(options),
        text_(source.text()),
        issues_(issues),
        tokens_(Tokenize(source.text(), issues)) {}

  void Run() {
    ast_.root = Conditional();
    if (!failed_ && !Is(TokenKind::kEnd)) ExpectedEnd();
  }

 private:
  // --- tokens ---
  [[nodiscard]] const Token& Now() const { return tokens_[at_]; }
  [[nodiscard]] const Token& Ahead(size_t count) const {
    return tokens_[std::min(at_ + count, tokens_.size() - 1)];
  }
  [[nodiscard]] bool Is(TokenKind kind) const { return Now().kind == kind; }
  static bool IsOperator(const Token& token, std::string_view op) {
    return token.kind == TokenKind::kOperator && token.text == op;
  }
  [[nodiscard]] bool IsOperator(std::string_view op) const { return IsOperator(Now(), op); }
  const Token& Take() { return tokens_[at_ < tokens_.size() - 1 ? at_++ : at_]; }
  bool TakeOperator(std::string_view op) {
    if (!IsOperator(op)) return false;
    Take();
    return true;
  }

  // Whether the next token but one is a number that a sign may belong to.
  [[nodiscard]] bool IsNumberAhead() const {
    return Ahead(1).kind == TokenKind::kInt || Ahead(1).kind == TokenKind::kFloat;
  }

  // --- errors ---
  Expr* Refuse(Position position, std::string message) {
    issues_->push_back({.position = position, .message = std::move(message)});
    return ast_.Make(ExprKind::kError, position);
  }
  // The first syntax error ends the parsing.
  Expr* SyntaxError(std::string message) {
    if (!failed_) {
      issues_->push_back(
          {.position = Now().position, .message = "Syntax error: " + std::move(message)});
    }
    failed_ = true;
    at_ = tokens_.size() - 1;
    return ast_.Make(ExprKind::kError, kNoPosition);
  }
  [[nodiscard]] std::string Shown() const {
    return Is(TokenKind::kEnd) ? "<EOF>" : std::string(Now().text);
  }
  Expr* Mismatched(std::string_view expecting) {
    return SyntaxError(fmt::format("mismatched input '{}' expecting {}", Shown(), expecting));
  }
  // Shows the text from a place to the end of this token.
  Expr* NoViableFrom(Position start) {
    std::string_view rest = text_;
    for (Position i = 0; i < start; ++i) rest.remove_prefix(CodePointBytes(rest));
    const auto length =
        Is(TokenKind::kEnd) ? rest.size() : static_cast<size_t>(Now().text.end() - rest.begin());
    std::string shown;
    for (const char c : rest.substr(0, length)) {
      shown += c == '\n' ? "\\n" : c == '\t' ? "\\t" : c == '\r' ? "\\r" : std::string(1, c);
    }
    return SyntaxError(fmt::format("no viable alternative at input '{}'", shown));
  }
  Expr* Extraneous(std::string_view expecting) {
    return SyntaxError(fmt::format("extraneous input '{}' expecting {}", Shown(), expecting));
  }
  // Where nothing more may come.
  void ExpectedEnd() {
    if (Ahead(1).kind == TokenKind::kEnd) {
      Extraneous("<EOF>");
    } else {
      Mismatched("<EOF>");
    }
  }
  // Takes the token `op`, or tells in ANTLR's way what is wrong: one token too many, one too few
  // (when `may_follow` says that what is there may follow it), or neither.
  bool Expect(std::string_view op, bool may_follow = false) {
    if (TakeOperator(op)) return true;
    const std::string expecting = fmt::format("'{}'", op);
    if (!Is(TokenKind::kEnd) && IsOperator(Ahead(1), op)) {
      Extraneous(expecting);
    } else if (may_follow) {
      SyntaxError(fmt::format("missing {} at '{}'", expecting, Shown()));
    } else {
      Mismatched(expecting);
    }
    return false;
  }
  // Takes a comma or the end of a list, of which `expecting` tells.
  bool ExpectComma(std::string_view close, std::string_view expecting) {
    if (TakeOperator(",")) return true;
    if (!Is(TokenKind::kEnd) && (IsOperator(Ahead(1), close) || IsOperator(Ahead(1), ","))) {
      Extraneous(expecting);
    } else {
      Mismatched(expecting);
    }
    return false;
  }
  // Whether the token may come after a complete expression.
  [[nodiscard]] bool EndsExpression() const {
    if (Is(TokenKind::kEnd) || Is(TokenKind::kIn)) return true;
    constexpr std::string_view kOpening[] = {"(", "{", "!"};
    return Is(TokenKind::kOperator) &&
           std::ranges::find(kOpening, Now().text) == std::end(kOpening);
  }
  [[nodiscard]] static bool BeginsOperand(const Token& token) {
    if (token.kind == TokenKind::kOperator) {
      constexpr std::string_view kOpening[] = {"(", "[", "{", ".", "-", "!"};
      return std::ranges::find(kOpening, token.text) != std::end(kOpening);
    }
    return token.kind >= TokenKind::kTrue && token.kind <= TokenKind::kIdentifier;
  }
  Expr* TooDeep() {
    if (!failed_) {
      issues_->push_back(
          {.position = kNoPosition,
           .message = fmt::format("expression recursion limit exceeded: {}", kCelDepthMax)});
    }
    failed_ = true;
    at_ = tokens_.size() - 1;
    return ast_.Make(ExprKind::kError, kNoPosition);
  }

  // --- nodes ---
  Expr* Call(std::string_view function, Position position, std::vector<Expr*> arguments) {
    Expr* call = ast_.Make(ExprKind::kCall, position);
    call->name = function;
    call->arguments = std::move(arguments);
    return Complete(call);
  }
  // The node with all its arguments, unless the tree is too high now.
  Expr* Complete(Expr* expr) {
    return Ast::Complete(expr)->height > kCelHeightMax ? TooDeep() : expr;
  }
  Expr* Literal(Position position, Value value) {
    Expr* literal = ast_.Make(ExprKind::kLiteral, position);
    literal->literal = value;
    return literal;
  }
  // A call by name, or what a macro of that name makes of it.
  Expr* CallOrMacro(Expr* call) {
    Expr* expanded = ExpandMacro(ast_, *call, issues_);
    return Complete(expanded != nullptr ? expanded : call);
  }

  void TakeOptional(const Token& mark) {
    if (!TakeOperator("?")) return;
    ast_.optional_elements = true;
    if (!options_.optional_syntax) Refuse(mark.position, "unsupported syntax '?'");
  }

  // Counts how deep expressions are in each other, on the way in and out.
  class Depth {
   public:
    explicit Depth(Parser* parser) : parser_(*parser) { ++parser_.depth_; }
    Depth(const Depth&) = delete;
    Depth& operator=(const Depth&) = delete;
    ~Depth() { --parser_.depth_; }

   private:
    Parser& parser_;
  };

  // --- grammar ---
  Expr* Conditional() {
    const Depth depth(this);
    if (depth_ > kCelDepthMax) return TooDeep();
    Expr* condition = Logical("||", "_||_");
    if (failed_ || !IsOperator("?")) return condition;
    const Position position = Take().position;
    Expr* yes = Logical("||", "_||_");
    if (failed_ || !Expect(":", BeginsOperand(Now()))) return yes;
    Expr* no = Conditional();
    return Call("_?_:_", position, {condition, yes, no});
  }

  // Chains of && and ||: one call with all terms.
  Expr* Logical(std::string_view op, std::string_view function) {
    const bool is_or = op == "||";
    const auto term = [&] { return is_or ? Logical("&&", "_&&_") : Relation(); };
    Expr* first = term();
    if (failed_ || !IsOperator(op)) return first;
    Expr* call = Call(function, Now().position, {first});
    while (!failed_ && TakeOperator(op)) call->arguments.push_back(term());
    return Complete(call);
  }

  // Operators of one precedence, from left to right.
  template <class Operand>
  Expr* Chain(std::span<const BinaryOperator> operators, const Operand& operand) {
    Expr* left = operand();
    for (int length = 0; !failed_; ++length) {
      const auto found = std::ranges::find(operators, Now().text, &BinaryOperator::text);
      if (found == operators.end() || Is(TokenKind::kEnd) ||
          !(Is(TokenKind::kOperator) || Is(TokenKind::kIn))) {
        break;
      }
      if (depth_ + length >= kCelDepthMax) return TooDeep();
      const Position position = Take().position;
      Expr* right = operand();
      left = Call(found->function, position, {left, right});
    }
    return left;
  }
  Expr* Relation() {
    return Chain(kRelations, [this] { return Sum(); });
  }
  Expr* Sum() {
    return Chain(kSums, [this] { return Product(); });
  }
  Expr* Product() {
    return Chain(kProducts, [this] { return Unary(); });
  }

  Expr* Unary() {
    const std::string_view op = IsOperator("!")                       ? "!"
                                : IsOperator("-") && !IsNumberAhead() ? "-"
                                                                      : "";
    if (op.empty()) return Member();
    const Position position = Now().position;
    size_t count = 0;
    while (TakeOperator(op)) ++count;
    const bool negative = IsOperator("-") && IsNumberAhead();
    if (!BeginsOperand(Now()) || IsOperator("!") || (IsOperator("-") && !negative)) {
      if (op == "-") return NoViableFrom(position);
      return Is(TokenKind::kEnd) ? Extraneous(kOperandTokens) : MissingOperand();
    }
    Expr* operand = Member();
    if (failed_ || count % 2 == 0) return operand;
    return Call(op == "!" ? "!_" : "-_", position, {operand});
  }

  Expr* Member() {
    Expr* expr = Primary();
    for (int length = 0; !failed_; ++length) {
      if (!IsOperator(".") && !IsOperator("[")) break;
      if (depth_ + length >= kCelDepthMax) return TooDeep();
      expr = IsOperator("[") ? Index(expr) : Select(expr);
    }
    return expr;
  }

  Expr* Index(Expr* operand) {
    const Position position = Take().position;
    const bool optional = TakeOperator("?");
    if (!optional && !BeginsOperand(Now())) return MissingOperand(kIndexTokens);
    Expr* index = Conditional();
    if (failed_ || !Expect("]", EndsExpression())) return index;
    if (optional && !options_.optional_syntax) {
      return Refuse(position, "unsupported syntax '[?'");
    }
    return Call(optional ? "_[?_]" : "_[_]", position, {operand, index});
  }

  // `.field` or `.function(…)`.
  Expr* Select(Expr* operand) {
    const Position position = Take().position;
    const bool optional = TakeOperator("?");
    if (Is(TokenKind::kTrue) || Is(TokenKind::kFalse) || Is(TokenKind::kNull)) {
      return Mismatched("IDENTIFIER");
    }
    if (!Is(TokenKind::kIdentifier) && !Is(TokenKind::kEscapedIdentifier)) {
      return NoViableFrom(position);
    }
    const Token& name = Take();
    if (name.kind == TokenKind::kEscapedIdentifier) {
      return Refuse(name.position, "unsupported syntax: '`'");
    }
    if (!optional && IsOperator("(")) {
      Expr* call = ast_.Make(ExprKind::kCall, Take().position);
      call->is_member = true;
      call->name = name.text;
      call->arguments = {operand};
      Arguments(&call->arguments);
      return failed_ ? call : CallOrMacro(call);
    }
    if (optional && !options_.optional_syntax) {
      return Refuse(position, "unsupported syntax '.?'");
    }
    Expr* select = ast_.Make(ExprKind::kSelect, position);
    select->name = name.text;
    select->optional = optional;
    select->arguments = {operand};
    return Complete(select);
  }

  // Up to and with the closing parenthesis.
  void Arguments(std::vector<Expr*>* arguments) {
    if (TakeOperator(")")) return;
    if (!BeginsOperand(Now())) {
      MissingOperand(kArgumentTokens);
      return;
    }
    do {
      arguments->push_back(Conditional());
    } while (!failed_ && TakeOperator(","));
    if (!failed_) Expect(")", EndsExpression());
  }

  Expr* Primary() {
    const Token& token = Now();
    switch (token.kind) {
      case TokenKind::kOperator:
        return OperatorPrimary();
      case TokenKind::kIdentifier:
        return IdentifierPrimary(false, token.position);
      case TokenKind::kInt:
        return IntLiteral(false, Take());
      case TokenKind::kUint:
        return UintLiteral(Take());
      case TokenKind::kFloat:
        return DoubleLiteral(false, Take());
      case TokenKind::kString:
      case TokenKind::kBytes:
        return TextLiteral(Take());
      case TokenKind::kTrue:
      case TokenKind::kFalse:
        return Literal(Take().position, Value::Bool(token.kind == TokenKind::kTrue));
      case TokenKind::kNull:
        return Literal(Take().position, Value());
      default:
        return MissingOperand();
    }
  }

  Expr* MissingOperand(std::string_view expecting = kOperandTokens) {
    if (!Is(TokenKind::kEnd) && BeginsOperand(Ahead(1))) return Extraneous(expecting);
    return Mismatched(expecting);
  }

  Expr* OperatorPrimary() {
    const Token& token = Now();
    if (token.text == "(") {
      Take();
      Expr* inner = Conditional();
      if (!failed_) Expect(")", EndsExpression());
      return inner;
    }
    if (token.text == "[") return List();
    if (token.text == "{") return Map();
    if (token.text == ".") {
      Take();
      if (!Is(TokenKind::kIdentifier)) return NoViableFrom(token.position);
      return IdentifierPrimary(true, token.position);
    }
    if (token.text == "-" && Ahead(1).kind == TokenKind::kInt) {
      Take();
      return IntLiteral(true, Take());
    }
    if (token.text == "-" && Ahead(1).kind == TokenKind::kFloat) {
      Take();
      return DoubleLiteral(true, Take());
    }
    return MissingOperand();
  }

  Expr* IdentifierPrimary(bool leading_dot, Position start) {
    if (IsStructAhead()) return Struct(leading_dot);
    const Token& name = Take();
    const std::string dot = leading_dot ? "." : "";
    if (std::ranges::find(kReserved, name.text) != kReserved.end()) {
      std::vector<Expr*> ignored;
      if (TakeOperator("(")) Arguments(&ignored);
      return Refuse(start, fmt::format("reserved identifier: {}", name.text));
    }
    if (IsOperator("(")) {
      Expr* call = ast_.Make(ExprKind::kCall, Take().position);
      call->name = dot + std::string(name.text);
      Arguments(&call->arguments);
      return failed_ ? call : CallOrMacro(call);
    }
    Expr* identifier = ast_.Make(ExprKind::kIdentifier, name.position);
    identifier->name = dot + std::string(name.text);
    return identifier;
  }

  // Whether `a.b.c {` is next.
  [[nodiscard]] bool IsStructAhead() const {
    size_t at = 0;
    while (Ahead(at).kind == TokenKind::kIdentifier && IsOperator(Ahead(at + 1), ".")) at += 2;
    return Ahead(at).kind == TokenKind::kIdentifier && IsOperator(Ahead(at + 1), "{");
  }

  Expr* Struct(bool leading_dot) {
    std::string name = leading_dot ? "." : "";
    while (!IsOperator("{")) name += Take().text;
    Expr* result = ast_.Make(ExprKind::kStruct, Take().position);
    result->name = name;
    while (!failed_ && !TakeOperator("}")) {
      const Token& field = Now();
      TakeOptional(field);
      if (!Is(TokenKind::kIdentifier) && !Is(TokenKind::kEscapedIdentifier)) {
        return Mismatched("{'}', ',', '?', IDENTIFIER, ESC_IDENTIFIER}");
      }
      if (Take().kind == TokenKind::kEscapedIdentifier) {
        Refuse(field.position, "unsupported syntax: '`'");
      }
      if (!Expect(":", BeginsOperand(Now()))) return result;
      result->arguments.push_back(Conditional());
      if (!TakeOperator(",") && !IsOperator("}") && !failed_) Mismatched("{'}', ','}");
    }
    return Complete(result);
  }

  Expr* List() {
    Expr* list = ast_.Make(ExprKind::kList, Take().position);
    if (TakeOperator("]") || (TakeOperator(",") && Expect("]", EndsExpression()))) return list;
    if (!IsOperator("?") && !BeginsOperand(Now())) return MissingOperand(kListTokens);
    while (!failed_) {
      const Token& element = Now();
      TakeOptional(element);
      list->arguments.push_back(Conditional());
      if (failed_ || TakeOperator("]")) break;
      if (!ExpectComma("]", "{']', ','}")) break;
      if (TakeOperator("]")) break;
      if (IsOperator(",")) return Mismatched("']'");
    }
    return Complete(list);
  }

  Expr* Map() {
    Expr* map = ast_.Make(ExprKind::kMap, Take().position);
    if (TakeOperator("}") || (TakeOperator(",") && Expect("}", EndsExpression()))) return map;
    if (!IsOperator("?") && !BeginsOperand(Now())) return MissingOperand(kMapTokens);
    while (!failed_) {
      const Token& entry = Now();
      TakeOptional(entry);
      map->arguments.push_back(Conditional());
      if (failed_ || !Expect(":", BeginsOperand(Now()))) break;
      map->arguments.push_back(Conditional());
      if (failed_ || TakeOperator("}")) break;
      if (!ExpectComma("}", "{'}', ','}")) break;
      if (TakeOperator("}")) break;
      if (IsOperator(",")) return Mismatched("'}'");
    }
    return Complete(map);
  }

  // --- literals ---
  Expr* IntLiteral(bool negative, const Token& token) {
    const bool hex = token.text.starts_with("0x");
    const std::string text =
        (negative ? "-" : "") + std::string(hex ? token.text.substr(2) : token.text);
    int64_t number = 0;
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), number, hex ? 16 : 10);
    const Position position = token.position - (negative ? 1 : 0);
    if (error != std::errc() || end != text.data() + text.size()) {
      return Refuse(position, "invalid int literal");
    }
    return Literal(position, Value::Int(number));
  }

  Expr* UintLiteral(const Token& token) {
    std::string_view text = token.text.substr(0, token.text.size() - 1);
    const bool hex = text.starts_with("0x");
    if (hex) text.remove_prefix(2);
    uint64_t number = 0;
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), number, hex ? 16 : 10);
    if (error != std::errc()) return Refuse(token.position, "invalid uint literal");
    return Literal(token.position, Value::Uint(number));
  }

  Expr* DoubleLiteral(bool negative, const Token& token) {
    const Position position = token.position - (negative ? 1 : 0);
    const Value text =
        Value::String(ast_.texts.Copy((negative ? "-" : "") + std::string(token.text)));
    double number = 0;
    const std::string_view digits = text.AsText();
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    // A number too near to zero is zero; one too far from it is refused.
    if (error == std::errc::result_out_of_range && digits.find("e-") == std::string_view::npos &&
        digits.find("E-") == std::string_view::npos) {
      return Refuse(position, "invalid double literal");
    }
    return Literal(position, Value::Double(number));
  }

  Expr* TextLiteral(const Token& token) {
    const bool is_bytes = token.kind == TokenKind::kBytes;
    const auto text = Unquote(token.text.substr(is_bytes ? 1 : 0), is_bytes);
    if (!text) return Refuse(token.position, text.error());
    const std::string_view kept = ast_.texts.Copy(*text);
    return Literal(token.position, is_bytes ? Value::Bytes(kept) : Value::String(kept));
  }

  Ast& ast_;
  ParseOptions options_;
  std::string_view text_;
  std::vector<Issue>* issues_;
  std::vector<Token> tokens_;
  size_t at_ = 0;
  int depth_ = 0;
  bool failed_ = false;
};

}  // namespace

std::unique_ptr<Ast> Parse(const Source& source, std::vector<Issue>* issues, ParseOptions options) {
  auto ast = std::make_unique<Ast>();
  if (source.size() > kCelCodePointsMax) {
    issues->push_back(
        {.position = kNoPosition,
         .message = fmt::format("expression code point size exceeds limit: size: {}, limit {}",
                                source.size(), kCelCodePointsMax)});
    return ast;
  }
  Parser(source, ast.get(), issues, options).Run();
  return ast;
}

std::string QualifiedName(const Expr& expr) {
  if (expr.kind == ExprKind::kIdentifier) return expr.name;
  if (expr.kind != ExprKind::kSelect || expr.test_only) return "";
  const std::string operand = QualifiedName(*expr.arguments[0]);
  return operand.empty() ? "" : operand + "." + expr.name;
}

}  // namespace kulisse::openapi::cel
