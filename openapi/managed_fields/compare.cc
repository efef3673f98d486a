#include "openapi/managed_fields/compare.h"

#include <algorithm>
#include <array>
#include <new>

#include "base/assert.h"
#include "openapi/managed_fields/list_items.h"
#include "openapi/managed_fields/path_element.h"
#include "openapi/type_plan.h"

namespace kulisse::openapi {

namespace {

using json::Member;
using json::Value;
using Node = FieldSet::Node;

struct FieldValue {
  uint16_t rank;
  uint16_t index;
  const Value* value;
};

// The members of a struct sorted by name.
class SortedFields {
 public:
  SortedFields(const Value* object, TypeId id, const TypeInfo& type,
               const FieldElements& elements) {
    if (object == nullptr) return;
    size_t next = 0;
    for (const Member& member : object->members()) {
      const int index = type.FindJson(member.name, next);
      if (index < 0) continue;  // no field, or kind and apiVersion
      next = static_cast<size_t>(index) + 1;
      const uint16_t rank = elements.Rank(id, static_cast<size_t>(index));
      size_t at = size_++;
      for (; at > 0 && fields_[at - 1].rank > rank; --at) fields_[at] = fields_[at - 1];
      fields_[at] = {rank, static_cast<uint16_t>(index), &member.value};
    }
  }
  [[nodiscard]] std::span<const FieldValue> fields() const { return {fields_.data(), size_}; }

 private:
  std::array<FieldValue, kJsonFieldsMax> fields_;
  size_t size_ = 0;
};

std::string_view FieldElement(std::string_view name, json::Arena& arena) {
  if (NeedsEscapes(name)) {
    std::string text = "f:";
    AppendEscaped(name, &text);
    return arena.Copy(text);
  }
  auto* text = static_cast<char*>(arena.Allocate(name.size() + 2));
  text[0] = 'f';
  text[1] = ':';
  name.copy(text + 2, name.size());
  return {text, name.size() + 2};
}

const Node* Below(const Node* node, std::string_view element) {
  if (node == nullptr) return nullptr;
  for (const Node* child = node->first; child != nullptr; child = child->next) {
    if (child->element == element) return child;
  }
  return nullptr;
}

bool IsEmptyOrNull(const Value* value) { return value == nullptr || value->size() == 0; }

class Comparer {
 public:
  Comparer(const TypeTable& table, json::Arena& arena, Comparison* out)
      : schema_(table), elements_(FieldElements::Of(table)), arena_(arena), out_(*out) {}

  void Run(const Value& before, const Value& after, TypeId type, const FieldSet& ignored) {
    Place root{.parent = nullptr,
               .element = {},
               .nodes = {&out_.added.root(), &out_.modified.root(), &out_.removed.root()}};
    Compare(schema_.OfType(type), &before, &after, &root, &ignored.root());
  }

 private:
  enum Set : uint8_t { kAdded, kModified, kRemoved };
  // A step of the path; its nodes in the three sets are made when something is inserted below.
  struct Place {
    Place* parent;
    std::string_view element;
    std::array<Node*, 3> nodes = {};
  };

  Node* NodeOf(Place* place, Set set) {
    if (place->nodes[set] == nullptr) {
      place->nodes[set] = FieldSet::Child(*NodeOf(place->parent, set), place->element, arena_);
    }
    return place->nodes[set];
  }
  void Insert(Place* place, Set set) {
    if (place->parent != nullptr) NodeOf(place, set)->member = true;
  }
  void Insert(Place* parent, std::string_view element, Set set) {
    Place place{.parent = parent, .element = element};
    Insert(&place, set);
  }

  // Null pointers are values that are not there.
  void Compare(const Shape& shape, const Value* before, const Value* after, Place* place,
               const Node* ignored) {
    const Value* shown = after == nullptr ? before : after;
    const Atom atom = SchemaView::AtomOf(shape, *shown);
    if (before != nullptr && after != nullptr && SchemaView::AtomOf(shape, *before) != atom) {
      // It has become something else: upstream handles both forms.
      Handle(shape, SchemaView::AtomOf(shape, *before), before, after, place, ignored);
      Handle(shape, atom, before, after, place, ignored);
      return;
    }
    if (Handle(shape, atom, before, after, place, ignored)) return;
    if (before == nullptr) Insert(place, kAdded);
    if (after == nullptr) Insert(place, kRemoved);
  }

  // Returns whether the place is a leaf.
  bool Handle(const Shape& shape, Atom atom, const Value* before, const Value* after, Place* place,
              const Node* ignored) {
    if (atom == Atom::kScalar) return Leaf(before, after, place);
    const auto as_atom = [atom](const Value* value) {
      if (value == nullptr) return value;
      const bool fits = atom == Atom::kList ? value->IsArray() : value->IsObject();
      return fits ? value : nullptr;
    };
    const Value* left = as_atom(before);
    const Value* right = as_atom(after);
    if (SchemaView::IsAtomic(shape, atom) || (IsEmptyOrNull(left) && IsEmptyOrNull(right))) {
      return Leaf(before, after, place);
    }
    if (atom == Atom::kList) {
      CompareLists(shape, left, right, place);
    } else if (shape.kind == Shape::Kind::kStruct) {
      CompareStructs(shape, left, right, place, ignored);
    } else {
      CompareMaps(shape, left, right, place, ignored);
    }
    return false;
  }

  bool Leaf(const Value* before, const Value* after, Place* place) {
    if (before == nullptr) {
      Insert(place, kAdded);
    } else if (after == nullptr) {
      Insert(place, kRemoved);
    } else if (!(*before == *after)) {
      Insert(place, kModified);
    }
    return true;
  }

  void CompareStructs(const Shape& shape, const Value* before, const Value* after, Place* place,
                      const Node* ignored) {
    const TypeInfo& type = schema_.table().Get(shape.type);
    const SortedFields left(before, shape.type, type, elements_);
    const SortedFields right(after, shape.type, type, elements_);
    auto x = left.fields();
    auto y = right.fields();
    while (!x.empty() || !y.empty()) {
      const bool has_left = !x.empty() && (y.empty() || x[0].rank <= y[0].rank);
      const bool has_right = !y.empty() && (x.empty() || y[0].rank <= x[0].rank);
      const uint16_t index = has_left ? x[0].index : y[0].index;
      CompareChild(schema_.OfField(*type.json_fields[index].field),
                   elements_.Element(shape.type, index), has_left ? x[0].value : nullptr,
                   has_right ? y[0].value : nullptr, place, ignored);
      if (has_left) x = x.subspan(1);
      if (has_right) y = y.subspan(1);
    }
  }

  void CompareMaps(const Shape& shape, const Value* before, const Value* after, Place* place,
                   const Node* ignored) {
    const Shape element = schema_.Element(shape);
    auto x = SortedMembers(before, arena_);
    auto y = SortedMembers(after, arena_);
    while (!x.empty() || !y.empty()) {
      const bool has_left = !x.empty() && (y.empty() || x[0]->name <= y[0]->name);
      const bool has_right = !y.empty() && (x.empty() || y[0]->name <= x[0]->name);
      const std::string_view name = has_left ? x[0]->name : y[0]->name;
      const Value* left = has_left ? &x[0]->value : nullptr;
      const Value* right = has_right ? &y[0]->value : nullptr;
      if (has_left) x = x.subspan(1);
      if (has_right) y = y.subspan(1);
      if (left != nullptr && right != nullptr && *left == *right) continue;
      CompareChild(element, FieldElement(name, arena_), left, right, place, ignored);
    }
  }

  void CompareChild(const Shape& shape, std::string_view element, const Value* before,
                    const Value* after, Place* place, const Node* ignored) {
    const Node* below = Below(ignored, element);
    if (below != nullptr && below->member) return;
    Place child{.parent = place, .element = element};
    Compare(shape, before, after, &child, below);
  }

  void CompareLists(const Shape& shape, const Value* before, const Value* after, Place* place) {
    if (before != nullptr && after != nullptr && *before == *after) return;
    const auto left = ItemsOf(schema_, shape, before, arena_);
    const auto right = ItemsOf(schema_, shape, after, arena_);
    SortItems(left);
    SortItems(right);
    const Shape element = schema_.Element(shape);
    size_t i = 0;
    size_t j = 0;
    while (i < left.size() || j < right.size()) {
      std::strong_ordering order = std::strong_ordering::equal;
      if (i == left.size()) {
        order = std::strong_ordering::greater;
      } else if (j == right.size()) {
        order = std::strong_ordering::less;
      } else {
        order = ComparePathElements(left[i].element, right[j].element);
      }
      const std::string_view step = order <= 0 ? left[i].element : right[j].element;
      const auto x = order <= 0 ? Group(left, &i) : std::span<const ListItem>();
      const auto y = order >= 0 ? Group(right, &j) : std::span<const ListItem>();
      CompareItems(element, step, x, y, place);
    }
  }

  // The items from `*at` on that have the same step; moves `at` behind them.
  static std::span<const ListItem> Group(std::span<const ListItem> items, size_t* at) {
    const size_t begin = *at;
    while (*at < items.size() && items[*at].element == items[begin].element) ++*at;
    return items.subspan(begin, *at - begin);
  }

  // A key that occurs twice is owned as a whole.
  void CompareItems(const Shape& shape, std::string_view step, std::span<const ListItem> before,
                    std::span<const ListItem> after, Place* place) {
    const auto same = [](const ListItem& a, const ListItem& b) { return *a.value == *b.value; };
    if (before.size() >= 2 && after.size() >= 2) {
      if (!std::ranges::equal(before, after, same)) Insert(place, step, kModified);
    } else if (before.size() >= 2) {
      if (!after.empty()) CompareChild(shape, step, nullptr, after[0].value, place, nullptr);
      Insert(place, step, kRemoved);
    } else if (after.size() >= 2) {
      if (!before.empty()) CompareChild(shape, step, before[0].value, nullptr, place, nullptr);
      Insert(place, step, kAdded);
    } else {
      CompareChild(shape, step, before.empty() ? nullptr : before[0].value,
                   after.empty() ? nullptr : after[0].value, place, nullptr);
    }
  }

  SchemaView schema_;
  const FieldElements& elements_;
  json::Arena& arena_;
  Comparison& out_;
};

class Collector {
 public:
  Collector(const TypeTable& table, json::Arena& arena) : schema_(table), arena_(arena) {}

  // Returns whether the place itself is a member.
  bool Collect(const Shape& shape, const Value& value, Node* node) {
    const Atom atom = SchemaView::AtomOf(shape, value);
    if (atom == Atom::kScalar) return true;
    if (SchemaView::IsAtomic(shape, atom)) return true;
    if (atom == Atom::kList) {
      CollectList(shape, value, node);
    } else {
      for (const Member* member : SortedMembers(&value, arena_))
        CollectMember(shape, *member, node);
    }
    return false;
  }

 private:
  void CollectMember(const Shape& shape, const Member& member, Node* parent) {
    const Shape below = schema_.Member(shape, member.name);
    Node made;
    const bool leaf = Collect(below, member.value, &made);
    const bool empty =
        member.value.IsNull() || (member.value.IsObject() && member.value.size() == 0);
    if (!leaf && !empty && schema_.IsField(shape, member.name) && made.first == nullptr) return;
    Node* node = FieldSet::Child(*parent, FieldElement(member.name, arena_), arena_);
    node->first = made.first;
    node->last = made.last;
    node->member = leaf || empty || !schema_.IsField(shape, member.name);
  }

  void CollectList(const Shape& shape, const Value& value, Node* parent) {
    const auto items = ItemsOf(schema_, shape, value.IsArray() ? &value : nullptr, arena_);
    SortItems(items);
    for (size_t i = 0; i < items.size();) {
      size_t end = i + 1;
      while (end < items.size() && items[end].element == items[i].element) ++end;
      Node* node = FieldSet::Child(*parent, items[i].element, arena_);
      if (end == i + 1) Collect(schema_.Element(shape), *items[i].value, node);
      node->member = true;
      i = end;
    }
  }

  SchemaView schema_;
  json::Arena& arena_;
};

}  // namespace

Comparison CompareObjects(const Value& before, const Value& after, TypeId type,
                          const TypeTable& table, const FieldSet& ignored, json::Arena& arena) {
  Comparison comparison;
  Comparer(table, arena, &comparison).Run(before, after, type, ignored);
  return comparison;
}

FieldSet FieldsOf(const Value& object, TypeId type, const TypeTable& table, json::Arena& arena) {
  FieldSet set;
  Collector collector(table, arena);
  collector.Collect(SchemaView(table).OfType(type), object, &set.root());
  return set;
}

}  // namespace kulisse::openapi
