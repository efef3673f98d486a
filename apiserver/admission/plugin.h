// AdmissionPlugin looks at a write after it was decoded and defaulted, and may change or refuse it
// (upstream: apiserver/pkg/admission). Mutate runs before the strategy prepares the object,
// Validate after the strategy found it valid.
//
// Threads: any, at once. Errors: the Status that a client of the real server would see.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "base/json/value.h"
#include "base/result.h"
#include "openapi/catalog.h"

namespace kulisse::apiserver {

struct RequestContext;  // registry/resource_store.h

enum class AdmissionOperation : uint8_t { kCreate = 1, kUpdate = 2, kDelete = 4 };

// What a plugin took elsewhere for a write (quota): given back when the write does not happen.
using Undo = std::function<void()>;

// One write on its way through the plugins.
struct AdmissionAttributes {
  AdmissionOperation operation;
  const openapi::ResourceInfo& resource;
  std::string_view subresource;  // "" for the object itself
  std::string_view ns;           // "" at cluster scope
  // As the request has it; "" while a generated name is still to be drawn.
  std::string_view name;
  json::Document* object;  // what is to be stored (or the Binding); null at a delete
  // Null at a create, and while a delete is mutated: nobody has looked yet what is there.
  const json::Value* old;
  const RequestContext& context;
  // Where Validate() puts what must be undone when the write fails.
  std::vector<Undo>* undo = nullptr;

  [[nodiscard]] bool Is(std::string_view storage_name,
                        std::string_view its_subresource = {}) const {
    return resource.storage_name == storage_name && subresource == its_subresource;
  }
  // REQUIRES: no delete.
  [[nodiscard]] const json::Value& root() const { return object->root; }
};

// The 403 of a plugin: `pods "a" is forbidden: CAUSE` (upstream: admission.NewForbidden).
[[nodiscard]] Status AdmissionForbidden(const AdmissionAttributes& attributes,
                                        std::string_view cause);

// Which writes a plugin wants to see.
struct AdmissionInterest {
  uint8_t operations = 0;                       // bits of AdmissionOperation
  std::vector<std::string_view> storage_names;  // empty: of every resource
};
inline constexpr uint8_t kOnCreate = static_cast<uint8_t>(AdmissionOperation::kCreate);
inline constexpr uint8_t kOnUpdate = static_cast<uint8_t>(AdmissionOperation::kUpdate);
inline constexpr uint8_t kOnDelete = static_cast<uint8_t>(AdmissionOperation::kDelete);

class AdmissionPlugin {
 public:
  virtual ~AdmissionPlugin() = default;

  [[nodiscard]] virtual AdmissionInterest Interest() const = 0;
  // Whether it would let pass any write of a part of this process to the resource that renews times
  // and changes nothing else (ResourceStore::Renew): it is not shown these then.
  [[nodiscard]] virtual bool IgnoresRenewals(const openapi::ResourceInfo& /*resource*/) const {
    return false;
  }
  // Changes attributes.object. May run again for the same write.
  virtual Result<void> Mutate(AdmissionAttributes& /*attributes*/) const { return {}; }
  virtual Result<void> Validate(const AdmissionAttributes& /*attributes*/) const { return {}; }
};

}  // namespace kulisse::apiserver
