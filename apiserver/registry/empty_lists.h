// The empty lists of a request. Upstream tells them from missing ones until an object is stored: a
// few defaults are for missing lists alone, and refusals print what the client sent. Here they stay
// until defaults are applied; then the canonical form leaves them out, and refusals of such an
// object are worded by looking at it once more with its lists.
//
// Owns: a copy of the object as it was sent; nothing for the many without empty lists.
// Threads: one.
#pragma once

#include <functional>

#include "base/json/value.h"
#include "base/status.h"
#include "openapi/catalog.h"
#include "openapi/type_table.h"

namespace kulisse::apiserver {

class EmptyLists {
 public:
  // Takes out of the object those that its canonical form leaves out.
  EmptyLists(json::Document& object, const openapi::ResourceInfo& resource,
             const openapi::TypeTable& types);

  // Words `errors`, the refusals of the object, as for the object with its lists. `validate`
  // collects refusals.
  void Word(const json::Value& object,
            const std::function<void(const json::Value& object, FieldErrors* errors)>& validate,
            FieldErrors* errors) const;

 private:
  json::Document sent_;  // null when there are none
};

}  // namespace kulisse::apiserver
