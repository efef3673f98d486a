#include <fmt/format.h>
#include <yaml.h>

#include <cmath>
#include <deque>
#include <unordered_map>
#include <unordered_set>

#include "base/assert.h"
#include "base/json/member_index.h"
#include "base/limits.h"
#include "base/status.h"
#include "base/text.h"
#include "openapi/yaml.h"
#include "openapi/yaml_scalar.h"

namespace kulisse::openapi {

namespace {

using json::Value;
template <class T>
using Parsed = std::expected<T, std::string>;

constexpr std::string_view kLongTag = "tag:yaml.org,2002:";

struct Node {
  enum class Kind : uint8_t { kScalar, kSequence, kMapping, kAlias };
  Kind kind = Kind::kScalar;
  bool implicit = false;        // a plain scalar without a tag
  size_t line = 0;              // from 1
  std::string value;            // of a scalar; the name of an alias
  std::string tag;              // "" or long form
  Node* target = nullptr;       // of an alias
  std::vector<Node*> children;  // elements; keys and values in turn
};

std::string_view CText(const yaml_char_t* text) {
  return text == nullptr ? std::string_view() : reinterpret_cast<const char*>(text);
}

std::string ShortTag(std::string_view tag) {
  return tag.starts_with(kLongTag) ? "!!" + std::string(tag.substr(kLongTag.size()))
                                   : std::string(tag);
}

// Owns a libyaml event.
class Event {
 public:
  Event() = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() { yaml_event_delete(&event_); }
  yaml_event_t* Reset() {
    yaml_event_delete(&event_);
    return &event_;
  }
  const yaml_event_t* operator->() const { return &event_; }

 private:
  yaml_event_t event_{};
};

// Makes trees of nodes from libyaml's events. Owns the nodes.
class Composer {
 public:
  explicit Composer(std::string_view text) {
    KULISSE_ASSERT(yaml_parser_initialize(&parser_) != 0);
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()),
                                 text.size());
  }
  Composer(const Composer&) = delete;
  Composer& operator=(const Composer&) = delete;
  ~Composer() { yaml_parser_delete(&parser_); }

  // The root of the next document; null at the end of the text.
  Parsed<Node*> NextDocument() {
    nodes_.clear();
    anchors_.clear();
    while (true) {
      auto next = Advance();
      if (!next) return std::unexpected(std::move(next).error());
      if (event_->type == YAML_STREAM_END_EVENT) return nullptr;
      if (event_->type != YAML_DOCUMENT_START_EVENT) continue;
      auto root = ReadTree();
      if (!root) return root;
      if (auto end = Advance(); !end) return std::unexpected(std::move(end).error());
      return root;
    }
  }

 private:
  Parsed<void> Advance() {
    if (yaml_parser_parse(&parser_, event_.Reset()) != 0) return {};
    return std::unexpected(Problem());
  }

  // Upstream: parser.fail().
  [[nodiscard]] std::string Problem() const {
    size_t line = 0;
    if (parser_.problem_mark.line != 0) {
      line = parser_.problem_mark.line + (parser_.error == YAML_SCANNER_ERROR ? 1 : 0);
    } else if (parser_.context_mark.line != 0) {
      line = parser_.context_mark.line;
    }
    const char* problem =
        parser_.problem == nullptr ? "unknown problem parsing YAML content" : parser_.problem;
    return line == 0 ? fmt::format("yaml: {}", problem)
                     : fmt::format("yaml: line {}: {}", line, problem);
  }

  // One node with all below it. Open collections are kept in a stack: no recursion.
  Parsed<Node*> ReadTree() {
    std::vector<Node*> open;
    while (true) {
      if (auto next = Advance(); !next) return std::unexpected(std::move(next).error());
      Node* node = nullptr;
      switch (event_->type) {
        case YAML_SCALAR_EVENT:
          node = NewScalar();
          break;
        case YAML_SEQUENCE_START_EVENT:
        case YAML_MAPPING_START_EVENT:
          node = NewCollection();
          break;
        case YAML_ALIAS_EVENT: {
          auto alias = NewAlias();
          if (!alias) return alias;
          node = *alias;
          break;
        }
        default: {  // the end of a collection
          Node* done = open.back();
          open.pop_back();
          if (open.empty()) return done;
          continue;
        }
      }
      if (!open.empty()) open.back()->children.push_back(node);
      if (node->kind == Node::Kind::kSequence || node->kind == Node::Kind::kMapping) {
        open.push_back(node);
        if (open.size() > kJsonDepthMax) return std::unexpected("yaml: exceeded max depth");
      } else if (open.empty()) {
        return node;
      }
    }
  }

  Node* NewNode(Node::Kind kind, const yaml_char_t* anchor) {
    Node& node = nodes_.emplace_back();
    node.kind = kind;
    node.line = event_->start_mark.line + 1;
    if (anchor != nullptr) anchors_[std::string(CText(anchor))] = &node;
    return &node;
  }
  Node* NewScalar() {
    const auto& scalar = event_->data.scalar;
    Node* node = NewNode(Node::Kind::kScalar, scalar.anchor);
    node->value.assign(reinterpret_cast<const char*>(scalar.value), scalar.length);
    node->tag = CText(scalar.tag);
    node->implicit = scalar.plain_implicit != 0;
    return node;
  }
  Node* NewCollection() {
    const bool mapping = event_->type == YAML_MAPPING_START_EVENT;
    return NewNode(
        mapping ? Node::Kind::kMapping : Node::Kind::kSequence,
        mapping ? event_->data.mapping_start.anchor : event_->data.sequence_start.anchor);
  }
  Parsed<Node*> NewAlias() {
    const std::string name(CText(event_->data.alias.anchor));
    const auto it = anchors_.find(name);
    if (it == anchors_.end()) {
      return std::unexpected(fmt::format("yaml: unknown anchor '{}' referenced", name));
    }
    Node* node = NewNode(Node::Kind::kAlias, nullptr);
    node->value = name;
    node->target = it->second;
    return node;
  }

  yaml_parser_t parser_{};
  Event event_;
  std::deque<Node> nodes_;
  std::unordered_map<std::string, Node*> anchors_;
};

// Whether so much of the work may come from aliases (upstream: allowedAliasRatio).
bool IsAliasBomb(size_t aliased, size_t decoded) {
  constexpr double kSmall = 400'000;
  constexpr double kLarge = 4'000'000;
  if (aliased <= 100 || decoded <= 1000) return false;
  const auto count = static_cast<double>(decoded);
  const double allowed = count <= kSmall   ? 0.99
                         : count >= kLarge ? 0.10
                                           : 0.99 - 0.89 * (count - kSmall) / (kLarge - kSmall);
  return static_cast<double>(aliased) / count > allowed;
}

// Turns a tree of nodes into a JSON value. Throws nothing; the first failure ends it.
class Decoder {
 public:
  Decoder(json::Arena& arena, std::vector<std::string>* duplicates)
      : arena_(arena), duplicates_(duplicates) {}

  Parsed<Value> Run(const Node* root) {
    Value value = Decode(*root, 0);
    if (!failure_.empty()) return std::unexpected(std::move(failure_));
    return value;
  }

 private:
  // The value is null after a failure.
  Value Fail(std::string message) {
    if (failure_.empty()) failure_ = std::move(message);
    return {};
  }
  [[nodiscard]] bool failed() const { return !failure_.empty(); }

  // Follows aliases; null when they are refused. Enter and Leave enclose the use.
  bool EnterAlias(const Node& alias) {
    ++decoded_;
    if (alias_depth_ > 0) ++aliased_;
    if (!open_aliases_.insert(&alias).second) {
      Fail(fmt::format("yaml: anchor '{}' value contains itself", alias.value));
      return false;
    }
    ++alias_depth_;
    return true;
  }
  void LeaveAlias(const Node& alias) {
    --alias_depth_;
    open_aliases_.erase(&alias);
  }

  Value Decode(const Node& node, size_t depth) {
    if (failed()) return {};
    if (node.kind == Node::Kind::kAlias) {
      if (!EnterAlias(node)) return {};
      Value value = Decode(*node.target, depth);
      LeaveAlias(node);
      return value;
    }
    ++decoded_;
    if (alias_depth_ > 0) ++aliased_;
    if (IsAliasBomb(aliased_, decoded_)) {
      return Fail("yaml: document contains excessive aliasing");
    }
    if (node.kind == Node::Kind::kScalar) return DecodeScalar(node);
    if (depth >= kJsonDepthMax) return Fail("yaml: exceeded max depth");
    if (node.kind == Node::Kind::kMapping) {
      Value object = Value::Object();
      json::MemberIndex index;
      DecodeMapping(node, object, index, depth);
      return object;
    }
    Value array = Value::Array();
    for (const Node* child : node.children) array.PushBack(Decode(*child, depth + 1), arena_);
    return array;
  }

  static bool IsMerge(const Node& key) {
    return key.kind == Node::Kind::kScalar && key.value == "<<" &&
           (key.implicit || key.tag == std::string(kLongTag) + "merge");
  }

  // `index` is that of the object.
  void DecodeMapping(const Node& node, Value& object, json::MemberIndex& index, size_t depth) {
    for (size_t i = 0; i + 1 < node.children.size() && !failed(); i += 2) {
      const Node& key = *node.children[i];
      const Node& value = *node.children[i + 1];
      if (IsMerge(key)) {
        Merge(value, object, index, depth);
        continue;
      }
      const std::string name = DecodeKey(key, depth);
      if (failed()) return;
      Value decoded = Decode(value, depth + 1);
      if (Value* existing = index.Find(object, name)) {
        ReportDuplicate(value.line, name);
        *existing = std::move(decoded);
      } else {
        object.AppendRef(arena_.Copy(name), std::move(decoded), arena_);
      }
    }
  }

  void ReportDuplicate(size_t line, std::string_view name) {
    if (duplicates_ == nullptr) return;
    duplicates_->push_back(fmt::format("line {}: key {} already set in map", line, GoQuote(name)));
  }

  // `<<`: a mapping, an alias to one, or a list of them, the first of which counts most.
  void Merge(const Node& value, Value& object, json::MemberIndex& index, size_t depth) {
    if (value.kind != Node::Kind::kSequence) {
      MergeOne(value, object, index, depth);
      return;
    }
    for (size_t i = value.children.size(); i > 0; --i) {
      MergeOne(*value.children[i - 1], object, index, depth);
    }
  }
  void MergeOne(const Node& value, Value& object, json::MemberIndex& index, size_t depth) {
    const bool alias = value.kind == Node::Kind::kAlias;
    const Node& mapping = alias ? *value.target : value;
    if (mapping.kind != Node::Kind::kMapping) {
      Fail("yaml: map merge requires map or sequence of maps as the value");
      return;
    }
    if (alias && !EnterAlias(value)) return;
    ++decoded_;
    if (alias_depth_ > 0) ++aliased_;
    if (depth >= kJsonDepthMax || IsAliasBomb(aliased_, decoded_)) {
      Fail("yaml: document contains excessive aliasing");
    } else {
      DecodeMapping(mapping, object, index, depth + 1);
    }
    if (alias) LeaveAlias(value);
  }

  // JSON has names that are strings only (upstream: convertToJSONableObject).
  std::string DecodeKey(const Node& node, size_t depth) {
    const Value key = Decode(node, depth);
    switch (key.type()) {
      case json::Type::kString:
        return std::string(key.AsString());
      case json::Type::kInt:
        return std::to_string(key.AsInt());
      case json::Type::kBool:
        return key.AsBool() ? "true" : "false";
      case json::Type::kDouble:
        return FormatGoFloat(key.AsDouble(), true);
      case json::Type::kUint:
        Fail("unsupported map key of type: uint64");
        break;
      case json::Type::kNull:
        Fail("unsupported map key of type: %!s(<nil>)");
        break;
      default:
        Fail("yaml: invalid map key: a mapping or a sequence");
        break;
    }
    return "";
  }

  Value DecodeScalar(const Node& node) {
    if (node.tag.empty() && !node.implicit) return Value::String(node.value, arena_);
    const std::string tag = ShortTag(node.tag);
    if (tag == "!!binary") return DecodeBinary(node.value);
    const bool resolvable = tag.empty() || tag == "!!bool" || tag == "!!int" || tag == "!!float" ||
                            tag == "!!null" || tag == "!!timestamp";
    if (!resolvable) return Value::String(node.value, arena_);
    const YamlScalar scalar = ResolveYamlScalar(node.value, tag.empty() || tag == "!!timestamp");
    static constexpr std::string_view kTagNames[] = {"!!null",  "!!bool", "!!int",      "!!int",
                                                     "!!float", "!!str",  "!!timestamp"};
    const std::string_view actual = kTagNames[static_cast<size_t>(scalar.tag)];
    if (tag == "!!float" && scalar.tag == YamlTag::kInt) {
      return Value::Double(static_cast<double>(scalar.integer));
    }
    if (!tag.empty() && tag != actual) {
      return Fail(fmt::format("yaml: cannot decode {} `{}` as a {}", actual, node.value, tag));
    }
    switch (scalar.tag) {
      case YamlTag::kNull:
        return {};
      case YamlTag::kBool:
        return Value::Bool(scalar.boolean);
      case YamlTag::kInt:
        return Value::Int(scalar.integer);
      case YamlTag::kUint:
        return Value::Uint(scalar.unsigned_integer);
      case YamlTag::kFloat:
        return Value::Double(scalar.number);
      default:
        return Value::String(node.value, arena_);
    }
  }

  Value DecodeBinary(std::string text) {
    std::erase_if(text, [](char c) { return c == '\n' || c == '\r'; });
    const auto bytes = Base64Decode(text);
    if (!bytes) return Fail("yaml: !!binary value contains invalid base64 data");
    return Value::String(ToValidUtf8(*bytes), arena_);  // as Go's JSON encoder writes them
  }

  json::Arena& arena_;
  std::vector<std::string>* duplicates_;
  std::string failure_;
  std::unordered_set<const Node*> open_aliases_;
  size_t alias_depth_ = 0;
  size_t decoded_ = 0;
  size_t aliased_ = 0;
};

// NaN and infinities can be written in YAML but not in JSON.
Parsed<void> CheckFinite(const Value& value) {
  if (value.type() == json::Type::kDouble && !std::isfinite(value.AsDouble())) {
    const std::string text = std::isnan(value.AsDouble()) ? "NaN"
                             : value.AsDouble() > 0       ? "+Inf"
                                                          : "-Inf";
    return std::unexpected("json: unsupported value: " + text);
  }
  for (const Value& element : value.elements()) {
    if (auto finite = CheckFinite(element); !finite) return finite;
  }
  for (const json::Member& member : value.members()) {
    if (auto finite = CheckFinite(member.value); !finite) return finite;
  }
  return {};
}

Parsed<json::Document> DecodeDocument(const Node* root, std::vector<std::string>* duplicates) {
  json::Document document;
  if (root == nullptr) return document;
  std::vector<std::string> found;
  auto value = Decoder(document.arena, &found).Run(root);
  if (!value) return std::unexpected(std::move(value).error());
  if (duplicates != nullptr) {
    duplicates->insert(duplicates->end(), found.begin(), found.end());
  } else if (!found.empty()) {
    return std::unexpected("yaml: unmarshal errors:\n  " + Join(found, "\n  "));
  }
  if (auto finite = CheckFinite(*value); !finite) return std::unexpected(finite.error());
  document.root = std::move(*value);
  return document;
}

}  // namespace

std::expected<json::Document, std::string> ParseYaml(std::string_view text,
                                                     std::vector<std::string>* duplicates) {
  Composer composer(text);
  const auto root = composer.NextDocument();
  if (!root) return std::unexpected(root.error());
  return DecodeDocument(*root, duplicates);
}

std::expected<std::vector<json::Document>, std::string> ParseYamlDocuments(std::string_view text) {
  Composer composer(text);
  std::vector<json::Document> documents;
  while (true) {
    const auto root = composer.NextDocument();
    if (!root) return std::unexpected(root.error());
    if (*root == nullptr) return documents;
    auto document = DecodeDocument(*root, nullptr);
    if (!document) return std::unexpected(std::move(document).error());
    if (!document->root.IsNull()) documents.push_back(std::move(*document));
  }
}

}  // namespace kulisse::openapi
