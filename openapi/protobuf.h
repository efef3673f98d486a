// Kubernetes protobuf (application/vnd.kubernetes.protobuf) by table: bytes to JSON values and
// back, for every type of the type table, with no generated code.
//
// Encoding equals gogo's generated marshalers: fields in number order, required (non-pointer)
// scalars written even when zero, map entries sorted by key. Decoding skips unknown fields, takes
// the last of a repeated scalar, and gives values in canonical form (as Normalize would).
//
// Threads: pure functions.
// Limits: kJsonDepthMax nested messages; lengths are checked before memory is taken.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "base/json/value.h"
#include "openapi/type_table.h"

namespace kulisse::openapi {

// The envelope `k8s\0` + runtime.Unknown.
struct ProtobufEnvelope {
  std::string_view api_version;
  std::string_view kind;
  std::string_view raw;  // the message
  std::string_view content_encoding;
  std::string_view content_type;
};
// Errors in the words of the real server.
[[nodiscard]] std::expected<ProtobufEnvelope, std::string> DecodeEnvelope(std::string_view bytes);
void AppendEnvelope(std::string_view api_version, std::string_view kind, std::string_view raw,
                    std::string* out);

// Appends the message of `value`; kind and apiVersion at the top are not part of it.
// REQUIRES: value is in canonical form of the type.
void AppendMessage(const json::Value& value, TypeId type, const TypeTable& table, std::string* out);
[[nodiscard]] std::expected<json::Value, std::string> DecodeMessage(std::string_view bytes,
                                                                    TypeId type,
                                                                    const TypeTable& table,
                                                                    json::Arena& arena);

// One frame of a protobuf watch: 4-byte length + metav1.WatchEvent{type, RawExtension{envelope}}.
void AppendWatchFrame(std::string_view event_type, std::string_view envelope, std::string* out);

}  // namespace kulisse::openapi
