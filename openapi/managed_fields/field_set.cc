#include "openapi/managed_fields/field_set.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/limits.h"
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
    out->append(out->back() == '{' ? "\"" : ",\"").append(child->element);
    if (child->first == nullptr) {
      *out += "\":{}";
      continue;
    }
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

  bool Read(Node& parent, size_t depth) {
    if (depth > kJsonDepthMax || !Take('{')) return false;
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

// Walks FieldsV1 beside a set, and past what the set does not have.
class TextWalker {
 public:
  explicit TextWalker(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

  // Past the object that begins here; false when it does not end.
  bool SkipObject() {
    size_t depth = 0;
    while (at_ < end_) {
      const char c = *at_++;
      if (c == '{') ++depth;
      if (c == '"' && !SkipString()) return false;
      if (c == '}' && --depth == 0) return true;
    }
    return false;
  }

  // REQUIRES: a whole object begins here.
  bool Intersects(const Node& node, bool top = true) {
    const Node* child = node.first;
    ++at_;
    while (*at_ != '}') {
      if (*at_ == ',') ++at_;
      const char* begin = ++at_;
      SkipString();
      const std::string_view element(begin, static_cast<size_t>(at_ - 1 - begin));
      ++at_;  // the colon
      if (element != ".") {
        while (child != nullptr && ComparePathElements(child->element, element) < 0) {
          child = child->next;
        }
      }
      if (top && child == nullptr) return false;  // all others come behind, too
      if (child == nullptr || child->element != element) {
        SkipObject();
        continue;
      }
      // A path without others below it, or with "." first, is a member.
      const std::string_view below(at_, static_cast<size_t>(end_ - at_));
      const bool member = below.starts_with("{}") || below.starts_with("{\".\"");
      if ((member && child->member) || Intersects(*child, false)) return true;
    }
    ++at_;
    return false;
  }
  [[nodiscard]] const char* at() const { return at_; }

 private:
  // Past the closing quote.
  bool SkipString() {
    while (at_ < end_ && *at_ != '"') at_ += *at_ == '\\' ? 2 : 1;
    return at_++ < end_;
  }

  const char* at_;
  const char* end_;
};

bool AddJson(const json::Value& value, Node& parent, json::Arena& arena) {
  std::vector<std::pair<std::string_view, const json::Value*>> sorted;
  for (const json::Member& member : value.members()) {
    if (member.name == ".") {
      parent.member = true;
      continue;
    }
    const auto element = CanonicalPathElement(member.name);
    if (!element) return false;
    if (element->empty()) continue;
    if (!member.value.IsObject() && !member.value.IsNull()) return false;
    sorted.emplace_back(arena.Copy(*element), &member.value);
  }
  std::ranges::stable_sort(sorted, [](const auto& a, const auto& b) {
    return ComparePathElements(a.first, b.first) < 0;
  });
  for (const auto& [element, below] : sorted) {
    Node* node = FieldSet::Child(parent, element, arena);
    if (!AddJson(*below, *node, arena)) return false;
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

std::string_view FieldSet::Skip(std::string_view* text) {
  TextWalker walker(*text);
  if (!text->starts_with('{') || !walker.SkipObject()) return {};
  const auto size = static_cast<size_t>(walker.at() - text->data());
  const std::string_view skipped = text->substr(0, size);
  text->remove_prefix(size);
  return skipped;
}

bool FieldSet::IntersectsText(std::string_view text) const {
  // Mostly a write changes what the others have nothing of, which a search tells without a walk.
  for (const Node* child = root_.first; child != nullptr; child = child->next) {
    if (memmem(text.data(), text.size(), child->element.data(), child->element.size()) != nullptr) {
      return TextWalker(text).Intersects(root_);
    }
  }
  return false;
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

FieldSet FieldSet::Below(const Node& node) {
  FieldSet set;
  set.root_.first = node.first;
  set.root_.last = node.last;
  return set;
}

FieldSet::ChildIndex::ChildIndex(const FieldSet& set) {
  for (const Node* child = set.root_.first; child != nullptr; child = child->next) {
    children_.emplace(child->element, child);
  }
}

const FieldSet::Node* FieldSet::ChildIndex::Find(std::string_view element) const {
  const auto found = children_.find(element);
  return found == children_.end() ? nullptr : found->second;
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
