#include "openapi/selector.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json/write.h"
#include "base/status.h"
#include "base/text.h"
#include "openapi/label_syntax.h"

namespace kulisse::openapi {

namespace {

using Requirement = LabelSelector::Requirement;
template <class T>
using Parsed = std::expected<T, std::string>;

enum class Token : uint8_t {
  kEnd,
  kClose,
  kOpen,
  kComma,
  kNot,
  kEquals,
  kDoubleEquals,
  kNotEquals,
  kGreater,
  kLess,
  kIn,
  kNotIn,
  kIdentifier,
};

struct Lexeme {
  Token token;
  std::string_view text;
};

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

constexpr std::pair<std::string_view, Token> kSymbols[] = {
    // Longer ones first.
    {"==", Token::kDoubleEquals}, {"!=", Token::kNotEquals}, {"=", Token::kEquals},
    {"!", Token::kNot},           {"(", Token::kOpen},       {")", Token::kClose},
    {",", Token::kComma},         {">", Token::kGreater},    {"<", Token::kLess},
};
constexpr std::string_view kSymbolChars = "=!(),><";

std::vector<Lexeme> Lex(std::string_view text) {
  text = text.substr(0, text.find('\0'));  // upstream's lexer ends there
  std::vector<Lexeme> lexemes;
  size_t at = 0;
  while (true) {
    while (at < text.size() && IsBlank(text[at])) ++at;
    if (at >= text.size()) break;
    const std::string_view rest = text.substr(at);
    const auto* symbol = std::ranges::find_if(
        kSymbols, [rest](const auto& entry) { return rest.starts_with(entry.first); });
    if (symbol != std::end(kSymbols)) {
      lexemes.push_back({symbol->second, rest.substr(0, symbol->first.size())});
    } else {
      size_t length = 0;
      while (length < rest.size() && !IsBlank(rest[length]) &&
             kSymbolChars.find(rest[length]) == std::string_view::npos) {
        ++length;
      }
      const std::string_view word = rest.substr(0, length);
      lexemes.push_back({word == "in"      ? Token::kIn
                         : word == "notin" ? Token::kNotIn
                                           : Token::kIdentifier,
                         word});
    }
    at += lexemes.back().text.size();
  }
  lexemes.push_back({Token::kEnd, ""});
  return lexemes;
}

void SortUnique(std::vector<std::string>* values) {
  std::ranges::sort(*values);
  values->erase(std::ranges::unique(*values).begin(), values->end());
}

std::string InvalidText(std::string_view path, std::string_view value, std::string_view detail) {
  return fmt::format("{}: Invalid value: {}: {}", path, value, detail);
}

std::string AsJsonList(const std::vector<std::string>& values) {
  if (values.empty()) return "null";
  std::string out = "[";
  for (const auto& value : values) {
    if (out.size() > 1) out += ',';
    json::AppendString(value, &out);
  }
  return out + "]";
}

// Upstream: labels.NewRequirement. The values are in the order given.
Parsed<Requirement> NewRequirement(std::string key, SelectorOperator op,
                                   std::vector<std::string> values) {
  using enum SelectorOperator;
  std::vector<std::string> errors;
  const auto key_errors = LabelKeyErrors(key);
  if (!key_errors.empty()) {
    errors.push_back(InvalidText("key", GoQuote(key), Join(key_errors, "; ")));
  }
  if ((op == kIn || op == kNotIn) && values.empty()) {
    errors.push_back(
        InvalidText("values", "null", "for 'in', 'notin' operators, values set can't be empty"));
  }
  if ((op == kExists || op == kDoesNotExist) && !values.empty()) {
    errors.push_back(InvalidText("values", AsJsonList(values),
                                 "values set must be empty for exists and does not exist"));
  }
  if ((op == kGreaterThan || op == kLessThan) && !ParseInt64(values.at(0))) {
    errors.push_back(InvalidText("values[0]", GoQuote(values[0]),
                                 "for 'Gt', 'Lt' operators, the value must be an integer"));
  }
  for (size_t i = 0; i < values.size(); ++i) {
    const auto value_errors = LabelValueErrors(values[i]);
    if (value_errors.empty()) continue;
    errors.push_back(InvalidText(fmt::format("values[{}][{}]", i, key), GoQuote(values[i]),
                                 Join(value_errors, "; ")));
  }
  if (errors.size() == 1) return std::unexpected(errors[0]);
  if (!errors.empty()) return std::unexpected(fmt::format("[{}]", Join(errors, ", ")));
  SortUnique(&values);
  return Requirement{std::move(key), op, std::move(values)};
}

// Recursive descent over the lexemes; the words of the errors are upstream's.
class LabelParser {
 public:
  explicit LabelParser(std::string_view text) : lexemes_(Lex(text)) {}

  Parsed<std::vector<Requirement>> Run() {
    std::vector<Requirement> requirements;
    while (true) {
      const Lexeme& first = Peek();
      if (first.token == Token::kEnd) return requirements;
      if (!StartsRequirement(first)) {
        return Error("found '{}', expected: !, identifier, or 'end of string'", first);
      }
      auto requirement = ParseRequirement();
      if (!requirement) {
        return std::unexpected("unable to parse requirement: " + requirement.error());
      }
      requirements.push_back(std::move(*requirement));
      const Lexeme& next = Take();
      if (next.token == Token::kEnd) return requirements;
      if (next.token != Token::kComma) {
        return Error("found '{}', expected: ',' or 'end of string'", next);
      }
      if (!StartsRequirement(Peek())) {
        return Error("found '{}', expected: identifier after ','", Peek());
      }
    }
  }

 private:
  static bool IsWord(const Lexeme& lexeme) {
    return lexeme.token == Token::kIdentifier || lexeme.token == Token::kIn ||
           lexeme.token == Token::kNotIn;
  }
  static bool StartsRequirement(const Lexeme& lexeme) {
    return IsWord(lexeme) || lexeme.token == Token::kNot;
  }
  static std::unexpected<std::string> Error(fmt::format_string<const std::string_view&> format,
                                            const Lexeme& found) {
    return std::unexpected(fmt::format(format, found.text));
  }

  [[nodiscard]] const Lexeme& Peek() const { return lexemes_[at_]; }
  const Lexeme& Take() {
    const Lexeme& lexeme = lexemes_[at_];
    if (at_ + 1 < lexemes_.size()) ++at_;
    return lexeme;
  }

  Parsed<Requirement> ParseRequirement() {
    const bool negated = Peek().token == Token::kNot;
    if (negated) Take();
    const Lexeme& key = Take();
    if (!IsWord(key)) return Error("found '{}', expected: identifier", key);
    const auto key_errors = LabelKeyErrors(key.text);
    if (!key_errors.empty()) {
      return std::unexpected(InvalidText("<nil>", GoQuote(key.text), Join(key_errors, "; ")));
    }
    const Token next = Peek().token;
    if (negated) return NewRequirement(std::string(key.text), SelectorOperator::kDoesNotExist, {});
    if (next == Token::kEnd || next == Token::kComma) {
      return NewRequirement(std::string(key.text), SelectorOperator::kExists, {});
    }
    const auto op = ParseOperator();
    if (!op) return std::unexpected(op.error());
    const bool is_set = *op == SelectorOperator::kIn || *op == SelectorOperator::kNotIn;
    auto values = is_set ? ParseSet() : ParseExactValue();
    if (!values) return std::unexpected(std::move(values).error());
    SortUnique(&*values);
    return NewRequirement(std::string(key.text), *op, std::move(*values));
  }

  Parsed<SelectorOperator> ParseOperator() {
    using enum SelectorOperator;
    const Lexeme& lexeme = Take();
    switch (lexeme.token) {
      case Token::kIn:
        return kIn;
      case Token::kNotIn:
        return kNotIn;
      case Token::kEquals:
        return kEquals;
      case Token::kDoubleEquals:
        return kDoubleEquals;
      case Token::kNotEquals:
        return kNotEquals;
      case Token::kGreater:
        return kGreaterThan;
      case Token::kLess:
        return kLessThan;
      default:
        return Error("found '{}', expected: in, notin, =, ==, !=, gt, lt", lexeme);
    }
  }

  Parsed<std::vector<std::string>> ParseSet() {
    const Lexeme& open = Take();
    if (open.token != Token::kOpen) return Error("found '{}' expected: '('", open);
    const Lexeme& first = Peek();
    if (first.token == Token::kClose) {
      Take();
      return std::vector<std::string>{""};
    }
    if (!IsWord(first) && first.token != Token::kComma) {
      return Error("found '{}', expected: ',', ')' or identifier", first);
    }
    auto values = ParseList();
    if (values) Take();  // the ')' that ParseList saw
    return values;
  }

  // Up to, not including, the closing parenthesis. Empty places count as "".
  Parsed<std::vector<std::string>> ParseList() {
    std::vector<std::string> values;
    while (true) {
      const Lexeme& lexeme = Take();
      const Token next = Peek().token;
      if (IsWord(lexeme)) {
        values.emplace_back(lexeme.text);
        if (next == Token::kComma) continue;
        if (next == Token::kClose) return values;
        return Error("found '{}', expected: ',' or ')'", Peek());
      }
      if (lexeme.token != Token::kComma) {
        return Error("found '{}', expected: ',', or identifier", lexeme);
      }
      if (values.empty() || next == Token::kComma) values.emplace_back();
      if (next == Token::kClose) {
        values.emplace_back();
        return values;
      }
    }
  }

  Parsed<std::vector<std::string>> ParseExactValue() {
    if (Peek().token == Token::kEnd || Peek().token == Token::kComma) {
      return std::vector<std::string>{""};
    }
    const Lexeme& value = Take();
    if (!IsWord(value)) return Error("found '{}', expected: identifier", value);
    return std::vector<std::string>{std::string(value.text)};
  }

  std::vector<Lexeme> lexemes_;
  size_t at_ = 0;
};

bool MatchesRequirement(const Requirement& requirement, std::optional<std::string_view> value) {
  using enum SelectorOperator;
  const auto& wanted = requirement.values;
  const auto has = [&] { return std::ranges::find(wanted, *value) != wanted.end(); };
  switch (requirement.op) {
    case kIn:
    case kEquals:
    case kDoubleEquals:
      return value && has();
    case kNotIn:
    case kNotEquals:
      return !value || !has();
    case kExists:
      return value.has_value();
    case kDoesNotExist:
      return !value;
    case kGreaterThan:
    case kLessThan: {
      const auto actual = value ? ParseInt64(*value) : std::nullopt;
      if (!actual) return false;
      const int64_t limit = ParseInt64(wanted[0]).value();
      return requirement.op == kGreaterThan ? *actual > limit : *actual < limit;
    }
  }
  return false;
}

std::string RequirementText(const Requirement& requirement) {
  using enum SelectorOperator;
  const std::string values = Join(requirement.values, ",");
  const std::string& key = requirement.key;
  switch (requirement.op) {
    case kIn:
      return fmt::format("{} in ({})", key, values);
    case kNotIn:
      return fmt::format("{} notin ({})", key, values);
    case kExists:
      return key;
    case kDoesNotExist:
      return "!" + key;
    case kEquals:
      return key + "=" + values;
    case kDoubleEquals:
      return key + "==" + values;
    case kNotEquals:
      return key + "!=" + values;
    case kGreaterThan:
      return key + ">" + values;
    case kLessThan:
      return key + "<" + values;
  }
  return "";
}

void SortByKey(std::vector<Requirement>* requirements) {
  std::ranges::stable_sort(*requirements, {}, &Requirement::key);
}

Parsed<Requirement> FromExpression(const json::Value& expression) {
  const std::string_view name = expression.FindString({"operator"});
  SelectorOperator op;
  if (name == "In") {
    op = SelectorOperator::kIn;
  } else if (name == "NotIn") {
    op = SelectorOperator::kNotIn;
  } else if (name == "Exists") {
    op = SelectorOperator::kExists;
  } else if (name == "DoesNotExist") {
    op = SelectorOperator::kDoesNotExist;
  } else {
    return std::unexpected(fmt::format("{} is not a valid label selector operator", GoQuote(name)));
  }
  std::vector<std::string> values;
  if (const json::Value* list = expression.Find("values")) {
    for (const json::Value& value : list->elements()) {
      if (value.IsString()) values.emplace_back(value.AsString());
    }
  }
  return NewRequirement(std::string(expression.FindString({"key"})), op, std::move(values));
}

// Terms end at commas that are not escaped.
std::vector<std::string_view> SplitTerms(std::string_view text) {
  std::vector<std::string_view> terms;
  size_t start = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == ',') {
      terms.push_back(text.substr(start, i - start));
      start = i + 1;
    }
  }
  terms.push_back(text.substr(start));
  return terms;
}

Parsed<std::string> Unescape(std::string_view text) {
  constexpr std::string_view kInvalidEscape = "invalid field selector: invalid escape sequence: \\";
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ',' || text[i] == '=') {
      return std::unexpected(
          fmt::format("invalid field selector: unescaped character in value: {}", int{text[i]}));
    }
    if (text[i] == '\\') {
      ++i;
      if (i == text.size()) return std::unexpected(std::string(kInvalidEscape));
      if (text[i] != '\\' && text[i] != ',' && text[i] != '=') {
        const size_t length = std::max<size_t>(1, Utf8SequenceLength(text.substr(i)));
        return std::unexpected(std::string(kInvalidEscape).append(text.substr(i, length)));
      }
    }
    out += text[i];
  }
  return out;
}

std::string Escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == ',' || c == '=') out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

std::expected<LabelSelector, std::string> LabelSelector::Parse(std::string_view text) {
  auto requirements = LabelParser(text).Run();
  if (!requirements) return std::unexpected(std::move(requirements).error());
  LabelSelector selector;
  selector.requirements_ = std::move(*requirements);
  SortByKey(&selector.requirements_);
  return selector;
}

std::expected<LabelSelector, std::string> LabelSelector::FromObject(const json::Value& object) {
  LabelSelector selector;
  const auto add = [&selector](Parsed<Requirement> requirement) -> Parsed<void> {
    if (!requirement) return std::unexpected(std::move(requirement).error());
    selector.requirements_.push_back(std::move(*requirement));
    return {};
  };
  if (const json::Value* labels = object.Find("matchLabels")) {
    for (const auto& [key, value] : labels->members()) {
      std::string text(value.IsString() ? value.AsString() : "");
      auto added =
          add(NewRequirement(std::string(key), SelectorOperator::kEquals, {std::move(text)}));
      if (!added) return std::unexpected(std::move(added).error());
    }
  }
  if (const json::Value* expressions = object.Find("matchExpressions")) {
    for (const json::Value& expression : expressions->elements()) {
      auto added = add(FromExpression(expression));
      if (!added) return std::unexpected(std::move(added).error());
    }
  }
  SortByKey(&selector.requirements_);
  return selector;
}

bool LabelSelector::Matches(const Lookup& label) const {
  return std::ranges::all_of(requirements_, [&label](const Requirement& requirement) {
    return MatchesRequirement(requirement, label(requirement.key));
  });
}

std::string LabelSelector::ToString() const {
  std::string out;
  for (const Requirement& requirement : requirements_) {
    if (!out.empty()) out += ',';
    out += RequirementText(requirement);
  }
  return out;
}

std::expected<FieldSelector, std::string> FieldSelector::Parse(std::string_view text) {
  FieldSelector selector;
  auto parts = SplitTerms(text);
  std::ranges::sort(parts);
  for (const std::string_view part : parts) {
    if (part.empty()) continue;
    size_t at = 0;
    while (at < part.size() && part[at] != '=' && !part.substr(at).starts_with("!=")) ++at;
    if (at == part.size()) {
      return std::unexpected(
          fmt::format("invalid selector: '{}'; can't understand '{}'", text, part));
    }
    const bool equal = part[at] == '=';
    const size_t length = equal && !part.substr(at).starts_with("==") ? 1 : 2;
    auto value = Unescape(part.substr(at + length));
    if (!value) return std::unexpected(std::move(value).error());
    if (at == 0 && value->empty()) continue;  // upstream drops what names nothing
    selector.terms_.push_back({std::string(part.substr(0, at)), equal, std::move(*value)});
  }
  return selector;
}

bool FieldSelector::Matches(const Lookup& field) const {
  return std::ranges::all_of(terms_, [&field](const Term& term) {
    return (field(term.field).value_or("") == term.value) == term.equal;
  });
}

std::string FieldSelector::ToString() const {
  std::string out;
  for (const Term& term : terms_) {
    if (!out.empty()) out += ',';
    out += term.field + (term.equal ? "=" : "!=") + Escape(term.value);
  }
  return out;
}

}  // namespace kulisse::openapi
