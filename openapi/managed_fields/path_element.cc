#include "openapi/managed_fields/path_element.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/assert.h"
#include "base/json/parse.h"
#include "base/json/write.h"
#include "base/status.h"
#include "base/text.h"

namespace kulisse::openapi {

namespace {

constexpr std::string_view kKindOrder = "fkvi";

// Whether each byte may be written otherwise.
constexpr auto kEscapedBytes = [] {
  std::array<bool, 256> escaped = {};
  for (size_t c = 0; c < escaped.size(); ++c) {
    escaped[c] =
        c < 0x20 || c >= 0x7f || std::string_view("\"\\<>&").contains(static_cast<char>(c));
  }
  return escaped;
}();

// The text of a step without its escapes.
std::string Unescape(std::string_view element) {
  if (element.find('\\') == std::string_view::npos) return std::string(element);
  const auto parsed = json::Parse(fmt::format("\"{}\"", element));
  KULISSE_ASSERT(parsed.has_value());
  return std::string(parsed->root.AsString());
}

// Of the names of fields, which mostly differ before either has an escape.
std::strong_ordering CompareNames(std::string_view a, std::string_view b) {
  const size_t common = std::min(a.size(), b.size());
  for (size_t at = 2; at < common; ++at) {
    if (a[at] == '\\' || b[at] == '\\') return Unescape(a) <=> Unescape(b);
    if (a[at] != b[at]) {
      return static_cast<unsigned char>(a[at]) <=> static_cast<unsigned char>(b[at]);
    }
  }
  return a.size() <=> b.size();
}

// Upstream: value.Compare, of what keys and set elements can be.
std::strong_ordering CompareValues(const json::Value& a, const json::Value& b) {
  const auto rank = [](const json::Value& value) {
    if (value.IsNumber()) return 0;
    if (value.IsString()) return 1;
    if (value.IsBool()) return 2;
    if (value.IsArray()) return 3;
    return value.IsObject() ? 4 : 5;
  };
  if (rank(a) != rank(b)) return rank(a) <=> rank(b);
  if (a.IsInt() && b.IsInt()) return a.AsInt() <=> b.AsInt();
  if (a.IsNumber()) {
    const double x = a.AsDouble();
    const double y = b.AsDouble();
    return x < y   ? std::strong_ordering::less
           : x > y ? std::strong_ordering::greater
                   : std::strong_ordering::equal;
  }
  if (a.IsString()) return a.AsString() <=> b.AsString();
  if (a.IsBool()) return static_cast<int>(a.AsBool()) <=> static_cast<int>(b.AsBool());
  return json::ToSortedString(a) <=> json::ToSortedString(b);
}

// Of key objects with sorted names, or of two values.
std::strong_ordering CompareDecoded(std::string_view a, std::string_view b) {
  const auto x = json::Parse(Unescape(a));
  const auto y = json::Parse(Unescape(b));
  if (!x || !y) return a <=> b;
  if (!x->root.IsObject() || !y->root.IsObject()) return CompareValues(x->root, y->root);
  const auto left = x->root.members();
  const auto right = y->root.members();
  for (size_t i = 0; i < std::min(left.size(), right.size()); ++i) {
    if (left[i].name != right[i].name) return left[i].name <=> right[i].name;
    const auto order = CompareValues(left[i].value, right[i].value);
    if (order != 0) return order;
  }
  return left.size() <=> right.size();
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Where the run of digits that holds `at` ends.
size_t DigitsEnd(std::string_view text, size_t at) {
  while (at < text.size() && IsDigit(text[at])) ++at;
  return at;
}

// Whether what begins there is a value or name: behind a colon, brace or comma.
bool IsTokenBegin(std::string_view text, size_t at) {
  const char before = text[at - 1];
  return before == ':' || before == '{' || before == ',';
}

// Keys and values mostly differ within one string or number; everything else is decoded.
std::strong_ordering CompareContents(std::string_view a, std::string_view b) {
  const size_t common = std::min(a.size(), b.size());
  size_t at = 0;
  while (at < common && a[at] == b[at]) ++at;
  const auto decoded = [a, b] { return CompareDecoded(a.substr(2), b.substr(2)); };
  const auto is_separator = [](char c) { return c == ',' || c == '}'; };
  if (at < 3 || at >= common || a.find("\\\\") != a.npos || b.find("\\\\") != b.npos) {
    return decoded();
  }
  size_t digits = at;
  while (digits > 2 && IsDigit(a[digits - 1])) --digits;
  if (a[digits - 1] == ':' && IsDigit(a[digits]) && IsDigit(b[digits])) {
    const size_t a_end = DigitsEnd(a, at);
    const size_t b_end = DigitsEnd(b, at);
    const bool whole =
        a_end < a.size() && b_end < b.size() && is_separator(a[a_end]) && is_separator(b[b_end]);
    if (!whole || (at == a_end && at == b_end)) return decoded();
    return a_end != b_end ? a_end <=> b_end : a[at] <=> b[at];
  }
  size_t begin = at;
  while (begin > 4 && a[begin - 1] != '"') --begin;
  const bool in_string = begin >= 4 && a[begin - 1] == '"' && IsTokenBegin(a, begin - 2);
  if (!in_string || is_separator(a[at]) || is_separator(b[at])) return decoded();
  if (a[at] == '\\') return std::strong_ordering::less;  // it ends here
  if (b[at] == '\\') return std::strong_ordering::greater;
  return static_cast<unsigned char>(a[at]) <=> static_cast<unsigned char>(b[at]);
}

// A key object with its names sorted, as upstream writes it.
std::string KeyText(const json::Value& key) {
  std::vector<const json::Member*> members;
  for (const json::Member& member : key.members()) members.push_back(&member);
  std::ranges::sort(members, {}, [](const json::Member* member) { return member->name; });
  std::string text = "{";
  for (const json::Member* member : members) {
    if (text.size() > 1) text += ',';
    json::AppendString(member->name, &text);
    text += ':';
    json::Append(member->value, &text);
  }
  return text + '}';
}

std::string ValueText(const json::Value& value) {
  if (value.IsString()) return GoQuote(value.AsString());
  if (!value.IsArray()) return json::ToString(value);
  std::string text = "[";
  for (const json::Value& element : value.elements()) {
    if (text.size() > 1) text += ',';
    text += ValueText(element);
  }
  return text + ']';
}

}  // namespace

bool NeedsEscapes(std::string_view text) {
  bool needs = false;  // without branches, texts are short
  for (const unsigned char c : text) needs |= kEscapedBytes[c];
  return needs;
}

void AppendEscaped(std::string_view text, std::string* out) {
  if (!NeedsEscapes(text)) {
    out->append(text);
    return;
  }
  std::string quoted;
  json::AppendString(text, &quoted);
  out->append(quoted, 1, quoted.size() - 2);
}

std::strong_ordering ComparePathElements(std::string_view a, std::string_view b) {
  if (a[0] != b[0]) return kKindOrder.find(a[0]) <=> kKindOrder.find(b[0]);
  if (a[0] == 'f') return CompareNames(a, b);
  return a == b ? std::strong_ordering::equal : CompareContents(a, b);
}

std::optional<std::string> CanonicalPathElement(std::string_view text) {
  if (text.size() < 2 || text[1] != ':') return std::nullopt;
  const std::string_view content = text.substr(2);
  std::string canonical(text.substr(0, 2));
  switch (text[0]) {
    case 'f':
      canonical += content;
      break;
    case 'k':
    case 'v': {
      const auto parsed = json::Parse(content);
      if (!parsed || (text[0] == 'k' && !parsed->root.IsObject())) return std::nullopt;
      canonical += text[0] == 'k' ? KeyText(parsed->root) : json::ToString(parsed->root);
      break;
    }
    case 'i': {
      const auto index = ParseInt64(content);
      if (!index) return std::nullopt;
      canonical += std::to_string(*index);
      break;
    }
    default:
      return "";
  }
  std::string escaped;
  AppendEscaped(canonical, &escaped);
  return escaped;
}

std::string PathElementText(std::string_view element) {
  const std::string text = Unescape(element);
  const std::string_view content = std::string_view(text).substr(2);
  if (text[0] == 'f') return fmt::format(".{}", content);
  if (text[0] == 'i') return fmt::format("[{}]", content);
  const auto parsed = json::Parse(content);
  KULISSE_ASSERT(parsed.has_value());
  if (text[0] == 'v') return fmt::format("[={}]", ValueText(parsed->root));
  std::string out = "[";
  for (const json::Member& member : parsed->root.members()) {
    if (out.size() > 1) out += ',';
    out += fmt::format("{}={}", member.name, ValueText(member.value));
  }
  return out + ']';
}

}  // namespace kulisse::openapi
