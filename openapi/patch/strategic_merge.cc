#include <fmt/format.h>

#include <algorithm>
#include <expected>
#include <optional>
#include <utility>
#include <vector>

#include "base/json/write.h"
#include "openapi/patch/patch.h"

// The steps and their order are upstream's (apimachinery/pkg/util/strategicpatch), since results
// and refusals follow from them; what iterates a Go map there goes by the text's order here.

namespace kulisse::openapi {

namespace {

using json::Value;
using List = std::vector<Value>;
template <class T>
using Outcome = std::expected<T, std::string>;

constexpr std::string_view kDirective = "$patch";
constexpr std::string_view kRetainKeys = "$retainKeys";
constexpr std::string_view kDeletePrefix = "$deleteFromPrimitiveList";
constexpr std::string_view kOrderPrefix = "$setElementOrder";

constexpr std::string_view kBadPrimitiveList = "invalid patch format of primitive list";
constexpr std::string_view kBadRetainKeys = "invalid patch format of retainKeys";
constexpr std::string_view kBadElementOrder = "invalid patch format of setElementOrder list";
constexpr std::string_view kListOfLists = "lists of lists are not supported";

std::unexpected<std::string> Error(std::string_view text) {
  return std::unexpected(std::string(text));
}

// A value as Go's %v prints it: map[a:1 b:[x y]].
std::string GoText(const Value& value) {
  std::string out;
  if (value.IsNull()) return "<nil>";
  if (value.IsString()) return std::string(value.AsString());
  if (value.IsArray()) {
    for (const Value& element : value.elements()) out += (out.empty() ? "" : " ") + GoText(element);
    return "[" + out + "]";
  }
  if (!value.IsObject()) return json::ToString(value);
  std::vector<const json::Member*> sorted;
  for (const json::Member& member : value.members()) sorted.push_back(&member);
  std::ranges::sort(sorted, {}, [](const json::Member* member) { return member->name; });
  for (const json::Member* member : sorted) {
    out += fmt::format("{}{}:{}", out.empty() ? "" : " ", member->name, GoText(member->value));
  }
  return "map[" + out + "]";
}

std::string_view GoType(const Value& value);

// What Go's %s makes of a directive that is no string.
std::string DirectiveText(const Value& directive) {
  if (directive.IsString()) return std::string(directive.AsString());
  if (directive.IsNull()) return "%!s(<nil>)";
  return fmt::format("%!s({}={})", GoType(directive), GoText(directive));
}

std::string_view GoType(const Value& value) {
  switch (value.type()) {
    case json::Type::kNull:
      return "%!s(<nil>)";
    case json::Type::kBool:
      return "bool";
    case json::Type::kInt:
    case json::Type::kUint:
      return "int64";
    case json::Type::kDouble:
      return "float64";
    case json::Type::kString:
      return "string";
    case json::Type::kArray:
      return "[]interface {}";
    case json::Type::kObject:
      return "map[string]interface {}";
  }
  return "";
}

std::unexpected<std::string> BadType(std::string_view expected, const Value& actual) {
  return std::unexpected(fmt::format("expected a {}, but received a {}", expected, GoType(actual)));
}
std::unexpected<std::string> NoMergeKey(const Value& object, std::string_view key) {
  return std::unexpected(
      fmt::format("map: {} does not contain declared merge key: {}", GoText(object), key));
}

Status ToStatus(const std::string& error) {
  if (error == kBadPrimitiveList || error == kBadRetainKeys || error == kBadElementOrder) {
    return Status::BadRequest(error);
  }
  if (error == kListOfLists) {
    Status status =
        Status::Plain(422, "the server rejected our request due to an error in our request");
    status.reason = "Invalid";
    status.details.emplace();
    return status;
  }
  return Status::Plain(500, error);
}

// Of two elements of lists of scalars.
bool SameScalar(const Value& a, const Value& b) { return a.type() == b.type() && a == b; }

bool ContainsScalar(const List& list, const Value& wanted) {
  return std::ranges::any_of(list, [&](const Value& item) { return SameScalar(item, wanted); });
}

// What the Go type at a place of the document says about merging.
struct Schema {
  TypeId type = kNoType;
  FieldShape shape = FieldShape::kSingle;  // kList is never one: its elements are
};

struct FieldRules {
  Schema schema;  // of the field, or of a list's elements
  bool merge = false;
  bool replace = false;
  std::string_view merge_key;
};

class Merger {
 public:
  Merger(const TypeTable& table, json::Arena& arena) : table_(table), arena_(arena) {}

  // Merges the patch, which is used up, into the object.
  Outcome<void> MergeObject(Value& target, Value patch, Schema schema) {
    if (const Value* directive = patch.Find(kDirective)) {
      if (directive->IsString() && directive->AsString() == "replace") {
        patch.Remove(kDirective);
        target = std::move(patch);
        return {};
      }
      if (directive->IsString() && directive->AsString() == "delete") {
        target = Value::Object();
        return {};
      }
      return std::unexpected(fmt::format("unknown patch type: {} in map: {}",
                                         DirectiveText(*directive), GoText(patch)));
    }
    if (auto done = ApplyRetainKeys(target, patch); !done) return done;
    if (auto done = ApplyElementOrders(target, patch, schema); !done) return done;
    for (json::Member& member : patch.members()) {
      if (auto done = MergeMember(target, member, schema); !done) return done;
    }
    return {};
  }

 private:
  // The rules of an object's member. Upstream: LookupPatchMetadataForStruct.
  Outcome<FieldRules> Lookup(Schema schema, std::string_view name) const {
    if (schema.type == kNoType || schema.shape == FieldShape::kMap) {
      return Error("merging an object in json but data type is not struct, instead is: map");
    }
    const TypeInfo& type = table_.Get(schema.type);
    const int index = type.FindJson(name);
    if (index < 0) {
      return std::unexpected(fmt::format(
          "unable to find api field in struct {} for the json field \"{}\"", type.go_name, name));
    }
    const FieldInfo& field = *type.json_fields[static_cast<size_t>(index)].field;
    FieldRules rules;
    rules.schema = {field.type,
                    field.shape == FieldShape::kMap ? FieldShape::kMap : FieldShape::kSingle};
    rules.merge = field.patch_merge;
    // The only field of all types with patchStrategy "replace".
    rules.replace =
        type.name == "io.k8s.api.policy.v1.PodDisruptionBudgetSpec" && name == "selector";
    rules.merge_key = field.patch_merge_key;
    return rules;
  }

  Outcome<void> ApplyRetainKeys(Value& target, Value& patch) {
    const Value* found = patch.Find(kRetainKeys);
    if (found == nullptr) return {};
    if (!found->IsArray()) return Error(kBadRetainKeys);
    List keys;
    for (const Value& key : found->elements()) keys.push_back(key.Clone(arena_));
    patch.Remove(kRetainKeys);
    const auto retained = [&keys](std::string_view name) {
      return ContainsScalar(keys, Value::StringRef(name));
    };
    for (const json::Member& member : patch.members()) {
      const bool directive =
          member.name.starts_with(kDeletePrefix) || member.name.starts_with(kOrderPrefix);
      if (!member.value.IsNull() && !directive && !retained(member.name)) {
        return Error(kBadRetainKeys);
      }
    }
    for (size_t i = target.members().size(); i > 0; --i) {
      const std::string_view name = target.members()[i - 1].name;
      if (!retained(name)) target.Remove(name);
    }
    return {};
  }

  // "$setElementOrder/field": merges the field's list at once and puts it in the given order.
  Outcome<void> ApplyElementOrders(Value& target, Value& patch, Schema schema) {
    std::vector<std::string_view> orders;
    for (const json::Member& member : patch.members()) {
      if (member.name.starts_with(kOrderPrefix)) orders.push_back(member.name);
    }
    for (const std::string_view name : orders) {
      const Value order = std::move(*patch.Find(name));
      patch.Remove(name);
      if (!order.IsArray()) return BadType("[]interface {}", order);
      const auto field = FieldOf(name, kOrderPrefix);
      if (!field) return Error(kBadElementOrder);
      if (auto done = ApplyElementOrder(target, patch, *field, ToList(order), schema); !done) {
        return done;
      }
    }
    return {};
  }

  static std::optional<std::string_view> FieldOf(std::string_view name, std::string_view prefix) {
    if (name.size() <= prefix.size() || name[prefix.size()] != '/') return std::nullopt;
    return name.substr(prefix.size() + 1);
  }

  Outcome<void> ApplyElementOrder(Value& target, Value& patch, std::string_view field,
                                  const List& order, Schema schema) {
    Value* original = target.Find(field);
    Value* changes = patch.Find(field);
    for (const Value* list : {original, changes}) {
      if (list != nullptr && !list->IsArray()) return BadType("[]interface {}", *list);
    }
    const auto rules = Lookup(schema, field);
    if (!rules) return std::unexpected(rules.error());
    const List original_list = original == nullptr ? List() : ToList(*original);
    const List changes_list = changes == nullptr ? List() : ToList(*changes);
    if (auto valid = CheckOrder(changes_list, order, rules->merge_key); !valid) return valid;
    if (original == nullptr && changes == nullptr) return {};

    Outcome<List> merged = List();
    if (changes == nullptr) {
      merged = CloneList(original_list);
    } else if (original == nullptr) {
      Value kept = changes->Clone(arena_);
      if (!RemoveDirectives(kept)) return {};
      merged = ToList(kept);
    } else {
      merged = MergeList(original_list, changes_list, *rules, false);
    }
    if (!merged) return std::unexpected(std::move(merged).error());
    const auto kind = ElementKind(original_list, changes_list);
    if (!kind) return std::unexpected(kind.error());
    auto ordered = Arrange(*merged, order, original_list, *rules, *kind);
    if (!ordered) return std::unexpected(std::move(ordered).error());
    target.Set(field, ToArray(std::move(*ordered)), arena_);
    patch.Remove(field);
    return {};
  }

  // The items of the patch must stand in the order that it sets.
  static Outcome<void> CheckOrder(const List& changes, const List& order, std::string_view key) {
    if (order.empty() || changes.empty()) return {};
    size_t at = 0;
    for (const Value& change : changes) {
      if (!key.empty() && !change.IsObject()) return BadType("map[string]interface {}", change);
      if (change.IsObject() && change.Find(kDirective) != nullptr) continue;
      bool found = false;
      while (at < order.size() && !found) {
        const auto same = SameItem(change, order[at++], key);
        if (!same) return std::unexpected(same.error());
        found = *same;
      }
      if (!found) {
        return std::unexpected(
            fmt::format("The order in patch list:\n{}\n doesn't match {} list:\n{}\n",
                        GoTexts(changes), kOrderPrefix, GoTexts(order)));
      }
    }
    return {};
  }

  static std::string GoTexts(const List& list) {
    std::string out;
    for (const Value& value : list) out += (out.empty() ? "" : " ") + GoText(value);
    return "[" + out + "]";
  }

  static Outcome<bool> SameItem(const Value& a, const Value& b, std::string_view key) {
    if (key.empty()) return SameScalar(a, b);
    for (const Value* item : {&a, &b}) {
      if (!item->IsObject()) return BadType("map[string]interface {}", *item);
      if (item->Find(key) == nullptr) return NoMergeKey(*item, key);
    }
    return SameScalar(*a.Find(key), *b.Find(key));
  }

  Outcome<void> MergeMember(Value& target, json::Member& member, Schema schema) {
    std::string_view name = member.name;
    const bool deletes = name.starts_with(kDeletePrefix);
    if (deletes) {
      const auto field = FieldOf(name, kDeletePrefix);
      if (!field) return Error(kBadPrimitiveList);
      name = *field;
    }
    Value& change = member.value;
    if (change.IsNull()) {
      target.Remove(name);
      return {};
    }
    Value* current = target.Find(name);
    const bool objects = current != nullptr && current->IsObject() && change.IsObject();
    const bool arrays = current != nullptr && current->IsArray() && change.IsArray();
    if (!objects && !arrays) {
      if (!deletes) Replace(target, name, std::move(change));
      return {};
    }
    const auto rules = Lookup(schema, name);
    if (!rules) return std::unexpected(rules.error());
    if (objects) {
      if (!rules->replace) return MergeObject(*current, std::move(change), rules->schema);
      *current = std::move(change);
      return {};
    }
    if (!rules->merge && !deletes) {
      *current = std::move(change);
      return {};
    }
    auto merged = MergeList(ToList(*current), ToList(change), *rules, deletes);
    if (!merged) return std::unexpected(std::move(merged).error());
    *current = ToArray(std::move(*merged));
    return {};
  }

  void Replace(Value& target, std::string_view name, Value change) {
    DiscardNulls(change);
    if (RemoveDirectives(change)) {
      target.Set(name, std::move(change), arena_);
    } else {
      target.Remove(name);
    }
  }

  static void DiscardNulls(Value& value) {
    for (size_t i = value.members().size(); i > 0; --i) {
      json::Member& member = value.members()[i - 1];
      if (member.value.IsNull()) {
        value.Remove(member.name);
      } else {
        DiscardNulls(member.value);
      }
    }
    for (Value& element : value.elements()) DiscardNulls(element);
  }

  // False when the value itself is a directive and goes away.
  static bool RemoveDirectives(Value& value) {
    if (value.Find(kDirective) != nullptr) return false;
    for (size_t i = value.members().size(); i > 0; --i) {
      json::Member& member = value.members()[i - 1];
      if (!RemoveDirectives(member.value)) value.Remove(member.name);
    }
    for (size_t i = value.elements().size(); i > 0; --i) {
      if (!RemoveDirectives(value.elements()[i - 1])) value.EraseElement(i - 1);
    }
    return true;
  }

  enum class Kind : uint8_t { kScalar, kObject };

  // All elements must be of one type.
  static Outcome<Kind> ElementKind(const List& a, const List& b) {
    const Value* first = nullptr;
    for (const List* list : {&a, &b}) {
      for (const Value& value : *list) {
        if (first == nullptr) first = &value;
        if (first->IsArray()) return Error(kListOfLists);
        if (GoType(*first) != GoType(value)) {
          return std::unexpected(
              fmt::format("list element types are not identical: [{} {}]", GoTexts(a), GoTexts(b)));
        }
      }
    }
    if (first == nullptr) return Error("no elements in any of the given slices");
    return first->IsObject() ? Kind::kObject : Kind::kScalar;
  }

  Outcome<List> MergeList(const List& original, const List& changes, const FieldRules& rules,
                          bool deletes) {
    if (original.empty() && changes.empty()) return List();
    const auto kind = ElementKind(original, changes);
    if (!kind) return std::unexpected(kind.error());
    if (*kind == Kind::kScalar && deletes) return Without(original, changes);
    if (*kind == Kind::kScalar) {
      List merged = CloneList(original);
      for (const Value& change : changes) merged.push_back(change.Clone(arena_));
      DropDuplicates(&merged);
      return Arrange(merged, changes, original, rules, *kind);
    }
    if (rules.merge_key.empty()) {
      return std::unexpected(std::string("cannot merge lists without merge key for struct"));
    }
    List base = CloneList(original);
    List plain;
    if (auto done = ApplyItemDirectives(changes, rules.merge_key, &base, &plain); !done) {
      return std::unexpected(std::move(done).error());
    }
    List merged = CloneList(base);
    if (auto done = MergeItems(plain, rules, &merged); !done) {
      return std::unexpected(std::move(done).error());
    }
    return Arrange(merged, plain, base, rules, *kind);
  }

  List Without(const List& original, const List& removed) {
    List kept;
    for (const Value& value : original) {
      if (!ContainsScalar(removed, value)) kept.push_back(value.Clone(arena_));
    }
    return kept;
  }

  // A duplicate's place is taken by the last element, as upstream does.
  static void DropDuplicates(List* list) {
    for (size_t i = 0; i < list->size(); ++i) {
      for (size_t j = i + 1; j < list->size();) {
        if (!SameScalar((*list)[i], (*list)[j])) {
          ++j;
          continue;
        }
        if (j + 1 < list->size()) (*list)[j] = std::move(list->back());
        list->pop_back();
      }
    }
  }

  // Items with "$patch": deletes from `base`, or lets the plain items replace it.
  Outcome<void> ApplyItemDirectives(const List& changes, std::string_view key, List* base,
                                    List* plain) {
    bool replace = false;
    for (const Value& change : changes) {
      const Value* directive = change.Find(kDirective);
      if (directive == nullptr) {
        plain->push_back(change.Clone(arena_));
        continue;
      }
      const std::string_view word = directive->IsString() ? directive->AsString() : "";
      if (word == "replace") {
        replace = true;
      } else if (word == "merge") {
        return Error("merging lists cannot yet be specified in the patch");
      } else if (word != "delete") {
        return std::unexpected(fmt::format("unknown patch type: {} in map: {}",
                                           DirectiveText(*directive), GoText(change)));
      } else if (const Value* wanted = change.Find(key)) {
        std::erase_if(*base, [&](const Value& item) {
          const Value* value = item.Find(key);
          return value != nullptr && SameScalar(*value, *wanted);
        });
      } else {
        return NoMergeKey(change, key);
      }
    }
    if (replace) {
      *base = std::move(*plain);
      plain->clear();
    }
    return {};
  }

  Outcome<void> MergeItems(const List& changes, const FieldRules& rules, List* merged) {
    for (const Value& change : changes) {
      const Value* wanted = change.Find(rules.merge_key);
      if (wanted == nullptr) return NoMergeKey(change, rules.merge_key);
      const auto found = std::ranges::find_if(*merged, [&](const Value& item) {
        const Value* value = item.Find(rules.merge_key);
        return value != nullptr && SameScalar(*value, *wanted);
      });
      if (found == merged->end()) {
        merged->push_back(change.Clone(arena_));
      } else if (auto done = MergeObject(*found, change.Clone(arena_), rules.schema); !done) {
        return done;
      }
    }
    return {};
  }

  // Position of the item in the list, or -1.
  static ptrdiff_t IndexOf(const List& list, const Value& item, std::string_view key, Kind kind) {
    const Value null;
    const auto value_of = [&](const Value& value) -> const Value& {
      if (kind == Kind::kScalar) return value;
      const Value* found = value.Find(key);
      return found == nullptr ? null : *found;
    };
    for (size_t i = 0; i < list.size(); ++i) {
      if (SameScalar(value_of(item), value_of(list[i]))) return static_cast<ptrdiff_t>(i);
    }
    return -1;
  }

  // Sorts what `order` names by it and the rest by `server_order`, then merges the two so that
  // items known to the server keep their order. Upstream: normalizeElementOrder.
  Outcome<List> Arrange(const List& merged, const List& order, const List& server_order,
                        const FieldRules& rules, Kind kind) {
    const std::string_view key = rules.merge_key;
    std::vector<const Value*> ordered;
    std::vector<const Value*> rest;
    for (const Value& item : merged) {
      if (kind == Kind::kObject && item.Find(key) == nullptr) return NoMergeKey(item, key);
      (IndexOf(order, item, key, kind) >= 0 ? ordered : rest).push_back(&item);
    }
    for (const List* list : {&order, &server_order}) {
      for (const Value& item : *list) {
        if (kind == Kind::kObject && !item.IsObject()) {
          return BadType("map[string]interface {}", item);
        }
        if (kind == Kind::kObject && item.Find(key) == nullptr) return NoMergeKey(item, key);
      }
    }
    const auto sort_by = [&](std::vector<const Value*>& items, const List& by) {
      std::ranges::stable_sort(items, {},
                               [&](const Value* item) { return IndexOf(by, *item, key, kind); });
    };
    sort_by(ordered, order);
    sort_by(rest, server_order);
    List result;
    size_t i = 0;
    size_t j = 0;
    while (i < rest.size() || j < ordered.size()) {
      bool take_rest = j == ordered.size();
      if (!take_rest && i < rest.size()) {
        const ptrdiff_t left = IndexOf(server_order, *rest[i], key, kind);
        const ptrdiff_t right = IndexOf(server_order, *ordered[j], key, kind);
        take_rest = left >= 0 && right >= 0 && left < right;
      }
      result.push_back((take_rest ? rest[i++] : ordered[j++])->Clone(arena_));
    }
    return result;
  }

  List ToList(const Value& array) {
    List list;
    for (const Value& element : array.elements()) list.push_back(element.Clone(arena_));
    return list;
  }
  List CloneList(const List& list) {
    List copy;
    for (const Value& value : list) copy.push_back(value.Clone(arena_));
    return copy;
  }
  Value ToArray(List list) {
    Value array = Value::Array();
    for (Value& value : list) array.PushBack(std::move(value), arena_);
    return array;
  }

  const TypeTable& table_;
  json::Arena& arena_;
};

}  // namespace

Result<void> ApplyStrategicMergePatch(Value& target, const Value& patch, TypeId type,
                                      const TypeTable& table, json::Arena& arena) {
  if (!patch.IsObject() && !patch.IsNull()) {
    const std::string_view kind = patch.IsArray()    ? "array"
                                  : patch.IsString() ? "string"
                                  : patch.IsBool()   ? "bool"
                                                     : "number";
    return std::unexpected(Status::BadRequest(fmt::format(
        "json: cannot unmarshal {} into Go value of type map[string]interface {{}}", kind)));
  }
  auto merged = Merger(table, arena).MergeObject(target, patch.Clone(arena), {type});
  if (!merged) return std::unexpected(ToStatus(merged.error()));
  return {};
}

}  // namespace kulisse::openapi
