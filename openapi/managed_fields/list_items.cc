#include "openapi/managed_fields/list_items.h"

#include <fmt/format.h>

#include <algorithm>
#include <new>

#include "base/json/write.h"
#include "base/status.h"
#include "openapi/managed_fields/path_element.h"

namespace kulisse::openapi {

namespace {

using json::Value;

// Upstream prints the names as Go's %q of a slice.
std::string GoNames(std::span<const std::string_view> names) {
  std::string text = "[";
  for (const std::string_view name : names) {
    if (text.size() > 1) text += ' ';
    text += GoQuote(name);
  }
  return text + "]";
}

// Appends a value as JSON within JSON quotes.
void AppendQuotedValue(const Value& value, std::string* out) {
  if (value.IsInt()) return json::AppendInt(value.AsInt(), out);
  AppendEscaped(json::ToString(value), out);
}

void AppendQuotedText(std::string_view text, std::string* out) {
  if (!NeedsEscapes(text)) {
    out->append("\\\"").append(text).append("\\\"");
    return;
  }
  std::string quoted;
  json::AppendString(text, &quoted);
  AppendEscaped(quoted, out);
}

std::expected<std::string_view, std::string> KeyElement(const SchemaView& schema, const Shape& list,
                                                        const Value& item, json::Arena& arena) {
  if (item.IsNull())
    return std::unexpected("associative list with keys may not have a null element");
  if (!item.IsObject()) {
    return std::unexpected("associative list with keys may not have non-map elements");
  }
  const ListKeys keys = SchemaView::KeysOf(list);
  std::string text = "k:{";
  for (const std::string_view name : keys.names()) {
    const Value* value = item.Find(name);
    const std::string_view fallback =
        value == nullptr ? schema.KeyDefault(list, name) : std::string_view();
    if (value == nullptr && fallback.empty()) continue;
    if (text.back() != '{') text += ',';
    AppendQuotedText(name, &text);
    text += ':';
    if (value == nullptr) {
      AppendEscaped(fallback, &text);
    } else if (value->IsString()) {
      AppendQuotedText(value->AsString(), &text);
    } else {
      AppendQuotedValue(*value, &text);
    }
  }
  if (text.back() == '{') {
    return std::unexpected(
        fmt::format("associative list with keys has an element that omits all key fields {} (and "
                    "doesn't have default values for any key fields)",
                    GoNames(keys.names())));
  }
  text += '}';
  return arena.Copy(text);
}

std::expected<std::string_view, std::string> SetElement(const Value& item, json::Arena& arena) {
  if (item.IsObject()) {
    return std::unexpected("associative list without keys has an element that's a map type");
  }
  if (item.IsArray()) {
    return std::unexpected("not supported: associative list with lists as elements");
  }
  if (item.IsNull()) {
    return std::unexpected("associative list without keys has an element that's an explicit null");
  }
  std::string escaped = "v:";
  AppendEscaped(json::ToString(item), &escaped);
  return arena.Copy(escaped);
}

}  // namespace

std::expected<std::string_view, std::string> ItemElement(const SchemaView& schema,
                                                         const Shape& list, const Value& item,
                                                         json::Arena& arena) {
  return list.HasKeys() ? KeyElement(schema, list, item, arena) : SetElement(item, arena);
}

std::span<ListItem> ItemsOf(const SchemaView& schema, const Shape& list, const Value* value,
                            json::Arena& arena) {
  if (value == nullptr || value->size() == 0) return {};
  const auto elements = value->elements();
  auto* items = static_cast<ListItem*>(arena.Allocate(elements.size() * sizeof(ListItem)));
  size_t count = 0;
  for (const Value& element : elements) {
    const auto step = ItemElement(schema, list, element, arena);
    if (step) new (&items[count++]) ListItem{*step, &element};
  }
  return {items, count};
}

// Lists are short and mostly sorted.
void SortItems(std::span<ListItem> items) {
  constexpr size_t kInsertionSortMax = 16;
  const auto before = [](const ListItem& a, const ListItem& b) {
    return ComparePathElements(a.element, b.element) < 0;
  };
  if (items.size() > kInsertionSortMax) {
    std::ranges::stable_sort(items, before);
    return;
  }
  for (size_t i = 1; i < items.size(); ++i) {
    for (size_t at = i; at > 0 && before(items[at], items[at - 1]); --at) {
      std::swap(items[at], items[at - 1]);
    }
  }
}

std::span<const json::Member*> SortedMembers(const Value* map, json::Arena& arena) {
  if (map == nullptr || map->size() == 0) return {};
  const auto members = map->members();
  auto** sorted = static_cast<const json::Member**>(
      arena.Allocate(members.size() * sizeof(const json::Member*)));
  for (size_t i = 0; i < members.size(); ++i) sorted[i] = &members[i];
  const std::span<const json::Member*> result(sorted, members.size());
  const auto by_name = [](const json::Member* member) { return member->name; };
  if (!std::ranges::is_sorted(result, {}, by_name)) std::ranges::sort(result, {}, by_name);
  return result;
}

}  // namespace kulisse::openapi
