// The fields by which clients may select objects of a kind (?fieldSelector=), as data. Upstream:
// each kind's ToSelectableFields and AddFieldLabelConversionFunc.
// Threads: const data.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/value.h"
#include "openapi/catalog.h"
#include "openapi/selector.h"
#include "storage/event.h"
#include "storage/record.h"

namespace kulisse::apiserver {

// Appends the selectable fields of the object whose value is not their default, in a fixed order;
// metadata.name and metadata.namespace are left out, the key has them. Views into `object` but for
// numbers, which are kept in `texts` (reserve is done here).
void CollectSelectableFields(const openapi::ResourceInfo& resource, const json::Value& object,
                             std::vector<storage::Pair>* fields, std::vector<std::string>* texts);

// Whether the kind can be selected by the field.
[[nodiscard]] bool IsSelectableField(const openapi::ResourceInfo& resource, std::string_view field);

// Whether the kind has any besides its name and namespace.
[[nodiscard]] bool HasOwnSelectableFields(const openapi::ResourceInfo& resource);

// Label and field selectors of a request together.
struct Selection {
  openapi::LabelSelector labels;
  openapi::FieldSelector fields;

  [[nodiscard]] bool empty() const { return labels.empty() && fields.empty(); }
  // Whether the object passes; `key` is EncodeKey()'s form ("pods/ns/name" or "nodes/name").
  [[nodiscard]] bool Matches(const openapi::ResourceInfo& resource, std::string_view ns,
                             std::string_view name, const storage::Record& record) const;
};

// Namespace and name of an encoded key.
struct NameView {
  std::string_view ns;
  std::string_view name;
};
[[nodiscard]] NameView SplitKey(const openapi::ResourceInfo& resource, std::string_view key);

}  // namespace kulisse::apiserver
