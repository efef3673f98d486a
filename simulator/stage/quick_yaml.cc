#include "simulator/stage/quick_yaml.h"

#include <algorithm>
#include <charconv>
#include <vector>

#include "base/json/parse.h"
#include "base/text.h"
#include "openapi/yaml.h"

namespace kulisse::simulator {

namespace {

using json::Value;

// Deeper documents are left to libyaml: this parser recurses.
constexpr size_t kQuickDepthMax = 32;
// A 64-bit integer of this many digits cannot overflow.
constexpr size_t kQuickDigitsMax = 18;

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsWordChar(char c) {
  return IsLetter(c) || IsDigit(c) || c == '_' || c == '.' || c == '/' || c == '-';
}

// Words that YAML 1.1 takes for something else than text.
bool IsReserved(std::string_view word) {
  constexpr std::string_view kReserved[] = {"y",   "n",    "yes",   "no",  "on",
                                            "off", "true", "false", "null"};
  if (word.size() > 5) return false;
  return std::ranges::any_of(kReserved,
                             [&](std::string_view other) { return EqualsIgnoreCase(word, other); });
}

class QuickParser {
 public:
  explicit QuickParser(json::Arena& arena) : arena_(arena) {}

  bool Parse(std::string_view text, Value* out) {
    return ReadLines(text) && ParseBlock(lines_[0].indent, out) && at_ == lines_.size();
  }

 private:
  struct Line {
    size_t indent;
    std::string_view content;  // no blanks around it
  };

  bool ReadLines(std::string_view text) {
    for (const char c : text) {
      if ((c < ' ' && c != '\n') || c == 0x7f) return false;
    }
    while (!text.empty()) {
      const size_t end = std::min(text.find('\n'), text.size());
      std::string_view line = text.substr(0, end);
      text.remove_prefix(std::min(end + 1, text.size()));
      const size_t indent = line.find_first_not_of(' ');
      if (indent == line.npos) continue;
      line = line.substr(indent, line.find_last_not_of(' ') + 1 - indent);
      lines_.push_back({indent, line});
    }
    return !lines_.empty();
  }

  static bool IsItem(std::string_view content) {
    return content == "-" || content.starts_with("- ");
  }

  bool ParseBlock(size_t indent, Value* out) {
    if (++depth_ > kQuickDepthMax) return false;
    const bool parsed =
        IsItem(lines_[at_].content) ? ParseSequence(indent, out) : ParseMapping(indent, out);
    --depth_;
    return parsed;
  }

  bool ParseSequence(size_t indent, Value* out) {
    *out = Value::Array();
    while (at_ < lines_.size() && lines_[at_].indent == indent && IsItem(lines_[at_].content)) {
      Line& line = lines_[at_];
      const size_t skip = line.content.find_first_not_of(' ', 1);
      if (skip == line.content.npos) return false;  // "-" alone
      // What follows the dash is a block of its own, as far in as it stands.
      line.indent += skip;
      line.content.remove_prefix(skip);
      Value item;
      if (IsItem(line.content) || !KeyLength(line.content)) {
        if (!ParseScalar(line.content, &item)) return false;
        ++at_;
        if (at_ < lines_.size() && lines_[at_].indent > indent) return false;
      } else if (!ParseBlock(line.indent, &item)) {
        return false;
      }
      out->PushBack(std::move(item), arena_);
    }
    return at_ >= lines_.size() || lines_[at_].indent <= indent;
  }

  bool ParseMapping(size_t indent, Value* out) {
    *out = Value::Object();
    while (at_ < lines_.size() && lines_[at_].indent == indent && !IsItem(lines_[at_].content)) {
      const std::string_view content = lines_[at_].content;
      const size_t key_length = KeyLength(content);
      Value key;
      if (key_length == 0 || !ParseScalar(content.substr(0, key_length), &key)) return false;
      if (!key.IsString() || out->Find(key.AsString())) return false;
      std::string_view rest = content.substr(key_length + 1);
      rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
      ++at_;
      Value value;
      if (!(rest.empty() ? ParseNested(indent, &value) : ParseInline(rest, indent, &value))) {
        return false;
      }
      out->Set(key.AsString(), std::move(value), arena_);
    }
    return at_ >= lines_.size() || lines_[at_].indent < indent;
  }

  // The block below `key:`; null when there is none.
  bool ParseNested(size_t indent, Value* out) {
    if (at_ >= lines_.size()) return true;
    const Line& next = lines_[at_];
    if (next.indent > indent) return ParseBlock(next.indent, out);
    if (next.indent == indent && IsItem(next.content)) return ParseBlock(indent, out);
    return true;
  }

  bool ParseInline(std::string_view text, size_t indent, Value* out) {
    if (!ParseScalar(text, out)) return false;
    // A line further in would go on with the scalar.
    return at_ >= lines_.size() || lines_[at_].indent <= indent;
  }

  // Length of the key if the line is `key:` or `key: value`, else 0.
  static size_t KeyLength(std::string_view content) {
    size_t length = 0;
    if (content.starts_with('"')) {
      length = content.find('"', 1);
      if (length == content.npos || content.substr(0, length).contains('\\')) return 0;
      ++length;
    } else {
      while (length < content.size() && IsWordChar(content[length])) ++length;
    }
    if (length == 0 || length >= content.size() || content[length] != ':') return 0;
    return length + 1 == content.size() || content[length + 1] == ' ' ? length : 0;
  }

  bool ParseScalar(std::string_view text, Value* out) {
    if (text.starts_with('"')) return ParseQuoted(text, out);
    if (text == "{}" || text == "[]") {
      *out = text == "{}" ? Value::Object() : Value::Array();
      return true;
    }
    if (!std::ranges::all_of(text, IsWordChar)) return false;
    if (text == "true" || text == "false") {
      *out = Value::Bool(text == "true");
      return true;
    }
    if (IsLetter(text[0])) {
      if (IsReserved(text)) return false;
      *out = Value::String(text, arena_);
      return true;
    }
    return IsQuantity(text) ? ParseText(text, out) : ParseInteger(text, out);
  }

  // "100m", "64Mi": digits and a suffix that makes no number of them.
  static bool IsQuantity(std::string_view text) {
    const size_t digits = text.find_first_not_of("0123456789");
    if (digits == 0 || digits == text.npos) return false;
    constexpr std::string_view kSuffixes[] = {"m", "k", "M", "G", "T", "Ki", "Mi", "Gi", "Ti"};
    return std::ranges::find(kSuffixes, text.substr(digits)) != std::end(kSuffixes);
  }

  bool ParseText(std::string_view text, Value* out) {
    *out = Value::String(text, arena_);
    return true;
  }

  bool ParseInteger(std::string_view text, Value* out) {
    const std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
    if (digits.empty() || digits.size() > kQuickDigitsMax ||
        (digits[0] == '0' && text.size() > 1) || !std::ranges::all_of(digits, IsDigit)) {
      return false;
    }
    int64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    *out = Value::Int(number);
    return true;
  }

  bool ParseQuoted(std::string_view text, Value* out) {
    if (text.size() < 2 || !text.ends_with('"')) return false;
    const std::string_view inner = text.substr(1, text.size() - 2);
    if (!inner.contains('\\') && !inner.contains('"')) {
      if (!std::ranges::all_of(inner, [](char c) { return c >= ' '; })) return false;  // not ASCII
      *out = Value::String(inner, arena_);
      return true;
    }
    std::string plain;
    plain.reserve(inner.size());
    for (size_t i = 0; i < inner.size(); ++i) {
      char c = inner[i];
      if (c == '"' || c < ' ') return false;
      if (c == '\\') {
        if (++i == inner.size()) return false;
        c = inner[i] == 'n' ? '\n' : inner[i];
        if (c != '\n' && c != '"' && c != '\\') return false;
      }
      plain += c;
    }
    *out = Value::String(plain, arena_);
    return true;
  }

  json::Arena& arena_;
  std::vector<Line> lines_;
  size_t at_ = 0;
  size_t depth_ = 0;
};

}  // namespace

std::optional<Value> ParseQuickYaml(std::string_view text, json::Arena& arena) {
  Value value;
  if (!QuickParser(arena).Parse(text, &value)) return std::nullopt;
  return value;
}

std::expected<Value, std::string> ParseRendered(std::string_view text, json::Arena& arena) {
  if (text.starts_with('{') || text.starts_with('[')) {
    // JSON text means the same in YAML.
    if (auto value = json::ParseInto(text, arena)) return std::move(*value);
  }
  if (auto value = ParseQuickYaml(text, arena)) return std::move(*value);
  std::vector<std::string> duplicates;
  auto document = openapi::ParseYaml(text, &duplicates);
  if (!document) return std::unexpected(std::move(document).error());
  return document->root.Clone(arena);
}

}  // namespace kulisse::simulator
