// FieldManager works out metadata.managedFields of one write: who wrote, in which version, through
// which subresource. Objects come with the old text of their managers and leave with the new one;
// the object itself never holds them. Upstream: apimachinery/pkg/util/managedfields.
//
// Borrows: all that it is made with. Threads: one at a time.
#pragma once

#include <string>
#include <string_view>

#include "base/json/value.h"
#include "base/result.h"
#include "base/time.h"
#include "openapi/catalog.h"
#include "openapi/managed_fields/managed_fields.h"

namespace kulisse::apiserver {

struct FieldWriter {
  std::string_view manager;
  // The row of the request; null for the stored version.
  const openapi::ResourceInfo* served = nullptr;
  std::string_view subresource;
};

class FieldManager {
 public:
  FieldManager(const openapi::Catalog& catalog, const openapi::TypeTable& types,
               const openapi::ResourceInfo& stored, const FieldWriter& writer, SystemTime now);

  // The managers of a new object, which has its defaults but nothing that the server adds.
  // Takes metadata.managedFields, if the client sent any, out of the object. `complete`: managers
  // that it comes with are all there are.
  [[nodiscard]] std::string Create(json::Document& object, bool complete = false);
  // The managers after an update from `old`, whose managers are `current`.
  [[nodiscard]] std::string Update(std::string_view current, const json::Value& old,
                                   json::Document& object);

 private:
  // Writes through /scale: the replicas alone change hands.
  [[nodiscard]] std::string UpdateScale(std::string_view current, const json::Value& old,
                                        const json::Value& object);
  [[nodiscard]] openapi::ManagerId Self(bool applied);
  // What an update makes of the managers, as text.
  [[nodiscard]] std::string Track(openapi::ManagedFields managed, const json::Value& before,
                                  const json::Value& after);

  const openapi::Catalog& catalog_;
  const openapi::TypeTable& types_;
  const openapi::ResourceInfo& stored_;
  const openapi::ResourceInfo& served_;
  FieldWriter writer_;
  std::string now_;
  json::Arena arena_;
};

// Puts the text of managers into the object, for those who look at it or show it.
void SetManagedFields(std::string_view managed_fields, json::Document& object);

// Whether two texts of managers differ in times alone.
[[nodiscard]] bool SameManagersButTimes(std::string_view a, std::string_view b);

}  // namespace kulisse::apiserver
