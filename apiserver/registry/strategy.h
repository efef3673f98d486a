// Strategy is what a kind adds to the generic create and update (upstream: rest.RESTCreateStrategy
// and rest.RESTUpdateStrategy). A kind without one of its own has the base class: nothing added.
// Rules that are data are in kind_rules.h.
//
// Threads: immutable singletons by kind. Errors: collected, all of an object in one 422.
#pragma once

#include <optional>
#include <string_view>

#include "base/json/value.h"
#include "base/status.h"
#include "openapi/catalog.h"

namespace kulisse::apiserver {

class Strategy {
 public:
  virtual ~Strategy() = default;

  // Defaults that depend on the object's name or are no rows of the facts; they count as given by
  // the client.
  virtual void ApplyDefaults(json::Document& /*object*/) const {}
  // Changes a new object before it is validated. Status has been emptied already.
  virtual void PrepareForCreate(json::Document& /*object*/) const {}
  // Changes an updated object; what the subresource may not touch has been restored already.
  virtual void PrepareForUpdate(json::Document& /*object*/, const json::Value& /*old*/) const {}
  // The same for an update of the status alone, at the time `now`.
  virtual void PrepareForStatusUpdate(json::Document& /*object*/, const json::Value& /*old*/,
                                      std::string_view /*now*/) const {}
  virtual void ValidateUpdate(const json::Value& /*object*/, const json::Value& /*old*/,
                              FieldErrors* /*errors*/) const {}
  // Whether clients may give a status at creation (upstream: nodes alone).
  [[nodiscard]] virtual bool KeepsStatusOnCreate() const { return false; }
  // Whether an update counts as a new generation; mostly that is when the spec changes.
  [[nodiscard]] virtual bool IsNewGeneration(const json::Value& /*object*/,
                                             const json::Value& /*old*/, bool spec_changed) const {
    return spec_changed;
  }
  // Seconds between a delete and the end of the object, or nothing for kinds that end at once.
  // `asked` is what the client wants.
  [[nodiscard]] virtual std::optional<int64_t> GracePeriodSeconds(
      const json::Value& /*object*/, std::optional<int64_t> /*asked*/) const {
    return std::nullopt;
  }
  // Other things that must be gone before an object being deleted goes, besides its finalizers.
  [[nodiscard]] virtual bool ReadyToBeDeleted(const json::Value& /*object*/) const { return true; }
};

[[nodiscard]] const Strategy& StrategyOf(const openapi::ResourceInfo& resource);

// "BestEffort", "Burstable" or "Guaranteed": what the amounts in a pod's spec make of it.
[[nodiscard]] std::string_view PodQosClass(const json::Value& spec);

}  // namespace kulisse::apiserver
