// The patches that work on any JSON document. Both change the document in place.
// Threads: pure functions. Limits: kJsonPatchOperationsMax.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/value.h"
#include "base/result.h"
#include "openapi/type_table.h"

namespace kulisse::openapi {

// RFC 7386, as evanphx/json-patch v4 applies it: the patch's null removes a member; nulls within
// new values are pruned too, in objects of lists as well. 400 when the patch is no object.
Result<void> ApplyMergePatch(json::Value& target, const json::Value& patch, json::Arena& arena);

// RFC 6902, as evanphx/json-patch v4 applies it for kube-apiserver: "-" appends, negative indices
// count from the end, `remove` of a missing member is an error but `replace` adds it. The whole
// patch is refused with the statuses of the real server: 400 when it is no list of operations,
// 413 when it is too long, 422 "the server rejected our request due to an error in our request"
// otherwise; the target is then in an unspecified state.
[[nodiscard]] Result<void> ApplyJsonPatch(json::Value& target, const json::Value& patch,
                                          json::Arena& arena);

// Kubernetes' strategic merge patch, by the merge keys and strategies of the type:
// $patch, $setElementOrder, $deleteFromPrimitiveList, $retainKeys.
[[nodiscard]] Result<void> ApplyStrategicMergePatch(json::Value& target, const json::Value& patch,
                                                    TypeId type, const TypeTable& table,
                                                    json::Arena& arena);

// Names of the members of a document that a merge patch or a strategic one may change; nothing when
// it may change any, as directives at its top and JSON patches do.
[[nodiscard]] std::optional<std::vector<std::string_view>> TouchedMembers(const json::Value& patch);

}  // namespace kulisse::openapi
