#include "openapi/managed_fields/field_set.h"

#include <new>
#include <vector>

#include "base/assert.h"
#include "openapi/managed_fields/path_element.h"

namespace kulisse::openapi {

namespace {

using Node = FieldSet::Node;

Node* NewNode(std::string_view element, json::Arena& arena) {
  Node* node = new (arena.Allocate(sizeof(Node))) Node;
  node->element = element;
  return node;
}

void AppendNode(Node& parent, Node* node) {
  (parent.first == nullptr ? parent.first : parent.last->next) = node;
  parent.last = node;
}

// A node of its own that shares its children with another.
void AppendShared(Node& parent, const Node& shared, json::Arena& arena) {
  Node* node = NewNode(shared.element, arena);
  node->first = shared.first;
  node->last = shared.last;
  node->member = shared.member;
  AppendNode(parent, node);
}

void AppendIfAny(Node& parent, Node* node) {
  if (node->member || node->first != nullptr) AppendNode(parent, node);
}

enum class Operation : uint8_t { kUnion, kIntersection, kDifference, kRecursiveDifference };

void Combine(Operation operation, const Node& a, const Node& b, Node& out, json::Arena& arena) {
  const bool keeps_left = operation != Operation::kIntersection;
  const bool keeps_right = operation == Operation::kUnion;
  const Node* x = a.first;
  const Node* y = b.first;
  while (x != nullptr && y != nullptr) {
    const auto order = ComparePathElements(x->element, y->element);
    if (order < 0) {
      if (keeps_left) AppendShared(out, *x, arena);
      x = x->next;
      continue;
    }
    if (order > 0) {
      if (keeps_right) AppendShared(out, *y, arena);
      y = y->next;
      continue;
    }
    Node* node = NewNode(x->element, arena);
    if (operation == Operation::kUnion) {
      node->member = x->member || y->member;
    } else {
      node->member = x->member && y->member == (operation == Operation::kIntersection);
    }
    if (operation != Operation::kRecursiveDifference || !y->member) {
      Combine(operation, *x, *y, *node, arena);
    }
    AppendIfAny(out, node);
    x = x->next;
    y = y->next;
  }
  for (; keeps_left && x != nullptr; x = x->next) AppendShared(out, *x, arena);
  for (; keeps_right && y != nullptr; y = y->next) AppendShared(out, *y, arena);
}

FieldSet Combined(Operation operation, const FieldSet& a, const FieldSet& b, json::Arena& arena) {
  FieldSet out;
  Combine(operation, a.root(), b.root(), out.root(), arena);
  return out;
}

void AppendChildren(const Node& node, std::string* out) {
  *out += '{';
  if (node.member && node.first != nullptr) *out += "\".\":{}";
  for (const Node* child = node.first; child != nullptr; child = child->next) {
    if (out->back() != '{') *out += ',';
    *out += '"';
    out->append(child->element);
    *out += "\":";
    AppendChildren(*child, out);
  }
  *out += '}';
}

const Node* FindChild(const Node& node, std::string_view element) {
  for (const Node* child = node.first; child != nullptr; child = child->next) {
    if (child->element == element) return child;
  }
  return nullptr;
}

// Reads the objects of FieldsV1.
class Reader {
 public:
  Reader(std::string_view text, json::Arena& arena) : text_(text), arena_(arena) {}

  bool Read(Node& parent, int depth) {
    constexpr int kDepthMax = 256;  // no type of Kubernetes comes near
    if (depth > kDepthMax || !Take('{')) return false;
    if (Take('}')) return true;
    do {
      std::string_view element;
      if (!ReadName(&element) || !Take(':')) return false;
      if (element == ".") {
        parent.member = true;
        if (!Take('{') || !Take('}')) return false;
        continue;
      }
      Node* node = FieldSet::Child(parent, element, arena_);
      if (!Read(*node, depth + 1)) return false;
      if (node->first == nullptr) node->member = true;
    } while (Take(','));
    return Take('}');
  }
  [[nodiscard]] size_t at() const { return at_; }

 private:
  bool Take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool ReadName(std::string_view* name) {
    if (!Take('"')) return false;
    const size_t begin = at_;
    for (; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\') ++at_;
    }
    if (at_ >= text_.size()) return false;
    *name = text_.substr(begin, at_++ - begin);
    return *name == "." || (name->size() >= 2 && (*name)[1] == ':');
  }

  std::string_view text_;
  json::Arena& arena_;
  size_t at_ = 0;
};

bool AddJson(const json::Value& value, Node& parent, json::Arena& arena) {
  for (const json::Member& member : value.members()) {
    if (member.name == ".") {
      parent.member = true;
      continue;
    }
    const auto element = CanonicalPathElement(member.name);
    if (!element) return false;
    if (element->empty()) continue;
    if (!member.value.IsObject() && !member.value.IsNull()) return false;
    Node* node = FieldSet::Child(parent, arena.Copy(*element), arena);
    if (!AddJson(member.value, *node, arena)) return false;
    if (node->first == nullptr) node->member = true;
  }
  return true;
}

void Visit(const Node& node, std::vector<std::string_view>* path,
           const std::function<void(std::span<const std::string_view>)>& visit) {
  for (const Node* child = node.first; child != nullptr; child = child->next) {
    if (!child->member) continue;
    path->push_back(child->element);
    visit(*path);
    path->pop_back();
  }
  for (const Node* child = node.first; child != nullptr; child = child->next) {
    if (child->first == nullptr) continue;
    path->push_back(child->element);
    Visit(*child, path, visit);
    path->pop_back();
  }
}

bool HaveCommon(const Node& a, const Node& b) {
  const Node* x = a.first;
  const Node* y = b.first;
  while (x != nullptr && y != nullptr) {
    const auto order = ComparePathElements(x->element, y->element);
    if (order == 0 && ((x->member && y->member) || HaveCommon(*x, *y))) return true;
    if (order <= 0) x = x->next;
    if (order >= 0) y = y->next;
  }
  return false;
}

bool SameChildren(const Node& a, const Node& b) {
  const Node* x = a.first;
  const Node* y = b.first;
  for (; x != nullptr && y != nullptr; x = x->next, y = y->next) {
    if (x->element != y->element || x->member != y->member || !SameChildren(*x, *y)) return false;
  }
  return x == y;
}

}  // namespace

std::optional<FieldSet> FieldSet::Parse(std::string_view* text, json::Arena& arena) {
  FieldSet set;
  Reader reader(*text, arena);
  if (!reader.Read(set.root_, 0)) return std::nullopt;
  text->remove_prefix(reader.at());
  set.root_.member = false;
  return set;
}

std::optional<FieldSet> FieldSet::FromJson(const json::Value& value, json::Arena& arena) {
  FieldSet set;
  if (!value.IsObject() || !AddJson(value, set.root_, arena)) return std::nullopt;
  set.root_.member = false;
  return set;
}

void FieldSet::Append(std::string* out) const { AppendChildren(root_, out); }

std::string FieldSet::ToString() const {
  std::string text;
  Append(&text);
  return text;
}

FieldSet::Node* FieldSet::Child(Node& parent, std::string_view element, json::Arena& arena) {
  if (parent.last == nullptr || ComparePathElements(parent.last->element, element) < 0) {
    Node* node = NewNode(element, arena);
    AppendNode(parent, node);
    return node;
  }
  if (parent.last->element == element) return parent.last;
  Node** link = &parent.first;
  while (ComparePathElements((*link)->element, element) < 0) link = &(*link)->next;
  if ((*link)->element == element) return *link;
  Node* node = NewNode(element, arena);
  node->next = *link;
  *link = node;
  return node;
}

void FieldSet::Insert(std::span<const std::string_view> path, json::Arena& arena) {
  Node* node = &root_;
  for (const std::string_view element : path) node = Child(*node, element, arena);
  if (node != &root_) node->member = true;
}

bool FieldSet::Has(std::span<const std::string_view> path) const {
  const Node* node = &root_;
  for (const std::string_view element : path) {
    node = FindChild(*node, element);
    if (node == nullptr) return false;
  }
  return node->member;
}

FieldSet FieldSet::WithPrefix(std::string_view element) const {
  FieldSet set;
  if (const Node* node = FindChild(root_, element)) {
    set.root_.first = node->first;
    set.root_.last = node->last;
  }
  return set;
}

bool FieldSet::HasMember(std::string_view element) const {
  const Node* node = FindChild(root_, element);
  return node != nullptr && node->member;
}

void FieldSet::ForEach(const std::function<void(std::span<const std::string_view>)>& visit) const {
  std::vector<std::string_view> path;
  Visit(root_, &path, visit);
}

FieldSet Union(const FieldSet& a, const FieldSet& b, json::Arena& arena) {
  return Combined(Operation::kUnion, a, b, arena);
}
FieldSet Intersection(const FieldSet& a, const FieldSet& b, json::Arena& arena) {
  return Combined(Operation::kIntersection, a, b, arena);
}
FieldSet Difference(const FieldSet& a, const FieldSet& b, json::Arena& arena) {
  return Combined(Operation::kDifference, a, b, arena);
}
FieldSet RecursiveDifference(const FieldSet& a, const FieldSet& b, json::Arena& arena) {
  return Combined(Operation::kRecursiveDifference, a, b, arena);
}

bool Intersects(const FieldSet& a, const FieldSet& b) { return HaveCommon(a.root_, b.root_); }
bool operator==(const FieldSet& a, const FieldSet& b) { return SameChildren(a.root_, b.root_); }

}  // namespace kulisse::openapi
