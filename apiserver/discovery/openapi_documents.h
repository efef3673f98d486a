// The OpenAPI documents of the server: /openapi/v3 (an index and one document per group version)
// and /openapi/v2 (one document, as JSON and as protobuf), made from catalog rows and the type
// table. They have the names, types and extensions of a real server's documents, and no
// descriptions.
//
// Owns: hashes and the small index; documents are made anew each time (the largest takes
//   milliseconds), so nothing large stays in memory.
// Borrows: the rows, which must outlive it. When custom resources change, make a new one.
// Threads: any.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "apiserver/discovery/discovery.h"
#include "apiserver/discovery/operations.h"
#include "openapi/catalog.h"

namespace kulisse::apiserver {

class JsonWriter;
class SchemaWriter;

struct OpenApiDocument {
  std::string body;
  std::string etag;  // `"<128 capital hex digits>"`
};

// Content types of the answers. /openapi/v3 itself comes as text/plain, as upstream sends it.
inline constexpr std::string_view kOpenApiV2ProtobufType =
    "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
inline constexpr std::string_view kOpenApiV3IndexType = "text/plain; charset=utf-8";

class OpenApiDocuments {
 public:
  // `rows` as DiscoveryRows gives them.
  explicit OpenApiDocuments(std::vector<const openapi::ResourceInfo*> rows);

  // GET /openapi/v3: {"paths": {"apis/apps/v1": {"serverRelativeURL": "/openapi/v3/…?hash=…"}}}.
  [[nodiscard]] std::string V3Index() const;
  // GET /openapi/v3/PATH, e.g. "api/v1" or "apis/apps/v1". Nothing when there is no such document.
  // The hash of the URL is the etag without its quotes: with it the answer never changes, with
  // another one the client is sent (301) to the right one, with none it must not be cached.
  [[nodiscard]] std::optional<OpenApiDocument> V3(std::string_view path) const;
  // The etag alone; it is made once.
  [[nodiscard]] std::optional<std::string> V3ETag(std::string_view path) const;
  // GET /openapi/v2. Both forms have the etag of the JSON.
  [[nodiscard]] OpenApiDocument V2Json() const;
  [[nodiscard]] OpenApiDocument V2Protobuf() const;
  [[nodiscard]] std::string V2ETag() const;

 private:
  // What a document of version 3 is made of; of a group version when there are rows.
  struct V3Contents {
    std::string_view group;
    std::string_view version;
    std::vector<const openapi::ResourceInfo*> rows;
    std::vector<PathItem> items;
  };

  [[nodiscard]] std::vector<std::string> V3Paths() const;
  [[nodiscard]] std::optional<V3Contents> V3ContentsOf(std::string_view path) const;
  [[nodiscard]] std::optional<std::string> V3Body(std::string_view path) const;
  // REQUIRES: there is such a document.
  [[nodiscard]] std::string V3Hash(const std::string& path) const;
  [[nodiscard]] std::vector<const openapi::ResourceInfo*> RowsOf(std::string_view group,
                                                                 std::string_view version) const;
  [[nodiscard]] std::vector<PathItem> AllPaths() const;
  [[nodiscard]] std::string V2Body() const;
  void WriteDefinitions(const SchemaWriter& schemas, const std::set<std::string>& needed,
                        ResourceRows rows, JsonWriter* json) const;

  const std::vector<const openapi::ResourceInfo*> rows_;

  mutable std::mutex mutex_;
  mutable std::map<std::string, std::string, std::less<>> v3_hashes_;  // guarded by mutex_
  mutable std::string v2_etag_;                                        // guarded by mutex_
};

}  // namespace kulisse::apiserver
