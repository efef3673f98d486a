#include <yaml.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/assert.h"
#include "base/json/write.h"
#include "base/text.h"
#include "openapi/yaml.h"
#include "openapi/yaml_scalar.h"

namespace kulisse::openapi {

namespace {

using json::Value;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
// Bytes of other scripts count as letters.
bool IsLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
}

// Letters by code, runs of digits by value, other characters before letters (upstream: yaml.v2
// sorter.go).
bool KeyLess(std::string_view a, std::string_view b) {
  const size_t common = std::min(a.size(), b.size());
  size_t i = 0;
  while (i < common && a[i] == b[i]) ++i;
  if (i == common) return a.size() < b.size();
  const bool a_letter = IsLetter(a[i]);
  const bool b_letter = IsLetter(b[i]);
  const auto by_byte = [&] {
    return static_cast<unsigned char>(a[i]) < static_cast<unsigned char>(b[i]);
  };
  if (a_letter && b_letter) return by_byte();
  if (a_letter || b_letter) return b_letter;
  uint64_t a_number = 0;
  uint64_t b_number = 0;
  if (a[i] == '0' || b[i] == '0') {
    // Zeros within a number that began before count as its digits.
    for (size_t k = i; k > 0 && IsDigit(a[k - 1]); --k) {
      if (a[k - 1] != '0') {
        a_number = b_number = 1;
        break;
      }
    }
  }
  size_t a_end = i;
  size_t b_end = i;
  for (; a_end < a.size() && IsDigit(a[a_end]); ++a_end) {
    a_number = a_number * 10 + static_cast<uint64_t>(a[a_end] - '0');
  }
  for (; b_end < b.size() && IsDigit(b[b_end]); ++b_end) {
    b_number = b_number * 10 + static_cast<uint64_t>(b[b_end] - '0');
  }
  if (a_number != b_number) return a_number < b_number;
  if (a_end != b_end) return a_end < b_end;
  return by_byte();
}

// [-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?  YAML 1.1 readers take it for a number.
bool IsBase60(std::string_view text) {
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  if (text.empty() || !IsDigit(text[0])) return false;
  const auto parts = Split(text.substr(0, text.find('.')), ':');
  const auto plain = [](char c) { return IsDigit(c) || c == '_'; };
  if (parts.size() < 2 || !std::ranges::all_of(parts[0], plain)) return false;
  for (size_t i = 1; i < parts.size(); ++i) {
    const std::string_view part = parts[i];
    if (part.empty() || part.size() > 2 || !std::ranges::all_of(part, IsDigit)) return false;
    if (part.size() == 2 && part[0] > '5') return false;
  }
  const size_t point = text.find('.');
  return point == std::string_view::npos || std::ranges::all_of(text.substr(point + 1), plain);
}

// Upstream leaves "<<" and Unicode's line breaks bare, and then reads something else.
bool CanBePlain(std::string_view text) {
  if (text == "<<") return false;
  for (const std::string_view line_break : {"\u0085", "\u2028", "\u2029"}) {
    if (text.find(line_break) != std::string_view::npos) return false;
  }
  return ResolveYamlScalar(text).tag == YamlTag::kString && !IsBase60(text);
}

// Numbers as they look after a way through JSON text and back (upstream: JSONToYAML).
std::string NumberText(const Value& value) {
  if (value.type() != json::Type::kDouble) return json::ToString(value);
  const std::string text = json::ToString(value);
  const YamlScalar scalar = ResolveYamlScalar(text);
  return scalar.tag == YamlTag::kFloat ? FormatGoFloat(scalar.number) : text;
}

class Emitter {
 public:
  explicit Emitter(std::string* out) {
    KULISSE_ASSERT(yaml_emitter_initialize(&emitter_) != 0);
    yaml_emitter_set_unicode(&emitter_, 1);
    yaml_emitter_set_output(&emitter_, &Emitter::Write, out);
  }
  Emitter(const Emitter&) = delete;
  Emitter& operator=(const Emitter&) = delete;
  ~Emitter() { yaml_emitter_delete(&emitter_); }

  void Document(const Value& root) {
    yaml_event_t event;
    Emit(&event, yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING));
    Emit(&event, yaml_document_start_event_initialize(&event, nullptr, nullptr, nullptr, 1));
    Node(root);
    Emit(&event, yaml_document_end_event_initialize(&event, 1));
    Emit(&event, yaml_stream_end_event_initialize(&event));
  }

 private:
  static int Write(void* out, unsigned char* text, size_t size) {
    static_cast<std::string*>(out)->append(reinterpret_cast<const char*>(text), size);
    return 1;
  }

  // libyaml fails only without memory or on events in the wrong order.
  void Emit(yaml_event_t* event, int initialized) {
    KULISSE_ASSERT(initialized != 0);
    KULISSE_ASSERT(yaml_emitter_emit(&emitter_, event) != 0);
  }

  void Node(const Value& value) {
    yaml_event_t event;
    switch (value.type()) {
      case json::Type::kNull:
        Scalar("null", YAML_PLAIN_SCALAR_STYLE);
        return;
      case json::Type::kBool:
        Scalar(value.AsBool() ? "true" : "false", YAML_PLAIN_SCALAR_STYLE);
        return;
      case json::Type::kString:
        Text(value.AsString());
        return;
      case json::Type::kArray:
        Emit(&event, yaml_sequence_start_event_initialize(&event, nullptr, nullptr, 1,
                                                          YAML_BLOCK_SEQUENCE_STYLE));
        for (const Value& element : value.elements()) Node(element);
        Emit(&event, yaml_sequence_end_event_initialize(&event));
        return;
      case json::Type::kObject:
        Emit(&event, yaml_mapping_start_event_initialize(&event, nullptr, nullptr, 1,
                                                         YAML_BLOCK_MAPPING_STYLE));
        Members(value);
        Emit(&event, yaml_mapping_end_event_initialize(&event));
        return;
      default:
        Scalar(NumberText(value), YAML_PLAIN_SCALAR_STYLE);
    }
  }

  void Members(const Value& object) {
    std::vector<const json::Member*> sorted;
    for (const json::Member& member : object.members()) sorted.push_back(&member);
    // Upstream's order is no strict weak one for odd names: std::sort could not bear it.
    std::ranges::stable_sort(sorted, KeyLess, &json::Member::name);
    for (const json::Member* member : sorted) {
      Text(member->name);
      Node(member->value);
    }
  }

  void Text(std::string_view text) {
    if (!IsUtf8(text)) return Text(ToValidUtf8(text));  // libyaml would refuse it
    Scalar(text, text.find('\n') != std::string_view::npos ? YAML_LITERAL_SCALAR_STYLE
                 : CanBePlain(text)                        ? YAML_PLAIN_SCALAR_STYLE
                                                           : YAML_DOUBLE_QUOTED_SCALAR_STYLE);
  }

  void Scalar(std::string_view text, yaml_scalar_style_t style) {
    yaml_event_t event;
    const auto* bytes = reinterpret_cast<const yaml_char_t*>(text.empty() ? "" : text.data());
    Emit(&event, yaml_scalar_event_initialize(&event, nullptr, nullptr, bytes,
                                              static_cast<int>(text.size()), 1, 1, style));
  }

  yaml_emitter_t emitter_{};
};

}  // namespace

std::string ToYaml(const Value& value) {
  std::string out;
  Emitter(&out).Document(value);
  // libyaml 0.2.5 ends some block scalars with a document mark; Go's port does not.
  constexpr std::string_view kDocumentEnd = "\n...\n";
  if (out.ends_with(kDocumentEnd)) out.resize(out.size() - (kDocumentEnd.size() - 1));
  return out;
}

}  // namespace kulisse::openapi
