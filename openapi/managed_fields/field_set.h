// FieldSet is a set of paths to fields of an object: a trie whose steps are sorted and kept as
// FieldsV1 writes them (path_element.h). A path is a member, or only the way to longer ones.
// Upstream: sigs.k8s.io/structured-merge-diff/fieldpath.Set.
//
// Owns: nothing; nodes and texts live in the Arena they were made with and are shared between
//   sets. Cheap to copy. A set that others share must not be inserted into.
// Threads: const access from any thread.
// Errors: Parse() refuses what Append() cannot have written; FromJson() takes any client's text.
// Limits: depth is that of the JSON parser (kJsonDepthMax).
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/json/value.h"

namespace kulisse::openapi {

class FieldSet {
 public:
  struct Node {
    std::string_view element;
    Node* first = nullptr;  // children, sorted
    Node* last = nullptr;
    Node* next = nullptr;  // the next sibling
    bool member = false;
  };

  FieldSet() = default;

  // Reads FieldsV1 as Append() wrote it off the front of `text`, which must outlive the set.
  [[nodiscard]] static std::optional<FieldSet> Parse(std::string_view* text, json::Arena& arena);
  // The text of FieldsV1 at the front of `text`, taken off without looking into it; "" when it does
  // not end.
  [[nodiscard]] static std::string_view Skip(std::string_view* text);
  // Whether the set of the text, which Append() wrote, has members in common with this one.
  [[nodiscard]] bool IntersectsText(std::string_view text) const;
  // Reads any FieldsV1; nothing when it holds a key that is no path element. Kinds of elements
  // that are not known are left out, as upstream does.
  [[nodiscard]] static std::optional<FieldSet> FromJson(const json::Value& value,
                                                        json::Arena& arena);

  [[nodiscard]] bool empty() const { return root_.first == nullptr; }
  void Append(std::string* out) const;
  [[nodiscard]] std::string ToString() const;

  // Elements are kept as they are: their texts must outlive the set.
  void Insert(std::span<const std::string_view> path, json::Arena& arena);
  [[nodiscard]] bool Has(std::span<const std::string_view> path) const;
  // What is below a node, as a set of its own.
  [[nodiscard]] static FieldSet Below(const Node& node);
  // The first steps of a set, for many lookups. The set must outlive it.
  class ChildIndex {
   public:
    explicit ChildIndex(const FieldSet& set);
    // Null when there is none.
    [[nodiscard]] const Node* Find(std::string_view element) const;

   private:
    std::unordered_map<std::string_view, const Node*> children_;
  };
  // Members in upstream's order: those of a level before what is below them.
  void ForEach(const std::function<void(std::span<const std::string_view> path)>& visit) const;

  // For walks that build sets: the child of a node, made when it is missing.
  [[nodiscard]] Node& root() { return root_; }
  [[nodiscard]] const Node& root() const { return root_; }
  static Node* Child(Node& parent, std::string_view element, json::Arena& arena);

  friend FieldSet Union(const FieldSet& a, const FieldSet& b, json::Arena& arena);
  friend FieldSet Intersection(const FieldSet& a, const FieldSet& b, json::Arena& arena);
  // Members of `a` that are none of `b`.
  friend FieldSet Difference(const FieldSet& a, const FieldSet& b, json::Arena& arena);
  // The same, and without all that is below members of `b`.
  friend FieldSet RecursiveDifference(const FieldSet& a, const FieldSet& b, json::Arena& arena);
  // Whether they have members in common.
  friend bool Intersects(const FieldSet& a, const FieldSet& b);
  friend bool operator==(const FieldSet& a, const FieldSet& b);

 private:
  Node root_;
};

FieldSet Union(const FieldSet& a, const FieldSet& b, json::Arena& arena);
FieldSet Intersection(const FieldSet& a, const FieldSet& b, json::Arena& arena);
FieldSet Difference(const FieldSet& a, const FieldSet& b, json::Arena& arena);
FieldSet RecursiveDifference(const FieldSet& a, const FieldSet& b, json::Arena& arena);
bool Intersects(const FieldSet& a, const FieldSet& b);

}  // namespace kulisse::openapi
