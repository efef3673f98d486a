// VersionedComparison compares the two objects of a write in each version that someone manages
// fields in. Upstream: managedfields/internal/versionconverter.go.
//
// Borrows: all that it is made with. Threads: one at a time.
#pragma once

#include <list>
#include <string>
#include <string_view>

#include "base/json/value.h"
#include "openapi/catalog.h"
#include "openapi/managed_fields/compare.h"

namespace kulisse::apiserver {

// The row of a version of the stored resource, or null when it is not served.
[[nodiscard]] const openapi::ResourceInfo* FindVersion(const openapi::Catalog& catalog,
                                                       const openapi::ResourceInfo& stored,
                                                       std::string_view api_version);

class VersionedComparison {
 public:
  // The objects are in the stored version.
  VersionedComparison(const openapi::Catalog& catalog, const openapi::TypeTable& types,
                      const openapi::ResourceInfo& stored, std::string_view subresource,
                      const json::Value& before, const json::Value& after, json::Arena& arena)
      : catalog_(catalog),
        types_(types),
        stored_(stored),
        subresource_(subresource),
        before_(before),
        after_(after),
        arena_(arena) {}

  // Null when the version is not served.
  const openapi::Comparison* In(std::string_view api_version);

 private:
  struct Made {
    std::string api_version;
    bool served;
    openapi::Comparison comparison;
  };
  openapi::Comparison Compare(const openapi::ResourceInfo& row);

  const openapi::Catalog& catalog_;
  const openapi::TypeTable& types_;
  const openapi::ResourceInfo& stored_;
  std::string_view subresource_;
  const json::Value& before_;
  const json::Value& after_;
  json::Arena& arena_;
  std::list<Made> made_;
};

}  // namespace kulisse::apiserver
