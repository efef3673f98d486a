// FieldManager works out metadata.managedFields of one write: who wrote, in which version, through
// which subresource. Objects come with the old text of their managers and leave with the new one;
// the object itself never holds them. Upstream: apimachinery/pkg/util/managedfields.
//
// Borrows: all that it is made with. Threads: one at a time.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/json/value.h"
#include "base/result.h"
#include "base/time.h"
#include "openapi/catalog.h"
#include "openapi/managed_fields/managed_fields.h"
#include "openapi/patch/apply.h"

namespace kulisse::apiserver {

struct FieldWriter {
  std::string_view manager;
  // The row of the request; null for the stored version.
  const openapi::ResourceInfo* served = nullptr;
  std::string_view subresource;
};

// A configuration that a manager applies, as it was sent.
struct AppliedConfig {
  const json::Value& config;
  bool force = false;
};

struct AppliedObject {
  json::Document object;  // canonical, in the stored version, without managedFields
  std::string managed_fields;
};

class FieldManager {
 public:
  FieldManager(const openapi::Catalog& catalog, const openapi::TypeTable& types,
               const openapi::ResourceInfo& stored, const FieldWriter& writer, SystemTime now);

  // The managers of a new object, which has its defaults but nothing that the server adds.
  // Takes metadata.managedFields, if the client sent any, out of the object. `given`: if it has
  // managers they stay as they are.
  [[nodiscard]] std::string Create(json::Document& object, bool given = false);
  // The managers after an update from `old`, whose managers are `current`.
  [[nodiscard]] std::string Update(std::string_view current, const json::Value& old,
                                   json::Document& object, bool given = false);
  // What applying makes of the stored object `live`, whose managers are `current`; null when there
  // is none yet. Refusals are those of kube-apiserver, conflicts among them.
  [[nodiscard]] Result<AppliedObject> Apply(std::string_view current, const json::Value* live,
                                            const AppliedConfig& applied);
  // The same through /scale: `live` is the workload, the configuration is a Scale. Gives the
  // replicas to set and the managers of the workload.
  [[nodiscard]] Result<std::pair<int64_t, std::string>> ApplyScale(std::string_view current,
                                                                   const json::Value& live_scale,
                                                                   openapi::TypeId scale_type,
                                                                   const AppliedConfig& applied);

 private:
  // Writes through /scale: the replicas alone change hands.
  [[nodiscard]] std::string UpdateScale(std::string_view current, const json::Value& old,
                                        const json::Value& object);
  // Refuses a configuration of another kind, or that does not fit the type.
  [[nodiscard]] Result<void> CheckConfig(const json::Value& config, std::string_view group,
                                         std::string_view version, std::string_view kind,
                                         openapi::TypeId type) const;
  // The stored object in the version of the request, with kind and apiVersion.
  [[nodiscard]] json::Value Served(const json::Value* live);
  [[nodiscard]] std::optional<json::Value> Convert(const json::Value& value, std::string_view from,
                                                   std::string_view to);
  // Conflicts that kubectl's annotation of client-side apply allows are none.
  [[nodiscard]] Result<std::optional<json::Value>> ApplyWithMigration(
      openapi::Applier& applier, openapi::ApplyRequest request, openapi::ManagedFields* managed);
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

// What an object of the type is before it has any fields.
[[nodiscard]] const json::Value& EmptyObject(openapi::TypeId type, const openapi::TypeTable& types);

// Who had an object before anybody applied.
inline constexpr std::string_view kBeforeFirstApply = "before-first-apply";

// Makes the object one that clients see.
void SetKind(std::string_view api_version, std::string_view kind, json::Value& object,
             json::Arena& arena);

// Puts the text of managers into the object, for those who look at it or show it.
void SetManagedFields(std::string_view managed_fields, json::Document& object);

// Whether two texts of managers differ in times alone.
[[nodiscard]] bool SameManagersButTimes(std::string_view a, std::string_view b);

}  // namespace kulisse::apiserver
