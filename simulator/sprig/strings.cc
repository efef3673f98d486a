// Strings. As in sprig, lengths and positions are bytes unless said otherwise.
#include <algorithm>
#include <cctype>
#include <string>
#include <vector>

#include "base/status.h"
#include "base/text.h"
#include "base/utf8.h"
#include "simulator/jq/value.h"
#include "simulator/limits.h"
#include "simulator/sprig/sprig.h"

namespace kulisse::simulator {

namespace {

using json::Value;

constexpr std::string_view kDigits = "0123456789";
constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr size_t kAbbreviationMin = 4;
constexpr size_t kAbbreviationOfBothMin = 7;
constexpr std::string_view kDots = "...";

bool IsBlank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
char Upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }
char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
bool IsWord(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || (c & 0x80) != 0; }

// The upper or lower case of one code point of the alphabets that pair their cases simply: Latin,
// Greek, Cyrillic.
char32_t MapCase(char32_t rune, bool to_upper) {
  if (rune < 0x80) {
    return static_cast<char32_t>(to_upper ? Upper(static_cast<char>(rune))
                                          : Lower(static_cast<char>(rune)));
  }
  const auto shift = [&](char32_t upper_first, char32_t upper_last, char32_t distance) {
    if (to_upper && rune >= upper_first + distance && rune <= upper_last + distance) {
      rune -= distance;
      return true;
    }
    if (!to_upper && rune >= upper_first && rune <= upper_last) {
      rune += distance;
      return true;
    }
    return false;
  };
  if (rune == 0xd7 || rune == 0xf7) return rune;
  if (shift(0xc0, 0xde, 0x20) || shift(0x391, 0x3ab, 0x20) || shift(0x410, 0x42f, 0x20) ||
      shift(0x400, 0x40f, 0x50)) {
    return rune;
  }
  const bool alternates = (rune >= 0x100 && rune <= 0x12f) || (rune >= 0x14a && rune <= 0x177);
  if (alternates) return to_upper ? rune & ~char32_t{1} : rune | 1;
  return rune;
}

std::string WithCase(std::string_view text, bool to_upper) {
  std::string result;
  while (!text.empty()) {
    size_t length = 0;
    const char32_t rune = jq::DecodeRune(text, &length);
    AppendUtf8(MapCase(rune, to_upper), &result);
    text.remove_prefix(length);
  }
  return result;
}

std::string Replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string result;
  for (;;) {
    const size_t at = from.empty() ? std::string_view::npos : text.find(from);
    result += text.substr(0, at);
    if (at == std::string_view::npos) return result;
    result += to;
    text.remove_prefix(at + from.size());
  }
}

std::string Repeated(std::string_view text, size_t count) {
  std::string result;
  for (size_t i = 0; i < count; ++i) result += text;
  return result;
}

// Refuses counts that would make too much of it.
bool CheckCount(TemplateCall& call, int64_t count, size_t bytes_each) {
  if (count < 0) return call.Fail("negative count");
  const auto max = static_cast<int64_t>(kTemplateOutputBytesMax / std::max<size_t>(1, bytes_each));
  return count <= max || call.Fail("the result is too large");
}

// --- shortening

bool Abbreviate(TemplateCall& call, Arguments arguments, Operand* result) {
  const std::string_view text = TextOf(arguments[1]);
  const int64_t width = IntOf(arguments[0]);
  const bool fits =
      width < static_cast<int64_t>(kAbbreviationMin) || static_cast<int64_t>(text.size()) <= width;
  if (fits) return GiveText(call, text, result);
  const auto kept = static_cast<size_t>(width) - kDots.size();
  return GiveText(call, std::string(text.substr(0, kept)).append(kDots), result);
}

bool AbbreviateBoth(TemplateCall& call, Arguments arguments, Operand* result) {
  const std::string_view text = TextOf(arguments[2]);
  const int64_t left = IntOf(arguments[0]);
  const int64_t right = IntOf(arguments[1]);
  const bool too_short = right < static_cast<int64_t>(kAbbreviationMin) ||
                         (left > 0 && right < static_cast<int64_t>(kAbbreviationOfBothMin));
  if (too_short || static_cast<int64_t>(text.size()) <= right) {
    return GiveText(call, text, result);
  }
  const auto width = static_cast<size_t>(right);
  size_t offset = std::min(static_cast<size_t>(std::max<int64_t>(left, 0)), text.size());
  if (text.size() - offset < width - kDots.size()) offset = text.size() - (width - kDots.size());
  if (offset <= kAbbreviationMin) {
    return GiveText(call, std::string(text.substr(0, width - kDots.size())).append(kDots), result);
  }
  std::string shortened(kDots);
  if (offset + width - kDots.size() < text.size()) {
    const size_t kept = width - 2 * kDots.size();
    shortened.append(text.substr(offset, kept)).append(kDots);
  } else {
    shortened += text.substr(text.size() - (width - kDots.size()));
  }
  return GiveText(call, shortened, result);
}

bool Truncate(TemplateCall& call, Arguments arguments, Operand* result) {
  std::string_view text = TextOf(arguments[1]);
  const int64_t count = IntOf(arguments[0]);
  const auto size = static_cast<int64_t>(text.size());
  if (count < 0 && count > -size) text = text.substr(static_cast<size_t>(size + count));
  if (count >= 0) text = text.substr(0, static_cast<size_t>(count));
  return GiveText(call, text, result);
}

bool Substring(TemplateCall& call, Arguments arguments, Operand* result) {
  const std::string_view text = TextOf(arguments[2]);
  const auto size = static_cast<int64_t>(text.size());
  int64_t start = IntOf(arguments[0]);
  int64_t end = IntOf(arguments[1]);
  if (start < 0) {
    start = 0;
    if (end < 0 || end > size) return call.Fail("slice bounds out of range");
  } else if (end < 0 || end > size) {
    end = size;
  }
  if (start > end) return call.Fail("slice bounds out of range");
  return GiveText(call, text.substr(static_cast<size_t>(start), static_cast<size_t>(end - start)),
                  result);
}

// --- trimming

bool TrimAll(TemplateCall& call, Arguments arguments, Operand* result) {
  std::string_view text = TextOf(arguments[1]);
  const std::string_view characters = TextOf(arguments[0]);
  const size_t begin = text.find_first_not_of(characters);
  if (begin == std::string_view::npos) return GiveText(call, "", result);
  return GiveText(call, text.substr(begin, text.find_last_not_of(characters) + 1 - begin), result);
}

bool TrimPrefix(TemplateCall& call, Arguments arguments, Operand* result) {
  std::string_view text = TextOf(arguments[1]);
  if (text.starts_with(TextOf(arguments[0]))) text.remove_prefix(arguments[0].value->size());
  return GiveText(call, text, result);
}

bool TrimSuffix(TemplateCall& call, Arguments arguments, Operand* result) {
  std::string_view text = TextOf(arguments[1]);
  if (text.ends_with(TextOf(arguments[0]))) text.remove_suffix(arguments[0].value->size());
  return GiveText(call, text, result);
}

bool NoSpace(TemplateCall& call, Arguments arguments, Operand* result) {
  std::string text(TextOf(arguments[0]));
  std::erase_if(text, IsBlank);
  return GiveText(call, text, result);
}

// --- case

// Calls `change` on each first letter of a word, `other` on all other characters.
template <class Change>
std::string EachWord(std::string_view text, Change change) {
  std::string result(text);
  bool first = true;
  for (char& c : result) {
    c = change(c, first);
    first = IsBlank(c);
  }
  return result;
}

bool Title(TemplateCall& call, Arguments arguments, Operand* result) {
  std::string text(TextOf(arguments[0]));
  bool inside = false;  // of a word, as strings.Title sees words
  for (char& c : text) {
    if (!inside) c = Upper(c);
    inside = IsWord(c) || c == '_';
  }
  return GiveText(call, text, result);
}

bool Untitle(TemplateCall& call, Arguments arguments, Operand* result) {
  const auto change = [](char c, bool first) { return first ? Lower(c) : c; };
  return GiveText(call, EachWord(TextOf(arguments[0]), change), result);
}

bool SwapCase(TemplateCall& call, Arguments arguments, Operand* result) {
  const auto change = [](char c, bool first) {
    if (IsUpper(c)) return Lower(c);
    return first ? Upper(c) : Upper(c);
  };
  return GiveText(call, EachWord(TextOf(arguments[0]), change), result);
}

bool Initials(TemplateCall& call, Arguments arguments, Operand* result) {
  std::string initials;
  bool first = true;
  for (const char c : TextOf(arguments[0])) {
    if (first && !IsBlank(c)) initials += c;
    first = IsBlank(c);
  }
  return GiveText(call, initials, result);
}

// The words of a name: FooBar, fooBar, foo_bar, foo-bar, "foo bar", HTTPServer, foo12.
std::vector<std::string> WordsOf(std::string_view text) {
  std::vector<std::string> words;
  bool begins = true;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '_' || c == '-' || c == '.' || IsBlank(c)) {
      begins = true;
      continue;
    }
    const char before = i > 0 ? text[i - 1] : '\0';
    const char after = i + 1 < text.size() ? text[i + 1] : '\0';
    const bool hump = IsUpper(c) && i > 0 && (!IsUpper(before) || (after >= 'a' && after <= 'z'));
    if (begins || (hump && IsWord(before))) words.emplace_back();
    begins = false;
    words.back() += c;
  }
  return words;
}

bool JoinWords(TemplateCall& call, std::string_view text, char separator, Operand* result) {
  std::string joined;
  for (const std::string& word : WordsOf(text)) {
    if (!joined.empty()) joined += separator;
    joined += ToLower(word);
  }
  return GiveText(call, joined, result);
}

bool CamelCase(TemplateCall& call, Arguments arguments, Operand* result) {
  std::string joined;
  bool begins = true;
  for (const char c : TextOf(arguments[0])) {
    if (c == '_' || c == '-' || IsBlank(c)) {
      begins = true;
      continue;
    }
    joined += begins ? Upper(c) : c;
    begins = false;
  }
  return GiveText(call, joined, result);
}

// --- wrapping

std::string Wrapped(std::string_view text, size_t width, std::string_view separator, bool cuts) {
  std::string wrapped;
  size_t offset = 0;
  while (text.size() - offset > width) {
    if (text[offset] == ' ') {
      ++offset;
      continue;
    }
    const size_t blank = text.substr(0, offset + width + 1).rfind(' ');
    if (blank != std::string_view::npos && blank >= offset) {
      wrapped.append(text.substr(offset, blank - offset)).append(separator);
      offset = blank + 1;
    } else if (cuts) {
      wrapped.append(text.substr(offset, width)).append(separator);
      offset += width;
    } else {
      const size_t next = text.find(' ', offset + width);
      if (next == std::string_view::npos) break;
      wrapped.append(text.substr(offset, next - offset)).append(separator);
      offset = next + 1;
    }
  }
  return wrapped.append(text.substr(offset));
}

bool Wrap(TemplateCall& call, Arguments arguments, Operand* result) {
  const auto width = static_cast<size_t>(std::max<int64_t>(1, IntOf(arguments[0])));
  return GiveText(call, Wrapped(TextOf(arguments[1]), width, "\n", false), result);
}

bool WrapWith(TemplateCall& call, Arguments arguments, Operand* result) {
  const auto width = static_cast<size_t>(std::max<int64_t>(1, IntOf(arguments[0])));
  const std::string_view separator = arguments[1].value->size() ? TextOf(arguments[1]) : "\n";
  return GiveText(call, Wrapped(TextOf(arguments[2]), width, separator, true), result);
}

bool Indent(TemplateCall& call, Arguments arguments, Operand* result) {
  const std::string_view text = TextOf(arguments[1]);
  const auto lines = static_cast<size_t>(std::ranges::count(text, '\n')) + 1;
  if (!CheckCount(call, IntOf(arguments[0]), lines)) return false;
  const std::string pad(static_cast<size_t>(IntOf(arguments[0])), ' ');
  return GiveText(call, pad + Replaced(text, "\n", "\n" + pad), result);
}

bool NewLineIndent(TemplateCall& call, Arguments arguments, Operand* result) {
  Operand indented;
  if (!Indent(call, arguments, &indented)) return false;
  return GiveText(call, std::string("\n").append(TextOf(indented)), result);
}

// --- quoting and joining

// Those that are not nil, with a blank between two.
template <typename Write>
bool GiveJoined(TemplateCall& call, Arguments arguments, Write write, Operand* result) {
  std::vector<std::string> parts;
  for (const Operand& argument : arguments) {
    if (!argument.IsNil()) parts.push_back(write(StringValue(argument)));
  }
  return GiveText(call, Join(parts, " "), result);
}

bool Quote(TemplateCall& call, Arguments arguments, Operand* result) {
  const auto quoted = [](const std::string& text) { return GoQuote(text); };
  return GiveJoined(call, arguments, quoted, result);
}

bool SingleQuote(TemplateCall& call, Arguments arguments, Operand* result) {
  const auto quoted = [](const std::string& text) { return "'" + text + "'"; };
  return GiveJoined(call, arguments, quoted, result);
}

bool Cat(TemplateCall& call, Arguments arguments, Operand* result) {
  const auto plain = [](const std::string& text) { return text; };
  return GiveJoined(call, arguments, plain, result);
}

std::vector<std::string> SplitText(std::string_view text, std::string_view separator,
                                   int64_t count) {
  std::vector<std::string> parts;
  if (count == 0) return parts;
  while (count < 0 || static_cast<int64_t>(parts.size()) + 1 < count) {
    size_t end = separator.empty() ? 0 : text.find(separator);
    if (separator.empty()) {
      if (text.empty()) return parts;
      (void)jq::DecodeRune(text, &end);
      if (end == text.size()) break;
    }
    if (end == std::string_view::npos) break;
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(end + separator.size());
  }
  parts.emplace_back(text);
  return parts;
}

// {_0: …, _1: …}
bool GiveNumbered(TemplateCall& call, const std::vector<std::string>& parts, Operand* result) {
  Value numbered = Value::Object();
  for (size_t i = 0; i < parts.size(); ++i) {
    numbered.Set("_" + std::to_string(i), Value::String(parts[i], call.arena()), call.arena());
  }
  *result = call.Keep(std::move(numbered));
  return true;
}

// --- chance

bool RandomText(TemplateCall& call, int64_t count, std::string_view alphabet, Operand* result) {
  if (!CheckCount(call, count, 1)) return false;
  std::string text;
  for (int64_t i = 0; i < count; ++i) text += alphabet[call.RandomBelow(alphabet.size())];
  return GiveText(call, text, result);
}

std::string Printable() {
  std::string all;
  for (char c = ' '; c <= '~'; ++c) all += c;
  return all;
}

bool Shuffle(TemplateCall& call, Arguments arguments, Operand* result) {
  const std::string_view text = TextOf(arguments[0]);
  std::vector<std::string> runes = SplitText(text, "", -1);
  for (size_t i = runes.size(); i > 1; --i) std::swap(runes[i - 1], runes[call.RandomBelow(i)]);
  return GiveText(call, Join(runes, ""), result);
}

constexpr TemplateFunction kFunctions[] = {
    Sprig("hello", "",
          [](TemplateCall& call, Arguments, Operand* result) {
            return GiveText(call, "Hello!", result);
          }),
    Sprig("abbrev", "is", Abbreviate),
    Sprig("abbrevboth", "iis", AbbreviateBoth),
    Sprig("trunc", "is", Truncate),
    Sprig("trim", "s",
          [](TemplateCall& call, Arguments arguments, Operand* result) {
            return GiveText(call, TrimSpace(TextOf(arguments[0])), result);
          }),
    Sprig("upper", "s",
          [](TemplateCall& call, Arguments arguments, Operand* result) {
            return GiveText(call, WithCase(TextOf(arguments[0]), true), result);
          }),
    Sprig("lower", "s",
          [](TemplateCall& call, Arguments arguments, Operand* result) {
            return GiveText(call, WithCase(TextOf(arguments[0]), false), result);
          }),
    Sprig("title", "s", Title),
    Sprig("untitle", "s", Untitle),
    Sprig("substr", "iis", Substring),
    Sprig("repeat", "is",
          [](TemplateCall& call, Arguments arguments, Operand* result) {
            const std::string_view text = TextOf(arguments[1]);
            if (!CheckCount(call, IntOf(arguments[0]), text.size())) return false;
            return GiveText(call, Repeated(text, static_cast<size_t>(IntOf(arguments[0]))), result);
          }),
    Sprig("trimall", "ss", TrimAll),
    Sprig("trimAll", "ss", TrimAll),
    Sprig("trimSuffix", "ss", TrimSuffix),
    Sprig("trimPrefix", "ss", TrimPrefix),
    Sprig("nospace", "s", NoSpace),
    Sprig("initials", "s", Initials),
    Sprig("randAlphaNum", "i",
          [](TemplateCall& call, Arguments arguments, Operand* result) {
            const std::string alphabet = std::string(kLetters).append(kDigits);
            return RandomText(call, IntOf(arguments[0]), alphabet, result);
          }),
    Sprig("randAlpha", "i",
          [](TemplateCall& call, Arguments arguments, Operand* result) {
            return RandomText(call, IntOf(arguments[0]), kLetters, result);
          }),
    Sprig("randAscii", "i",
          [](TemplateCall& call, Arguments arguments, Operand* result) {
            return RandomText(call, IntOf(arguments[0]), Printable(), result);
          }),
    Sprig("randNumeric", "i",
          [](TemplateCall& call, Arguments arguments, Operand* result) {
            return RandomText(call, IntOf(arguments[0]), kDigits, result);
          }),
    Sprig("swapcase", "s", SwapCase),
    Sprig("shuffle", "s", Shuffle),
    Sprig("snakecase", "s",
          [](TemplateCall& call, Arguments arguments, Operand* result) {
            return JoinWords(call, TextOf(arguments[0]), '_', result);
          }),
    Sprig("camelcase", "s", CamelCase),
    Sprig("kebabcase", "s",
          [](TemplateCall& call, Arguments arguments, Operand* result) {
            return JoinWords(call, TextOf(arguments[0]), '-', result);
          }),
    Sprig("wrap", "is", Wrap),
    Sprig("wrapWith", "iss", WrapWith),
    Sprig("contains", "ss",
          [](TemplateCall& call, Arguments arguments, Operand* result) {
            const bool contains =
                TextOf(arguments[1]).find(TextOf(arguments[0])) != std::string_view::npos;
            return GiveBool(call, contains, result);
          }),
    Sprig("hasPrefix", "ss",
          [](TemplateCall& call, Arguments arguments, Operand* result) {
            return GiveBool(call, TextOf(arguments[1]).starts_with(TextOf(arguments[0])), result);
          }),
    Sprig("hasSuffix", "ss",
          [](TemplateCall& call, Arguments arguments, Operand* result) {
            return GiveBool(call, TextOf(arguments[1]).ends_with(TextOf(arguments[0])), result);
          }),
    Sprig("quote", "a*", Quote),
    Sprig("squote", "a*", SingleQuote),
    Sprig("cat", "a*", Cat),
    Sprig("indent", "is", Indent),
    Sprig("nindent", "is", NewLineIndent),
    Sprig("replace", "sss",
          [](TemplateCall& call, Arguments arguments, Operand* result) {
            return GiveText(
                call, Replaced(TextOf(arguments[2]), TextOf(arguments[0]), TextOf(arguments[1])),
                result);
          }),
    Sprig("plural", "ssi",
          [](TemplateCall& call, Arguments arguments, Operand* result) {
            return GiveText(call, TextOf(arguments[IntOf(arguments[2]) == 1 ? 0 : 1]), result);
          }),
    Sprig("toString", "a",
          [](TemplateCall& call, Arguments arguments, Operand* result) {
            return GiveText(call, StringValue(arguments[0]), result);
          }),
    Sprig("split", "ss",
          [](TemplateCall& call, Arguments arguments, Operand* result) {
            return GiveNumbered(call, SplitText(TextOf(arguments[1]), TextOf(arguments[0]), -1),
                                result);
          }),
    Sprig("splitList", "ss",
          [](TemplateCall& call, Arguments arguments, Operand* result) {
            return GiveTexts(call, SplitText(TextOf(arguments[1]), TextOf(arguments[0]), -1),
                             result);
          }),
    Sprig("splitn", "sis",
          [](TemplateCall& call, Arguments arguments, Operand* result) {
            const auto parts =
                SplitText(TextOf(arguments[2]), TextOf(arguments[0]), IntOf(arguments[1]));
            return GiveNumbered(call, parts, result);
          }),
    Sprig("fail", "s",
          [](TemplateCall& call, Arguments arguments, Operand*) {
            return call.Fail(std::string(TextOf(arguments[0])));
          }),
};

}  // namespace

std::span<const TemplateFunction> SprigStrings() { return kFunctions; }

}  // namespace kulisse::simulator
