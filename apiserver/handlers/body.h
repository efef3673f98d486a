// Decodes request bodies into objects in canonical form: JSON, YAML and protobuf, strictly or
// leniently as ?fieldValidation= asks. Upstream: handlers/create.go, runtime/serializer.
// Threads: pure functions. Errors: 400, 415 with upstream's texts.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "apiserver/handlers/options.h"
#include "apiserver/http.h"
#include "base/json/value.h"
#include "base/result.h"
#include "openapi/catalog.h"

namespace kulisse::apiserver {

// What the body must be.
struct ExpectedKind {
  std::string_view group;
  std::string_view version;
  std::string_view kind;
  openapi::TypeId type;
  std::string_view other_version = {};  // of the same group, that has the same form
  bool custom = false;                  // of a custom resource: kind and apiVersion must be there
};

// The object of the body. kind and apiVersion may be missing; others than expected are refused.
// Warnings (unknown and duplicate fields) are added to `warnings`.
[[nodiscard]] Result<json::Document> DecodeBody(const HttpRequest& request,
                                                const ExpectedKind& expected,
                                                FieldValidation validation,
                                                const openapi::Catalog& catalog,
                                                const openapi::TypeTable& types,
                                                std::vector<std::string>* warnings);

// The DeleteOptions of a DELETE; a null root when there is no body.
[[nodiscard]] Result<json::Document> DecodeDeleteOptions(const HttpRequest& request,
                                                         const openapi::TypeTable& types);

// The media type of a Content-Type header without parameters, in lower case; JSON when missing.
[[nodiscard]] std::string MediaTypeOf(const HttpRequest& request);

inline constexpr std::string_view kApplyPatch = "application/apply-patch+yaml";

// An empty list of managedFields asks to forget all managers, but the canonical form leaves empty
// lists out: it becomes a list of one empty entry, which asks for the same.
void KeepManagedFieldsReset(json::Value& object, json::Arena& arena);

// "core", "apps", "rbac": the Go package of a group's internal types, as upstream's texts name it.
[[nodiscard]] std::string_view PackageOf(std::string_view group);

// Why an object of another kind than the expected one cannot be read as that, or "".
// An empty kind or apiVersion is the expected one.
[[nodiscard]] std::string KindObstacle(std::string_view api_version, std::string_view kind,
                                       const ExpectedKind& expected,
                                       const openapi::Catalog& catalog);

// What is told of fields: `unknown field "a.b"` for each path.
[[nodiscard]] std::vector<std::string> FieldTexts(std::string_view what,
                                                  const std::vector<std::string>& paths);
// Turns what is told of fields into an error or warnings. The error is upstream's "strict decoding
// error: …".
[[nodiscard]] std::expected<void, std::string> ReportFields(const std::vector<std::string>& texts,
                                                            FieldValidation validation,
                                                            std::vector<std::string>* warnings);

}  // namespace kulisse::apiserver
