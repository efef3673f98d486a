#include "simulator/jq/value.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <vector>

#include "base/json/write.h"
#include "base/text.h"
#include "base/utf8.h"

namespace kulisse::simulator::jq {

namespace {

// Bytes of a preview, and of the text that it is cut from.
constexpr size_t kPreviewBytes = 30;
constexpr size_t kPreviewTextBytes = 32;

int TypeRank(const Value& value) {
  switch (value.kind()) {
    case Kind::kBool:
      return value.AsBool() ? 2 : 1;
    case Kind::kInt:
    case Kind::kDouble:
      return 3;
    case Kind::kString:
      return 4;
    case Kind::kArray:
      return 5;
    case Kind::kObject:
      return 6;
    default:
      return 0;
  }
}

int Sign(std::strong_ordering order) { return order < 0 ? -1 : order > 0 ? 1 : 0; }

int CompareNumbers(const Value& a, const Value& b) {
  if (a.IsInt() && b.IsInt()) return Sign(a.AsInt() <=> b.AsInt());
  const double x = a.AsDouble();
  const double y = b.AsDouble();
  if (x < y || std::isnan(x)) return -1;
  return x == y ? 0 : 1;
}

std::vector<Member> SortedMembers(const Value& object) {
  if (!object.parsed()) return {object.own_members().begin(), object.own_members().end()};
  std::vector<Member> members;
  members.reserve(object.size());
  for (const json::Member& member : object.parsed()->members()) {
    members.push_back({member.name, Value::Of(member.value)});
  }
  std::ranges::sort(members, {}, &Member::name);
  return members;
}

int CompareObjects(const Value& a, const Value& b) {
  const std::vector<Member> left = SortedMembers(a);
  const std::vector<Member> right = SortedMembers(b);
  for (size_t i = 0; i < std::min(left.size(), right.size()); ++i) {
    if (const int order = Sign(left[i].name <=> right[i].name); order != 0) return order;
  }
  if (const int order = Sign(left.size() <=> right.size()); order != 0) return order;
  for (size_t i = 0; i < left.size(); ++i) {
    if (const int order = Compare(left[i].value, right[i].value); order != 0) return order;
  }
  return 0;
}

// Writes a value's text until it has `limit` bytes.
class TextWriter {
 public:
  TextWriter(std::string* out, size_t limit) : out_(*out), limit_(limit) {}

  void Write(const Value& value) {
    if (out_.size() >= limit_) return;
    switch (value.kind()) {
      case Kind::kBool:
        out_ += value.AsBool() ? "true" : "false";
        break;
      case Kind::kInt:
        json::AppendInt(value.AsInt(), &out_);
        break;
      case Kind::kDouble:
        WriteDouble(value.AsDouble());
        break;
      case Kind::kString:
        AppendQuoted(value.AsString(), &out_);
        break;
      case Kind::kArray:
        WriteArray(value);
        break;
      case Kind::kObject:
        WriteObject(value);
        break;
      default:
        out_ += "null";
    }
  }

 private:
  void WriteDouble(double number) {
    constexpr double kMax = std::numeric_limits<double>::max();
    if (std::isnan(number)) {
      out_ += "null";
    } else {
      json::AppendDouble(std::clamp(number, -kMax, kMax), &out_);
    }
  }
  void WriteArray(const Value& array) {
    out_ += '[';
    for (size_t i = 0; i < array.size() && out_.size() < limit_; ++i) {
      if (i > 0) out_ += ',';
      Write(array.At(i));
    }
    out_ += ']';
  }
  void WriteObject(const Value& object) {
    out_ += '{';
    bool first = true;
    for (const Member& member : SortedMembers(object)) {
      if (out_.size() >= limit_) break;
      if (!first) out_ += ',';
      first = false;
      AppendQuoted(member.name, &out_);
      out_ += ':';
      Write(member.value);
    }
    out_ += '}';
  }

  std::string& out_;
  size_t limit_;
};

}  // namespace

Value Value::Array(std::span<const Value> elements) {
  Value result(Kind::kArray, elements.size());
  result.data_.elements = elements.data();
  for (const Value& element : elements) result.depth_ = std::max(result.depth_, element.depth_);
  ++result.depth_;
  return result;
}

Value Value::Object(std::span<const Member> members) {
  Value result(Kind::kObject, members.size());
  result.data_.members = members.data();
  for (const Member& member : members) {
    result.depth_ = std::max(result.depth_, member.value.depth_);
  }
  ++result.depth_;
  return result;
}

Value Value::Of(const json::Value& parsed) {
  switch (parsed.type()) {
    case json::Type::kNull:
      return {};
    case json::Type::kBool:
      return Bool(parsed.AsBool());
    case json::Type::kString:
      return String(parsed.AsString());
    case json::Type::kArray:
    case json::Type::kObject: {
      Value result(parsed.IsArray() ? Kind::kArray : Kind::kObject, parsed.size());
      result.parsed_ = true;
      result.depth_ = 1;
      result.data_.parsed = &parsed;
      return result;
    }
    default:
      return Double(parsed.AsDouble());
  }
}

bool Value::Find(std::string_view name, Value* found) const {
  if (parsed_) {
    const json::Value* member = data_.parsed->Find(name);
    if (member) *found = Of(*member);
    return member != nullptr;
  }
  const auto members = own_members();
  const auto at = std::ranges::lower_bound(members, name, {}, &Member::name);
  if (at == members.end() || at->name != name) return false;
  *found = at->value;
  return true;
}

bool Value::IsSame(const Value& other) const {
  if (kind_ != other.kind_) return false;
  switch (kind_) {
    case Kind::kBool:
    case Kind::kInt:
      return data_.integer == other.data_.integer;
    case Kind::kDouble:
      return data_.number == other.data_.number ||
             (std::isnan(data_.number) && std::isnan(other.data_.number));
    case Kind::kString:
      return AsString() == other.AsString();
    case Kind::kArray:
    case Kind::kObject:
      return size_ == other.size_ && (size_ == 0 || data_.parsed == other.data_.parsed);
    default:
      return true;
  }
}

std::string_view TypeName(const Value& value) {
  switch (value.kind()) {
    case Kind::kBool:
      return "boolean";
    case Kind::kInt:
    case Kind::kDouble:
      return "number";
    case Kind::kString:
      return "string";
    case Kind::kArray:
      return "array";
    case Kind::kObject:
      return "object";
    default:
      return "null";
  }
}

int Compare(const Value& a, const Value& b) {
  const int rank = TypeRank(a);
  if (const int order = Sign(rank <=> TypeRank(b)); order != 0) return order;
  if (a.IsNumber()) return CompareNumbers(a, b);
  if (a.IsString()) return Sign(a.AsString() <=> b.AsString());
  if (a.IsObject()) return CompareObjects(a, b);
  if (!a.IsArray()) return 0;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    if (const int order = Compare(a.At(i), b.At(i)); order != 0) return order;
  }
  return Sign(a.size() <=> b.size());
}

void AppendText(const Value& value, std::string* out) {
  TextWriter(out, std::numeric_limits<size_t>::max()).Write(value);
}

std::string ToText(const Value& value) {
  std::string text;
  AppendText(value, &text);
  return text;
}

void AppendQuoted(std::string_view text, std::string* out) {
  constexpr std::string_view kHex = "0123456789abcdef";
  constexpr std::string_view kEscaped = "\"\\\b\f\n\r\t";
  constexpr std::string_view kEscapes = "\"\\bfnrt";
  *out += '"';
  for (size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x80) {
      const size_t length = Utf8SequenceLength(text.substr(i));
      *out += length == 0 ? std::string_view("\\ufffd") : text.substr(i, length);
      i += std::max<size_t>(1, length);
      continue;
    }
    if (const size_t at = kEscaped.find(text[i]); at != std::string_view::npos) {
      *out += '\\';
      *out += kEscapes[at];
    } else if (c < 0x20 || c == 0x7f) {
      *out += "\\u00";
      *out += kHex[c >> 4];
      *out += kHex[c & 15];
    } else {
      *out += text[i];
    }
    ++i;
  }
  *out += '"';
}

std::string Preview(const Value& value) {
  std::string text;
  TextWriter(&text, kPreviewTextBytes).Write(value);
  if (text.size() <= kPreviewBytes) return text;
  const std::string_view trailing = value.IsString()   ? " ...\""
                                    : value.IsArray()  ? " ...]"
                                    : value.IsObject() ? " ...}"
                                                       : " ...";
  size_t kept = std::min(text.size(), kPreviewTextBytes);
  while (kept > kPreviewBytes - trailing.size()) {
    --kept;
    // Not in the middle of a character.
    while (kept > 0 && (static_cast<unsigned char>(text[kept]) & 0xc0) == 0x80) --kept;
  }
  text.resize(kept);
  return text.append(trailing);
}

std::string TypeAndPreview(const Value& value) {
  if (value.IsNull()) return "null";
  return std::string(TypeName(value)).append(" (").append(Preview(value)).append(")");
}

Value ParseNumber(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  const char* const end = text.data() + text.size();
  int64_t integer = 0;
  if (const auto [stop, error] = std::from_chars(text.data(), end, integer);
      error == std::errc{} && stop == end) {
    return Value::Int(integer);
  }
  double number = 0;
  if (std::from_chars(text.data(), end, number).ec == std::errc::result_out_of_range) {
    const bool tiny =
        text.find("e-") != std::string_view::npos || text.find("E-") != std::string_view::npos;
    number = tiny ? 0 : std::numeric_limits<double>::infinity();
    if (text.starts_with('-')) number = -number;
  }
  return Value::Double(number);
}

char32_t DecodeRune(std::string_view text, size_t* bytes) {
  const auto at = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const size_t length = Utf8SequenceLength(text);
  *bytes = std::max<size_t>(1, length);
  if (length == 0) return kReplacementRune;
  if (length == 1) return at(0);
  char32_t rune = at(0) & (0x7fu >> length);
  for (size_t i = 1; i < length; ++i) rune = rune << 6 | (at(i) & 0x3fu);
  return rune;
}

size_t RuneCount(std::string_view text) {
  size_t count = 0;
  while (!text.empty()) {
    text.remove_prefix(std::max<size_t>(1, Utf8SequenceLength(text)));
    ++count;
  }
  return count;
}

size_t RuneOffset(std::string_view text, size_t runes) {
  size_t offset = 0;
  for (; runes > 0 && offset < text.size(); --runes) {
    offset += std::max<size_t>(1, Utf8SequenceLength(text.substr(offset)));
  }
  return offset;
}

}  // namespace kulisse::simulator::jq
