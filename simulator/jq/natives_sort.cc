// What orders, groups and searches.
#include <algorithm>
#include <vector>

#include "simulator/jq/natives.h"

namespace kulisse::simulator::jq {

namespace {

struct Item {
  Value value;
  Value key;
};

bool Give(Value* result, const Value& value) {
  *result = value;
  return true;
}

// The elements of the input beside the keys that `name_by` gave for them; without arguments they
// are their own keys.
bool ReadItems(Context& context, std::string_view name, const Value& input, Arguments arguments,
               std::vector<Item>* items) {
  if (arguments.empty()) {
    if (!input.IsArray()) return context.FailType(name, input);
    for (const Value& value : context.Elements(input)) items->push_back({value, value});
    return true;
  }
  const Value& keys = arguments[0];
  if (!input.IsArray() || !keys.IsArray()) return context.FailType(name, input, keys);
  if (input.size() != keys.size()) return context.FailWith(name, input, keys, "length mismatch");
  for (size_t i = 0; i < input.size(); ++i) items->push_back({input.At(i), keys.At(i)});
  return true;
}

bool SortItems(Context& context, std::string_view name, const Value& input, Arguments arguments,
               std::vector<Item>* items) {
  if (!ReadItems(context, name, input, arguments, items)) return false;
  // NaN is less than itself: no strict order, but stable_sort merges stay within bounds with it.
  const auto less = [](const Item& a, const Item& b) { return Compare(a.key, b.key) < 0; };
  std::ranges::stable_sort(*items, less);
  return true;
}

template <bool kIsMin>
bool Extreme(Context& context, const Value& input, Arguments arguments, Value* result) {
  const std::string_view name =
      arguments.empty() ? (kIsMin ? "min" : "max") : (kIsMin ? "min_by" : "max_by");
  std::vector<Item> items;
  if (!ReadItems(context, name, input, arguments, &items)) return false;
  if (items.empty()) return Give(result, {});
  const Item* best = items.data();
  for (const Item& item : items) {
    if (&item != best && (Compare(best->key, item.key) > 0) == kIsMin) best = &item;
  }
  return Give(result, best->value);
}

bool Sort(Context& context, const Value& input, Arguments arguments, Value* result) {
  std::vector<Item> items;
  const std::string_view name = arguments.empty() ? "sort" : "sort_by";
  if (!SortItems(context, name, input, arguments, &items)) return false;
  const std::span<Value> sorted = context.NewElements(items.size());
  std::ranges::transform(items, sorted.begin(), &Item::value);
  return Give(result, Value::Array(sorted));
}

bool Unique(Context& context, const Value& input, Arguments arguments, Value* result) {
  std::vector<Item> items;
  const std::string_view name = arguments.empty() ? "unique" : "unique_by";
  if (!SortItems(context, name, input, arguments, &items)) return false;
  ArrayBuilder unique(context);
  for (size_t i = 0; i < items.size(); ++i) {
    if (i == 0 || Compare(items[i - 1].key, items[i].key) != 0) unique.Add(items[i].value);
  }
  return Give(result, unique.Build());
}

bool GroupBy(Context& context, const Value& input, Arguments arguments, Value* result) {
  std::vector<Item> items;
  if (!SortItems(context, "group_by", input, arguments, &items)) return false;
  ArrayBuilder groups(context);
  for (size_t i = 0; i < items.size();) {
    ArrayBuilder group(context);
    const Value key = items[i].key;
    do {
      group.Add(items[i].value);
      ++i;
    } while (i < items.size() && Compare(key, items[i].key) == 0);
    groups.Add(group.Build());
  }
  return Give(result, groups.Build());
}

bool BinarySearch(Context& context, const Value& input, Arguments arguments, Value* result) {
  if (!input.IsArray()) return context.FailType("bsearch", input, arguments[0]);
  const auto elements = context.Elements(input);
  const auto at = std::ranges::partition_point(
      elements, [&](const Value& element) { return Compare(element, arguments[0]) < 0; });
  const int64_t index = at - elements.begin();
  const bool found = at != elements.end() && Compare(*at, arguments[0]) == 0;
  return Give(result, Value::Int(found ? index : -index - 1));
}

constexpr Native kNatives[] = {
    {"_group_by", 1, GroupBy},  {"_max_by", 1, Extreme<false>}, {"_min_by", 1, Extreme<true>},
    {"_sort_by", 1, Sort},      {"_unique_by", 1, Unique},      {"bsearch", 1, BinarySearch},
    {"max", 0, Extreme<false>}, {"min", 0, Extreme<true>},      {"sort", 0, Sort},
    {"unique", 0, Unique},
};

}  // namespace

std::span<const Native> SortNatives() { return kNatives; }

}  // namespace kulisse::simulator::jq
