// What form of answer a client wants, from its Accept header. Upstream:
// apiserver/pkg/endpoints/handlers/negotiation.
// Threads: values; pure functions. Errors: 406 with upstream's texts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "apiserver/chain/request_info.h"
#include "apiserver/http.h"
#include "base/result.h"

namespace kulisse::apiserver {

enum class Format : uint8_t { kJson, kYaml, kProtobuf };
enum class View : uint8_t {
  kObject,
  kMetadata,      // PartialObjectMetadata of one object
  kMetadataList,  // PartialObjectMetadataList
  kTable,
};
enum class IncludeObject : uint8_t { kMetadata, kNone, kObject };

// One way to show objects. A value: its id tells shared encodings of events apart.
struct Representation {
  Format format = Format::kJson;
  View view = View::kObject;
  bool pretty = false;
  // Of the Table.
  bool table_v1beta1 = false;
  IncludeObject include_object = IncludeObject::kMetadata;
  // Watches of Tables show the columns in their first event only.
  bool with_columns = true;

  [[nodiscard]] uint64_t id() const;
  // The Content-Type of an answer.
  [[nodiscard]] std::string_view content_type() const;
};

// The representation for a request. Error: 406, to be shown in JSON (or in whatever the client
// takes: FormatForErrors). `custom`: objects of a custom resource, which have no protobuf.
[[nodiscard]] Result<Representation> Negotiate(const HttpRequest& request, const Query& query,
                                               std::string_view verb, bool custom = false);
// That of a document which has no other views.
[[nodiscard]] Result<Representation> NegotiateDocument(const HttpRequest& request,
                                                       const Query& query);
// The format of aggregated discovery, if the client takes that.
[[nodiscard]] std::optional<Format> AggregatedDiscoveryFormat(const HttpRequest& request);
// 406 for a Table or metadata of what has none.
[[nodiscard]] Result<void> RequireObjectView(const Representation& representation);
// The form in which this client gets a Status.
[[nodiscard]] Representation FormatForErrors(const HttpRequest& request, const Query& query);

}  // namespace kulisse::apiserver
