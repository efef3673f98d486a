// What is wrong with an object of a built-in kind, as kube-apiserver says it: every violated rule
// with the path, the words and the order of the real server. Most rules are data
// (openapi/facts/validation.tsv: type, field, rule), applied in one walk over the object; rules
// across fields are functions that the same file names ("@name"), in the files of this folder.
// Upstream: kubernetes/pkg/apis/*/validation. Metadata is not looked at here, nor anything that
// depends on other objects.
//
// Threads: pure functions.
#pragma once

#include <string_view>

#include "base/json/value.h"
#include "base/status.h"
#include "openapi/type_table.h"

namespace kulisse::openapi {

// REQUIRES: objects are in canonical form of the type, with defaults.
// `served` is the type as which the client wrote the object, where that is another.
void ValidateCreate(const json::Value& object, TypeId type, FieldErrors* errors,
                    TypeId served = kNoType);
// `subresource` is "" or one of those through which the object is written ("status").
void ValidateUpdate(const json::Value& object, const json::Value& old, TypeId type,
                    std::string_view subresource, FieldErrors* errors, TypeId served = kNoType);

}  // namespace kulisse::openapi
