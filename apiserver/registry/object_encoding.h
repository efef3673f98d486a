// Between objects as documents and objects at rest.
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json/value.h"
#include "openapi/catalog.h"
#include "storage/record.h"

namespace kulisse::apiserver {

// A record's content with the memory it refers to. Not movable: the content points into it.
struct EncodedObject {
  EncodedObject() = default;
  EncodedObject(const EncodedObject&) = delete;
  EncodedObject& operator=(const EncodedObject&) = delete;

  storage::RecordContent content;
  std::string json;
  std::vector<std::string> texts;
};

// Fills `out` from an object in canonical form with metadata.uid set. `managed_fields` is the JSON
// of metadata.managedFields or "", as objects in memory do not hold it. `object` must outlive
// `out`.
void EncodeObject(const openapi::ResourceInfo& resource, const json::Value& object,
                  std::string_view managed_fields, EncodedObject* out);

// What a write that is only tried would have stored; it shows `revision`, or none when that is 0.
[[nodiscard]] storage::RecordPtr DryRunRecord(const storage::RecordContent& content,
                                              storage::Revision revision);

// The object of a record, with metadata.resourceVersion, without kind, apiVersion and
// metadata.managedFields: what a writer works on.
[[nodiscard]] json::Document DecodeObject(const storage::Record& record);

}  // namespace kulisse::apiserver
