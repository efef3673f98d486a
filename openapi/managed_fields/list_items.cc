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
std::string GoNames(const std::vector<std::string_view>& names) {
  std::string text = "[";
  for (const std::string_view name : names) {
    if (text.size() > 1) text += ' ';
    text += GoQuote(name);
  }
  return text + "]";
}

std::expected<std::string_view, std::string> KeyElement(const SchemaView& schema, const Shape& list,
                                                        const Value& item, json::Arena& arena) {
  if (item.IsNull())
    return std::unexpected("associative list with keys may not have a null element");
  if (!item.IsObject()) {
    return std::unexpected("associative list with keys may not have non-map elements");
  }
  const auto names = schema.KeysOf(list);
  std::string text = "{";
  for (const std::string_view name : names) {
    const Value* value = item.Find(name);
    const std::string_view fallback =
        value == nullptr ? schema.KeyDefault(list, name) : std::string_view();
    if (value == nullptr && fallback.empty()) continue;
    if (text.size() > 1) text += ',';
    json::AppendString(name, &text);
    text += ':';
    value == nullptr ? text.append(fallback) : (json::Append(*value, &text), text);
  }
  if (text.size() == 1) {
    return std::unexpected(
        fmt::format("associative list with keys has an element that omits all key fields {} (and "
                    "doesn't have default values for any key fields)",
                    GoNames(names)));
  }
  text += '}';
  std::string escaped = "k:";
  AppendEscaped(text, &escaped);
  return arena.Copy(escaped);
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

void SortItems(std::span<ListItem> items) {
  if (items.size() < 2) return;
  std::ranges::stable_sort(items, [](const ListItem& a, const ListItem& b) {
    return ComparePathElements(a.element, b.element) < 0;
  });
}

}  // namespace kulisse::openapi
