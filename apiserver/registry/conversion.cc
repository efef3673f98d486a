#include "apiserver/registry/conversion.h"

#include <array>

#include "apiserver/registry/autoscaling_conversion.h"
#include "base/assert.h"
#include "openapi/typed.h"

namespace kulisse::apiserver {

namespace {

struct Rename {
  std::string_view stored;
  std::string_view served;
};

// core/v1 Event as events.k8s.io/v1 names it.
constexpr auto kEventRenames = std::to_array<Rename>({
    {"involvedObject", "regarding"},
    {"message", "note"},
    {"source", "deprecatedSource"},
    {"firstTimestamp", "deprecatedFirstTimestamp"},
    {"lastTimestamp", "deprecatedLastTimestamp"},
    {"count", "deprecatedCount"},
    {"reportingComponent", "reportingController"},
});

void RenameMembers(json::Value& object, bool from_storage) {
  for (json::Member& member : object.members()) {
    for (const Rename& rename : kEventRenames) {
      if (member.name != (from_storage ? rename.stored : rename.served)) continue;
      member.name = from_storage ? rename.served : rename.stored;
      break;
    }
  }
}

void Canonicalize(json::Document& object, openapi::TypeId type, const openapi::TypeTable& types) {
  const auto normalized = openapi::Normalize(object.root, type, types, object.arena, nullptr);
  KULISSE_ASSERT(normalized.has_value());
}

}  // namespace

void ConvertFromStorage(const openapi::ResourceInfo& resource, const openapi::TypeTable& types,
                        json::Document& object) {
  if (resource.storage_name == "events") {
    RenameMembers(object.root, true);
  } else {
    AutoscalerToV1(object);
  }
  Canonicalize(object, resource.type, types);
}

void ConvertToStorage(const openapi::ResourceInfo& resource, const openapi::TypeTable& types,
                      json::Document& object) {
  if (resource.storage_name == "events") {
    RenameMembers(object.root, false);
  } else {
    AutoscalerFromV1(object);
  }
  Canonicalize(object, resource.storage->type, types);
}

}  // namespace kulisse::apiserver
