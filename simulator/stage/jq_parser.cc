// The jq grammar by recursive descent, loosest operator first: | , // or and comparison + -.
#include <fmt/format.h>

#include <array>
#include <charconv>
#include <utility>

#include "base/json/parse.h"
#include "simulator/limits.h"
#include "simulator/stage/jq_node.h"

namespace kulisse::simulator {

namespace {

using Kind = JqNode::Kind;
using NodePtr = std::unique_ptr<JqNode>;
using Parsed = std::expected<NodePtr, std::string>;

struct FunctionRow {
  std::string_view name;
  size_t arguments_min, arguments_max;
  JqFunction function;
};
constexpr FunctionRow kFunctions[] = {
    {"add", 0, 0, JqFunction::kAdd},           {"all", 0, 2, JqFunction::kAll},
    {"any", 0, 2, JqFunction::kAny},           {"empty", 0, 0, JqFunction::kEmpty},
    {"endswith", 1, 1, JqFunction::kEndsWith}, {"first", 0, 1, JqFunction::kFirst},
    {"has", 1, 1, JqFunction::kHas},           {"keys", 0, 0, JqFunction::kKeys},
    {"last", 0, 0, JqFunction::kLast},         {"length", 0, 0, JqFunction::kLength},
    {"map", 1, 1, JqFunction::kMap},           {"not", 0, 0, JqFunction::kNot},
    {"select", 1, 1, JqFunction::kSelect},     {"startswith", 1, 1, JqFunction::kStartsWith},
    {"tonumber", 0, 0, JqFunction::kToNumber}, {"tostring", 0, 0, JqFunction::kToString},
    {"type", 0, 0, JqFunction::kType},         {"values", 0, 0, JqFunction::kValues},
};

bool IsNameStart(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

NodePtr Make(Kind kind) {
  auto node = std::make_unique<JqNode>();
  node->kind = kind;
  return node;
}

NodePtr Make(Kind kind, NodePtr a, NodePtr b = nullptr) {
  NodePtr node = Make(kind);
  node->children.push_back(std::move(a));
  if (b) node->children.push_back(std::move(b));
  return node;
}

NodePtr MakeString(std::string text) {
  NodePtr node = Make(Kind::kLiteral);
  node->text = std::move(text);
  node->literal = json::Value::StringRef(node->text);
  return node;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Parsed Parse() {
    Parsed root = ParsePipe();
    if (!root) return root;
    SkipSpace();
    if (at_ < text_.size()) return Refuse();
    return root;
  }

 private:
  std::unexpected<std::string> Error(std::string_view message) const {
    return std::unexpected(fmt::format("{} (at {})", message, at_));
  }

  // The error for whatever stands here and cannot.
  std::unexpected<std::string> Refuse() const {
    if (at_ >= text_.size()) return Error("unexpected end of expression");
    constexpr std::string_view kUnsupported[] = {"|=", "+=", "-=", "*=", "/=", "%=", "//=", "?//",
                                                 "..", "*",  "/",  "%",  "=",  "$",  "@",   "{"};
    for (const std::string_view token : kUnsupported) {
      if (text_.substr(at_).starts_with(token)) {
        return Error(fmt::format("`{}` is not supported", token));
      }
    }
    if (IsNameStart(text_[at_])) {
      size_t end = at_;
      while (end < text_.size() && (IsNameStart(text_[end]) || IsDigit(text_[end]))) ++end;
      return Error(fmt::format("unexpected `{}`", text_.substr(at_, end - at_)));
    }
    return Error(fmt::format("unexpected `{}`", text_.substr(at_, 1)));
  }

  void SkipSpace() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '#') {
        while (at_ < text_.size() && text_[at_] != '\n') ++at_;
      } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
        ++at_;
      } else {
        return;
      }
    }
  }

  [[nodiscard]] char Peek(size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }

  // Takes an operator unless it is the beginning of a longer one.
  bool TakeOperator(std::string_view token, std::string_view not_before) {
    SkipSpace();
    if (!text_.substr(at_).starts_with(token)) return false;
    const char next = Peek(token.size());
    if (next != '\0' && not_before.contains(next)) return false;
    at_ += token.size();
    return true;
  }

  bool TakeWord(std::string_view word) {
    SkipSpace();
    if (!text_.substr(at_).starts_with(word)) return false;
    const char next = Peek(word.size());
    if (IsNameStart(next) || IsDigit(next)) return false;
    at_ += word.size();
    return true;
  }

  Parsed ParsePipe() {
    if (++depth_ > kExpressionDepthMax) return Error("expression is nested too deeply");
    Parsed left = ParseComma();
    if (left && TakeOperator("|", "=")) {
      Parsed right = ParsePipe();
      if (!right) return right;
      left = Make(Kind::kPipe, std::move(*left), std::move(*right));
    }
    --depth_;
    return left;
  }

  Parsed ParseComma() {
    Parsed left = ParseAlternative();
    while (left && TakeOperator(",", "")) {
      Parsed right = ParseAlternative();
      if (!right) return right;
      left = Make(Kind::kComma, std::move(*left), std::move(*right));
    }
    return left;
  }

  Parsed ParseAlternative() {
    if (++depth_ > kExpressionDepthMax) return Error("expression is nested too deeply");
    Parsed left = ParseOr();
    if (left && TakeOperator("//", "=")) {
      Parsed right = ParseAlternative();
      if (!right) return right;
      left = Make(Kind::kAlternative, std::move(*left), std::move(*right));
    }
    --depth_;
    return left;
  }

  Parsed ParseOr() {
    Parsed left = ParseAnd();
    while (left && TakeWord("or")) {
      Parsed right = ParseAnd();
      if (!right) return right;
      left = Make(Kind::kOr, std::move(*left), std::move(*right));
    }
    return left;
  }

  Parsed ParseAnd() {
    Parsed left = ParseComparison();
    while (left && TakeWord("and")) {
      Parsed right = ParseComparison();
      if (!right) return right;
      left = Make(Kind::kAnd, std::move(*left), std::move(*right));
    }
    return left;
  }

  bool TakeComparison(Kind* kind) {
    constexpr std::pair<std::string_view, Kind> kOperators[] = {
        {"==", Kind::kEqual},        {"!=", Kind::kNotEqual}, {"<=", Kind::kLessEqual},
        {">=", Kind::kGreaterEqual}, {"<", Kind::kLess},      {">", Kind::kGreater}};
    for (const auto& [token, value] : kOperators) {
      if (!TakeOperator(token, "")) continue;
      *kind = value;
      return true;
    }
    return false;
  }

  Parsed ParseComparison() {
    Parsed left = ParseSum();
    Kind kind;
    if (left && TakeComparison(&kind)) {  // not associative
      Parsed right = ParseSum();
      if (!right) return right;
      left = Make(kind, std::move(*left), std::move(*right));
    }
    return left;
  }

  Parsed ParseSum() {
    Parsed left = ParsePostfix();
    while (left) {
      const bool plus = TakeOperator("+", "=");
      if (!plus && !TakeOperator("-", "=")) break;
      Parsed right = ParsePostfix();
      if (!right) return right;
      left = Make(plus ? Kind::kAdd : Kind::kSubtract, std::move(*left), std::move(*right));
    }
    return left;
  }

  Parsed ParsePostfix() {
    Parsed term = ParseTerm();
    while (term) {
      SkipSpace();
      if (Peek() == '?' && Peek(1) != '/') {
        ++at_;
        term = Make(Kind::kTry, std::move(*term));
      } else if (Peek() == '[') {
        term = ParseBracket(std::move(*term));
      } else if (Peek() == '.' && (Peek(1) == '[' || Peek(1) == '"' || IsNameStart(Peek(1)))) {
        ++at_;
        term = Peek() == '[' ? ParseBracket(std::move(*term)) : ParseField(std::move(*term));
      } else {
        break;
      }
    }
    return term;
  }

  // After the dot: name or "name".
  Parsed ParseField(NodePtr target) {
    NodePtr node = Make(Kind::kField, std::move(target));
    if (Peek() == '"') {
      auto name = ParseString();
      if (!name) return std::unexpected(name.error());
      node->text = std::move(*name);
    } else {
      node->text = TakeName();
    }
    return node;
  }

  std::string TakeName() {
    const size_t begin = at_;
    while (at_ < text_.size() && (IsNameStart(text_[at_]) || IsDigit(text_[at_]))) ++at_;
    return std::string(text_.substr(begin, at_ - begin));
  }

  Parsed ParseBracket(NodePtr target) {
    ++at_;  // [
    SkipSpace();
    if (Peek() == ']') {
      ++at_;
      return Make(Kind::kIterate, std::move(target));
    }
    if (Peek() == ':') return Error("slices are not supported");
    Parsed index = ParsePipe();
    if (!index) return index;
    SkipSpace();
    if (Peek() == ':') return Error("slices are not supported");
    if (Peek() != ']') return Refuse();
    ++at_;
    return Make(Kind::kIndex, std::move(target), std::move(*index));
  }

  std::expected<std::string, std::string> ParseString() {
    const size_t begin = at_++;
    while (at_ < text_.size() && text_[at_] != '"') {
      if (text_[at_] == '\\') {
        if (Peek(1) == '(') return Error("string interpolation is not supported");
        ++at_;
      }
      ++at_;
    }
    if (at_ >= text_.size()) {
      at_ = begin;
      return Error("unterminated string");
    }
    ++at_;
    auto document = json::Parse(text_.substr(begin, at_ - begin));
    if (!document) {
      at_ = begin;
      return Error("malformed string");
    }
    return std::string(document->root.AsString());
  }

  Parsed ParseNumber() {
    const size_t begin = at_;
    double number = 0;
    const auto [end, error] =
        std::from_chars(text_.data() + at_, text_.data() + text_.size(), number);
    if (error != std::errc{}) return Error("malformed number");
    at_ = static_cast<size_t>(end - text_.data());
    int64_t integer = 0;
    const auto [integer_end, integer_error] = std::from_chars(text_.data() + begin, end, integer);
    NodePtr node = Make(Kind::kLiteral);
    const bool integral = integer_error == std::errc{} && integer_end == end;
    node->literal = integral ? json::Value::Int(integer) : json::Value::Double(number);
    return node;
  }

  Parsed ParseTerm() {
    SkipSpace();
    const char c = Peek();
    if (c == '.') {
      if (Peek(1) == '.') return Refuse();
      ++at_;
      if (Peek() == '[') return ParseBracket(Make(Kind::kIdentity));
      if (Peek() == '"' || IsNameStart(Peek())) return ParseField(Make(Kind::kIdentity));
      if (IsDigit(Peek())) {
        --at_;
        return ParseNumber();
      }
      return Make(Kind::kIdentity);
    }
    if (c == '"') {
      auto text = ParseString();
      if (!text) return std::unexpected(text.error());
      return MakeString(std::move(*text));
    }
    if (IsDigit(c)) return ParseNumber();
    if (c == '-') return ParseNegative();
    if (c == '(') return ParseGroup();
    if (c == '[') return ParseArray();
    if (IsNameStart(c)) return ParseWord();
    return Refuse();
  }

  Parsed ParseNegative() {
    ++at_;
    if (!IsDigit(Peek()) && Peek() != '.')
      return Error("`-` before an expression is not supported");
    Parsed number = ParseNumber();
    if (number) {
      json::Value& literal = (*number)->literal;
      literal = literal.IsInt() ? json::Value::Int(-literal.AsInt())
                                : json::Value::Double(-literal.AsDouble());
    }
    return number;
  }

  Parsed ParseGroup() {
    ++at_;
    Parsed inner = ParsePipe();
    if (!inner) return inner;
    SkipSpace();
    if (Peek() != ')') return Refuse();
    ++at_;
    return inner;
  }

  Parsed ParseArray() {
    ++at_;
    SkipSpace();
    if (Peek() == ']') {
      ++at_;
      return Make(Kind::kArray);
    }
    Parsed inner = ParsePipe();
    if (!inner) return inner;
    SkipSpace();
    if (Peek() != ']') return Refuse();
    ++at_;
    return Make(Kind::kArray, std::move(*inner));
  }

  Parsed ParseWord() {
    const size_t begin = at_;
    const std::string name = TakeName();
    NodePtr node = Make(Kind::kLiteral);
    if (name == "null") return node;
    if (name == "true" || name == "false") {
      node->literal = json::Value::Bool(name == "true");
      return node;
    }
    constexpr std::string_view kKeywords[] = {"if",    "try",    "reduce",  "foreach", "def",
                                              "label", "import", "include", "as"};
    for (const std::string_view keyword : kKeywords) {
      if (name != keyword) continue;
      at_ = begin;
      return Error(fmt::format("`{}` is not supported", name));
    }
    auto arguments = ParseArguments();
    if (!arguments) return std::unexpected(arguments.error());
    for (const FunctionRow& row : kFunctions) {
      if (row.name != name || arguments->size() < row.arguments_min ||
          arguments->size() > row.arguments_max) {
        continue;
      }
      node->kind = Kind::kCall;
      node->function = row.function;
      node->children = std::move(*arguments);
      return node;
    }
    at_ = begin;
    return Error(fmt::format("function `{}/{}` is not supported", name, arguments->size()));
  }

  std::expected<std::vector<NodePtr>, std::string> ParseArguments() {
    std::vector<NodePtr> arguments;
    SkipSpace();
    if (Peek() != '(') return arguments;
    do {
      ++at_;
      Parsed argument = ParsePipe();
      if (!argument) return std::unexpected(argument.error());
      arguments.push_back(std::move(*argument));
      SkipSpace();
    } while (Peek() == ';');
    if (Peek() != ')') return Refuse();
    ++at_;
    return arguments;
  }

  std::string_view text_;
  size_t at_ = 0;
  size_t depth_ = 0;
};

size_t CountNodes(const JqNode& node) {
  size_t count = 1;
  for (const auto& child : node.children) count += CountNodes(*child);
  return count;
}

}  // namespace

std::expected<std::unique_ptr<JqNode>, std::string> ParseJq(std::string_view text) {
  if (text.size() > kExpressionBytesMax) return std::unexpected("the expression is too long");
  auto root = Parser(text).Parse();
  if (root && CountNodes(**root) > kExpressionNodesMax) {
    return std::unexpected("the expression has too many parts");
  }
  return root;
}

}  // namespace kulisse::simulator
