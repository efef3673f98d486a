// The HTTP operations that the server offers on catalog rows, as the OpenAPI documents list them:
// which methods on which paths, with which parameters, bodies and answers. The documents of both
// versions are printed from this one model.
//
// Threads: pure functions. Views point into the catalog, into the type table or to literals.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "apiserver/discovery/discovery.h"
#include "openapi/catalog.h"

namespace kulisse::apiserver {

struct OperationParameter {
  std::string_view name;
  std::string_view type;  // "string", "boolean", "integer"
  bool in_path = false;   // else in the query
  bool operator==(const OperationParameter&) const = default;
};

// Which media types requests and answers have.
enum class OperationMedia : uint8_t {
  kObject,     // JSON, YAML, protobuf
  kWatchable,  // these and their streams
  kLog,        // kObject and plain text
  kAny,        // whatever the proxied side sends
  kJson,       // JSON alone
  kKeySet,     // application/jwk-set+json
};

struct Operation {
  std::string_view method;  // "get"
  std::string id;
  std::string_view action;  // x-kubernetes-action; "" for discovery, which has no kind either
  std::string_view group;
  std::string_view version;
  std::string_view kind;
  std::vector<OperationParameter> parameters;  // by name
  OperationMedia media = OperationMedia::kObject;
  std::string body;  // name of the body's definition, or ""
  bool body_optional = false;
  std::string response;    // name of the answer's definition; "" is a string
  std::vector<int> codes;  // of success
};

struct PathItem {
  std::string path;
  std::string tag;
  bool custom = false;  // of a custom resource: no protobuf, no strategic merge
  std::vector<OperationParameter> parameters;  // common to all operations
  std::vector<Operation> operations;           // with the others
};

// Name of the definition of a row's kind: its type's, or "com.example.v1.Foo" for custom ones.
[[nodiscard]] std::string DefinitionName(const openapi::ResourceInfo& row);

// The resources of one group version, with the path of its own discovery document, by path.
// REQUIRES: all rows are of that group version.
[[nodiscard]] std::vector<PathItem> ResourcePaths(ResourceRows rows);
// "/api/", "/apis/" and "/apis/GROUP/" (for group "apps").
[[nodiscard]] PathItem CoreVersionsPath();
[[nodiscard]] PathItem GroupListPath();
[[nodiscard]] PathItem GroupPath(std::string_view group);
// "/version/", "/openid/v1/jwks/" and "/.well-known/openid-configuration/".
[[nodiscard]] PathItem VersionPath();
[[nodiscard]] PathItem KeySetPath();
[[nodiscard]] PathItem IssuerPath();

}  // namespace kulisse::apiserver
