#include "openapi/managed_fields/typed_object.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "openapi/managed_fields/list_items.h"
#include "openapi/managed_fields/path_element.h"
#include "openapi/managed_fields/value_text.h"

namespace kulisse::openapi {

namespace {

using json::Member;
using json::Value;
using Node = FieldSet::Node;

// Where a value is: one link per step, on the stack.
struct Place {
  const Place* parent;
  std::string_view element;  // the step to an element of a list
  std::string_view name;     // of a field, when there is no step; may be empty
};

std::string PathOf(const Place* place) {
  if (place == nullptr || place->parent == nullptr) return "";
  const std::string path = PathOf(place->parent);
  if (place->element.empty()) return fmt::format("{}.{}", path, place->name);
  return path + PathElementText(place->element);
}

class Validator {
 public:
  explicit Validator(const TypeTable& table) : schema_(table) {}

  void Check(const Shape& shape, const Value& value, const Place* place) {
    switch (SchemaView::AtomOf(shape, value)) {
      case Atom::kScalar:
        return CheckScalar(shape, value, place);
      case Atom::kList:
        return CheckList(shape, value, place);
      case Atom::kMap:
        return CheckMap(shape, value, place);
    }
  }

  [[nodiscard]] std::string Text() const {
    if (errors_.empty()) return "";
    if (errors_.size() == 1) return errors_[0];
    std::string text = "errors:";
    for (const std::string& error : errors_) text += "\n  " + error;
    return text;
  }

 private:
  void Add(const Place* place, std::string_view message) {
    const std::string path = PathOf(place);
    errors_.push_back(path.empty() ? std::string(message) : fmt::format("{}: {}", path, message));
  }

  void CheckScalar(const Shape& shape, const Value& value, const Place* place) {
    if (value.IsNull()) return;
    const TypeKind kind =
        shape.type == kNoType ? TypeKind::kJson : schema_.table().Get(shape.type).kind;
    switch (kind) {
      case TypeKind::kString:
      case TypeKind::kBytes:
      case TypeKind::kDuration:
        if (!value.IsString()) {
          Add(place, fmt::format("expected string, got &value.valueUnstructured{{Value:{}}}",
                                 GoSyntaxText(value)));
        }
        return;
      case TypeKind::kBool:
        if (!value.IsBool())
          Add(place, fmt::format("expected boolean, got &{{{}}}", GoText(value)));
        return;
      case TypeKind::kInt32:
      case TypeKind::kInt64:
      case TypeKind::kDouble:
        if (!value.IsNumber()) {
          Add(place, fmt::format("expected numeric (int or float), got {}", GoTypeText(value)));
        }
        return;
      default:
        if (value.IsObject() || value.IsArray()) {
          Add(place, fmt::format("expected any scalar, got &{{{}}}", GoText(value)));
        }
    }
  }

  void CheckList(const Shape& shape, const Value& value, const Place* place) {
    if (value.IsNull()) return;
    if (!value.IsArray())
      return Add(place, fmt::format("expected list, got &{{{}}}", GoText(value)));
    const bool keyed = !SchemaView::IsAtomic(shape, Atom::kList);
    const Shape element = schema_.Element(shape);
    std::unordered_set<std::string_view> seen;
    size_t index = 0;
    for (const Value& item : value.elements()) {
      std::string_view step = arena_.Copy(fmt::format("i:{}", index));
      if (keyed) {
        const auto named = ItemElement(schema_, shape, item, arena_);
        if (!named) return Add(place, fmt::format("element {}: {}", index, named.error()));
        step = *named;
        if (!seen.insert(step).second) {
          Add(place, fmt::format("duplicate entries for key {}", PathElementText(step)));
        }
      }
      const Place below{place, step, {}};
      Check(element, item, &below);
      ++index;
    }
  }

  void CheckMap(const Shape& shape, const Value& value, const Place* place) {
    if (value.IsNull()) return;
    if (!value.IsObject())
      return Add(place, fmt::format("expected map, got &{{{}}}", GoText(value)));
    for (const Member& member : value.members()) {
      const Place below{place, {}, member.name};
      const Shape inner = schema_.Member(shape, member.name);
      if (inner.kind == Shape::Kind::kUnknown) {
        return Add(&below, "field not declared in schema");
      }
      Check(inner, member.value, &below);
    }
  }

  SchemaView schema_;
  json::Arena arena_;
  std::vector<std::string> errors_;
};

bool IsEmptyOrNull(const Value* value) { return value == nullptr || value->size() == 0; }

class Merger {
 public:
  Merger(const TypeTable& table, json::Arena& arena) : schema_(table), arena_(arena) {}

  // Null pointers are values that are not there; so is an empty result.
  std::optional<Value> Merge(const Shape& shape, const Value* live, const Value* config) {
    const Atom atom = SchemaView::AtomOf(shape, config == nullptr ? *live : *config);
    if (atom == Atom::kScalar || SchemaView::IsAtomic(shape, atom)) return Leaf(live, config);
    const auto as_atom = [atom](const Value* value) {
      if (value == nullptr) return value;
      const bool fits = atom == Atom::kList ? value->IsArray() : value->IsObject();
      return fits ? value : nullptr;
    };
    const Value* left = as_atom(live);
    const Value* right = as_atom(config);
    if (IsEmptyOrNull(left) && IsEmptyOrNull(right)) return Leaf(live, config);
    return atom == Atom::kList ? MergeLists(shape, left, right) : MergeMaps(shape, left, right);
  }

 private:
  std::optional<Value> Leaf(const Value* live, const Value* config) {
    return (config == nullptr ? live : config)->Clone(arena_);
  }

  std::optional<Value> MergeMaps(const Shape& shape, const Value* live, const Value* config) {
    Value out = Value::Object();
    auto x = SortedMembers(live, arena_);
    auto y = SortedMembers(config, arena_);
    while (!x.empty() || !y.empty()) {
      const bool has_left = !x.empty() && (y.empty() || x[0]->name <= y[0]->name);
      const bool has_right = !y.empty() && (x.empty() || y[0]->name <= x[0]->name);
      const std::string_view name = has_left ? x[0]->name : y[0]->name;
      auto merged = Merge(schema_.Member(shape, name), has_left ? &x[0]->value : nullptr,
                          has_right ? &y[0]->value : nullptr);
      if (merged) out.AppendRef(arena_.Copy(name), std::move(*merged), arena_);
      if (has_left) x = x.subspan(1);
      if (has_right) y = y.subspan(1);
    }
    if (out.size() == 0) return std::nullopt;
    return out;
  }

  using Index = std::unordered_map<std::string_view, const Value*>;

  // Elements that occur twice are not merged: null stands for them.
  static Index IndexOf(std::span<const ListItem> items) {
    static const Value kNull;
    Index index;
    for (const ListItem& item : items) {
      const auto [at, added] = index.try_emplace(item.element, item.value);
      if (!added) at->second = &kNull;
    }
    return index;
  }

  // The configuration's order wins; what is in the live list alone stays behind its predecessor.
  std::optional<Value> MergeLists(const Shape& shape, const Value* live, const Value* config) {
    const auto left = ItemsOf(schema_, shape, live, arena_);
    const auto right = ItemsOf(schema_, shape, config, arena_);
    const Index in_left = IndexOf(left);
    const Index in_right = IndexOf(right);
    const Shape element = schema_.Element(shape);
    const auto find = [](const Index& index, std::string_view step) {
      const auto found = index.find(step);
      return found == index.end() ? nullptr : found->second;
    };
    Value out = Value::Array();
    const auto add = [&](const Value* x, const Value* y) {
      auto merged = Merge(element, x, y);
      if (merged) out.PushBack(std::move(*merged), arena_);
    };
    std::vector<std::string_view> shared;
    for (const ListItem& item : right) {
      if (in_left.contains(item.element)) shared.push_back(item.element);
    }
    size_t next_shared = 0;
    std::unordered_map<std::string_view, bool> merged;
    const auto take_right = [&](size_t at) {
      const std::string_view step = right[at].element;
      merged[step] = true;
      add(find(in_left, step), find(in_right, step));
      if (next_shared < shared.size() && shared[next_shared] == step) ++next_shared;
    };
    for (size_t i = 0, j = 0; i < left.size() || j < right.size();) {
      if (i < left.size() && j < right.size()) {
        const std::string_view step = left[i].element;
        if (step == right[j].element) {
          take_right(j++);
          ++i;
          continue;
        }
        const bool awaited = next_shared < shared.size() && shared[next_shared] == step;
        if (in_right.contains(step) && next_shared < shared.size() && !awaited) {
          ++i;  // its turn comes with the configuration's
          continue;
        }
      }
      if (i < left.size()) {
        const std::string_view step = left[i].element;
        if (!in_right.contains(step)) {
          add(left[i++].value, nullptr);
          continue;
        }
        if (merged.contains(step)) ++i;
      }
      if (j < right.size()) take_right(j++);
    }
    if (out.size() == 0) return std::nullopt;
    return out;
  }

  SchemaView schema_;
  json::Arena& arena_;
};

class Remover {
 public:
  Remover(const TypeTable& table, json::Arena& arena) : schema_(table), arena_(arena) {}

  // Null when nothing is left.
  Value Remove(const Shape& shape, const Value& value, const FieldSet& fields) {
    const Atom atom = SchemaView::AtomOf(shape, value);
    if (atom == Atom::kScalar) return value.Clone(arena_);
    if (value.size() == 0 || SchemaView::IsAtomic(shape, atom)) return {};
    if (atom == Atom::kList) return value.IsArray() ? RemoveItems(shape, value, fields) : Value();
    return value.IsObject() ? RemoveMembers(shape, value, fields) : Value();
  }

 private:
  Value RemoveItems(const Shape& shape, const Value& value, const FieldSet& fields) {
    Value out = Value::Array();
    const FieldSet::ChildIndex index(fields);
    for (const ListItem& item : ItemsOf(schema_, shape, &value, arena_)) {
      const Node* node = index.Find(item.element);
      if (node != nullptr && node->member) continue;
      out.PushBack(Kept(schema_.Element(shape), *item.value, node), arena_);
    }
    if (out.size() == 0) return {};
    return out;
  }

  Value RemoveMembers(const Shape& shape, const Value& value, const FieldSet& fields) {
    Value out = Value::Object();
    const FieldSet::ChildIndex index(fields);
    for (const Member& member : value.members()) {
      std::string step = "f:";
      AppendEscaped(member.name, &step);
      const Node* node = index.Find(step);
      if (node != nullptr && node->member) continue;
      out.AppendRef(arena_.Copy(member.name),
                    Kept(schema_.Member(shape, member.name), member.value, node), arena_);
    }
    if (out.size() == 0) return {};
    return out;
  }

  Value Kept(const Shape& shape, const Value& value, const Node* node) {
    return node == nullptr ? value.Clone(arena_) : Remove(shape, value, FieldSet::Below(*node));
  }

  SchemaView schema_;
  json::Arena& arena_;
};

void AddNamed(const SchemaView& schema, const Shape& shape, const Node& from, Node& to,
              json::Arena& arena) {
  for (const Node* child = from.first; child != nullptr; child = child->next) {
    Node* node = FieldSet::Child(to, child->element, arena);
    node->member = child->member;
    Shape below{.kind = Shape::Kind::kUnknown};
    if (child->element[0] == 'f') {
      const std::string_view name = child->element.substr(2);
      if (child->first != nullptr && schema.IsField(shape, name)) node->member = true;
      if (shape.kind != Shape::Kind::kUnknown) below = schema.Member(shape, name);
    } else if (child->element[0] == 'k' && shape.kind == Shape::Kind::kList) {
      below = schema.Element(shape);
    }
    AddNamed(schema, below, *child, *node, arena);
  }
}

}  // namespace

std::string ValidateTyped(const Value& value, TypeId type, const TypeTable& table) {
  Validator validator(table);
  const Place root{nullptr, {}, {}};
  validator.Check(SchemaView(table).OfType(type), value, &root);
  return validator.Text();
}

Value MergeTyped(const Value& live, const Value& config, TypeId type, const TypeTable& table,
                 json::Arena& arena) {
  auto merged = Merger(table, arena).Merge(SchemaView(table).OfType(type), &live, &config);
  return merged ? std::move(*merged) : Value();
}

Value RemoveFields(const Value& value, const FieldSet& fields, TypeId type, const TypeTable& table,
                   json::Arena& arena) {
  return Remover(table, arena).Remove(SchemaView(table).OfType(type), value, fields);
}

FieldSet WithNamedFields(const FieldSet& fields, TypeId type, const TypeTable& table,
                         json::Arena& arena) {
  FieldSet out;
  const SchemaView schema(table);
  AddNamed(schema, schema.OfType(type), fields.root(), out.root(), arena);
  return out;
}

}  // namespace kulisse::openapi
