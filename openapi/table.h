// Turns objects into rows of meta.k8s.io Tables: what `kubectl get` prints. Columns are data
// (openapi/facts/table_columns.tsv); cells of a kind are computed by a printer where a path is not
// enough. Upstream: kubernetes/pkg/printers/internalversion.
//
// Threads: pure functions.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/json/value.h"
#include "base/time.h"
#include "openapi/catalog.h"

namespace kulisse::openapi {

struct TableColumn {
  std::string_view name;
  std::string_view type;    // "string", "integer", "date", "boolean"
  std::string_view format;  // "name" or ""
  int priority = 0;
};

// The columns of a resource. Resources without a printer of their own have Name and Age
// ("Created At", a date); the span is empty for resources that cannot be a Table at all.
[[nodiscard]] std::span<const TableColumn> TableColumns(const ResourceInfo& resource);

// Appends `[cell,cell…]` for the object, which is in canonical form and has metadata.
// Ages are relative to `now`.
void AppendTableCells(const ResourceInfo& resource, const json::Value& object, SystemTime now,
                      std::string* out);

}  // namespace kulisse::openapi
