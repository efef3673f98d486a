// Server-side apply: lays a manager's configuration over the live object, takes away what the
// manager applied before and now leaves out and nobody else owns, and says who owns what then.
// Upstream: structured-merge-diff/merge (Updater.Apply) and managedfields/internal.
//
// Threads: pure functions. Errors: conflicts with other managers.
#pragma once

#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/value.h"
#include "base/status.h"
#include "openapi/managed_fields/managed_fields.h"

namespace kulisse::openapi {

// A field that another manager owns with another value.
struct ApplyConflict {
  ManagerId manager;
  std::vector<std::string_view> path;
};

// The object of another version, or nothing when the version is not served. The value need not be
// canonical, and may lack fields.
using ConvertVersion = std::function<std::optional<json::Value>(
    const json::Value& value, std::string_view from, std::string_view to)>;
// The type in a version that is served.
using TypeInVersion = std::function<std::optional<TypeId>(std::string_view api_version)>;

struct ApplyRequest {
  const json::Value& live;    // canonical, without managedFields, in the version of `self`
  const json::Value& config;  // as the client sent it; fits the type
  ManagerId self;             // `applied` is set
  std::string_view now;
  bool force;
  const FieldSet& reset;    // what writes through this resource never own
  const FieldSet& ignored;  // the same with what the server sets
  const FieldSet& system;   // metadata that nobody owns
};

class Applier {
 public:
  Applier(const TypeTable& table, ConvertVersion convert, TypeInVersion type_in, json::Arena& arena)
      : table_(table), convert_(std::move(convert)), type_in_(std::move(type_in)), arena_(arena) {}

  // The new object, not canonical yet, or null when it is the live one. `managed` becomes the new
  // managers; it is as it was when there are conflicts.
  [[nodiscard]] std::expected<std::optional<json::Value>, std::vector<ApplyConflict>> Apply(
      const ApplyRequest& request, ManagedFields* managed);

 private:
  struct Version {
    std::string_view api_version;
    TypeId type;
  };
  [[nodiscard]] json::Value Prune(const ApplyRequest& request, json::Value merged,
                                  const ManagedFieldsEntry& last, const ManagedFields& managed);
  void AddBackOwned(const Version& version, const FieldSet& owned, std::string_view* at,
                    json::Value* merged, json::Value* pruned);
  [[nodiscard]] json::Value AddBackDangling(const Version& version, const json::Value& merged,
                                            const json::Value& pruned, const FieldSet& last);
  [[nodiscard]] FieldSet NamedFieldsOf(const json::Value& value, TypeId type);
  [[nodiscard]] json::Value Converted(const json::Value& value, std::string_view from,
                                      std::string_view to);

  const TypeTable& table_;
  ConvertVersion convert_;
  TypeInVersion type_in_;
  json::Arena& arena_;
};

// The 409 of an apply, sorted by manager.
[[nodiscard]] Status ConflictStatus(const std::vector<ApplyConflict>& conflicts);

}  // namespace kulisse::openapi
