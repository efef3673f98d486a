#include "apiserver/registry/versioned_comparison.h"

#include "apiserver/registry/conversion.h"
#include "apiserver/registry/reset_fields.h"

namespace kulisse::apiserver {

namespace {

json::Document Converted(const openapi::ResourceInfo& row, const openapi::TypeTable& types,
                         const json::Value& object) {
  json::Document copy;
  copy.root = object.Clone(copy.arena);
  ConvertFromStorage(row, types, copy);
  return copy;
}

bool IsVersion(const openapi::ResourceInfo& row, std::string_view api_version) {
  if (row.group.empty()) return api_version == row.version;
  return api_version.size() == row.group.size() + 1 + row.version.size() &&
         api_version.starts_with(row.group) && api_version[row.group.size()] == '/' &&
         api_version.ends_with(row.version);
}

}  // namespace

const openapi::ResourceInfo* FindVersion(const openapi::Catalog& catalog,
                                         const openapi::ResourceInfo& stored,
                                         std::string_view api_version) {
  if (IsVersion(stored, api_version)) return &stored;
  for (const openapi::ResourceInfo& row : catalog.resources()) {
    if (row.storage == &stored && IsVersion(row, api_version)) return &row;
  }
  return nullptr;
}

openapi::Comparison VersionedComparison::Compare(const openapi::ResourceInfo& row) {
  const openapi::FieldSet& ignored = IgnoredFieldsOf(stored_, subresource_).all;
  if (&row == &stored_) {
    return CompareObjects(before_, after_, row.type, types_, ignored, arena_);
  }
  const json::Document before = Converted(row, types_, before_);
  const json::Document after = Converted(row, types_, after_);
  return CompareObjects(before.root, after.root, row.type, types_, ignored, arena_);
}

const openapi::Comparison* VersionedComparison::In(std::string_view api_version) {
  for (const Made& made : made_) {
    if (made.api_version == api_version) return made.served ? &made.comparison : nullptr;
  }
  const openapi::ResourceInfo* row = FindVersion(catalog_, stored_, api_version);
  made_.push_back({std::string(api_version), row != nullptr, {}});
  if (row == nullptr) return nullptr;
  made_.back().comparison = Compare(*row);
  return &made_.back().comparison;
}

}  // namespace kulisse::apiserver
